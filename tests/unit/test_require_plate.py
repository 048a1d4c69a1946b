"""A plate that a person types is taken as it is stored, or refused with what to write instead."""

from __future__ import annotations

import pytest

from edge.errors import Invalid
from edge.parking.plate import require_plate


@pytest.mark.parametrize(
    ("typed", "plate"), [("粤b·123 4O", "粤B12340"), ("粤BD12345", "粤BD12345"), ("x7", "")]
)
def test_a_plate_is_normalised_and_what_can_be_none_is_refused(typed: str, plate: str) -> None:
    if plate:
        assert require_plate(typed) == plate
        return
    with pytest.raises(Invalid, match="'x7' can be no plate; write it like 粤B12345"):
        require_plate(typed)


def test_nothing_typed_is_no_plate() -> None:
    with pytest.raises(Invalid, match="can be no plate"):
        require_plate("  ")
