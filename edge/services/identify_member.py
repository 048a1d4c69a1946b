"""Who stands before us: a member by an identity, by an order, or by the plate that drives in."""

from __future__ import annotations

from dataclasses import dataclass

from edge.clock import Instant
from edge.errors import Invalid
from edge.members.identity import MAX_HOPS, Identity, IdentityKind, elder, follow
from edge.members.member import MemberMerge, MemberProfile, ProfileState, mask_number, mask_phone
from edge.members.member_snapshot import Member, plate_hmac
from edge.members.points import PointsEntry
from edge.parking.validation import tidy_plate
from edge.services.box import Box
from edge.services.member_records import MemberKey
from edge.services.records import Unit

#: A member is noted as seen once in so long.
SEEN_EVERY_MS = 6 * 3_600_000

_KEYS = {IdentityKind.PHONE: MemberKey.PHONE, IdentityKind.CARD: MemberKey.CARD}


@dataclass(frozen=True, slots=True)
class KnownMember:
    """What this box knows of a member, from HQ and by itself.

    provisional: HQ has not answered yet. points: as HQ told them last, with what changed here since then;
    points_at: when HQ told, 0 for never. phone_tail: four digits at most.
    """

    member_id: str
    provisional: bool
    tier: str = ""
    card: str = ""
    phone_tail: str = ""
    points: int = 0
    points_at: int = 0
    tags: tuple[str, ...] = ()


def identify(unit: Unit, box: Box, identity: Identity, now: Instant) -> KnownMember | None:
    """Return the member with an identity, None for nobody; of several the one that HQ knows."""
    found = candidates(unit, identity)
    if not found:
        return None
    note_seen(unit, found[0], now)
    return known_member(unit, found[0])


def candidates(unit: Unit, identity: Identity) -> tuple[str, ...]:
    """Return all members whose identity it is, by this box and by HQ, who keeps the number first."""
    own = unit.people.by_identity(identity)
    ids = [standing_for(unit, own)] if own else []
    key = _KEYS.get(identity.kind)
    if key is not None:
        ids += [standing_for(unit, one.member_id) for one in unit.members.by_key(key, identity.value)]
    there = {one: _rank(unit, one) for one in ids if _is_there(unit, one)}
    return tuple(sorted(there, key=there.__getitem__))


def keeps_number(unit: Unit, first: str, second: str) -> bool:
    """Return whether the first of two members keeps its number when they become one."""
    return elder(_rank(unit, first), _rank(unit, second))


def standing_for(unit: Unit, member_id: str) -> str:
    """Return the member that a number stands for by now, after all mergers."""

    def merged_into(one: str) -> str:
        profile = unit.people.profile(one)
        return profile.merged_into if profile else ""

    return follow(member_id, merged_into)


def known_member(unit: Unit, member_id: str) -> KnownMember | None:
    """Return what is known of a member after all mergers; None for one who is not known or was erased."""
    one = standing_for(unit, member_id)
    own, told = unit.people.profile(one), unit.members.get(one)
    if not _is_there(unit, one):
        return None
    return KnownMember(
        one,
        told is None and own is not None and own.state is ProfileState.PROVISIONAL,
        told.tier if told else "",
        told.card if told else _card(unit, one),
        (told.phone_tail if told else "") or (own.phone_tail if own else ""),
        _points(unit, one, told),
        told.points_at if told else 0,
        own.tags if own else (),
    )


def order_member(unit: Unit, order_id: str) -> str:
    """Return whose purchase an order is, "" for nobody's.

    Said with its basket, else who has got points for it, else the member with the openid that paid.
    """
    order = unit.orders.get(order_id)
    if order is None:
        return ""
    claim = unit.validations.claim(order.basket_id)
    if claim is not None and claim.holder.member_id:
        return standing_for(unit, claim.holder.member_id)
    for entry in unit.points.of_source(order_id):
        return standing_for(unit, entry.member_id)
    for tender in order.tenders:
        attempt = unit.attempts.get(tender.attempt_id) if tender.attempt_id else None
        if attempt is not None and attempt.payer:
            paid = unit.people.by_identity(Identity(IdentityKind.OPENID, attempt.payer))
            if paid:
                return standing_for(unit, paid)
    return ""


def plate_members(unit: Unit, box: Box, plate: str) -> tuple[str, ...]:
    """Return the members who have bound a plate, here or at HQ, by number; none where there is no key.

    None either for what a camera read and nobody could have bound.
    """
    if not box.members.key:
        return ()
    try:
        hashed = plate_hmac(box.members.key, tidy_plate(plate))
    except Invalid:
        return ()
    own = {standing_for(unit, one) for one in unit.people.by_plate(hashed)}
    told = {standing_for(unit, one.member_id) for one in unit.members.by_key(MemberKey.PLATE, hashed)}
    return tuple(sorted(one for one in own | told if _is_there(unit, one)))


def member_view(unit: Unit, member_id: str) -> dict[str, object] | None:
    """Return a member as a person may see them: numbers and plates masked; None for nobody."""
    known = known_member(unit, member_id)
    if known is None:
        return None
    return {
        "member_id": known.member_id,
        "number": mask_number(known.member_id),
        "card": mask_number(known.card),
        "phone": mask_phone(known.phone_tail),
        "tier": known.tier,
        "provisional": known.provisional,
        "points": known.points,
        "points_at": known.points_at,
        "tags": list(known.tags),
        "identities": [one.kind.value for one in unit.people.identities(known.member_id)],
        "plates": [one.masked for one in unit.people.plates(known.member_id)],
    }


def own_merges(unit: Unit, member_id: str) -> tuple[MemberMerge, ...]:
    """Return all mergers that led to a member, those of the absorbed ones too, oldest first."""
    found: list[MemberMerge] = []
    waiting = [member_id]
    while waiting and len(found) < MAX_HOPS:
        merges = unit.people.merges(waiting.pop())
        found += merges
        waiting += [one.absorbed_id for one in merges]
    return tuple(sorted(found, key=lambda one: (one.merged_at, one.absorbed_id)))


def own_lines(unit: Unit, member_id: str) -> tuple[PointsEntry, ...]:
    """Return a member's points' lines with those of the members that it absorbed, oldest first."""
    numbers = [member_id, *(one.absorbed_id for one in own_merges(unit, member_id))]
    lines = [line for number in numbers for line in unit.points.entries(number)]
    return tuple(sorted(lines, key=lambda one: (one.at, one.entry_id)))


def own_profile(unit: Unit, member_id: str, now: Instant) -> MemberProfile:
    """Return a member's profile at this box; one whom only HQ knew gets one."""
    profile = unit.people.profile(member_id)
    if profile is None:
        profile = MemberProfile(member_id, ProfileState.KNOWN, now.wall_at, now.wall_at)
        unit.people.put_profile(profile)
    return profile


def note_seen(unit: Unit, member_id: str, now: Instant) -> None:
    """Note that a member was met, in a unit that writes."""
    profile = unit.people.profile(member_id)
    if profile is not None and profile.is_there and now.wall_at - profile.seen_at >= SEEN_EVERY_MS:
        unit.people.put_profile(_seen(profile, now.wall_at))


def _seen(profile: MemberProfile, at: int) -> MemberProfile:
    return MemberProfile(
        profile.member_id,
        profile.state,
        profile.joined_at,
        at,
        profile.joined_via,
        profile.phone_tail,
        profile.tags,
    )


def _rank(unit: Unit, member_id: str) -> tuple[bool, str]:
    profile = unit.people.profile(member_id)
    if unit.members.get(member_id) is not None or profile is None:
        return False, member_id
    return profile.rank


def _is_there(unit: Unit, member_id: str) -> bool:
    profile = unit.people.profile(member_id)
    return profile.is_there if profile else unit.members.get(member_id) is not None


def _card(unit: Unit, member_id: str) -> str:
    cards = [one.value for one in unit.people.identities(member_id) if one.kind is IdentityKind.CARD]
    return cards[0] if cards else ""


def _points(unit: Unit, member_id: str, told: Member | None) -> int:
    """Return the balance that HQ told with what this box has written since, or what is here alone."""
    if told is None:
        return unit.points.balance(member_id)[0]
    later = (one.points for one in unit.points.entries(member_id) if one.at > told.points_at)
    return max(0, told.points + sum(later))
