"""Consent given and withdrawn, and the plates that depend on it."""

from __future__ import annotations

from dataclasses import replace

from edge.clock import Instant
from edge.errors import Declined, Invalid
from edge.members.consent import Consent, ConsentPurpose, check_version, standing, withdraw
from edge.members.member import MAX_BOUND, PlateBinding
from edge.members.member_snapshot import plate_hmac
from edge.parking.plate import mask_plate
from edge.parking.validation import tidy_plate
from edge.services.box import Box
from edge.services.events import EventKind
from edge.services.identify_member import known_member, own_profile, standing_for
from edge.services.member_events import consented, plate_changed, tell
from edge.services.records import Unit


def give_consent(
    unit: Unit, box: Box, member_id: str, purpose: ConsentPurpose, version: str, channel: str, now: Instant
) -> Consent:
    """Note what a member agreed to; the same version again is the consent that stands. Raises Invalid."""
    one = _need(unit, member_id, now)
    held = standing(unit.people.consents(one), purpose)
    if held is not None and held.version == check_version(version):
        return held
    consent = Consent(box.ids.new_id(), one, purpose, check_version(version), channel[:64], now.wall_at)
    unit.people.put_consent(consent)
    tell(unit, box, EventKind.MEMBER_CONSENT, one, consented(consent), now)
    return consent


def withdraw_consent(unit: Unit, box: Box, member_id: str, purpose: ConsentPurpose, now: Instant) -> int:
    """End every consent for a purpose, and unbind the plates with that for plates; return how many ended.

    Membership itself ends by erasure, which keeps the books.
    """
    if purpose is ConsentPurpose.MEMBERSHIP:
        raise Declined("who withdraws from membership is erased; have a supervisor do that at /staff/members")
    one = standing_for(unit, member_id)
    ended = withdraw(unit.people.consents(one), purpose, now.wall_at)
    for consent in ended:
        unit.people.put_consent(consent)
        tell(unit, box, EventKind.MEMBER_CONSENT, one, consented(consent), now)
    if purpose is ConsentPurpose.PLATE:
        for binding in unit.people.plates(one):
            end_binding(unit, box, binding, now)
    return len(ended)


def may(unit: Unit, member_id: str, purpose: ConsentPurpose) -> bool:
    """Return whether a member's consent for a purpose stands."""
    return standing(unit.people.consents(standing_for(unit, member_id)), purpose) is not None


def bind_plate(
    unit: Unit, box: Box, member_id: str, plate: str, version: str, channel: str, now: Instant
) -> PlateBinding:
    """Bind a plate to a member, with consent to that version of the text; again it is the same binding.

    A plate may be several members' (a family's car). Raises Invalid for what is no plate and where this box
    has no key; Declined beyond MAX_BOUND plates.
    """
    if not box.members.key:
        raise Invalid("this box has no key for plates; set [members] key_file")
    tidy = tidy_plate(plate)
    hashed = plate_hmac(box.members.key, tidy)
    consent = give_consent(unit, box, member_id, ConsentPurpose.PLATE, version, channel, now)
    bound = unit.people.plates(consent.member_id)
    for one in bound:
        if one.plate_hmac == hashed:
            return one
    if len(bound) >= MAX_BOUND:
        raise Declined(f"{MAX_BOUND} plates are bound; unbind one first")
    binding = PlateBinding(consent.member_id, hashed, mask_plate(tidy), consent.version, now.wall_at)
    unit.people.put_plate(binding)
    tell(unit, box, EventKind.MEMBER_PLATE, consent.member_id, plate_changed(binding), now)
    return binding


def unbind_plate(unit: Unit, box: Box, member_id: str, plate: str, now: Instant) -> bool:
    """Unbind a plate, given whole or as it is shown masked; return whether it was bound."""
    one = standing_for(unit, member_id)
    shown = plate if "·" in plate else mask_plate(tidy_plate(plate))
    hashed = plate_hmac(box.members.key, plate)
    for binding in unit.people.plates(one):
        if binding.plate_hmac == hashed or ("·" in plate and binding.masked == shown):
            end_binding(unit, box, binding, now)
            return True
    return False


def end_binding(unit: Unit, box: Box, binding: PlateBinding, now: Instant) -> None:
    """Unbind one plate."""
    over = replace(binding, unbound_at=now.wall_at)
    unit.people.put_plate(over)
    tell(unit, box, EventKind.MEMBER_PLATE, binding.member_id, plate_changed(over), now)


def _need(unit: Unit, member_id: str, now: Instant) -> str:
    known = known_member(unit, member_id)
    if known is None:
        raise Invalid("there is no such member (any more); identify again")
    return own_profile(unit, known.member_id, now).member_id
