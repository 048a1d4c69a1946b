-- Passes with their plates, the ledger of stored ones, and reservations.

CREATE TABLE parking_passes (
    pass_id       TEXT PRIMARY KEY,
    kind          TEXT NOT NULL CHECK (kind IN (
        'month', 'quarter', 'half_year', 'year', 'stored_value', 'stored_times', 'stored_days')),
    holder        TEXT NOT NULL CHECK (holder <> ''),
    valid_from    INTEGER NOT NULL,
    valid_to      INTEGER NOT NULL CHECK (valid_to > valid_from),
    days          TEXT NOT NULL,
    from_min      INTEGER NOT NULL,
    to_min        INTEGER NOT NULL,
    spaces        INTEGER NOT NULL CHECK (spaces > 0),
    zones         TEXT NOT NULL,
    vehicle_class TEXT NOT NULL,
    price_fen     INTEGER NOT NULL CHECK (price_fen >= 0),
    state         TEXT NOT NULL CHECK (state IN ('active', 'blocked', 'cancelled')),
    issued_at     INTEGER NOT NULL,
    issued_by     TEXT NOT NULL,
    note          TEXT NOT NULL,
    from_hq       INTEGER NOT NULL CHECK (from_hq IN (0, 1))
) STRICT, WITHOUT ROWID;

CREATE TABLE pass_plates (
    pass_id TEXT NOT NULL REFERENCES parking_passes (pass_id) ON DELETE CASCADE,
    place   INTEGER NOT NULL,
    plate   TEXT NOT NULL CHECK (plate <> ''),
    PRIMARY KEY (pass_id, place),
    UNIQUE (pass_id, plate)
) STRICT, WITHOUT ROWID;

CREATE INDEX pass_plates_plate ON pass_plates (plate);

-- Not bound to parking_passes: what HQ's passes hold outlives the snapshots that bring them.
CREATE TABLE pass_entries (
    pass_id    TEXT NOT NULL,
    key        TEXT NOT NULL,
    kind       TEXT NOT NULL CHECK (kind IN ('top_up', 'use', 'reversal', 'correction')),
    amount     INTEGER NOT NULL CHECK ((kind = 'use') = (amount < 0) OR kind = 'correction'),
    at         INTEGER NOT NULL,
    session_id TEXT NOT NULL,
    by         TEXT NOT NULL,
    note       TEXT NOT NULL,
    -- A use of a day has its date as the key; what takes it back adds marks behind it.
    day_of_key TEXT NOT NULL GENERATED ALWAYS AS (substr(key, 1, 10)) VIRTUAL,
    PRIMARY KEY (pass_id, key)
) STRICT, WITHOUT ROWID;

CREATE INDEX pass_entries_session ON pass_entries (pass_id, session_id);
CREATE INDEX pass_entries_day ON pass_entries (pass_id, day_of_key);

CREATE TABLE reservations (
    reservation_id TEXT PRIMARY KEY,
    plate          TEXT NOT NULL CHECK (plate <> ''),
    zone           TEXT NOT NULL,
    from_at        INTEGER NOT NULL,
    to_at          INTEGER NOT NULL CHECK (to_at > from_at),
    booked_at      INTEGER NOT NULL,
    booked_by      TEXT NOT NULL,
    note           TEXT NOT NULL,
    state          TEXT NOT NULL CHECK (state IN ('booked', 'arrived', 'missed', 'cancelled')),
    session_id     TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX reservations_plate ON reservations (plate, to_at);
CREATE INDEX reservations_open ON reservations (state, to_at);
