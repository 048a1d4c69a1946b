-- Members as this box itself met them. A phone number and a plate are here only as keyed hashes.
CREATE TABLE people (
    member_id   TEXT PRIMARY KEY,
    state       TEXT NOT NULL CHECK (state IN ('provisional', 'known', 'merged', 'erased')),
    joined_at   INTEGER NOT NULL,
    seen_at     INTEGER NOT NULL,
    joined_via  TEXT NOT NULL,
    phone_tail  TEXT NOT NULL CHECK (length(phone_tail) <= 4),
    tags        TEXT NOT NULL,
    merged_into TEXT NOT NULL,
    CHECK ((state = 'merged') = (merged_into <> '')),
    CHECK (state <> 'erased' OR (phone_tail = '' AND tags = '' AND joined_via = ''))
) STRICT, WITHOUT ROWID;
CREATE INDEX people_tail ON people (phone_tail) WHERE phone_tail <> '';
CREATE INDEX people_seen ON people (seen_at);

CREATE TABLE person_identities (
    kind      TEXT NOT NULL CHECK (kind IN ('openid', 'unionid', 'phone', 'card')),
    value     TEXT NOT NULL,
    member_id TEXT NOT NULL REFERENCES people (member_id),
    bound_at  INTEGER NOT NULL,
    PRIMARY KEY (kind, value)
) STRICT, WITHOUT ROWID;
CREATE INDEX person_identities_of ON person_identities (member_id);

CREATE TABLE person_merges (
    absorbed_id TEXT PRIMARY KEY,
    member_id   TEXT NOT NULL,
    why         TEXT NOT NULL,
    done_by     TEXT NOT NULL,
    merged_at   INTEGER NOT NULL,
    CHECK (absorbed_id <> member_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX person_merges_of ON person_merges (member_id);

CREATE TABLE consents (
    consent_id   TEXT PRIMARY KEY,
    member_id    TEXT NOT NULL,
    purpose      TEXT NOT NULL CHECK (purpose IN ('membership', 'messages', 'plate', 'points_sync')),
    version      TEXT NOT NULL,
    channel      TEXT NOT NULL,
    given_at     INTEGER NOT NULL,
    withdrawn_at INTEGER CHECK (withdrawn_at >= given_at)
) STRICT, WITHOUT ROWID;
CREATE INDEX consents_of ON consents (member_id);

CREATE TABLE person_plates (
    member_id       TEXT NOT NULL,
    plate_hmac      TEXT NOT NULL CHECK (length(plate_hmac) = 32),
    masked          TEXT NOT NULL,
    consent_version TEXT NOT NULL,
    bound_at        INTEGER NOT NULL,
    unbound_at      INTEGER,
    PRIMARY KEY (member_id, plate_hmac)
) STRICT, WITHOUT ROWID;
CREATE INDEX person_plates_by ON person_plates (plate_hmac) WHERE unbound_at IS NULL;

-- What staff did with a member's data.
CREATE TABLE person_notes (
    note_id   TEXT PRIMARY KEY,
    member_id TEXT NOT NULL,
    action    TEXT NOT NULL,
    done_by   TEXT NOT NULL,
    noted_at  INTEGER NOT NULL,
    detail    TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX person_notes_of ON person_notes (member_id);

CREATE TABLE points_leases (
    lease_id   TEXT PRIMARY KEY,
    member_id  TEXT NOT NULL,
    points     INTEGER NOT NULL CHECK (points > 0),
    granted_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    spent      INTEGER NOT NULL CHECK (spent BETWEEN 0 AND points),
    closed_at  INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX points_leases_open ON points_leases (member_id) WHERE closed_at IS NULL;
CREATE INDEX points_leases_end ON points_leases (expires_at) WHERE closed_at IS NULL;

-- Lines are only added. A spending under a lease is the lease's; every other one moves the balance below.
CREATE TABLE points_entries (
    entry_no   INTEGER PRIMARY KEY,
    entry_id   TEXT NOT NULL UNIQUE,
    member_id  TEXT NOT NULL,
    kind       TEXT NOT NULL,
    points     INTEGER NOT NULL,
    at         INTEGER NOT NULL,
    source     TEXT NOT NULL,
    tenant_id  TEXT NOT NULL,
    basis_fen  INTEGER NOT NULL,
    expires_at INTEGER,
    owed       INTEGER NOT NULL,
    lease_id   TEXT NOT NULL,
    done_by    TEXT NOT NULL,
    reason     TEXT NOT NULL,
    expired    INTEGER NOT NULL DEFAULT 0 CHECK (expired IN (0, 1))
) STRICT;
CREATE INDEX points_entries_of ON points_entries (member_id);
CREATE INDEX points_entries_source ON points_entries (source) WHERE source <> '';
CREATE UNIQUE INDEX points_entries_once ON points_entries (source, tenant_id) WHERE kind = 'earn';
CREATE INDEX points_entries_end ON points_entries (expires_at) WHERE expires_at IS NOT NULL AND expired = 0;

CREATE TABLE points_balances (
    member_id TEXT PRIMARY KEY,
    points    INTEGER NOT NULL CHECK (points >= 0),
    owed      INTEGER NOT NULL CHECK (owed >= 0)
) STRICT, WITHOUT ROWID;

-- What WeChat's business circle is to be told; due while what it was told is not what is so.
CREATE TABLE circle_notices (
    transaction_id TEXT PRIMARY KEY,
    order_id       TEXT NOT NULL,
    openid         TEXT NOT NULL,
    points         INTEGER NOT NULL CHECK (points >= 0),
    changed_at     INTEGER NOT NULL,
    next_at        INTEGER NOT NULL,
    told           INTEGER NOT NULL,
    tries          INTEGER NOT NULL,
    refused        INTEGER NOT NULL CHECK (refused IN (0, 1)),
    why            TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX circle_notices_due ON circle_notices (next_at) WHERE refused = 0 AND told <> points;
