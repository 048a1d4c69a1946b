"""The box dies at every write of a snapshot, before and after it, and ends in the same state all the same."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import pytest

from edge.errors import Invalid
from edge.services.records import Unit
from edge.services.take_snapshot import return_snapshot
from edge.store.sqlite_store import SqliteStore
from sim.fakes.store import FakeStore
from sim.mall_lists import lists_csv, members_csv
from sim.snapshots import Content
from sim.world.steps import Crash
from tests.unit.snapshot_bench import Bench

T = TypeVar("T")

FIRST = {
    "members": Content("members", 1, members_csv(300)),
    "lists": Content("lists", 1, lists_csv(520)),
}
SECOND = {
    "members": Content("members", 2, members_csv(310, points=3, without=11), base=FIRST["members"]),
    "lists": Content("lists", 2, lists_csv(530), base=FIRST["lists"]),
}


class DyingStore:
    """A store that dies at one write: `after` says on which side of it. writes: how many there were."""

    def __init__(self, store: FakeStore | SqliteStore, at: int, after: bool) -> None:
        self._store = store
        self._at = at
        self._after = after
        self.writes = 0

    def write(self, work: Callable[[Unit], T]) -> T:
        """Run `work`, or die."""
        self.writes += 1
        if self.writes == self._at and not self._after:
            raise Crash
        result = self._store.write(work)
        if self.writes == self._at:
            raise Crash
        return result

    def read(self, query: Callable[[Unit], T]) -> T:
        """Run `query`."""
        return self._store.read(query)


def state(bench: Bench) -> tuple[Any, ...]:
    def query(unit: Unit) -> tuple[Any, ...]:
        members = tuple(unit.members.get(f"m{number:09d}") for number in range(320))
        return unit.members.count(), members, unit.plate_lists.count(), unit.plate_lists.all("", 600)

    return bench.store.read(query)


def made(store: FakeStore | SqliteStore, name: str) -> Bench:
    """Return a box with the first version in force."""
    bench = Bench(store=store)
    bench.wire.publish(FIRST[name])
    bench.steps(6)
    return bench


def crash_once(bench: Bench, at: int, after: bool, act: Callable[[], object]) -> bool:
    """Let the store die at one write of an act; return whether it came to that."""
    dying, alive = DyingStore(bench.store, at, after), bench.shelf  # type: ignore[arg-type]
    bench.shelf = replace(alive, store=dying)
    try:
        act()
    except Crash:
        return True
    finally:
        bench.shelf = alive
        bench.restart()
    return False


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("name", FIRST)
def test_a_death_at_any_write_of_a_delta_changes_nothing_of_its_end(name: str, after: bool) -> None:
    wanted = made(FakeStore(), name)
    old = state(wanted)
    wanted.wire.publish(SECOND[name])
    wanted.steps(6)
    at, died = 0, True
    while died:
        at += 1
        bench = made(FakeStore(), name)

        def act(bench: Bench = bench) -> None:
            bench.wire.publish(SECOND[name])
            bench.steps(6)

        died = crash_once(bench, at, after, act)
        assert state(bench) in (old, state(wanted)), f"half of it is seen after a death at write {at}"
        bench.wire.publish(SECOND[name])
        bench.steps(12)
        assert state(bench) == state(wanted), f"after a death at write {at}"
        assert [kind for kind, _ in bench.told()] == ["snapshot.applied"] * 2
        return_snapshot(bench.shelf, name)
        assert state(bench) == old
    assert at > 6, "there were few writes to die at"


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("at", range(1, 14))
def test_a_death_on_the_way_back_leaves_one_of_the_two(tmp_path: Path, at: int, after: bool) -> None:
    bench = made(SqliteStore(tmp_path / "edge.db", 1), "members")
    old = state(bench)
    bench.wire.publish(SECOND["members"])
    bench.steps(6)
    new = state(bench)
    died = crash_once(bench, at, after, lambda: return_snapshot(bench.shelf, "members"))
    there = state(bench)
    assert there in (old, new)
    if died and there == new:
        return_snapshot(bench.shelf, "members")
    assert state(bench) == old
    return_snapshot(bench.shelf, "members")
    assert state(bench) == new
    bench.store.close()  # type: ignore[attr-defined]


def test_a_way_back_that_is_not_there_is_said() -> None:
    with pytest.raises(Invalid, match="has no previous version"):
        return_snapshot(made(FakeStore(), "lists").shelf, "lists")
