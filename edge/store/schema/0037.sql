-- The runs of the machine, each pinned to wall time by its heartbeats, so that a stay is measured by what has
-- passed for certain whatever became of the wall clock; and the boot time of what a stay's fee hangs on.
CREATE TABLE boots (
    number     INTEGER PRIMARY KEY,
    boot_id    TEXT NOT NULL UNIQUE,
    seen_ns    INTEGER NOT NULL CHECK (seen_ns >= 0),
    wall_at    INTEGER NOT NULL,
    synced_ns  INTEGER,
    zero_at    INTEGER,
    stepped_ns INTEGER,
    CHECK ((synced_ns IS NULL) = (zero_at IS NULL))
) STRICT;

-- '' and 0: of a stay from before, or one that no clock of this box has seen.
ALTER TABLE sessions ADD COLUMN entered_boot TEXT NOT NULL DEFAULT '';
ALTER TABLE sessions ADD COLUMN entered_ns INTEGER NOT NULL DEFAULT 0;
ALTER TABLE sessions ADD COLUMN left_boot TEXT NOT NULL DEFAULT '';
ALTER TABLE sessions ADD COLUMN left_ns INTEGER NOT NULL DEFAULT 0;
ALTER TABLE stay_charges ADD COLUMN covers_boot TEXT NOT NULL DEFAULT '';
ALTER TABLE stay_charges ADD COLUMN covers_ns INTEGER NOT NULL DEFAULT 0;
ALTER TABLE settlements ADD COLUMN covers_boot TEXT NOT NULL DEFAULT '';
ALTER TABLE settlements ADD COLUMN covers_ns INTEGER NOT NULL DEFAULT 0;
