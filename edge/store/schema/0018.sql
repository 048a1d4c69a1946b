-- Plates of stays inside by what is near, corrections, what they teach of each camera, and blocked plates.

CREATE TABLE plates_inside (
    session_id TEXT PRIMARY KEY REFERENCES sessions (session_id) ON DELETE CASCADE,
    plate      TEXT NOT NULL CHECK (plate <> '')
) STRICT, WITHOUT ROWID;

CREATE TABLE plate_keys (
    key        TEXT NOT NULL,
    session_id TEXT NOT NULL REFERENCES plates_inside (session_id) ON DELETE CASCADE,
    PRIMARY KEY (key, session_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX plate_keys_session ON plate_keys (session_id);

CREATE TABLE plate_corrections (
    correction_id  TEXT PRIMARY KEY,
    session_id     TEXT NOT NULL,
    corrected_at   INTEGER NOT NULL,
    by             TEXT NOT NULL CHECK (by <> ''),
    reason         TEXT NOT NULL CHECK (reason <> ''),
    plate_before   TEXT NOT NULL,
    plate_after    TEXT NOT NULL,
    entered_before INTEGER NOT NULL,
    entered_after  INTEGER NOT NULL,
    camera         TEXT NOT NULL,
    read           TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX plate_corrections_session ON plate_corrections (session_id);

CREATE TABLE plate_confusions (
    camera     TEXT NOT NULL,
    true       TEXT NOT NULL,
    read       TEXT NOT NULL,
    count      REAL NOT NULL CHECK (count > 0),
    changed_at INTEGER NOT NULL,
    PRIMARY KEY (camera, true, read)
) STRICT, WITHOUT ROWID;

CREATE TABLE plate_blocks (
    plate      TEXT PRIMARY KEY,
    command_id TEXT NOT NULL,
    blocked_by TEXT NOT NULL,
    blocked_at INTEGER NOT NULL,
    until_at   INTEGER NOT NULL,
    note       TEXT NOT NULL
) STRICT, WITHOUT ROWID;
