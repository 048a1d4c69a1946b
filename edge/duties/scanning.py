"""Take what the scanners read; a payment code goes on to be charged."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import structlog

from devices.types import DeviceStatus, Health, Scan
from edge.clock import pause
from edge.errors import Unavailable
from edge.services.box import Box
from edge.services.ports import Scanner
from edge.services.receive_scan import receive_scan
from edge.workers import Worker

SCAN_TURN_S = 0.5
SCAN_RETRY_S = (0.1, 0.4, 1.0)

_log = structlog.get_logger("service")


class Scanning:
    """The scanners of all workstations."""

    def __init__(
        self,
        box: Box,
        scanners: Sequence[tuple[str, Scanner]],
        charge: Callable[[str, str], None],
        redraw: Callable[[str], None],
    ) -> None:
        """scanners: with the workstation of each. charge: takes an attempt and its payment code."""
        self._box = box
        self._scanners = scanners
        self._charge = charge
        self._redraw = redraw
        # By workstation, why its last scan could not be kept.
        self._deaf: dict[str, str] = {}

    def workers(self) -> list[Worker]:
        """Return one worker for each scanner."""
        return [
            Worker(f"scan-{scanner.name}", self._reading(place, scanner)) for place, scanner in self._scanners
        ]

    def statuses(
        self, statuses: Sequence[tuple[str, str, DeviceStatus]]
    ) -> list[tuple[str, str, DeviceStatus]]:
        """Return devices' statuses; a scanner whose scans are lost is at fault for whoever uses it."""
        deaf = dict(self._deaf)
        return [
            (place, role, replace(status, health=Health.FAULT, detail=deaf[place]))
            if role == "scanner" and place in deaf
            else (place, role, status)
            for place, role, status in statuses
        ]

    def take_scan(self, workstation: str, scan: Scan) -> None:
        """Take one scan."""
        outcome = receive_scan(self._box, workstation, scan)
        _log.info("scan", workstation=workstation, device=scan.device, outcome=outcome.outcome)
        if outcome.attempt_id:
            self._charge(outcome.attempt_id, outcome.code)

    def _reading(self, place: str, scanner: Scanner) -> Callable[[], float]:
        def step() -> float:
            scan = scanner.read(SCAN_TURN_S)
            if scan is not None:
                self._take_surely(place, scan)
            return 0.0

        return step

    def _take_surely(self, place: str, scan: Scan) -> None:
        """Take a scan; while the store cannot, try again and then say so where people look."""
        for pause_s in (*SCAN_RETRY_S, None):
            try:
                self.take_scan(place, scan)
            except Unavailable as error:
                if pause_s is None:
                    self._deaf[place] = f"the last scan was lost: {error}"
                    self._redraw(place)
                    raise
                pause(pause_s)
            else:
                if self._deaf.pop(place, None):
                    self._redraw(place)
                return
