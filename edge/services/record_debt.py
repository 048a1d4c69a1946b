"""A vehicle leaves without paying: the fee is written down as a debt, so that nobody is trapped at the exit.

A debt is settled by any money that is confirmed for its stay (settle_stays): by a payment that was in doubt
and proved good, with the fee of the next visit, at a kiosk, a counter or on the phone. A supervisor may write
it off.
"""

from __future__ import annotations

from edge.clock import Instant
from edge.errors import Declined, Invalid
from edge.parking.debt import Debt, DebtCause, DebtState, write_off
from edge.parking.session import Session
from edge.services.box import Box
from edge.services.events import EventKind, record_event
from edge.services.parking_money_events import debt_changed
from edge.services.records import Unit
from edge.services.staff import StaffMember

#: Who may write a debt off.
FORGIVERS = frozenset({"supervisor"})

#: Debts of one plate that are looked at.
MAX_OF_PLATE = 100


def record_debt(
    unit: Unit,
    box: Box,
    session: Session,
    amount_fen: int,
    cause: DebtCause,
    now: Instant,
    lane: str = "",
    by: str = "",
) -> Debt | None:
    """Write what a stay still owes as its one open debt; return it, None when nothing is owed.

    Asked again for the same stay, the debt that is open is returned as it is. Call `note_settled` afterwards:
    the exit opens for a stay whose fee is written down.
    """
    known = open_debt(unit, session.session_id)
    if known is not None or amount_fen <= 0:
        return known
    debt = Debt(
        debt_id=box.ids.new_id(),
        session_id=session.session_id,
        plate=session.plate,
        amount_fen=amount_fen,
        cause=cause,
        recorded_at=now.wall_at,
        lane=lane,
        recorded_by=by,
    )
    unit.debts.put(debt)
    _tell(unit, box, EventKind.DEBT_RECORDED, debt, now)
    return debt


def open_debt(unit: Unit, session_id: str) -> Debt | None:
    """Return the debt that a stay still has, None when its fee is not written down as one."""
    found = (one for one in unit.debts.of_session(session_id) if one.state is DebtState.OPEN)
    return next(found, None)


def owed_by_plate(unit: Unit, plate: str) -> int:
    """Return what a plate owes from earlier stays, in fen; 0 for a vehicle without a plate."""
    return sum(debt.amount_fen for debt in unit.debts.of_plate(plate, MAX_OF_PLATE))


def may_enter(unit: Unit, box: Box, plate: str) -> bool:
    """Return whether a plate owes no more than this car park lets in."""
    limit_fen = box.parking.debt_limit_fen
    return not limit_fen or owed_by_plate(unit, plate) <= limit_fen


def write_off_debt(box: Box, debt_id: str, by: StaffMember, reason: str) -> Debt:
    """Let a debt be; raise Declined for somebody who may not, Invalid without a reason or when it is over."""
    if by.role not in FORGIVERS:
        raise Declined(f"{by.name} may not write debts off; ask a supervisor")
    now = box.clock.now()

    def work(unit: Unit) -> Debt:
        debt = unit.debts.get(debt_id)
        if debt is None:
            raise Invalid(f"there is no debt {debt_id}; look at the list again")
        closed = write_off(debt, by.name, reason, now.wall_at)
        unit.debts.put(closed)
        _tell(unit, box, EventKind.DEBT_SETTLED, closed, now)
        return closed

    return box.store.write(work)


def recent_debts(box: Box, state: DebtState | None = None, limit: int = 200) -> tuple[Debt, ...]:
    """Return debts, those recorded last first."""
    return box.store.read(lambda unit: unit.debts.recent(state, limit))


def _tell(unit: Unit, box: Box, kind: EventKind, debt: Debt, now: Instant) -> None:
    record_event(unit, box.ids, now, box.origin, kind, debt.debt_id, debt_changed(debt), debt.session_id)
