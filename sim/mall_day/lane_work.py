"""What the running service does at the lanes of the day: its own duties, taken lane by lane."""

from __future__ import annotations

from typing import cast

from edge.duties.lanes import Lanes
from edge.duties.watching_cameras import CameraParts, WatchingCameras
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


class LaneWork:
    """The workers at the lanes; all of it dies with the service."""

    def __init__(self, box: Box, garage: Garage, steps: Steps) -> None:
        """Nothing is done yet."""
        self._garage = garage
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
        )
        self._steps = {one.name: one.step for one in (*self._lanes.workers(), *cameras.workers())}

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
            self._steps[f"camera-{eye.name}"]()
            took = True
            if len(eye.sent) == before:
                break
        return took

    def turn(self, lane: str) -> None:
        """Send what waits and look at loops and switches."""
        self._steps[f"lane-{lane}"]()

    def show(self, lane: str) -> None:
        """Have the lane's board show and say what is new."""
        self._steps[f"show-{lane}"]()
