"""What no type can hold back in the sections about the car park."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from itertools import product

from edge.config.camera_checks import camera_displays, camera_gates
from edge.config.parking_sections import LaneConfig
from edge.config.sections import Config
from edge.errors import Invalid

#: The most lanes of one box, and presence loops of one lane.
MAX_LANES = 16
MAX_LOOPS = 4


def check_lanes(config: Config, source: str) -> None:
    """Raise Invalid for zones, gates, displays and workstations of lanes that do not exist or are shared."""
    _require_known(config, source)
    for kind in ("gate", "display"):
        _require_own(config, kind, source)


def _require_known(config: Config, source: str) -> None:
    known = {
        "zone": [one.name for one in config.zone],
        "gate": [*(one.name for one in config.gate), *camera_gates(config)],
        "display": [*(one.name for one in config.display), *camera_displays(config)],
        "workstation": [one.name for one in config.workstation],
    }
    for lane, (kind, names) in product(config.lane, known.items()):
        wanted = getattr(lane, kind)
        if (wanted or kind == "zone") and wanted not in names:
            have = ", ".join(names) or "none"
            raise Invalid(f"{source}: lane {lane.name} has {kind} {wanted!r}; known: {have}")


def _require_own(config: Config, kind: str, source: str) -> None:
    used = Counter(getattr(lane, kind) for lane in config.lane)
    del used[""]
    shared = next((name for name, times in used.items() if times > 1), None)
    if shared is not None:
        raise Invalid(f"{source}: two lanes have {kind} {shared!r}; each {kind} belongs to one lane")


def check_parking(config: Config, source: str) -> None:
    """Raise Invalid for durations and counts that cannot work."""
    for name, value in asdict(config.parking).items():
        if isinstance(value, int) and value <= 0 and (name, value) != ("debt_limit_fen", 0):
            raise Invalid(f"{source}: parking.{name} must be more than 0, got {value}")
    for zone in config.zone:
        if zone.spaces < 0:
            raise Invalid(f"{source}: zone {zone.name} has {zone.spaces} spaces; 0 is not counted")
    if len(config.lane) > MAX_LANES:
        raise Invalid(f"{source}: {len(config.lane)} lanes; one box takes {MAX_LANES} at most")
    for lane in config.lane:
        _check_lane(lane, source)


def _check_lane(lane: LaneConfig, source: str) -> None:
    if not 0 <= lane.loops <= MAX_LOOPS:
        raise Invalid(f"{source}: lane {lane.name} has {lane.loops} loops; 0 to {MAX_LOOPS} can be")
    if not 1 <= lane.stale_read_s <= 120:
        raise Invalid(f"{source}: lane {lane.name}: stale_read_s is 1 to 120, got {lane.stale_read_s}")
    if lane.way == "entry" and lane.workstation:
        raise Invalid(f"{source}: lane {lane.name} is an entry; only an exit has a workstation to pay at")
