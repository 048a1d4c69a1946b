"""Whose parking a basket shall validate: a plate, a member, or nobody's, said before or after payment."""

from __future__ import annotations

from dataclasses import dataclass, replace

from edge.clock import Instant
from edge.errors import Declined, Invalid
from edge.members.member_snapshot import Member, plate_hmac
from edge.parking.plate import mask_plate
from edge.parking.validation import Holder, Validation, tidy_plate
from edge.parking.validation_words import said
from edge.services.box import Box
from edge.services.earn_points import earn_for_order
from edge.services.member_records import MemberKey
from edge.services.records import Unit
from edge.services.validate_purchase import count_paid
from edge.services.validation_records import Claim
from edge.services.workstation import Busy, act

#: Stays inside that are looked through for a member's cars.
MAX_INSIDE = 6_000


@dataclass(frozen=True, slots=True)
class MemberCars:
    """A member, and those of their bound plates that are inside, the latest entry first."""

    member: Member
    plates: tuple[str, ...]


def claim_plate(box: Box, workstation: str, plate: str) -> None:
    """Have what is on the screen validate a plate; after payment at once. Raises Invalid for what is none."""
    holder = Holder(plate=tidy_plate(plate))
    _claim(box, workstation, holder)


def claim_nothing(box: Box, workstation: str) -> None:
    """Note that the shopper came without a car; refused once a car was validated."""

    def step(unit: Unit, busy: Busy, now: Instant) -> None:
        basket_id = _basket_id(busy)
        if busy.screen == "paid" and busy.order and unit.validations.purchase(busy.order.order_id):
            raise Declined(f"order {busy.order.number} has validated a car already")
        unit.validations.put_claim(Claim(basket_id, Holder(), now.wall_at, no_car=True))

    act(box, workstation, step)


def claim_member(box: Box, workstation: str, card: str) -> MemberCars:
    """Have what is on the screen validate the car of a member; of several inside the one that came last.

    With none inside it waits for the first of their cars that comes or is read. Raises Invalid for a card
    that this box does not know.
    """
    cars = box.store.read(lambda unit: cars_of(unit, box, card))
    _claim(box, workstation, holder_of(cars), cars.member.tier)
    return cars


def claim_for_member(unit: Unit, box: Box, busy: Busy, card: str, now: Instant) -> MemberCars:
    """As claim_member, in the unit of a scan."""
    cars = cars_of(unit, box, card)
    note_claim(unit, box, busy, holder_of(cars), now, cars.member.tier)
    return cars


def cars_of(unit: Unit, box: Box, card: str) -> MemberCars:
    """Return a member by the number on their card, and which of their cars are inside; raise Invalid."""
    found = unit.members.by_key(MemberKey.CARD, card)
    if not found:
        raise Invalid("this box does not know that member's card; give the plate instead")
    member, key = found[0], box.parking.plate_key
    if not key or not member.plate_hmacs:
        return MemberCars(member, ())
    own = frozenset(member.plate_hmacs)
    inside = unit.sessions.all_inside(MAX_INSIDE)
    plates = (one.plate for one in inside if one.plate and plate_hmac(key, one.plate) in own)
    return MemberCars(member, tuple(dict.fromkeys(plates)))


def holder_of(cars: MemberCars) -> Holder:
    """Return for whom a member's purchase counts: the car that came last, else whichever comes."""
    return Holder(plate=cars.plates[0] if cars.plates else "", member_id=cars.member.member_id)


def note_claim(unit: Unit, box: Box, busy: Busy, holder: Holder, now: Instant, tier: str = "") -> None:
    """Keep a claim with the basket on the screen, or count its order at once when that is paid."""
    basket_id = _basket_id(busy)
    if busy.screen == "paid" and busy.order is not None:
        count_paid(unit, box, busy.order, holder, now, tier)
        earn_for_order(unit, box, busy.order, now)
    else:
        known = unit.validations.claim(basket_id)
        if known is not None and known.holder.member_id and not holder.member_id:
            # A member who names another car is still the one who buys.
            holder, tier = replace(holder, member_id=known.holder.member_id), known.tier
        unit.validations.put_claim(Claim(basket_id, holder, now.wall_at, tier=tier))


def show_parking(unit: Unit, box: Box, basket_id: str, order_id: str) -> dict[str, object] | None:
    """Return what a screen says of parking: whose it is, and what was validated; None without rules."""
    if not box.parking.validation.rules:
        return None
    claim = unit.validations.claim(basket_id) if basket_id else None
    purchase = unit.validations.purchase(order_id) if order_id else None
    holder = purchase.holder if purchase else claim.holder if claim else Holder()
    found = unit.validations.of_order(order_id) if order_id else ()
    return {
        "plate": mask_plate(holder.plate),
        "member": bool(holder.member_id),
        "no_car": bool(claim and claim.no_car),
        "counted": purchase is not None,
        "validated": [show_validation(one) for one in found if one.counts],
    }


def show_validation(one: Validation) -> dict[str, object]:
    """Return a validation as JSON for the shopper it belongs to, its plate masked."""
    return {
        "kind": one.grant.kind.value,
        "value": one.grant.value,
        "words": said(one, "zh"),
        "words_en": said(one, "en"),
        "label": one.grant.label,
        "label_en": one.grant.label_en or one.grant.label,
        "plate": mask_plate(one.holder.plate),
        "state": one.state.value,
        "expires_at": one.expires_at,
    }


def parking_lines(unit: Unit, box: Box, order_id: str) -> tuple[tuple[str, str], ...]:
    """Return what a receipt says of an order's parking, in Chinese and English, plates masked."""
    if not box.parking.validation.rules:
        return ()
    found = [one for one in unit.validations.of_order(order_id) if one.counts]
    return tuple(
        (
            f"已减免停车 {said(one, 'zh')} {mask_plate(one.holder.plate)}".rstrip(),
            f"Parking validated: {said(one, 'en')}",
        )
        for one in found
    )


def _claim(box: Box, workstation: str, holder: Holder, tier: str = "") -> None:
    act(box, workstation, lambda unit, busy, now: note_claim(unit, box, busy, holder, now, tier))


def _basket_id(busy: Busy) -> str:
    if busy.order is not None:
        return busy.order.basket_id
    if busy.basket is None:
        raise Invalid("there is no basket on this screen; scan something first")
    return busy.basket.basket_id
