-- Snapshots from HQ: of each name the one that is coming in, the one in force, and the one before it.

CREATE TABLE snapshots (
    name       TEXT NOT NULL,
    version    INTEGER NOT NULL CHECK (version > 0),
    state      TEXT NOT NULL CHECK (state IN ('coming', 'active', 'previous')),
    manifest   BLOB NOT NULL,
    changed_at INTEGER NOT NULL,
    PRIMARY KEY (name, version)
) STRICT, WITHOUT ROWID;

-- With a rowid: pages of large rows belong in a table of their own, not in the key's tree.
CREATE TABLE snapshot_chunks (
    name    TEXT NOT NULL,
    version INTEGER NOT NULL,
    number  INTEGER NOT NULL CHECK (number >= 0),
    data    BLOB NOT NULL,
    PRIMARY KEY (name, version, number),
    FOREIGN KEY (name, version) REFERENCES snapshots (name, version) ON DELETE CASCADE
) STRICT;

-- The last refusal of each name, by the SHA-256 of its manifest: a retained manifest comes again and again.
CREATE TABLE snapshot_refusals (
    name       TEXT PRIMARY KEY,
    digest     TEXT NOT NULL,
    version    INTEGER NOT NULL,
    reason     TEXT NOT NULL,
    detail     TEXT NOT NULL,
    refused_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
