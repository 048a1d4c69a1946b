"""Counter tickets: written and priced by a guide, paid once, handed over once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

import pytest

from edge.errors import Declined, Invalid, Unavailable
from edge.retail.order import OrderState
from edge.retail.ticket import TicketEnd, TicketState
from edge.services.check_out import back_to_basket, check_out
from edge.services.collect_tickets import collect_ticket
from edge.services.counter_rules import CounterRules
from edge.services.hand_over_ticket import force_hand_over, hand_over_ticket
from edge.services.issue_ticket import (
    expire_tickets,
    give_up_ticket,
    issue_ticket,
    take_back_ticket,
    ticket_token,
    ticket_url,
)
from edge.services.journey_records import LinkKind
from edge.services.pay_ticket import meet_ticket, take_ticket_here
from edge.services.phone_cart import load_cart
from edge.services.ports import Store
from edge.services.records import Unit
from edge.services.refund_order import RefundAsk, refund_order
from edge.services.scan_and_go import pay_cart, scan_into_cart
from edge.services.scan_and_go_rules import ScanAndGoRules
from edge.services.write_ticket import (
    MAX_OPEN,
    add_amount,
    change_quantity,
    lower_price,
    open_ticket,
    pick_ticket,
)
from sim.fakes.box import TILL, UNSOLD
from sim.fakes.gateway import FakeFault
from tests.unit.counter_shop import BOSS, CASHIER, CHEN, COLA, COUNTER, TEA, CounterShop

T = TypeVar("T")
WINE = "6903456789014"


class ReadOnly:
    """A store that refuses to be written."""

    def __init__(self, store: Store) -> None:
        self.read = store.read

    def write(self, work: Callable[[Unit], T]) -> T:
        """Refuse."""
        raise AssertionError("something was written")


def test_a_guide_scans_types_and_counts_what_is_on_a_ticket() -> None:
    shop = CounterShop()
    ticket = shop.opened(TEA, TEA)
    assert (ticket.number, ticket.tenant_id, ticket.guide_id) == ("C01-0001", "t-tea", CHEN)
    assert [(line.sku, line.quantity, line.amount_fen) for line in ticket.lines] == [("tea", 2, 20_000)]

    add_amount(shop.box, COUNTER, ticket.ticket_id, "礼盒 包装", 1_500, 2)
    add_amount(shop.box, COUNTER, ticket.ticket_id, "丝带", 1_500)
    ticket = shop.ticket(ticket)
    assert [(line.name, line.amount_fen) for line in ticket.lines[1:]] == [
        ("礼盒 包装", 3_000),
        ("丝带", 1_500),
    ]

    change_quantity(shop.box, COUNTER, ticket.ticket_id, ticket.lines[0].line_id, 1)
    change_quantity(shop.box, COUNTER, ticket.ticket_id, ticket.lines[2].line_id, 0)
    assert shop.ticket(ticket).total_fen == 13_000


def test_only_the_tenants_own_goods_are_taken_unless_others_are_allowed() -> None:
    shop = CounterShop()
    ticket = shop.opened(COLA)
    assert (ticket.lines, shop.shown()) == ((), "foreign_goods")

    open_shop = CounterShop(counter=CounterRules(foreign_goods=True))
    assert [line.sku for line in open_shop.opened(COLA).lines] == ["cola"]


def test_scans_need_a_ticket_that_is_open_and_a_repeat_is_told_of() -> None:
    shop = CounterShop()
    assert shop.scan(TEA, COUNTER).outcome == "no_ticket"
    ticket = shop.opened()
    shop.scan(TEA, COUNTER)
    assert shop.scan(TEA, COUNTER).outcome == "duplicate"
    assert shop.ticket(ticket).lines[0].quantity == 1
    shop.wait(2_000)
    assert shop.scan(UNSOLD, COUNTER).outcome == "unknown_code"
    issue_ticket(shop.box, COUNTER, ticket.ticket_id)
    assert shop.scan(TEA, COUNTER).outcome == "no_ticket"


def test_an_empty_ticket_of_the_same_guide_is_taken_up_again() -> None:
    shop = CounterShop()
    first = shop.opened()
    assert shop.opened().ticket_id == first.ticket_id
    assert shop.opened(guide="g-wu").ticket_id != first.ticket_id


def test_scans_go_to_the_ticket_that_is_on_the_tablet() -> None:
    shop = CounterShop()
    first, second = shop.opened(TEA), shop.opened(TEA)
    pick_ticket(shop.box, COUNTER, CHEN, first.ticket_id)
    shop.scan(TEA, COUNTER)
    assert shop.ticket(first).total_fen == 20_000
    assert shop.ticket(second).total_fen == 10_000
    with pytest.raises(Invalid, match="no ticket"):
        pick_ticket(shop.box, "C02", CHEN, first.ticket_id)


def test_a_price_is_lowered_alone_within_the_limit_and_by_a_supervisor_beyond_it() -> None:
    shop = CounterShop()
    ticket = shop.opened(TEA)
    line = ticket.lines[0].line_id

    def lower(price_fen: int, reason: str = "会员日", **more: object) -> None:
        lower_price(shop.box, COUNTER, ticket.ticket_id, line, price_fen, reason, CHEN, **more)  # type: ignore[arg-type]

    lower(9_000)
    assert shop.ticket(ticket).total_fen == 9_000
    told = shop.event_data("ticket.price_overridden")
    assert (told["was_fen"], told["price_fen"], told["by"], told["approved_by"]) == (10_000, 9_000, CHEN, "")

    for approver in (None, CASHIER):
        with pytest.raises(Declined, match="supervisor"):
            lower(8_999, approver=approver)
    lower(5_000, approver=BOSS)
    assert shop.event_data("ticket.price_overridden")["approved_by"] == "王敏"
    with pytest.raises(Declined, match="nobody"):
        lower(4_999, approver=BOSS)
    for price_fen in (10_000, 12_000, 0):
        with pytest.raises((Invalid, Declined)):
            lower(price_fen, approver=BOSS)
    with pytest.raises(Invalid, match="why"):
        lower(9_500, "  ")
    kept = shop.ticket(ticket)
    assert (kept.total_fen, kept.overrides[0].was_fen, len(kept.overrides)) == (5_000, 10_000, 1)


def test_a_ticket_is_issued_without_any_network_and_its_code_is_signed() -> None:
    shop = CounterShop()
    shop.box = replace(shop.box, gateways={}, prepayers={})
    ticket = shop.issued()
    token = ticket_token(shop.box, ticket)
    assert len(token) == 32
    assert ticket_url(shop.box, ticket) == f"https://mall.example/phone/t/{token}"
    phone = shop.phone()
    assert shop.meets(ticket, phone).number == ticket.number
    forged = token[:-1] + ("A" if token[-1] != "A" else "B")
    with pytest.raises(Invalid, match="changed"):
        meet_ticket(shop.box, forged, phone)
    told = shop.event_data("ticket.issued")
    assert (told["number"], told["guide"], told["total_fen"]) == (ticket.number, CHEN, 10_000)


def test_an_empty_ticket_and_unchecked_age_are_not_issued() -> None:
    shop = CounterShop(counter=CounterRules(foreign_goods=True))
    ticket = shop.opened()
    with pytest.raises(Invalid, match="empty"):
        issue_ticket(shop.box, COUNTER, ticket.ticket_id)
    shop.scan(WINE, COUNTER)
    with pytest.raises(Invalid, match="18"):
        issue_ticket(shop.box, COUNTER, ticket.ticket_id)
    assert issue_ticket(shop.box, COUNTER, ticket.ticket_id, age_checked=True).state is TicketState.ISSUED
    assert take_back_ticket(shop.box, COUNTER, ticket.ticket_id).cleared_age == 0


def test_a_phone_pays_a_ticket_and_the_counter_hands_it_over_against_the_release_code() -> None:
    shop = CounterShop()
    ticket = shop.paid()
    order = shop.paying(ticket)
    assert (ticket.state, order.state, order.total_fen) == (TicketState.PAID, OrderState.PAID, 10_000)
    assert len(ticket.release_code) == 6
    assert ticket.release_code.isdigit()
    slip = shop.slips()[-1]
    assert "已付款" in slip
    assert ticket.number in slip
    assert ticket.release_code not in slip

    with pytest.raises(Declined, match="not the release code"):
        hand_over_ticket(shop.box, COUNTER, ticket.ticket_id, "xxxxxx", CHEN)
    with pytest.raises(Declined):
        hand_over_ticket(shop.box, COUNTER, ticket.ticket_id, "", CHEN)
    done = hand_over_ticket(shop.box, COUNTER, ticket.ticket_id, ticket.release_code, CHEN)
    assert (done.state, done.release_code, done.closed_by) == (TicketState.HANDED_OVER, "", CHEN)
    assert shop.event_data("ticket.handed_over")["order_id"] == order.order_id
    with pytest.raises(Declined, match="already"):
        hand_over_ticket(shop.box, COUNTER, ticket.ticket_id, ticket.release_code, CHEN)


def test_too_many_wrong_codes_lock_a_ticket_until_a_supervisor_comes() -> None:
    shop = CounterShop()
    ticket = shop.paid()
    for _ in range(5):
        with pytest.raises(Declined):
            hand_over_ticket(shop.box, COUNTER, ticket.ticket_id, "wrong", CHEN)
    with pytest.raises(Declined, match="too many"):
        hand_over_ticket(shop.box, COUNTER, ticket.ticket_id, ticket.release_code, CHEN)
    with pytest.raises(Declined, match="supervisor"):
        force_hand_over(shop.box, COUNTER, ticket.ticket_id, CASHIER, CHEN, "手机没电")
    with pytest.raises(Invalid, match="why"):
        force_hand_over(shop.box, COUNTER, ticket.ticket_id, BOSS, CHEN, " ")
    done = force_hand_over(shop.box, COUNTER, ticket.ticket_id, BOSS, CHEN, "手机没电")
    assert done.closed_by == "g-chen / 王敏: 手机没电"


def test_the_scanner_hands_over_what_the_payers_phone_shows() -> None:
    shop = CounterShop()
    ticket = shop.paid()
    pick_ticket(shop.box, COUNTER, CHEN, "")
    assert shop.scan("HO-000000", COUNTER).outcome == "wrong_release"
    assert shop.scan(f"HO-{ticket.release_code}", COUNTER).outcome == "released"
    assert shop.ticket(ticket).state is TicketState.HANDED_OVER
    kept = shop.box.store.read(lambda unit: unit.scans.recent(COUNTER, 5))
    assert not any(ticket.release_code in one.text or ticket.release_code in repr(one.raw) for one in kept)


def test_a_scanned_release_code_needs_a_guide_and_counts_when_it_is_wrong() -> None:
    shop = CounterShop()
    ticket = shop.paid()
    pick_ticket(shop.box, COUNTER, "", ticket.ticket_id)
    assert shop.scan(f"HO-{ticket.release_code}", COUNTER).outcome == "no_guide"
    pick_ticket(shop.box, COUNTER, CHEN, ticket.ticket_id)
    wrong = f"HO-{(int(ticket.release_code) + 1) % 1_000_000:06d}"
    for _ in range(5):
        assert shop.scan(wrong, COUNTER).outcome == "wrong_release"
    assert shop.ticket(ticket).locked
    assert shop.scan(f"HO-{ticket.release_code}", COUNTER).outcome == "cannot_add"
    assert shop.ticket(ticket).state is TicketState.PAID


def test_a_counters_scans_that_come_late_or_broken_or_are_for_elsewhere_add_nothing() -> None:
    shop = CounterShop()
    ticket = shop.opened()
    assert shop.scan(TEA, COUNTER, age_ms=60_000).outcome == "stale"
    assert shop.scan(TEA, COUNTER, problem="cut off").outcome == "unreadable"
    assert shop.scan(shop.code(), COUNTER).outcome == "pay_first"
    assert shop.scan(ticket_url(shop.box, ticket), COUNTER).outcome == "not_a_code"
    assert shop.ticket(ticket).lines == ()


def test_a_payment_code_waits_while_another_is_charged_at_the_counter() -> None:
    shop = CounterShop()
    ticket = shop.issued()
    take_ticket_here(shop.box, COUNTER, ticket.ticket_id)
    take_ticket_here(shop.box, COUNTER, ticket.ticket_id)
    other = issue_ticket(shop.box, COUNTER, shop.opened(TEA).ticket_id)
    with pytest.raises(Declined, match="finish it first"):
        take_ticket_here(shop.box, COUNTER, other.ticket_id)
    assert shop.scan(shop.code(asks=True, pending_queries=9), COUNTER).outcome == "payment"
    assert shop.scan(shop.code(), COUNTER).outcome == "payment_running"
    with pytest.raises((Declined, Invalid)):
        take_back_ticket(shop.box, COUNTER, ticket.ticket_id)


def test_a_payment_begun_on_a_phone_is_closed_when_the_guide_takes_it_here() -> None:
    shop = CounterShop()
    ticket = shop.issued()
    left = shop.begins(ticket, shop.phone()).order_id
    take_ticket_here(shop.box, COUNTER, ticket.ticket_id)
    assert shop.stored_order(left).state is OrderState.CANCELLED
    assert shop.paying(ticket).workstation == COUNTER


def test_two_phones_pay_a_ticket_once() -> None:
    shop = CounterShop()
    ticket, first, second = shop.issued(), shop.phone(), shop.phone()
    shown = shop.begins(ticket, first)
    assert shop.begins(ticket, first).order_id == shown.order_id
    with pytest.raises(Declined, match="being paid"):
        shop.begins(ticket, second)
    shop.pays(ticket)
    with pytest.raises(Declined, match="paid"):
        shop.begins(ticket, second)
    assert shop.begins(ticket, first).state == "paid"
    assert sum(shop.balances().values()) == 0


def test_a_phone_that_goes_on_to_another_ticket_leaves_the_first_to_others() -> None:
    shop = CounterShop()
    first, phone = shop.issued(), shop.phone()
    left = shop.begins(first, phone).order_id
    second = shop.issued()
    assert shop.begins(second, phone).state == "open"
    assert shop.stored_order(left).state is OrderState.CANCELLED
    assert shop.ticket(first).order_id == ""
    shop.pays(second)
    assert shop.begins(first, phone).state == "open"
    shop.pays(first)
    assert [shop.ticket(one).state for one in (first, second)] == [TicketState.PAID] * 2


def test_a_cart_comes_back_when_its_phone_goes_on_to_a_ticket() -> None:
    shop = CounterShop()
    phone = shop.phone()
    shop.box = replace(shop.box, scan_and_go=ScanAndGoRules(tenants=frozenset({""}), recheck_permille=0))
    scan_into_cart(shop.box, phone.session_id, COLA)
    pay_cart(shop.box, phone.session_id)
    ticket = shop.issued()
    shop.begins(ticket, phone)
    shop.pays(ticket)
    basket = shop.box.store.read(lambda unit: load_cart(unit, phone.session_id)).basket
    assert basket is not None
    assert [line.sku for line in basket.lines] == ["cola"]


def test_without_a_gateway_the_ticket_stays_unpaid_and_can_be_paid_later() -> None:
    shop = CounterShop()
    ticket, phone = shop.issued(), shop.phone()
    shop.phones.fail_next("native", FakeFault.UNAVAILABLE)
    with pytest.raises(Unavailable):
        shop.begins(ticket, phone)
    assert shop.ticket(ticket).state is TicketState.ISSUED
    assert shop.begins(ticket, phone).state == "open"
    bare = replace(shop.box, prepayers={})
    shop.box = bare
    with pytest.raises(Declined, match="counter"):
        shop.begins(shop.issued(), phone)


def test_a_payment_that_runs_out_leaves_the_ticket_to_whoever_pays_next() -> None:
    shop = CounterShop()
    ticket = shop.issued()
    order_id = shop.begins(ticket, shop.phone()).order_id
    shop.resolve(shop.rules.phone_deadline_ms + 60_000)
    shop.resolve(60_000)
    again = shop.begins(ticket, shop.phone())
    assert (again.state, again.order_id != order_id) == ("open", True)
    assert shop.stored_order(order_id).state is OrderState.CANCELLED
    shop.pays(ticket)
    assert shop.ticket(ticket).state is TicketState.PAID


def test_the_guide_takes_a_ticket_back_only_when_no_money_moves() -> None:
    shop = CounterShop()
    ticket, phone = shop.issued(), shop.phone()
    order_id = shop.begins(ticket, phone).order_id
    taken = take_back_ticket(shop.box, COUNTER, ticket.ticket_id)
    assert (taken.state, taken.order_id) == (TicketState.OPEN, "")
    assert shop.stored_order(order_id).state is OrderState.CANCELLED
    with pytest.raises(Declined, match="open"):
        shop.begins(ticket, phone)

    again = issue_ticket(shop.box, COUNTER, ticket.ticket_id)
    shop.begins(again, phone)
    moving = [one for one in shop.attempts(shop.paying(again).order_id) if one.is_open]
    assert shop.phones.pay(moving[0].pay_url)
    with pytest.raises((Declined, Invalid)):
        give_up_ticket(shop.box, COUNTER, again.ticket_id, CHEN)
    assert shop.ticket(again).state is TicketState.PAID


def test_a_ticket_is_charged_by_a_payment_code_at_its_counter_and_needs_no_release_code() -> None:
    shop = CounterShop()
    ticket = shop.issued()
    assert shop.pay(shop.code(), COUNTER) == "approved"
    paid = shop.ticket(ticket)
    assert paid.state is TicketState.PAID
    assert shop.paying(ticket).workstation == COUNTER
    assert hand_over_ticket(shop.box, COUNTER, ticket.ticket_id, "", CHEN).state is TicketState.HANDED_OVER


def test_a_payment_code_waits_until_the_phones_order_is_closed() -> None:
    shop = CounterShop()
    ticket, phone = shop.issued(), shop.phone()
    shop.begins(ticket, phone)
    code = shop.code()
    assert shop.scan(code, COUNTER).outcome == "phone_closing"
    shop.resolve(1_000)
    assert shop.pay(code, COUNTER) == "approved"
    assert shop.ticket(ticket).state is TicketState.PAID
    assert sum(shop.balances().values()) == 0


def test_an_order_that_is_given_up_at_the_counter_leaves_its_ticket_payable() -> None:
    shop = CounterShop()
    ticket = shop.issued()
    take_ticket_here(shop.box, COUNTER, ticket.ticket_id)
    order = shop.order(COUNTER)
    with pytest.raises(Declined, match="being paid"):
        shop.begins(ticket, shop.phone())
    back_to_basket(shop.box, COUNTER)
    assert shop.stored_order(order.order_id).state is OrderState.CANCELLED
    assert shop.screen(COUNTER)["screen"] == "attract"
    assert shop.ticket(ticket).order_id == ""
    assert shop.begins(ticket, shop.phone()).state == "open"


def test_a_ticket_expires_by_time_but_never_while_money_moves() -> None:
    shop = CounterShop(counter=CounterRules(expire_minutes=1))
    waiting, paying = shop.issued(), shop.issued()
    shop.begins(paying, shop.phone())
    shop.wait(61_000)
    assert expire_tickets(shop.box) == 1
    gone = shop.ticket(waiting)
    assert (gone.state, gone.end) == (TicketState.CANCELLED, TicketEnd.EXPIRED)
    with pytest.raises(Declined, match="expired"):
        shop.begins(waiting, shop.phone())
    shop.pays(paying)
    assert shop.ticket(paying).state is TicketState.PAID
    assert expire_tickets(shop.box) == 0


def test_a_ticket_that_nobody_wrote_on_for_half_a_day_is_given_up() -> None:
    shop = CounterShop()
    left = shop.opened(TEA)
    shop.wait(12 * 3_600_000 - 3_000)
    assert expire_tickets(shop.box) == 0
    shop.wait(3_000)
    assert expire_tickets(shop.box) == 1
    assert shop.ticket(left).end is TicketEnd.EXPIRED


def test_unpaid_tickets_of_a_counter_have_a_limit_and_paid_ones_do_not_count() -> None:
    shop = CounterShop()
    shop.paid()
    one = shop.opened(TEA)

    def fill(unit: Unit) -> None:
        for at in range(MAX_OPEN - 1):
            unit.tickets.put(replace(one, ticket_id=f"x-{at:03d}", code=f"x-{at}", number=f"x-{at}"))

    shop.box.store.write(fill)
    with pytest.raises(Declined, match="unpaid"):
        open_ticket(shop.box, COUNTER, CHEN)
    give_up_ticket(shop.box, COUNTER, "x-000", CHEN)
    assert open_ticket(shop.box, COUNTER, CHEN).lines == ()


def test_the_guide_is_credited_with_a_sale_paid_on_the_shoppers_own_way() -> None:
    shop = CounterShop()
    ticket, phone = shop.issued(), shop.phone("shopper-way-1")
    shop.meets(ticket, phone)
    shop.begins(ticket, phone)
    shop.pays(ticket)
    order = shop.paying(ticket)
    way = shop.box.store.read(lambda unit: unit.journeys.linked(LinkKind.ORDER, order.order_id))
    assert way == "shopper-way-1"
    sale = shop.box.store.read(lambda unit: unit.credits.get(order.order_id))
    assert sale is not None
    assert [(one.guide, one.amount_fen) for one in sale.credits] == [(CHEN, 10_000)]
    lines = shop.box.store.read(lambda unit: unit.credits.entries(order.order_id))
    assert [(one.guide, one.amount_fen) for one in lines] == [(CHEN, 500)]


def test_a_phone_that_looks_again_writes_nothing() -> None:
    shop = CounterShop()
    ticket, phone = shop.issued(), shop.phone("shopper-way-1")
    shop.meets(ticket, phone)
    before = shop.events()
    shop.box = replace(shop.box, store=ReadOnly(shop.box.store))
    shop.meets(ticket, phone)
    assert shop.events() == before
    steps = shop.box.store.read(lambda unit: unit.journeys.steps("shopper-way-1"))
    assert [(one.step.value, one.touchpoint) for one in steps] == [("scanned", f"guide.{CHEN}")]


def test_a_sale_by_payment_code_is_the_guides_too() -> None:
    shop = CounterShop()
    ticket = shop.issued()
    shop.pay(shop.code(), COUNTER)
    sale = shop.box.store.read(lambda unit: unit.credits.get(shop.ticket(ticket).order_id))
    assert sale is not None
    assert {one.guide for one in sale.credits} == {CHEN}


def test_one_payment_of_two_guides_tickets_credits_each_with_their_own() -> None:
    shop = CounterShop()
    first = shop.issued()
    second = issue_ticket(shop.box, COUNTER, shop.opened(TEA, TEA, guide="g-wu").ticket_id)
    for ticket in (first, second):
        collect_ticket(shop.box, TILL, ticket.ticket_id)
    check_out(shop.box, TILL)
    shop.pay(shop.code(), TILL)
    order = shop.paying(first)
    assert shop.paying(second) == order
    sale = shop.box.store.read(lambda unit: unit.credits.get(order.order_id))
    assert sale is not None
    assert [(one.guide, one.amount_fen) for one in sale.credits] == [(CHEN, 10_000), ("g-wu", 20_000)]
    lines = shop.box.store.read(lambda unit: unit.credits.entries(order.order_id))
    assert [(one.guide, one.amount_fen) for one in lines] == [(CHEN, 500), ("g-wu", 0)]
    told = shop.event_data("sale.attributed")
    assert {one["guide"] for one in told["touches"]} >= {CHEN, "g-wu"}


def test_a_refund_marks_the_ticket_and_takes_the_commission_back() -> None:
    shop = CounterShop()
    ticket = shop.paid(TEA, TEA)
    order = shop.paying(ticket)
    line = order.lines[0].line_id
    refund_order(shop.box, RefundAsk("r-1", order.order_id, "till-1", "坏了", {line: 1}), "李强", BOSS)
    marked = shop.ticket(ticket)
    assert (marked.state, marked.refunded_fen) == (TicketState.PAID, 10_000)
    refund_order(shop.box, RefundAsk("r-2", order.order_id, "till-1", "坏了", {line: 1}), "李强", BOSS)
    gone = shop.ticket(ticket)
    assert (gone.state, gone.end, gone.release_code) == (TicketState.CANCELLED, TicketEnd.REFUNDED, "")
    with pytest.raises(Declined, match="nothing is handed over"):
        hand_over_ticket(shop.box, COUNTER, ticket.ticket_id, ticket.release_code, CHEN)
    lines = shop.box.store.read(lambda unit: unit.credits.entries(order.order_id))
    assert sum(one.amount_fen for one in lines) == 0


def test_no_ticket_is_opened_while_no_sale_is_begun_or_at_another_kind_of_place() -> None:
    shop = CounterShop()
    with pytest.raises(Invalid, match="counter"):
        open_ticket(shop.box, "kiosk-1", CHEN)
    shop.box = replace(shop.box, closed=lambda: "disk_full")
    with pytest.raises(Declined, match="disk_full"):
        open_ticket(shop.box, COUNTER, CHEN)
