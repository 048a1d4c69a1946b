"""One life of the service in the deterministic world: what it holds in memory, and what it does in a turn.

The shipped use cases run unchanged, in the order of the shipped workers' turns. All of it dies at a crash.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from functools import partial

from devices.types import Scan
from edge.errors import Invalid
from edge.services.box import Box
from edge.services.follow_unconfirmed import follow_unconfirmed
from edge.services.hand_over_notices import tell_notices
from edge.services.obey_command import end_orphans
from edge.services.phone_order import end_forsaken_orders
from edge.services.print_receipt import print_next
from edge.services.publish_events import PublishCursor, publish_events
from edge.services.receive_scan import receive_scan
from edge.services.recover import recover
from edge.services.reset_idle import reset_idle
from edge.services.resolve_attempts import resolve_attempts
from edge.services.resolve_refunds import resolve_refunds
from edge.services.resolve_splits import resolve_splits
from edge.services.take_payment import submit
from edge.services.take_snapshot import FetchCursor, Shelf, SnapshotWire, take_snapshots
from edge.services.watch_clock import ALARM_AFTER_H, LOOK_MS, ClockWatch, watch_clock
from sim.fakes.clock import FakeClock
from sim.fakes.scanner import FakeScanner
from sim.world.garage.turns import LaneTurns
from sim.world.scenario import Scenario
from sim.world.steps import Steps, stepped

#: Does one thing for a worker.
Step = Callable[[Callable[[], object]], None]

#: Scans that one place hands over in a round.
MAX_SCANS = 5


class Service:
    """A running service.

    scanners: by workstation. air: where snapshots come from. step: does one thing, and tells a refusal.
    """

    def __init__(
        self,
        box: Box,
        scenario: Scenario,
        clock: FakeClock,
        steps: Steps,
        scanners: Mapping[str, FakeScanner],
        air: SnapshotWire,
        lanes: LaneTurns | None,
        step: Step,
    ) -> None:
        self.box, self.lanes, self.step = box, lanes, step
        self._scenario, self._clock, self._steps = scenario, clock, steps
        self._scanners, self._air = scanners, air
        self._charges: deque[tuple[str, str]] = deque()
        self._cursor, self._fetching, self._watch = PublishCursor(), FetchCursor(), ClockWatch()
        self._look_ms = 0

    def start(self) -> None:
        """Do what a start does."""
        recover(self.box)
        end_orphans(self.box)
        self._watch_clock()
        if self.lanes is not None:
            self.lanes.begin()

    def turn(self) -> None:
        """Have each worker take its turn."""
        box = self.box
        for place in self._scanners:
            self.read_scanner(place)
        self.charge()
        if self.lanes is not None:
            self.lanes.take(self.step)
        for place in self._scanners:
            self.step(partial(print_next, box, place))
            self.step(partial(reset_idle, box, place))
        self._look_after()
        self.step(partial(resolve_attempts, box))
        self.step(partial(resolve_refunds, box))
        if self._scenario.tenants:
            self.step(partial(resolve_splits, box))
        if self._scenario.phone is not None:
            self.step(partial(end_forsaken_orders, box))
            self.step(partial(tell_notices, box))
        if self._scenario.takes:
            self.step(self._take_snapshots)
        self.step(self._publish)

    def read_scanner(self, place: str) -> None:
        """Take what a workstation's scanner has read."""
        for _ in range(MAX_SCANS):
            scan = stepped(self._scanners[place], "scanner", self._steps).read(0.0)
            if scan is None:
                return
            self._receive(place, scan)

    def charge(self) -> None:
        """Charge the codes that were shown."""
        while self._charges:
            attempt_id, code = self._charges.popleft()
            try:
                state = submit(self.box, attempt_id, code)
            except Invalid as refusal:
                self._steps.note(str(refusal))
            else:
                self._steps.note(state.value)

    def _take_snapshots(self) -> None:
        box = self.box
        shelf = Shelf(box.store, box.clock, box.ids, box.origin, self._scenario.takes)
        step = take_snapshots(shelf, stepped(self._air, "snapshots", self._steps), self._fetching)
        self._fetching = step.cursor
        for line in step.news:
            self._steps.note(line)

    def _look_after(self) -> None:
        if self._scenario.places:
            self.step(partial(follow_unconfirmed, self.box))
        if self._clock.passed_ms >= self._look_ms:
            self.step(self._watch_clock)

    def _publish(self) -> None:
        box = self.box
        step = publish_events(box.store, box.link, box.clock, self._cursor)
        self._cursor = step.cursor

    def _receive(self, place: str, scan: Scan) -> None:
        outcome = receive_scan(self.box, place, scan)
        self._steps.note(outcome.outcome)
        if outcome.attempt_id:
            self._charges.append((outcome.attempt_id, outcome.code))

    def _watch_clock(self) -> None:
        box = self.box
        self._watch = watch_clock(box.store, box.clock, box.ids, box.origin, ALARM_AFTER_H, self._watch)
        self._look_ms = self._clock.passed_ms + LOOK_MS
