"""Stays and counts of zones in memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from edge.errors import Corrupt
from edge.parking.session import Session, SessionState
from edge.services.passage_records import Correction, HourFlow


@dataclass(slots=True)
class StayRows:
    """All stays and corrections by id."""

    sessions: dict[str, Session] = field(default_factory=dict)
    corrections: dict[str, Correction] = field(default_factory=dict)

    def copy(self) -> StayRows:
        """Return rows that can be changed without changing these."""
        return StayRows(dict(self.sessions), dict(self.corrections))


class FakeSessions:
    """Implements parking_records.Sessions."""

    def __init__(self, rows: StayRows, writing: Callable[[], None]) -> None:
        self._rows = rows.sessions
        self._writing = writing

    def get(self, session_id: str) -> Session | None:
        """Return a stay."""
        return self._rows.get(session_id)

    def put(self, session: Session) -> None:
        """Write a stay, new or changed."""
        self._writing()
        _require((session.state is SessionState.LEFT) == (session.left_at is not None), "when it left")
        holder = self.by_ticket(session.ticket)
        _require(holder is None or holder.session_id == session.session_id, f"ticket {session.ticket}")
        self._rows[session.session_id] = session

    def inside(self, plate: str) -> tuple[Session, ...]:
        """Return the stays inside of exactly that plate, the latest entry first."""
        return self._sorted(lambda one: one.plate == plate and one.state is SessionState.INSIDE)

    def all_inside(self, limit: int) -> tuple[Session, ...]:
        """Return stays inside, the latest entry first, `limit` at most."""
        return self._sorted(lambda one: one.state is SessionState.INSIDE)[:limit]

    def by_ticket(self, ticket: str) -> Session | None:
        """Return the stay of a ticket, whatever its state."""
        return next((one for one in self._rows.values() if ticket and one.ticket == ticket), None)

    def last_of(self, plate: str, limit: int) -> tuple[Session, ...]:
        """Return the latest stays of a plate in any state, the latest entry first."""
        return self._sorted(lambda one: one.plate == plate)[:limit]

    def count_inside(self, zone: str) -> int:
        """Return how many stays are inside a zone."""
        return len(self._sorted(lambda one: one.zone == zone and one.state is SessionState.INSIDE))

    def between(
        self, from_at: int, to_at: int, state: SessionState, after: str, limit: int
    ) -> tuple[Session, ...]:
        """Return stays by id above `after` that left, or for other states entered, within that time."""
        found = [one for key, one in sorted(self._rows.items()) if key > after and one.state is state]
        return tuple(one for one in found if from_at <= _moment(one) < to_at)[:limit]

    def _sorted(self, wanted: Callable[[Session], bool]) -> tuple[Session, ...]:
        found = (one for one in self._rows.values() if wanted(one))
        return tuple(sorted(found, key=lambda one: (one.entered_at, one.session_id), reverse=True))


class FakeOccupancies:
    """Implements passage_records.Occupancies."""

    def __init__(self, rows: StayRows, writing: Callable[[], None]) -> None:
        self._rows = rows
        self._writing = writing

    def correct(self, correction: Correction) -> None:
        """Write a correction; it is never changed."""
        self._writing()
        _require(correction.correction_id not in self._rows.corrections, correction.correction_id)
        self._rows.corrections[correction.correction_id] = correction

    def corrected(self, zone: str) -> int:
        """Return the sum of all corrections of a zone."""
        return sum(one.delta for one in self._rows.corrections.values() if one.zone == zone)

    def corrections(self, zone: str, limit: int) -> tuple[Correction, ...]:
        """Return a zone's corrections, newest first."""
        rows = sorted(self._rows.corrections.items(), reverse=True)
        return tuple(one for _, one in rows if one.zone == zone)[:limit]

    def inside_at(self, zone: str, at: int) -> int:
        """Return how many stays were inside a zone just before `at`, without corrections."""
        return sum(
            one.entered_at < at and (one.left_at is None or one.left_at >= at) for one in self._of(zone)
        )

    def flows(self, zone: str, from_at: int, to_at: int, hour_ms: int = 3_600_000) -> Sequence[HourFlow]:
        """Return what came and went by hours, empty hours among them."""
        stays = self._of(zone)
        entered = [one.entered_at for one in stays]
        left = [one.left_at for one in stays if one.left_at is not None]
        found = []
        for hour_at in range(from_at, to_at, hour_ms):
            end = min(hour_at + hour_ms, to_at)
            came = sum(hour_at <= at < end for at in entered)
            found.append(HourFlow(hour_at, came, sum(hour_at <= at < end for at in left)))
        return found

    def _of(self, zone: str) -> list[Session]:
        stays = (one for one in self._rows.sessions.values() if one.zone == zone)
        return [one for one in stays if one.state is not SessionState.NEVER_ENTERED]


def _moment(session: Session) -> int:
    return session.entered_at if session.left_at is None else session.left_at


def _require(holds: bool, what: str) -> None:
    if not holds:
        raise Corrupt(f"{what} contradicts what is stored")
