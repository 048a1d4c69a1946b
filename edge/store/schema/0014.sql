-- Money for stays in the car park: what is asked for, what was confirmed, what is owed.

-- amount_fen is below 0 for money that a refund took out of the stay again.
CREATE TABLE settlements (
    settlement_id TEXT PRIMARY KEY,
    session_id    TEXT NOT NULL CHECK (session_id <> ''),
    order_id      TEXT NOT NULL,
    amount_fen    INTEGER NOT NULL,
    covers_until  INTEGER NOT NULL,
    settled_at    INTEGER NOT NULL,
    at_place      TEXT NOT NULL,
    refund_id     TEXT NOT NULL,
    CHECK (refund_id = '' AND amount_fen >= 0 OR refund_id <> '' AND amount_fen <= 0),
    UNIQUE (order_id, session_id, refund_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX settlements_of_session ON settlements (session_id);

-- A line of a basket or order that asks for a stay's fee. quote: what it explains, as JSON.
CREATE TABLE stay_charges (
    line_id      TEXT PRIMARY KEY,
    session_id   TEXT NOT NULL CHECK (session_id <> ''),
    amount_fen   INTEGER NOT NULL CHECK (amount_fen >= 0),
    covers_until INTEGER NOT NULL,
    charged_at   INTEGER NOT NULL,
    quote        TEXT NOT NULL,
    order_id     TEXT NOT NULL,
    debt_id      TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX stay_charges_of_session ON stay_charges (session_id);

CREATE TABLE debts (
    debt_id     TEXT PRIMARY KEY,
    session_id  TEXT NOT NULL,
    plate       TEXT NOT NULL,
    amount_fen  INTEGER NOT NULL CHECK (amount_fen > 0),
    cause       TEXT NOT NULL CHECK (cause IN ('unconfirmed', 'guard', 'autopay')),
    recorded_at INTEGER NOT NULL,
    lane        TEXT NOT NULL,
    recorded_by TEXT NOT NULL,
    state       TEXT NOT NULL CHECK (state IN ('open', 'settled', 'written_off')),
    order_id    TEXT NOT NULL,
    closed_at   INTEGER,
    closed_by   TEXT NOT NULL,
    reason      TEXT NOT NULL,
    CHECK ((state = 'open') = (closed_at IS NULL))
) STRICT, WITHOUT ROWID;

CREATE INDEX debts_open ON debts (plate) WHERE state = 'open';
CREATE INDEX debts_of_session ON debts (session_id);
CREATE INDEX debts_recorded ON debts (recorded_at);

-- way: a payment code that we charge, an order that the phone pays by itself, or a plate whose owner agreed to be
-- charged after leaving. pay_url: what the phone opens.
ALTER TABLE attempts ADD COLUMN way TEXT NOT NULL DEFAULT 'code' CHECK (way IN ('code', 'native', 'jsapi', 'autopay'));
ALTER TABLE attempts ADD COLUMN pay_url TEXT NOT NULL DEFAULT '';
