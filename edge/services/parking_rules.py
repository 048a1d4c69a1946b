"""The settings that the use cases of the car park decide by."""

from __future__ import annotations

from dataclasses import dataclass, field

from edge.parking.facility import Facility


@dataclass(frozen=True, slots=True)
class ParkingRules:
    """The car park and its settings; without lanes the box has none. Durations are seconds.

    grace_s: how long a vehicle may take to drive out after its fee was settled.
    """

    facility: Facility = field(default_factory=lambda: Facility("", (), ()))
    grace_s: int = 900
