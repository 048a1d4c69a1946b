"""How long a vehicle has been inside, by evidence that a wrong wall clock cannot harm.

Boot time within one run of the machine; wall time over several when both ends were synchronised; else the
least that has passed for certain. See edge.elapsed.elapsed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from edge.clock import Instant
from edge.elapsed import STEP_MS, Boot, Elapsed, elapsed
from edge.parking.quote import Settlement
from edge.parking.session import Session
from edge.services.records import Unit

#: What a stay's times rest on, said wherever its fee is.
JUMPED = "clock_jumped"
LEAST_TIME = "least_time"

#: Notes that are about the clock: they give way to what is known of it later.
OF_CLOCK = frozenset({"", "entry_untrusted", "exit_untrusted", "clock_behind", JUMPED, LEAST_TIME})

#: Runs of the machine that are looked back over, and kept.
MAX_BOOTS = 500


@dataclass(frozen=True, slots=True)
class StayTime:
    """A stay as it is measured now.

    session: with the entry and the note as they are to be said. at: now, in the same time. settlements: with
    the moments that they cover, likewise. loose_ms: the entry may be earlier by so much. floating: nobody
    knows the time of day, only how long it was. other_ms: two synchronised clocks disagree about the time of
    day: the stay may as well have been so much later.
    """

    session: Session
    at: int
    settlements: tuple[Settlement, ...]
    loose_ms: int = 0
    floating: bool = False
    other_ms: int = 0


def stay_time(unit: Unit, session: Session, now: Instant) -> StayTime:
    """Return the times of a stay inside; one that is over, or that no clock of this box saw, has its own."""
    paid = unit.settlements.of_session(session.session_id)
    if session.left_at is not None:
        return StayTime(session, session.left_at, paid)
    if not session.entered_boot:
        return StayTime(_seen_by_nobody(session, now), now.wall_at, paid)
    entry = Instant(session.entered_at, session.entered_boot, session.entered_ns, session.entered_trusted)
    boots = _boots(unit, entry, now)
    found = elapsed(boots, entry, now)
    entered_at, at = _placed(entry, found, now)
    loose = 0 if found.sure else min((found.most_ms or found.least_ms) - found.least_ms, _LOOSEST_MS)
    return StayTime(
        replace(session, entered_at=entered_at, clock_note=_note(session, found, entered_at)),
        at,
        tuple(_covering(one, boots, entry, entered_at, now) for one in paid),
        0 if found.early_at is not None else loose,
        found.early_at is None and found.late_at is None,
        _disagreement(entry, found, entered_at, now),
    )


def away_ms(unit: Unit, left: Session, back: Session) -> int | None:
    """Return the longest that a vehicle can have been away between two stays whose boot times are known.

    None when nobody knows, or when the second one did not begin after the first one ended.
    """
    went = Instant(left.left_at or 0, left.left_boot, left.left_ns, trusted=False)
    came = Instant(back.entered_at, back.entered_boot, back.entered_ns, back.entered_trusted)
    boots = _boots(unit, went, came)
    order = {one.boot_id: one.number for one in boots}
    if went.boot_id == came.boot_id:
        return elapsed(boots, went, came).most_ms if went.boottime_ns <= came.boottime_ns else None
    newest = len(order) + max(order.values(), default=0)
    if order.get(went.boot_id, 0) > order.get(came.boot_id, newest):
        return None
    return elapsed(boots, went, came).most_ms


#: An entry of which only bounds are known is priced as at the best hour within so much.
_LOOSEST_MS = 24 * 3_600_000


def _seen_by_nobody(session: Session, now: Instant) -> Session:
    if session.clock_note or (session.entered_trusted and now.trusted):
        return session
    return replace(session, clock_note="exit_untrusted")


def _boots(unit: Unit, earlier: Instant, later: Instant) -> tuple[Boot, ...]:
    same = earlier.boot_id == later.boot_id
    agree = later.wall_at - earlier.wall_at == (later.boottime_ns - earlier.boottime_ns) // 1_000_000
    if same and agree and earlier.trusted and later.trusted:
        return ()
    return unit.boots.recent(MAX_BOOTS)


def _placed(entry: Instant, found: Elapsed, now: Instant) -> tuple[int, int]:
    """Return entry and present in one time, so far apart as is certain."""
    if found.late_at is not None:
        return found.late_at - found.least_ms, found.late_at
    if found.early_at is not None:
        return found.early_at, found.early_at + found.least_ms
    return now.wall_at - found.least_ms, now.wall_at


def _disagreement(entry: Instant, found: Elapsed, entered_at: int, now: Instant) -> int:
    moved = entry.wall_at - entered_at
    return moved if entry.trusted and now.trusted and found.sure and abs(moved) > STEP_MS else 0


def _note(session: Session, found: Elapsed, entered_at: int) -> str:
    if session.clock_note not in OF_CLOCK:
        return session.clock_note
    if not found.sure:
        return LEAST_TIME
    moved = abs(entered_at - session.entered_at) > STEP_MS
    return JUMPED if moved or session.clock_note == JUMPED else ""


def _covering(
    one: Settlement, boots: tuple[Boot, ...], entry: Instant, entered_at: int, now: Instant
) -> Settlement:
    """Return a settlement that covers the stay as far from its entry as it did when it was asked for."""
    if not one.covers_boot:
        return one
    covered = Instant(one.covers_until, one.covers_boot, one.covers_ns, trusted=False)
    if now.trusted and covered.boot_id == now.boot_id:
        same = entry.boot_id == now.boot_id and entry.trusted
        at = one.covers_until if same else now.wall_at - now.since_ms(covered)
        covered = replace(covered, wall_at=at, trusted=True)
    return replace(one, covers_until=entered_at + elapsed(boots, entry, covered).least_ms)
