"""A vehicle stands at an exit and nobody can say whether its fee is paid: the lane's policy decides.

That is so while a payment is in doubt, when its gateway cannot be reached, and when no answer came for long.
The payment itself is followed up by resolve_attempts as any other; what it brings settles the debt by itself.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from edge.clock import Instant
from edge.parking.debt import DebtCause
from edge.parking.facility import Lane, LaneWay, UnconfirmedPolicy
from edge.parking.stay_charge import PARKING_SKU
from edge.retail.attempt import AttemptState, PaymentAttempt, PayWay
from edge.retail.order import Order, OrderState
from edge.services.ask_about_fee import ask_about_fee
from edge.services.box import Box
from edge.services.charge_stay import forget_order
from edge.services.check_out import to_start
from edge.services.record_debt import open_debt, record_debt
from edge.services.records import Unit
from edge.services.release_lane import note_settled
from edge.services.settle_attempt import NEVER_SENT, attempt_time
from edge.services.workstation import Busy, load


def follow_unconfirmed(box: Box) -> int:
    """Apply the policy of each exit whose fee cannot be confirmed; return at how many exits it was."""
    lanes = [one for one in box.parking.facility.lanes if one.way is LaneWay.EXIT and one.workstation]
    now = box.clock.now()
    waiting = box.store.read(lambda unit: [one for one in lanes if _due(unit, box, one, now)])
    for lane in waiting:
        box.store.write(partial(_decide, box=box, lane=lane, now=now))
        box.changed(lane.workstation)
    return len(waiting)


def give_up_waiting(unit: Unit, box: Box, lane: Lane, cause: DebtCause, by: str, now: Instant) -> int:
    """Write down what the vehicle at an exit owes and take its fee off the screen; return the fen.

    For the lane's own rule and for a guard who lets it out. A payment on its way goes on by itself.
    """
    busy = load(unit, box, lane.workstation)
    order = busy.order
    if order is None or order.state is not OrderState.AWAITING:
        return 0
    owed_fen = 0
    for session_id, amount_fen in _asked(unit, order).items():
        session = unit.sessions.get(session_id)
        if session is None or open_debt(unit, session_id) is not None:
            continue
        debt = record_debt(unit, box, session, amount_fen, cause, now, lane.name, by)
        owed_fen += debt.amount_fen if debt is not None else 0
        note_settled(unit, box, session_id, now)
    _clear(unit, box, load(unit, box, lane.workstation), order, now)
    return owed_fen


def _due(unit: Unit, box: Box, lane: Lane, now: Instant) -> bool:
    busy = load(unit, box, lane.workstation)
    if busy.order is None or busy.order.state is not OrderState.AWAITING or busy.attempt is None:
        return False
    return is_unconfirmed(box, busy.attempt, now) and not _is_asked(unit, lane, busy)


def _is_asked(unit: Unit, lane: Lane, busy: Busy) -> bool:
    """Return whether the guard knows already, so that the lane need not be written every second."""
    if lane.unconfirmed is not UnconfirmedPolicy.ASK_GUARD or busy.state.help_at is None:
        return False
    passage = unit.passages.current(lane.name)
    return passage is None or passage.question is not None


def is_unconfirmed(box: Box, attempt: PaymentAttempt, now: Instant) -> bool:
    """Return whether a payment has left open for long enough whether the fee is paid."""
    if attempt.state is AttemptState.UNKNOWN:
        return True
    if attempt.state is AttemptState.VOIDED:
        # Nothing was charged, and not for a reason on the driver's side: the gateway was not reached.
        unreached = attempt.polls == 0 and attempt.reversal_at is None and attempt.trail != NEVER_SENT
        return unreached and attempt.way is PayWay.CODE
    if attempt.state not in (AttemptState.INTENDED, AttemptState.SUBMITTED) or attempt.way is not PayWay.CODE:
        return False
    return attempt_time(attempt, now) - attempt.created_at >= box.parking.unconfirmed_s * 1000


def _decide(unit: Unit, box: Box, lane: Lane, now: Instant) -> None:
    if not _due(unit, box, lane, now):
        return
    if lane.unconfirmed is UnconfirmedPolicy.RECORD_DEBT:
        give_up_waiting(unit, box, lane, DebtCause.UNCONFIRMED, "", now)
        return
    order = load(unit, box, lane.workstation).order
    for session_id, due_fen in _asked(unit, order).items() if order is not None else ():
        ask_about_fee(unit, box, lane, session_id, due_fen, now)


def _asked(unit: Unit, order: Order) -> dict[str, int]:
    """Return what an order asks for by stay; old debts in it stay what they are."""
    asked: dict[str, int] = {}
    for line in order.lines:
        charge = unit.stay_charges.get(line.line_id) if line.sku == PARKING_SKU else None
        if charge is not None and not charge.debt_id:
            asked[charge.session_id] = asked.get(charge.session_id, 0) + charge.amount_fen
    return asked


def _clear(unit: Unit, box: Box, busy: Busy, order: Order, now: Instant) -> None:
    """Make room for the next vehicle; an order whose money may still move is followed up without a screen."""
    if busy.order is None or busy.order.order_id != order.order_id:
        return
    moving = any(one.is_open for one in unit.attempts.of_order(order.order_id))
    if moving or order.tenders:
        to_start(unit, box, replace(busy, state=replace(busy.state, notice="")), now)
    else:
        forget_order(unit, box, order, now)
