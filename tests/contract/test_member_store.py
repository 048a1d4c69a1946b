"""What every store promises of members, lists of plates and tariffs: staged unseen, shown at once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from edge.errors import Invalid
from edge.members.member_snapshot import Member
from edge.parking.calendar import CalendarDay, NamedDay, RateDays
from edge.parking.plate_list import PlateEntry, PlateListKind
from edge.parking.tariff_document import (
    Boundary,
    FreeTime,
    MinutesFrom,
    RateLine,
    Restart,
    Rounding,
    Tariff,
)
from edge.services.member_records import MemberChange, MemberKey
from edge.store.members import _STRETCH
from edge.store.sqlite_store import SqliteStore
from sim.fakes.store import FakeStore

Stores = FakeStore | SqliteStore


@pytest.fixture(params=["fake", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stores]:
    made = FakeStore() if request.param == "fake" else SqliteStore(tmp_path / "edge.db", 1)
    yield made
    made.close()


def member(number: int, points: int = 0, plates: int = 1) -> Member:
    hmacs = tuple(f"{number:016x}{place:016x}" for place in range(plates))
    return Member(f"m{number}", f"card{number}", "gold", points, 5, f"{number:032x}", "1234", hmacs)


def begin(store: Stores, token: str) -> int:
    return store.write(lambda unit: unit.members.intake.begin(token)).number


def stage(
    store: Stores, number: int, *members: Member, after: str = "", last: str | None = None
) -> MemberChange:
    return store.write(lambda unit: unit.members.intake.stage(number, after, members, last))


def put_keys(store: Stores, number: int) -> None:
    first = store.write(lambda unit: unit.members.intake.begin(f"import {number}")).first_row
    rows = store.read(lambda unit: unit.members.intake.rows(number, first, 100))
    keys = sorted((key, row) for row, all_keys in rows for key in all_keys)
    store.write(lambda unit: unit.members.intake.put_keys(number, keys))


def bring_in(store: Stores, *members: Member) -> MemberChange:
    number = begin(store, f"import {begin_number(store)}")
    stage(store, number, *members)
    put_keys(store, number)
    change = store.write(lambda unit: unit.members.intake.finish(number))
    tidy(store)
    return change


def begin_number(store: Stores) -> int:
    """Return the number that the next import will have."""
    number = begin(store, "probe")
    store.write(lambda unit: unit.members.intake.end_other(""))
    tidy(store)
    return number + 1


def tidy(store: Stores) -> None:
    while store.write(lambda unit: unit.members.intake.tidy(2)):
        pass


def ids(store: Stores, kind: MemberKey, value: str) -> list[str]:
    return [one.member_id for one in store.read(lambda unit: unit.members.by_key(kind, value))]


def test_members_are_found_by_id_card_phone_and_plate_once_they_are_shown(store: Stores) -> None:
    one = member(1, plates=2)
    number = begin(store, "import 1")
    assert stage(store, number, one, member(2)) == MemberChange(2, 0, 0)
    put_keys(store, number)
    assert store.read(lambda unit: unit.members.get("m1")) is None
    assert ids(store, MemberKey.CARD, "card1") == []
    assert store.write(lambda unit: unit.members.intake.finish(number)) == MemberChange(2, 0, 0)
    assert store.read(lambda unit: unit.members.get("m1")) == one
    assert store.read(lambda unit: unit.members.count()) == 2
    for kind, value in (
        (MemberKey.CARD, one.card),
        (MemberKey.PHONE, one.phone_hmac),
        (MemberKey.PLATE, one.plate_hmacs[1]),
    ):
        assert ids(store, kind, value) == ["m1"]
    assert ids(store, MemberKey.PHONE, one.card) == []


def test_a_whole_set_replaces_removes_and_leaves_what_is_the_same(store: Stores) -> None:
    bring_in(store, member(1), member(2), member(3))
    changed = replace(member(2), card="other", points=9)
    assert bring_in(store, member(1), changed, member(4)) == MemberChange(1, 1, 1)
    assert store.read(lambda unit: unit.members.get("m2")) == changed
    assert store.read(lambda unit: unit.members.get("m3")) is None
    assert ids(store, MemberKey.CARD, "card2") == []
    assert ids(store, MemberKey.CARD, "other") == ["m2"]
    assert ids(store, MemberKey.PHONE, member(2).phone_hmac) == ["m2"]
    assert ids(store, MemberKey.CARD, "card3") == []
    assert store.read(lambda unit: unit.members.count()) == 3


def test_a_change_of_points_alone_keeps_every_look_up(store: Stores) -> None:
    bring_in(store, member(1))
    bring_in(store, member(1, points=7))
    bring_in(store, member(1, points=8))
    [found] = store.read(lambda unit: unit.members.by_key(MemberKey.CARD, "card1"))
    assert found.points == 8


def test_who_was_removed_can_come_back(store: Stores) -> None:
    for members in ((member(1), member(2)), (member(2),), (member(1), member(2))):
        bring_in(store, *members)
    assert ids(store, MemberKey.CARD, "card1") == ["m1"]
    assert store.read(lambda unit: unit.members.count()) == 2


def test_an_import_goes_on_where_it_was_and_another_ends_it(store: Stores) -> None:
    bring_in(store, member(1))
    number = begin(store, "a")
    stage(store, number, member(1, points=5), member(2), last="m2")
    again = store.write(lambda unit: unit.members.intake.begin("a"))
    assert (again.number, again.after) == (number, "m2")
    with pytest.raises(Invalid, match="another import of members is under way"):
        begin(store, "b")
    store.write(lambda unit: unit.members.intake.end_other("b"))
    tidy(store)
    assert begin(store, "b") == number + 1
    with pytest.raises(Invalid, match="was ended by a newer one"):
        stage(store, number, member(3))
    assert store.write(lambda unit: unit.members.intake.finish(number + 1)) == MemberChange()
    assert store.read(lambda unit: unit.members.get("m1")) == member(1)
    assert store.read(lambda unit: unit.members.get("m2")) is None
    assert ids(store, MemberKey.CARD, "card1") == ["m1"]


def test_sqlite_keeps_no_rows_that_nobody_can_see(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "edge.db", 1)
    bring_in(store, *(member(number) for number in range(9)))
    bring_in(store, *(member(number, points=1) for number in range(5)))
    number = begin(store, "given up")
    stage(store, number, *(member(number, points=2) for number in range(20, 30)))
    store.write(lambda unit: unit.members.intake.end_other(""))
    tidy(store)
    counts = [
        store._db.conn.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
        for table in ("members", "member_keys", "member_trash")
    ]
    assert counts == [5, 15, 0]
    store.close()


def test_a_stretch_reads_its_own_members_and_not_all(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "edge.db", 1)
    plan = store._db.conn.execute(f"EXPLAIN QUERY PLAN {_STRETCH}", {"after": "m1", "last": "m2"}).fetchall()
    steps = [row[3] for row in plan]
    assert any("(member_id>? AND member_id<?)" in step for step in steps), steps
    assert not any("AUTOMATIC" in step for step in steps)
    store.close()


def entry(plate: str, kind: PlateListKind = PlateListKind.FREE) -> PlateEntry:
    return PlateEntry(plate, kind, note="n")


def put_lists(store: Stores, *entries: PlateEntry) -> None:
    number = store.write(lambda unit: unit.plate_lists.begin())
    store.write(lambda unit: unit.plate_lists.stage(number, 0, entries[:2]))
    store.write(lambda unit: unit.plate_lists.stage(number, 2, entries[2:]))
    store.write(lambda unit: unit.plate_lists.finish(number, len(entries)))
    while store.write(lambda unit: unit.plate_lists.tidy(1)):
        pass


def test_lists_are_replaced_as_a_set(store: Stores) -> None:
    put_lists(store, entry("粤B1"), entry("粤B2"), entry("粤B1", PlateListKind.BLACK))
    put = store.read(lambda unit: unit.plate_lists.find("粤B1"))
    assert [one.kind for one in put] == [PlateListKind.FREE, PlateListKind.BLACK]
    assert [one.plate for one in store.read(lambda unit: unit.plate_lists.all("", 1))] == ["粤B1", "粤B1"]
    assert [one.plate for one in store.read(lambda unit: unit.plate_lists.all("粤B1", 9))] == ["粤B2"]
    put_lists(store, entry("粤B3"))
    assert store.read(lambda unit: unit.plate_lists.find("粤B1")) == ()
    assert store.read(lambda unit: unit.plate_lists.count()) == 1


def test_a_set_that_was_begun_is_unseen_and_a_newer_one_ends_it(store: Stores) -> None:
    first = store.write(lambda unit: unit.plate_lists.begin())
    store.write(lambda unit: unit.plate_lists.stage(first, 0, [entry("粤B1")]))
    assert store.read(lambda unit: unit.plate_lists.find("粤B1")) == ()
    store.write(lambda unit: unit.plate_lists.begin())
    with pytest.raises(Invalid, match="was ended by a newer one"):
        store.write(lambda unit: unit.plate_lists.finish(first, 1))


def test_tariffs_are_replaced_with_their_lines(store: Stores) -> None:
    lines = (RateLine(60, 500), RateLine(30, 200, "large", after_min=60, cap_fen=900))
    old, new = Tariff("a", "A", 5, 30, None, lines), Tariff("a", "A", 9, 0, 6_000, lines[:1])
    store.write(lambda unit: unit.tariffs.replace((new, old)))
    assert store.read(lambda unit: unit.tariffs.all()) == (old, new)
    store.write(lambda unit: unit.tariffs.replace((new,)))
    assert store.read(lambda unit: unit.tariffs.all()) == (new,)


def test_a_tariff_keeps_all_it_can_say(store: Stores) -> None:
    line = RateLine(60, 500, "large", RateDays.HOLIDAY, 1200, 480, 15, 900, "green", 5)
    rules = (FreeTime.KEPT, 6_000, 9_000, Restart.CYCLE, Boundary.FINISH, 50, Rounding.UP, 1_440, 600)
    said = Tariff("a", "A", 5, 30, None, (line,), *rules, MinutesFrom.START)
    store.write(lambda unit: unit.tariffs.replace((said,)))
    assert store.read(lambda unit: unit.tariffs.all()) == (said,)


def test_the_tariff_in_force_is_the_latest_that_has_begun_or_else_the_first(store: Stores) -> None:
    first, later = (Tariff("a", "A", at, 30, None, (RateLine(60, at),)) for at in (5, 9))
    other = Tariff("b", "B", 7, 30, None, (RateLine(60, 1),))
    store.write(lambda unit: unit.tariffs.replace((first, later, other)))
    found = [store.read(lambda unit, at=at: unit.tariffs.in_force("a", at)) for at in (1, 5, 8, 9, 99)]
    assert found == [first, first, first, later, later]
    assert store.read(lambda unit: unit.tariffs.in_force("c", 9)) is None


def test_the_calendar_is_replaced_as_a_whole(store: Stores) -> None:
    feast = CalendarDay(date(2026, 10, 1), NamedDay.HOLIDAY, "国庆节")
    worked = CalendarDay(date(2026, 9, 20), NamedDay.WORKDAY)
    store.write(lambda unit: unit.calendar_days.replace((feast, worked)))
    assert store.read(lambda unit: unit.calendar_days.all()) == (worked, feast)
    store.write(lambda unit: unit.calendar_days.replace((feast,)))
    assert store.read(lambda unit: unit.calendar_days.all()) == (feast,)
