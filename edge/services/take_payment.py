"""Charge a payment code: intent, commit, act, outcome, commit.

`intend` writes the attempt, `submit` marks it submitted, calls the gateway and writes what it said.
A crash in between leaves an attempt that `resolve_attempts` asks the gateway about; nothing is guessed.
"""

from __future__ import annotations

from edge.clock import Instant
from edge.errors import Invalid, OutcomeUnknown, Unavailable
from edge.retail.attempt import AttemptState, PaymentAttempt, advance
from edge.services.box import Box
from edge.services.payment_ports import CodePayment, GatewayAnswer, PaymentDeclined, PaymentState
from edge.services.records import Unit
from edge.services.settle_attempt import close_attempt, settle
from edge.services.settle_tenants import waits_to_be_shared
from edge.services.workstation import Busy, need_order, save


def intend(unit: Unit, box: Box, busy: Busy, now: Instant, gateway: str, code_tail: str) -> PaymentAttempt:
    """Write a new attempt for all that is due on the workstation's order; one at a time."""
    order = need_order(busy)
    if busy.money_in_flight:
        raise Invalid(f"a payment for order {order.number} is on its way; wait for its end")
    attempt_id = box.ids.new_id()
    attempt = PaymentAttempt(
        attempt_id=attempt_id,
        order_id=order.order_id,
        workstation=busy.state.workstation,
        gateway=gateway,
        merchant_order_no=attempt_id.replace("-", ""),
        amount_fen=order.due_fen,
        code_tail=code_tail,
        created_at=now.wall_at,
        give_up_at=now.wall_at + box.rules.pay_deadline_ms,
        next_step_at=now.wall_at + box.rules.call_ms,
        created_boot=now.boot_id,
        created_ns=now.boottime_ns,
        frozen=waits_to_be_shared(box, order.lines, gateway),
    )
    unit.attempts.put(attempt)
    save(unit, busy, now, basket=busy.basket, order=order)
    return attempt


def submit(box: Box, attempt_id: str, code: str) -> AttemptState:
    """Send an intended attempt to its gateway and write the outcome; return the state reached.

    An attempt that is no longer "intended" is left alone, so that a repeat charges nothing.
    """
    now = box.clock.now()
    attempt = box.store.write(lambda unit: _mark_submitted(unit, attempt_id, now))
    if attempt is None:
        raise Invalid(f"attempt {attempt_id} was submitted before or voided; show a new payment code")
    payment = CodePayment(
        merchant_order_no=attempt.merchant_order_no,
        amount_fen=attempt.amount_fen,
        description=_description(box, attempt),
        code=code,
        device=attempt.workstation,
        attach=box.origin.attachment,
        frozen=attempt.frozen,
    )
    try:
        answer = box.gateways[attempt.gateway].pay_by_code(payment)
    except PaymentDeclined as refusal:
        return close_attempt(box, attempt_id, AttemptState.DECLINED, refusal.detail, refusal.reason.value)
    except (Unavailable, Invalid) as failure:
        return close_attempt(box, attempt_id, AttemptState.VOIDED, str(failure))
    except OutcomeUnknown as doubt:
        answer = GatewayAnswer(PaymentState.ABSENT, detail=str(doubt))
        return settle(box, attempt_id, answer, in_doubt=True)
    return settle(box, attempt_id, answer)


def _mark_submitted(unit: Unit, attempt_id: str, now: Instant) -> PaymentAttempt | None:
    attempt = unit.attempts.get(attempt_id)
    if attempt is None or attempt.state is not AttemptState.INTENDED:
        return None
    submitted = advance(attempt, AttemptState.SUBMITTED, now.wall_at)
    unit.attempts.put(submitted)
    return submitted


def _description(box: Box, attempt: PaymentAttempt) -> str:
    """Return what the shopper's wallet shows; bills are split at commas, so there is none in it."""
    name = (box.rules.shop_name or box.origin.site).replace(",", " ").replace("`", " ")
    return f"{name} {attempt.workstation}"[:40]
