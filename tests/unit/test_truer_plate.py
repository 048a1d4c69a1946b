"""Which of two reads of one vehicle is its plate."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.parking.truer_plate import truer_plate
from edge.parking.vehicle import PlateColour

SURE = (0.98,) * 7


def unsure(at: int) -> tuple[float, ...]:
    return tuple(0.5 if place == at else 0.98 for place in range(7))


@pytest.mark.parametrize(
    ("stored", "stored_sure", "read", "read_sure", "true"),
    [
        ("粤B12345", SURE, "粤B12345", SURE, "粤B12345"),
        ("粤B1Z345", unsure(3), "粤B12345", SURE, "粤B12345"),
        ("粤B12345", SURE, "粤B1Z345", unsure(3), "粤B12345"),
        ("粤B1Z345", SURE, "粤B12345", SURE, "粤B1Z345"),
        ("粤B1Z345", (), "粤B12345", SURE, "粤B1Z345"),
        ("粤B12345", SURE, "", (), "粤B12345"),
    ],
)
def test_the_surer_read_is_believed(
    stored: str, stored_sure: tuple[float, ...], read: str, read_sure: tuple[float, ...], true: str
) -> None:
    assert truer_plate(stored, stored_sure, read, read_sure) == true


def test_what_can_be_a_plate_outweighs_what_cannot() -> None:
    green = PlateColour.GREEN
    assert truer_plate("粤BD1234", SURE, "粤BD12345", (), green) == "粤BD12345"
    assert truer_plate("粤BD12345", (), "粤BD1234", SURE, green) == "粤BD12345"


sures = st.lists(st.floats(0, 1), min_size=7, max_size=7).map(tuple)


@given(sures, sures)
def test_the_answer_does_not_depend_on_which_was_first_unless_they_are_close(
    one: tuple[float, ...], other: tuple[float, ...]
) -> None:
    forth = truer_plate("粤B12345", one, "粤B1Z345", other)
    back = truer_plate("粤B1Z345", other, "粤B12345", one)
    assert forth == back or abs(one[3] - other[3]) <= 0.051
