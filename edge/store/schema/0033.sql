-- What goes on of payments to the mall's tenants (分账), and on which terms they were paid.
ALTER TABLE attempts ADD COLUMN frozen INTEGER NOT NULL DEFAULT 0 CHECK (frozen IN (0, 1));
ALTER TABLE attempt_parts ADD COLUMN frozen INTEGER NOT NULL DEFAULT 0 CHECK (frozen IN (0, 1));

CREATE TABLE order_terms (
    order_id            TEXT NOT NULL REFERENCES orders (order_id),
    tenant_id           TEXT NOT NULL,
    merchant            TEXT NOT NULL,
    commission_permille INTEGER NOT NULL CHECK (commission_permille BETWEEN 0 AND 1000),
    PRIMARY KEY (order_id, tenant_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE payment_splits (
    split_id       TEXT PRIMARY KEY,
    order_id       TEXT NOT NULL REFERENCES orders (order_id),
    tender_id      TEXT NOT NULL REFERENCES tenders (tender_id),
    gateway        TEXT NOT NULL,
    payee          TEXT NOT NULL,
    transaction_id TEXT NOT NULL,
    amount_fen     INTEGER NOT NULL CHECK (amount_fen > 0),
    sharing_no     TEXT NOT NULL UNIQUE,
    created_at     INTEGER NOT NULL,
    next_step_at   INTEGER NOT NULL,
    tenants        TEXT NOT NULL,
    shares         TEXT NOT NULL,
    state          TEXT NOT NULL CHECK (state IN ('planned', 'submitted', 'done')),
    polls          INTEGER NOT NULL CHECK (polls >= 0),
    trail          TEXT NOT NULL,
    closed_at      INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX payment_splits_of ON payment_splits (order_id);
CREATE INDEX payment_splits_moving ON payment_splits (next_step_at) WHERE state IN ('planned', 'submitted');

CREATE TABLE share_returns (
    return_id    TEXT PRIMARY KEY,
    split_id     TEXT NOT NULL REFERENCES payment_splits (split_id),
    refund_id    TEXT NOT NULL REFERENCES refunds (refund_id),
    tenant_id    TEXT NOT NULL,
    merchant     TEXT NOT NULL,
    amount_fen   INTEGER NOT NULL CHECK (amount_fen > 0),
    return_no    TEXT NOT NULL UNIQUE,
    created_at   INTEGER NOT NULL,
    next_step_at INTEGER NOT NULL,
    state        TEXT NOT NULL CHECK (state IN ('planned', 'submitted', 'done', 'failed', 'dropped')),
    polls        INTEGER NOT NULL CHECK (polls >= 0),
    trail        TEXT NOT NULL,
    closed_at    INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX share_returns_of ON share_returns (split_id);
CREATE INDEX share_returns_moving ON share_returns (next_step_at) WHERE state IN ('planned', 'submitted');

-- The settlement of a day asks what the books moved by in that time.
CREATE INDEX postings_at ON postings (posted_at);
