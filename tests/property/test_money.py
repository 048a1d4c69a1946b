"""Money over all inputs: shares sum, roundings stay within half a fen, texts come back."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

from hypothesis import assume, given
from hypothesis import strategies as st

from edge.errors import Invalid
from edge.money import MAX_FEN, allocate, format_yuan, parse_yuan, scale_fen

FEN = st.integers(-MAX_FEN, MAX_FEN)
WEIGHTS = st.lists(st.integers(0, 10**6), min_size=1, max_size=30).filter(any)


@given(FEN, WEIGHTS)
def test_the_shares_sum_to_the_whole_and_each_is_within_a_fen_of_its_due(
    amount: int, weights: list[int]
) -> None:
    shares = allocate(amount, weights)
    assert sum(shares) == amount
    for share, weight in zip(shares, weights, strict=True):
        assert abs(share - Fraction(amount * weight, sum(weights))) < 1
        assert share * amount >= 0


@given(FEN, WEIGHTS)
def test_who_weighs_nothing_gets_nothing_and_who_weighs_more_gets_no_less(
    amount: int, weights: list[int]
) -> None:
    shares = allocate(abs(amount), weights)
    assert all(share == 0 for share, weight in zip(shares, weights, strict=True) if weight == 0)
    ordered = sorted(zip(weights, shares, strict=True))
    for (lighter, less), (heavier, more) in pairwise(ordered):
        assert lighter == heavier or less <= more


@given(st.integers(-(10**7), 10**7), st.integers(-(10**5), 10**5), st.integers(1, 10**4))
def test_scaling_is_the_nearest_fen_with_halves_away_from_zero(
    amount: int, numerator: int, denominator: int
) -> None:
    exact = Fraction(amount * numerator, denominator)
    assume(abs(exact) < MAX_FEN)
    scaled = scale_fen(amount, numerator, denominator)
    assert abs(scaled - exact) <= Fraction(1, 2)
    if abs(scaled - exact) == Fraction(1, 2):
        assert abs(scaled) > abs(exact)
    assert scale_fen(-amount, numerator, denominator) == -scaled


@given(FEN)
def test_what_is_shown_is_read_back(amount: int) -> None:
    assert parse_yuan(format_yuan(amount)) == amount


@given(st.text(max_size=20))
def test_any_text_is_an_amount_or_refused(text: str) -> None:
    try:
        amount = parse_yuan(text)
    except Invalid:
        return
    assert abs(amount) <= MAX_FEN
    assert parse_yuan(format_yuan(amount)) == amount
