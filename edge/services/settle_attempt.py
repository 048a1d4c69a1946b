"""Write what a gateway said of an attempt: the money, the order and the screen in one transaction.

Answers may come twice or late: an attempt that is already closed is left as it is. Only money is never
passed over: what was taken for an attempt that is over, in another amount or for an order that needs it no
more makes the attempt "unknown" and calls a person; resolve_attempts then books it or gives it back.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from edge.clock import Instant
from edge.errors import Corrupt
from edge.parking.debt import DebtCause
from edge.parking.session import SessionState
from edge.retail.attempt import (
    AttemptState,
    AttemptStep,
    PaymentAttempt,
    PayWay,
    StepKind,
    add_step,
    advance,
)
from edge.retail.basket import BasketState, change_state
from edge.retail.order import Order, OrderState, Tender, cancel
from edge.retail.split import OrderPart
from edge.services.box import PHONE, Box
from edge.services.call_help import raise_call
from edge.services.charge_stay import forget_order, shown_at
from edge.services.complete_order import take_tender
from edge.services.earn_points import settle_points
from edge.services.events import EventKind, order_cancelled, payment_kind, payment_step, record_event
from edge.services.payment_ports import GatewayAnswer, PaymentState
from edge.services.phone_order import phone_waits
from edge.services.record_debt import record_debt
from edge.services.records import Unit
from edge.services.settle_tickets import release_tickets
from edge.services.stay_lines import asks_for_stays
from edge.services.work_items import SERVICE, end_work, raise_work
from edge.services.work_records import WorkKind
from edge.services.workstation import Notice, NoticeCode, show_notice

#: The longest word of a gateway in a trail.
MAX_STEP_DETAIL = 300

#: The trail of an attempt that was given up before it was sent.
NEVER_SENT = "never sent"

_CLOSED_BY = {
    PaymentState.DECLINED: AttemptState.DECLINED,
    PaymentState.VOIDED: AttemptState.VOIDED,
    PaymentState.REFUNDED: AttemptState.REFUNDED,
}

#: States in which the shopper was told that nothing was taken.
_GIVEN_UP = frozenset({AttemptState.DECLINED, AttemptState.VOIDED})

#: Which banner tells the shopper how an attempt ended, and which event tells HQ.
_NOTICES = {
    AttemptState.DECLINED: NoticeCode.PAYMENT_DECLINED,
    AttemptState.VOIDED: NoticeCode.PAYMENT_VOIDED,
    AttemptState.REFUNDED: NoticeCode.PAYMENT_VOIDED,
}


def settle(box: Box, attempt_id: str, answer: GatewayAnswer, *, in_doubt: bool = False) -> AttemptState:
    """Apply a gateway's answer and return the attempt's state; "unknown" for money that must be given back.

    in_doubt: the answer does not say what became of the charge, so the attempt becomes "unknown".
    """

    def step(unit: Unit, attempt: PaymentAttempt, now: Instant) -> PaymentAttempt:
        if attempt.is_open:
            return _apply(unit, box, attempt, answer, now, in_doubt)
        if answer.state is PaymentState.APPROVED and attempt.state in _GIVEN_UP:
            problem = f"payment {attempt.merchant_order_no} was {attempt.state} and is paid after all"
            return _call_person(unit, box, attempt, problem, now)
        return attempt

    return _write(box, attempt_id, step)


def close_attempt(
    box: Box, attempt_id: str, state: AttemptState, trail: str, reason: str = ""
) -> AttemptState:
    """Close an attempt for which no money was taken, and return its state.

    trail: the gateway's own word, for support. reason: a ports.DeclineReason, for the shopper's screen.
    """

    def step(unit: Unit, attempt: PaymentAttempt, now: Instant) -> PaymentAttempt:
        return _close(unit, box, attempt, state, trail, now, reason) if attempt.is_open else attempt

    return _write(box, attempt_id, step)


def void_unsent(box: Box, attempt_id: str) -> AttemptState:
    """Close an attempt that was never sent; one that was sent meanwhile is left alone."""

    def step(unit: Unit, attempt: PaymentAttempt, now: Instant) -> PaymentAttempt:
        if attempt.state is not AttemptState.INTENDED:
            return attempt
        return _close(unit, box, attempt, AttemptState.VOIDED, NEVER_SENT, now)

    return _write(box, attempt_id, step)


def note_step(unit: Unit, attempt: PaymentAttempt, what: StepKind, detail: str, now: Instant) -> None:
    """Add an entry to the trail of an attempt that did not go straight through."""
    step = AttemptStep(what, attempt.state, detail[:MAX_STEP_DETAIL], now.wall_at, now.wall_at)
    unit.attempts.put_trail(attempt.attempt_id, add_step(unit.attempts.trail(attempt.attempt_id), step))


def attempt_time(attempt: PaymentAttempt, now: Instant) -> int:
    """Return `now` as Unix milliseconds on the attempt's own time line.

    Within one boot it goes on from `created_at` by boot time, so that a clock that is set neither
    reverses a payment early nor forgets it; after a reboot it is wall time, and at the least as long as
    this boot lasts, for a clock without a battery begins anew in the past.
    """
    created = Instant(attempt.created_at, attempt.created_boot, attempt.created_ns, trusted=False)
    age_ms = now.since_ms(created)
    if attempt.created_boot != now.boot_id:
        age_ms = max(age_ms, now.boottime_ns // 1_000_000)
    return attempt.created_at + age_ms


def _write(
    box: Box, attempt_id: str, step: Callable[[Unit, PaymentAttempt, Instant], PaymentAttempt]
) -> AttemptState:
    now = box.clock.now()

    def work(unit: Unit) -> tuple[PaymentAttempt, str]:
        attempt = unit.attempts.get(attempt_id)
        if attempt is None:
            raise Corrupt(f"attempt {attempt_id} is not in the store; call support before paying again")
        order = unit.orders.get(attempt.order_id)
        shown = None if order is None else shown_at(unit, box, order)
        place = attempt.workstation if shown is None else shown.state.workstation
        return step(unit, attempt, now), place

    attempt, place = box.store.write(work)
    for name in {place, attempt.workstation}:
        box.changed(name)
    return attempt.state


def _apply(
    unit: Unit, box: Box, attempt: PaymentAttempt, answer: GatewayAnswer, now: Instant, in_doubt: bool
) -> PaymentAttempt:
    if answer.state is PaymentState.APPROVED and attempt.reversal_at is not None:
        # It was paid while a reversal was on its way: the reversal goes on, or would take booked money back.
        in_doubt = True
    elif answer.state is PaymentState.APPROVED:
        problem = _misfit(unit, attempt, answer)
        if problem:
            return _call_person(unit, box, attempt, problem, now)
        return _approve(unit, box, attempt, answer, now)
    if answer.state in _CLOSED_BY:
        return _close(unit, box, attempt, _CLOSED_BY[answer.state], answer.detail, now)
    if in_doubt and attempt.state is AttemptState.SUBMITTED:
        return _doubt(unit, box, attempt, answer.detail, now)
    waiting = replace(
        attempt,
        trail=answer.detail or attempt.trail,
        next_step_at=attempt_time(attempt, now) + box.rules.poll_ms,
    )
    unit.attempts.put(waiting)
    return waiting


def _misfit(unit: Unit, attempt: PaymentAttempt, answer: GatewayAnswer) -> str:
    """Return why money that was taken cannot be booked, "" when it can."""
    ours = f"payment {attempt.merchant_order_no}"
    if answer.amount_fen is not None and answer.amount_fen != attempt.amount_fen:
        return f"{ours} was to take {attempt.amount_fen} fen and took {answer.amount_fen} fen; it goes back"
    order = unit.orders.get(attempt.order_id)
    if order is None or order.state is not OrderState.AWAITING:
        state = "unknown here" if order is None else order.state.value
        return f"{ours} was for an order that is {state}; it goes back"
    if attempt.amount_fen > order.due_fen:
        return f"{ours} took {attempt.amount_fen} fen where {order.due_fen} fen were due; it goes back"
    return ""


def _call_person(unit: Unit, box: Box, attempt: PaymentAttempt, problem: str, now: Instant) -> PaymentAttempt:
    """Keep the attempt in doubt, due at once, and have a person look at it, once for each problem."""
    state = unit.workstations.get(attempt.workstation)
    if state is not None and attempt.trail != problem:
        raise_call(unit, box, state, now)
    order = unit.orders.get(attempt.order_id)
    day, number = ("", "") if order is None else (order.business_day, order.number)
    facts: dict[str, str | int] = {
        "number": number,
        "amount_fen": attempt.amount_fen,
        "merchant_order_no": attempt.merchant_order_no,
        "problem": problem,
    }
    raise_work(unit, box, now, WorkKind.MONEY_ADRIFT, attempt.attempt_id, facts, day)
    if attempt.state is not AttemptState.UNKNOWN:
        return _doubt(unit, box, attempt, problem, now)
    note_step(unit, attempt, StepKind.SETTLED, problem, now)
    waiting = replace(attempt, trail=problem, next_step_at=attempt_time(attempt, now))
    unit.attempts.put(waiting)
    return waiting


def _approve(
    unit: Unit, box: Box, attempt: PaymentAttempt, answer: GatewayAnswer, now: Instant
) -> PaymentAttempt:
    approved = replace(
        advance(attempt, AttemptState.APPROVED, now.wall_at, answer.detail),
        transaction_id=answer.transaction_id,
        payer=answer.payer or attempt.openid or None,
        parts=_paid_parts(attempt, answer),
    )
    unit.attempts.put(approved)
    order = unit.orders.get(attempt.order_id)
    if order is None:
        raise Corrupt(f"attempt {attempt.attempt_id} has no order {attempt.order_id}; call support")
    tender = Tender(
        tender_id=box.ids.new_id(),
        kind=attempt.gateway,
        amount_fen=attempt.amount_fen,
        tendered_at=now.wall_at,
        attempt_id=attempt.attempt_id,
    )
    _tell(unit, box, approved, now)
    _note_end(unit, attempt, approved, answer.detail, now)
    if attempt.openid and answer.payer and answer.payer != attempt.openid:
        note_step(unit, approved, StepKind.SETTLED, "paid by another wallet than the one that asked", now)
    take_tender(unit, box, order, tender, now)
    busy = shown_at(unit, box, order)
    if busy is not None:
        # The paid screen's time begins now, not when the code was scanned.
        show_notice(unit, busy, now, None)
    elif not (asks_for_stays(order.lines) or order.workstation == PHONE):
        facts: dict[str, str | int] = {"number": order.number, "amount_fen": attempt.amount_fen}
        facts["workstation"] = attempt.workstation
        raise_work(unit, box, now, WorkKind.LATE_PAYMENT, attempt.attempt_id, facts, order.business_day)
    return approved


def _paid_parts(attempt: PaymentAttempt, answer: GatewayAnswer) -> tuple[OrderPart, ...]:
    """Return the parts with the gateway's own numbers, which sharing and support ask by."""
    if len(answer.part_ids) != len(attempt.parts):
        return attempt.parts
    return tuple(
        replace(part, transaction_id=told) for part, told in zip(attempt.parts, answer.part_ids, strict=True)
    )


def _note_end(unit: Unit, before: PaymentAttempt, after: PaymentAttempt, detail: str, now: Instant) -> None:
    """Note the end of an attempt that has a trail already, or was asked about."""
    doubted = before.state is AttemptState.UNKNOWN or before.reversal_at is not None
    if doubted and after.state is AttemptState.APPROVED:
        booked = "the money was booked after all"
        end_work(unit, now, WorkKind.MONEY_ADRIFT, after.attempt_id, SERVICE, booked)
    if before.polls or doubted:
        note_step(unit, after, StepKind.SETTLED, detail, now)


def _doubt(unit: Unit, box: Box, attempt: PaymentAttempt, trail: str, now: Instant) -> PaymentAttempt:
    doubtful = advance(attempt, AttemptState.UNKNOWN, now.wall_at, trail)
    unknown = replace(doubtful, next_step_at=attempt_time(attempt, now))
    unit.attempts.put(unknown)
    note_step(unit, unknown, StepKind.SETTLED, trail, now)
    _tell(unit, box, unknown, now)
    return unknown


def _close(
    unit: Unit,
    box: Box,
    attempt: PaymentAttempt,
    state: AttemptState,
    trail: str,
    now: Instant,
    reason: str = "",
) -> PaymentAttempt:
    if state is AttemptState.REFUNDED and attempt.state is AttemptState.SUBMITTED:
        state = AttemptState.VOIDED
    closed = advance(attempt, state, now.wall_at, trail)
    unit.attempts.put(closed)
    _note_end(unit, attempt, closed, trail, now)
    _tell(unit, box, closed, now)
    order = unit.orders.get(attempt.order_id)
    busy = None if order is None else shown_at(unit, box, order)
    if attempt.way is PayWay.AUTOPAY and order is not None:
        _owe(unit, box, order, now)
    if busy is not None:
        show_notice(unit, busy, now, _end_notice(closed, trail, reason))
    else:
        _cancel_forsaken(unit, box, attempt, now)
    return closed


def _end_notice(closed: PaymentAttempt, trail: str, reason: str) -> Notice:
    """Return how a screen tells that a payment came to nothing; one of a phone is no fault of anybody."""
    params: dict[str, str | int] = {"reason": reason, "trail": trail[:80]}
    if closed.way in (PayWay.NATIVE, PayWay.JSAPI) and closed.state is AttemptState.VOIDED:
        return Notice(closed.attempt_id, "info", NoticeCode.PHONE_CLOSED, params)
    return Notice(closed.attempt_id, "error", _NOTICES[closed.state], params)


def _owe(unit: Unit, box: Box, order: Order, now: Instant) -> None:
    """Write down what a vehicle owes whose owner could not be charged after it had left."""
    for line in order.lines:
        charge = unit.stay_charges.get(line.line_id)
        session = unit.sessions.get(charge.session_id) if charge is not None else None
        if charge is None or session is None or charge.debt_id or session.state is not SessionState.LEFT:
            continue
        lane = session.exit_lane
        record_debt(unit, box, session, charge.amount_fen, DebtCause.AUTOPAY, now, lane)


def _cancel_forsaken(unit: Unit, box: Box, attempt: PaymentAttempt, now: Instant) -> None:
    """Cancel the order of a shopper who left while the payment was in doubt and came to nothing.

    The goods are held, as those of any forsaken basket are.
    """
    order = unit.orders.get(attempt.order_id)
    if order is None or order.state is not OrderState.AWAITING or order.tenders:
        return
    if asks_for_stays(order.lines):
        forget_order(unit, box, order, now)
    elif phone_waits(unit, order):
        # The shopper is there and may pay again; what nobody comes back for ends by itself.
        return
    else:
        cancelled = cancel(order, now.wall_at)
        unit.orders.put(cancelled)
        # Goods of tickets stay on their tickets.
        gone = BasketState.ABANDONED if release_tickets(unit, box, cancelled) else BasketState.HELD
        basket = unit.baskets.get(order.basket_id)
        if basket is not None and basket.state is BasketState.ORDERED:
            opened = change_state(basket, BasketState.OPEN, now.wall_at)
            unit.baskets.put(change_state(opened, gone, now.wall_at))
        data = order_cancelled(cancelled)
        record_event(unit, box.ids, now, box.origin, EventKind.ORDER_CANCELLED, order.order_id, data)
        settle_points(unit, box, cancelled, now)


def _tell(unit: Unit, box: Box, attempt: PaymentAttempt, now: Instant) -> None:
    kind, data = payment_kind(attempt), payment_step(attempt)
    record_event(unit, box.ids, now, box.origin, kind, attempt.attempt_id, data, attempt.order_id)
