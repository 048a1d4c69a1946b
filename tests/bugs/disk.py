"""Bugs of what is kept on the disk."""

from __future__ import annotations

from tests.bugs.bug import Bug, Edit

POWER = (
    "tests/crash/test_power_cuts.py::test_what_was_acknowledged_is_there_after_a_power_cut_and_nothing_half"
)

DISK = (
    Bug(
        "the database is not synced at each commit",
        "P30",
        (Edit("edge/store/database.py", '    "synchronous": 2,', '    "synchronous": 1,'),),
        POWER,
        "was acknowledged, what is there is an older one",
        quick=True,
    ),
    Bug(
        "a step of the schema is not one transaction",
        "P30",
        (
            Edit("edge/store/migrate.py", '    connection.execute("BEGIN IMMEDIATE")\n', ""),
            Edit("edge/store/migrate.py", '        connection.execute("COMMIT")\n', ""),
        ),
        POWER,
        "the service does not start|half a transaction",
    ),
    Bug(
        "a copy's name is not synced before it is reported",
        "P29",
        (
            Edit(
                "edge/store/backup.py",
                "        part.rename(target)\n        _sync(target.parent)\n",
                "        part.rename(target)\n",
            ),
        ),
        POWER,
        "a copy that was reported as made is not there",
    ),
)
