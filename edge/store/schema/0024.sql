-- Pages after payment: published versions, what each order ended on, and the variants' counts.
CREATE TABLE landing_versions (
    tenant_id      TEXT NOT NULL,
    occasion       TEXT NOT NULL CHECK (occasion IN ('any', 'kiosk', 'counter', 'phone', 'parking', 'join', 'refund')),
    campaign       TEXT NOT NULL,
    number         INTEGER NOT NULL CHECK (number > 0),
    valid_from     INTEGER NOT NULL,
    valid_to       INTEGER,
    learning       INTEGER NOT NULL CHECK (learning IN (0, 1)),
    floor_permille INTEGER NOT NULL CHECK (floor_permille BETWEEN 0 AND 500),
    trial_shown    INTEGER NOT NULL CHECK (trial_shown >= 0),
    variants       TEXT NOT NULL,
    made_by        TEXT NOT NULL,
    made_at        INTEGER NOT NULL,
    returned_to    INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, occasion, campaign, number),
    CHECK (valid_to IS NULL OR valid_to > valid_from)
) STRICT, WITHOUT ROWID;

CREATE TABLE landing_shown (
    order_id  TEXT PRIMARY KEY,
    tenant_id TEXT NOT NULL,
    occasion  TEXT NOT NULL,
    campaign  TEXT NOT NULL,
    number    INTEGER NOT NULL CHECK (number >= 0),
    variant   TEXT NOT NULL,
    shopper   TEXT NOT NULL,
    shown_at  INTEGER NOT NULL,
    acted_at  INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX landing_shown_shopper ON landing_shown (shopper, tenant_id, occasion, campaign, number);

CREATE TABLE landing_counts (
    tenant_id TEXT NOT NULL,
    occasion  TEXT NOT NULL,
    campaign  TEXT NOT NULL,
    number    INTEGER NOT NULL,
    variant   TEXT NOT NULL,
    shown     INTEGER NOT NULL CHECK (shown >= 0),
    acted     INTEGER NOT NULL CHECK (acted BETWEEN 0 AND shown),
    PRIMARY KEY (tenant_id, occasion, campaign, number, variant)
) STRICT, WITHOUT ROWID;
