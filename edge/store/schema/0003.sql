-- The age of a payment attempt is told by boot time within one boot, as the wall clock may be set meanwhile.

ALTER TABLE attempts ADD COLUMN created_boot TEXT NOT NULL DEFAULT '';
ALTER TABLE attempts ADD COLUMN created_ns INTEGER NOT NULL DEFAULT 0;
