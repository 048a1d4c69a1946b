"""What is done while the service is killed: by people who try again, as people and phones do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import cast

from sim.crowd.calls import CallError, Calls, Dice, Json
from sim.crowd.desk import refund_all
from sim.crowd.journeys import Place, fill_kiosk, free_kiosk
from sim.crowd.phone import Paid, Phone
from sim.goods import demo_goods

#: How often something is tried again while the service is away, and the pause between.
TRIES = 300
PAUSE_S = 0.05

_AWAY = frozenset({0, 429, 502, 503, 504})
_GOODS = tuple(one for one in demo_goods() if one.sold_by == "piece" and not one.age_min)


class PatientCalls(Calls):
    """Calls that are made again until the service is back; what they do is done once all the same."""

    most_pause_s = PAUSE_S

    def _ask(self, name: str, method: str, path: str, body: Json | None) -> Json:
        for again in range(TRIES):
            try:
                return super()._ask(name, method, path, body)
            except CallError as error:
                if error.status not in _AWAY or again == TRIES - 1 or self._stop.wait(PAUSE_S):
                    raise
        raise AssertionError("the last try raises")


@dataclass(frozen=True, slots=True)
class Journey:
    """One thing that a shopper does. ready: before the kills; go: under them; end: after them."""

    ready: Callable[[Place, Phone, Dice], str]
    go: Callable[[Place, Phone, str], None]
    end: Callable[[Place], None] = lambda place: None


def _with_a_ticket(place: Place, phone: Phone, dice: Dice) -> str:
    counter = place.counters[dice.below(len(place.counters))]
    # Who was signed in is not kept over a restart.
    counter.sign_in()
    goods = [one for one in _GOODS if one.tenant.tenant_id == counter.tenant]
    link = counter.write(sorted({dice.one_of(goods).barcodes[0] for _ in range(2)}))
    return link.rsplit("/", 1)[-1].split("?")[0]


def _pay_a_ticket(place: Place, phone: Phone, token: str) -> None:
    _sign_in(phone)
    phone.get("ticket", f"/t/{token}")
    paid = _paid(phone, f"/t/{token}/pay")
    if not phone.get("ticket", f"/t/{token}").get("release_code"):
        raise CallError("ticket", 0, "no release code", f"order {paid.order_id} is paid")


def _with_goods(place: Place, phone: Phone, dice: Dice) -> str:
    return " ".join(sorted({dice.one_of(_GOODS).barcodes[0] for _ in range(2)}))


def _scan_and_go(place: Place, phone: Phone, codes: str) -> None:
    _sign_in(phone)
    for code in codes.split():
        phone.post("cart scan", "/cart/scan", {"code": code, "key": phone.tap()})
    lines = cast(list[Json], phone.get("cart", "/cart")["lines"])
    if [line["quantity"] for line in lines] != [1] * len(codes.split()):
        raise CallError("cart", 0, "wrong goods", f"{codes}: {lines}")
    paid = _paid(phone, "/cart/pay")
    if phone.get("exit", f"/exit/{paid.order_id}")["state"] != "unused":
        raise CallError("exit", 0, "no exit code", paid.order_id)


def _with_a_kiosk(place: Place, phone: Phone, dice: Dice) -> str:
    return fill_kiosk(place, dice)


def _pay_at_a_kiosk(place: Place, phone: Phone, token: str) -> None:
    _sign_in(phone)
    phone.get("kiosk", f"/k/{token}")
    _paid(phone, f"/k/{token}/pay")


def _with_a_purchase(place: Place, phone: Phone, dice: Dice) -> str:
    _pay_a_ticket(place, phone, _with_a_ticket(place, phone, dice))
    return phone.paid[-1].order_id


def _give_back(place: Place, phone: Phone, order_id: str) -> None:
    """Have the cashier give everything back, as often as it takes until the page offers no more."""
    for again in range(TRIES):
        try:
            refund_all(place.desk, order_id, place.pin)
            break
        except CallError as error:
            if error.word == "not offered" and again:
                break
            if error.status not in _AWAY or again == TRIES - 1 or place.stop.wait(PAUSE_S):
                raise
        except StopIteration:
            # The page no longer asks what to give back: all of it was.
            break
    phone.back_fen += phone.paid[-1].amount_fen


def _with_a_car(place: Place, phone: Phone, dice: Dice) -> str:
    return place.plate()


def _park(place: Place, phone: Phone, plate: str) -> None:
    """Drive in, pay the stay on the phone, drive out; who is not let through comes once more."""
    assert place.lanes is not None
    if not place.lanes.come(plate):
        raise CallError("drive in", 0, "stands", plate)
    _sign_in(phone)
    stays = cast(list[Json], phone.get("parking", f"/parking?plate={plate}")["stays"])
    if not stays:
        raise CallError("parking", 0, "no stay", plate)
    given = {"by": "plate", "word": plate}
    phone.pay(phone.post("parking pay", f"/parking/{stays[0]['stay_id']}/pay", given))
    left = place.lanes.go(plate)
    if left != "free":
        raise CallError("drive out", 0, left, f"{plate} paid by phone and did not go out free")


def _sign_in(phone: Phone) -> None:
    """Log in; a code that was used up before the service died is followed by a new one."""
    for again in range(TRIES):
        try:
            phone.open()
            return
        except CallError as error:
            if error.status != 403 or again == TRIES - 1:
                raise


def _paid(phone: Phone, path: str) -> Paid:
    return phone.pay(phone.post("pay", path))


JOURNEYS: Mapping[str, Journey] = {
    "ticket": Journey(_with_a_ticket, _pay_a_ticket),
    "scan and go": Journey(_with_goods, _scan_and_go),
    "kiosk": Journey(_with_a_kiosk, _pay_at_a_kiosk, free_kiosk),
    "refund": Journey(_with_a_purchase, _give_back),
    "parking": Journey(_with_a_car, _park),
}
