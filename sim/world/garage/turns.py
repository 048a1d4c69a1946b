"""What the service does at the lanes of the world: the shipped duties, worker by worker, no thread."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from edge.duties.lanes import Lanes
from edge.duties.watching_cameras import CameraParts, WatchingCameras
from edge.services.autopay import tell_entries
from edge.services.box import Box
from edge.services.camera_ports import PlateCamera
from edge.services.photo_ports import Photos
from edge.services.ports import Display, Gate
from edge.services.see_loop import see_loop
from edge.services.see_plate import see_plate
from edge.workers import Worker
from sim.world.garage.site import Garage
from sim.world.steps import Steps, stepped

#: Reads that one camera may hand over in one turn.
MAX_READS = 8


class LaneTurns:
    """The workers of a running service at the lanes; all of it dies with the service."""

    def __init__(self, box: Box, garage: Garage, steps: Steps) -> None:
        """Nothing is done yet."""
        self._box, self._garage = box, garage
        gates = {boom.name: cast(Gate, stepped(boom, "gate", steps)) for boom in garage.booms.values()}
        displays = {
            board.name: cast(Display, stepped(board, "display", steps)) for board in garage.boards.values()
        }
        self._lanes = Lanes(box, gates, displays)
        asked = tuple(
            (lane, cast(PlateCamera, stepped(eye, "camera", steps))) for lane, eye in garage.eyes.items()
        )
        parts = CameraParts(cast(Photos, stepped(garage.photos, "photos", steps)), asked)
        cameras = WatchingCameras(
            box,
            parts,
            see_plate,
            lambda lane, seen: see_loop(box, lane, seen.loop, seen.occupied),
            lambda: True,
        )
        eyes = {f"camera-{eye.name}" for eye in garage.eyes.values()}
        self._readers = [one for one in cameras.workers() if one.name in eyes]
        self._workers = [*self._lanes.workers()]
        self._due_ms = {one.name: 0 for one in self._workers}

    def begin(self) -> None:
        """Do what a start does at the lanes."""
        self._lanes.begin()

    def take(self, guarded: Callable[[Callable[[], object]], None]) -> None:
        """Give each worker whose pause is over its turn; cameras first, as long as they have something."""
        for reader, eye in zip(self._readers, self._garage.eyes.values(), strict=True):
            for _ in range(MAX_READS):
                before = len(eye.sent)
                if eye.read(0.0) is None:
                    break
                guarded(reader.step)
                if len(eye.sent) == before:
                    break
        for worker in self._workers:
            if self._garage.clock.passed_ms >= self._due_ms[worker.name]:
                guarded(lambda worker=worker: self._step(worker))  # type: ignore[misc]
        if self._box.autopayers:
            guarded(lambda: tell_entries(self._box))

    def _step(self, worker: Worker) -> None:
        pause_s = worker.step()
        self._due_ms[worker.name] = self._garage.clock.passed_ms + int(pause_s * 1000)
