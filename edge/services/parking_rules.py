"""The settings that the use cases of the car park decide by."""

from __future__ import annotations

from dataclasses import dataclass, field

from edge.parking.facility import Facility
from edge.parking.validation_rule import ValidationPlan


@dataclass(frozen=True, slots=True)
class ParkingRules:
    """The car park and its settings; without lanes the box has none. Durations are seconds.

    grace_s: how long a vehicle may take to drive out after its fee was settled.
    validation: what spending is worth at the barrier. plate_key: the key under which HQ hashes members'
    plates, b"" without members' plates.
    """

    facility: Facility = field(default_factory=lambda: Facility("", (), ()))
    grace_s: int = 900
    validation: ValidationPlan = field(default_factory=ValidationPlan)
    plate_key: bytes = field(default=b"", repr=False)
