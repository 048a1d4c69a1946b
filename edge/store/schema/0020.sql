-- What the car park took in an hour or a day.
CREATE INDEX settlements_by_time ON settlements (settled_at);
