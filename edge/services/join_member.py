"""Joining: whoever is not known becomes a provisional member at once, without HQ; its answer merges them.

Nothing here waits for anything, so that no payment ever waits for a phone number.
"""

from __future__ import annotations

from dataclasses import dataclass

from edge.clock import Instant
from edge.errors import Invalid
from edge.members.consent import ConsentPurpose, check_version
from edge.members.identity import Identity
from edge.members.member import MemberProfile, ProfileState
from edge.services.box import Box
from edge.services.change_consent import give_consent
from edge.services.events import EventKind
from edge.services.identify_member import KnownMember, candidates, known_member, own_profile
from edge.services.member_events import joined, tell
from edge.services.merge_members import merge_members
from edge.services.occasion_landing import offer_join_page
from edge.services.offer_landing import way_of
from edge.services.record_conversion import record_join
from edge.services.records import Unit

#: Who merges when identities meet.
SERVICE = "service"

MAX_IDENTITIES = 8


@dataclass(frozen=True, slots=True)
class JoinAsk:
    """Who wants to be a member. identities: one at least, all of the same person.

    touchpoint: where it was. consent_version: of the text that was agreed to. phone_tail: four digits at
    most. order_id: the purchase that led to it. correlation: the way that they are on.
    """

    identities: tuple[Identity, ...]
    touchpoint: str
    consent_version: str
    phone_tail: str = ""
    order_id: str = ""
    correlation: str = ""


def join(box: Box, ask: JoinAsk) -> KnownMember:
    """Make a member of whoever has these identities, or find them; asking again changes nothing.

    Identities of several members make one of them. Raises Invalid without an identity or a consent.
    """
    return box.store.write(lambda unit: join_member(unit, box, ask, box.clock.now()))


def join_member(unit: Unit, box: Box, ask: JoinAsk, now: Instant) -> KnownMember:
    """As `join`, in the caller's unit."""
    if not 1 <= len(ask.identities) <= MAX_IDENTITIES:
        raise Invalid(f"a member joins with 1 to {MAX_IDENTITIES} identities; log in or give a phone number")
    version = check_version(ask.consent_version)
    member_id = meet(unit, box, ask.identities, now)
    new = not member_id
    if new:
        member_id = _add(unit, box, ask, now)
    own_profile(unit, member_id, now)
    for identity in ask.identities:
        unit.people.put_identity(identity, member_id, now.wall_at)
    if new:
        profile = own_profile(unit, member_id, now)
        told = joined(profile, ask.identities, version, box.members.key)
        tell(unit, box, EventKind.MEMBER_JOINED, member_id, told, now, ask.order_id)
        record_join(unit, box, member_id, ask.touchpoint, now, ask.order_id, ask.correlation)
        order = unit.orders.get(ask.order_id) if ask.order_id else None
        way = ask.correlation or (way_of(unit, order) if order else "")
        offer_join_page(unit, box, member_id, order, way, now)
    give_consent(unit, box, member_id, ConsentPurpose.MEMBERSHIP, version, ask.touchpoint, now)
    known = known_member(unit, member_id)
    if known is None:
        raise Invalid(f"member {member_id} is not there any more; join again")
    return known


def meet(unit: Unit, box: Box, identities: tuple[Identity, ...], now: Instant) -> str:
    """Return the one member whose identities these are, "" for nobody; several of them become one."""
    one = ""
    for identity in identities:
        for found in candidates(unit, identity):
            one = merge_members(unit, box, one, found, identity.kind.value, SERVICE, now) if one else found
    return one


def _add(unit: Unit, box: Box, ask: JoinAsk, now: Instant) -> str:
    member_id = box.ids.new_id().replace("-", "")
    at, tail = now.wall_at, ask.phone_tail[-4:]
    state = ProfileState.PROVISIONAL
    unit.people.put_profile(MemberProfile(member_id, state, at, at, ask.touchpoint[:64], tail))
    return member_id
