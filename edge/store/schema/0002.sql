-- The catalogue. A row is written for one import and is seen once catalogue_head.active has reached that
-- import's number; of several versions the one with the highest visible number counts. So an import of any
-- size becomes visible by the change of one number, and what it leaves behind when it is cut off is unseen.

CREATE TABLE catalogue_head (
    one         INTEGER PRIMARY KEY CHECK (one = 1),
    active      INTEGER NOT NULL,
    last_import INTEGER NOT NULL,
    importing   INTEGER,
    untidy      INTEGER NOT NULL CHECK (untidy IN (0, 1)),
    CHECK (active <= last_import),
    CHECK (importing IS NULL OR importing = last_import)
) STRICT;

INSERT INTO catalogue_head (one, active, last_import, importing, untidy) VALUES (1, 0, 0, NULL, 0);

CREATE TABLE tenants (
    tenant_id TEXT PRIMARY KEY,
    name      TEXT NOT NULL CHECK (name <> ''),
    name_en   TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- keys: the product's look-up keys with a space between; product_keys is the same, the other way round.
CREATE TABLE products (
    sku       TEXT NOT NULL CHECK (sku <> ''),
    import_no INTEGER NOT NULL,
    tenant_id TEXT NOT NULL,
    name      TEXT NOT NULL CHECK (name <> ''),
    name_en   TEXT NOT NULL,
    sold_by   TEXT NOT NULL CHECK (sold_by IN ('piece', 'weight')),
    age_min   INTEGER NOT NULL CHECK (age_min >= 0),
    keys      TEXT NOT NULL,
    withdrawn INTEGER NOT NULL CHECK (withdrawn IN (0, 1)),
    PRIMARY KEY (sku, import_no)
) STRICT, WITHOUT ROWID;

-- sku '' says that from this import on nobody has the key.
CREATE TABLE product_keys (
    key       TEXT NOT NULL CHECK (key <> ''),
    import_no INTEGER NOT NULL,
    sku       TEXT NOT NULL,
    PRIMARY KEY (key, import_no)
) STRICT, WITHOUT ROWID;

CREATE TABLE prices (
    sku        TEXT NOT NULL,
    valid_from INTEGER NOT NULL,
    import_no  INTEGER NOT NULL,
    price_fen  INTEGER NOT NULL CHECK (price_fen > 0),
    PRIMARY KEY (sku, valid_from, import_no)
) STRICT, WITHOUT ROWID;
