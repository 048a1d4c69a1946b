"""Follow up open attempts until their money stands still: query, and reverse what waits too long."""

from __future__ import annotations

from dataclasses import replace

from edge.clock import Instant
from edge.errors import Unavailable
from edge.retail.attempt import AttemptState, PaymentAttempt
from edge.services.box import Box
from edge.services.ports import GatewayAnswer, PaymentState
from edge.services.records import Unit
from edge.services.settle_attempt import close_attempt, settle

#: Attempts looked at in one go, and the longest pause between two looks at one.
MAX_ATTEMPTS = 20
LONGEST_PAUSE_MS = 300_000

#: A gateway refuses a request signed longer ago than this; a margin for clocks that differ is in it.
LATEST_ARRIVAL_MS = 360_000

_UNCLEAR = (PaymentState.PENDING, PaymentState.ABSENT)


def resolve_attempts(box: Box) -> int:
    """Take one step with every attempt that is due; return how many were looked at."""
    now = box.clock.now()
    open_attempts = box.store.read(lambda unit: unit.attempts.open(MAX_ATTEMPTS))
    due = [attempt for attempt in open_attempts if _is_due(attempt, now)]
    for attempt in due:
        resolve(box, attempt, now)
    return len(due)


def resolve(box: Box, attempt: PaymentAttempt, now: Instant) -> AttemptState:
    """Take one step with one open attempt and return the state reached."""
    if attempt.state is AttemptState.INTENDED:
        return close_attempt(box, attempt.attempt_id, AttemptState.VOIDED, "never sent")
    gateway = box.gateways[attempt.gateway]
    try:
        answer = gateway.query(attempt.merchant_order_no)
        if answer.state in _UNCLEAR and _too_late(box, attempt, now):
            answer = gateway.reverse(attempt.merchant_order_no)
    except Unavailable as failure:
        answer = GatewayAnswer(PaymentState.PENDING, detail=str(failure))
    if answer.state is PaymentState.ABSENT and _cannot_arrive(attempt, now):
        return close_attempt(box, attempt.attempt_id, AttemptState.VOIDED, "never arrived at the gateway")
    if answer.state in _UNCLEAR:
        return _wait(box, attempt, answer)
    return settle(box, attempt.attempt_id, answer)


def _cannot_arrive(attempt: PaymentAttempt, now: Instant) -> bool:
    """Whether the charge is so old that its signature is refused, should it still be on its way."""
    return now.wall_at - attempt.created_at > LATEST_ARRIVAL_MS


def _is_due(attempt: PaymentAttempt, now: Instant) -> bool:
    """Whether to look now; a step planned impossibly far ahead means that the clock was set back."""
    ahead_ms = attempt.next_step_at - now.wall_at
    return ahead_ms <= 0 or ahead_ms > 2 * LONGEST_PAUSE_MS


def _too_late(box: Box, attempt: PaymentAttempt, now: Instant) -> bool:
    old_enough = now.wall_at - attempt.created_at >= box.rules.reverse_age_ms
    in_doubt = attempt.state is AttemptState.UNKNOWN
    return old_enough and (in_doubt or now.wall_at >= attempt.give_up_at)


def _wait(box: Box, attempt: PaymentAttempt, answer: GatewayAnswer) -> AttemptState:
    """Look again later: at the polling pace before the deadline, ever more slowly after it."""
    now = box.clock.now()
    overdue = now.wall_at >= attempt.give_up_at
    pause_ms = box.rules.poll_ms
    if overdue:
        pause_ms = min(pause_ms * 2 ** min(attempt.polls, 10), LONGEST_PAUSE_MS)

    def work(unit: Unit) -> AttemptState:
        current = unit.attempts.get(attempt.attempt_id)
        if current is None or not current.is_open:
            return attempt.state if current is None else current.state
        later = replace(
            current,
            polls=current.polls + 1,
            trail=answer.detail or current.trail,
            next_step_at=now.wall_at + pause_ms,
        )
        unit.attempts.put(later)
        return later.state

    state = box.store.write(work)
    box.changed(attempt.workstation)
    return state
