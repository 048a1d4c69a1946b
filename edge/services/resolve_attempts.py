"""Follow up open attempts until their money stands still: query, and reverse what waits too long."""

from __future__ import annotations

from dataclasses import replace

from edge.clock import Instant
from edge.errors import Corrupt, Unavailable
from edge.retail.attempt import AttemptState, PaymentAttempt
from edge.services.box import Box
from edge.services.ports import GatewayAnswer, PaymentGateway, PaymentState
from edge.services.records import Unit
from edge.services.settle_attempt import attempt_time, close_attempt, settle, void_unsent

#: Attempts looked at in one go, and the longest pause between two looks at one.
MAX_ATTEMPTS = 20
LONGEST_PAUSE_MS = 300_000

#: A gateway refuses a request signed longer ago than this; a margin for clocks that differ is in it.
LATEST_ARRIVAL_MS = 360_000

_UNCLEAR = (PaymentState.PENDING, PaymentState.ABSENT)


def resolve_attempts(box: Box) -> int:
    """Take one step with every attempt that is due; return how many were looked at.

    One that needs a person is put off and the others are looked at before its Corrupt is raised.
    """
    now = box.clock.now()
    open_attempts = box.store.read(lambda unit: unit.attempts.open(MAX_ATTEMPTS))
    due = [attempt for attempt in open_attempts if _is_due(attempt, now)]
    first: Corrupt | None = None
    for attempt in due:
        try:
            resolve(box, attempt, now)
        except Corrupt as error:
            _wait(box, attempt, GatewayAnswer(PaymentState.PENDING, detail=str(error)))
            first = first or error
    if first is not None:
        raise first
    return len(due)


def resolve(box: Box, attempt: PaymentAttempt, now: Instant) -> AttemptState:
    """Take one step with one open attempt and return the state reached.

    Raises Corrupt when the gateway's answer contradicts what is stored.
    """
    if attempt.state is AttemptState.INTENDED:
        return void_unsent(box, attempt.attempt_id)
    age_ms = attempt_time(attempt, now) - attempt.created_at
    try:
        answer = _ask(box, attempt, age_ms)
    except Unavailable as failure:
        answer = GatewayAnswer(PaymentState.PENDING, detail=str(failure))
    if answer.state is PaymentState.ABSENT and age_ms > LATEST_ARRIVAL_MS:
        return close_attempt(box, attempt.attempt_id, AttemptState.VOIDED, "never arrived at the gateway")
    if answer.state in _UNCLEAR:
        return _wait(box, attempt, answer)
    return settle(box, attempt.attempt_id, answer)


def _ask(box: Box, attempt: PaymentAttempt, age_ms: int) -> GatewayAnswer:
    """Query, and reverse what is still unclear when its time is over."""
    gateway = _gateway(box, attempt)
    answer = gateway.query(attempt.merchant_order_no)
    if answer.state in _UNCLEAR and _too_late(box, attempt, age_ms):
        return gateway.reverse(attempt.merchant_order_no)
    return answer


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
    at = attempt_time(attempt, box.clock.now())
    overdue_ms = at - attempt.give_up_at
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
        return later.state

    state = box.store.write(work)
    box.changed(attempt.workstation)
    return state
