"""Follow up open attempts until their money stands still: query, and reverse what waits too long.

Money that was taken but cannot be booked is given back in the same way; see settle_attempt.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NoReturn

from edge.clock import Instant
from edge.errors import Corrupt, Declined, EdgeError, OutcomeUnknown, Unavailable
from edge.retail.attempt import AttemptState, PaymentAttempt, PayWay, StepKind
from edge.services.attempt_age import least_age_ms
from edge.services.autopay import GIVE_UP_MS, ask_autopay
from edge.services.box import Box
from edge.services.payment_ports import (
    GatewayAnswer,
    PaymentGateway,
    PaymentState,
    PrepayGateway,
    RefundRequest,
    RefundState,
)
from edge.services.records import Unit
from edge.services.settle_attempt import (
    attempt_time,
    close_attempt,
    note_step,
    settle,
    void_unsent,
)

#: Attempts looked at in one go, and the longest pause between two looks at one.
MAX_ATTEMPTS = 20
LONGEST_PAUSE_MS = 300_000

#: No further attempt is begun in one go after this; with the longest calls of the last one it stays below
#: what the service's worker may take, or a gateway that hangs would look like a worker that does.
TURN_MS = 30_000

#: A gateway refuses a request signed longer ago than this; a margin for clocks that differ is in it.
LATEST_ARRIVAL_MS = 360_000

#: The trail of an order for a phone that never saw what to open.
NEVER_SHOWN = "never shown to a phone"

_UNCLEAR = (PaymentState.PENDING, PaymentState.ABSENT)


def resolve_attempts(box: Box) -> int:
    """Take one step with every attempt that is due, as far as TURN_MS goes; return how many were looked at.

    One that raises is put off and the others are looked at before its error is raised.
    """
    now = box.clock.now()
    open_attempts = box.store.read(lambda unit: unit.attempts.open(MAX_ATTEMPTS))
    due = [attempt for attempt in open_attempts if _is_due(attempt, now)]
    first: EdgeError | None = None
    looked_at = 0
    for attempt in due:
        if box.clock.now().since_ms(now) >= TURN_MS:
            break
        looked_at += 1
        try:
            resolve(box, attempt, box.clock.now())
        except EdgeError as error:
            _wait(box, attempt, GatewayAnswer(PaymentState.PENDING, detail=str(error)))
            first = first or error
    if first is not None:
        raise first
    return looked_at


def resolve(box: Box, attempt: PaymentAttempt, now: Instant) -> AttemptState:
    """Take one step with one open attempt and return the state reached.

    Raises Corrupt, after the step, for money that was taken and cannot be booked: a person must know.
    """
    age_ms = attempt_time(attempt, now) - attempt.created_at
    if attempt.state is AttemptState.INTENDED and attempt.way is not PayWay.AUTOPAY:
        return void_unsent(box, attempt.attempt_id)
    try:
        asked = ask_autopay(box, attempt) if attempt.way is PayWay.AUTOPAY else _ask(box, attempt, age_ms)
        if asked is None:
            return void_unsent(box, attempt.attempt_id)
        answer = asked
    except Unavailable as failure:
        if _never_shown(attempt, age_ms):
            return close_attempt(box, attempt.attempt_id, AttemptState.VOIDED, NEVER_SHOWN)
        answer = GatewayAnswer(PaymentState.PENDING, detail=str(failure))
    if answer.state is PaymentState.ABSENT and _cannot_arrive(box, attempt, now):
        return close_attempt(box, attempt.attempt_id, AttemptState.VOIDED, "never arrived at the gateway")
    if answer.state in _UNCLEAR:
        return _wait(box, attempt, answer)
    state = settle(box, attempt.attempt_id, answer)
    if answer.state is PaymentState.APPROVED and state is AttemptState.UNKNOWN:
        _give_back(box, attempt)
    return state


def _cannot_arrive(box: Box, attempt: PaymentAttempt, now: Instant) -> bool:
    """Return whether a charge that the gateway does not know would be refused by now, if it came.

    Nothing at the gateway keeps it out before: what it does not know it can neither close nor reverse.
    """
    sent_for_ms = GIVE_UP_MS if attempt.way is PayWay.AUTOPAY else 0
    return box.store.read(lambda unit: least_age_ms(unit, attempt, now)) > sent_for_ms + LATEST_ARRIVAL_MS


def _never_shown(attempt: PaymentAttempt, age_ms: int) -> bool:
    """Return whether an order for a phone is overdue whose answer was lost: nobody could ever pay it."""
    by_phone = attempt.way in (PayWay.NATIVE, PayWay.JSAPI) and not attempt.pay_url
    overdue = attempt.created_at + age_ms >= attempt.give_up_at
    return by_phone and overdue and attempt.state is AttemptState.SUBMITTED


def _give_back(box: Box, attempt: PaymentAttempt) -> NoReturn:
    """Reverse an attempt whose money was taken but cannot be booked; say so as Corrupt in any case."""
    current = box.store.read(lambda unit: unit.attempts.get(attempt.attempt_id))
    problem = current.trail if current else "it is no longer in the store"
    try:
        answer = _undo(box, attempt)
    except (Unavailable, OutcomeUnknown, Declined):
        answer = GatewayAnswer(PaymentState.PENDING)
    if answer.state in (PaymentState.VOIDED, PaymentState.REFUNDED):
        close_attempt(box, attempt.attempt_id, AttemptState.REFUNDED, f"{problem}: {answer.detail}")
    raise Corrupt(problem)


def _undo(box: Box, attempt: PaymentAttempt) -> GatewayAnswer:
    """Give a charge back: a payment code's is reversed, what a phone paid by itself is refunded."""
    if attempt.way is PayWay.CODE:
        return _gateway(box, attempt).reverse(attempt.merchant_order_no)
    refunder = box.refunders.get(attempt.gateway)
    if refunder is None:
        return GatewayAnswer(PaymentState.PENDING)
    number, amount_fen = attempt.merchant_order_no, attempt.amount_fen
    reason = "无法入账 退回"
    asked = [
        RefundRequest(
            *(one.merchant_order_no, f"{one.merchant_order_no}B", one.amount_fen, one.amount_fen, reason),
            one.merchant,
        )
        for one in attempt.parts
    ] or [RefundRequest(number, f"{number}B", amount_fen, amount_fen, reason)]
    answers = [refunder.refund(one) for one in asked]
    done = all(one.state in (RefundState.DONE, RefundState.PROCESSING) for one in answers)
    detail = "/".join(dict.fromkeys(one.detail for one in answers))
    return GatewayAnswer(PaymentState.REFUNDED if done else PaymentState.PENDING, detail=detail)


def _ask(box: Box, attempt: PaymentAttempt, age_ms: int) -> GatewayAnswer:
    """Query, and reverse what is still unclear when its time is over.

    That a reversal may be on its way is written before it is sent; from then on money that comes in goes
    back, until the gateway says that it had nothing to reverse.
    """
    gateway = _gateway(box, attempt)
    number = attempt.merchant_order_no
    if attempt.parts:
        answer = _prepayer(box, attempt).query_parts(number, attempt.parts)
    else:
        answer = gateway.query(number)
    if attempt.way is not PayWay.CODE:
        overdue = attempt.created_at + age_ms >= attempt.give_up_at
        return _close_order(box, attempt) if overdue and answer.state in _UNCLEAR else answer
    begun = answer.state is PaymentState.APPROVED and attempt.reversal_at is not None
    if not begun and not (answer.state in _UNCLEAR and _too_late(box, attempt, age_ms)):
        return answer
    now = box.clock.now()
    _note_reversal(box, attempt, now, begun=True)
    answer = gateway.reverse(attempt.merchant_order_no)
    if answer.state is PaymentState.ABSENT:
        _note_reversal(box, attempt, now, begun=False)
    return answer


def _close_order(box: Box, attempt: PaymentAttempt) -> GatewayAnswer:
    """Close an order that a phone was to pay; one that the gateway does not know cannot be paid either."""
    prepayer = _prepayer(box, attempt)
    if attempt.parts:
        answer = prepayer.close_parts(attempt.merchant_order_no, attempt.parts)
    else:
        answer = prepayer.close_order(attempt.merchant_order_no)
    if answer.state is PaymentState.ABSENT:
        return replace(answer, state=PaymentState.VOIDED)
    return answer


def _prepayer(box: Box, attempt: PaymentAttempt) -> PrepayGateway:
    prepayer = box.prepayers.get(attempt.gateway)
    if prepayer is None:
        raise Unavailable(
            f"attempt {attempt.attempt_id} waits for gateway {attempt.gateway}; configure it again"
        )
    return prepayer


def _note_reversal(box: Box, attempt: PaymentAttempt, now: Instant, *, begun: bool) -> None:
    def work(unit: Unit) -> None:
        current = unit.attempts.get(attempt.attempt_id)
        if current is not None and (current.reversal_at is None) is begun:
            unit.attempts.put(replace(current, reversal_at=now.wall_at if begun else None))
            note_step(unit, current, StepKind.REVERSAL, "sent" if begun else "nothing to reverse", now)

    box.store.write(work)


def _gateway(box: Box, attempt: PaymentAttempt) -> PaymentGateway:
    try:
        return box.gateways[attempt.gateway]
    except KeyError:
        raise Unavailable(
            f"attempt {attempt.attempt_id} waits for gateway {attempt.gateway}; configure it again"
        ) from None


def _is_due(attempt: PaymentAttempt, now: Instant) -> bool:
    """Whether to look now; a step planned impossibly far ahead means that the clock was set back."""
    ahead_ms = attempt.next_step_at - attempt_time(attempt, now)
    return ahead_ms <= 0 or ahead_ms > 2 * LONGEST_PAUSE_MS


def _too_late(box: Box, attempt: PaymentAttempt, age_ms: int) -> bool:
    in_doubt = attempt.state is AttemptState.UNKNOWN
    overdue = attempt.created_at + age_ms >= attempt.give_up_at
    return age_ms >= box.rules.reverse_age_ms and (in_doubt or overdue)


def _wait(box: Box, attempt: PaymentAttempt, answer: GatewayAnswer) -> AttemptState:
    """Look again later: at the polling pace, and ever more slowly once the deadline is long past."""
    now = box.clock.now()
    at = attempt_time(attempt, now)
    overdue_ms = at - attempt.give_up_at
    if overdue_ms >= 0 and attempt.state is AttemptState.SUBMITTED:
        # The shopper is told that it is in doubt, and the screen is no longer held by it.
        settle(box, attempt.attempt_id, answer, in_doubt=True)
    pause_ms = max(box.rules.poll_ms, min(overdue_ms // 2, LONGEST_PAUSE_MS))

    def work(unit: Unit) -> AttemptState:
        current = unit.attempts.get(attempt.attempt_id)
        if current is None or not current.is_open:
            return attempt.state if current is None else current.state
        later = replace(
            current,
            polls=current.polls + 1,
            trail=answer.detail or current.trail,
            next_step_at=at + pause_ms,
        )
        unit.attempts.put(later)
        note_step(unit, later, StepKind.QUERIED, answer.detail or answer.state.value, now)
        return later.state

    state = box.store.write(work)
    box.changed(attempt.workstation)
    return state
