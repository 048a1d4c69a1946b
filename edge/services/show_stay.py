"""A stay as its driver sees it: how long, what it costs and why, what is owed, how it is being paid."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from edge.clock import Instant
from edge.errors import Invalid
from edge.parking.debt import Debt, DebtState
from edge.parking.facility import LaneWay
from edge.parking.passage import PassageState
from edge.parking.plate import normalise
from edge.parking.quote import Quote
from edge.parking.session import Session, SessionState
from edge.retail.attempt import PaymentAttempt, PayWay
from edge.services.box import Box
from edge.services.charge_stay import MAX_DEBTS, due_of_stay, open_orders
from edge.services.records import Unit

#: Stays of one plate that are offered.
MAX_STAYS = 5


@dataclass(frozen=True, slots=True)
class StayShown:
    """A stay and what is due on it now. quote: None once it is over.

    attempt: the payment that is under way, None for none. paid_fen: confirmed so far. photo: the name of the
    picture taken at the entry, "" without.
    """

    session: Session
    quote: Quote | None
    debts: tuple[Debt, ...]
    due_fen: int
    paid_fen: int
    attempt: PaymentAttempt | None = None
    photo: str = ""

    @property
    def pay_url(self) -> str:
        """What the driver's phone opens to pay, "" while nothing waits for that."""
        native = self.attempt is not None and self.attempt.way is PayWay.NATIVE
        return self.attempt.pay_url if native and self.attempt is not None else ""


def show_stay(box: Box, session_id: str) -> StayShown:
    """Return a stay as it is now; raise Invalid for one that is not known, or that has no tariff."""
    now = box.clock.now()
    return box.store.read(lambda unit: _shown(unit, box, session_id, now))


def stays_of_plate(box: Box, plate: str) -> tuple[StayShown, ...]:
    """Return the stays inside of exactly that plate, or the last one that still owes something.

    Raises Invalid for what is no plate.
    """
    wanted = normalise(plate)
    if not 4 <= len(wanted) <= 10:
        raise Invalid("this is no plate; write it like 粤B12345")
    now = box.clock.now()

    def query(unit: Unit) -> tuple[StayShown, ...]:
        inside = unit.sessions.inside(wanted)[:MAX_STAYS]
        found = [one.session_id for one in inside] or _owing(unit, wanted)
        return tuple(_shown(unit, box, session_id, now) for session_id in found)

    return box.store.read(query)


def stay_of_ticket(box: Box, ticket: str) -> StayShown | None:
    """Return the stay of a ticket taken at an entry, None for an unknown one."""
    now = box.clock.now()

    def query(unit: Unit) -> StayShown | None:
        session = unit.sessions.by_ticket(ticket) if ticket else None
        return None if session is None else _shown(unit, box, session.session_id, now)

    return box.store.read(query)


def stay_at_lane(box: Box, lane_name: str) -> StayShown | None:
    """Return the stay of the vehicle that waits at an exit now, None while none does.

    Raises Invalid for a lane that is no exit of this car park.
    """
    lane = box.parking.facility.lane(lane_name)
    if lane is None or lane.way is not LaneWay.EXIT:
        raise Invalid(f"there is no exit {lane_name}; scan the code at the lane again")
    now = box.clock.now()

    def query(unit: Unit) -> StayShown | None:
        passage = unit.passages.current(lane_name)
        waits = passage is not None and passage.state is PassageState.WAITING and not passage.opening
        if passage is None or not waits or not passage.session_id:
            return None
        return _shown(unit, box, passage.session_id, now)

    return box.store.read(query)


def _owing(unit: Unit, plate: str) -> Sequence[str]:
    stays = [debt.session_id for debt in unit.debts.of_plate(plate, MAX_DEBTS)]
    return list(dict.fromkeys(stays))[:1]


def _shown(unit: Unit, box: Box, session_id: str, now: Instant) -> StayShown:
    due = due_of_stay(unit, box, session_id, now)
    if due.session.state is SessionState.NEVER_ENTERED:
        raise Invalid("this stay never began; ask a member of staff")
    moving = (
        one
        for order in open_orders(unit, due)
        for one in unit.attempts.of_order(order.order_id)
        if one.is_open
    )
    paid_fen = sum(one.amount_fen for one in unit.settlements.of_session(session_id))
    debts = tuple(one for one in due.debts if one.state is DebtState.OPEN)
    read = unit.plate_reads.get(due.session.entry_read_id) if due.session.entry_read_id else None
    photo = read.photos[0] if read is not None and read.photos else ""
    return StayShown(due.session, due.quote, debts, due.due_fen, paid_fen, next(moving, None), photo)
