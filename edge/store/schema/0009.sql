-- Shifts with their cash movements and Z reports, closed business days, papers that are no receipts, and the
-- order in which the books were written: a shift owns a range of it.

CREATE TABLE bookings (
    position    INTEGER PRIMARY KEY,
    workstation TEXT NOT NULL,
    order_id    TEXT NOT NULL,
    posting_id  TEXT NOT NULL UNIQUE REFERENCES postings (posting_id)
) STRICT;

CREATE INDEX bookings_of_place ON bookings (workstation, position);

INSERT INTO bookings (workstation, order_id, posting_id)
SELECT coalesce(o.workstation, ''), coalesce(o.order_id, ''), p.posting_id
FROM postings p
LEFT JOIN tenders t ON p.kind = 'tender' AND t.tender_id = p.reference
LEFT JOIN orders o ON o.order_id = coalesce(t.order_id, p.reference)
ORDER BY p.posting_id;

-- What was booked before there were shifts belongs to none.
CREATE TABLE shift_beginning (
    only     INTEGER PRIMARY KEY CHECK (only = 1),
    position INTEGER NOT NULL
) STRICT;

INSERT INTO shift_beginning (only, position) SELECT 1, count(*) FROM bookings;

CREATE TABLE shifts (
    shift_id       TEXT PRIMARY KEY,
    workstation    TEXT NOT NULL,
    cashier        TEXT NOT NULL,
    business_day   TEXT NOT NULL,
    opened_at      INTEGER NOT NULL,
    float_fen      INTEGER NOT NULL CHECK (float_fen >= 0),
    after_position INTEGER NOT NULL CHECK (after_position >= 0),
    state          TEXT NOT NULL CHECK (state IN ('open', 'counting', 'closed')),
    counts         TEXT NOT NULL,
    through        INTEGER CHECK (through >= after_position),
    number         INTEGER CHECK (number > 0),
    expected_fen   INTEGER,
    closed_at      INTEGER,
    closed_by      TEXT NOT NULL,
    reason         TEXT NOT NULL,
    report         TEXT,
    CHECK ((state = 'closed') = (number IS NOT NULL)),
    CHECK ((state = 'closed') = (through IS NOT NULL)),
    CHECK ((state = 'closed') = (closed_at IS NOT NULL)),
    UNIQUE (workstation, number)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX shifts_going_on ON shifts (workstation) WHERE state <> 'closed';
CREATE INDEX shifts_of_day ON shifts (business_day, workstation, shift_id);

CREATE TRIGGER closed_shifts_are_final BEFORE UPDATE ON shifts
WHEN OLD.state = 'closed' AND (OLD.report IS NOT NULL OR NEW.report IS NULL)
BEGIN SELECT raise(ABORT, 'closed shifts are never changed'); END;

CREATE TABLE shift_cash (
    movement_id TEXT PRIMARY KEY,
    shift_id    TEXT NOT NULL REFERENCES shifts (shift_id),
    kind        TEXT NOT NULL CHECK (kind IN ('pay_in', 'pick_up', 'no_sale')),
    amount_fen  INTEGER NOT NULL CHECK (amount_fen >= 0),
    reason      TEXT NOT NULL,
    moved_by    TEXT NOT NULL,
    moved_at    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX shift_cash_of_shift ON shift_cash (shift_id, movement_id);

CREATE TABLE business_days (
    day       TEXT PRIMARY KEY,
    closed_at INTEGER NOT NULL,
    closed_by TEXT NOT NULL,
    report    TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX attempts_of_place ON attempts (workstation, created_at);

CREATE TABLE papers (
    paper_id      TEXT PRIMARY KEY,
    workstation   TEXT NOT NULL,
    kind          TEXT NOT NULL,
    reference     TEXT NOT NULL,
    blocks        TEXT NOT NULL,
    queued_at     INTEGER NOT NULL,
    drawer_until  INTEGER,
    print_state   TEXT NOT NULL CHECK (print_state IN ('queued', 'printing', 'printed', 'uncertain')),
    print_problem TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX papers_to_print ON papers (workstation, paper_id) WHERE print_state IN ('queued', 'printing');
CREATE INDEX papers_of_reference ON papers (reference, paper_id);
