-- What a tariff can say beside steps and a day's limit, and the mall's calendar.

ALTER TABLE tariffs ADD COLUMN free TEXT NOT NULL DEFAULT 'charged' CHECK (free IN ('charged', 'kept'));
ALTER TABLE tariffs ADD COLUMN date_cap_fen INTEGER CHECK (date_cap_fen >= 0);
ALTER TABLE tariffs ADD COLUMN visit_cap_fen INTEGER CHECK (visit_cap_fen >= 0);
ALTER TABLE tariffs ADD COLUMN restart TEXT NOT NULL DEFAULT 'never' CHECK (restart IN ('never', '24h', 'date'));
ALTER TABLE tariffs ADD COLUMN boundary TEXT NOT NULL DEFAULT 'cut' CHECK (boundary IN ('cut', 'finish'));
ALTER TABLE tariffs ADD COLUMN round_fen INTEGER NOT NULL DEFAULT 0 CHECK (round_fen >= 0);
ALTER TABLE tariffs ADD COLUMN rounding TEXT NOT NULL DEFAULT 'down'
    CHECK (rounding IN ('down', 'up', 'nearest'));
ALTER TABLE tariffs ADD COLUMN reentry_min INTEGER NOT NULL DEFAULT 0 CHECK (reentry_min >= 0);
ALTER TABLE tariffs ADD COLUMN grace_s INTEGER CHECK (grace_s >= 0);
ALTER TABLE tariffs ADD COLUMN minutes_from TEXT NOT NULL DEFAULT 'end' CHECK (minutes_from IN ('end', 'start'));

-- A new table, as the days of a rate may now be weekends or public holidays alone.
CREATE TABLE rate_lines_new (
    tariff_id     TEXT NOT NULL,
    valid_from    INTEGER NOT NULL,
    place         INTEGER NOT NULL,
    step_min      INTEGER NOT NULL CHECK (step_min > 0),
    price_fen     INTEGER NOT NULL CHECK (price_fen >= 0),
    vehicle_class TEXT NOT NULL,
    days          TEXT NOT NULL CHECK (days IN ('daily', 'workday', 'restday', 'weekend', 'holiday')),
    from_min      INTEGER NOT NULL CHECK (from_min BETWEEN 0 AND 1440),
    to_min        INTEGER NOT NULL CHECK (to_min BETWEEN 0 AND 1440),
    after_min     INTEGER NOT NULL CHECK (after_min >= 0),
    cap_fen       INTEGER CHECK (cap_fen >= 0),
    colour        TEXT NOT NULL,
    by_min        INTEGER NOT NULL CHECK (by_min >= 0),
    PRIMARY KEY (tariff_id, valid_from, place),
    FOREIGN KEY (tariff_id, valid_from) REFERENCES tariffs (tariff_id, valid_from) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

INSERT INTO rate_lines_new
SELECT tariff_id, valid_from, place, step_min, price_fen, vehicle_class, days, from_min, to_min, after_min, cap_fen, '', 0
FROM rate_lines;

DROP TABLE rate_lines;

ALTER TABLE rate_lines_new RENAME TO rate_lines;

-- Days that are not as their day of the week: public holidays, and weekends that are worked (调休).
CREATE TABLE calendar_days (
    day  TEXT NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('holiday', 'workday')),
    name TEXT NOT NULL
) STRICT, WITHOUT ROWID;
