"""Shoppers' ways, credited sales and guides' tasks are kept the same way in SQLite and in memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from edge.errors import Corrupt
from edge.members.attribution import Attribution, AttributionKind, AttributionRule, Credit
from edge.members.commission import CommissionEntry
from edge.members.conversion import Conversion, ConversionStep, Journey, StepCount, step_key
from edge.members.guide_task import GuideTask, LifeCycle, TaskKind, TaskState, finish_task
from edge.services.journey_records import CommissionTotal, FunnelBy, FunnelFilter, LinkKind
from edge.services.ports import Store
from edge.services.records import Unit
from edge.store.sqlite_store import SqliteStore
from sim.fakes.store import FakeStore

AT = 1_795_312_800_000
DAY = "2026-11-22"
ALL = FunnelFilter(DAY, DAY)


@pytest.fixture(params=["fake", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    opened = FakeStore() if request.param == "fake" else SqliteStore(tmp_path / "edge.db", 1)
    yield opened
    opened.close()


def step(
    way: str,
    kind: ConversionStep,
    at: int = AT,
    *,
    place: str = "poster",
    hour: int = 9,
    subject: str = "",
    **words: object,
) -> Conversion:
    key = step_key(kind, place, subject)
    made = Conversion(f"{at}-{way}-{key}", key, way, kind, at, DAY, hour, place, "poster")
    return replace(made, **words)  # type: ignore[arg-type]


def add(store: Store, *steps: Conversion) -> list[bool]:
    return store.write(lambda unit: [unit.journeys.add(one) for one in steps])


def counts(
    store: Store, by: FunnelBy, wanted: FunnelFilter = ALL
) -> dict[str, dict[str, tuple[int, int, int]]]:
    found: dict[str, dict[str, tuple[int, int, int]]] = {}
    for value, one in store.read(lambda unit: unit.journeys.counts(wanted, by)):
        found.setdefault(value, {})[one.step.value] = (one.shoppers, one.times, one.amount_fen)
    return found


def test_a_way_keeps_where_it_began_and_takes_what_is_learned(store: Store) -> None:
    way = Journey("way-0001", AT, "poster")
    store.write(lambda unit: unit.journeys.put(way))
    store.write(
        lambda unit: unit.journeys.put(Journey("way-0001", AT + 9, "till", "li", "spring", "B", "m-1"))
    )
    assert store.read(lambda unit: unit.journeys.get("way-0001")) == replace(
        way, guide="li", campaign="spring", variant="B", member_id="m-1"
    )
    assert store.read(lambda unit: unit.journeys.get("way-none")) is None


def test_what_was_linked_first_stays(store: Store) -> None:
    def work(unit: Unit) -> None:
        unit.journeys.link(LinkKind.BASKET, "b-1", "way-0001", AT)
        unit.journeys.link(LinkKind.BASKET, "b-1", "way-0002", AT)

    store.write(work)
    assert store.read(lambda unit: unit.journeys.linked(LinkKind.BASKET, "b-1")) == "way-0001"
    store.write(lambda unit: unit.journeys.link(LinkKind.BASKET, "b-1", "way-0003", AT, replace=True))
    assert store.read(lambda unit: unit.journeys.linked(LinkKind.BASKET, "b-1")) == "way-0003"
    assert store.read(lambda unit: unit.journeys.linked(LinkKind.ORDER, "b-1")) == ""


def test_a_step_is_written_and_counted_once(store: Store) -> None:
    one = step(
        "way-0001",
        ConversionStep.SCANNED,
        tenant_id="t-tea",
        guide="li",
        variant="A",
        member_id="m-1",
        served=True,
    )
    assert add(store, one, replace(one, conversion_id="again")) == [True, False]
    assert store.read(lambda unit: unit.journeys.steps("way-0001")) == (one,)
    assert store.read(lambda unit: unit.journeys.has("way-0001", ConversionStep.SCANNED))
    assert not store.read(lambda unit: unit.journeys.has("way-0001", ConversionStep.BOUGHT))
    assert counts(store, FunnelBy.GUIDE) == {"li": {"scanned": (1, 1, 0)}}


def test_the_funnel_is_told_apart_and_filtered(store: Store) -> None:
    add(
        store,
        step("way-0001", ConversionStep.SCANNED, hour=9),
        step("way-0001", ConversionStep.SCANNED, hour=10, subject="2", first=False),
        step("way-0002", ConversionStep.SCANNED, hour=10, tenant_id="t-tea", variant="B", origin="till"),
        step("way-0002", ConversionStep.BOUGHT, hour=10, tenant_id="t-tea", amount_fen=990, origin="till"),
    )
    assert counts(store, FunnelBy.HOUR) == {
        "9": {"scanned": (1, 1, 0)},
        "10": {"bought": (1, 1, 990), "scanned": (1, 2, 0)},
    }
    assert list(counts(store, FunnelBy.HOUR)) == ["9", "10"]
    assert counts(store, FunnelBy.DAY) == {DAY: {"bought": (1, 1, 990), "scanned": (2, 3, 0)}}
    assert counts(store, FunnelBy.TOUCHPOINT)["till"] == {"bought": (1, 1, 990), "scanned": (1, 1, 0)}
    assert counts(store, FunnelBy.TENANT, replace(ALL, hour=10))[""] == {"scanned": (0, 1, 0)}
    assert counts(store, FunnelBy.VARIANT, replace(ALL, tenant="t-tea", touchpoint="till", guide="")) == {
        "": {"bought": (1, 1, 990)},
        "B": {"scanned": (1, 1, 0)},
    }
    assert counts(store, FunnelBy.DAY, replace(ALL, variant="C")) == {}
    assert counts(store, FunnelBy.DAY, FunnelFilter("2026-11-20", "2026-11-21")) == {}
    assert StepCount(ConversionStep.BOUGHT) == StepCount(ConversionStep.BOUGHT, 0, 0, 0)


def test_a_members_steps_are_found_over_all_ways(store: Store) -> None:
    first = step("way-0001", ConversionStep.SCANNED, AT, member_id="m-1")
    second = step("way-0002", ConversionStep.SCANNED, AT + 5, member_id="m-1")
    add(store, second, first, step("way-0003", ConversionStep.SCANNED, AT))
    assert store.read(lambda unit: unit.journeys.of_member("m-1", AT)) == (first, second)
    assert store.read(lambda unit: unit.journeys.of_member("m-1", AT + 1)) == (second,)
    assert store.read(lambda unit: unit.journeys.of_member("", 0)) == ()


def test_old_steps_are_forgotten_in_portions_and_their_counts_stay(store: Store) -> None:
    add(store, *(step(f"way-000{at}", ConversionStep.SCANNED, AT + at) for at in range(4)))

    def work(unit: Unit) -> None:
        unit.journeys.put(Journey("way-0000", AT, "poster"))
        unit.journeys.link(LinkKind.ORDER, "o-1", "way-0000", AT)

    store.write(work)
    assert store.write(lambda unit: unit.journeys.forget(AT + 3, 2)) == 4
    assert store.write(lambda unit: unit.journeys.forget(AT + 3, 2)) == 1
    assert store.write(lambda unit: unit.journeys.forget(AT + 3, 2)) == 0
    assert store.read(lambda unit: unit.journeys.steps("way-0003")) != ()
    assert store.read(lambda unit: unit.journeys.linked(LinkKind.ORDER, "o-1")) == ""
    assert counts(store, FunnelBy.DAY) == {DAY: {"scanned": (4, 4, 0)}}


def sale(order_id: str = "o-1", **words: object) -> Attribution:
    rule = AttributionRule(AttributionKind.GUIDE, 14, 600)
    credits = (Credit("poster", "", "春", 400), Credit("guide.li", "li", "", 600))
    made = Attribution(order_id, "k-1", "way-0001", rule, DAY, AT, 1_000, 1_000, credits, "m-1")
    return replace(made, **words)  # type: ignore[arg-type]


def test_a_sale_is_credited_once_and_only_what_is_left_changes(store: Store) -> None:
    store.write(lambda unit: unit.credits.put(sale()))
    store.write(lambda unit: unit.credits.put(sale(left_fen=1, credits=(), number="other")))
    store.write(lambda unit: unit.credits.put(sale("o-2", at=AT + 1)))
    assert store.read(lambda unit: unit.credits.get("o-1")) == sale(left_fen=1)
    found = store.read(lambda unit: unit.credits.of_days(DAY, DAY, 9))
    assert [one.order_id for one in found] == ["o-2", "o-1"]
    assert store.read(lambda unit: unit.credits.of_days("2026-11-23", "2026-11-23", 9)) == ()
    assert store.read(lambda unit: unit.credits.get("o-3")) is None


def test_commission_is_a_ledger_by_guide_and_day(store: Store) -> None:
    earned = CommissionEntry("e-1", "li", DAY, "o-1", "", 600, 50, 30, AT)
    back = CommissionEntry("e-2", "li", DAY, "o-1", "r-1", 300, 50, -15, AT + 1)
    other = CommissionEntry("e-3", "wu", "2026-11-23", "o-2", "", 100, 33, 3, AT + 2)
    for entry in (earned, back, other):
        store.write(lambda unit, entry=entry: unit.credits.post(entry))  # type: ignore[misc]
    assert store.read(lambda unit: unit.credits.entries("o-1")) == (earned, back)
    totals = store.read(lambda unit: unit.credits.totals(DAY, "2026-11-23"))
    assert totals == (CommissionTotal("li", DAY, 1, 30, -15), CommissionTotal("wu", "2026-11-23", 1, 3, 0))
    assert totals[0].amount_fen == 15
    with pytest.raises(Corrupt, match="already"):
        store.write(lambda unit: unit.credits.post(replace(earned, entry_id="e-9")))


def test_a_members_purchases_are_found_by_the_last_of_them(store: Store) -> None:
    lives = [LifeCycle(f"m-{n}", 1, AT, AT + n, f"o-{n}", "li", "t-tea") for n in range(4)]
    for one in lives:
        store.write(lambda unit, one=one: unit.guide_tasks.put_life(one))  # type: ignore[misc]
    store.write(lambda unit: unit.guide_tasks.put_life(replace(lives[0], purchases=2)))
    assert store.read(lambda unit: unit.guide_tasks.life("m-0")) == replace(lives[0], purchases=2)
    assert store.read(lambda unit: unit.guide_tasks.life("m-9")) is None
    found = store.read(lambda unit: unit.guide_tasks.lives(AT + 1, AT + 4, "m-1", 1))
    assert found == (lives[2],)


def test_tasks_wait_and_end(store: Store) -> None:
    task = GuideTask("t-1", TaskKind.LAPSED, "m-1", "li", "t-tea", "o-1", AT, AT + 10)
    later = GuideTask("t-2", TaskKind.REPLENISH, "m-1", "", "", "o-1", AT - 1, AT + 20)
    for one in (task, later):
        store.write(lambda unit, one=one: unit.guide_tasks.put(one))  # type: ignore[misc]
    assert store.read(lambda unit: unit.guide_tasks.get("t-1")) == task
    assert store.read(lambda unit: unit.guide_tasks.find("m-1", TaskKind.LAPSED, "o-1")) == task
    assert store.read(lambda unit: unit.guide_tasks.find("m-1", TaskKind.LAPSED, "o-2")) is None
    assert store.read(lambda unit: unit.guide_tasks.waiting(9)) == (later, task)
    assert store.read(lambda unit: unit.guide_tasks.waiting_of("m-1")) == (later, task)
    assert store.read(lambda unit: unit.guide_tasks.waiting_of("m-2")) == ()
    assert store.read(lambda unit: unit.guide_tasks.overdue(AT + 10, 9)) == (task,)
    done = finish_task(task, "Li", "called", AT + 3)
    store.write(lambda unit: unit.guide_tasks.put(done))
    assert store.read(lambda unit: unit.guide_tasks.get("t-1")) == done
    assert done.state is TaskState.DONE
    assert store.read(lambda unit: unit.guide_tasks.closed_since(AT, 9)) == (done,)
    assert store.read(lambda unit: unit.guide_tasks.closed_since(AT + 3, 9)) == ()
    with pytest.raises(Corrupt):
        store.write(lambda unit: unit.guide_tasks.put(replace(task, task_id="t-9")))
