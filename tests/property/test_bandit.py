"""Promises of the variants' shares: they sum, keep the floor, repeat, and find the better page."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.errors import Invalid
from edge.members.bandit import BanditRule, Draws, VariantArm, choose_variant, seed_of, shares, states


@st.composite
def arms(draw: st.DrawFn, least: int = 1) -> list[VariantArm]:
    count = draw(st.integers(least, 6))
    made = []
    for at in range(count):
        shown = draw(st.integers(0, 5_000))
        acted = draw(st.integers(0, shown))
        made.append(VariantArm(chr(65 + at), draw(st.integers(1, 1_000)), shown, acted))
    return made


RULES = st.builds(BanditRule, st.booleans(), st.integers(0, 500), st.integers(0, 6_000))
SEEDS = st.integers(0, 2**64 - 1)


@given(arms(), RULES, SEEDS)
@settings(max_examples=80, deadline=None)
def test_shares_sum_to_a_thousand_and_none_is_below_the_floor(
    made: list[VariantArm], rule: BanditRule, seed: int
) -> None:
    found = shares(made, rule, seed, draws=50)

    assert sum(found) == 1_000
    assert min(found) >= rule.floor_of(len(made))


@given(arms(), RULES, SEEDS)
@settings(max_examples=80, deadline=None)
def test_the_same_shopper_always_sees_the_same_variant_and_one_of_those_there_are(
    made: list[VariantArm], rule: BanditRule, seed: int
) -> None:
    chosen = choose_variant(made, rule, seed)

    assert chosen in [arm.name for arm in made]
    assert choose_variant(list(made), rule, seed) == chosen


@given(st.integers(0, 2**32))
@settings(max_examples=5, deadline=None)
def test_traffic_goes_to_the_better_variant_and_the_others_keep_their_floor(begin: int) -> None:
    rule, truth = BanditRule(floor_permille=50), {"A": 0.05, "B": 0.15, "C": 0.05}
    held = {name: VariantArm(name) for name in truth}
    world = Draws(seed_of("world", str(begin)))
    late = dict.fromkeys(truth, 0)
    for shopper in range(4_000):
        chosen = choose_variant(list(held.values()), rule, seed_of(str(begin), str(shopper)))
        arm = held[chosen]
        held[chosen] = replace(arm, shown=arm.shown + 1, acted=arm.acted + (world.unit() < truth[chosen]))
        late[chosen] += shopper >= 2_000

    assert late["B"] > 1_600, late
    assert min(late.values()) > 50, late
    assert max(states(list(held.values()), rule, 1), key=lambda one: one.share_permille).arm.name == "B"


def test_choices_are_shared_out_as_the_shares_say() -> None:
    made = [VariantArm("A", 100, 400, 40), VariantArm("B", 100, 400, 52)]
    rule = BanditRule()
    said = shares(made, rule, 7)

    chosen = [choose_variant(made, rule, seed_of(str(one))) for one in range(4_000)]

    assert chosen.count("B") / 4 == pytest.approx(said[1], abs=35)
    assert 750 < said[1] < 900


def test_weights_decide_until_each_was_tried_and_for_ever_without_learning() -> None:
    made = [VariantArm("A", 300, 29, 0), VariantArm("B", 100, 5_000, 4_000)]

    assert shares(made, BanditRule(floor_permille=0), 1) == (750, 250)
    assert shares(made, BanditRule(floor_permille=0, trial_shown=29), 1)[1] == 1_000
    assert shares(made, BanditRule(False, 0, 0), 1) == (750, 250)
    assert shares((), BanditRule(), 1) == ()


def test_a_belief_narrows_with_evidence_and_lies_around_its_mean() -> None:
    few, many = states([VariantArm("A", 100, 10, 1), VariantArm("B", 100, 1_000, 100)], BanditRule(), 1)

    assert (few.mean_permille, many.mean_permille) == (167, 101)
    assert few.high_permille - few.low_permille > 5 * (many.high_permille - many.low_permille)


def test_draws_of_a_belief_have_its_mean() -> None:
    draws = Draws(3)
    drawn = [draws.beta(3, 9) for _ in range(4_000)]

    assert sum(drawn) / 4_000 == pytest.approx(0.25, abs=0.01)
    assert 0 < min(drawn) < max(drawn) < 1


@pytest.mark.parametrize(
    "bad",
    [
        lambda: VariantArm("A", 0),
        lambda: VariantArm("A", 100, 3, 4),
        lambda: BanditRule(floor_permille=501),
        lambda: BanditRule(trial_shown=-1),
        lambda: choose_variant([], BanditRule(), 1),
    ],
)
def test_what_cannot_be_is_refused(bad) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(Invalid):
        bad()
