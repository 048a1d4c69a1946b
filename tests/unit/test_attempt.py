"""Payment attempts take the drawn steps and no others."""

from __future__ import annotations

from dataclasses import replace

import pytest

from edge.errors import Invalid
from edge.retail.attempt import (
    MAX_STEPS,
    OPEN_STATES,
    TRANSITIONS,
    AttemptState,
    AttemptStep,
    PaymentAttempt,
    StepKind,
    add_step,
    advance,
)

ATTEMPT = PaymentAttempt("attempt-1", "order-1", "kiosk-1", "wechat_pay", "M1", 350, "1234", 0, 45_000, 5_000)


@pytest.mark.parametrize("before", list(AttemptState))
@pytest.mark.parametrize("after", list(AttemptState))
def test_an_attempt_goes_where_the_drawing_leads_and_nowhere_else(
    before: AttemptState, after: AttemptState
) -> None:
    attempt = replace(ATTEMPT, state=before)
    if after in TRANSITIONS[before]:
        moved = advance(attempt, after, 7, "word")
        assert (moved.state, moved.trail) == (after, "word")
        assert moved.closed_at == (None if after in OPEN_STATES else 7)
    else:
        with pytest.raises(Invalid, match="cannot become"):
            advance(attempt, after, 7)


def test_what_may_have_been_sent_is_never_taken_for_unsent() -> None:
    for state, following in TRANSITIONS.items():
        assert AttemptState.INTENDED not in following, state
        if state is not AttemptState.INTENDED:
            assert AttemptState.SUBMITTED not in following, state


def test_money_may_move_before_the_end_and_not_after_it() -> None:
    moving = {state for state in AttemptState if replace(ATTEMPT, state=state).is_open}
    assert moving == {AttemptState.INTENDED, AttemptState.SUBMITTED, AttemptState.UNKNOWN}


def test_a_step_without_a_word_keeps_the_last_one() -> None:
    doubtful = advance(
        replace(ATTEMPT, state=AttemptState.SUBMITTED, trail="USERPAYING"), AttemptState.UNKNOWN, 7
    )
    assert doubtful.trail == "USERPAYING"


def step(detail: str, at: int, what: StepKind = StepKind.QUERIED) -> AttemptStep:
    return AttemptStep(what, AttemptState.UNKNOWN, detail, at, at)


def test_a_trail_counts_the_same_word_up_and_keeps_when_it_was_first_and_last_heard() -> None:
    trail: tuple[AttemptStep, ...] = ()
    for at in (10, 20, 30):
        trail = add_step(trail, step("USERPAYING", at))
    trail = add_step(trail, step("USERPAYING", 40, StepKind.REVERSAL))
    assert [(one.what, one.times, one.first_at, one.last_at) for one in trail] == [
        (StepKind.QUERIED, 3, 10, 30),
        (StepKind.REVERSAL, 1, 40, 40),
    ]


def test_a_long_trail_keeps_its_beginning_and_its_end() -> None:
    trail: tuple[AttemptStep, ...] = ()
    for at in range(3 * MAX_STEPS):
        trail = add_step(trail, step(f"answer {at}", at))
    assert len(trail) == MAX_STEPS
    assert (trail[0].detail, trail[-1].detail) == ("answer 0", f"answer {3 * MAX_STEPS - 1}")
