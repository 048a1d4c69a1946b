-- Shoppers' ways from the first touch to the sale, and the counts that the funnel's page reads.

CREATE TABLE journeys (
    correlation TEXT PRIMARY KEY CHECK (length(correlation) BETWEEN 8 AND 64),
    begun_at    INTEGER NOT NULL,
    origin      TEXT NOT NULL CHECK (origin <> ''),
    guide       TEXT NOT NULL,
    campaign    TEXT NOT NULL,
    variant     TEXT NOT NULL,
    member_id   TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX journeys_begun ON journeys (begun_at);

-- Which way a basket, an order or a ticket belongs to; the first one that is said stays.
CREATE TABLE journey_links (
    kind        TEXT NOT NULL CHECK (kind IN ('basket', 'order', 'ticket')),
    reference   TEXT NOT NULL CHECK (reference <> ''),
    correlation TEXT NOT NULL,
    linked_at   INTEGER NOT NULL,
    PRIMARY KEY (kind, reference)
) STRICT, WITHOUT ROWID;

CREATE INDEX journey_links_at ON journey_links (linked_at);

CREATE TABLE conversions (
    conversion_id TEXT PRIMARY KEY,
    correlation   TEXT NOT NULL,
    key           TEXT NOT NULL CHECK (key <> ''),
    step          TEXT NOT NULL CHECK (step IN (
        'shown', 'scanned', 'opened', 'identified', 'joined', 'bought', 'parked', 'returned')),
    at            INTEGER NOT NULL,
    day           TEXT NOT NULL CHECK (length(day) = 10),
    hour          INTEGER NOT NULL CHECK (hour BETWEEN 0 AND 23),
    touchpoint    TEXT NOT NULL CHECK (touchpoint <> ''),
    origin        TEXT NOT NULL CHECK (origin <> ''),
    first         INTEGER NOT NULL CHECK (first IN (0, 1)),
    tenant_id     TEXT NOT NULL,
    guide         TEXT NOT NULL,
    campaign      TEXT NOT NULL,
    variant       TEXT NOT NULL,
    member_id     TEXT NOT NULL,
    order_id      TEXT NOT NULL,
    amount_fen    INTEGER NOT NULL CHECK (amount_fen >= 0),
    -- Whether the guide served at this very step, not only earlier on the way.
    served        INTEGER NOT NULL CHECK (served IN (0, 1)),
    UNIQUE (correlation, key)
) STRICT, WITHOUT ROWID;

CREATE INDEX conversions_at ON conversions (at);
CREATE INDEX conversions_member ON conversions (member_id, at) WHERE member_id <> '';

-- Written with each step, so that the page reads a few rows however many steps there were.
CREATE TABLE funnel_hours (
    day        TEXT NOT NULL,
    hour       INTEGER NOT NULL,
    origin     TEXT NOT NULL,
    tenant_id  TEXT NOT NULL,
    guide      TEXT NOT NULL,
    variant    TEXT NOT NULL,
    step       TEXT NOT NULL,
    shoppers   INTEGER NOT NULL CHECK (shoppers >= 0),
    times      INTEGER NOT NULL CHECK (times >= shoppers),
    amount_fen INTEGER NOT NULL CHECK (amount_fen >= 0),
    PRIMARY KEY (day, hour, origin, tenant_id, guide, variant, step)
) STRICT, WITHOUT ROWID;

CREATE TABLE funnel_days (
    day        TEXT NOT NULL,
    origin     TEXT NOT NULL,
    tenant_id  TEXT NOT NULL,
    guide      TEXT NOT NULL,
    variant    TEXT NOT NULL,
    step       TEXT NOT NULL,
    shoppers   INTEGER NOT NULL CHECK (shoppers >= 0),
    times      INTEGER NOT NULL CHECK (times >= shoppers),
    amount_fen INTEGER NOT NULL CHECK (amount_fen >= 0),
    PRIMARY KEY (day, origin, tenant_id, guide, variant, step)
) STRICT, WITHOUT ROWID;

-- Sales credited, guides' commission, and tasks from members' purchases.

CREATE TABLE attributions (
    order_id       TEXT PRIMARY KEY,
    number         TEXT NOT NULL,
    correlation    TEXT NOT NULL,
    rule           TEXT NOT NULL CHECK (rule IN ('first', 'last', 'linear', 'guide')),
    window_days    INTEGER NOT NULL,
    guide_permille INTEGER NOT NULL,
    day            TEXT NOT NULL,
    at             INTEGER NOT NULL,
    amount_fen     INTEGER NOT NULL CHECK (amount_fen >= 0),
    left_fen       INTEGER NOT NULL CHECK (left_fen BETWEEN 0 AND amount_fen),
    credits        TEXT NOT NULL,
    member_id      TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX attributions_day ON attributions (day, at);

CREATE TABLE commissions (
    entry_id   TEXT PRIMARY KEY,
    guide      TEXT NOT NULL CHECK (guide <> ''),
    day        TEXT NOT NULL,
    order_id   TEXT NOT NULL,
    refund_id  TEXT NOT NULL,
    base_fen   INTEGER NOT NULL CHECK (base_fen >= 0),
    permille   INTEGER NOT NULL CHECK (permille BETWEEN 0 AND 1000),
    amount_fen INTEGER NOT NULL CHECK ((refund_id = '') = (amount_fen >= 0)),
    at         INTEGER NOT NULL,
    UNIQUE (order_id, guide, refund_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX commissions_day ON commissions (day, guide);

CREATE TABLE member_lives (
    member_id  TEXT PRIMARY KEY CHECK (member_id <> ''),
    purchases  INTEGER NOT NULL CHECK (purchases > 0),
    first_at   INTEGER NOT NULL,
    last_at    INTEGER NOT NULL,
    last_order TEXT NOT NULL,
    guide      TEXT NOT NULL,
    tenant_id  TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX member_lives_last ON member_lives (last_at);

CREATE TABLE guide_tasks (
    task_id     TEXT PRIMARY KEY,
    kind        TEXT NOT NULL CHECK (kind IN ('first_visit', 'second_purchase', 'replenish', 'lapsed')),
    member_id   TEXT NOT NULL,
    guide       TEXT NOT NULL,
    tenant_id   TEXT NOT NULL,
    after_order TEXT NOT NULL,
    due_at      INTEGER NOT NULL,
    expires_at  INTEGER NOT NULL,
    state       TEXT NOT NULL CHECK (state IN ('open', 'snoozed', 'done', 'met', 'expired')),
    until       INTEGER NOT NULL,
    closed_at   INTEGER,
    closed_by   TEXT NOT NULL,
    note        TEXT NOT NULL,
    met_by      TEXT NOT NULL,
    CHECK ((closed_at IS NULL) = (state IN ('open', 'snoozed'))),
    UNIQUE (member_id, kind, after_order)
) STRICT, WITHOUT ROWID;

CREATE INDEX guide_tasks_waiting ON guide_tasks (state, expires_at);
