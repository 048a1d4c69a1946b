"""Look members up as staff do: by card, by a whole phone number, by its last four digits, by their number."""

from __future__ import annotations

from dataclasses import dataclass

from edge.clock import Instant
from edge.errors import Invalid
from edge.members.consent import Consent
from edge.members.identity import IdentityKind, read_identity
from edge.members.member import MemberMerge, MemberNote
from edge.members.points import PointsEntry, PointsKind
from edge.services.box import Box
from edge.services.identify_member import (
    candidates,
    known_member,
    member_view,
    own_lines,
    own_merges,
    standing_for,
)
from edge.services.records import Unit
from edge.services.spend_points import spendable

#: Members that one search returns, and ledger lines and notes that one page shows.
MAX_FOUND = 20
MAX_SHOWN = 100


@dataclass(frozen=True, slots=True)
class MemberPage:
    """A member as staff see them. view: as member_view masks it; lines: newest first."""

    view: dict[str, object]
    lines: tuple[PointsEntry, ...]
    owed: int
    spendable: int
    consents: tuple[Consent, ...]
    merges: tuple[MemberMerge, ...]
    notes: tuple[MemberNote, ...]


def find_members(unit: Unit, box: Box, text: str) -> list[dict[str, object]]:
    """Return the members that a text may mean, masked; none for what is nothing of a member."""
    tidy = text.strip()
    ids = list(_found(unit, box, tidy)) if tidy else []
    views = (member_view(unit, one) for one in dict.fromkeys(ids))
    return [view for view in views if view is not None][:MAX_FOUND]


def show_member(unit: Unit, box: Box, member_id: str, now: Instant) -> MemberPage | None:
    """Return a member's page after all mergers; None for nobody (any more)."""
    one = standing_for(unit, member_id)
    view = member_view(unit, one)
    if view is None:
        return None
    # What a merger moved from one number to another changes nothing for the person.
    lines = [line for line in own_lines(unit, one) if line.kind is not PointsKind.MOVED]
    return MemberPage(
        view,
        tuple(lines[-MAX_SHOWN:][::-1]),
        unit.points.balance(one)[1],
        spendable(unit, box, one, now),
        unit.people.consents(one),
        own_merges(unit, one),
        unit.people.notes(one, MAX_SHOWN),
    )


def _found(unit: Unit, box: Box, text: str) -> list[str]:
    ids = []
    if text.isascii() and text.isdigit() and len(text) == 4:
        ids += [one.member_id for one in unit.people.by_tail(text, MAX_FOUND)]
    for kind in (IdentityKind.CARD, IdentityKind.PHONE):
        try:
            ids += candidates(unit, read_identity(kind, text, box.members.key))
        except Invalid:
            continue
    known = known_member(unit, text)
    return [*ids, known.member_id] if known else ids
