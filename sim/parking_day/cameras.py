"""What the day's cameras send: late, again, from what they kept while they were cut off."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from devices.types import PlateSeen
from edge.services.box import Box
from edge.services.lane_answer import LaneOutcome
from edge.services.see_plate import see_plate
from sim.fakes.clock import FakeClock
from sim.parking_day.cars import Car, DayGate, Process
from sim.parking_day.garage import ENTRIES, MIDNIGHT_AT
from sim.traffic import Outage, Sight


class DayCameras:
    """A camera at each lane. work: gives a lane's worker its turn. figures: counts what was sent."""

    def __init__(
        self,
        box: Box,
        clock: FakeClock,
        gates: Mapping[str, DayGate],
        outage: Outage,
        work: Callable[[str], None],
        figures: Counter[str],
    ) -> None:
        self._box, self._clock, self._gates, self._outage = box, clock, gates, outage
        self._work, self._figures = work, figures
        self._keys = 0
        self._kept: deque[tuple[str, PlateSeen]] = deque()

    def reads(self, name: str, car: Car, sight: Sight) -> Iterator[Process]:
        """The pushes of one car; of a late one a camera that sees the car still there makes another."""
        outage = self._outage
        first = self._seen(name, car, sight)
        if (
            name == ENTRIES[outage.lane]
            and outage.from_ms <= self._clock.now().wall_at - MIDNIGHT_AT < outage.to_ms
        ):
            self._figures["reads kept by the camera"] += 1
            self._kept.append((name, first))
            return
        if self._kept and name == ENTRIES[outage.lane]:
            yield self._back_fill()
        yield self._push(name, first, sight.late_ms, sight.repeats)
        if sight.late_ms:
            again = replace(self._seen(name, car, sight), trigger="staying")
            yield self._push(name, again, 6_000, 0)

    def _push(self, name: str, seen: PlateSeen, after_ms: int, repeats: int) -> Process:
        made_at = self._clock.now().wall_at
        if after_ms:
            yield after_ms
            self._figures["late pushes"] += 1
        for number in range(repeats + 1):
            now = self._clock.now()
            arrived = replace(seen, read_ns=now.boottime_ns, camera_at_ms=made_at)
            before = self._gates[name].pulses
            answer = see_plate(self._box, name, arrived)
            self._work(name)
            if number:
                self._figures["repeated pushes"] += 1
                if answer.outcome is not LaneOutcome.REPEAT or self._gates[name].pulses != before:
                    self._figures["repeats that did something"] += 1
            yield 800

    def _back_fill(self) -> Process:
        """A camera that is back sends what it kept, the newest first."""
        while self._kept:
            name, seen = self._kept.pop()
            now = self._clock.now()
            before = self._gates[name].pulses
            see_plate(self._box, name, replace(seen, read_ns=now.boottime_ns, backfill=True))
            if self._gates[name].pulses != before:
                self._figures["back-fills that opened"] += 1
            self._figures["back-filled reads"] += 1
            yield 300

    def _seen(self, name: str, car: Car, sight: Sight) -> PlateSeen:
        self._keys += 1
        now = self._clock.now()
        colour = car.trip.colour if sight.text else "unknown"
        return PlateSeen(
            f"cam-{name}",
            f"{name}-{self._keys}",
            sight.text,
            now.boottime_ns,
            colour,
            "small",
            sight.confidences,
            camera_at_ms=now.wall_at,
        )
