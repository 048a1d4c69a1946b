"""What every store promises of pages after payment: versions stay, orders keep theirs, counts are right."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from edge.errors import Invalid
from edge.members.bandit import BanditRule
from edge.members.landing import BlockKind, LandingBlock, LandingPage
from edge.members.landing_version import LandingSlot, LandingVariant, LandingVersion, Occasion
from edge.services.landing_records import LandingCount, ShownLanding
from edge.store.sqlite_store import SqliteStore
from sim.fakes.store import FakeStore

Stores = FakeStore | SqliteStore

BLOCK = LandingBlock(BlockKind.COUPON, "券", "Coupon", "满减", "Off", "https://mall.example", "a.png", "C-1")
PAGE = LandingPage("t-tea", "t-tea", "谢谢", "Thanks", "tea.png", (BLOCK,))
SLOT = LandingSlot("t-tea")
KIOSK = LandingSlot("t-tea", Occasion.KIOSK, "spring")
FIRST = LandingVersion(
    SLOT,
    1,
    (LandingVariant("A", PAGE), LandingVariant("B", replace(PAGE, title="你好"), 300)),
    1_000,
    None,
    BanditRule(False, 50, 7),
    "王",
    900,
)


@pytest.fixture(params=["fake", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stores]:
    made = FakeStore() if request.param == "fake" else SqliteStore(tmp_path / "edge.db", 1)
    yield made
    made.close()


def publish(store: Stores, *versions: LandingVersion) -> None:
    for one in versions:
        store.write(lambda unit, one=one: unit.landings.publish(one))  # type: ignore[misc]


def shown(order: str, variant: str = "A", shopper: str = "m1") -> ShownLanding:
    return ShownLanding(order, SLOT, 1, variant, shopper, 5)


def test_a_version_comes_back_as_it_was_published(store: Stores) -> None:
    publish(store, FIRST, replace(FIRST, slot=KIOSK, valid_to=9_000, returned_to=3, variants=()))

    assert store.read(lambda unit: unit.landings.version(SLOT, 1)) == FIRST
    assert store.read(lambda unit: unit.landings.version(SLOT, 2)) is None
    assert store.read(lambda unit: unit.landings.slots()) == (SLOT, KIOSK)
    assert store.read(lambda unit: unit.landings.versions(KIOSK, 5))[0].returned_to == 3


def test_a_published_version_cannot_be_written_over(store: Stores) -> None:
    publish(store, FIRST)
    with pytest.raises(Invalid, match="already"):
        publish(store, replace(FIRST, made_by="李"))
    assert store.read(lambda unit: unit.landings.version(SLOT, 1)) == FIRST


def test_in_force_is_what_began_last_and_has_not_ended_for_each_slot(store: Stores) -> None:
    week = replace(FIRST, number=2, valid_from=2_000, valid_to=3_000)
    publish(store, FIRST, week, replace(FIRST, slot=KIOSK), replace(FIRST, number=3, valid_from=1_000))

    def numbers(at: int, tenant: str = "t-tea") -> list[tuple[str, int]]:
        found = store.read(lambda unit: unit.landings.current(tenant, at))
        return [(one.slot.campaign, one.number) for one in found]

    assert numbers(999) == []
    assert numbers(1_000) == [("", 3), ("spring", 1)]
    assert numbers(2_000) == [("", 2), ("spring", 1)]
    assert numbers(3_000) == [("", 3), ("spring", 1)]
    assert numbers(3_000, "t-toys") == []


def test_versions_are_listed_newest_first_up_to_the_limit(store: Stores) -> None:
    publish(store, *(replace(FIRST, number=one) for one in (1, 2, 3)))
    found = store.read(lambda unit: unit.landings.versions(SLOT, 2))
    assert [one.number for one in found] == [3, 2]


def test_an_order_keeps_its_page_and_is_counted_once(store: Stores) -> None:
    for one in (shown("o1"), shown("o1", "B"), shown("o2", "B", "m2"), shown("o3")):
        store.write(lambda unit, one=one: unit.landings.put_shown(one))  # type: ignore[misc]

    assert store.read(lambda unit: unit.landings.shown_of("o1")) == shown("o1")
    assert store.read(lambda unit: unit.landings.shown_of("o9")) is None
    counts = store.read(lambda unit: unit.landings.counts(SLOT, 1))
    assert counts == (LandingCount("A", 2, 0), LandingCount("B", 1, 0))
    assert store.read(lambda unit: unit.landings.counts(SLOT, 2)) == ()


def test_a_shopper_is_known_to_a_version_by_what_they_saw_first(store: Stores) -> None:
    store.write(lambda unit: unit.landings.put_shown(shown("o1", "B")))
    store.write(lambda unit: unit.landings.put_shown(shown("o2", "A")))

    assert store.read(lambda unit: unit.landings.assigned(SLOT, 1, "m1")) == "B"
    assert store.read(lambda unit: unit.landings.assigned(SLOT, 2, "m1")) == ""
    assert store.read(lambda unit: unit.landings.assigned(KIOSK, 1, "m1")) == ""
    assert store.read(lambda unit: unit.landings.assigned(SLOT, 1, "m2")) == ""


def test_the_first_act_alone_is_counted(store: Stores) -> None:
    store.write(lambda unit: unit.landings.put_shown(shown("o1")))

    assert store.write(lambda unit: unit.landings.mark_acted("o1", 7)) is True
    assert store.write(lambda unit: unit.landings.mark_acted("o1", 8)) is False
    assert store.write(lambda unit: unit.landings.mark_acted("o9", 8)) is False
    assert store.read(lambda unit: unit.landings.counts(SLOT, 1)) == (LandingCount("A", 1, 1),)
    found = store.read(lambda unit: unit.landings.shown_of("o1"))
    assert found is not None
    assert found.acted_at == 7


def test_given_pages_come_and_go_without_the_versions(store: Stores) -> None:
    publish(store, FIRST)
    store.write(lambda unit: unit.landings.put(PAGE))
    assert store.read(lambda unit: unit.landings.pages()) == (PAGE,)
    store.write(lambda unit: unit.landings.clear())
    assert store.read(lambda unit: (unit.landings.pages(), unit.landings.slots())) == ((), (SLOT,))
