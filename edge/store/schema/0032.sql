-- A phone's browser may join by itself; it becomes the member that the mini-program proves later.
CREATE TABLE person_identities_new (
    kind      TEXT NOT NULL CHECK (kind IN ('openid', 'unionid', 'phone', 'card', 'browser')),
    value     TEXT NOT NULL,
    member_id TEXT NOT NULL REFERENCES people (member_id),
    bound_at  INTEGER NOT NULL,
    PRIMARY KEY (kind, value)
) STRICT, WITHOUT ROWID;
INSERT INTO person_identities_new SELECT kind, value, member_id, bound_at FROM person_identities;
DROP TABLE person_identities;
ALTER TABLE person_identities_new RENAME TO person_identities;
CREATE INDEX person_identities_of ON person_identities (member_id);
