-- Who dealt with an event that HQ had refused, and the latest of these without a scan.

ALTER TABLE dead_letters ADD COLUMN closed_by TEXT NOT NULL DEFAULT '';

CREATE INDEX dead_letters_closed ON dead_letters (closed_at, sequence) WHERE state <> 'dead';
