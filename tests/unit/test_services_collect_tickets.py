"""A till collects several counters' tickets and takes one payment for them."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

import pytest

from edge.codes.reading import code_rules
from edge.codes.signed_token import TokenKind, sign_token
from edge.errors import Declined, Invalid
from edge.members.member import MemberProfile, ProfileState
from edge.retail.basket import Basket, BasketState, LineItem
from edge.retail.order import Order, OrderState
from edge.retail.ticket import Ticket, TicketState, cancel_ticket, hand_over, reopen_ticket
from edge.services.box import PHONE
from edge.services.change_basket import change_quantity
from edge.services.check_out import back_to_basket, cancel_sale, check_out
from edge.services.collect_tickets import collect_ticket, find_tickets, take_out_ticket
from edge.services.pay_by_phone import begin_order_payment
from edge.services.phone_rules import PhoneRules
from edge.services.records import Unit
from edge.services.reset_idle import CODES_MS, reset_idle
from edge.services.settle_tickets import bind_tickets
from edge.services.show_receipt import show_receipt
from edge.services.take_cash import take_cash
from edge.services.workstation import NoticeCode
from sim.fakes.box import COLA, GATEWAY, KIOSK, RULES, TILL
from sim.fakes.prepay_gateway import FakePrepayGateway
from tests.unit.shop import Shop

KEY = b"k" * 32
LATER = 10**15


@pytest.fixture
def shop() -> Shop:
    shop = Shop(rules=replace(RULES, codes=code_rules(public_hosts=("mall.example",))))
    shop.box = replace(shop.box, phone=PhoneRules(key=KEY))
    return shop


def ticket(number: int, tenant: str, *fen: int, sku: str = "", expires_at: int = LATER) -> Ticket:
    lines = tuple(
        LineItem(
            f"t{number}-l{at}",
            sku or f"sku-{number}",
            tenant,
            f"货{number}",
            f"good {number}",
            "",
            1,
            one,
            one,
        )
        for at, one in enumerate(fen)
    )
    counter = f"C0{number}"
    return Ticket(
        *(
            f"ticket-{number}",
            f"code{number}",
            f"{counter}-0007",
            counter,
            tenant,
            "lin",
            "2026-11-22",
            number,
        ),
        TicketState.ISSUED,
        lines,
        issued_at=1,
        expires_at=expires_at,
    )


def put(shop: Shop, *tickets: Ticket) -> None:
    shop.ports.store.write(lambda unit: [unit.tickets.put(one) for one in tickets])


def stored(shop: Shop, number: int) -> Ticket:
    found = shop.ports.store.read(lambda unit: unit.tickets.get(f"ticket-{number}"))
    assert found is not None
    return found


def link(number: int) -> str:
    return f"https://mall.example/phone/t/{sign_token(TokenKind.TICKET, f'code{number}', KEY)}"


def test_tickets_of_several_tenants_are_paid_together_and_each_is_settled(shop: Shop) -> None:
    put(shop, ticket(1, "t-tea", 1_500, 250), ticket(2, "t-bakery", 800))
    collect_ticket(shop.box, TILL, "ticket-1")
    assert shop.scan(link(2), TILL).outcome == "collected"
    shop.wait(2_000)
    shop.scan(COLA, TILL)
    check_out(shop.box, TILL)
    order = shop.order(TILL)
    assert (order.total_fen, {stored(shop, one).order_id for one in (1, 2)}) == (2_900, {order.order_id})
    take_cash(shop.box, TILL, 3_000)
    assert shop.stored_order(order.order_id).state is OrderState.PAID
    assert [stored(shop, one).state for one in (1, 2)] == [TicketState.PAID, TicketState.PAID]
    assert all(len(stored(shop, one).release_code) == 6 for one in (1, 2))
    shop.print(TILL)
    paper = "\n".join(shop.papers(TILL))
    assert all(stored(shop, one).release_code in paper for one in (1, 2))
    assert "Collect at C02" in paper


def test_release_codes_stay_on_a_tills_screen_until_they_can_be_written_down(shop: Shop) -> None:
    put(shop, ticket(1, "t-tea", 1_500))
    collect_ticket(shop.box, TILL, "ticket-1")
    check_out(shop.box, TILL)
    take_cash(shop.box, TILL, 2_000)
    shop.wait(RULES.paid_idle_ms + 1_000)
    assert not reset_idle(shop.box, TILL)
    assert shop.screen(TILL)["screen"] == "paid"
    shop.wait(CODES_MS)
    assert reset_idle(shop.box, TILL)
    assert shop.screen(TILL)["screen"] == "attract"


def test_whoever_has_a_tills_receipt_sees_the_release_codes_until_the_goods_are_gone(shop: Shop) -> None:
    put(shop, ticket(1, "t-tea", 1_500), ticket(2, "t-bakery", 800))
    for one in ("ticket-1", "ticket-2"):
        collect_ticket(shop.box, TILL, one)
    check_out(shop.box, TILL)
    take_cash(shop.box, TILL, 2_300)
    codes = [stored(shop, one).release_code for one in (1, 2)]

    token = str(shop.screen(TILL)["receipt"]["token"])

    def shown() -> list[dict[str, object]]:
        receipt = show_receipt(shop.box, token)
        assert receipt is not None
        return list(cast("list[dict[str, object]]", receipt["tickets"]))

    assert [one["release_code"] for one in shown()] == codes
    put(shop, hand_over(stored(shop, 1), LATER, "g-1"))
    assert [(one["release_code"], one["state"]) for one in shown()] == [
        (None, "handed_over"),
        (codes[1], "paid"),
    ]


def test_a_ticket_is_taken_out_again_with_all_its_lines_and_nothing_else(shop: Shop) -> None:
    put(shop, ticket(1, "t-tea", 1_500, 250), ticket(2, "t-bakery", 800))
    for one in ("ticket-1", "ticket-2"):
        collect_ticket(shop.box, TILL, one)
    take_out_ticket(shop.box, TILL, "ticket-1")
    assert shop.lines(TILL) == [("sku-2", 1, 800)]
    with pytest.raises(Invalid, match="not in this basket"):
        take_out_ticket(shop.box, TILL, "ticket-1")
    collect_ticket(shop.box, TILL, "ticket-1")
    assert [fen for _, _, fen in shop.lines(TILL)] == [800, 1_500, 250]


def test_a_single_line_of_a_ticket_is_not_changed(shop: Shop) -> None:
    put(shop, ticket(1, "t-tea", 1_500, 250))
    collect_ticket(shop.box, TILL, "ticket-1")
    for quantity in (0, 2):
        with pytest.raises(Invalid, match="whole ticket"):
            change_quantity(shop.box, TILL, "t1-l0", quantity)


def test_goods_scanned_at_the_till_do_not_join_a_tickets_line(shop: Shop) -> None:
    put(shop, ticket(1, "t-drinks", 350, sku="cola"))
    collect_ticket(shop.box, TILL, "ticket-1")
    shop.scan(COLA, TILL)
    assert shop.lines(TILL) == [("cola", 1, 350), ("cola", 1, 350)]
    take_out_ticket(shop.box, TILL, "ticket-1")
    assert shop.lines(TILL) == [("cola", 1, 350)]


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (lambda one: replace(one, expires_at=1), NoticeCode.TICKET_EXPIRED),
        (lambda one: replace(one, state=TicketState.PAID), NoticeCode.TICKET_PAID),
        (lambda one: replace(one, state=TicketState.HANDED_OVER), NoticeCode.TICKET_PAID),
        (lambda one: reopen_ticket(one, 2), NoticeCode.TICKET_NOT_READY),
        (lambda one: cancel_ticket(one, 2, "lin"), NoticeCode.TICKET_NOT_READY),
        (lambda one: replace(one, order_id="order-9"), NoticeCode.TICKET_ELSEWHERE),
    ],
)
def test_what_cannot_be_collected_is_said_on_the_screen(shop: Shop, made: object, said: NoticeCode) -> None:
    put(shop, made(ticket(1, "t-tea", 1_500)))  # type: ignore[operator]
    collect_ticket(shop.box, TILL, "ticket-1")
    assert shop.notice(TILL) == said
    assert shop.screen(TILL)["basket"] is None
    shown = shop.screen(TILL)["notice"]["params"]
    assert shown == {"number": "C01-0007", "counter": "C01"}


def test_a_code_that_was_not_signed_here_is_unknown(shop: Shop) -> None:
    forged = sign_token(TokenKind.TICKET, "code1", b"x" * 32)
    put(shop, ticket(1, "t-tea", 1_500))
    assert shop.scan(f"https://mall.example/phone/t/{forged}", TILL).outcome == "ticket_unknown"
    assert shop.notice(TILL) == "ticket_unknown"


def test_a_ticket_is_not_collected_twice_into_one_basket(shop: Shop) -> None:
    put(shop, ticket(1, "t-tea", 1_500))
    collect_ticket(shop.box, TILL, "ticket-1")
    collect_ticket(shop.box, TILL, "ticket-1")
    assert (shop.notice(TILL), shop.lines(TILL)) == ("ticket_here", [("sku-1", 1, 1_500)])


def test_a_ticket_that_was_written_anew_is_priced_anew_before_anybody_pays(shop: Shop) -> None:
    put(shop, ticket(1, "t-tea", 1_500), ticket(2, "t-bakery", 800))
    for one in ("ticket-1", "ticket-2"):
        collect_ticket(shop.box, TILL, one)
    put(shop, ticket(1, "t-tea", 1_200, 100))
    check_out(shop.box, TILL)
    assert shop.screen(TILL)["screen"] == "basket"
    assert shop.screen(TILL)["notice"]["params"] == {"numbers": "C01-0007"}
    assert [fen for _, _, fen in shop.lines(TILL)] == [800, 1_200, 100]
    check_out(shop.box, TILL)
    assert shop.order(TILL).total_fen == 2_100


def test_a_ticket_that_expired_in_the_basket_leaves_it_before_anybody_pays(shop: Shop) -> None:
    at = shop.ports.clock.now().wall_at
    put(shop, ticket(1, "t-tea", 1_500, expires_at=at + 60_000), ticket(2, "t-bakery", 800))
    for one in ("ticket-1", "ticket-2"):
        collect_ticket(shop.box, TILL, one)
    shop.wait(60_000)
    check_out(shop.box, TILL)
    assert (shop.notice(TILL), shop.lines(TILL)) == ("tickets_changed", [("sku-2", 1, 800)])


def test_going_back_frees_the_tickets_and_keeps_them_in_the_basket(shop: Shop) -> None:
    put(shop, ticket(1, "t-tea", 1_500))
    collect_ticket(shop.box, TILL, "ticket-1")
    check_out(shop.box, TILL)
    back_to_basket(shop.box, TILL)
    assert (stored(shop, 1).order_id, shop.lines(TILL)) == ("", [("sku-1", 1, 1_500)])
    check_out(shop.box, TILL)
    cancel_sale(shop.box, TILL)
    assert (stored(shop, 1).order_id, stored(shop, 1).state) == ("", TicketState.ISSUED)


def test_a_ticket_that_another_till_pays_cannot_be_paid_here(shop: Shop) -> None:
    put(shop, ticket(1, "t-tea", 1_500))
    collect_ticket(shop.box, TILL, "ticket-1")
    bound = replace(stored(shop, 1), order_id="order-9")
    put(shop, bound)
    check_out(shop.box, TILL)
    assert (shop.notice(TILL), shop.lines(TILL)) == ("tickets_changed", [])


def test_another_ticket_joins_an_order_that_nobody_has_paid_yet(shop: Shop) -> None:
    put(shop, ticket(1, "t-tea", 1_500), ticket(2, "t-bakery", 800))
    collect_ticket(shop.box, TILL, "ticket-1")
    check_out(shop.box, TILL)
    collect_ticket(shop.box, TILL, "ticket-2")
    assert [fen for _, _, fen in shop.lines(TILL)] == [1_500, 800]
    check_out(shop.box, TILL)
    take_cash(shop.box, TILL, 500)
    with pytest.raises(Declined, match="being paid"):
        collect_ticket(shop.box, TILL, "ticket-2")


def test_only_a_till_collects(shop: Shop) -> None:
    put(shop, ticket(1, "t-tea", 1_500))
    with pytest.raises(Declined, match="no till"):
        collect_ticket(shop.box, KIOSK, "ticket-1")


def test_tickets_are_found_by_number_and_by_code(shop: Shop) -> None:
    put(shop, ticket(1, "t-tea", 1_500), ticket(2, "t-bakery", 800, expires_at=1))

    def found(text: str) -> list[tuple[str, object]]:
        now = shop.ports.clock.now()
        tickets = shop.ports.store.read(lambda unit: find_tickets(unit, shop.box, text, now))
        return [(one.ticket.number, one.problem) for one in tickets]

    assert found("c01-0007") == [("C01-0007", None)]
    assert found(link(1)) == [("C01-0007", None)]
    assert found("0007") == [("C02-0007", NoticeCode.TICKET_EXPIRED), ("C01-0007", None)]
    assert found("9999") == []
    assert len(found("")) == 2


def test_tickets_are_found_by_their_members_phone_and_the_purchase_is_the_members(shop: Shop) -> None:
    profile = MemberProfile("m-1", ProfileState.KNOWN, 1, 1, phone_tail="8000")
    shop.ports.store.write(lambda unit: unit.people.put_profile(profile))
    put(shop, replace(ticket(1, "t-tea", 1_500), member_id="m-1"), ticket(2, "t-bakery", 800))
    now = shop.ports.clock.now()
    found = shop.ports.store.read(lambda unit: find_tickets(unit, shop.box, "8000", now))
    assert [one.ticket.number for one in found] == ["C01-0007"]
    collect_ticket(shop.box, TILL, "ticket-1")
    basket = shop.screen(TILL)["basket"]["id"]
    claim = shop.ports.store.read(lambda unit: unit.validations.claim(basket))
    assert claim is not None
    assert claim.holder.member_id == "m-1"


def test_a_ticket_that_a_phone_has_begun_to_pay_is_taken_over_or_paid_there(shop: Shop) -> None:
    phones = FakePrepayGateway(shop.ports.gateway)
    shop.box = replace(shop.box, prepayers={GATEWAY: phones})
    put(shop, ticket(1, "t-tea", 1_500))
    order = phone_order(shop, stored(shop, 1))
    attempt = begin_order_payment(shop.box, order.order_id)
    now = shop.ports.clock.now()
    (found,) = shop.ports.store.read(lambda unit: find_tickets(unit, shop.box, "", now))
    assert (found.problem, found.held_by_phone) == (NoticeCode.TICKET_ELSEWHERE, True)
    collect_ticket(shop.box, TILL, "ticket-1")
    assert shop.notice(TILL) == NoticeCode.TICKET_ELSEWHERE
    collect_ticket(shop.box, TILL, "ticket-1", take_over=True)
    assert (shop.lines(TILL), phones.pay(attempt.pay_url)) == ([("sku-1", 1, 1_500)], False)
    assert shop.stored_order(order.order_id).state is OrderState.CANCELLED


def test_taking_over_comes_too_late_when_the_phone_was_faster(shop: Shop) -> None:
    phones = FakePrepayGateway(shop.ports.gateway)
    shop.box = replace(shop.box, prepayers={GATEWAY: phones})
    put(shop, ticket(1, "t-tea", 1_500))
    order = phone_order(shop, stored(shop, 1))
    assert phones.pay(begin_order_payment(shop.box, order.order_id).pay_url)
    collect_ticket(shop.box, TILL, "ticket-1", take_over=True)
    assert shop.notice(TILL) == NoticeCode.TICKET_PAID
    assert shop.stored_order(order.order_id).state is OrderState.PAID


def phone_order(shop: Shop, of: Ticket) -> Order:
    """Have a phone's order pay a ticket, as its page makes it."""
    now = shop.ports.clock.now()
    basket = Basket("basket-p", PHONE, 1, BasketState.ORDERED, of.lines)
    order = Order("order-p", "P-0001", basket.basket_id, PHONE, of.business_day, now.wall_at, of.lines)

    def work(unit: Unit) -> None:
        unit.baskets.put(basket)
        unit.orders.put(order)
        bind_tickets(unit, shop.box, [of], order, now)

    shop.ports.store.write(work)
    return order
