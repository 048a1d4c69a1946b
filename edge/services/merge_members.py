"""Two members turn out to be one: one keeps its number, the other points to it, and the audit says why."""

from __future__ import annotations

from dataclasses import replace

from edge.clock import Instant
from edge.errors import Declined, Invalid
from edge.members.member import MemberMerge, ProfileState, absorb
from edge.members.points import PointsEntry, PointsKind, account
from edge.services.box import Box
from edge.services.events import EventKind
from edge.services.identify_member import keeps_number, own_profile, standing_for
from edge.services.member_events import merged, tell
from edge.services.offer_landing import shopper_key
from edge.services.records import Unit
from edge.services.trace_records import Handing


def merge_members(unit: Unit, box: Box, first: str, second: str, why: str, by: str, now: Instant) -> str:
    """Make two members one and return who it is; who keeps the number does not depend on the order."""
    one, other = standing_for(unit, first), standing_for(unit, second)
    if one == other:
        return one
    if not keeps_number(unit, one, other):
        one, other = other, one
    return _absorb(unit, box, one, other, why, by, now)


def merge_by_hq(unit: Unit, box: Box, absorbed_id: str, member_id: str, by: str, now: Instant) -> str:
    """Do as HQ says: the first becomes the second; said again it changes nothing. Return who it is.

    Raises Invalid for numbers that this box does not know at all, Declined for one who was erased.
    """
    if unit.people.profile(absorbed_id) is None and unit.members.get(absorbed_id) is None:
        raise Invalid(f"this box does not know member {absorbed_id[:32]}")
    into, gone = standing_for(unit, member_id), standing_for(unit, absorbed_id)
    if into == gone:
        _answered(unit, into, now)
        return into
    return _absorb(unit, box, into, gone, "hq", by, now)


def _absorb(unit: Unit, box: Box, into: str, gone: str, why: str, by: str, now: Instant) -> str:
    kept, lost = own_profile(unit, into, now), own_profile(unit, gone, now)
    if not (kept.is_there and lost.is_there):
        raise Declined(f"member {into if lost.is_there else gone} was erased here; nothing is merged with it")
    if why == "hq":
        kept = replace(kept, state=ProfileState.KNOWN)
    survivor, absorbed = absorb(kept, lost)
    unit.people.put_profile(survivor)
    unit.people.put_profile(absorbed)
    unit.people.move(gone, into)
    unit.traces.hand_over(Handing(gone, into, shopper_key("member", gone), shopper_key("member", into)))
    _move_points(unit, box, gone, into, now)
    merge = MemberMerge(gone, into, why, by, now.wall_at)
    unit.people.put_merge(merge)
    tell(unit, box, EventKind.MEMBER_MERGED, into, merged(merge), now)
    return into


def _move_points(unit: Unit, box: Box, gone: str, into: str, now: Instant) -> None:
    """Book lots one by one, so that each expires when it would have; HQ merges its own accounts."""
    held = account(unit.points.entries(gone))

    def post(member_id: str, points: int, owed: int, source: str, expires_at: int | None = None) -> None:
        unit.points.post(
            PointsEntry(
                box.ids.new_id(),
                member_id,
                PointsKind.MOVED,
                points,
                now.wall_at,
                source,
                expires_at=expires_at,
                owed=owed,
                reason=f"{gone} is {into}",
            )
        )

    for lot in held.lots:
        post(gone, -lot.points, 0, lot.source)
        post(into, lot.points, 0, lot.source, lot.expires_at)
    if held.owed:
        post(gone, 0, -held.owed, "")
        post(into, 0, held.owed, "")
    for lease in unit.points.leases(gone):
        unit.points.put_lease(replace(lease, member_id=into))


def _answered(unit: Unit, member_id: str, now: Instant) -> None:
    """Note that HQ knows a member by the number that they got here."""
    profile = own_profile(unit, member_id, now)
    if profile.state is ProfileState.PROVISIONAL:
        unit.people.put_profile(replace(profile, state=ProfileState.KNOWN))
