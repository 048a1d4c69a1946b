"""A member's card, a parking coupon or a signed code was scanned while somebody buys or has just paid."""

from __future__ import annotations

from edge.clock import Instant
from edge.codes.house import HouseCode
from edge.codes.reading import CodeKind, CodeReading
from edge.errors import Declined, EdgeError
from edge.parking.plate import mask_plate
from edge.parking.session import Session
from edge.parking.stay_charge import PARKING_SKU
from edge.parking.validation import Holder
from edge.parking.validation_qr import looks_like_token
from edge.services.ask_less import ask_less
from edge.services.box import Box
from edge.services.claim_parking import claim_for_member
from edge.services.grant_validation import redeem_coupon, redeem_qr
from edge.services.records import Unit
from edge.services.stay_lines import asks_for_stays
from edge.services.workstation import Busy, NoticeCode

#: Screens on which a basket or an order is there to tie parking to.
_SCREENS = frozenset({"basket", "checkout", "waiting", "paid"})

Told = tuple[NoticeCode, dict[str, str | int]]


def take_parking_code(
    unit: Unit, box: Box, busy: Busy, now: Instant, reading: CodeReading, text: str
) -> Told | None:
    """Do what a code means for parking and return what to tell; None when it means nothing for parking here.

    A coupon or signed code serves the car that the basket names, or whose fee the screen asks for, which then
    asks for less, or lets the lane go; without a car it is asked for first.
    """
    kind = _kind(reading, text)
    if kind is None or busy.screen not in _SCREENS:
        return None
    # What cannot be served is refused before anything is written, so the unit may go on.
    try:
        return (
            _member(unit, box, busy, reading, now)
            if kind is CodeKind.MEMBER
            else _redeem(unit, box, busy, reading, text, now)
        )
    except EdgeError as error:
        return NoticeCode.PARKING_REFUSED, {"problem": str(error)[:200]}


def _kind(reading: CodeReading, text: str) -> CodeKind | None:
    if looks_like_token(text):
        return CodeKind.COUPON
    return reading.kind if reading.kind in (CodeKind.MEMBER, CodeKind.COUPON) else None


def _member(unit: Unit, box: Box, busy: Busy, reading: CodeReading, now: Instant) -> Told | None:
    if not box.parking.validation.rules or not isinstance(reading.payload, HouseCode):
        return None
    cars = claim_for_member(unit, box, busy, reading.payload.token, now)
    return NoticeCode.PARKING_CLAIMED, {"plate": mask_plate(cars.plates[0]) if cars.plates else ""}


def _redeem(unit: Unit, box: Box, busy: Busy, reading: CodeReading, text: str, now: Instant) -> Told:
    stay = _stay_of(unit, busy)
    holder = Holder(stay.session_id, stay.plate) if stay is not None else _claimed(unit, busy)
    if not holder.key:
        return NoticeCode.PARKING_WHOSE, {}
    if busy.money_in_flight:
        raise Declined("a payment for this fee is on its way; wait for its end")
    if looks_like_token(text):
        done = redeem_qr(unit, box, text, holder, now)
    else:
        assert isinstance(reading.payload, HouseCode)
        done = redeem_coupon(unit, box, reading.payload.token, holder, now)
    if stay is not None and busy.order is not None and asks_for_stays(busy.order.lines):
        ask_less(unit, box, stay.session_id, now, busy.state.workstation)
    words = {"label": done.grant.label, "label_en": done.grant.label_en or done.grant.label}
    return NoticeCode.PARKING_VALIDATED, {**words, "plate": mask_plate(holder.plate)}


def _claimed(unit: Unit, busy: Busy) -> Holder:
    basket_id = busy.order.basket_id if busy.order else busy.basket.basket_id if busy.basket else ""
    claim = unit.validations.claim(basket_id) if basket_id else None
    return claim.holder if claim else Holder()


def _stay_of(unit: Unit, busy: Busy) -> Session | None:
    """Return the stay inside whose fee is on the screen and not paid yet."""
    if busy.screen == "paid":
        return None
    lines = busy.order.lines if busy.order else busy.basket.lines if busy.basket else ()
    charges = (unit.stay_charges.get(line.line_id) for line in lines if line.sku == PARKING_SKU)
    stays = (unit.sessions.get(one.session_id) for one in charges if one is not None and not one.debt_id)
    return next((one for one in stays if one is not None and one.left_at is None), None)
