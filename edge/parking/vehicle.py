"""What a vehicle is, as far as a car park cares: the colour of its plate and its class. Pure."""

from __future__ import annotations

from enum import StrEnum


class PlateColour(StrEnum):
    """The colour of a plate's ground. GREEN_YELLOW: large new-energy vehicles (GA 36-2018)."""

    BLUE = "blue"
    YELLOW = "yellow"
    GREEN = "green"
    GREEN_YELLOW = "green_yellow"
    WHITE = "white"
    BLACK = "black"
    UNKNOWN = "unknown"


class VehicleClass(StrEnum):
    """By what vehicles are charged and let in: WeChat Pay's three sizes, and two wheels."""

    SMALL = "small"
    LARGE = "large"
    EXTRA_LARGE = "extra_large"
    TWO_WHEELS = "two_wheels"
    UNKNOWN = "unknown"
