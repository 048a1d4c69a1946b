"""What every store promises of counter tickets: they come back as written, and are found as people look."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from edge.errors import Corrupt
from edge.retail.basket import LineItem
from edge.retail.ticket import PriceOverride, Ticket, TicketEnd, TicketState
from edge.services.ticket_records import CounterDesk
from edge.store.sqlite_store import SqliteStore
from sim.fakes.store import FakeStore

Stores = FakeStore | SqliteStore

TEA = LineItem("l1", "tea", "t-tea", "龙井", "Tea", "6901", 2, 9_000, 18_000)
HAM = LineItem("l2", "ham", "t-tea", "火腿", "Ham", "2100", 1, 12_800, 6_400, 500, 18)
FIRST = Ticket("01-a", "code-a", "C01-0007", "C01", "t-tea", "g1", "2026-11-22", 1_000)
ISSUED = replace(
    FIRST,
    state=TicketState.ISSUED,
    lines=(TEA, HAM),
    overrides=(PriceOverride("l1", 10_000, 9_000, "g1", "VIP", 1_100, "王"),),
    cleared_age=18,
    changed_at=1_200,
    issued_at=1_200,
    expires_at=9_000,
    member_id="m1",
)


@pytest.fixture(params=["fake", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stores]:
    made = FakeStore() if request.param == "fake" else SqliteStore(tmp_path / "edge.db", 1)
    yield made
    made.close()


def put(store: Stores, *tickets: Ticket) -> None:
    for one in tickets:
        store.write(lambda unit, one=one: unit.tickets.put(one))  # type: ignore[misc]


def another(ticket: Ticket, name: str, **changes: object) -> Ticket:
    number = f"C01-{len(name):04d}{name}"
    made = replace(ticket, ticket_id=f"02-{name}", code=f"code-{name}", number=number)
    return replace(made, **changes)  # type: ignore[arg-type]


def ids(tickets: tuple[Ticket, ...]) -> list[str]:
    return [one.ticket_id for one in tickets]


def test_a_ticket_comes_back_as_it_was_written(store: Stores) -> None:
    put(store, ISSUED)
    assert store.read(lambda unit: unit.tickets.get("01-a")) == ISSUED
    assert store.read(lambda unit: unit.tickets.by_code("code-a")) == ISSUED
    assert store.read(lambda unit: unit.tickets.get("01-b")) is None
    assert store.read(lambda unit: unit.tickets.by_code("code-b")) is None

    paid = replace(ISSUED, state=TicketState.PAID, order_id="o1", paid_at=1_300, release_code="012345")
    gone = replace(
        *(paid,),
        state=TicketState.HANDED_OVER,
        release_code="",
        wrong_codes=2,
        closed_at=1_400,
        closed_by="g1",
    )
    put(store, paid, gone)
    assert store.read(lambda unit: unit.tickets.get("01-a")) == gone


def test_lines_and_lowered_prices_are_those_written_last(store: Stores) -> None:
    put(store, ISSUED, replace(ISSUED, lines=(HAM,), overrides=()))
    kept = store.read(lambda unit: unit.tickets.get("01-a"))
    assert kept is not None
    assert (kept.lines, kept.overrides) == ((HAM,), ())


def test_where_and_by_whom_it_was_opened_stays(store: Stores) -> None:
    put(
        store,
        FIRST,
        replace(FIRST, counter="C02", guide_id="g2", code="x", number="y", opened_at=5, changed_at=7),
    )
    assert store.read(lambda unit: unit.tickets.get("01-a")) == replace(FIRST, changed_at=7)


@pytest.mark.parametrize("clash", [{"code": "code-a"}, {"number": "C01-0007"}])
def test_a_code_and_the_number_of_a_day_are_taken_once(store: Stores, clash: dict[str, str]) -> None:
    put(store, FIRST)
    with pytest.raises(Corrupt):
        put(store, replace(another(FIRST, "b"), **clash))  # type: ignore[arg-type]
    put(store, replace(another(FIRST, "b"), number="C01-0007", business_day="2026-11-23"))
    newest = store.read(lambda unit: unit.tickets.by_number("C01-0007"))
    assert newest is not None
    assert newest.business_day == "2026-11-23"


def test_issued_tickets_are_found_by_the_end_of_their_number_and_by_member(store: Stores) -> None:
    other = replace(another(ISSUED, "b"), number="C02-1007", member_id="")
    put(
        store,
        ISSUED,
        other,
        another(FIRST, "open"),
        another(ISSUED, "c", state=TicketState.CANCELLED, end=TicketEnd.EXPIRED),
    )

    assert ids(store.read(lambda unit: unit.tickets.find("007", 5))) == ["02-b", "01-a"]
    assert ids(store.read(lambda unit: unit.tickets.find("C01-0007", 5))) == ["01-a"]
    assert ids(store.read(lambda unit: unit.tickets.find("", 1))) == ["02-b"]
    assert ids(store.read(lambda unit: unit.tickets.find("%", 5))) == []
    assert ids(store.read(lambda unit: unit.tickets.of_member("m1", 5))) == ["01-a"]
    assert ids(store.read(lambda unit: unit.tickets.of_member("", 5))) == []


def test_an_orders_tickets_come_by_number(store: Stores) -> None:
    put(
        store,
        *(another(ISSUED, name, order_id="o1", number=name) for name in ("z", "y")),
        another(ISSUED, "x"),
    )
    assert ids(store.read(lambda unit: unit.tickets.of_order("o1"))) == ["02-y", "02-z"]
    assert ids(store.read(lambda unit: unit.tickets.of_order(""))) == []


def test_a_counter_sees_what_it_works_on_and_its_day(store: Stores) -> None:
    given_up = another(FIRST, "d", state=TicketState.CANCELLED, end=TicketEnd.GIVEN_UP)
    away = another(FIRST, "e", counter="C02")
    before = another(FIRST, "f", business_day="2026-11-21")
    put(store, FIRST, given_up, away, before)

    assert ids(store.read(lambda unit: unit.tickets.open_of("C01"))) == ["02-f", "01-a"]
    assert ids(store.read(lambda unit: unit.tickets.of_day("C01", "2026-11-22", 5))) == ["02-d", "01-a"]
    assert ids(store.read(lambda unit: unit.tickets.of_day("C01", "2026-11-22", 1))) == ["02-d"]


def test_due_is_what_nobody_paid_in_time_and_what_nobody_wrote_on(store: Stores) -> None:
    put(
        store,
        ISSUED,
        another(ISSUED, "b", expires_at=8_000, changed_at=900),
        another(ISSUED, "c", order_id="o1"),
    )
    put(store, another(ISSUED, "d", expires_at=9_001), another(FIRST, "e", changed_at=500))
    put(store, another(FIRST, "f", changed_at=501))

    assert ids(store.read(lambda unit: unit.tickets.due(9_000, 500, 5))) == ["02-e", "02-b", "01-a"]
    assert ids(store.read(lambda unit: unit.tickets.due(9_000, 499, 1))) == ["02-b"]


def test_what_waits_for_its_hand_over_comes_by_id_page_by_page(store: Stores) -> None:
    paid = replace(ISSUED, state=TicketState.PAID, paid_at=5_000, order_id="o1")
    gone = another(paid, "e", state=TicketState.HANDED_OVER, closed_at=6_000)
    put(store, paid, another(paid, "c"), another(paid, "b"), another(paid, "d", paid_at=5_001), gone)

    assert ids(store.read(lambda unit: unit.tickets.waiting(5_000, "", 9))) == ["01-a", "02-b", "02-c"]
    assert ids(store.read(lambda unit: unit.tickets.waiting(5_000, "01-a", 1))) == ["02-b"]
    assert ids(store.read(lambda unit: unit.tickets.waiting(5_000, "02-c", 9))) == []


def test_a_desk_is_empty_until_it_is_written(store: Stores) -> None:
    assert store.read(lambda unit: unit.tickets.desk("C01")) == CounterDesk("C01")
    store.write(lambda unit: unit.tickets.put_desk(CounterDesk("C01", "g1", "01-a")))
    store.write(lambda unit: unit.tickets.put_desk(CounterDesk("C01", "g2", "")))
    assert store.read(lambda unit: unit.tickets.desk("C01")) == CounterDesk("C01", "g2", "")
