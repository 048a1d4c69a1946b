-- Bills of the gateways: which payment and refund stands in which, and what each comparison found.

ALTER TABLE attempts ADD COLUMN billed_on TEXT NOT NULL DEFAULT '';
ALTER TABLE refund_legs ADD COLUMN billed_on TEXT NOT NULL DEFAULT '';

CREATE INDEX attempts_billed ON attempts (gateway, billed_on, merchant_order_no) WHERE state = 'approved';
CREATE INDEX refund_legs_billed ON refund_legs (kind, billed_on, merchant_refund_no) WHERE state = 'done';

CREATE TABLE bill_days (
    gateway      TEXT NOT NULL,
    merchant     TEXT NOT NULL,
    day          TEXT NOT NULL,
    compared_at  INTEGER NOT NULL,
    rows         INTEGER NOT NULL CHECK (rows >= 0),
    payments_fen INTEGER NOT NULL,
    refunds_fen  INTEGER NOT NULL,
    fees_fen     INTEGER NOT NULL,
    matched      INTEGER NOT NULL,
    elsewhere    INTEGER NOT NULL,
    carried      INTEGER NOT NULL,
    differences  INTEGER NOT NULL,
    PRIMARY KEY (gateway, merchant, day)
) STRICT, WITHOUT ROWID;

-- Money of which one half stands in the bill of `day` and the other must stand in the next.
CREATE TABLE bill_carries (
    gateway           TEXT NOT NULL,
    merchant          TEXT NOT NULL,
    day               TEXT NOT NULL,
    merchant_order_no TEXT NOT NULL,
    paid_fen          INTEGER NOT NULL,
    returned_fen      INTEGER NOT NULL,
    state             TEXT NOT NULL,
    happened_at       INTEGER NOT NULL,
    PRIMARY KEY (gateway, merchant, day, merchant_order_no)
) STRICT, WITHOUT ROWID;
