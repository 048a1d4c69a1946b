-- Money that comes in once a reversal may be on its way is never booked, for the reversal would take it back.

ALTER TABLE attempts ADD COLUMN reversal_at INTEGER;
