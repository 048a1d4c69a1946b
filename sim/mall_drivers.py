"""Who drives in the demonstration: shoppers whose purchase pays their parking, and traffic beside them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import count

from sim.cameras.sight import CONFUSED
from sim.goods import demo_goods
from sim.lane import Habit
from sim.mall_lanes import THRESHOLD_FEN, Left, MallLanes
from sim.plates import PlateKind, any_plate
from sim.shopper import Shop, ShopperError, Trip, payment_code, visit

#: Shoppers with these trips come by car; the others come on foot.
BY_CAR = ("breakfast", "slow password", "wine, age checked")

#: Seconds between two cars of the traffic, at pace 1, and those that a driver spends inside.
PAUSE_S = 6.0
STAY_S = 8.0

#: The longest that the demonstration waits for the traffic's last car when it ends by itself, at any pace.
END_S = 120.0

_ENDS = {
    Left.FREE: "{plate} left free: the purchase {number} paid its parking",
    Left.PAID: "{plate} paid at the exit and left",
    Left.STANDS: "{plate} still stands at the exit; open it at /staff/lanes",
}


def visit_by_car(lanes: MallLanes, shop: Shop, trip: Trip, plate: str) -> str:
    """Drive in, buy for enough, drive out; return the order's number. On foot when the trip has no car."""
    if trip.title not in BY_CAR:
        return visit(shop, trip)
    came = lanes.enter(lanes.car(plate))
    if shop.stop.is_set():
        raise ShopperError("the demonstration is being stopped")
    shop.say(f"shopper: {plate} {'is in the car park' if came else 'still stands at the entry'}")
    number = visit(shop, replace(trip, plate=plate, codes=_enough() + trip.codes))
    left = lanes.leave(lanes.car(plate), lambda: payment_code(shop.wallets))
    if shop.stop.is_set():
        raise ShopperError("the demonstration is being stopped")
    shop.say("shopper: " + _ENDS[left].format(plate=plate, number=number))
    return number


def some_plate(digits: Callable[[int], str], confusing: int = 0) -> str:
    """Return a private car's plate with at least so many characters that cameras confuse.

    digits: returns that many random decimal digits.
    """
    seed = int(digits(9))
    for at in count(seed):
        text = any_plate(at, (PlateKind.BLUE, PlateKind.GREEN)[at % 2]).text
        if sum(char in CONFUSED for char in text[2:]) >= confusing:
            return text
    raise AssertionError("plates do not end")


def misread_twice(text: str) -> str:
    """Return a plate with two characters taken for others: too many for the service to be sure alone."""
    places = [at for at, char in enumerate(text) if at > 1 and char in CONFUSED][-2:]
    return "".join(CONFUSED[char][0] if at in places else char for at, char in enumerate(text))


@dataclass(slots=True)
class Traffic:
    """Cars that come and go by themselves, one after another, until `stop`; `run` is a thread's work.

    wallets: address of the gateway. told: stories that ended, by name.
    """

    lanes: MallLanes
    wallets: str
    digits: Callable[[int], str]
    say: Callable[[str], None]
    stop: threading.Event
    pace_s: float = 1.0
    told: list[str] = field(default_factory=list)
    ends: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        """Tell one story after another; what goes wrong is said and the next car comes."""
        for turn in count():
            story = (self._pays, self._misread, self._turns_back)[turn % 3]
            try:
                story()
            except (ShopperError, OSError) as error:
                self.say(f"traffic: {error}")
            self.told = [*self.told[-99:], story.__name__.strip("_")]
            if self._over() or self.stop.wait(PAUSE_S * self.pace_s):
                return

    def _over(self) -> bool:
        return self.stop.is_set() or (self.ends.is_set() and len(self.told) >= 3)

    def _pays(self) -> None:
        plate = some_plate(self.digits)
        if self._enters(plate):
            self._leaves(plate)

    def _misread(self) -> None:
        plate = some_plate(self.digits, confusing=2)
        read = misread_twice(plate)
        self.say(f"traffic: the entry's camera will take {plate} for {read}; the guard is asked at the exit")
        if self._enters(plate, read):
            self._leaves(plate)

    def _turns_back(self) -> None:
        plate = some_plate(self.digits)
        turned = self.lanes.enter(self.lanes.car(plate, Habit.TURNS_BACK))
        self.say(
            f"traffic: {plate} {'turned back and never was inside' if turned else 'stands at the entry'}"
        )

    def _enters(self, plate: str, read_as: str = "") -> bool:
        came = self.lanes.enter(self.lanes.car(plate, read_as=read_as))
        if not came and not self.stop.is_set():
            self.say(f"traffic: {plate} still stands at the entry; open it at /staff/lanes")
        return came and not self.stop.wait(STAY_S * self.pace_s)

    def _leaves(self, plate: str) -> None:
        left = self.lanes.leave(self.lanes.car(plate), lambda: payment_code(self.wallets))
        if not self.stop.is_set():
            self.say("traffic: " + _ENDS[left].format(plate=plate, number=""))


def _enough() -> tuple[str, ...]:
    """Return codes of goods that alone reach what a free stay asks for, the dearest first."""
    goods = [one for one in demo_goods() if one.sold_by == "piece" and not one.age_min]
    goods.sort(key=lambda one: -float(one.price))
    codes, sum_fen = [], 0
    for one in goods:
        if sum_fen >= THRESHOLD_FEN + 1_000:
            break
        codes.append(one.barcodes[0])
        sum_fen += round(float(one.price) * 100)
    return tuple(codes)
