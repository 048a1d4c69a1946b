"""Number plates of every kind, and pictures of cars that carry them, each with its truth."""

from sim.plates.car import PAINTS, Body
from sim.plates.glyphs import FontMissing
from sim.plates.plate import Plate, PlateKind, any_plate, draw_plate, plate_kind_of
from sim.plates.scene import Picture, Sight, Truth, any_sight, jpeg_of, lane_picture, still
from sim.plates.weather import Conditions, Light

__all__ = [
    "PAINTS", "Body", "Conditions", "FontMissing", "Light", "Picture", "Plate", "PlateKind", "Sight", "Truth",
    "any_plate", "any_sight", "draw_plate", "jpeg_of", "lane_picture", "plate_kind_of", "still",
]  # fmt: skip
