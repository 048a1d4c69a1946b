"""The world itself: no port call without its steps, and no check that cannot fail."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any, Protocol

import pytest

from edge.retail.attempt import AttemptState
from edge.retail.ledger import Entry, Posting
from edge.retail.reconcile import DifferenceKind
from edge.services import payment_ports, phone_ports, ports
from edge.services.payment_ports import CodePayment, RefundRequest
from edge.services.ports import Store
from edge.services.records import Unit
from edge.services.work_records import WorkItem, WorkKind
from sim.fakes.box import KIOSK
from sim.fakes.gateway import Shopper
from sim.fakes.store import FakeStore
from sim.world.checks import violations
from sim.world.people.phone_shoppers import phone_scenarios
from sim.world.scenarios import (
    BILL,
    KIOSK_BY_CODE,
    LEFT_THEN_PAID,
    OVERTAKEN,
    REFUND_ABNORMAL,
    RETURNED,
    SHIFT,
    TILL_BY_CASH,
)
from sim.world.steps import RECORDS, Crash, SteppedStore, Steps, stepped
from sim.world.world import World


def protocols(module: object) -> list[type]:
    found = [one for one in vars(module).values() if inspect.isclass(one)]
    return [one for one in found if getattr(one, "_is_protocol", False) and one.__module__ == module.__name__]  # type: ignore[attr-defined]


PORTS = [
    one for module in (ports, payment_ports, phone_ports) for one in protocols(module) if one is not Store
]


class Anything:
    """Answers every call with its name."""

    name = "anything"

    def __getattr__(self, called: str) -> Callable[..., str]:
        return lambda *arguments, **named: called


def calls_of(port: type) -> list[str]:
    functions = [name for name, value in vars(port).items() if inspect.isfunction(value)]
    return [name for name in functions if not name.startswith("_")]


def test_there_are_ports_to_look_at() -> None:
    names = {port.__name__ for port in PORTS}
    assert {"Clock", "IdSource", "PaymentGateway", "HqLink", "Gate", "Printer", "Scanner"} <= names
    assert {"Camera", "Display"} <= names
    assert Protocol not in PORTS


@pytest.mark.parametrize("port", PORTS, ids=lambda port: port.__name__)
def test_every_call_of_every_port_has_a_step_before_and_after(port: type) -> None:
    calls = calls_of(port)
    assert calls
    for call in calls:
        steps = Steps()
        proxy: Any = stepped(Anything(), "port", steps)
        assert getattr(proxy, call)() == call
        assert steps.names == [f"port.{call} before", f"port.{call} after"]


def test_a_call_that_raises_has_a_step_after_it_too() -> None:
    class Broken:
        def read(self) -> None:
            raise ValueError("no")

    steps = Steps()
    with pytest.raises(ValueError, match="no"):
        stepped(Broken(), "port", steps).read()
    assert steps.names == ["port.read before", "port.read after ValueError"]


def test_a_crash_before_a_call_has_no_effect_and_one_after_it_has() -> None:
    for at, effect in ((1, []), (2, ["charged"])):
        done: list[str] = []

        class Port:
            def act(self, into: list[str] = done) -> None:
                into.append("charged")

        with pytest.raises(Crash):
            stepped(Port(), "port", Steps([at])).act()
        assert done == effect


def test_the_worlds_box_has_no_port_without_steps() -> None:
    box = World(phone_scenarios()[0]).box
    for field in fields(box):
        value = getattr(box, field.name)
        by_name = field.name in {"gateways", "printers", "refunders", "prepayers", "autopayers", "splitters"}
        found = list(value.values()) if by_name else [value]
        settings = {"origin", "workstations", "rules", "changed", "closed", "parking", "wake_lane"}
        settings |= {"touch", "members", "phone", "tenants", "counter", "scan_and_go", "pictures"}
        if field.name not in settings:
            names = {type(one).__name__ for one in found}
            assert names <= {"_Stepped", "SteppedStore"}, field.name


def test_every_record_of_a_unit_has_a_step_before_each_call() -> None:
    properties = [name for name, value in vars(Unit).items() if isinstance(value, property)]
    assert sorted(properties) == sorted(RECORDS)
    steps = Steps()
    store = SteppedStore(FakeStore(), steps)
    store.write(lambda unit: unit.orders.take_number("d") and unit.landings.pages())
    assert steps.names == [
        "store.write before",
        "unit.orders.take_number",
        "unit.landings.pages",
        "store.write after",
    ]


def test_a_crash_inside_a_transaction_keeps_nothing_and_one_after_it_keeps_all() -> None:
    def work(unit: Unit) -> None:
        unit.orders.take_number("2026-11-22")
        unit.orders.take_number("2026-11-22")

    for at, next_number in ((1, 1), (2, 1), (3, 1), (4, 3)):
        inner = FakeStore()
        with pytest.raises(Crash):
            SteppedStore(inner, Steps([at])).write(work)
        assert inner.write(lambda unit: unit.orders.take_number("2026-11-22")) == next_number, at


# No check that cannot fail: each is shown a world in which that very thing went wrong.


def finished() -> World:
    world = World(KIOSK_BY_CODE).run()
    assert violations(world) == []
    return world


def charge(world: World, number: str) -> None:
    world.gateway.show_code("139999999999999999", Shopper("openid-x", 10_000))
    payment = CodePayment(number, 990, "x", "139999999999999999", KIOSK)
    world.gateway.pay_by_code(payment)


def told(world: World, kind: str, **changes: object) -> None:
    """Change what HQ was told in the event of that kind."""
    for index, message in enumerate(world.hq.applied):
        if message.kind == kind:
            body = json.loads(message.body)
            body["data"] |= changes
            world.hq.applied[index] = replace(message, body=json.dumps(body).encode())


def test_money_that_nobody_was_told_of_is_seen() -> None:
    world = finished()
    charge(world, "nobodys")
    assert any("nobody was told" in line for line in violations(world))
    assert any("the books hold 990 fen, the gateway 1980" in line for line in violations(world))


def test_an_order_charged_twice_is_seen() -> None:
    world = finished()
    charge(world, "second")
    first = next(one for one in world.hq.applied if one.kind == "payment.approved")
    body = json.loads(first.body)
    body["data"]["merchant_order_no"] = "second"
    world.hq.applied.append(replace(first, body=json.dumps(body).encode()))
    assert any("was charged 2 times" in line for line in violations(world))


def test_an_approval_without_money_is_seen() -> None:
    world = finished()
    world.gateway.reverse(next(iter(world.gateway.asked)))
    assert any("told 990 fen, the gateway took 0" in line for line in violations(world))


def test_money_for_an_order_that_is_not_paid_is_seen() -> None:
    world = finished()
    world.hq.applied[:] = [one for one in world.hq.applied if one.kind != "order.paid"]
    assert any("not paid" in line for line in violations(world))


def test_a_lost_and_a_doubled_event_are_seen() -> None:
    world = finished()
    world.hq.applied.append(world.hq.applied[0])
    assert any("twice" in line for line in violations(world))
    del world.hq.applied[-2:]
    assert any("committed were" in line for line in violations(world))


def test_a_gap_in_the_sequences_is_seen() -> None:
    world = finished()
    del world.history.events[1]
    del world.hq.applied[1]
    assert any("gap" in line for line in violations(world))


def test_totals_that_differ_are_seen() -> None:
    world = finished()
    told(world, "order.paid", total_fen=991)
    found = violations(world)
    assert any("fen of tenders" in line for line in found)
    assert any("the books have sales" in line for line in found)


def test_books_that_do_not_sum_to_zero_are_seen() -> None:
    world = finished()
    entries = (Entry("sales/x", 5), Entry("due/x", -5))
    posting = Posting("p", "odd", "odd", 0, entries)
    object.__setattr__(posting, "entries", entries[:1])
    world.store.write(lambda unit: unit.ledger.post(posting))
    assert any("the ledger sums to 5" in line for line in violations(world))


def test_cash_that_nobody_handed_over_is_seen() -> None:
    world = World(TILL_BY_CASH).run()
    posting = Posting("p", "odd", "odd", 0, (Entry("tender/cash", 5), Entry("sales/x", -5)))
    world.store.write(lambda unit: unit.ledger.post(posting))
    assert any("995 fen of cash, 990 lie in the drawers" in line for line in violations(world))


def test_a_second_paper_and_a_missing_one_are_seen() -> None:
    world = World(TILL_BY_CASH).run()
    papers = world.printers["till-1"].printed
    papers.append(papers[0])
    assert any("has 2 papers" in line for line in violations(world))
    papers.clear()
    assert any("papers of []" in line for line in violations(world))


def returned() -> World:
    world = World(RETURNED).run()
    assert violations(world) == []
    return world


def test_a_refund_that_nobody_was_told_of_is_seen() -> None:
    world = World(KIOSK_BY_CODE).run()
    order_no = next(iter(world.gateway.asked))
    world.refunds.refund(RefundRequest(order_no, "nobodys-refund", 10, 990))
    found = violations(world)
    assert any("the gateway gave {'nobodys-refund': 10}" in line for line in found)
    assert any("the books hold 990 fen, the gateway 980" in line for line in found)


def test_a_refund_that_was_told_and_not_given_is_seen() -> None:
    world = returned()
    world.hq.applied.append(next(one for one in world.hq.applied if one.kind == "refund.done"))
    assert any("more was given back than was taken" in line for line in violations(world))
    world.hq.applied[:] = [one for one in world.hq.applied if one.kind != "refund.done"]
    found = violations(world)
    assert any("approved were" in line for line in found)
    assert any("HQ heard of refunds {}" in line for line in found)


def test_a_refund_whose_legs_do_not_sum_is_seen() -> None:
    world = returned()
    told(world, "refund.done", amount_fen=1)
    found = violations(world)
    assert any("its legs do not sum" in line for line in found)
    assert any("its lines do not sum" in line for line in found)


def item(world: World, kind: WorkKind, reference: str, facts: str = "{}") -> None:
    world.store.write(lambda unit: unit.work_items.put(WorkItem(reference, kind, reference, 0, facts)))


def test_money_that_the_bill_alone_told_of_is_accepted_in_its_amount_only() -> None:
    for billed_fen, accepted in ((990, True), (989, False)):
        world = finished()
        charge(world, "nobodys")
        facts = {"reference": "nobodys", "kind": "status", "channel_fen": billed_fen, "local_fen": 0}
        item(world, WorkKind.BILL_DIFFERENCE, "nobodys", json.dumps(facts))
        assert any("nobody was told" in line for line in violations(world)) is not accepted
        assert any("the books hold" in line for line in violations(world)) is not accepted


def test_money_that_went_back_unseen_is_seen() -> None:
    world = World(OVERTAKEN[1]).run()
    assert violations(world) == []
    told(world, "payment.refunded", attempt_id="another")
    assert any("nobody looks at it" in line for line in violations(world))


def test_an_order_paid_behind_its_shopper_without_a_work_item_is_seen() -> None:
    world = World(LEFT_THEN_PAID).run()
    assert violations(world) == []
    assert [one.kind for one in world.store.read(lambda unit: unit.work_items.open(9))] == [
        WorkKind.LATE_PAYMENT
    ]
    bought = World(KIOSK_BY_CODE).run()
    bought.people[0].has_paid = False
    assert any("1 orders were paid behind their shoppers, 0" in line for line in violations(bought))
    item(bought, WorkKind.LATE_PAYMENT, "nobodys")
    assert any("were not approved" in line for line in violations(bought))


def test_a_refund_that_came_to_nothing_unseen_is_seen() -> None:
    world = World(REFUND_ABNORMAL).run()
    assert violations(world) == []
    done = next(one for one in world.hq.applied if one.kind == "refund.done" and b'"replaced"' in one.body)
    legs = json.loads(done.body)["data"]["legs"]
    world = World(KIOSK_BY_CODE).run()
    world.hq.applied.append(done)
    assert any(legs[0]["merchant_refund_no"] in line and "nobody" in line for line in violations(world))


def shifted() -> World:
    world = World(SHIFT).run()
    assert violations(world) == []
    return world


def test_a_drawer_that_is_off_and_a_number_that_is_missing_are_seen() -> None:
    world = shifted()
    told(world, "shift.closed", over_short_fen=-5, number=2)
    found = violations(world)
    assert any("the drawer is off by [-5]" in line for line in found)
    assert any("the Z numbers are [2]" in line for line in found)


def test_cash_that_no_shift_has_is_seen() -> None:
    world = shifted()
    entries = (Entry("tender/cash", 5), Entry("due/x", -5))
    world.store.write(lambda unit: unit.ledger.post(Posting("p", "odd", "odd", 0, entries)))
    assert any("fen were counted, the books have" in line for line in violations(world))


def test_a_shift_that_was_not_closed_is_seen() -> None:
    world = shifted()
    world.hq.applied[:] = [one for one in world.hq.applied if one.kind != "shift.closed"]
    assert any("were opened, [] closed" in line for line in violations(world))


def compared() -> World:
    world = World(BILL).run()
    assert violations(world) == []
    assert len(world.bill.planted) == 3
    return world


def test_a_difference_that_was_missed_and_one_that_is_none_are_seen() -> None:
    world = compared()
    world.bill.planted.add(("missed", DifferenceKind.AMOUNT))
    assert any("the comparison found" in line for line in violations(world))
    world = compared()
    world.bill.planted.pop()
    assert any("the comparison found" in line for line in violations(world))


def test_a_payment_of_the_bill_that_is_not_marked_is_seen() -> None:
    world = compared()
    world.bill.day = "2026-11-23"
    assert any("in the bill and not marked" in line for line in violations(world))


def test_a_transition_is_remembered_when_it_is_committed_and_not_before() -> None:
    names = World(KIOSK_BY_CODE).run().steps.names
    sent = names.index("gateway.pay_by_code before") + 1
    moved = (AttemptState.INTENDED, AttemptState.SUBMITTED)
    # Killed right before the commit and right after it: only there a charge may have been sent.
    commit = max(at for at, name in enumerate(names[: sent - 1], 1) if name == "unit.attempts.put")
    for at, times in ((commit, 0), (sent - 1, 1)):
        world = World(KIOSK_BY_CODE, 0, (at,)).run()
        assert world.history.attempts[moved] == times + world.people[0].has_paid
