"""The settings that the use cases of the car park decide by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from edge.errors import Invalid
from edge.parking.facility import Facility, Lane
from edge.parking.parking_pass import PassRules
from edge.parking.passage import PassageRules
from edge.parking.validation_rule import PointsPrice, ValidationPlan


@dataclass(frozen=True, slots=True)
class LaneTimes:
    """How long things take at every lane, in seconds; see edge.parking.passage.PassageRules.

    command_s: after a restart an older intended opening is not sent by itself.
    """

    open_s: int = 6
    pass_s: int = 15
    repeat_s: int = 8
    approach_s: int = 5
    leave_s: int = 4
    ghost_s: int = 30
    unseen_s: int = 600
    lost_s: int = 900
    stay_s: int = 120
    command_s: int = 5


@dataclass(frozen=True, slots=True)
class ParkingRules:
    """The car park and its settings; without lanes the box has none. Durations are seconds.

    grace_s: how long a vehicle may take to drive out after its fee was settled. validation: what spending is
    worth at the barrier. plate_key: the key under which HQ hashes members' plates, b"" without members'
    plates. points: what members' points buy, None for nothing. qr_key: the key by which this box signs
    validations, b"" for none; qr_keys: by kid, whose it redeems. passes: the rules of passes and
    reservations. times: how long things take at lanes. keep_reads_days: how long reads are kept.
    unconfirmed_s: how long an exit waits for a payment's outcome before its policy decides. debt_limit_fen: a
    plate that owes more is not let in, 0 lets all in.
    """

    facility: Facility = field(default_factory=lambda: Facility("", (), ()))
    grace_s: int = 900
    validation: ValidationPlan = field(default_factory=ValidationPlan)
    plate_key: bytes = field(default=b"", repr=False)
    points: PointsPrice | None = None
    qr_key: bytes = field(default=b"", repr=False)
    qr_keys: Mapping[str, bytes] = field(default_factory=dict)
    times: LaneTimes = field(default_factory=LaneTimes)
    passes: PassRules = field(default_factory=PassRules)
    keep_reads_days: int = 90
    unconfirmed_s: int = 20
    debt_limit_fen: int = 0

    def lane(self, name: str) -> Lane:
        """Return a lane of this box; raise Invalid for one that it does not have."""
        lane = self.facility.lane(name)
        if lane is None:
            known = ", ".join(one.name for one in self.facility.lanes) or "none"
            raise Invalid(f"this box has no lane {name!r}; it has {known}")
        return lane

    def passage_rules(self, lane: Lane) -> PassageRules:
        """Return what the passages of a lane go by."""
        times = self.times
        return PassageRules(
            lane.way,
            lane.loops,
            lane.boom,
            stale=lane.stale_read_s * 1000,
            repeat=times.repeat_s * 1000,
            open=times.open_s * 1000,
            pass_=times.pass_s * 1000,
            leave=times.leave_s * 1000,
            ghost=times.ghost_s * 1000,
            approach=times.approach_s * 1000,
            unseen=times.unseen_s * 1000,
            lost=times.lost_s * 1000,
            stay=times.stay_s * 1000,
        )
