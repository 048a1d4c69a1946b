-- Scan and go: the right to leave with the goods of an order, every look at one, and codes for a kiosk.
CREATE TABLE exit_passes (
    order_id   TEXT PRIMARY KEY REFERENCES orders (order_id),
    ident      TEXT NOT NULL UNIQUE CHECK (length(ident) BETWEEN 1 AND 15),
    recheck    INTEGER NOT NULL CHECK (recheck IN (0, 1)),
    made_at    INTEGER NOT NULL,
    state      TEXT NOT NULL CHECK (state IN ('unused', 'recheck', 'passed')),
    checked_at INTEGER,
    place      TEXT NOT NULL,
    by         TEXT NOT NULL,
    CHECK ((state = 'unused') = (checked_at IS NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX exit_passes_made ON exit_passes (made_at);

CREATE TABLE exit_checks (
    check_id TEXT PRIMARY KEY,
    order_id TEXT NOT NULL,
    place    TEXT NOT NULL,
    by       TEXT NOT NULL,
    at       INTEGER NOT NULL,
    verdict  TEXT NOT NULL
             CHECK (verdict IN ('pass', 'recheck', 'used', 'expired', 'unpaid', 'refunded', 'unknown')),
    outcome  TEXT CHECK (outcome IN ('complete', 'missing', 'extra')),
    missing  TEXT NOT NULL,
    extra    TEXT NOT NULL CHECK (length(extra) <= 200)
) STRICT, WITHOUT ROWID;
CREATE INDEX exit_checks_order ON exit_checks (order_id, at);
CREATE INDEX exit_checks_at ON exit_checks (at);

CREATE TABLE cart_codes (
    ident      TEXT PRIMARY KEY CHECK (length(ident) BETWEEN 1 AND 15),
    session_id TEXT NOT NULL,
    basket_id  TEXT NOT NULL,
    made_at    INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    used_at    INTEGER,
    place      TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX cart_codes_session ON cart_codes (session_id, made_at);
CREATE INDEX cart_codes_ended ON cart_codes (expires_at);

CREATE INDEX orders_of_phones ON orders (basket_id, order_id) WHERE workstation = 'phone';
CREATE INDEX baskets_of_phones ON baskets (changed_at) WHERE workstation = 'phone' AND state IN ('open', 'held');
