"""Paid tickets that nobody hands over: shown to a person once, until they are handed over or paid back."""

from __future__ import annotations

import json
from dataclasses import replace

from edge.retail.ticket import TicketState
from edge.services.await_hand_over import MAX_AT_ONCE, await_hand_overs
from edge.services.counter_rules import HOUR_MS, CounterRules
from edge.services.hand_over_ticket import hand_over_ticket
from edge.services.records import Unit
from edge.services.refund_order import RefundAsk, refund_order
from edge.services.work_items import close_work
from edge.services.work_records import WorkItem, WorkKind
from tests.unit.counter_shop import BOSS, CHEN, COUNTER, TEA, CounterShop


def items(shop: CounterShop) -> list[WorkItem]:
    return list(shop.box.store.read(lambda unit: unit.work_items.open(99, WorkKind.NOT_HANDED_OVER)))


def late(shop: CounterShop, hours: int = 24) -> CounterShop:
    shop.wait(hours * HOUR_MS)
    assert await_hand_overs(shop.box) == ""
    return shop


def test_a_paid_ticket_that_waits_for_a_day_is_shown_to_a_person_once() -> None:
    shop = CounterShop()
    ticket = shop.paid(TEA)
    shop.wait(24 * HOUR_MS - 60_000)
    await_hand_overs(shop.box)
    assert items(shop) == []
    (item,) = items(late(shop, 1))
    facts = {"number": ticket.number, "workstation": COUNTER, "amount_fen": 10_000}
    assert (item.reference, json.loads(item.facts), item.day) == (
        ticket.ticket_id,
        facts,
        ticket.business_day,
    )
    assert items(late(shop)) == [item]


def test_the_counters_rules_say_after_how_long() -> None:
    shop = CounterShop(counter=CounterRules(hand_over_hours=2))
    shop.paid(TEA)
    assert len(items(late(shop, 2))) == 1


def test_who_hands_the_goods_over_closes_it() -> None:
    shop = CounterShop()
    ticket = shop.paid(TEA)
    (item,) = items(late(shop))
    hand_over_ticket(shop.box, COUNTER, ticket.ticket_id, ticket.release_code, CHEN)
    assert items(shop) == []
    closed = shop.box.store.read(lambda unit: unit.work_items.get(item.item_id))
    assert closed is not None
    assert (closed.closed_by, closed.reason) == ("service", "handed over")


def test_a_refund_of_all_of_it_closes_it_and_one_of_a_part_does_not() -> None:
    shop = CounterShop()
    ticket = shop.paid(TEA)
    (item,) = items(late(shop))
    ask = RefundAsk("refund-1", ticket.order_id, COUNTER, "broken", amount_fen=1_000)
    refund_order(shop.box, ask, "anna", BOSS)
    assert items(shop) == [item]
    refund_order(shop.box, RefundAsk("refund-2", ticket.order_id, COUNTER, "broken"), "anna", BOSS)
    assert shop.ticket(ticket).state is TicketState.CANCELLED
    assert items(shop) == []


def test_what_a_person_has_closed_is_not_shown_again() -> None:
    shop = CounterShop()
    shop.paid(TEA)
    (item,) = items(late(shop))
    close_work(shop.box, item.item_id, "anna", "fetched next week")
    assert items(late(shop)) == []


def test_what_is_handed_over_or_not_paid_is_not_shown() -> None:
    shop = CounterShop()
    ticket = shop.paid(TEA)
    hand_over_ticket(shop.box, COUNTER, ticket.ticket_id, ticket.release_code, CHEN)
    shop.issued(TEA)
    assert items(late(shop)) == []


def test_of_more_than_one_turn_holds_every_one_is_reached() -> None:
    shop = CounterShop()
    ticket = shop.paid(TEA)

    def fill(unit: Unit) -> None:
        for at in range(MAX_AT_ONCE):
            unit.tickets.put(replace(ticket, ticket_id=f"x-{at:03d}", code=f"x-{at}", number=f"x-{at}"))

    shop.box.store.write(fill)
    shop.wait(24 * HOUR_MS)
    after = await_hand_overs(shop.box)
    assert len(items(shop)) == MAX_AT_ONCE
    assert await_hand_overs(shop.box, after) == ""
    assert len(items(shop)) == MAX_AT_ONCE + 1
