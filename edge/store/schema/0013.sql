-- The delta form of snapshots, and what members, lists of plates and tariffs become.

-- rebuilt: the whole content stands beside a delta's chunks, under numbers from 1000000 on. gone: nobody wants it
-- any more; its chunks are deleted a few at a time, as a cascade over megabytes would hold up the tills.
ALTER TABLE snapshots ADD COLUMN rebuilt INTEGER NOT NULL DEFAULT 0 CHECK (rebuilt IN (0, 1));
ALTER TABLE snapshots ADD COLUMN gone INTEGER NOT NULL DEFAULT 0 CHECK (gone IN (0, 1));

-- As catalogue_head. token: what is being imported; after_id: the last member that is staged; first_row: rows from
-- here on are of the import; the counts are of the import under way, members of those that are seen.
CREATE TABLE member_head (
    one         INTEGER PRIMARY KEY CHECK (one = 1),
    active      INTEGER NOT NULL,
    last_import INTEGER NOT NULL,
    importing   INTEGER,
    token       TEXT NOT NULL,
    after_id    TEXT NOT NULL,
    first_row   INTEGER NOT NULL,
    added       INTEGER NOT NULL,
    changed     INTEGER NOT NULL,
    removed     INTEGER NOT NULL,
    members     INTEGER NOT NULL CHECK (members >= 0),
    CHECK (active <= last_import),
    CHECK (importing IS NULL OR importing = last_import)
) STRICT;

INSERT INTO member_head VALUES (1, 0, 0, NULL, '', '', 1, 0, 0, 0, 0);

-- Of several rows of a member the one of the highest import that is not above member_head.active is seen.
-- With a rowid, so that a million rows in order are appended. new_keys: has a card, phone or plate that the row
-- before it had not.
CREATE TABLE members (
    row_id      INTEGER PRIMARY KEY,
    member_id   TEXT NOT NULL CHECK (member_id <> ''),
    import_no   INTEGER NOT NULL,
    removed     INTEGER NOT NULL CHECK (removed IN (0, 1)),
    card        TEXT NOT NULL,
    tier        TEXT NOT NULL,
    points      INTEGER NOT NULL,
    points_at   INTEGER NOT NULL,
    phone_hmac  BLOB NOT NULL CHECK (length(phone_hmac) IN (0, 16)),
    phone_tail  TEXT NOT NULL CHECK (length(phone_tail) <= 4),
    plate_hmacs BLOB NOT NULL CHECK (length(plate_hmacs) % 16 = 0),
    new_keys    INTEGER NOT NULL CHECK (new_keys IN (0, 1)),
    UNIQUE (member_id, import_no)
) STRICT;

-- Candidates for a look-up by card, phone or plate, by 64 bits of its hash. Points to the member and not to a row,
-- so that a change of points writes no keys.
CREATE TABLE member_keys (
    hash      INTEGER NOT NULL,
    member_id TEXT NOT NULL,
    PRIMARY KEY (hash, member_id)
) STRICT, WITHOUT ROWID;

-- Rows that nobody sees once import_no is active. Emptied before an import begins, so that all are of one.
CREATE TABLE member_trash (
    row_id    INTEGER PRIMARY KEY,
    import_no INTEGER NOT NULL
) STRICT;

CREATE TABLE plate_list_head (
    one       INTEGER PRIMARY KEY CHECK (one = 1),
    active    INTEGER NOT NULL,
    last_set  INTEGER NOT NULL,
    importing INTEGER,
    entries   INTEGER NOT NULL CHECK (entries >= 0)
) STRICT;

INSERT INTO plate_list_head VALUES (1, 0, 0, NULL, 0);

CREATE TABLE plate_list_entries (
    set_no      INTEGER NOT NULL,
    plate       TEXT NOT NULL,
    place       INTEGER NOT NULL,
    kind        TEXT NOT NULL CHECK (kind IN ('free', 'white', 'black')),
    plate_class TEXT NOT NULL,
    valid_from  INTEGER NOT NULL,
    valid_to    INTEGER NOT NULL CHECK (valid_to > valid_from),
    days        TEXT NOT NULL CHECK (days IN ('daily', 'workday', 'restday')),
    from_min    INTEGER NOT NULL CHECK (from_min BETWEEN 0 AND 1440),
    to_min      INTEGER NOT NULL CHECK (to_min BETWEEN 0 AND 1440),
    note        TEXT NOT NULL,
    PRIMARY KEY (set_no, plate, place)
) STRICT, WITHOUT ROWID;

CREATE TABLE tariffs (
    tariff_id   TEXT NOT NULL,
    valid_from  INTEGER NOT NULL,
    name        TEXT NOT NULL CHECK (name <> ''),
    free_min    INTEGER NOT NULL CHECK (free_min >= 0),
    day_cap_fen INTEGER CHECK (day_cap_fen >= 0),
    PRIMARY KEY (tariff_id, valid_from)
) STRICT, WITHOUT ROWID;

CREATE TABLE rate_lines (
    tariff_id     TEXT NOT NULL,
    valid_from    INTEGER NOT NULL,
    place         INTEGER NOT NULL,
    step_min      INTEGER NOT NULL CHECK (step_min > 0),
    price_fen     INTEGER NOT NULL CHECK (price_fen >= 0),
    vehicle_class TEXT NOT NULL,
    days          TEXT NOT NULL CHECK (days IN ('daily', 'workday', 'restday')),
    from_min      INTEGER NOT NULL CHECK (from_min BETWEEN 0 AND 1440),
    to_min        INTEGER NOT NULL CHECK (to_min BETWEEN 0 AND 1440),
    after_min     INTEGER NOT NULL CHECK (after_min >= 0),
    cap_fen       INTEGER CHECK (cap_fen >= 0),
    PRIMARY KEY (tariff_id, valid_from, place),
    FOREIGN KEY (tariff_id, valid_from) REFERENCES tariffs (tariff_id, valid_from) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
