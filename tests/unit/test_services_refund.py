"""Refunds as people ask for them: what is approved is booked at once, and followed up until it is there."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from edge.errors import Corrupt, Declined, Invalid, Unavailable
from edge.retail.order import OrderState
from edge.retail.refund import MAX_REFUNDS, LegState, Refund, RefundPhase
from edge.services.check_out import cancel_sale
from edge.services.close_shift import begin_count, give_count, look_at_shift
from edge.services.command_records import CommandRecord
from edge.services.obey_command import Command, Means, obey_command
from edge.services.open_shift import open_shift
from edge.services.payment_ports import RefundState
from edge.services.refund_order import (
    RefundAsk,
    RefundQuote,
    approve_request,
    quote_refund,
    refund_order,
    reject_request,
    replace_leg,
    request_refund,
)
from edge.services.refund_slip import reprint_slip
from edge.services.resolve_refunds import resolve_refunds
from edge.services.show_receipt import show_receipt
from edge.services.staff import StaffMember
from edge.services.take_cash import take_cash
from edge.services.work_records import WorkItem
from sim.fakes.box import BREAD, COLA, GATEWAY, KIOSK, RULES, TILL
from sim.fakes.refund_gateway import RefundFault
from tests.unit.shop import Shop

BOSS = StaffMember("Wang", "supervisor", "")
CASHIER = StaffMember("Li", "cashier", "")


@pytest.fixture
def shop() -> Shop:
    return Shop()


def sold(shop: Shop, *goods: str, cash_fen: int = 0, place: str = TILL) -> str:
    """Sell these at the till, for so much cash and the rest by code; return the order's id."""
    order = shop.order_of(*goods, place=place)
    if cash_fen:
        take_cash(shop.box, place, cash_fen)
    if cash_fen < order.total_fen:
        shop.pay(shop.code(), place)
    return order.order_id


def ask(order_id: str, number: str = "refund-1", place: str = TILL, **wish: Any) -> RefundAsk:
    return RefundAsk(number, order_id, place, "破损", **wish)


def give(shop: Shop, order_id: str, number: str = "refund-1", **wish: Any) -> Refund:
    return refund_order(shop.box, ask(order_id, number, **wish), "Li", BOSS)


def quote(shop: Shop, order_id: str) -> RefundQuote:
    return shop.box.store.read(lambda unit: quote_refund(unit, order_id))


def stored(shop: Shop, number: str = "refund-1") -> Refund:
    refund = shop.box.store.read(lambda unit: unit.refunds.get(number))
    assert refund is not None
    return refund


def books(shop: Shop) -> dict[str, int]:
    found = shop.box.store.read(lambda unit: unit.ledger.balances())
    return {account: fen for account, fen in found.items() if fen}


def work_items(shop: Shop) -> tuple[WorkItem, ...]:
    return shop.box.store.read(lambda unit: unit.work_items.open(9))


def resolve(shop: Shop, times: int = 1, pause_ms: int = 400_000) -> None:
    for _ in range(times):
        resolve_refunds(shop.box)
        shop.wait(pause_ms)


def test_all_of_an_order_over_two_tenders_closes_it_to_zero(shop: Shop) -> None:
    order_id = sold(shop, COLA, BREAD, cash_fen=400)
    approved = give(shop, order_id)
    assert [(leg.kind, leg.amount_fen, leg.state.value) for leg in approved.legs] == [
        (GATEWAY, 750, "intended"),
        ("cash", 400, "done"),
    ]
    assert approved.phase is RefundPhase.APPROVED
    assert books(shop) == {f"due/{order_id}": -750, f"tender/{GATEWAY}": 750}
    resolve(shop)
    assert stored(shop).phase is RefundPhase.DONE
    assert books(shop) == {}
    assert shop.ports.gateway.total_fen() == 0
    assert shop.events()[-2:] == ["refund.approved", "refund.done"]
    with pytest.raises(Invalid, match="nothing is left"):
        give(shop, order_id, "refund-2")


def test_goods_and_amounts_are_given_back_in_parts_and_the_rest_closes_to_the_fen(shop: Shop) -> None:
    order_id = sold(shop, COLA, COLA, COLA, BREAD)
    line = quote(shop, order_id).left.lines[0].line
    give(shop, order_id, "r1", quantities={line.line_id: 1})
    give(shop, order_id, "r2", amount_fen=333)
    assert books(shop)["sales/t-drinks"] == -(1_050 - 350 - 155)
    give(shop, order_id, "r3")
    resolve(shop, 2)
    assert books(shop) == {}
    assert [one.amount_fen for one in quote(shop, order_id).refunds] == [350, 333, 1_850 - 683]
    numbers = [one.number for one in quote(shop, order_id).refunds]
    assert numbers == [f"till-1-0001-R{count}" for count in (1, 2, 3)]


def test_sending_the_form_twice_is_one_refund(shop: Shop) -> None:
    order_id = sold(shop, COLA, cash_fen=350)
    first = give(shop, order_id, amount_fen=100)
    assert give(shop, order_id, amount_fen=100) == first
    assert books(shop)["tender/cash"] == 250
    assert shop.events().count("refund.approved") == 1


@pytest.mark.parametrize("approver", [CASHIER, StaffMember("Zhao", "technician", "")])
def test_only_a_supervisor_approves(shop: Shop, approver: StaffMember) -> None:
    order_id = sold(shop, COLA)
    with pytest.raises(Declined, match="needs a supervisor"):
        refund_order(shop.box, ask(order_id), "Li", approver)
    assert quote(shop, order_id).refunds == ()


@pytest.mark.parametrize(
    ("wish", "complaint"),
    [
        ({"amount_fen": 351}, "cannot be given back"),
        ({"amount_fen": 0}, "cannot be given back"),
        ({"quantities": {"nobody": 1}}, "not in this order"),
        ({"quantities": {"nobody": 1}, "amount_fen": 5}, "not both"),
    ],
)
def test_what_is_not_there_is_refused_and_nothing_is_kept(
    shop: Shop, wish: dict[str, Any], complaint: str
) -> None:
    order_id = sold(shop, COLA)
    with pytest.raises(Invalid, match=complaint):
        give(shop, order_id, **wish)
    assert quote(shop, order_id).refunds == ()


def test_a_refund_needs_a_reason_an_order_and_a_workstation(shop: Shop) -> None:
    order_id = sold(shop, COLA)
    for odd in (
        replace(ask(order_id), reason=" "),
        replace(ask(order_id), reason="x" * 81),
        ask("nobody"),
        ask(order_id, place="nowhere"),
    ):
        with pytest.raises(Invalid):
            refund_order(shop.box, odd, "Li", BOSS)


def test_cash_goes_back_only_where_there_is_a_drawer(shop: Shop) -> None:
    order_id = sold(shop, COLA, cash_fen=350)
    with pytest.raises(Declined, match="no cash drawer"):
        give(shop, order_id, place=KIOSK)
    assert give(shop, order_id, place=TILL).phase is RefundPhase.DONE


def test_an_order_has_so_many_refunds_at_most(shop: Shop) -> None:
    order_id = sold(shop, BREAD, cash_fen=800)
    for number in range(MAX_REFUNDS):
        give(shop, order_id, f"r{number}", amount_fen=1)
    with pytest.raises(Declined, match="50 refunds"):
        give(shop, order_id, "one-more", amount_fen=1)


def test_a_refund_long_after_its_day_belongs_to_the_new_day(shop: Shop) -> None:
    order_id = sold(shop, COLA)
    day = shop.stored_order(order_id).business_day
    shop.wait(40 * 24 * 3_600_000)
    refund = give(shop, order_id)
    resolve(shop)
    assert refund.business_day > day
    assert stored(shop).phase is RefundPhase.DONE


@pytest.mark.parametrize(
    "fault", [RefundFault.LOST, RefundFault.NEVER, RefundFault.UNAVAILABLE, RefundFault.LATE]
)
def test_whatever_the_wire_does_money_goes_back_once_under_one_number(shop: Shop, fault: RefundFault) -> None:
    order_id = sold(shop, COLA)
    shop.ports.refunds.fail_next("refund", fault)
    number = give(shop, order_id).legs[0].merchant_refund_no
    resolve(shop)
    assert stored(shop).legs[0].state is LegState.UNKNOWN
    resolve(shop)
    shop.ports.refunds.deliver_late()
    assert shop.ports.refunds.given_fen() == {number: 350}
    assert stored(shop).phase is RefundPhase.DONE
    assert books(shop) == {}


def test_a_refund_on_its_way_is_asked_about_ever_more_slowly(shop: Shop) -> None:
    order_id = sold(shop, COLA)
    shop.ports.refunds.slow_queries = 9
    give(shop, order_id)
    pauses = []
    for _ in range(9):
        before = shop.box.clock.now().wall_at
        resolve(shop, pause_ms=0)
        pauses.append(stored(shop).legs[0].next_step_at - before)
        shop.wait(pauses[-1])
    assert stored(shop).legs[0].state is LegState.PROCESSING
    assert pauses == sorted(pauses)
    assert pauses[0] == shop.box.rules.poll_ms
    assert pauses[-1] == 300_000
    assert resolve_refunds(shop.box) == 1
    assert resolve_refunds(shop.box) == 0


def test_a_restart_asks_at_once_and_sends_nothing_twice(shop: Shop) -> None:
    order_id = sold(shop, COLA)
    shop.ports.refunds.fail_next("refund", RefundFault.LOST)
    give(shop, order_id)
    resolve_refunds(shop.box)
    assert resolve_refunds(shop.box) == 0
    shop.restart()
    assert resolve_refunds(shop.box) == 1
    assert sum(shop.ports.refunds.given_fen().values()) == 350
    assert stored(shop).phase is RefundPhase.DONE


def test_what_cannot_reach_the_shopper_calls_a_person_who_gives_cash(shop: Shop) -> None:
    order_id = sold(shop, COLA)
    shop.ports.refunds.fail_next("refund", RefundFault.ABNORMAL)
    leg = give(shop, order_id).legs[0]
    resolve(shop, 3)
    assert [item.kind.value for item in work_items(shop)] == ["refund_stuck"]
    assert shop.events().count("refund.stuck") == 1
    with pytest.raises(Declined, match="settle it at the gateway"):
        replace_leg(shop.box, "refund-1", leg.leg_id, BOSS)
    replace_leg(shop.box, "refund-1", leg.leg_id, BOSS, cash_at=TILL)
    assert stored(shop).phase is RefundPhase.DONE
    assert work_items(shop) == ()
    assert books(shop) == {"tender/cash": -350, f"tender/{GATEWAY}": 350}
    with pytest.raises(Declined, match="needs no other way"):
        replace_leg(shop.box, "refund-1", leg.leg_id, BOSS, cash_at=TILL)


def test_what_came_to_nothing_goes_once_more_under_a_new_number(shop: Shop) -> None:
    order_id = sold(shop, COLA)
    shop.ports.refunds.fail_next("refund", RefundFault.CLOSED)
    leg = give(shop, order_id).legs[0]
    resolve(shop)
    replace_leg(shop.box, "refund-1", leg.leg_id, BOSS)
    resolve(shop)
    old, new = stored(shop).legs
    assert (old.state, new.state) == (LegState.REPLACED, LegState.DONE)
    assert old.merchant_refund_no != new.merchant_refund_no
    assert books(shop) == {}


def test_cash_is_not_given_for_money_that_arrived_meanwhile_or_that_nobody_can_ask_about(shop: Shop) -> None:
    order_id = sold(shop, COLA)
    shop.ports.refunds.fail_next("refund", RefundFault.ABNORMAL)
    leg = give(shop, order_id).legs[0]
    resolve(shop)
    shop.ports.refunds.fail_next("query", RefundFault.UNAVAILABLE)
    with pytest.raises(Unavailable):
        replace_leg(shop.box, "refund-1", leg.leg_id, BOSS, cash_at=TILL)
    shop.ports.refunds.finish(leg.merchant_refund_no, RefundState.DONE)
    with pytest.raises(Declined, match="done"):
        replace_leg(shop.box, "refund-1", leg.leg_id, BOSS, cash_at=TILL)
    assert stored(shop).phase is RefundPhase.DONE
    assert work_items(shop) == ()
    assert books(shop) == {}


def test_a_merchant_without_money_calls_a_person_and_the_same_number_goes_again(shop: Shop) -> None:
    order_id = sold(shop, COLA)
    shop.ports.refunds.fail_next("refund", RefundFault.POOR)
    number = give(shop, order_id).legs[0].merchant_refund_no
    resolve(shop, pause_ms=0)
    assert len(work_items(shop)) == 1
    resolve(shop, 2)
    assert shop.ports.refunds.given_fen() == {number: 350}
    assert (work_items(shop), stored(shop).phase) == ((), RefundPhase.DONE)


def test_an_order_that_is_paid_in_part_is_given_up_by_giving_the_part_back(shop: Shop) -> None:
    order = shop.order_of(COLA, BREAD, place=TILL)
    take_cash(shop.box, TILL, 400)
    with pytest.raises(Invalid, match="refund it first"):
        cancel_sale(shop.box, TILL)
    with pytest.raises(Invalid, match="not paid in full"):
        give(shop, order.order_id, amount_fen=100)
    give(shop, order.order_id)
    assert shop.stored_order(order.order_id).state is OrderState.CANCELLED
    assert shop.screen(TILL)["screen"] == "attract"
    assert books(shop) == {}
    assert shop.events()[-3:] == ["order.cancelled", "refund.approved", "refund.done"]


def test_an_order_with_a_payment_on_its_way_is_not_given_up(shop: Shop) -> None:
    order = shop.order_of(COLA, BREAD, place=TILL)
    take_cash(shop.box, TILL, 400)
    shop.pay(shop.code(asks=True), TILL)
    with pytest.raises(Invalid, match="on its way"):
        give(shop, order.order_id)
    assert quote(shop, order.order_id).refunds == ()


def requested(shop: Shop, order_id: str, **wish: Any) -> Refund:
    now = shop.box.clock.now()
    one = ask(order_id, place=KIOSK, **wish)
    return shop.box.store.write(lambda unit: request_refund(unit, shop.box, one, "HQ: Ms Li", now))


def test_a_request_moves_no_money_until_a_supervisor_says_yes(shop: Shop) -> None:
    order_id = sold(shop, COLA, cash_fen=350)
    before = books(shop)
    assert requested(shop, order_id).phase is RefundPhase.REQUESTED
    assert requested(shop, order_id).phase is RefundPhase.REQUESTED
    resolve(shop)
    assert books(shop) == before
    assert shop.events().count("refund.requested") == 1
    with pytest.raises(Declined):
        approve_request(shop.box, "refund-1", TILL, CASHIER)
    done = approve_request(shop.box, "refund-1", TILL, BOSS)
    assert (done.phase, done.decided_by, done.workstation) == (RefundPhase.DONE, "Wang", TILL)
    with pytest.raises(Invalid, match="done already"):
        approve_request(shop.box, "refund-1", TILL, BOSS)


def test_a_request_is_turned_down_for_good(shop: Shop) -> None:
    order_id = sold(shop, COLA)
    requested(shop, order_id)
    assert reject_request(shop.box, "refund-1", BOSS).phase is RefundPhase.REJECTED
    with pytest.raises(Invalid, match="rejected already"):
        approve_request(shop.box, "refund-1", TILL, BOSS)
    assert shop.events()[-1] == "refund.rejected"
    assert quote(shop, order_id).left.amount_fen == 350


def test_a_request_for_what_was_given_back_meanwhile_is_refused(shop: Shop) -> None:
    order_id = sold(shop, COLA)
    requested(shop, order_id)
    give(shop, order_id, "refund-2", amount_fen=1)
    with pytest.raises(Invalid, match="other refunds took"):
        approve_request(shop.box, "refund-1", TILL, BOSS)


def test_a_slip_is_queued_with_the_drawer_once_and_again_without_it(shop: Shop) -> None:
    order_id = sold(shop, COLA, cash_fen=350)
    give(shop, order_id)
    reprint_slip(shop.box, "refund-1")
    papers = shop.box.store.read(lambda unit: unit.papers.of("refund-1"))
    assert [paper.drawer_until is not None for paper in papers] == [True, False]
    assert "till-1-0001-R1" in papers[0].blocks
    assert "Wang" in papers[0].blocks
    with pytest.raises(Invalid):
        reprint_slip(shop.box, "nobody")


def test_a_refund_whose_payment_is_not_in_the_store_stops_and_the_others_go_on(shop: Shop) -> None:
    first, second = sold(shop, COLA), sold(shop, BREAD)
    give(shop, first, "r1")
    give(shop, second, "r2")
    tender = shop.stored_order(first).tenders[0]
    del shop.ports.store._committed.attempts[tender.attempt_id]  # type: ignore[attr-defined]
    with pytest.raises(Corrupt, match="no payment behind"):
        resolve_refunds(shop.box)
    assert stored(shop, "r2").phase is RefundPhase.DONE


def commanded(shop: Shop, command_id: str = "cmd-1", **arguments: str) -> CommandRecord:
    at = shop.box.clock.now().wall_at
    command = Command(command_id, "refund_request", "Ms Li", at, at + 30_000, arguments)
    return obey_command(shop.box, Means(lambda name: {}), command).record


def test_hq_asks_for_a_refund_and_a_supervisor_here_decides(shop: Shop) -> None:
    order_id = sold(shop, COLA, cash_fen=350)
    record = commanded(shop, order_id=order_id, reason="质量问题", amount_fen="100")
    assert commanded(shop, order_id=order_id, reason="质量问题", amount_fen="100") == record
    [refund] = quote(shop, order_id).refunds
    assert json.loads(record.result) == {
        "refund_id": refund.refund_id,
        "number": refund.number,
        "amount_fen": 100,
    }
    assert (refund.phase, refund.requested_by) == (RefundPhase.REQUESTED, "HQ: Ms Li")
    assert books(shop)["tender/cash"] == 350
    assert approve_request(shop.box, refund.refund_id, TILL, BOSS).phase is RefundPhase.DONE
    assert books(shop)["tender/cash"] == 250


def test_what_hq_asks_for_and_cannot_be_is_refused_with_a_reason(shop: Shop) -> None:
    order_id = sold(shop, COLA)
    odd: list[tuple[dict[str, str], str]] = [
        ({"order_id": "nobody", "reason": "x"}, "no_refund"),
        ({"order_id": order_id, "reason": "x", "amount_fen": "351"}, "no_refund"),
        ({"order_id": order_id, "reason": "x", "amount_fen": "many"}, "no_refund"),
        ({"order_id": order_id, "reason": "x" * 81}, "no_refund"),
        ({"order_id": order_id}, "bad_arguments"),
    ]
    for number, (arguments, reason) in enumerate(odd):
        assert commanded(shop, f"cmd-{number}", **arguments).reason == reason
    assert quote(shop, order_id).refunds == ()


def test_the_receipts_page_tells_what_was_given_back(shop: Shop) -> None:
    order_id = sold(shop, COLA)
    receipt = shop.receipt(order_id)
    assert receipt is not None

    def told() -> object:
        page = show_receipt(shop.box, receipt.token)
        return page["refunds"] if page else None

    assert told() == []
    give(shop, order_id, amount_fen=100)
    number = "till-1-0001-R1"
    assert told() == [{"number": number, "amount_fen": 100, "done": False}]
    resolve(shop)
    assert told() == [{"number": number, "amount_fen": 100, "done": True}]


def test_a_refund_after_its_shift_was_closed_belongs_to_the_shift_that_gives_the_cash() -> None:
    shop = Shop(replace(RULES, cash_needs_shift=True))
    open_shift(shop.box, TILL, "Li", 10_000)
    order_id = sold(shop, COLA, cash_fen=350)
    begin_count(shop.box, TILL)
    first = give_count(shop.box, TILL, {}, 10_350, "Li")
    with pytest.raises(Declined, match="no shift is open"):
        give(shop, order_id)
    assert quote(shop, order_id).refunds == ()
    shop.wait(60_000)
    second = open_shift(shop.box, TILL, "Zhao", 10_000)
    give(shop, order_id)
    now = shop.box.clock.now()
    before, after = (
        shop.box.store.read(lambda unit, one=shift: look_at_shift(unit, one, now))
        for shift in (first, second)
    )
    assert (before.drawer_fen, before.taken_fen) == (10_350, 350)
    assert (after.drawer_fen, after.taken_fen) == (9_650, -350)
    assert [(one.refunds, one.refunded_fen) for one in after.tenders] == [(1, 350)]
