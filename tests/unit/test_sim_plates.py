"""The renderer of plates and cars: true measures, an honest truth, the same picture for the same seed."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from sim.plates import (
    Conditions,
    Light,
    Plate,
    PlateKind,
    Sight,
    any_plate,
    any_sight,
    draw_plate,
    lane_picture,
)
from sim.plates.plate import plate_kind_of


@pytest.mark.parametrize("kind", list(PlateKind))
def test_each_kind_is_drawn_in_its_measures_and_known_by_its_text(kind: PlateKind) -> None:
    plate = any_plate(11, kind)
    wide, high = plate.size_mm
    assert draw_plate(plate, 1.0).shape == (high, wide, 3)
    alike = {PlateKind.YELLOW, PlateKind.YELLOW_TWO_ROWS, PlateKind.BLACK}
    assert plate_kind_of(plate.text) is (PlateKind.BLUE if kind in alike else kind)


def test_a_sight_is_the_same_picture_every_time_and_another_seed_is_another() -> None:
    first, again, other = (lane_picture(any_sight(seed)) for seed in (5, 5, 6))
    assert np.array_equal(first.image, again.image)
    assert not np.array_equal(first.image, other.image)
    assert first.jpeg().startswith(b"\xff\xd8")


def test_the_truth_says_where_the_plate_is() -> None:
    straight = Conditions(plate_px=240, yaw=0, pitch=0, noise=0, jpeg=95)
    picture = lane_picture(Sight(Plate("粤B12345", PlateKind.BLUE), straight, seed=3, paint="white"))
    left, top, width, height = picture.truth.box
    assert abs(width - 240) <= 3
    assert abs(height - 240 * 140 / 440) <= 3
    hsv = cv2.cvtColor(picture.image, cv2.COLOR_BGR2HSV)
    blue = cv2.inRange(hsv, np.array((100, 120, 60)), np.array((130, 255, 255)))
    assert blue[top : top + height, left : left + width].sum() > 0.9 * blue.sum()


def test_a_plate_shines_back_at_night() -> None:
    night = Conditions(light=Light.NIGHT, yaw=0, noise=0)
    picture = lane_picture(Sight(Plate("京A0006警", PlateKind.POLICE), night, seed=3, paint="white"))
    left, top, width, height = picture.truth.box
    inside = picture.image[top : top + height, left : left + width].mean()
    assert inside > 2 * picture.image[:100].mean()


def test_an_empty_lane_has_no_plate() -> None:
    picture = lane_picture(Sight(None, seed=2))
    assert picture.truth.text == ""
    assert picture.plate_jpeg() == b""
