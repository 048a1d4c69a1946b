-- A lane for what is urgent, totals that need no scan, what HQ refused, and how fast events come.

ALTER TABLE outbox ADD COLUMN urgent INTEGER NOT NULL DEFAULT 0 CHECK (urgent IN (0, 1));

CREATE INDEX outbox_urgent ON outbox (sequence) WHERE urgent = 1;

ALTER TABLE outbox_head ADD COLUMN waiting INTEGER NOT NULL DEFAULT 0 CHECK (waiting >= 0);
ALTER TABLE outbox_head ADD COLUMN waiting_bytes INTEGER NOT NULL DEFAULT 0 CHECK (waiting_bytes >= 0);
ALTER TABLE outbox_head ADD COLUMN dead INTEGER NOT NULL DEFAULT 0 CHECK (dead >= 0);

UPDATE outbox_head SET waiting = (SELECT count(*) FROM outbox),
                       waiting_bytes = (SELECT coalesce(sum(length(body)), 0) FROM outbox);

-- resent_as: the sequence under which it was sent again. A row is never deleted: it is the record of a refusal.
CREATE TABLE dead_letters (
    sequence    INTEGER PRIMARY KEY,
    event_id    TEXT NOT NULL,
    kind        TEXT NOT NULL,
    source      TEXT NOT NULL,
    body        BLOB NOT NULL,
    created_at  INTEGER NOT NULL,
    urgent      INTEGER NOT NULL CHECK (urgent IN (0, 1)),
    reason      TEXT NOT NULL,
    rejected_at INTEGER NOT NULL,
    state       TEXT NOT NULL CHECK (state IN ('dead', 'resent', 'dropped')),
    closed_at   INTEGER,
    note        TEXT NOT NULL,
    resent_as   INTEGER,
    CHECK ((state = 'dead') = (closed_at IS NULL)),
    CHECK ((state = 'resent') = (resent_as IS NOT NULL))
) STRICT;

CREATE INDEX dead_letters_open ON dead_letters (sequence) WHERE state = 'dead';

-- One row an hour: the newest sequence at that moment, for the rate of events.
CREATE TABLE outbox_pace (
    noted_at      INTEGER PRIMARY KEY,
    last_sequence INTEGER NOT NULL
) STRICT;
