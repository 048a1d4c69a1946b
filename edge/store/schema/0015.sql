-- Parking validations: whose parking a basket validates, what was spent for it, what was granted and to whom.

-- By basket, so that it lives through holding, ordering and going back.
CREATE TABLE parking_claims (
    basket_id  TEXT PRIMARY KEY REFERENCES baskets (basket_id) ON DELETE CASCADE,
    session_id TEXT NOT NULL,
    plate      TEXT NOT NULL,
    member_id  TEXT NOT NULL,
    claimed_at INTEGER NOT NULL,
    no_car     INTEGER NOT NULL CHECK (no_car IN (0, 1)),
    tier       TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- shopper: by what the purchases of a day are counted together. spent: JSON, fen by tenant, after refunds.
CREATE TABLE parking_purchases (
    order_id   TEXT PRIMARY KEY REFERENCES orders (order_id) ON DELETE CASCADE,
    number     TEXT NOT NULL,
    shopper    TEXT NOT NULL,
    session_id TEXT NOT NULL,
    plate      TEXT NOT NULL,
    member_id  TEXT NOT NULL,
    day        TEXT NOT NULL,
    paid_at    INTEGER NOT NULL,
    spent      TEXT NOT NULL,
    tier       TEXT NOT NULL,
    way        TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX parking_purchases_shopper ON parking_purchases (shopper, day);

CREATE TABLE validations (
    validation_id   TEXT PRIMARY KEY,
    session_id      TEXT NOT NULL,
    plate           TEXT NOT NULL,
    member_id       TEXT NOT NULL,
    kind            TEXT NOT NULL CHECK (kind IN ('minutes', 'amount', 'permille', 'tariff', 'all')),
    value           INTEGER NOT NULL CHECK (value >= 0),
    tariff_id       TEXT NOT NULL,
    label           TEXT NOT NULL,
    label_en        TEXT NOT NULL,
    merchant        TEXT NOT NULL,
    source          TEXT NOT NULL,
    source_ref      TEXT NOT NULL UNIQUE,
    granted_at      INTEGER NOT NULL,
    expires_at      INTEGER NOT NULL,
    day             TEXT NOT NULL,
    reference       TEXT NOT NULL,
    order_id        TEXT NOT NULL,
    shopper         TEXT NOT NULL,
    rule_id         TEXT NOT NULL,
    granted_by      TEXT NOT NULL,
    order_no        INTEGER NOT NULL,
    state           TEXT NOT NULL CHECK (state IN ('granted', 'used', 'revoked', 'expired')),
    minutes_counted INTEGER NOT NULL CHECK (minutes_counted >= 0),
    fen_counted     INTEGER NOT NULL CHECK (fen_counted >= 0),
    ended_at        INTEGER,
    ended_by        TEXT NOT NULL,
    reason          TEXT NOT NULL,
    forgone_fen     INTEGER NOT NULL CHECK (forgone_fen >= 0),
    CHECK ((state = 'granted') = (ended_at IS NULL))
) STRICT;

CREATE INDEX validations_session ON validations (session_id) WHERE session_id <> '';
CREATE INDEX validations_waiting_plate ON validations (plate) WHERE state = 'granted' AND session_id = '';
CREATE INDEX validations_waiting_member ON validations (member_id)
    WHERE state = 'granted' AND session_id = '' AND plate = '';
CREATE INDEX validations_overdue ON validations (expires_at) WHERE state = 'granted';
CREATE INDEX validations_order ON validations (order_id) WHERE order_id <> '';
CREATE INDEX validations_shopper ON validations (shopper, day) WHERE shopper <> '';
CREATE INDEX validations_day ON validations (day, merchant);

-- What each merchant has given away, kept in step with validations; period: a day or its month.
CREATE TABLE validation_tallies (
    merchant TEXT NOT NULL,
    period   TEXT NOT NULL,
    count    INTEGER NOT NULL CHECK (count >= 0),
    minutes  INTEGER NOT NULL CHECK (minutes >= 0),
    fen      INTEGER NOT NULL CHECK (fen >= 0),
    PRIMARY KEY (merchant, period)
) STRICT, WITHOUT ROWID;

CREATE TABLE parking_coupons (
    code        TEXT PRIMARY KEY,
    merchant    TEXT NOT NULL,
    kind        TEXT NOT NULL,
    value       INTEGER NOT NULL,
    tariff_id   TEXT NOT NULL,
    label       TEXT NOT NULL,
    label_en    TEXT NOT NULL,
    issued_at   INTEGER NOT NULL,
    expires_at  INTEGER NOT NULL,
    issued_by   TEXT NOT NULL,
    revoked_at  INTEGER,
    revoked_why TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX parking_coupons_merchant ON parking_coupons (merchant, issued_at);

-- Single-use QR codes that were redeemed here. until: after it the code is refused by its own expiry.
CREATE TABLE validation_jtis (
    jti   TEXT PRIMARY KEY,
    until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX validation_jtis_until ON validation_jtis (until);

CREATE TABLE parking_points (
    validation_id TEXT PRIMARY KEY REFERENCES validations (validation_id) ON DELETE CASCADE,
    member_id     TEXT NOT NULL,
    points        INTEGER NOT NULL CHECK (points > 0),
    spent_at      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX parking_points_member ON parking_points (member_id, spent_at);
