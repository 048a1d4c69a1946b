-- The receipt of what was paid on a phone is queued for as long as nobody asks for paper: those that are on
-- their way to paper are found without reading all of these.
CREATE INDEX receipts_printing ON receipts (receipt_id) WHERE print_state = 'printing';
