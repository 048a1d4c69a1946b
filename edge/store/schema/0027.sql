-- Payments to several merchants at once: each part has a number of its own, in refunds and in bills too.
CREATE TABLE attempt_parts (
    merchant_order_no TEXT PRIMARY KEY,
    attempt_id        TEXT NOT NULL REFERENCES attempts (attempt_id),
    position          INTEGER NOT NULL,
    merchant          TEXT NOT NULL,
    amount_fen        INTEGER NOT NULL CHECK (amount_fen > 0),
    description       TEXT NOT NULL,
    tenants           TEXT NOT NULL,
    transaction_id    TEXT NOT NULL,
    billed_on         TEXT NOT NULL DEFAULT '',
    UNIQUE (attempt_id, position)
) STRICT, WITHOUT ROWID;
CREATE INDEX attempt_parts_billed ON attempt_parts (merchant, billed_on, merchant_order_no);

ALTER TABLE refund_legs ADD COLUMN part_no TEXT NOT NULL DEFAULT '';

-- Whatever the program believes: no part of a payment gives back more than it took.
CREATE TRIGGER refund_legs_fit_part BEFORE INSERT ON refund_legs
WHEN NEW.part_no <> '' AND NEW.amount_fen >
    coalesce((SELECT amount_fen FROM attempt_parts WHERE merchant_order_no = NEW.part_no), 0)
    - (SELECT coalesce(sum(amount_fen), 0) FROM refund_legs
       WHERE tender_id = NEW.tender_id AND part_no = NEW.part_no AND state <> 'replaced')
BEGIN SELECT raise(ABORT, 'more is given back than the part took'); END;
