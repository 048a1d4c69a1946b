-- What HQ told this box to do: inbox against repeats and audit in one, in the order of arrival.

CREATE TABLE commands (
    number INTEGER PRIMARY KEY,
    command_id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    issued_by TEXT NOT NULL,
    issued_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    arguments TEXT NOT NULL,
    received_at INTEGER NOT NULL,
    trusted INTEGER NOT NULL CHECK (trusted IN (0, 1)),
    state TEXT NOT NULL CHECK (state IN ('begun', 'done', 'refused', 'unknown')),
    reason TEXT NOT NULL,
    detail TEXT NOT NULL,
    result TEXT NOT NULL,
    finished_at INTEGER,
    CHECK ((state = 'begun') = (finished_at IS NULL))
) STRICT;

CREATE INDEX commands_begun ON commands (number) WHERE state = 'begun';

-- One row while HQ has frozen sales, none while they are open.
CREATE TABLE sales_freeze (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    command_id TEXT NOT NULL,
    note TEXT NOT NULL,
    since_at INTEGER NOT NULL
) STRICT;
