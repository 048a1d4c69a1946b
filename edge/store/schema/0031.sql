-- Points that pay parking stand in the points' own ledger, under a lease.
DROP TABLE parking_points;
