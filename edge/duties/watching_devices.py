"""Look at the devices, and tell screens, staff and HQ of one that does not work."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import structlog

from edge.services.box import Box
from edge.services.watch_devices import DeviceWatch, Placed, watch_devices
from edge.workers import Worker

#: How often devices are looked at; their drivers notice by themselves, this asks nothing of them.
LOOK_S = 0.5

_log = structlog.get_logger("devices")


class WatchingDevices:
    """All devices of the box."""

    def __init__(
        self, box: Box, devices: Callable[[], Sequence[Placed]], redraw: Callable[[str], None]
    ) -> None:
        """redraw: told each workstation one of whose devices became another."""
        self._box = box
        self._devices = devices
        self._redraw = redraw
        self._watch = DeviceWatch()

    def workers(self) -> list[Worker]:
        """Return the one that looks."""
        return [Worker("devices", self._look)]

    def _look(self) -> float:
        box = self._box
        found = watch_devices(box.store, box.clock, box.ids, box.origin, self._devices(), self._watch)
        self._watch = found.watch
        for place in found.places:
            if place in box.workstations:
                self._redraw(place)
        if found.lost:
            _log.warning("alarm", devices=list(found.lost))
        if found.back:
            _log.info("alarm over", devices=list(found.back))
        return LOOK_S
