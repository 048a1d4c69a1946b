"""A space that is kept for a plate and a time (预约). Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

from edge.errors import Invalid

MINUTE_MS = 60_000
MAX_DAYS_AHEAD = 90
MAX_HOURS = 31 * 24


class ReservationState(StrEnum):
    """BOOKED until the vehicle ARRIVED, nobody came in time (MISSED), or it was CANCELLED."""

    BOOKED = "booked"
    ARRIVED = "arrived"
    MISSED = "missed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Reservation:
    """One space of a zone for a plate from `from_at` to before `to_at`. session_id: of the stay that came."""

    reservation_id: str
    plate: str
    zone: str
    from_at: int
    to_at: int
    booked_at: int
    booked_by: str = ""
    note: str = ""
    state: ReservationState = ReservationState.BOOKED
    session_id: str = ""

    def lets_in(self, at: int, early_min: int, hold_min: int) -> bool:
        """Return whether it keeps a space and lets its plate in at a moment."""
        if self.state is not ReservationState.BOOKED:
            return False
        until = min(self.to_at, self.from_at + hold_min * MINUTE_MS)
        return self.from_at - early_min * MINUTE_MS <= at < until


def check_reservation(one: Reservation) -> Reservation:
    """Return a reservation as it may be kept; raise Invalid naming what is wrong."""
    if not one.plate:
        raise Invalid("a reservation needs a plate, like 粤B12345")
    if not one.from_at < one.to_at <= one.from_at + MAX_HOURS * 60 * MINUTE_MS:
        raise Invalid(f"a reservation ends after it begins, {MAX_HOURS} hours later at most")
    if one.to_at <= one.booked_at or one.from_at > one.booked_at + MAX_DAYS_AHEAD * 24 * 60 * MINUTE_MS:
        raise Invalid(f"a reservation is for a time to come, {MAX_DAYS_AHEAD} days ahead at most")
    return one


def kept_spaces(
    reservations: Iterable[Reservation], zone: str, at: int, early_min: int, hold_min: int
) -> int:
    """Return how many spaces of a zone are kept at a moment for those who have not come yet."""
    return sum(one.zone == zone and one.lets_in(at, early_min, hold_min) for one in reservations)


def arrive(one: Reservation, session_id: str) -> Reservation:
    """Return a reservation whose vehicle has come; raise Invalid when it is not open."""
    return replace(_open(one), state=ReservationState.ARRIVED, session_id=session_id)


def cancel(one: Reservation) -> Reservation:
    """Return a reservation cancelled; raise Invalid when it is not open."""
    return replace(_open(one), state=ReservationState.CANCELLED)


def miss(one: Reservation) -> Reservation:
    """Return a reservation for which nobody came in time; raise Invalid when it is not open."""
    return replace(_open(one), state=ReservationState.MISSED)


def _open(one: Reservation) -> Reservation:
    if one.state is not ReservationState.BOOKED:
        raise Invalid(f"reservation of {one.plate} is {one.state}; look at the list again")
    return one
