-- When the service first saw a run of the machine: how long no time source has set the clock counts from there.
ALTER TABLE boots ADD COLUMN begun_ns INTEGER NOT NULL DEFAULT 0;
