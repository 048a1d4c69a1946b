"""Passes, their ledgers and reservations in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from edge.errors import Corrupt
from edge.parking.parking_pass import ParkingPass, PassEntry
from edge.parking.reservation import Reservation, ReservationState


@dataclass(slots=True)
class PassRows:
    """Passes and reservations by id, lines by pass and key."""

    passes: dict[str, ParkingPass] = field(default_factory=dict)
    entries: dict[tuple[str, str], PassEntry] = field(default_factory=dict)
    reservations: dict[str, Reservation] = field(default_factory=dict)

    def copy(self) -> PassRows:
        """Return rows that can be changed without changing these."""
        return PassRows(dict(self.passes), dict(self.entries), dict(self.reservations))


class FakePasses:
    """Implements pass_records.Passes."""

    def __init__(self, rows: PassRows, writing: Callable[[], None]) -> None:
        self._rows = rows
        self._writing = writing

    def get(self, pass_id: str) -> ParkingPass | None:
        """Return a pass."""
        return self._rows.passes.get(pass_id)

    def put(self, one: ParkingPass) -> None:
        """Write a pass with its plates."""
        self._writing()
        if not one.holder or not all(one.plates) or len(set(one.plates)) != len(one.plates):
            raise Corrupt(f"pass {one.pass_id} contradicts the rules of its table")
        self._rows.passes[one.pass_id] = one

    def of_plate(self, plate: str) -> tuple[ParkingPass, ...]:
        """Return the passes that name exactly that plate."""
        return tuple(one for _, one in sorted(self._rows.passes.items()) if plate in one.plates)

    def search(self, text: str, after: str, limit: int) -> tuple[ParkingPass, ...]:
        """Return passes whose holder or a plate of which contains `text`."""
        found = (one for key, one in sorted(self._rows.passes.items()) if key > after)
        hits = (one for one in found if text in one.holder or any(text in plate for plate in one.plates))
        return tuple(hits)[:limit]

    def replace_from_hq(self, passes: Sequence[ParkingPass]) -> None:
        """Write these in place of all that came from HQ."""
        self._writing()
        for key in [key for key, one in self._rows.passes.items() if one.from_hq]:
            del self._rows.passes[key]
        for one in passes:
            if one.pass_id in self._rows.passes:
                raise Corrupt(f"HQ's pass {one.pass_id} has the id of a pass that was issued here")
            self.put(one)

    def enter(self, entry: PassEntry) -> bool:
        """Append a line to a pass's ledger unless its key is there."""
        self._writing()
        if (entry.pass_id, entry.key) in self._rows.entries:
            return False
        self._rows.entries[entry.pass_id, entry.key] = entry
        return True

    def entries(self, pass_id: str, limit: int) -> tuple[PassEntry, ...]:
        """Return a pass's lines, newest first."""
        mine = sorted(self._mine(pass_id), key=lambda one: (one.at, one.key), reverse=True)
        return tuple(mine)[:limit]

    def balance(self, pass_id: str) -> int:
        """Return the sum of a pass's lines."""
        return sum(one.amount for one in self._mine(pass_id))

    def credited(self, pass_id: str, prefix: str) -> int:
        """Return the sum of a pass's lines whose keys begin so."""
        return sum(one.amount for one in self._mine(pass_id) if one.key.startswith(prefix))

    def used_by(self, pass_id: str, session_id: str) -> tuple[PassEntry, ...]:
        """Return the lines of a stay in a pass's ledger, oldest first."""
        mine = (one for one in self._mine(pass_id) if one.session_id == session_id)
        return tuple(sorted(mine, key=lambda one: (one.at, one.key)))

    def paid_days(self, pass_id: str, days: Sequence[str]) -> frozenset[str]:
        """Return those of the dates that the pass has paid."""
        mine = tuple(self._mine(pass_id))
        return frozenset(day for day in days if sum(one.amount for one in mine if one.key[:10] == day) < 0)

    def put_reservation(self, one: Reservation) -> None:
        """Write a reservation."""
        self._writing()
        self._rows.reservations[one.reservation_id] = one

    def reservation(self, reservation_id: str) -> Reservation | None:
        """Return a reservation."""
        return self._rows.reservations.get(reservation_id)

    def reservations_of(self, plate: str, from_at: int) -> tuple[Reservation, ...]:
        """Return a plate's reservations that end after a moment."""
        return self._sorted(one for one in self._all() if one.plate == plate and one.to_at > from_at)

    def reservations(self, state: ReservationState, from_at: int, limit: int) -> tuple[Reservation, ...]:
        """Return reservations of a state that end after a moment."""
        return self._sorted(one for one in self._all() if one.state is state and one.to_at > from_at)[:limit]

    def _mine(self, pass_id: str) -> Iterable[PassEntry]:
        return (one for one in self._rows.entries.values() if one.pass_id == pass_id)

    def _all(self) -> Iterable[Reservation]:
        return self._rows.reservations.values()

    @staticmethod
    def _sorted(found: Iterable[Reservation]) -> tuple[Reservation, ...]:
        return tuple(sorted(found, key=lambda one: (one.from_at, one.reservation_id)))
