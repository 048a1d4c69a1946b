"""What does not work at a lane, for its guard."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from devices.types import DeviceStatus, Health
from edge.parking.facility import Lane

#: Devices, each with its place (a workstation, a lane or "") and its role.
Statuses = Callable[[], Sequence[tuple[str, str, DeviceStatus]]]

#: What a guard can help with, in the order of their urgency.
ROLES = ("gate", "camera", "display", "scanner")


@dataclass(frozen=True, slots=True)
class LaneTrouble:
    """A device of a lane that does not work. role: one of ROLES. detail: the driver's own sentence."""

    role: str
    name: str
    detail: str


def troubles_of(lane: Lane, devices: Sequence[tuple[str, str, DeviceStatus]]) -> tuple[LaneTrouble, ...]:
    """Return what does not work at a lane; a device that is still being opened is none."""
    bad = [
        LaneTrouble(role, status.name, status.detail)
        for place, role, status in devices
        if role in ROLES
        and status.health in (Health.ABSENT, Health.FAULT)
        and (status.name in (lane.gate, lane.display) or place in (lane.name, lane.workstation or lane.name))
    ]
    return tuple(sorted(bad, key=lambda one: ROLES.index(one.role)))
