"""The first sale, crashed at every place where the world can stop it; nothing may be lost or doubled."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from edge.services.ports import Store
from edge.store.sqlite_store import SqliteStore
from sim.checks import violations
from sim.scenarios import (
    CHARGE_LATE,
    CHARGE_LOST,
    GIVEN_UP,
    GOODS_FEN,
    KIOSK_BY_CODE,
    REFUND_ABNORMAL,
    REFUND_LOST,
    RETURNED,
    SCENARIOS,
    TILL_BY_CASH,
)
from sim.world import Scenario, Stuck, World

#: Steps between two crashes in the scenarios that mostly wait; odd, so that every kind of step has its turn.
STRIDES = {CHARGE_LOST.name: 23, CHARGE_LATE.name: 7}

BY_NAME = pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)


def problems_of(worlds: Iterable[World]) -> tuple[int, list[str]]:
    """Run each world; return how many ran and what they broke, each with how to see it again."""
    count, problems = 0, []
    for world in worlds:
        count += 1
        try:
            found = violations(world.run())
        except Stuck as stuck:
            found = [str(stuck)]
        problems += [f"{world.describe()}: {line}" for line in found]
    return count, problems


def report(count: int, problems: list[str]) -> str:
    return f"{len(problems)} violations in {count} runs, the first of them:\n" + "\n".join(problems[:5])


@BY_NAME
@pytest.mark.parametrize("seed", [0, 1])
def test_an_undisturbed_run_keeps_every_property(scenario: Scenario, seed: int) -> None:
    world = World(scenario, seed).run()
    assert violations(world) == []
    paid = [person.has_paid for person in world.people]
    assert paid == [scenario not in (CHARGE_LOST, GIVEN_UP)] * len(paid)
    assert world.steps.count > 200


@BY_NAME
@pytest.mark.timeout(300)
def test_a_crash_at_every_step_loses_and_doubles_nothing(scenario: Scenario) -> None:
    total = World(scenario, seed=1).run().steps.count
    stride = STRIDES.get(scenario.name, 1)
    count, problems = problems_of(World(scenario, 1, (at,)) for at in range(1, total + 1, stride))
    assert not problems, report(count, problems)
    assert count == len(range(1, total + 1, stride))


def test_a_second_crash_after_the_first_loses_and_doubles_nothing() -> None:
    """Each effect of the kiosk sale crashed, then each effect that follows, most of them in recovery."""
    count, problems = problems_of(_pairs(KIOSK_BY_CODE, seed=0, following=12))
    assert not problems, report(count, problems)
    assert count > 500


@pytest.mark.timeout(300)
@pytest.mark.parametrize("scenario", [RETURNED, REFUND_ABNORMAL], ids=lambda scenario: scenario.name)
def test_a_second_crash_of_a_refund_gives_nothing_back_twice(scenario: Scenario) -> None:
    count, problems = problems_of(_pairs(scenario, seed=0, following=4))
    assert not problems, report(count, problems)
    assert count > 200


def test_the_same_seed_and_crash_give_the_same_run() -> None:
    first, second = (World(KIOSK_BY_CODE, 7, (100, 250)).run() for _ in range(2))
    assert first.steps.digest() == second.steps.digest()
    assert [one.body for one in first.hq.applied] == [one.body for one in second.hq.applied]
    assert World(KIOSK_BY_CODE, 8, (100, 250)).run().steps.digest() != first.steps.digest()


def test_a_crash_leaves_a_shopper_in_doubt_only_right_before_the_charge_is_sent() -> None:
    """There the intent to charge is written and nobody can know; everywhere else the sale ends as paid."""
    names = World(KIOSK_BY_CODE).run().steps.names
    sent = names.index("gateway.pay_by_code before") + 1
    for at in range(1, len(names) + 1):
        world = World(KIOSK_BY_CODE, 0, (at,)).run()
        ends_paid = at not in (sent - 1, sent)
        assert [person.has_paid for person in world.people] == [ends_paid], world.describe()
        assert world.gateway.total_fen() == GOODS_FEN * ends_paid, world.describe()


class OnDisk:
    """State in SQLite; a crash leaves the files as they are at that moment, without a clean close."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lives = 0
        self._store = SqliteStore(self._path, 0)

    @property
    def _path(self) -> Path:
        return self._folder / f"life-{self._lives}.db"

    def open(self) -> Store:
        return self._store

    def crash(self) -> None:
        left = self._path
        self._lives += 1
        for suffix in ("", "-wal"):
            shutil.copy(f"{left}{suffix}", f"{self._path}{suffix}")
        self._store.close()
        self._store = SqliteStore(self._path, 0)

    def close(self) -> None:
        self._store.close()


ON_DISK = (KIOSK_BY_CODE, TILL_BY_CASH, RETURNED, REFUND_LOST)


@pytest.mark.parametrize("scenario", ON_DISK, ids=lambda scenario: scenario.name)
def test_the_real_store_keeps_the_same_promise(scenario: Scenario, tmp_path: Path) -> None:
    states: list[OnDisk] = []

    def worlds() -> Iterator[World]:
        effects = World(scenario).run().steps.effects
        for at in effects[:: max(1, len(effects) // 15)]:
            folder = tmp_path / str(at)
            folder.mkdir()
            states.append(OnDisk(folder))
            yield World(scenario, 0, (at,), states[-1])
            states[-1].close()

    count, problems = problems_of(worlds())
    assert not problems, report(count, problems)
    assert count >= 14


def _pairs(scenario: Scenario, seed: int, following: int) -> Iterator[World]:
    for at in World(scenario, seed).run().steps.effects:
        after = World(scenario, seed, (at,)).run().steps.effects
        for then in [step for step in after if step > at][:following]:
            yield World(scenario, seed, (at, then))
