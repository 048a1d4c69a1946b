"""Keep a space for a plate and a time, and what becomes of it: arrived, cancelled, missed."""

from __future__ import annotations

from edge.errors import Invalid
from edge.parking.plate import require_plate
from edge.parking.reservation import (
    MINUTE_MS,
    Reservation,
    ReservationState,
    arrive,
    cancel,
    check_reservation,
    miss,
)
from edge.parking.session import Session
from edge.services.box import Box
from edge.services.find_right import MAX_KEPT
from edge.services.records import Unit

#: Reservations that one sweep ends.
MAX_SWEEP = 200

#: How far back a sweep looks for those that are over.
_BACK_MS = 32 * 24 * 3_600_000


def reserve_space(
    box: Box, reservation_id: str, plate: str, zone: str, from_at: int, to_at: int, by: str, note: str = ""
) -> Reservation:
    """Keep a space; the same id again returns it and does nothing. Raises Invalid naming what is wrong.

    A zone takes no more reservations for a time than it has spaces.
    """
    now = box.clock.now()
    place = box.parking.facility.zone(zone)
    if place is None:
        known = ", ".join(one.name for one in box.parking.facility.zones) or "none"
        raise Invalid(f"this box has no zone {zone!r}; it has {known}")
    one = check_reservation(
        Reservation(
            reservation_id, require_plate(plate), zone, from_at, to_at, now.wall_at, by, note.strip()[:60]
        )
    )

    def work(unit: Unit) -> Reservation:
        known = unit.passes.reservation(reservation_id)
        if known is not None:
            return known
        booked = unit.passes.reservations(ReservationState.BOOKED, from_at, MAX_KEPT)
        meanwhile = sum(other.zone == zone and other.from_at < to_at for other in booked)
        if place.spaces and meanwhile >= place.spaces:
            raise Invalid(f"all {place.spaces} spaces of {zone} are reserved for that time; choose another")
        unit.passes.put_reservation(one)
        return one

    return box.store.write(work)


def cancel_reservation(box: Box, reservation_id: str) -> Reservation:
    """Cancel a reservation; raise Invalid when there is none or it is not open."""

    def work(unit: Unit) -> Reservation:
        one = unit.passes.reservation(reservation_id)
        if one is None:
            raise Invalid(f"there is no reservation {reservation_id!r:.64}; look at the list again")
        gone = cancel(one)
        unit.passes.put_reservation(gone)
        return gone

    return box.store.write(work)


def note_arrival(unit: Unit, box: Box, session: Session) -> Reservation | None:
    """Bind a stay that begins to the reservation that let it in; return that, None without one."""
    rules = box.parking.passes
    early_ms = rules.reserve_early_min * MINUTE_MS
    for one in unit.passes.reservations_of(session.plate, session.entered_at - early_ms):
        fits = one.lets_in(session.entered_at, rules.reserve_early_min, rules.reserve_hold_min)
        if fits and one.zone == session.zone:
            came = arrive(one, session.session_id)
            unit.passes.put_reservation(came)
            return came
    return None


def end_missed(box: Box) -> int:
    """End reservations for which nobody came in time, `MAX_SWEEP` at most; return how many."""
    now, rules = box.clock.now().wall_at, box.parking.passes

    def over(unit: Unit) -> list[Reservation]:
        booked = unit.passes.reservations(ReservationState.BOOKED, now - _BACK_MS, MAX_KEPT)
        ends = [(min(one.to_at, one.from_at + rules.reserve_hold_min * MINUTE_MS), one) for one in booked]
        return [one for end, one in ends if end <= now][:MAX_SWEEP]

    if not box.store.read(over):
        return 0

    def work(unit: Unit) -> int:
        found = over(unit)
        for one in found:
            unit.passes.put_reservation(miss(one))
        return len(found)

    return box.store.write(work)
