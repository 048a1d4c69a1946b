-- What waits for a person, and what was asked and answered about each payment attempt.

CREATE TABLE work_items (
    item_id   TEXT PRIMARY KEY,
    kind      TEXT NOT NULL CHECK (kind <> ''),
    reference TEXT NOT NULL,
    opened_at INTEGER NOT NULL,
    facts     TEXT NOT NULL,
    day       TEXT NOT NULL,
    closed_at INTEGER,
    closed_by TEXT NOT NULL,
    reason    TEXT NOT NULL,
    CHECK ((closed_at IS NULL) = (reason = '')),
    UNIQUE (kind, reference)
) STRICT, WITHOUT ROWID;

CREATE INDEX work_items_open ON work_items (item_id) WHERE closed_at IS NULL;
CREATE INDEX work_items_closed ON work_items (closed_at, item_id) WHERE closed_at IS NOT NULL;

-- times: how often in a row the same was seen. Only the last entry of a trail changes.
CREATE TABLE attempt_steps (
    attempt_id TEXT NOT NULL REFERENCES attempts (attempt_id),
    number     INTEGER NOT NULL CHECK (number > 0),
    what       TEXT NOT NULL,
    state      TEXT NOT NULL,
    detail     TEXT NOT NULL,
    first_at   INTEGER NOT NULL,
    last_at    INTEGER NOT NULL,
    times      INTEGER NOT NULL CHECK (times > 0),
    PRIMARY KEY (attempt_id, number)
) STRICT, WITHOUT ROWID;
