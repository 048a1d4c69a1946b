"""What lowers the fee of a stay, and that it is used up once the stay has left with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from edge.clock import Instant, was_lost
from edge.members.member_snapshot import Member, plate_hmac
from edge.parking.benefit import Benefit
from edge.parking.quote import Quote
from edge.parking.session import Session
from edge.parking.validation import (
    Holder,
    SourceKind,
    Validation,
    ValidationState,
    counted,
    expire,
    holds_at,
    use,
)
from edge.parking.validation_rule import ValidationRule, stack
from edge.services.box import Box
from edge.services.business_day import day_of
from edge.services.identify_member import plate_members, standing_for
from edge.services.member_records import MemberKey
from edge.services.records import Unit
from edge.services.validation_events import tell_validation

#: Validations of one sweep that expire; the next sweep takes more.
MAX_SWEEP = 200

_TIER = "tier"


def benefits_of(unit: Unit, box: Box, session: Session, at: int) -> tuple[Benefit, ...]:
    """Return what lowers the fee of a stay at a moment, in the order in which it is taken off.

    Of a stay that has left: what it used. Reads only.
    """
    return tuple(one.benefit for one in validations_of(unit, box, session, at)[0])


def validations_of(
    unit: Unit, box: Box, session: Session, at: int
) -> tuple[tuple[Validation, ...], tuple[str, ...]]:
    """Return the validations that a stay takes at a moment, and in words why others are left."""
    used = [one for one in unit.validations.of_session(session.session_id) if one.state is _USED]
    if used and session.left_at is not None:
        return tuple(sorted(used, key=lambda one: (one.order, one.granted_at))), ()
    held_at = _held_at(unit, box, session, at)
    there = {
        one.validation_id: one
        for one in _granted(unit, box, session)
        if holds_at(one, held_at) or was_lost(one.granted_at)
    }
    # A vehicle that turned back at the barrier keeps what it had used.
    there |= {one.validation_id: one for one in used}
    there |= {one.validation_id: one for one in _by_tier(unit, box, session, at)}
    stay_min = max(0, at - session.entered_at) // 60_000 + 1
    return stack(tuple(there.values()), box.parking.validation, stay_min)


def use_validations(
    unit: Unit, box: Box, session: Session, quote: Quote, now: Instant
) -> tuple[Validation, ...]:
    """Write in the unit in which a stay leaves that it used what its last quote took off; return that.

    Repeating it changes nothing. What was revoked meanwhile is left: a car that was let out has left.
    Validations of this very stay that took nothing off are over; those of its plate wait for its next stay.
    """
    used = []
    for benefit_id in quote.used:
        validation = unit.validations.get(benefit_id) or _tier_by_id(unit, box, session, benefit_id, now)
        if validation is None or validation.state is not ValidationState.GRANTED:
            continue
        forgone_fen = -sum(one.amount_fen for one in quote.segments if one.benefit_id == benefit_id)
        done = use(validation, session.session_id, max(0, forgone_fen), now.wall_at)
        unit.validations.put(done)
        tell_validation(unit, box, done, now)
        used.append(done)
    for one in unit.validations.of_session(session.session_id):
        if one.state is ValidationState.GRANTED:
            unit.validations.put(expire(one, "the stay left without it", now.wall_at))
    return tuple(used)


def expire_validations(box: Box) -> int:
    """End what nobody used in time, MAX_SWEEP at most; return how many.

    It no longer lowers a fee from its end on; it is written down once nobody can be driving out with it.
    """
    now = box.clock.now()
    before = now.wall_at - box.parking.grace_s * 1000

    def work(unit: Unit) -> int:
        over = [one for one in unit.validations.overdue(before, MAX_SWEEP) if not _waits(unit, one)]
        for one in over:
            unit.validations.put(expire(one, "its time was over", now.wall_at))
        return len(over)

    if all(box.store.read(lambda unit: [_waits(unit, one) for one in unit.validations.overdue(before, 9)])):
        return 0
    return box.store.write(work)


def _waits(unit: Unit, one: Validation) -> bool:
    """Return whether a vehicle inside still has it: it was granted by a clock that had no time."""
    if not was_lost(one.granted_at):
        return False
    session = unit.sessions.get(one.holder.session_id) if one.holder.session_id else None
    inside = session is not None and session.left_at is None
    return inside or bool(one.holder.plate and unit.sessions.inside(one.holder.plate))


def members_of(unit: Unit, box: Box, plate: str) -> tuple[str, ...]:
    """Return the ids of the members to whom a plate is bound, by HQ or here; none without a key."""
    told = [standing_for(unit, member.member_id) for member, _ in _members(unit, box, plate)]
    return tuple(dict.fromkeys((*told, *plate_members(unit, box, plate))))


_USED = ValidationState.USED


def _held_at(unit: Unit, box: Box, session: Session, at: int) -> int:
    """Return when a validation must hold: while who has paid may still drive out, when the fee was quoted.

    Otherwise one that ends between the pay station and the barrier would make something due at the barrier.
    """
    paid = max((one.covers_until for one in unit.settlements.of_session(session.session_id)), default=0)
    return min(at, paid) if paid and at <= paid + box.parking.grace_s * 1000 else at


def _members(unit: Unit, box: Box, plate: str) -> Sequence[tuple[Member, str]]:
    if not (plate and box.parking.plate_key):
        return ()
    found = unit.members.by_key(MemberKey.PLATE, plate_hmac(box.parking.plate_key, plate))
    return tuple((member, member.tier) for member in found)


def _granted(unit: Unit, box: Box, session: Session) -> Sequence[Validation]:
    members = members_of(unit, box, session.plate) or ("",)
    found: list[Validation] = []
    for member_id in members:
        found += unit.validations.open_of(Holder(session.session_id, session.plate, member_id))
    return found


def _by_tier(unit: Unit, box: Box, session: Session, at: int) -> list[Validation]:
    """Return what a member gets for their tier alone; it becomes a record only once it is used."""
    rules = [one for one in box.parking.validation.rules if one.tiers and not one.steps[0].from_fen]
    if not rules:
        return []
    found = []
    for member, tier in _members(unit, box, session.plate):
        for rule in rules:
            if tier in rule.tiers:
                found += _tier(unit, box, session, rule, member.member_id, at)
    return found


def _tier(
    unit: Unit, box: Box, session: Session, rule: ValidationRule, member_id: str, at: int
) -> list[Validation]:
    day, ref = day_of(at, box.rules), f"{_TIER}:{rule.rule_id}:{member_id}:{session.session_id}"
    shopper = f"member:{member_id}"
    before = [one for one in unit.validations.of_shopper(shopper, day) if one.rule_id == rule.rule_id]
    if sum(one.state is _USED for one in before) >= rule.per_day or any(
        one.source_ref == ref for one in before
    ):
        return []
    minutes, fen = counted(rule.steps[0].grant, box.parking.validation.worth)
    one = Validation(
        validation_id=ref,
        holder=Holder(session.session_id, session.plate, member_id),
        grant=rule.steps[0].grant,
        merchant=rule.merchant,
        source=SourceKind.TIER,
        source_ref=ref,
        granted_at=at,
        expires_at=at + rule.valid_h * 3_600_000,
        day=day,
        shopper=shopper,
        rule_id=rule.rule_id,
        order=rule.order,
        minutes_counted=minutes,
        fen_counted=fen,
    )
    return [one]


def _tier_by_id(unit: Unit, box: Box, session: Session, benefit_id: str, now: Instant) -> Validation | None:
    if not benefit_id.startswith(f"{_TIER}:"):
        return None
    found = [one for one in _by_tier(unit, box, session, now.wall_at) if one.validation_id == benefit_id]
    return replace(found[0], validation_id=box.ids.new_id()) if found else None
