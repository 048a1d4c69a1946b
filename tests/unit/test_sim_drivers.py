"""The plates of the demonstration's cars: real ones, and misread so that the service must ask."""

from __future__ import annotations

import pytest

from edge.parking.plate import why_not
from edge.parking.plate_match import CLEAR_EDITS
from edge.parking.vehicle import PlateColour
from sim.cameras.sight import CONFUSED
from sim.mall_drivers import misread_twice, some_plate


@pytest.mark.parametrize("seed", range(0, 400, 7))
def test_a_car_has_a_plate_that_exists(seed: int) -> None:
    text = some_plate(lambda count: str(seed).zfill(count))
    colour = PlateColour.GREEN if len(text) == 8 else PlateColour.BLUE
    assert why_not(text, colour) is None


@pytest.mark.parametrize("seed", range(0, 400, 7))
def test_a_misread_plate_differs_more_than_the_service_takes_alone(seed: int) -> None:
    text = some_plate(lambda count: str(seed).zfill(count), confusing=2)
    read = misread_twice(text)
    wrong = [(true, got) for true, got in zip(text, read, strict=True) if true != got]
    assert len(wrong) == 2 > CLEAR_EDITS
    assert all(got in CONFUSED[true] for true, got in wrong)
