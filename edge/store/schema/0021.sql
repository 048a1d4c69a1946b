-- What a gateway says of charging the owner of a vehicle inside after it has left.
CREATE TABLE autopays (
    session_id TEXT PRIMARY KEY,
    gateway    TEXT NOT NULL,
    told_at    INTEGER NOT NULL,
    parking_id TEXT NOT NULL,
    usable     INTEGER NOT NULL CHECK (usable IN (0, 1)),
    reason     TEXT NOT NULL,
    CHECK (usable = 0 OR parking_id <> '')
) STRICT, WITHOUT ROWID;
