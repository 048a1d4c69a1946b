"""What the running service does at the lanes of the day: its own duties, taken lane by lane."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from edge.duties.lanes import Lanes
from edge.duties.watching_cameras import CameraParts, WatchingCameras
from edge.errors import Unavailable
from edge.services.box import Box
from edge.services.camera_ports import PlateCamera
from edge.services.photo_ports import Photos
from edge.services.ports import Display, Gate
from edge.services.see_loop import see_loop
from edge.services.see_plate import see_plate
from sim.world.garage.site import Garage
from sim.world.steps import Steps, stepped

#: Reads that one camera may hand over in one turn.
MAX_READS = 8

#: Steps that a worker takes for one that the store refused, before the next thing happens.
MAX_TRIES = 6


class LaneWork:
    """The workers at the lanes; all of it dies with the service."""

    def __init__(self, box: Box, garage: Garage, steps: Steps, pause: Callable[[float], None]) -> None:
        """Nothing is done yet. pause: lets so many seconds pass."""
        self._garage, self._pause = garage, pause
        gates = {one.name: cast(Gate, stepped(one, "gate", steps)) for one in garage.booms.values()}
        boards = {one.name: cast(Display, stepped(one, "display", steps)) for one in garage.boards.values()}
        self._lanes = Lanes(box, gates, boards)
        asked = tuple(
            (lane, cast(PlateCamera, stepped(eye, "camera", steps))) for lane, eye in garage.eyes.items()
        )
        cameras = WatchingCameras(
            box,
            CameraParts(cast(Photos, stepped(garage.photos, "photos", steps)), asked),
            see_plate,
            lambda lane, seen: see_loop(box, lane, seen.loop, seen.occupied),
            lambda: True,
            pause,
        )
        self._workers = {one.name: one for one in (*self._lanes.workers(), *cameras.workers())}

    def begin(self) -> None:
        """Do what a start does at the lanes."""
        self._lanes.begin()

    def read(self, lane: str) -> bool:
        """Take what the lane's camera has by now; return whether there was anything."""
        eye = self._garage.eyes[lane]
        took = False
        for _ in range(MAX_READS):
            before = len(eye.sent)
            if eye.read(0.0) is None:
                break
            self._step(f"camera-{eye.name}")
            took = True
            if len(eye.sent) == before:
                break
        return took

    def turn(self, lane: str) -> None:
        """Send what waits and look at loops and switches."""
        self._step(f"lane-{lane}")

    def show(self, lane: str) -> None:
        """Have the lane's board show and say what is new."""
        self._step(f"show-{lane}")

    def _step(self, name: str) -> None:
        """Take a worker's step as its thread does: once more after a pause when it was refused."""
        worker = self._workers[name]
        pause_s = worker.pauses_s[0]
        for _ in range(MAX_TRIES - 1):
            try:
                worker.step()
            except Unavailable:
                self._pause(pause_s)
                pause_s *= 2
            else:
                return
        worker.step()
