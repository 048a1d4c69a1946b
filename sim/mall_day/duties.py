"""What the running service does by itself, at the pace of a day: a duty without work is not asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from edge.services.autopay import tell_entries
from edge.services.follow_unconfirmed import follow_unconfirmed
from edge.services.hand_over_notices import tell_notices
from edge.services.obey_command import end_orphans
from edge.services.phone_order import end_forsaken_orders
from edge.services.print_paper import print_next_paper
from edge.services.print_receipt import print_next
from edge.services.reset_idle import reset_idle
from edge.services.resolve_attempts import resolve_attempts
from edge.services.resolve_refunds import resolve_refunds
from edge.services.watch_clock import LOOK_MS
from sim.mall_day.house import House
from sim.mall_day.site import PLACES
from sim.mall_day.timeline import Process

#: Pauses in milliseconds: of what may be waited for, of the rest, until a duty looks though nothing moved.
SOON, RARELY, SURELY = 2_000, 30_000, 60_000

#: Between looks at the places that have something new to print.
PRINTS_EVERY = 3_000

#: A screen is not forsaken before, and went back to its start long before the second.
LEFT_ALONE, FORSAKEN = 20_000, 600_000


class Duties:
    """The duties of one day. busy: whether anybody is at the lanes."""

    def __init__(self, house: House, busy: Callable[[], bool]) -> None:
        """Nothing is done yet."""
        self._house, self._busy = house, busy

    def processes(self) -> Iterator[Process]:
        """Yield what goes on all day."""
        house = self._house
        yield self._resolve()
        yield self._follow()
        yield self._publish()
        yield self._print()
        yield self._clear()
        yield self._snapshots()
        yield self._mind_lanes()
        yield self._turns(LOOK_MS, house.watch_clock)
        yield self._turns(5_000, lambda: resolve_refunds(house.box))
        for act in (tell_entries, end_forsaken_orders, tell_notices, end_orphans):
            yield self._turns(RARELY, lambda act=act: act(house.box))  # type: ignore[misc]

    def _pause(self, milliseconds: int) -> int:
        """Return how long a duty pauses: nobody waits for it at night."""
        return max(milliseconds, SURELY) if self._house.is_quiet else milliseconds

    def _turns(self, pause_ms: int, act: Callable[[], object]) -> Process:
        while True:
            yield self._pause(pause_ms)
            self._house.do(act)

    def _resolve(self) -> Process:
        """Look at open payments while money moves."""
        house, moved, looked_ms, waits = self._house, -1, 0, True
        while True:
            yield self._pause(SOON)
            moves = house.money_calls()
            if moves == moved and not waits and house.clock.passed_ms - looked_ms < SURELY:
                continue
            moved, looked_ms = moves, house.clock.passed_ms
            house.do(lambda: resolve_attempts(house.box))
            waits = not house.is_on or bool(house.read(lambda unit: unit.attempts.open(1)))

    def _follow(self) -> Process:
        """Ask whether an exit's fee can be confirmed, while somebody is at the lanes."""
        house, looked_ms = self._house, 0
        while True:
            yield self._pause(5_000)
            if self._busy() or house.clock.passed_ms - looked_ms > SURELY:
                looked_ms = house.clock.passed_ms
                house.do(lambda: follow_unconfirmed(house.box))

    def _publish(self) -> Process:
        """Bring events to HQ while there are any."""
        house, told, looked_ms, waits = self._house, -1, 0, True
        pause_ms = SOON
        while True:
            yield self._pause(pause_ms)
            pause_ms, events = SOON, len(house.history.events)
            if events == told and not waits and house.clock.passed_ms - looked_ms < SURELY:
                continue
            looked_ms = house.clock.passed_ms
            step = house.do(house.publish)
            if step is None:
                told = -1
                continue
            quiet = events == told and not step.acked and not step.sent
            pause_ms = 250 if not step.wait_ms else 3 * SOON if quiet else 2 * SOON
            told, waits = events, step.depth.count > 0

    def _snapshots(self) -> Process:
        """Take what HQ pushes, as long as there is anything."""
        house = self._house
        while True:
            yield self._pause(SOON)
            if house.is_fetching:
                house.do(house.take_snapshots)

    def _mind_lanes(self) -> Process:
        """Let time go by at a lane that nobody stands at, where something is not over."""
        house = self._house
        while True:
            yield self._pause(SOON)
            if not house.is_on:
                continue
            for passage in house.read(lambda unit: unit.passages.going_on()):
                if not house.garage.queues[passage.lane]:
                    house.do(lambda lane=passage.lane: house.lanes.turn(lane))  # type: ignore[misc]

    def _print(self) -> Process:
        """Each place that has something new prints until there is nothing more; all are looked at often."""
        house, turn = self._house, 0
        while True:
            yield self._pause(PRINTS_EVERY)
            turn += 1
            if turn % 100 == 0:
                house.to_print |= dict.fromkeys(PLACES)
            for place in tuple(house.to_print):
                more = house.do(lambda place=place: print_next(house.box, place))  # type: ignore[misc]
                paper = house.do(lambda place=place: print_next_paper(house.box, place))  # type: ignore[misc]
                if more is None and paper is None and house.is_on:
                    house.to_print.pop(place, None)

    def _clear(self) -> Process:
        """Have forsaken screens go back to their start."""
        house = self._house
        while True:
            yield self._pause(RARELY)
            for place in PLACES:
                if LEFT_ALONE <= house.clock.passed_ms - house.touched_ms.get(place, 0) < FORSAKEN:
                    house.do(lambda place=place: reset_idle(house.box, place))  # type: ignore[misc]
