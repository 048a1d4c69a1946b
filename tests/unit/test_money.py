"""Money: whole fen in, whole fen out, every rounding named."""

from __future__ import annotations

import pytest

from edge.errors import Invalid
from edge.money import MAX_FEN, allocate, check_fen, format_yuan, parse_yuan, scale_fen


@pytest.mark.parametrize(
    ("text", "fen"),
    [
        ("0", 0),
        ("12", 1_200),
        ("12.5", 1_250),
        ("12.50", 1_250),
        (" 0.01 ", 1),
        ("-3.05", -305),
        ("10000000", MAX_FEN),
    ],
)
def test_yuan_as_people_write_them(text: str, fen: int) -> None:
    assert parse_yuan(text) == fen


@pytest.mark.parametrize(
    "text", ["", "1.234", "1,5", ".5", "5.", "1e3", "¥5", "１２", "--1", "10000000.01", "99999999999", "nan"]
)
def test_what_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        parse_yuan(text)


@pytest.mark.parametrize(("fen", "text"), [(0, "0.00"), (5, "0.05"), (-5, "-0.05"), (1_250, "12.50")])
def test_fen_are_shown_with_two_decimals(fen: int, text: str) -> None:
    assert format_yuan(fen) == text


@pytest.mark.parametrize("amount", [1.0, "1", True, None, MAX_FEN + 1, -MAX_FEN - 1])
def test_only_a_whole_number_within_bounds_is_money(amount: object) -> None:
    with pytest.raises(Invalid, match="price_fen"):
        check_fen(amount, "price_fen")  # type: ignore[arg-type]  # the point of the test


@pytest.mark.parametrize(
    ("amount", "numerator", "denominator", "result"),
    [
        (1_280, 1_234, 1_000, 1_580),
        (1, 1, 2, 1),
        (-1, 1, 2, -1),
        (1, 1, 3, 0),
        (300, 1, 1_000, 0),
        (500, 1, 1_000, 1),
    ],
)
def test_halves_go_away_from_zero(amount: int, numerator: int, denominator: int, result: int) -> None:
    assert scale_fen(amount, numerator, denominator) == result


def test_scaling_has_bounds() -> None:
    with pytest.raises(Invalid, match="denominator"):
        scale_fen(1, 1, 0)
    with pytest.raises(Invalid):
        scale_fen(MAX_FEN, 2, 1)


def test_the_last_fen_go_to_the_largest_remainders_then_to_the_first() -> None:
    assert allocate(100, [1, 1, 1]) == (34, 33, 33)
    assert allocate(100, [1, 2, 3]) == (17, 33, 50)
    assert allocate(-100, [1, 1, 1]) == (-34, -33, -33)
    assert allocate(1, [0, 5]) == (0, 1)


@pytest.mark.parametrize("weights", [[], [0, 0], [1, -1], [-1]])
def test_weights_that_share_nothing_are_refused(weights: list[int]) -> None:
    with pytest.raises(Invalid, match="weights"):
        allocate(100, weights)
