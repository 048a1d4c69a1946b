-- Counter tickets (开单) with their lines and lowered prices, and what each counter's tablet works on.
CREATE TABLE tickets (
    ticket_id    TEXT PRIMARY KEY,
    code         TEXT NOT NULL UNIQUE,
    number       TEXT NOT NULL,
    counter      TEXT NOT NULL,
    tenant_id    TEXT NOT NULL,
    guide_id     TEXT NOT NULL,
    business_day TEXT NOT NULL,
    opened_at    INTEGER NOT NULL,
    state        TEXT NOT NULL CHECK (state IN ('open', 'issued', 'paid', 'handed_over', 'cancelled')),
    cleared_age  INTEGER NOT NULL CHECK (cleared_age >= 0),
    changed_at   INTEGER NOT NULL,
    issued_at    INTEGER,
    expires_at   INTEGER,
    order_id     TEXT NOT NULL,
    paid_at      INTEGER,
    release_code TEXT NOT NULL,
    wrong_codes  INTEGER NOT NULL CHECK (wrong_codes >= 0),
    closed_at    INTEGER,
    closed_by    TEXT NOT NULL,
    end          TEXT CHECK (end IN ('given_up', 'expired', 'refunded')),
    refunded_fen INTEGER NOT NULL CHECK (refunded_fen >= 0),
    member_id    TEXT NOT NULL,
    UNIQUE (business_day, number),
    CHECK ((end IS NOT NULL) = (state = 'cancelled')),
    CHECK (state NOT IN ('paid', 'handed_over') OR (order_id <> '' AND paid_at IS NOT NULL))
) STRICT, WITHOUT ROWID;

CREATE INDEX tickets_of_counter ON tickets (counter, business_day, ticket_id);
CREATE INDEX tickets_by_number ON tickets (number, ticket_id);
CREATE INDEX tickets_of_order ON tickets (order_id, number) WHERE order_id <> '';
CREATE INDEX tickets_issued ON tickets (expires_at) WHERE state = 'issued';
CREATE INDEX tickets_of_member ON tickets (member_id, ticket_id) WHERE member_id <> '';
CREATE INDEX tickets_working ON tickets (counter, ticket_id) WHERE state IN ('open', 'issued', 'paid');

CREATE TABLE ticket_lines (
    ticket_id      TEXT NOT NULL REFERENCES tickets (ticket_id),
    position       INTEGER NOT NULL CHECK (position >= 0),
    line_id        TEXT NOT NULL,
    sku            TEXT NOT NULL,
    tenant_id      TEXT NOT NULL,
    name           TEXT NOT NULL,
    name_en        TEXT NOT NULL,
    barcode        TEXT NOT NULL,
    quantity       INTEGER NOT NULL CHECK (quantity > 0),
    unit_price_fen INTEGER NOT NULL,
    amount_fen     INTEGER NOT NULL,
    weight_g       INTEGER CHECK (weight_g > 0),
    age_min        INTEGER NOT NULL CHECK (age_min >= 0),
    PRIMARY KEY (ticket_id, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE ticket_overrides (
    ticket_id   TEXT NOT NULL REFERENCES tickets (ticket_id),
    line_id     TEXT NOT NULL,
    was_fen     INTEGER NOT NULL,
    price_fen   INTEGER NOT NULL CHECK (price_fen > 0 AND price_fen < was_fen),
    by          TEXT NOT NULL,
    reason      TEXT NOT NULL CHECK (reason <> ''),
    at          INTEGER NOT NULL,
    approved_by TEXT NOT NULL,
    PRIMARY KEY (ticket_id, line_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE counter_desks (
    counter   TEXT PRIMARY KEY,
    guide_id  TEXT NOT NULL,
    ticket_id TEXT NOT NULL
) STRICT, WITHOUT ROWID;
