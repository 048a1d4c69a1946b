"""The sections of the configuration file about the car park."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from edge.parking.facility import FullMode, PassbackMode, UnconfirmedPolicy


@dataclass(frozen=True, slots=True)
class ParkingConfig:
    """[parking]: the car park of this box; durations in seconds."""

    name: str = ""
    grace_s: int = 900
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
    keep_reads_days: int = 90
    unconfirmed_s: int = 20
    debt_limit_fen: int = 0


@dataclass(frozen=True, slots=True)
class ZoneConfig:
    """[[zone]]: spaces that are counted together."""

    name: str
    spaces: int = 0
    tariff: str = "standard"


@dataclass(frozen=True, slots=True)
class LaneConfig:
    """[[lane]]: one way in or out, of one vehicle at a time."""

    name: str
    way: Literal["entry", "exit"]
    zone: str
    gate: str = ""
    display: str = ""
    workstation: str = ""
    language: Literal["zh", "en", "both"] = "zh"
    loops: int = 0
    passback: PassbackMode = PassbackMode.SOFT
    when_full: FullMode = FullMode.REFUSE
    unconfirmed: UnconfirmedPolicy = UnconfirmedPolicy.ASK_GUARD
    stale_read_s: int = 10
    needs_plate: bool = False
