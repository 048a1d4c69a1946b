-- Paid tickets wait for their hand-over; a person is told of those that wait for long.
CREATE INDEX tickets_paid ON tickets (ticket_id) WHERE state = 'paid';
