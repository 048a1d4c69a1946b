-- Alarms that are open, so that a service that starts anew neither raises them twice nor forgets to clear them.
CREATE TABLE alarms (
    name TEXT PRIMARY KEY CHECK (length(name) BETWEEN 1 AND 64),
    level TEXT NOT NULL,
    detail TEXT NOT NULL,
    raised_at INTEGER NOT NULL
) STRICT;
