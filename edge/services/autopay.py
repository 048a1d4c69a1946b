"""A vehicle whose owner agreed leaves at once and is charged afterwards (先出后扣).

The entry is told to the gateway by a worker and never holds a lane. At the exit an order and an attempt are
written with the decision to open; the charge goes out once the vehicle has left, and is followed up like any
other payment. What comes to nothing becomes a debt, which settle_attempt writes.
"""

from __future__ import annotations

from dataclasses import replace

from edge.clock import Instant
from edge.errors import Declined, EdgeError, Invalid, OutcomeUnknown, Unavailable
from edge.parking.autopay import Autopay
from edge.parking.session import Session, SessionState
from edge.retail.attempt import AttemptState, PaymentAttempt, PayWay, advance
from edge.services.attempt_age import least_age_ms
from edge.services.box import PHONE, Box
from edge.services.charge_stay import due_of_stay, forget_order, open_orders, order_of_stay
from edge.services.payment_ports import (
    AutopayCharge,
    AutopayGateway,
    GatewayAnswer,
    ParkedVehicle,
    PaymentDeclined,
    PaymentState,
)
from edge.services.records import Unit
from edge.services.stay_lines import asks_for_stays

#: Stays that a gateway is told of in one go, and how late it is told.
MAX_TOLD = 5
TELL_WITHIN_MS = 24 * 3_600_000

#: Up to which certain age of the attempt a charge is sent, and how long a vehicle may take to leave before it
#: is not charged. What is owed instead is known once the last charge cannot arrive any more.
GIVE_UP_MS = 24 * 3_600_000
LEAVE_WITHIN_MS = 30 * 60_000


def tell_entries(box: Box) -> int:
    """Tell gateways of vehicles that came in; return of how many. Raises the first error of a gateway."""
    told = 0
    for name, gateway in box.autopayers.items():
        for session in box.store.read(lambda unit: _untold(unit, box)):
            told += 1
            _tell(box, name, gateway, session)
    return told


def begin_autopay(unit: Unit, box: Box, session: Session, now: Instant) -> bool:
    """Write that a stay is paid by its owner after leaving; return whether it is.

    Writes nothing and returns False for one whose owner did not agree, or whose fee is being paid otherwise.
    """
    known = unit.autopays.get(session.session_id)
    if known is None or not known.usable or known.gateway not in box.autopayers:
        return False
    due = due_of_stay(unit, box, session.session_id, now)
    for order in open_orders(unit, due):
        moving = [one for one in unit.attempts.of_order(order.order_id) if one.is_open]
        if moving or order.tenders:
            return any(one.way is PayWay.AUTOPAY for one in moving)
        if not asks_for_stays(order.lines):
            return False
    if not due.due_fen:
        return False
    for order in open_orders(unit, due):
        forget_order(unit, box, order, now)
    order = order_of_stay(unit, box, due, PHONE, now)
    attempt_id = box.ids.new_id()
    unit.attempts.put(
        PaymentAttempt(
            attempt_id=attempt_id,
            order_id=order.order_id,
            workstation=PHONE,
            gateway=known.gateway,
            merchant_order_no=attempt_id.replace("-", ""),
            amount_fen=order.due_fen,
            code_tail="",
            created_at=now.wall_at,
            give_up_at=now.wall_at + GIVE_UP_MS,
            next_step_at=now.wall_at + box.rules.poll_ms,
            created_boot=now.boot_id,
            created_ns=now.boottime_ns,
            way=PayWay.AUTOPAY,
        )
    )
    return True


def ask_autopay(box: Box, attempt: PaymentAttempt) -> GatewayAnswer | None:
    """Take one step with an attempt of this way; None: nothing was sent, and it is too late for it.

    Raises Unavailable when nothing is known; then the step is taken again.
    """
    gateway = box.autopayers.get(attempt.gateway)
    if gateway is None:
        raise Unavailable(
            f"attempt {attempt.attempt_id} waits for gateway {attempt.gateway}; configure it again"
        )
    if attempt.state is AttemptState.INTENDED:
        session = box.store.read(lambda unit: _session(unit, attempt))
        if session is None or session.state is not SessionState.LEFT:
            if _least_age_ms(box, attempt) > LEAVE_WITHIN_MS:
                return None
            return GatewayAnswer(PaymentState.PENDING, detail="the vehicle has not left yet")
        if not _may_send(box, attempt):
            return None
        box.store.write(lambda unit: _submit(unit, attempt.attempt_id, box.clock.now()))
        return _charge(box, gateway, attempt)
    answer = gateway.query_charge(attempt.merchant_order_no)
    sends = attempt.state is AttemptState.SUBMITTED and _may_send(box, attempt)
    return _charge(box, gateway, attempt) if sends and answer.state is PaymentState.ABSENT else answer


def _may_send(box: Box, attempt: PaymentAttempt) -> bool:
    return _least_age_ms(box, attempt) < GIVE_UP_MS


def _least_age_ms(box: Box, attempt: PaymentAttempt) -> int:
    now = box.clock.now()
    return box.store.read(lambda unit: least_age_ms(unit, attempt, now))


def _untold(unit: Unit, box: Box) -> list[Session]:
    since = box.clock.now().wall_at - TELL_WITHIN_MS
    found = (unit.sessions.get(one) for one in unit.autopays.untold(since, MAX_TOLD))
    return [one for one in found if one is not None]


def _tell(box: Box, name: str, gateway: AutopayGateway, session: Session) -> None:
    try:
        entry = gateway.enter(_vehicle(box, session))
        known = Autopay(session.session_id, name, 0, entry.parking_id, entry.usable, entry.reason)
    except (Declined, Invalid) as refusal:
        known = Autopay(session.session_id, name, 0, reason=str(refusal)[:100])
    told = replace(known, told_at=box.clock.now().wall_at)
    box.store.write(lambda unit: unit.autopays.put(told))


def _vehicle(box: Box, session: Session) -> ParkedVehicle:
    return ParkedVehicle(
        parking_no=session.session_id.replace("-", "")[:32],
        plate=session.plate,
        colour=session.colour.value,
        entered_at=session.entered_at,
        place=(box.parking.facility.name or box.rules.shop_name or box.origin.site)[:32],
    )


def _session(unit: Unit, attempt: PaymentAttempt) -> Session | None:
    order = unit.orders.get(attempt.order_id)
    for line in order.lines if order is not None else ():
        charge = unit.stay_charges.get(line.line_id)
        if charge is not None and not charge.debt_id:
            return unit.sessions.get(charge.session_id)
    return None


def _submit(unit: Unit, attempt_id: str, now: Instant) -> None:
    attempt = unit.attempts.get(attempt_id)
    if attempt is not None and attempt.state is AttemptState.INTENDED:
        unit.attempts.put(advance(attempt, AttemptState.SUBMITTED, now.wall_at))


def _charge(box: Box, gateway: AutopayGateway, attempt: PaymentAttempt) -> GatewayAnswer:
    """Send a charge; the same one again when nobody knows whether it arrived."""
    session = box.store.read(lambda unit: _session(unit, attempt))
    known = None if session is None else box.store.read(lambda unit: unit.autopays.get(session.session_id))
    if session is None or known is None:
        return GatewayAnswer(PaymentState.DECLINED, detail="its stay is not known any more")
    name = (box.rules.shop_name or box.origin.site).replace(",", " ").replace("`", " ")
    charge = AutopayCharge(
        merchant_order_no=attempt.merchant_order_no,
        amount_fen=attempt.amount_fen,
        description=f"{name} 停车费"[:40],
        parking_id=known.parking_id,
        vehicle=_vehicle(box, session),
        left_at=attempt.created_at,
        device=session.exit_lane or "exit",
        attach=box.origin.attachment,
    )
    try:
        return gateway.charge(charge)
    except PaymentDeclined as refusal:
        return GatewayAnswer(PaymentState.DECLINED, detail=refusal.detail)
    except (Unavailable, OutcomeUnknown) as doubt:
        return GatewayAnswer(PaymentState.PENDING, detail=str(doubt))
    except EdgeError as failure:
        return GatewayAnswer(PaymentState.DECLINED, detail=str(failure))
