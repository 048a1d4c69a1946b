-- Workstations, baskets, orders, payment attempts, books, receipts, scans, landing pages, outbox.
-- Instants (*_at) are Unix milliseconds UTC; money (*_fen) is integer fen; ids sort by time.

CREATE TABLE workstations (
    workstation  TEXT PRIMARY KEY,
    language     TEXT NOT NULL CHECK (language IN ('zh', 'en')),
    basket_id    TEXT REFERENCES baskets (basket_id),
    order_id     TEXT REFERENCES orders (order_id),
    help_at      INTEGER,
    notice       TEXT NOT NULL DEFAULT '',
    touched_at   INTEGER NOT NULL,
    touched_boot TEXT NOT NULL,
    touched_ns   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE baskets (
    basket_id   TEXT PRIMARY KEY,
    workstation TEXT NOT NULL,
    opened_at   INTEGER NOT NULL,
    changed_at  INTEGER NOT NULL,
    state       TEXT NOT NULL CHECK (state IN ('open', 'held', 'ordered', 'abandoned')),
    cleared_age INTEGER NOT NULL CHECK (cleared_age >= 0)
) STRICT, WITHOUT ROWID;

CREATE INDEX baskets_held ON baskets (workstation, changed_at) WHERE state = 'held';

CREATE TABLE basket_lines (
    basket_id      TEXT NOT NULL REFERENCES baskets (basket_id),
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
    PRIMARY KEY (basket_id, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE orders (
    order_id     TEXT PRIMARY KEY,
    number       TEXT NOT NULL,
    basket_id    TEXT NOT NULL,
    workstation  TEXT NOT NULL,
    business_day TEXT NOT NULL,
    ordered_at   INTEGER NOT NULL,
    state        TEXT NOT NULL CHECK (state IN ('awaiting', 'paid', 'cancelled')),
    total_fen    INTEGER NOT NULL,
    closed_at    INTEGER,
    CHECK ((state = 'awaiting') = (closed_at IS NULL)),
    UNIQUE (business_day, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE order_lines (
    order_id       TEXT NOT NULL REFERENCES orders (order_id),
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
    PRIMARY KEY (order_id, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE tenders (
    tender_id    TEXT PRIMARY KEY,
    order_id     TEXT NOT NULL REFERENCES orders (order_id),
    kind         TEXT NOT NULL,
    amount_fen   INTEGER NOT NULL CHECK (amount_fen >= 0),
    tendered_at  INTEGER NOT NULL,
    received_fen INTEGER NOT NULL,
    change_fen   INTEGER NOT NULL CHECK (change_fen >= 0),
    attempt_id   TEXT UNIQUE REFERENCES attempts (attempt_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX tenders_of_order ON tenders (order_id);

CREATE TABLE order_numbers (
    business_day TEXT PRIMARY KEY,
    last_number  INTEGER NOT NULL CHECK (last_number > 0)
) STRICT, WITHOUT ROWID;

CREATE TABLE attempts (
    attempt_id        TEXT PRIMARY KEY,
    order_id          TEXT NOT NULL REFERENCES orders (order_id),
    workstation       TEXT NOT NULL,
    gateway           TEXT NOT NULL,
    merchant_order_no TEXT NOT NULL UNIQUE,
    amount_fen        INTEGER NOT NULL CHECK (amount_fen > 0),
    code_tail         TEXT NOT NULL CHECK (length(code_tail) <= 4),
    created_at        INTEGER NOT NULL,
    give_up_at        INTEGER NOT NULL,
    next_step_at      INTEGER NOT NULL,
    state             TEXT NOT NULL CHECK (state IN
        ('intended', 'submitted', 'approved', 'declined', 'unknown', 'voided', 'refunded')),
    polls             INTEGER NOT NULL CHECK (polls >= 0),
    transaction_id    TEXT,
    payer             TEXT,
    trail             TEXT NOT NULL,
    closed_at         INTEGER
) STRICT, WITHOUT ROWID;

CREATE INDEX attempts_of_order ON attempts (order_id);
CREATE INDEX attempts_open ON attempts (next_step_at) WHERE state IN ('intended', 'submitted', 'unknown');

CREATE TABLE postings (
    posting_id TEXT PRIMARY KEY,
    kind       TEXT NOT NULL,
    reference  TEXT NOT NULL,
    posted_at  INTEGER NOT NULL,
    UNIQUE (kind, reference)
) STRICT, WITHOUT ROWID;

CREATE TABLE entries (
    posting_id TEXT NOT NULL REFERENCES postings (posting_id),
    position   INTEGER NOT NULL,
    account    TEXT NOT NULL,
    amount_fen INTEGER NOT NULL,
    PRIMARY KEY (posting_id, position)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER postings_are_final BEFORE UPDATE ON postings
BEGIN SELECT raise(ABORT, 'postings are never changed'); END;
CREATE TRIGGER entries_are_final BEFORE UPDATE ON entries
BEGIN SELECT raise(ABORT, 'entries are never changed'); END;

CREATE TABLE receipts (
    receipt_id    TEXT PRIMARY KEY,
    order_id      TEXT NOT NULL UNIQUE REFERENCES orders (order_id),
    workstation   TEXT NOT NULL,
    token         TEXT NOT NULL UNIQUE,
    issued_at     INTEGER NOT NULL,
    print_state   TEXT NOT NULL CHECK (print_state IN ('queued', 'printing', 'printed', 'uncertain')),
    print_problem TEXT NOT NULL,
    copies        INTEGER NOT NULL CHECK (copies >= 0)
) STRICT, WITHOUT ROWID;

CREATE INDEX receipts_to_print ON receipts (workstation, receipt_id) WHERE print_state IN ('queued', 'printing');

CREATE TABLE touches (
    receipt_id TEXT NOT NULL REFERENCES receipts (receipt_id),
    touchpoint TEXT NOT NULL,
    touched_at INTEGER NOT NULL,
    PRIMARY KEY (receipt_id, touchpoint)
) STRICT, WITHOUT ROWID;

CREATE TABLE scans (
    scan_id     TEXT PRIMARY KEY,
    workstation TEXT NOT NULL,
    device      TEXT NOT NULL,
    raw         BLOB NOT NULL,
    text        TEXT NOT NULL,
    aim         TEXT NOT NULL,
    kind        TEXT NOT NULL,
    outcome     TEXT NOT NULL,
    scanned_at  INTEGER NOT NULL,
    boot_id     TEXT NOT NULL,
    read_ns     INTEGER NOT NULL,
    line_id     TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX scans_added ON scans (workstation, text, scan_id) WHERE outcome = 'added';
CREATE INDEX scans_recent ON scans (workstation, scan_id);

CREATE TABLE landings (
    tenant_id  TEXT PRIMARY KEY,
    landing_id TEXT NOT NULL,
    title      TEXT NOT NULL,
    title_en   TEXT NOT NULL,
    picture    TEXT NOT NULL,
    blocks     TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE outbox (
    sequence   INTEGER PRIMARY KEY,
    event_id   TEXT NOT NULL UNIQUE,
    kind       TEXT NOT NULL,
    source     TEXT NOT NULL,
    body       BLOB NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE outbox_head (
    one           INTEGER PRIMARY KEY CHECK (one = 1),
    last_sequence INTEGER NOT NULL,
    acked_through INTEGER NOT NULL,
    last_ack_at   INTEGER,
    CHECK (acked_through <= last_sequence)
) STRICT;

INSERT INTO outbox_head (one, last_sequence, acked_through) VALUES (1, 0, 0);
