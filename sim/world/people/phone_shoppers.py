"""Shoppers who pay with their phones, and what must hold of them: charged once, every hand-over told."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from edge.retail.attempt import PayWay
from edge.retail.basket import Basket, LineItem
from edge.retail.order import OrderState
from edge.services.box import PHONE
from edge.services.check_out import freeze_basket
from edge.services.hand_over_notices import queue_hand_over, want_messages
from edge.services.pay_by_phone import begin_order_payment, open_phone_attempt, phone_payment
from edge.services.phone_records import PhoneSession
from edge.services.phone_rules import PhoneRules
from edge.services.phone_session import busy_with, first_tap, log_in, open_session, session_of
from edge.services.records import Unit
from sim.fakes.gateway import FakeFault
from sim.world.people.person import Person, Place
from sim.world.scenario import Scenario
from sim.world.world import World

OPENID, TEMPLATE = "openid-phone", "tmpl-paid"
RULES = PhoneRules(
    key=bytes(range(32)), appid="wx-demo", paid_template=TEMPLATE, paid_fields=(("thing1", "shop"),)
)
TAP = "tap-00000001"
GOODS = LineItem("line-1", "coffee", "t-drinks", "咖啡", "Coffee", "6901", 1, 2_800, 2_800)

Event = dict[str, Any]


@dataclass(slots=True)
class PhoneShopper(Person):
    """Signs in, pays an order in the wallet, and takes the goods; what the phone remembers outlives the box.

    begins_outside: looks at a code in the browser first. hasty: taps again when nothing is known.
    wallet: what the wallet has paid.
    """

    begins_outside: bool = False
    hasty: bool = False
    token: str = ""
    order_id: str = ""
    logins: int = 0
    wallet: list[str] = field(default_factory=list)
    took: bool = False

    def act(self, place: Place) -> None:
        """Do the next thing."""
        session = session_of(place.box, self.token)
        if session is None or not (session.signed_in or (self.begins_outside and not self._has_code(place))):
            self._come_in(place)
        elif not self.order_id:
            self.order_id = self._order(place, session)
        else:
            self._go_on(place, session)

    def _come_in(self, place: Place) -> None:
        if self.begins_outside and not self.token:
            self.token = open_session(place.box)[0]
            return
        self.logins += 1
        code = place.login_code(f"code-{self.logins}", OPENID)
        self.token = log_in(place.box, code, self.token)[0]

    def _order(self, place: Place, session: PhoneSession) -> str:
        """Make the order of the goods, once however often it is tapped."""
        box, now = place.box, place.box.clock.now()

        def work(unit: Unit) -> str:
            known = unit.phones.get(session.session_id)
            if not first_tap(unit, session, TAP, now) and known is not None and known.order_id:
                return known.order_id
            basket = Basket(box.ids.new_id(), PHONE, now.wall_at, lines=(GOODS,))
            unit.baskets.put(basket)
            frozen, order = freeze_basket(unit, box, basket, PHONE, now)
            unit.baskets.put(frozen)
            unit.orders.put(order)
            busy_with(unit, session, now, basket_id=basket.basket_id, order_id=order.order_id)
            return order.order_id

        return box.store.write(work)

    def _go_on(self, place: Place, session: PhoneSession) -> None:
        box = place.box
        order = box.store.read(lambda unit: unit.orders.get(self.order_id))
        if order is None or order.state is OrderState.CANCELLED:
            # It was given up while nobody could be asked; the phone makes another one.
            self.order_id = ""
            return
        shown = box.store.read(lambda unit: phone_payment(unit, box, order))
        if shown.state == "paid":
            self.has_paid = True
            self._take(place)
        elif shown.state == "open" and shown.pay is not None:
            want_messages(box, self.order_id, OPENID, (TEMPLATE,))
            package = shown.pay["package"]
            if package not in self.wallet and place.pay_inside(shown.pay, OPENID):
                self.wallet.append(package)
        elif self.hasty or shown.state != "unsure":
            begin_order_payment(box, self.order_id, openid=session.openid)

    def _take(self, place: Place) -> None:
        """Take the goods: the box notes it, and WeChat is told."""
        box, now = place.box, place.box.clock.now()
        order = box.store.read(lambda unit: unit.orders.get(self.order_id))
        assert order is not None
        box.store.write(lambda unit: queue_hand_over(unit, box, order, GOODS.name, now))
        self.took = self.done = True

    def _has_code(self, place: Place) -> bool:
        """Return whether the browser shows a code."""
        if not self.order_id:
            return False
        attempt = place.box.store.read(lambda unit: open_phone_attempt(unit, self.order_id))
        return attempt is not None and attempt.way is PayWay.NATIVE and bool(attempt.pay_url)


def phone_violations(world: World, events: list[Event]) -> Iterator[str]:
    """Whoever paid by phone was charged once; each hand-over is told once, each message sent once."""
    shoppers = [person for person in world.people if isinstance(person, PhoneShopper)]
    if not shoppers:
        return
    approved = [one["data"] for one in events if one["type"] == "cn.mall.payment.approved.v1"]
    paid = Counter(data["order_id"] for data in approved)
    for shopper in shoppers:
        if shopper.has_paid and paid[shopper.order_id] != 1:
            yield f"order {shopper.order_id} was paid {paid[shopper.order_id]} times"
        if len(shopper.wallet) > 1:
            yield f"the wallet has paid {shopper.wallet}"
    mine = {shopper.order_id for shopper in shoppers}
    numbers = sorted(data["transaction_id"] for data in approved if data["order_id"] in mine)
    yield from _told_once(world, numbers, alone=len(shoppers) == len(world.people))


def _told_once(world: World, numbers: list[str], *, alone: bool) -> Iterator[str]:
    """WeChat was told of these payments and no others. alone: nobody else is there whom it is told of."""
    handed = world.program.hand_overs
    told = sorted(number for number, one in handed.items() if alone or one.openid == OPENID)
    if told != numbers:
        yield f"WeChat was told of {told}, paid and handed over were {numbers}"
    messages = Counter(json.dumps(dict(one.fields)) + one.page for one in world.program.messages)
    if any(count > 1 for count in messages.values()):
        yield f"a message was sent twice: {messages}"


def phone_scenarios() -> tuple[Scenario, ...]:
    """Return what is crashed at every step: a wallet, answers that are lost, a browser's code before it."""

    def plain(world: World) -> list[Person]:
        world.program.accepts(OPENID, TEMPLATE)
        return [PhoneShopper()]

    def lost(world: World) -> list[Person]:
        world.phones.fail_next("native", FakeFault.LOST)
        world.program.hand_overs_lost = 2
        return [PhoneShopper(hasty=True)]

    def outside(world: World) -> list[Person]:
        return [PhoneShopper(begins_outside=True)]

    return (
        Scenario("phone payment", plain, phone=RULES),
        Scenario("phone payment, answers lost", lost, phone=RULES),
        Scenario("phone payment, first by a code in the browser", outside, phone=RULES),
    )
