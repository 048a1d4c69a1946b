"""A stay that leaves on a stored pass uses it up, in the unit in which it leaves; a use may be taken back."""

from __future__ import annotations

from dataclasses import replace

from edge.clock import Instant
from edge.errors import Invalid
from edge.parking.parking_pass import PassEntry, PassEntryKind, reversal, uses_of
from edge.parking.quote import Quote
from edge.parking.session import Session
from edge.services.box import Box
from edge.services.events import EventKind, record_event
from edge.services.find_right import right_of_stay, span_of, usage_of
from edge.services.parking_right_events import pass_used
from edge.services.records import Unit


def use_pass(unit: Unit, box: Box, session: Session, quote: Quote, now: Instant) -> tuple[PassEntry, ...]:
    """Write that a stay used its stored pass as its last quote says; return the lines that are new.

    To be called in the unit in which the stay leaves. Repeating it changes nothing: each line has the stay's
    or the day's own key. HQ is told of each use.
    """
    pass_id = right_of_stay(unit, box, session, quote.at).pass_id
    one = unit.passes.get(pass_id) if pass_id else None
    if one is None or not one.kind.stored:
        return ()
    taken_fen = -sum(part.amount_fen for part in quote.segments if part.benefit_id == pass_id)
    stay = span_of(session, quote.at)
    usage = usage_of(unit, box, one, stay, session.plate)
    if usage.used:
        return ()
    written = []
    for entry in uses_of(one, usage, stay, taken_fen, box.rules.zone):
        line = _fresh(unit, entry)
        if unit.passes.enter(line):
            written.append(line)
    if written:
        data = pass_used(one, written, unit.passes.balance(pass_id))
        record_event(unit, box.ids, now, box.origin, EventKind.PASS_USED, pass_id, data, session.session_id)
    return tuple(written)


def reverse_use(
    unit: Unit, box: Box, session_id: str, pass_id: str, by: str, reason: str, now: Instant
) -> tuple[PassEntry, ...]:
    """Take back what a stay used of a pass; return the lines. Invalid: without a use, name or reason."""
    words = " ".join(reason.split())[:60]
    if not by or not words:
        raise Invalid("take a use back with a name and a reason, such as: the car turned back")
    one = unit.passes.get(pass_id)
    lines = unit.passes.used_by(pass_id, session_id)
    back = {line.key for line in lines if line.kind is PassEntryKind.REVERSAL}
    open_uses = [line for line in lines if line.kind is PassEntryKind.USE and f"{line.key}!" not in back]
    if one is None or not open_uses:
        raise Invalid(f"stay {session_id} has used nothing of pass {pass_id} that could be taken back")
    written = tuple(reversal(line, now.wall_at, by, words) for line in open_uses)
    for line in written:
        unit.passes.enter(line)
    data = pass_used(one, written, unit.passes.balance(pass_id))
    record_event(unit, box.ids, now, box.origin, EventKind.PASS_USED, pass_id, data, session_id)
    return written


def _fresh(unit: Unit, entry: PassEntry) -> PassEntry:
    """Return the line under a key that says how often such a use was taken back before."""
    lines = unit.passes.used_by(entry.pass_id, entry.session_id)
    returned = sum(one.kind is PassEntryKind.REVERSAL and one.key.startswith(entry.key) for one in lines)
    return replace(entry, key=f"{entry.key}+{returned}") if returned else entry
