-- Refunds: what is given back of an order, by lines, and leg by leg on the tenders that paid it.

CREATE TABLE refunds (
    refund_id     TEXT PRIMARY KEY,
    order_id      TEXT NOT NULL REFERENCES orders (order_id),
    number        TEXT NOT NULL,
    workstation   TEXT NOT NULL,
    business_day  TEXT NOT NULL,
    amount_fen    INTEGER NOT NULL CHECK (amount_fen > 0),
    reason        TEXT NOT NULL,
    requested_by  TEXT NOT NULL,
    requested_at  INTEGER NOT NULL,
    phase         TEXT NOT NULL CHECK (phase IN ('requested', 'approved', 'done', 'rejected')),
    decided_by    TEXT NOT NULL,
    decided_at    INTEGER,
    closed_at     INTEGER,
    cancels_order INTEGER NOT NULL CHECK (cancels_order IN (0, 1)),
    UNIQUE (order_id, number),
    CHECK ((phase = 'requested') = (decided_at IS NULL)),
    CHECK ((phase IN ('requested', 'approved')) = (closed_at IS NULL))
) STRICT, WITHOUT ROWID;

CREATE INDEX refunds_open ON refunds (refund_id) WHERE phase IN ('requested', 'approved');

CREATE TABLE refund_lines (
    refund_id  TEXT NOT NULL REFERENCES refunds (refund_id),
    line_id    TEXT NOT NULL,
    position   INTEGER NOT NULL,
    quantity   INTEGER NOT NULL CHECK (quantity >= 0),
    amount_fen INTEGER NOT NULL CHECK (amount_fen >= 0),
    PRIMARY KEY (refund_id, line_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE refund_legs (
    leg_id             TEXT PRIMARY KEY,
    refund_id          TEXT NOT NULL REFERENCES refunds (refund_id),
    position           INTEGER NOT NULL,
    tender_id          TEXT NOT NULL REFERENCES tenders (tender_id),
    kind               TEXT NOT NULL,
    amount_fen         INTEGER NOT NULL CHECK (amount_fen > 0),
    merchant_refund_no TEXT NOT NULL UNIQUE,
    created_at         INTEGER NOT NULL,
    next_step_at       INTEGER NOT NULL,
    state              TEXT NOT NULL CHECK (state IN
        ('intended', 'submitted', 'processing', 'unknown', 'done', 'abnormal', 'closed', 'replaced')),
    polls              INTEGER NOT NULL CHECK (polls >= 0),
    gateway_refund_id  TEXT,
    trail              TEXT NOT NULL,
    closed_at          INTEGER
) STRICT, WITHOUT ROWID;

CREATE INDEX refund_legs_of ON refund_legs (refund_id, position);
CREATE INDEX refund_legs_of_tender ON refund_legs (tender_id);
CREATE INDEX refund_legs_moving ON refund_legs (next_step_at)
    WHERE state IN ('intended', 'submitted', 'unknown', 'processing', 'abnormal');

-- Whatever the program believes: no tender gives back more than it took.
CREATE TRIGGER refund_legs_fit BEFORE INSERT ON refund_legs
WHEN NEW.amount_fen > (SELECT amount_fen FROM tenders WHERE tender_id = NEW.tender_id)
    - (SELECT coalesce(sum(amount_fen), 0) FROM refund_legs
       WHERE tender_id = NEW.tender_id AND state <> 'replaced')
BEGIN SELECT raise(ABORT, 'more is given back than the tender took'); END;
