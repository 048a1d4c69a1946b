-- Stays, and what happens at lanes: reads, passages, gate commands, gates held open, corrections of counts.

CREATE TABLE sessions (
    session_id      TEXT PRIMARY KEY,
    zone            TEXT NOT NULL,
    plate           TEXT NOT NULL,
    entered_at      INTEGER NOT NULL,
    entry_lane      TEXT NOT NULL,
    colour          TEXT NOT NULL,
    vehicle_class   TEXT NOT NULL,
    entry_read_id   TEXT NOT NULL,
    ticket          TEXT NOT NULL,
    state           TEXT NOT NULL CHECK (state IN ('inside', 'left', 'never_entered')),
    left_at         INTEGER,
    exit_lane       TEXT NOT NULL,
    exit_read_id    TEXT NOT NULL,
    entered_trusted INTEGER NOT NULL CHECK (entered_trusted IN (0, 1)),
    clock_note      TEXT NOT NULL,
    changed_at      INTEGER NOT NULL,
    CHECK ((state = 'left') = (left_at IS NOT NULL))
) STRICT, WITHOUT ROWID;

-- However many stays are past, these hold only the vehicles inside.
CREATE INDEX sessions_inside ON sessions (plate, entered_at) WHERE state = 'inside';
CREATE INDEX sessions_in_zone ON sessions (zone, entered_at) WHERE state = 'inside';
CREATE INDEX sessions_inside_since ON sessions (entered_at) WHERE state = 'inside';
CREATE UNIQUE INDEX sessions_ticket ON sessions (ticket) WHERE ticket <> '';
CREATE INDEX sessions_of_plate ON sessions (plate, entered_at);
CREATE INDEX sessions_entered ON sessions (zone, entered_at) WHERE state <> 'never_entered';
CREATE INDEX sessions_left ON sessions (left_at) WHERE state = 'left';
CREATE INDEX sessions_left_zone ON sessions (zone, left_at) WHERE state = 'left';

CREATE TABLE plate_reads (
    read_id       TEXT PRIMARY KEY,
    lane          TEXT NOT NULL,
    camera        TEXT NOT NULL,
    source_key    TEXT NOT NULL,
    plate         TEXT NOT NULL,
    seen_at       INTEGER NOT NULL,
    received_at   INTEGER NOT NULL,
    age_ms        INTEGER NOT NULL,
    colour        TEXT NOT NULL,
    vehicle_class TEXT NOT NULL,
    confidences   TEXT NOT NULL,
    trigger       TEXT NOT NULL,
    backfill      INTEGER NOT NULL CHECK (backfill IN (0, 1)),
    photos        TEXT NOT NULL,
    UNIQUE (camera, source_key)
) STRICT, WITHOUT ROWID;

CREATE INDEX plate_reads_of_plate ON plate_reads (plate, seen_at);
CREATE INDEX plate_reads_of_lane ON plate_reads (lane, received_at);
CREATE INDEX plate_reads_received ON plate_reads (received_at);

CREATE TABLE camera_clocks (
    camera           TEXT PRIMARY KEY,
    error_ms         INTEGER,
    last_error_ms    INTEGER NOT NULL,
    last_received_at INTEGER NOT NULL,
    last_boot        TEXT NOT NULL,
    last_ns          INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- body: the whole passage as JSON; the columns are what is looked for.
CREATE TABLE passages (
    passage_id TEXT PRIMARY KEY,
    lane       TEXT NOT NULL,
    plate      TEXT NOT NULL,
    session_id TEXT NOT NULL,
    state      TEXT NOT NULL,
    begun_at   INTEGER NOT NULL,
    ended_at   INTEGER,
    body       TEXT NOT NULL,
    CHECK ((state = 'closed') = (ended_at IS NOT NULL))
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX passages_current ON passages (lane) WHERE state <> 'closed';
CREATE INDEX passages_of_lane ON passages (lane, passage_id);
CREATE INDEX passages_of_plate ON passages (plate, passage_id);
CREATE INDEX passages_of_session ON passages (session_id, passage_id) WHERE session_id <> '';

CREATE TABLE gate_commands (
    command_id   TEXT PRIMARY KEY,
    lane         TEXT NOT NULL,
    gate         TEXT NOT NULL,
    passage_id   TEXT NOT NULL,
    why          TEXT NOT NULL,
    by           TEXT NOT NULL,
    decided_at   INTEGER NOT NULL,
    decided_boot TEXT NOT NULL,
    decided_ns   INTEGER NOT NULL,
    state        TEXT NOT NULL CHECK (state IN ('decided', 'commanded', 'echoed', 'boom_open', 'passed',
                                                'closed', 'doubtful', 'failed', 'withdrawn')),
    tries        INTEGER NOT NULL CHECK (tries >= 0),
    commanded_at INTEGER,
    echoed_at    INTEGER,
    boom_open_at INTEGER,
    passed_at    INTEGER,
    closed_at    INTEGER,
    detail       TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX gate_commands_going_on ON gate_commands (lane, command_id)
    WHERE state NOT IN ('closed', 'failed', 'withdrawn');
CREATE INDEX gate_commands_of_lane ON gate_commands (lane, decided_at);
CREATE INDEX gate_commands_of_passage ON gate_commands (passage_id) WHERE passage_id <> '';

CREATE TABLE lane_holds (
    hold_id    TEXT PRIMARY KEY,
    lane       TEXT NOT NULL,
    reason     TEXT NOT NULL CHECK (reason IN ('fire', 'power', 'congestion', 'service', 'other')),
    note       TEXT NOT NULL,
    by         TEXT NOT NULL,
    begun_at   INTEGER NOT NULL,
    until_at   INTEGER NOT NULL,
    begun_boot TEXT NOT NULL,
    begun_ns   INTEGER NOT NULL,
    pulses     INTEGER NOT NULL CHECK (pulses >= 0),
    ended_at   INTEGER,
    ended_by   TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX lane_holds_current ON lane_holds (lane) WHERE ended_at IS NULL;

CREATE TABLE occupancy_corrections (
    correction_id TEXT PRIMARY KEY,
    zone          TEXT NOT NULL,
    reason        TEXT NOT NULL CHECK (reason IN ('recount', 'tailgated', 'unseen', 'other')),
    delta         INTEGER NOT NULL,
    corrected_at  INTEGER NOT NULL,
    by            TEXT NOT NULL,
    note          TEXT NOT NULL,
    counted       INTEGER
) STRICT, WITHOUT ROWID;

CREATE INDEX occupancy_corrections_of_zone ON occupancy_corrections (zone, correction_id);
