"""What is checked of counter tickets can fail: lost, doubled and unpaid hand-overs are seen."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from edge.retail.ticket import Ticket, TicketEnd, TicketState
from sim.world.people.counters import COUNTER, DAY, counter_scenarios, ticket_violations
from sim.world.scenarios import KIOSK_BY_CODE
from sim.world.world import World

Event = dict[str, Any]

PAID, RACE, CODE, GIVEN_UP, CASH_BACK = counter_scenarios()


def told(world: World) -> list[Event]:
    return [json.loads(message.body) for message in world.hq.applied]


def tickets(world: World) -> tuple[Ticket, ...]:
    return world.store.read(lambda unit: unit.tickets.of_day(COUNTER, DAY, 9))


def of_kind(events: list[Event], kind: str) -> list[Event]:
    return [one for one in events if one["type"] == f"cn.mall.{kind}.v1"]


@pytest.fixture
def world() -> World:
    return World(RACE, 1).run()


@pytest.mark.parametrize("scenario", [PAID, RACE, CODE, GIVEN_UP, CASH_BACK], ids=lambda one: one.name)
def test_a_run_without_mistakes_has_none(scenario: Any) -> None:
    world = World(scenario, 1).run()
    assert list(ticket_violations(world, told(world))) == []
    state = TicketState.CANCELLED if scenario is GIVEN_UP else TicketState.HANDED_OVER
    assert [one.state for one in tickets(world)] == [state]


def test_who_brings_goods_back_is_given_cash_for_what_the_gateway_closed() -> None:
    (done,) = of_kind(told(World(CASH_BACK, 1).run()), "refund.done")
    assert sorted((leg["kind"], leg["state"]) for leg in done["data"]["legs"]) == [
        ("cash", "done"),
        ("wechat_pay", "replaced"),
    ]


@pytest.mark.parametrize("kind", ["ticket.handed_over", "ticket.price_overridden"])
def test_what_was_told_twice_or_never_is_seen(world: World, kind: str) -> None:
    events = told(world)
    (one,) = of_kind(events, kind)
    assert list(ticket_violations(world, [*events, one]))
    assert list(ticket_violations(world, [other for other in events if other is not one]))


def test_a_ticket_of_an_order_that_is_not_paid_is_seen(world: World) -> None:
    events = [one for one in told(world) if one not in of_kind(told(world), "order.paid")]
    assert any("belong to" in line for line in ticket_violations(world, events))


@pytest.mark.parametrize(
    "change",
    [
        lambda one: replace(one, release_code="123456"),
        lambda one: replace(one, state=TicketState.PAID, release_code="123456"),
        lambda one: replace(one, state=TicketState.CANCELLED, end=TicketEnd.EXPIRED),
    ],
    ids=["its code still holds", "never handed over", "cancelled after all"],
)
def test_a_ticket_that_contradicts_what_was_told_is_seen(
    world: World, change: Callable[[Ticket], Ticket]
) -> None:
    (ticket,) = tickets(world)
    world.store.write(lambda unit: unit.tickets.put(change(ticket)))
    assert list(ticket_violations(world, told(world)))


def test_a_slip_that_was_never_printed_is_seen(world: World) -> None:
    (ticket,) = tickets(world)
    other = replace(ticket, ticket_id=f"{ticket.ticket_id[:-1]}x", code="other", number="C01-9999")
    world.store.write(lambda unit: unit.tickets.put(other))
    assert any("0 slips" in line for line in ticket_violations(world, told(world)))


def test_a_hand_over_that_wechat_was_not_told_of_is_seen() -> None:
    world = World(PAID, 1).run()
    assert world.program.hand_overs
    world.program.hand_overs.clear()
    assert any("WeChat" in line for line in ticket_violations(world, told(world)))


def test_worlds_without_a_counter_have_nothing_to_say() -> None:
    other = World(KIOSK_BY_CODE, 1).run()
    assert list(ticket_violations(other, told(other))) == []
