"""A new version starts over an old one's state, a sale or a refund in flight, and dies on the way.

The steps of the schema are the shipped ones; each dies half done, and done. Whenever the old version stops,
the sale goes on under the new one and everything that must hold of a run holds.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from edge.errors import Unavailable
from edge.store.migrate import schema_steps
from edge.store.sqlite_store import SqliteStore
from sim.on_disk import OnDisk
from sim.world.boundaries import toll
from sim.world.migrating import Migrating, downgrade
from sim.world.scenario import Scenario
from sim.world.scenarios import CHARGE_LATE, KIOSK_BY_CODE, PATRONS, RETURNED, SHIFT
from sim.world.world import World
from tests.crash.killed import count, some
from tests.proof import PROOF, Counted, Tally

#: The schema of the old version: the newest but a few.
BEFORE = 33
SCENARIOS = (KIOSK_BY_CODE, CHARGE_LATE, RETURNED, SHIFT, PATRONS[0])

#: Moments at which the old version is stopped.
STOPS = 40 if PROOF else 3


@pytest.mark.timeout(600)
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_a_new_version_goes_on_with_what_the_old_one_had_begun(
    scenario: Scenario, tmp_path: Path, tally: Tally
) -> None:
    states: list[Migrating] = []

    def worlds() -> Iterator[tuple[World, int]]:
        for at in some(World(scenario, 1).run().steps.effects, STOPS):
            folder = tmp_path / str(at)
            folder.mkdir()
            states.append(Migrating(folder, BEFORE))
            yield World(scenario, 1, (at,), states[-1]), 1
            states[-1].close()

    total = toll(worlds())
    count(tally, Counted.SINGLES, total)
    assert not total.problems, str(total)
    assert all(one.migrated for one in states)
    assert {one.deaths for one in states} == {2 * (len(schema_steps()) - BEFORE)}
    assert total.runs > STOPS // 2


def test_what_is_left_of_the_old_version_has_its_schema_and_its_rows(tmp_path: Path) -> None:
    state = OnDisk(tmp_path)
    World(KIOSK_BY_CODE, 1, (200,), state).run()
    state.close()
    downgrade(state.path, tmp_path / "old.db", BEFORE)
    with closing(sqlite3.connect(tmp_path / "old.db")) as old:
        assert old.execute("SELECT max(number) FROM schema_steps").fetchone() == (BEFORE,)
        assert not old.execute("SELECT name FROM sqlite_master WHERE name = 'alarms'").fetchall()
        (there,) = old.execute("SELECT count(*) FROM orders").fetchone()
        assert there == 1
        assert old.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert not old.execute("PRAGMA foreign_key_check").fetchall()


def test_a_step_that_is_half_done_and_kept_is_refused(tmp_path: Path) -> None:
    """What a step that is no transaction would leave is seen: the service does not start."""
    state = OnDisk(tmp_path)
    state.close()
    downgrade(state.path, tmp_path / "old.db", BEFORE)
    with closing(sqlite3.connect(tmp_path / "old.db", isolation_level=None)) as old:
        old.execute("CREATE TABLE alarms (name TEXT)")
    with pytest.raises(Unavailable, match="table alarms already exists"):
        SqliteStore(tmp_path / "old.db", 0)
