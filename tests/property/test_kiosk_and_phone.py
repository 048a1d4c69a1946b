"""Kiosk, till and two phones do what they like with baskets, codes and cash: money and goods stay whole."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from edge.errors import EdgeError
from edge.retail.basket import BasketState
from edge.retail.order import OrderState
from edge.services.change_basket import start
from edge.services.check_out import back_to_basket, check_out, leave
from edge.services.hand_over_basket import give_cart, pay_at_kiosk, take_over
from edge.services.pay_by_phone import close_phone_payment
from edge.services.scan_and_go import back_to_cart, pay_cart, scan_into_cart
from edge.services.take_cash import take_cash
from edge.services.take_payment import submit
from sim.fakes.box import BREAD, COLA, KIOSK, TILL
from tests.unit.cart_shop import CartShop

PLACES = (KIOSK, TILL)


@dataclass
class Crowd(CartShop):
    """Two phones, a kiosk and a till; what is refused is refused."""

    urls: list[str] = field(default_factory=list)
    given: list[str] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)
    charges: list[tuple[str, str]] = field(default_factory=list)
    orders: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        CartShop.__post_init__(self)
        self.people = (self.phone(), self.phone())

    def try_to(self, act: Callable[[], Any]) -> Any:
        try:
            return act()
        except EdgeError:
            return None

    def do(self, verb: str, which: int) -> None:
        self.wait(2_000)
        getattr(self, f"_{verb}")(self.people[which % 2], PLACES[which // 2 % 2], which)
        self._note()

    def _goods(self, phone: str, place: str, which: int) -> None:
        self.scan((COLA, BREAD)[which % 2], place)

    def _fill(self, phone: str, place: str, which: int) -> None:
        self.try_to(lambda: scan_into_cart(self.box, phone, (COLA, BREAD)[which // 2 % 2]))

    def _begin(self, phone: str, place: str, which: int) -> None:
        self.try_to(lambda: start(self.box, place))

    def _order(self, phone: str, place: str, which: int) -> None:
        self.try_to(lambda: check_out(self.box, place))

    def _back(self, phone: str, place: str, which: int) -> None:
        self.try_to(lambda: back_to_basket(self.box, place))

    def _leave(self, phone: str, place: str, which: int) -> None:
        self.try_to(lambda: leave(self.box, place))

    def _take(self, phone: str, place: str, which: int) -> None:
        for token in self.tokens[-2:]:
            self.try_to(lambda token=token: take_over(self.box, phone, token))  # type: ignore[misc]

    def _pay_there(self, phone: str, place: str, which: int) -> None:
        for token in self.tokens[-1:]:
            self.try_to(lambda token=token: pay_at_kiosk(self.box, phone, token))  # type: ignore[misc]

    def _pay_cart(self, phone: str, place: str, which: int) -> None:
        self.try_to(lambda: pay_cart(self.box, phone))

    def _cart_back(self, phone: str, place: str, which: int) -> None:
        self.try_to(lambda: back_to_cart(self.box, phone))

    def _give(self, phone: str, place: str, which: int) -> None:
        found = self.try_to(lambda: give_cart(self.box, phone))
        if found is not None:
            self.given.append(found[0])

    def _receive(self, phone: str, place: str, which: int) -> None:
        for code in self.given[-2:]:
            self.scan(code, place)

    def _wallet(self, phone: str, place: str, which: int) -> None:
        for url in self.urls[-1 - which :]:
            self.try_to(lambda url=url: self.phones.pay(url))  # type: ignore[misc]

    def _code(self, phone: str, place: str, which: int) -> None:
        outcome = self.scan(self.code(), place)
        if outcome.attempt_id:
            self.charges.append((outcome.attempt_id, outcome.code))

    def _charge(self, phone: str, place: str, which: int) -> None:
        for attempt_id, code in self.charges:
            self.try_to(lambda a=attempt_id, c=code: submit(self.box, a, c))  # type: ignore[misc]
        self.charges.clear()

    def _cash(self, phone: str, place: str, which: int) -> None:
        self.try_to(lambda: take_cash(self.box, TILL, 400 + 1_000 * (which % 3)))

    def _resolve(self, phone: str, place: str, which: int) -> None:
        self.try_to(lambda: self.resolve(1_000))

    def _late(self, phone: str, place: str, which: int) -> None:
        self.try_to(lambda: self.resolve(400_000))

    def _restart(self, phone: str, place: str, which: int) -> None:
        self.charges.clear()
        self.restart()

    def _note(self) -> None:
        """Remember what people could still open, and which orders there are."""
        opened = self.box.store.read(lambda unit: unit.attempts.open(99))
        self.urls += [one.pay_url for one in opened if one.pay_url and one.pay_url not in self.urls]
        self.orders |= {one.order_id for one in opened}
        for place in PLACES:
            state = self.box.store.read(lambda unit, place=place: unit.workstations.get(place))  # type: ignore[misc]
            if state is not None and state.order_id:
                self.orders.add(state.order_id)
            if place == KIOSK and state is not None and state.basket_id:
                token = self.token()
                self.tokens = [*(one for one in self.tokens if one != token), token]
        for phone in self.people:
            if self.session(phone).order_id:
                self.orders.add(str(self.session(phone).order_id))

    def come_to_rest(self) -> None:
        """Have everything followed up until nothing moves; whoever has an address still tries to pay."""
        self._charge("", "", 0)
        for _ in range(20):
            self.try_to(lambda: self.resolve(120_000))
            for url in self.urls:
                self.try_to(lambda url=url: self.phones.pay(url))  # type: ignore[misc]
        assert not self.box.store.read(lambda unit: unit.attempts.open(99))


VERBS = st.sampled_from([name[1:] for name in vars(Crowd) if name.startswith("_") and name not in
                         {"_note"} and not name.startswith("__")])  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(VERBS, st.integers(0, 5)), min_size=4, max_size=40))
def test_whatever_they_do_each_order_is_paid_once_and_nobody_pays_for_nothing(
    steps: list[tuple[str, int]],
) -> None:
    crowd = Crowd()
    for verb, which in steps:
        crowd.do(verb, which)
        where = places_of_goods(crowd)
        assert len(where) == len(set(where)), f"a basket is in two places: {where}"
    crowd.come_to_rest()
    check_money(crowd)


def places_of_goods(crowd: Crowd) -> list[str]:
    """Return the ids of unpaid baskets on screens and in carts, one for each place that has it."""
    found = []
    for place in PLACES:
        state = crowd.box.store.read(lambda unit, place=place: unit.workstations.get(place))  # type: ignore[misc]
        if state is not None and state.basket_id:
            found.append(state.basket_id)
    for phone in crowd.people:
        basket = crowd.cart(phone).basket
        if basket is not None:
            assert basket.state in (BasketState.OPEN, BasketState.ORDERED)
            found.append(basket.basket_id)
    return found


def check_money(crowd: Crowd) -> None:
    orders = [crowd.stored_order(one) for one in crowd.orders]
    paid = [one for one in orders if one.state is OrderState.PAID]
    for order in paid:
        assert order.paid_fen == order.total_fen
        assert sum(1 for one in order.tenders if one.attempt_id) <= 1
    by_gateway = sum(one.amount_fen for order in orders for one in order.tenders if one.attempt_id)
    assert by_gateway == crowd.ports.gateway.total_fen()
    assert sum(crowd.balances().values()) == 0


def test_the_crowd_can_pay_in_every_way() -> None:
    crowd = Crowd()
    for verb, which in (
        ("goods", 0), ("order", 0), ("pay_there", 0), ("wallet", 0), ("resolve", 0), ("leave", 0),
        ("fill", 0), ("pay_cart", 0), ("wallet", 0), ("resolve", 0),
        ("goods", 2), ("order", 2), ("code", 2), ("charge", 0), ("leave", 2),
        ("goods", 2), ("order", 2), ("cash", 1),
    ):  # fmt: skip
        crowd.do(verb, which)
    crowd.come_to_rest()
    check_money(crowd)
    paid = [one for one in map(crowd.stored_order, crowd.orders) if one.state is OrderState.PAID]
    assert sorted(one.tenders[0].kind for one in paid) == ["cash", "wechat_pay", "wechat_pay", "wechat_pay"]
    assert close_phone_payment(crowd.box, paid[0].order_id)
