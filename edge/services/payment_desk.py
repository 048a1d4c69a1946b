"""The desk for payments in doubt: what is known, what comes next by itself, what a person may safely do.

Nobody can declare a payment paid or unpaid here; a person may only have the gateway asked sooner, or have the
money given back.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import islice

from edge.clock import Instant, iso
from edge.errors import Invalid
from edge.money import format_yuan
from edge.retail.attempt import AttemptState, AttemptStep, PaymentAttempt, StepKind
from edge.services.box import Box, Rules
from edge.services.records import Unit
from edge.services.settle_attempt import attempt_time, note_step

#: Attempts that the desk shows: open ones, and ones that are over.
MAX_SHOWN = 50

#: Attempts that are over and have a trail, of which those that were in doubt are shown.
MAX_LOOKED_AT = 200


class NextStep(StrEnum):
    """What the service does next about an attempt by itself."""

    VOID = "void"
    QUERY = "query"
    REVERSE = "reverse"


class Choice(StrEnum):
    """What a person may do: ask the gateway NOW, or GIVE_BACK instead of waiting any longer."""

    ASK_NOW = "ask-now"
    GIVE_BACK = "give-back"


@dataclass(frozen=True, slots=True)
class DoubtfulPayment:
    """One attempt as the desk shows it.

    age_ms: since the code was scanned. next_step, next_in_ms: what happens by itself, and in how long; None
    when it is over. choices: what is safe to do.
    """

    attempt: PaymentAttempt
    order_number: str
    trail: tuple[AttemptStep, ...]
    age_ms: int
    next_step: NextStep | None
    next_in_ms: int | None
    choices: tuple[Choice, ...]


def open_payments(box: Box) -> tuple[DoubtfulPayment, ...]:
    """Return the attempts whose money may still move, the one due first first."""
    now = box.clock.now()
    return box.store.read(lambda unit: open_of(unit, box.rules, now))


def past_doubts(box: Box) -> tuple[DoubtfulPayment, ...]:
    """Return attempts that were in doubt and are over, newest first."""
    now = box.clock.now()
    return box.store.read(lambda unit: past_of(unit, box.rules, now))


def open_of(unit: Unit, rules: Rules, now: Instant) -> tuple[DoubtfulPayment, ...]:
    """Return what `open_payments` does, of records that somebody reads beside the service."""
    return tuple(_shown(unit, rules, one, now) for one in unit.attempts.open(MAX_SHOWN))


def past_of(unit: Unit, rules: Rules, now: Instant) -> tuple[DoubtfulPayment, ...]:
    """Return what `past_doubts` does, of records that somebody reads beside the service."""
    shown = (_shown(unit, rules, one, now) for one in unit.attempts.doubted(MAX_LOOKED_AT))
    return tuple(islice(filter(_was_in_doubt, shown), MAX_SHOWN))


def describe_payment(shown: DoubtfulPayment) -> list[str]:
    """Return a payment, its trail and its next step in lines for people."""
    one = shown.attempt
    lines = [
        f"{one.attempt_id}  {iso(one.created_at)}  {shown.order_number}  {one.workstation}  {one.gateway}  "
        f"{format_yuan(one.amount_fen)} yuan  {one.state}  {one.merchant_order_no}"
    ]
    for step in shown.trail:
        times = f" x{step.times}" if step.times > 1 else ""
        lines.append(f"    {iso(step.last_at)}  {step.what}{times}  {step.state}  {step.detail}".rstrip())
    if shown.next_step is not None and shown.next_in_ms is not None:
        safe = ", ".join(shown.choices) or "nothing"
        step_ms = shown.next_in_ms
        lines.append(f"    next by itself: {shown.next_step} in {step_ms // 1000} s; you may: {safe}")
    return lines


def ask_now(box: Box, attempt_id: str, by: str) -> None:
    """Have the gateway asked at the next turn instead of later."""

    def step(unit: Unit, attempt: PaymentAttempt, now: Instant) -> None:
        due = replace(attempt, next_step_at=min(attempt.next_step_at, attempt_time(attempt, now)))
        unit.attempts.put(due)
        note_step(unit, due, StepKind.PERSON, f"{by}: ask now", now)

    _choose(box, attempt_id, Choice.ASK_NOW, step)


def give_back(box: Box, attempt_id: str, by: str, reason: str) -> None:
    """Wait no longer for the shopper: the payment is reversed, and refunded by that if it was taken.

    The reversal goes out when the gateway's minimum age is reached. Money that comes in before it is booked
    as usual. Raises Invalid without a reason.
    """
    words = " ".join(reason.split())[:100]
    if not words:
        raise Invalid("give the money back with a reason, such as: the shopper has paid in cash")

    def step(unit: Unit, attempt: PaymentAttempt, now: Instant) -> None:
        at = attempt_time(attempt, now)
        hurried = replace(
            attempt, give_up_at=min(attempt.give_up_at, at), next_step_at=min(attempt.next_step_at, at)
        )
        unit.attempts.put(hurried)
        note_step(unit, hurried, StepKind.PERSON, f"{by}: give back, {words}", now)

    _choose(box, attempt_id, Choice.GIVE_BACK, step)


def _was_in_doubt(shown: DoubtfulPayment) -> bool:
    """Return whether more happened than that a shopper was waited for."""
    return any(
        step.state is AttemptState.UNKNOWN or step.what in (StepKind.REVERSAL, StepKind.PERSON)
        for step in shown.trail
    )


def _choose(
    box: Box, attempt_id: str, choice: Choice, step: Callable[[Unit, PaymentAttempt, Instant], None]
) -> None:
    now = box.clock.now()

    def work(unit: Unit) -> str:
        attempt = unit.attempts.get(attempt_id)
        if attempt is None:
            raise Invalid(f"there is no payment attempt {attempt_id}; look at the list again")
        if choice not in _choices(attempt):
            raise Invalid(f"payment {attempt.merchant_order_no} is {attempt.state}; nothing is to be done")
        step(unit, attempt, now)
        return attempt.workstation

    box.changed(box.store.write(work))


def _choices(attempt: PaymentAttempt) -> tuple[Choice, ...]:
    """Return what is safe: a payment that is over, or was never sent, needs nobody."""
    if attempt.state is AttemptState.UNKNOWN:
        # Its reversal is under way by itself.
        return (Choice.ASK_NOW,)
    if attempt.state is AttemptState.SUBMITTED:
        return (Choice.ASK_NOW, Choice.GIVE_BACK)
    return ()


def _shown(unit: Unit, rules: Rules, attempt: PaymentAttempt, now: Instant) -> DoubtfulPayment:
    order = unit.orders.get(attempt.order_id)
    at = attempt_time(attempt, now)
    is_open = attempt.is_open
    return DoubtfulPayment(
        attempt=attempt,
        order_number=order.number if order else "",
        trail=unit.attempts.trail(attempt.attempt_id),
        age_ms=at - attempt.created_at,
        next_step=_next_step(rules, attempt) if is_open else None,
        next_in_ms=max(0, attempt.next_step_at - at) if is_open else None,
        choices=_choices(attempt),
    )


def _next_step(rules: Rules, attempt: PaymentAttempt) -> NextStep:
    """Return what resolve_attempts will do when it looks next, if nothing has changed by then."""
    if attempt.state is AttemptState.INTENDED:
        return NextStep.VOID
    old_enough = attempt.next_step_at - attempt.created_at >= rules.reverse_age_ms
    given_up = attempt.state is AttemptState.UNKNOWN or attempt.next_step_at >= attempt.give_up_at
    return NextStep.REVERSE if old_enough and given_up else NextStep.QUERY
