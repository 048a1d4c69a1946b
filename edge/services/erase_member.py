"""A member's own data: handed out as JSON, erased on request, forgotten after its time. The books stay."""

from __future__ import annotations

from dataclasses import asdict, replace

from edge.clock import Instant
from edge.errors import Declined, Invalid
from edge.members.consent import ConsentPurpose, withdraw
from edge.members.identity import IdentityKind
from edge.members.member import MemberNote, erased
from edge.members.member_snapshot import plate_hmac
from edge.services import member_events
from edge.services.box import Box
from edge.services.events import EventKind
from edge.services.identify_member import (
    known_member,
    member_view,
    own_lines,
    own_merges,
    own_profile,
    plate_members,
    standing_for,
)
from edge.services.offer_landing import shopper_key
from edge.services.records import Unit
from edge.services.staff import StaffMember
from edge.services.trace_records import Erasure

DAY_MS = 86_400_000

#: Members forgotten in one unit, and staff's doings that an export holds.
MAX_AT_ONCE = 50
MAX_NOTES = 1_000

#: Plates of past stays that are held against the member's at once, and how often.
PORTION = 10_000
MAX_PORTIONS = 200

#: Who forgets when the time is over, and who may erase.
SERVICE, MEMBER = "service", "member"
ERASERS = frozenset({"supervisor"})


def export_member(box: Box, member_id: str, by: str) -> dict[str, object]:
    """Return all that this box keeps of a member as JSON, for the member, and note who had it made.

    Phones and plates are masked, as the box itself knows no more of them. Raises Invalid for nobody.
    """
    now = box.clock.now()

    def work(unit: Unit) -> dict[str, object]:
        one = standing_for(unit, member_id)
        view = member_view(unit, one)
        if view is None:
            raise Invalid("there is no such member (any more)")
        profile = own_profile(unit, one, now)
        unit.people.put_note(MemberNote(box.ids.new_id(), one, "export", by, now.wall_at))
        return {
            "made_at": now.wall_at,
            "member": view,
            "joined_at": profile.joined_at,
            "joined_via": profile.joined_via,
            "identities": [
                {"kind": each.kind.value, "value": each.masked} for each in unit.people.identities(one)
            ],
            "consents": [asdict(each) for each in unit.people.consents(one)],
            "plates": [{"plate": each.masked, "bound_at": each.bound_at} for each in unit.people.plates(one)],
            "merged": [asdict(each) for each in own_merges(unit, one)],
            "points": [asdict(each) for each in own_lines(unit, one)],
            "staff": [asdict(each) for each in unit.people.notes(one, MAX_NOTES)],
        }

    return box.store.write(work)


def erase_member(box: Box, member_id: str, approver: StaffMember, reason: str) -> None:
    """Remove all by which a member could be known, for good; points and orders stay under the bare number.

    Raises Declined unless a supervisor says so, Invalid without a reason or a member.
    """
    if approver.role not in ERASERS:
        raise Declined(f"{approver.name} is a {approver.role}; erasing a member needs a supervisor's PIN")
    why = " ".join(reason.split())[:80]
    if not why:
        raise Invalid("say why the member is erased, such as their own wish")
    now = box.clock.now()

    box.store.write(lambda unit: _erase_known(unit, box, member_id, approver.name, why, now))


def erase_own(box: Box, member_id: str) -> None:
    """Do for members themselves what erase_member does; their own session is the proof.

    Raises Invalid for nobody, Declined while a payment of theirs is open.
    """
    now = box.clock.now()
    box.store.write(lambda unit: _erase_known(unit, box, member_id, MEMBER, "own wish", now))


def forget_unseen(box: Box) -> int:
    """Erase members who were not met here for longer than they may be kept; return how many."""
    now = box.clock.now()
    if not box.members.keep_days:
        return 0
    before = now.wall_at - box.members.keep_days * DAY_MS

    def work(unit: Unit) -> int:
        over = unit.people.unseen_since(before, MAX_AT_ONCE)
        for profile in over:
            _erase(unit, box, profile.member_id, SERVICE, "retention", now)
        return len(over)

    if not box.store.read(lambda unit: unit.people.unseen_since(before, 1)):
        return 0
    return box.store.write(work)


def _erase_known(unit: Unit, box: Box, member_id: str, by: str, why: str, now: Instant) -> None:
    known = known_member(unit, member_id)
    if known is None:
        raise Invalid("there is no such member (any more)")
    if unit.traces.pays(tuple(one.value for one in unit.people.identities(known.member_id))):
        raise Declined("a payment of this member is still open; erase them when it is over")
    _erase(unit, box, known.member_id, by, why, now)


def _erase(unit: Unit, box: Box, member_id: str, by: str, why: str, now: Instant) -> None:
    profile = own_profile(unit, member_id, now)
    _erase_traces(unit, box, member_id)
    consents = unit.people.consents(member_id)
    for purpose in ConsentPurpose:
        for consent in withdraw(consents, purpose, now.wall_at):
            unit.people.put_consent(consent)
    unit.people.forget(member_id)
    unit.people.put_profile(replace(erased(profile), seen_at=now.wall_at))
    unit.people.put_note(MemberNote(box.ids.new_id(), member_id, "erase", by, now.wall_at, why))
    told = member_events.erased(member_id, by, why, now.wall_at)
    member_events.tell(unit, box, EventKind.MEMBER_ERASED, member_id, told, now)


def _erase_traces(unit: Unit, box: Box, member_id: str) -> None:
    """Take the member's names out of everything beside their own tables."""
    known = unit.people.identities(member_id)
    told = unit.members.get(member_id)
    plain = tuple(one.value for one in known if one.kind is not IdentityKind.PHONE)
    payers = tuple(one.value for one in known if one.kind is IdentityKind.OPENID)
    cards = (told.card,) if told and told.card else ()
    seen = (shopper_key("member", member_id), *(shopper_key("payer", one) for one in payers))
    unit.traces.erase(
        Erasure(
            member_id,
            (*plain, *cards),
            _past_plates(unit, box, member_id),
            seen,
            f"#{box.ids.new_token()[:10]}-",
        )
    )
    for openid in payers:
        unit.phones.forget_openid(openid)


def _past_plates(unit: Unit, box: Box, member_id: str) -> tuple[str, ...]:
    """Return in plain which plates of past stays were the member's alone."""
    told = unit.members.get(member_id)
    hashes = {one.plate_hmac for one in unit.people.plates(member_id)} | set(told.plate_hmacs if told else ())
    found = set(unit.traces.plates_of(member_id))
    if hashes and box.members.key:
        after = ""
        for _ in range(MAX_PORTIONS):
            plates = unit.traces.past_plates(after, PORTION)
            found |= {one for one in plates if plate_hmac(box.members.key, one) in hashes}
            if len(plates) < PORTION:
                break
            after = plates[-1]
    return tuple(sorted(one for one in found if plate_members(unit, box, one) in ((), (member_id,))))
