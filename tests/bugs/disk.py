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
    Bug(
        "a database that turned out damaged is used on",
        "P31",
        (
            Edit(
                "edge/store/sqlite_store.py",
                "            self._damage = damage\n",
                "",
            ),
        ),
        "tests/crash/test_io_faults.py::test_a_database_that_turns_out_damaged_is_neither_read_nor_written_any_more",
        "DID NOT RAISE Corrupt",
    ),
    Bug(
        "a unit that failed leaves what it wrote to those who share its commit",
        "P17",
        (
            Edit(
                "edge/store/sqlite_store.py",
                '            connection.execute("ROLLBACK TO unit")\n            connection.execute("RELEASE unit")\n        raise\n',
                '            connection.execute("RELEASE unit")\n        raise\n',
            ),
        ),
        "tests/integration/test_sqlite_store.py::test_a_unit_that_fails_is_undone_alone",
        r'has\(store, number\) is \(fate == "good"\)',
    ),
    Bug(
        "the reserve is kept while money cannot be written down",
        "P31",
        (
            Edit(
                "edge/store/sqlite_store.py",
                "            if not (had_reserve and is_full(error.__cause__)):\n                raise\n",
                "            raise\n",
            ),
        ),
        "tests/integration/test_disk_full.py::test_the_step_that_meets_a_full_disk_is_kept_by_letting_go_of_the_reserve",
        r"sell\(store, 1\) == 1",
    ),
    Bug(
        "a full disk refuses payments that are in flight",
        "P44",
        (
            Edit(
                "edge/services/watch_disk.py",
                "    Use.SALE: DiskLevel.FULL,\n",
                "    Use.SALE: DiskLevel.FULL,\n    Use.PAYMENT: DiskLevel.FULL,\n",
            ),
        ),
        "tests/unit/test_watch_disk.py::test_payments_refunds_and_exits_are_never_refused",
        r"refuses\(level, use\) for use in",
    ),
    Bug(
        "after a copy was put back a number stands for two events",
        "P4",
        (Edit("edge/store/backup.py", "            _count_on(part, database)\n", ""),),
        "tests/integration/test_backup.py::test_after_a_restore_no_number_stands_for_two_events",
        r"last\(database\) == wanted",
    ),
    Bug(
        "the business day of a night in which clocks change is counted in hours",
        "P19",
        (
            Edit(
                "edge/services/business_day.py",
                "    return (local(at, rules.zone) - timedelta(hours=rules.day_starts_h)).date().isoformat()\n",
                "    return local(at - rules.day_starts_h * 3_600_000, rules.zone).date().isoformat()\n",
            ),
        ),
        "tests/unit/test_daylight_saving.py",
        r"days\.count\(day\) == ",
    ),
)
