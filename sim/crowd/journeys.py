"""What shoppers of a crowd come for: each journey is walked from the first code to its end."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol, cast

from sim.crowd.calls import CallError, Calls, Dice, Json
from sim.crowd.desk import Desk, pass_exit, refund_all
from sim.crowd.phone import Phone
from sim.goods import demo_goods

#: Touchpoints of the demonstration by which some of the crowd come.
POSTERS = ("poster-door", "poster-market")

#: How long somebody waits for a kiosk, a lane or a screen, in seconds.
PATIENCE_S = 40.0
_LOOK_S = 0.2

#: Goods that nobody asks an age for, and that are counted.
_GOODS = tuple(one for one in demo_goods() if one.sold_by == "piece" and not one.age_min)


class Lanes(Protocol):
    """Where cars come in and go out."""

    def come(self, plate: str) -> bool:
        """Drive in; return whether the car got through."""

    def go(self, plate: str) -> str:
        """Drive out; return how: free, paid or stands."""


class Counter(Protocol):
    """Where a tenant's guides write tickets."""

    @property
    def tenant(self) -> str:
        """Whose counter it is."""

    def sign_in(self) -> None:
        """Sign in, or again after the service was started anew."""

    def write(self, codes: Sequence[str]) -> str:
        """Write and issue a ticket over goods by their codes; return the address of its QR code."""

    def hand_over(self, number: str, release_code: str) -> None:
        """Give the goods of a paid ticket away for its release code."""


@dataclass(slots=True)
class Place:
    """The mall as a crowd sees it. kiosk: on the mall's own network. lanes: None where no car can come."""

    public_url: str
    kiosk: Calls
    desk: Desk
    pin: str
    stop: threading.Event
    counters: tuple[Counter, ...] = ()
    lanes: Lanes | None = None
    plate: Callable[[], str] = lambda: ""
    workstation: str = "K01"
    way_out: str = "E01"
    at_kiosk: threading.Lock = field(default_factory=threading.Lock)
    at_lane: threading.Lock = field(default_factory=threading.Lock)
    at_desk: threading.Lock = field(default_factory=threading.Lock)


Journey = Callable[[Place, Phone, Dice], None]


def scan_and_go(place: Place, phone: Phone, dice: Dice) -> None:
    """Come by a poster, scan goods, pay, and pass the guard with the exit code."""
    _see_poster(place, phone, dice)
    phone.open()
    count = 1 + dice.below(4)
    for _ in range(count):
        code = dice.one_of(_GOODS).barcodes[0]
        phone.post("cart scan", "/cart/scan", {"code": code, "key": phone.tap()})
    cart = phone.get("cart", "/cart")
    if dice.below(4) == 0:
        line = cast(list[Json], cart["lines"])[0]["line_id"]
        phone.post("cart line", f"/cart/lines/{line}", {"quantity": 2, "key": phone.tap()})
    paid = phone.pay(phone.post("cart pay", "/cart/pay"))
    shown = phone.get("exit", f"/exit/{paid.order_id}")
    with _turn(place.at_desk, "exit"):
        pass_exit(place.desk, place.way_out, str(shown["code"]))
    left = phone.get("exit", f"/exit/{paid.order_id}")
    if left["state"] != "passed":
        raise CallError("exit", 0, str(left["state"]), f"order {paid.order_id} has not passed the exit")
    _after(place, phone, dice)


def kiosk(place: Place, phone: Phone, dice: Dice) -> None:
    """Begin at a kiosk, go on with the phone: take the basket over, or pay what stands on the screen."""
    with _turn(place.at_kiosk, "kiosk"):
        try:
            token = fill_kiosk(place, dice)
            phone.open()
            phone.get("kiosk", f"/k/{token}")
            takes = dice.below(2) == 0
            if takes:
                phone.post("kiosk take", f"/k/{token}/take")
                payment = phone.post("cart pay", "/cart/pay")
            else:
                payment = phone.post("kiosk pay", f"/k/{token}/pay")
            phone.pay(payment)
        finally:
            free_kiosk(place)
    _after(place, phone, dice)


def ticket(place: Place, phone: Phone, dice: Dice) -> None:
    """Have a guide write a ticket, pay it, and take the goods for the release code."""
    counter = dice.one_of(place.counters)
    goods = [one for one in _GOODS if one.tenant.tenant_id == counter.tenant]
    link = counter.write(sorted({dice.one_of(goods).barcodes[0] for _ in range(1 + dice.below(3))}))
    token = link.rsplit("/", 1)[-1].split("?")[0]
    phone.open()
    phone.get("ticket", f"/t/{token}")
    phone.pay(phone.post("ticket pay", f"/t/{token}/pay"))
    shown = phone.get("ticket", f"/t/{token}")
    if not shown.get("release_code"):
        raise CallError(
            "ticket", 0, "no release code", f"ticket {shown.get('number')} is {shown.get('state')}"
        )
    counter.hand_over(str(shown["number"]), str(shown["release_code"]))
    _after(place, phone, dice)


def parking(place: Place, phone: Phone, dice: Dice) -> None:
    """Drive in, pay the stay on the phone, drive out."""
    assert place.lanes is not None
    plate = place.plate()
    with _turn(place.at_lane, "lane"):
        if not place.lanes.come(plate):
            raise CallError("drive in", 0, "stands", plate)
    phone.open()
    found = phone.get("parking", f"/parking?plate={plate}")
    stays = cast(list[Json], found["stays"])
    if not stays:
        raise CallError("parking", 0, "no stay", plate)
    stay = stays[0]
    if cast(int, stay["due_fen"]) > 0:
        given = {"by": "plate", "word": plate}
        phone.pay(phone.post("parking pay", f"/parking/{stay['stay_id']}/pay", given))
    with _turn(place.at_lane, "lane"):
        left = place.lanes.go(plate)
    if left != "free":
        raise CallError("drive out", 0, left, f"{plate} paid by phone and did not go out free")


JOURNEYS: Mapping[str, Journey] = {
    "scan and go": scan_and_go,
    "kiosk": kiosk,
    "ticket": ticket,
    "parking": parking,
}


def join(phone: Phone, order_id: str = "") -> None:
    """Become a member, or find that one is."""
    me = phone.get("me", "/me")
    if me.get("member") is None:
        given: dict[str, object] = {"consent_version": me["consent_version"]}
        if order_id:
            given["order_id"] = order_id
        me = phone.post("join", "/me/join", given)
    if me.get("member") is None:
        raise CallError("join", 0, "no member", "joined, and nobody")


def _after(place: Place, phone: Phone, dice: Dice) -> None:
    """Look at the receipt's page; some join there, some want their money back."""
    paid = phone.paid[-1]
    if paid.receipt:
        phone.get("landing", f"/landing/{paid.receipt}")
    if phone.signs_in and dice.below(3) == 0:
        join(phone, paid.order_id)
    if dice.below(12) == 0:
        with _turn(place.at_desk, "refund desk"):
            refund_all(place.desk, paid.order_id, place.pin)
        phone.back_fen += paid.amount_fen


def _see_poster(place: Place, phone: Phone, dice: Dice) -> None:
    if dice.below(2):
        return
    answer = phone.box.page("poster", f"/phone/go/{dice.one_of(POSTERS)}")
    way = re.search(r"[?&]c=([\w-]+)", answer.headers.get("Location", ""))
    if way is None:
        raise CallError("poster", answer.status_code, "", "a poster's code led nowhere")
    phone.way = way[1]


def fill_kiosk(place: Place, dice: Dice) -> str:
    """Put goods on the kiosk's screen; return the token of the code that it shows for phones."""
    codes = {dice.one_of(_GOODS).barcodes[0] for _ in range(1 + dice.below(3))}
    for code in sorted(codes):
        place.kiosk.post("kiosk types", f"/api/kiosk/{place.workstation}/type_code", {"text": code})
    view: Json = {}
    for _ in range(int(PATIENCE_S / _LOOK_S)):
        view = place.kiosk.get("kiosk view", f"/api/kiosk/{place.workstation}/view")
        found = re.search(r"/phone/k/([\w-]+)", repr(view))
        basket = view.get("basket")
        if found and isinstance(basket, dict) and len(basket["lines"]) == len(codes):
            return found[1]
        if place.stop.wait(_LOOK_S):
            break
    raise CallError("kiosk", 0, "no code", f"the screen {view.get('screen')} shows no code for phones")


def free_kiosk(place: Place) -> None:
    """Have the kiosk go back to its start; raises CallError when it does not."""
    view: Json = {}
    for _ in range(int(PATIENCE_S / _LOOK_S)):
        view = place.kiosk.get("kiosk view", f"/api/kiosk/{place.workstation}/view")
        act = {"paid": "done", "basket": "cancel", "checkout": "cancel"}.get(str(view["screen"]))
        if view["screen"] == "attract":
            return
        if act:
            try:
                place.kiosk.post(f"kiosk {act}", f"/api/kiosk/{place.workstation}/{act}")
            except CallError as error:
                if error.status not in (400, 409):
                    raise
        if place.stop.wait(_LOOK_S):
            return
    raise CallError("kiosk", 0, "not free", f"the kiosk stays at {view.get('screen')}")


@contextmanager
def _turn(lock: threading.Lock, what: str) -> Iterator[None]:
    """Wait for one's turn; raises CallError when it does not come."""
    if not lock.acquire(timeout=PATIENCE_S * 5):
        raise CallError(what, 0, "queue", f"waited {PATIENCE_S * 5:.0f} s for the {what}")
    try:
        yield
    finally:
        lock.release()
