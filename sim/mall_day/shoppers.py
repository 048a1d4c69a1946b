"""The shoppers of the day: each knows one way of buying, and acts on what is shown, as after any restart."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from edge.members.identity import Identity, IdentityKind
from edge.services.box import Box
from edge.services.journey_records import LinkKind
from edge.services.pass_exit import check_exit, show_exit
from edge.services.pay_by_phone import open_phone_attempt
from edge.services.phone_cart import load_cart
from edge.services.phone_session import open_session, session_of
from edge.services.record_conversion import adopt_way, scan_touchpoint
from edge.services.scan_and_go import pay_cart, scan_into_cart
from sim.fakes.box import BREAD, COLA, weight_label
from sim.mall_day.dice import Dice
from sim.mall_day.house import House
from sim.mall_day.site import COUNTER, KIOSKS, TILLS
from sim.mall_day.timeline import Process
from sim.world.garage.motorists import Prepayer
from sim.world.garage.site import Garage
from sim.world.people.buyers import Buyer, Driver, Returner
from sim.world.people.counters import CounterSale
from sim.world.people.kiosk_phones import GOODS, KioskBuyer, KioskPhone
from sim.world.people.patrons import Patron
from sim.world.people.person import Person, Place
from sim.world.people.phone_shoppers import PhoneShopper
from sim.world.people.walkers import CODES, Walker

#: Pauses between what a shopper does, and after many things without an end, in milliseconds.
ACTS_EVERY, TIRED_AFTER, TIRED_EVERY = 1_800, 14, 6_000

#: After so many acts a shopper counts as stuck.
MOST_ACTS = 2_000

APPLES = weight_label("101", 500)
SHELF = ((COLA, "cola"), (BREAD, "bread"), (APPLES, "apple"))

#: A car's errand earns an hour of parking with 90 yuan.
BASKET = ((weight_label("101", 9_000), "apple"),)


@dataclass(slots=True)
class Member(Patron):
    """A Patron with a card of their own, who earns points and spends none."""

    number: int = 0

    def _show_card(self, place: Place, screen: Mapping[str, Any]) -> None:
        """Be known at the basket by one's own card."""
        identity = Identity(IdentityKind.OPENID, f"openid-member-{self.number}")
        self._be_known(place, screen["order"]["id"], identity)


@dataclass(slots=True)
class Stroller(Walker):
    """A Walker with a way of their own. way: what the phone keeps of it."""

    way: str = ""

    def act(self, place: Place) -> None:
        """Do the next thing."""
        if self.scanned < len(CODES):
            scan_touchpoint(place.box, CODES[self.scanned], self.way)
            self.scanned += 1
        elif not self.went and self._hands_over(place):
            return
        else:
            Returner.act(self, place)

    def _hands_over(self, place: Place) -> bool:
        box, screen = place.box, place.look(self.workstation)
        basket = screen["basket"]
        if basket is None or screen["screen"] != "basket":
            return False
        known = box.store.read(lambda unit: unit.journeys.linked(LinkKind.BASKET, basket["id"]))
        if known == self.way:
            return False
        now = box.clock.now()
        box.store.write(lambda unit: adopt_way(unit, box, LinkKind.BASKET, basket["id"], self.way, now))
        return True


@dataclass(slots=True)
class Scanner(Person):
    """Buys by scan and go, pays in the phone's wallet, and shows the exit code at the door."""

    goods: tuple[str, ...]
    token: str = ""
    scanned: int = 0
    order_id: str = ""
    wallet: list[str] = field(default_factory=list)

    def act(self, place: Place) -> None:
        """Do the next thing."""
        session = session_of(place.box, self.token)
        if session is None:
            self.token = open_session(place.box)[0]
        elif self.order_id:
            self._pay_or_go(place, session.session_id)
        elif self.scanned < len(self.goods):
            scan_into_cart(place.box, session.session_id, self.goods[self.scanned], f"tap-{self.scanned:08d}")
            self.scanned += 1
        else:
            self._begin(place, session.session_id)

    def _begin(self, place: Place, session_id: str) -> None:
        attempt = pay_cart(place.box, session_id)
        if attempt is not None:
            self.order_id = attempt.order_id

    def _pay_or_go(self, place: Place, session_id: str) -> None:
        box, now = place.box, place.box.clock.now()
        shown = box.store.read(lambda unit: show_exit(unit, box, self.order_id, now))
        if shown is not None and shown.order.closed_at is not None:
            self.has_paid = shown.order.due_fen == 0
            if self.has_paid:
                check_exit(box, shown.code, "door-1", "guard")
            self.done = True
            return
        attempt = box.store.read(lambda unit: open_phone_attempt(unit, self.order_id))
        if attempt is None:
            # It was closed, or never made: the phone asks for it again.
            cart = box.store.read(lambda unit: load_cart(unit, session_id))
            if cart.basket is not None:
                self._begin(place, session_id)
        elif attempt.pay_url and attempt.pay_url not in self.wallet and place.pay_url(attempt.pay_url):
            self.wallet.append(attempt.pay_url)


class OwnPhone:
    """A Place in which the shopper's phone is nobody else's: login codes and openids carry a number."""

    def __init__(self, house: House, number: int) -> None:
        """number: of this phone."""
        self._house, self._number = house, number
        self.look, self.scan, self.pay_url = house.look, house.scan, house.pay_url
        self.read_bill, self.rests_but_for, self.wired = house.read_bill, house.rests_but_for, house.wired

    @property
    def box(self) -> Box:
        """The running service."""
        return self._house.box

    @property
    def garage(self) -> Garage:
        """The car park."""
        return self._house.garage

    def login_code(self, code: str, openid: str) -> str:
        """Have the phone be given this code by wx.login."""
        return self._house.login_code(f"{code}-{self._number}", f"{openid}-{self._number}")

    def pay_inside(self, params: Mapping[str, str], openid: str) -> bool:
        """Have the wallet pay what the mini-program shows."""
        return self._house.pay_inside(params, f"{openid}-{self._number}")


class Shoppers:
    """All shoppers of a day. arrived, served: how many; by_kind: who came, by kind."""

    def __init__(self, house: House, dice: Dice) -> None:
        """Nobody has come yet."""
        self.house, self._dice = house, dice
        self.people: list[Person] = []
        self.kinds: dict[str, int] = {}
        self.finished = 0
        self.stuck: list[Person] = []
        self._lines: dict[str, deque[tuple[Person, ...]]] = {}
        self._served: set[str] = set()

    def come(self, number: int) -> None:
        """Have one shopper come, of a kind drawn by lot."""
        kinds, weights = zip(*_KINDS, strict=True)
        kind = self._dice.choices(kinds, weights)[0]
        self.kinds[kind.__name__.strip("_")] = self.kinds.get(kind.__name__.strip("_"), 0) + 1
        kind(self, number)

    def line_up(self, place: str, *people: Person) -> None:
        """Have people wait at a place; the first of them is the one who shops."""
        self.people += people
        self._lines.setdefault(place, deque()).append(people)
        if place not in self._served:
            self._served.add(place)
            self.house.timeline.start(self._serve(place))

    def walk(self, person: Person, number: int) -> None:
        """Have somebody shop who needs no place."""
        self.people.append(person)
        self.house.timeline.start(self._live((person,), OwnPhone(self.house, number)))

    def shortest(self, places: tuple[str, ...]) -> str:
        """Return the place with the fewest people."""
        return min(places, key=lambda one: len(self._lines.get(one, ())) + (one in self._served))

    def codes(self) -> list[str]:
        """Return the codes of one phone, each for one try; some ask for a password, some are poor."""
        lot = self._dice.random()
        habits: dict[str, Any] = {}
        if lot < 0.10:
            habits = {"asks": True, "pending_queries": 1}
        elif lot < 0.11:
            habits = {"asks": True, "pending_queries": 1, "cancels": True}
        elif lot < 0.13:
            habits = {"balance_fen": 1}
        return [self.house.code(**habits), *(self.house.code() for _ in range(5))]

    def goods(self) -> list[tuple[str, str]]:
        """Return what somebody buys: one or two articles."""
        return self._dice.sample(SHELF, self._dice.choice((1, 2)))

    def _serve(self, place: str) -> Process:
        while self._lines[place]:
            yield from self._live(self._lines[place].popleft(), self.house)
            yield ACTS_EVERY
        self._served.discard(place)

    def _live(self, people: tuple[Person, ...], place: Place) -> Process:
        for acts in range(MOST_ACTS):
            for person in people:
                if not person.done:
                    self.house.do(lambda person=person: person.act(place))  # type: ignore[misc]
            if all(one.done for one in people):
                self.finished += 1
                return
            yield ACTS_EVERY if acts < TIRED_AFTER else TIRED_EVERY
        self.stuck.append(people[0])


def _by_code(shoppers: Shoppers, number: int) -> None:
    place = shoppers.shortest(KIOSKS)
    shoppers.line_up(place, Buyer(place, shoppers.goods(), codes=shoppers.codes()))


def _by_cash(shoppers: Shoppers, number: int) -> None:
    place = shoppers.shortest(TILLS)
    shoppers.line_up(place, Buyer(place, shoppers.goods(), cash_fen=[5_000]))


def _in_parts(shoppers: Shoppers, number: int) -> None:
    place = shoppers.shortest(TILLS)
    shoppers.line_up(place, Buyer(place, SHELF, codes=shoppers.codes(), cash_fen=[500]))


def _kiosk_phone(shoppers: Shoppers, number: int) -> None:
    place = shoppers.shortest(KIOSKS)
    buyer = KioskBuyer(place, GOODS, codes=shoppers.codes(), patience=3)
    shoppers.line_up(place, buyer, KioskPhone(buyer))


def _returned(shoppers: Shoppers, number: int) -> None:
    place = shoppers.shortest((*KIOSKS, *TILLS))
    asks = ({"amount_fen": 100}, {}) if number % 2 else ({},)
    shoppers.line_up(place, Returner(place, shoppers.goods(), codes=shoppers.codes(), asks=asks))


def _member(shoppers: Shoppers, number: int) -> None:
    place = shoppers.shortest((*KIOSKS, *TILLS))
    card = number % 700
    member = Member(place, shoppers.goods(), codes=shoppers.codes(), spends=False, number=card)
    member.asks = ({},) if number % 20 == 0 else ()
    shoppers.line_up(place, member)


def _stroller(shoppers: Shoppers, number: int) -> None:
    place = shoppers.shortest(KIOSKS)
    shoppers.line_up(
        place, Stroller(place, shoppers.goods(), codes=shoppers.codes(), way=f"day-way-{number:06d}")
    )


def _ticket(shoppers: Shoppers, number: int) -> None:
    shoppers.line_up(COUNTER, CounterSale(gives_back=number % 25 == 0))


def _in_app(shoppers: Shoppers, number: int) -> None:
    shoppers.walk(PhoneShopper(begins_outside=number % 8 == 0), number)


def _scan_and_go(shoppers: Shoppers, number: int) -> None:
    shoppers.walk(Scanner(tuple(code for code, _ in shoppers.goods())), number)


Kind = Callable[[Shoppers, int], None]

_KINDS: tuple[tuple[Kind, int], ...] = (
    (_by_code, 26),
    (_by_cash, 8),
    (_in_parts, 4),
    (_kiosk_phone, 8),
    (_returned, 3),
    (_member, 12),
    (_stroller, 8),
    (_ticket, 8),
    (_in_app, 9),
    (_scan_and_go, 14),
)


def errand_of_driver(shoppers: Shoppers, plate: str) -> tuple[str, Person]:
    """Return the place and the shopper who buys for a car's plate."""
    place = shoppers.shortest((*KIOSKS, *TILLS))
    return place, Driver(place, BASKET, codes=shoppers.codes(), plate=plate)


def prepayer(shoppers: Shoppers, plate: str) -> tuple[str, Person]:
    """Return the place and the driver who pays the parking before going to the car."""
    return KIOSKS[0], Prepayer(plate, shoppers.codes())
