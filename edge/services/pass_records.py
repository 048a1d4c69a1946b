"""Passes, their ledgers and reservations as records."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from edge.parking.parking_pass import ParkingPass, PassEntry
from edge.parking.reservation import Reservation, ReservationState


class Passes(Protocol):
    """Passes of this box and of HQ, what stored ones hold, and reservations."""

    def get(self, pass_id: str) -> ParkingPass | None:
        """Return a pass."""

    def put(self, one: ParkingPass) -> None:
        """Write a pass with its plates, new or changed."""

    def of_plate(self, plate: str) -> tuple[ParkingPass, ...]:
        """Return the passes that name exactly that plate, in any state, by id."""

    def search(self, text: str, after: str, limit: int) -> tuple[ParkingPass, ...]:
        """Return passes whose holder or a plate of which contains `text`, by id above `after`."""

    def replace_from_hq(self, passes: Sequence[ParkingPass]) -> None:
        """Write these in place of all that came from HQ; ledgers stay. Corrupt: an id issued here."""

    def enter(self, entry: PassEntry) -> bool:
        """Append a line to a pass's ledger; return False, and change nothing, when its key is there."""

    def entries(self, pass_id: str, limit: int) -> tuple[PassEntry, ...]:
        """Return a pass's lines, newest first."""

    def balance(self, pass_id: str) -> int:
        """Return what a stored pass holds: the sum of its lines."""

    def credited(self, pass_id: str, prefix: str) -> int:
        """Return the sum of a pass's lines whose keys begin so."""

    def used_by(self, pass_id: str, session_id: str) -> tuple[PassEntry, ...]:
        """Return the lines of a stay in a pass's ledger, oldest first."""

    def paid_days(self, pass_id: str, days: Sequence[str]) -> frozenset[str]:
        """Return those of the local dates that the pass has paid and that were not taken back."""

    def put_reservation(self, one: Reservation) -> None:
        """Write a reservation, new or changed."""

    def reservation(self, reservation_id: str) -> Reservation | None:
        """Return a reservation."""

    def reservations_of(self, plate: str, from_at: int) -> tuple[Reservation, ...]:
        """Return a plate's reservations that end after a moment, in any state, by their beginning."""

    def reservations(self, state: ReservationState, from_at: int, limit: int) -> tuple[Reservation, ...]:
        """Return reservations of a state that end after a moment, by their beginning."""
