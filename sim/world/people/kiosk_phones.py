"""Shoppers whose phone pays at a kiosk while they show payment codes there as well; nobody may pay twice.

the kiosk: scans goods, goes to checkout, shows a code whenever the screen takes or awaits money
the phone: has the kiosk's code, begins to pay, and pays as soon as it sees what to open, or late, or never
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from edge.errors import EdgeError
from edge.retail.attempt import PayWay
from edge.services.box import Box
from edge.services.hand_over_basket import (
    KioskState,
    give_cart,
    hand_over_token,
    pay_at_kiosk,
    see_kiosk,
    take_over,
)
from edge.services.pay_by_phone import open_phone_attempt
from edge.services.phone_cart import load_cart
from edge.services.phone_rules import PhoneRules
from edge.services.phone_session import open_session, session_of
from edge.services.records import Unit
from edge.services.scan_and_go import scan_into_cart
from edge.services.scan_and_go_rules import ScanAndGoRules
from sim.fakes.box import BREAD, COLA, KIOSK, weight_label
from sim.fakes.gateway import FakeFault
from sim.world.people.buyers import Buyer
from sim.world.people.person import Person, Place
from sim.world.scenario import Scenario
from sim.world.world import World

RULES = PhoneRules(key=bytes(range(32)))
GOODS = ((COLA, "cola"), (weight_label("101", 500), "apple"))


#: A shopper who was told so often that the phone's payment was closed begins no other.
MOST_BEGUN = 2


@dataclass(slots=True)
class KioskBuyer(Buyer):
    """A Buyer who shows the next code also while the screen says that the phone is paying.

    patience: looks at that screen before the code is shown.
    """

    patience: int = 0
    lingered: int = 0

    def act(self, place: Place) -> None:
        """Do the next thing."""
        screen = place.look(self.workstation)
        attempt = screen["attempt"]
        if screen["screen"] == "waiting" and attempt["way"] != PayWay.CODE.value and self.codes:
            self.lingered += 1
            if self.lingered <= self.patience:
                return
            # What the phone could pay is closed first; the code is good for the next time.
            place.scan(self.workstation, self.codes[0])
            return
        Buyer.act(self, place)


@dataclass(slots=True)
class KioskPhone(Person):
    """The phone of the shopper at the kiosk. waits: looks that it takes before it pays, None never pays.

    begun: how often it has begun to pay; after MOST_BEGUN its shopper leaves it to the code.

    url: what it could open last; it may pay that whatever became of it. wallet: what it has paid. told: what
    the page said last, by which its shopper knows of the other way.
    """

    buyer: Buyer = field(repr=False)
    waits: int | None = 0
    token: str = ""
    code: str = ""
    looked: int = 0
    begun: int = 0
    url: str = ""
    wallet: list[str] = field(default_factory=list)
    told: str = ""

    def act(self, place: Place) -> None:
        """Do the next thing."""
        session = session_of(place.box, self.token)
        if session is None:
            self.token = open_session(place.box)[0]
            return
        self.done = self.buyer.done
        self.code = self._on_screen(place) or self.code
        if not self.code:
            return
        seen = place.box.store.read(lambda unit: see_kiosk(unit, place.box, self.code, session))
        self.told = f"{seen.state.value}{' elsewhere' * seen.elsewhere}"
        full = len(seen.lines) == len(GOODS)
        if seen.state in (KioskState.BASKET, KioskState.CHECKOUT) and full and self.begun < MOST_BEGUN:
            self.begun += 1
            attempt = pay_at_kiosk(place.box, session.session_id, self.code)
            if attempt is not None and self.waits == 0:
                self._pay(place, attempt.order_id)
        elif seen.state is KioskState.PAYING and seen.order is not None and seen.mine:
            self._pay(place, seen.order.order_id)
        elif seen.order is not None and seen.state is KioskState.CHECKOUT:
            # The code is still on the phone, whatever became of it.
            self._pay(place, seen.order.order_id)

    def _on_screen(self, place: Place) -> str:
        def query(unit: Unit) -> str:
            state = unit.workstations.get(self.buyer.workstation)
            basket_id = None if state is None else state.basket_id
            return hand_over_token(place.box, self.buyer.workstation, basket_id) if basket_id else ""

        return place.box.store.read(query)

    def _pay(self, place: Place, order_id: str) -> None:
        attempt = place.box.store.read(lambda unit: open_phone_attempt(unit, order_id))
        self.url = self.url if attempt is None else attempt.pay_url
        if self.waits is None or not self.url:
            return
        self.looked += 1
        if self.looked > self.waits and self.url not in self.wallet:
            try:
                if place.pay_url(self.url):
                    self.wallet.append(self.url)
            except EdgeError:
                # The code was closed while it was looked at.
                return


@dataclass(slots=True)
class Wanderer(Buyer):
    """A Buyer who takes the basket along on the phone, scans bread there, and brings it back to the kiosk."""

    token: str = ""

    def act(self, place: Place) -> None:
        """Do the next thing."""
        session = session_of(place.box, self.token)
        if session is None:
            self.token = open_session(place.box)[0]
            return
        cart = place.box.store.read(lambda unit: load_cart(unit, session.session_id)).basket
        screen = place.look(self.workstation)
        there = {line["sku"] for line in (screen["basket"] or {"lines": []})["lines"]}
        if cart is not None:
            self._shop(place, session.session_id, {line.sku for line in cart.lines})
        elif {sku for _, sku in self.goods} <= there and "bread" not in there:
            token = hand_over_token(place.box, self.workstation, screen["basket"]["id"])
            take_over(_open(place), session.session_id, token)
        else:
            Buyer.act(self, place)

    def _shop(self, place: Place, session_id: str, there: set[str]) -> None:
        if "bread" not in there:
            scan_into_cart(_open(place), session_id, BREAD, "tap-bread-1")
        else:
            place.scan(self.workstation, give_cart(place.box, session_id)[0])


def _open(place: Place) -> Box:
    """Return the running service's box with scan and go switched on."""
    return replace(place.box, scan_and_go=ScanAndGoRules(tenants=frozenset({""})))


def _there_and_back(world: World) -> Sequence[Person]:
    return [Wanderer(KIOSK, GOODS, codes=[world.code() for _ in range(4)])]


def _both(waits: int | None, *faults: FakeFault, patience: int = 0) -> Scenario:
    """Return a kiosk at which code and phone pay at once."""

    def prepare(world: World) -> Sequence[Person]:
        for fault in faults:
            world.phones.fail_next("close", fault)
        buyer = KioskBuyer(KIOSK, GOODS, codes=[world.code() for _ in range(4)], patience=patience)
        return [KioskPhone(buyer, waits), buyer]

    when = "never pays" if waits is None else "pays late" if waits else "pays at once"
    words = "".join(f", closing {fault}" for fault in faults) + ", the code waits" * bool(patience)
    return Scenario(f"phone payment at the kiosk, {when}{words}", prepare, phone=RULES)


THERE_AND_BACK = Scenario("basket from the kiosk to the phone and back", _there_and_back, phone=RULES)

KIOSK_PHONES = (
    _both(0),
    _both(1),
    _both(None),
    _both(1, patience=2),
    _both(1, FakeFault.LOST),
    _both(1, FakeFault.NEVER, FakeFault.NEVER),
    _both(None, FakeFault.NEVER, FakeFault.UNAVAILABLE),
)
