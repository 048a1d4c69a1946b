"""Write what a gateway said of an attempt: the money, the order and the screen in one transaction.

Answers may come twice or late: an attempt that is already closed is left as it is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from edge.clock import Instant
from edge.errors import Corrupt
from edge.retail.attempt import AttemptState, PaymentAttempt, advance
from edge.retail.order import OrderState, Tender, cancel
from edge.services.box import Box
from edge.services.complete_order import take_tender
from edge.services.events import EventKind, order_cancelled, payment_kind, payment_step, record_event
from edge.services.ports import GatewayAnswer, PaymentState
from edge.services.records import Unit
from edge.services.workstation import Notice, NoticeCode, load, show_notice

_CLOSED_BY = {
    PaymentState.DECLINED: AttemptState.DECLINED,
    PaymentState.VOIDED: AttemptState.VOIDED,
    PaymentState.REFUNDED: AttemptState.REFUNDED,
}

#: Which banner tells the shopper how an attempt ended, and which event tells HQ.
_NOTICES = {
    AttemptState.DECLINED: NoticeCode.PAYMENT_DECLINED,
    AttemptState.VOIDED: NoticeCode.PAYMENT_VOIDED,
    AttemptState.REFUNDED: NoticeCode.PAYMENT_VOIDED,
}


def settle(box: Box, attempt_id: str, answer: GatewayAnswer, *, in_doubt: bool = False) -> AttemptState:
    """Apply a gateway's answer and return the attempt's state; raise Corrupt when the amounts differ.

    in_doubt: the answer does not say what became of the charge, so the attempt becomes "unknown".
    """
    return _write(
        box, attempt_id, lambda unit, attempt, now: _apply(unit, box, attempt, answer, now, in_doubt)
    )


def close_attempt(
    box: Box, attempt_id: str, state: AttemptState, trail: str, reason: str = ""
) -> AttemptState:
    """Close an attempt for which no money was taken, and return its state.

    trail: the gateway's own word, for support. reason: a ports.DeclineReason, for the shopper's screen.
    """
    return _write(
        box, attempt_id, lambda unit, attempt, now: _close(unit, box, attempt, state, trail, now, reason)
    )


def void_unsent(box: Box, attempt_id: str) -> AttemptState:
    """Close an attempt that was never sent; one that was sent meanwhile is left alone."""

    def step(unit: Unit, attempt: PaymentAttempt, now: Instant) -> PaymentAttempt:
        if attempt.state is not AttemptState.INTENDED:
            return attempt
        return _close(unit, box, attempt, AttemptState.VOIDED, "never sent", now)

    return _write(box, attempt_id, step)


def attempt_time(attempt: PaymentAttempt, now: Instant) -> int:
    """Return `now` as Unix milliseconds on the attempt's own time line.

    Within one boot it goes on from `created_at` by boot time, so that a clock that is set neither
    reverses a payment early nor forgets it; after a reboot it is wall time.
    """
    created = Instant(attempt.created_at, attempt.created_boot, attempt.created_ns, trusted=False)
    return attempt.created_at + now.since_ms(created)


def _write(
    box: Box, attempt_id: str, step: Callable[[Unit, PaymentAttempt, Instant], PaymentAttempt]
) -> AttemptState:
    now = box.clock.now()

    def work(unit: Unit) -> PaymentAttempt:
        attempt = unit.attempts.get(attempt_id)
        if attempt is None:
            raise Corrupt(f"attempt {attempt_id} is not in the store; call support before paying again")
        return step(unit, attempt, now) if attempt.is_open else attempt

    attempt = box.store.write(work)
    box.changed(attempt.workstation)
    return attempt.state


def _apply(
    unit: Unit, box: Box, attempt: PaymentAttempt, answer: GatewayAnswer, now: Instant, in_doubt: bool
) -> PaymentAttempt:
    if answer.state is PaymentState.APPROVED:
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


def _approve(
    unit: Unit, box: Box, attempt: PaymentAttempt, answer: GatewayAnswer, now: Instant
) -> PaymentAttempt:
    if answer.amount_fen is not None and answer.amount_fen != attempt.amount_fen:
        raise Corrupt(
            f"attempt {attempt.attempt_id}: asked for {attempt.amount_fen} fen, the gateway took "
            f"{answer.amount_fen} fen; compare with the gateway's own page before refunding"
        )
    approved = replace(
        advance(attempt, AttemptState.APPROVED, now.wall_at, answer.detail),
        transaction_id=answer.transaction_id,
        payer=answer.payer,
    )
    unit.attempts.put(approved)
    order = unit.orders.get(attempt.order_id)
    if order is None or order.state is not OrderState.AWAITING:
        raise Corrupt(f"attempt {attempt.attempt_id} was paid for an order that is closed; refund it")
    tender = Tender(
        tender_id=box.ids.new_id(),
        kind=attempt.gateway,
        amount_fen=attempt.amount_fen,
        tendered_at=now.wall_at,
        attempt_id=attempt.attempt_id,
    )
    _tell(unit, box, approved, now)
    take_tender(unit, box, order, tender, now)
    busy = load(unit, box, attempt.workstation)
    if busy.order is not None and busy.order.order_id == attempt.order_id:
        # The paid screen's time begins now, not when the code was scanned.
        show_notice(unit, busy, now, None)
    return approved


def _doubt(unit: Unit, box: Box, attempt: PaymentAttempt, trail: str, now: Instant) -> PaymentAttempt:
    doubtful = advance(attempt, AttemptState.UNKNOWN, now.wall_at, trail)
    unknown = replace(doubtful, next_step_at=attempt_time(attempt, now))
    unit.attempts.put(unknown)
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
    _tell(unit, box, closed, now)
    busy = load(unit, box, attempt.workstation)
    if busy.order is not None and busy.order.order_id == attempt.order_id:
        params: dict[str, str | int] = {"reason": reason, "trail": trail[:80]}
        show_notice(unit, busy, now, Notice(attempt.attempt_id, "error", _NOTICES[state], params))
    else:
        _cancel_forsaken(unit, box, attempt, now)
    return closed


def _cancel_forsaken(unit: Unit, box: Box, attempt: PaymentAttempt, now: Instant) -> None:
    """Cancel the order of a shopper who left while the payment was in doubt and came to nothing."""
    order = unit.orders.get(attempt.order_id)
    if order is not None and order.state is OrderState.AWAITING and not order.tenders:
        cancelled = cancel(order, now.wall_at)
        unit.orders.put(cancelled)
        data = order_cancelled(cancelled)
        record_event(unit, box.ids, now, box.origin, EventKind.ORDER_CANCELLED, order.order_id, data)


def _tell(unit: Unit, box: Box, attempt: PaymentAttempt, now: Instant) -> None:
    kind, data = payment_kind(attempt), payment_step(attempt)
    record_event(unit, box.ids, now, box.origin, kind, attempt.attempt_id, data, attempt.order_id)
