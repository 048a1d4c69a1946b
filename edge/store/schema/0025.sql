-- Phones: their sessions, whose orders are whose, keys of taps, and what WeChat is to be told.
CREATE TABLE phone_sessions (
    session_id  TEXT PRIMARY KEY,
    token_hash  TEXT NOT NULL UNIQUE CHECK (length(token_hash) = 64),
    language    TEXT NOT NULL,
    created_at  INTEGER NOT NULL,
    seen_at     INTEGER NOT NULL,
    openid      TEXT NOT NULL,
    unionid     TEXT NOT NULL,
    correlation TEXT NOT NULL,
    scene       INTEGER NOT NULL CHECK (scene >= 0),
    basket_id   TEXT,
    order_id    TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX phone_sessions_seen ON phone_sessions (seen_at);
CREATE INDEX phone_sessions_openid ON phone_sessions (openid, seen_at) WHERE openid <> '';
CREATE INDEX phone_sessions_order ON phone_sessions (order_id) WHERE order_id IS NOT NULL;
CREATE INDEX phone_sessions_basket ON phone_sessions (basket_id) WHERE basket_id IS NOT NULL;

-- Kept with the openid, so that a shopper's other phone finds the order after a session has ended.
CREATE TABLE phone_orders (
    order_id   TEXT NOT NULL,
    session_id TEXT NOT NULL,
    openid     TEXT NOT NULL,
    at         INTEGER NOT NULL,
    PRIMARY KEY (order_id, session_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX phone_orders_session ON phone_orders (session_id);
CREATE INDEX phone_orders_openid ON phone_orders (openid) WHERE openid <> '';

CREATE TABLE phone_keys (
    session_id TEXT NOT NULL REFERENCES phone_sessions (session_id) ON DELETE CASCADE,
    key        TEXT NOT NULL,
    at         INTEGER NOT NULL,
    PRIMARY KEY (session_id, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE phone_accepts (
    order_id    TEXT NOT NULL,
    template_id TEXT NOT NULL,
    at          INTEGER NOT NULL,
    PRIMARY KEY (order_id, template_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE phone_notices (
    notice_id TEXT PRIMARY KEY,
    kind      TEXT NOT NULL CHECK (kind IN ('hand_over', 'message')),
    order_id  TEXT NOT NULL,
    reference TEXT NOT NULL,
    openid    TEXT NOT NULL,
    text      TEXT NOT NULL,
    at        INTEGER NOT NULL,
    next_at   INTEGER NOT NULL,
    page      TEXT NOT NULL,
    tries     INTEGER NOT NULL CHECK (tries >= 0),
    why       TEXT NOT NULL,
    done_at   INTEGER,
    refused   INTEGER NOT NULL CHECK (refused IN (0, 1)),
    UNIQUE (kind, order_id, reference)
) STRICT, WITHOUT ROWID;
CREATE INDEX phone_notices_due ON phone_notices (next_at) WHERE done_at IS NULL AND refused = 0;

-- With which shopper's wallet an order was begun; '' where any phone may pay it.
ALTER TABLE attempts ADD COLUMN openid TEXT NOT NULL DEFAULT '';
