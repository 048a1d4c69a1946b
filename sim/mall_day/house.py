"""The box of the day in its mall: a running service over ports that fail, that dies and starts again.

The shipped use cases and duties run unchanged. Whatever somebody does goes through `do`: a refusal is told
to them and a dead service answers nothing, so that they look again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from devices.types import Scan
from edge.errors import EdgeError
from edge.services.box import Box
from edge.services.obey_command import end_orphans
from edge.services.payment_ports import BillSource
from edge.services.publish_events import PublishCursor, PublishStep, publish_events
from edge.services.receive_scan import receive_scan
from edge.services.records import Unit
from edge.services.recover import recover
from edge.services.show_screen import show_screen
from edge.services.take_payment import submit
from edge.services.take_snapshot import FetchCursor, Shelf, take_snapshots
from edge.services.watch_clock import ALARM_AFTER_H, ClockWatch, watch_clock
from sim.clocks import monotonic_s
from sim.fakes.box import GATEWAY, compose_box, stock
from sim.fakes.gateway import Shopper
from sim.fakes.ids import FakeIds
from sim.fakes.mini_program import FakeMiniProgram
from sim.mall_day.dice import dice
from sim.mall_day.disk import DayDisk
from sim.mall_day.faults import Faults
from sim.mall_day.lane_work import LaneWork
from sim.mall_day.ports import DayAir, DayGateway, DayHq, DayPhones, DayPrinter, DayRefunds, TroubledStore
from sim.mall_day.site import PHONE, PLACES, RULES, SCAN_AND_GO, TARIFF, TOUCH, DayGarage, parking
from sim.mall_day.tape import Tape
from sim.mall_day.timeline import DayClock, Process, Timeline, once
from sim.parking_day.garage import MIDNIGHT_AT as UTC_MIDNIGHT_AT
from sim.traffic import HOUR_MS
from sim.world.people.patrons import MEMBERS
from sim.world.people.person import Person
from sim.world.people.pushes import KINDS
from sim.world.steps import Crash, History, SteppedStore, stepped

T = TypeVar("T")

#: The hour at which the day begins in the mall's time, its midnight and its beginning, Unix milliseconds.
OPENS_H = 8
MIDNIGHT_AT = UTC_MIDNIGHT_AT - 8 * HOUR_MS
OPENED_AT = MIDNIGHT_AT + OPENS_H * HOUR_MS

#: In the middle of what the power goes: of a transaction, of something that cannot be taken back.
MIDDLES = (
    ("unit.orders.put", "unit.passages.put"),
    ("gateway.pay_by_code", "gate.pulse", "printer.print_job"),
)

#: A screen that was told of no change is drawn anew after so many milliseconds, as it may show times.
REDRAWN_MS = 10_000

#: After so many milliseconds a service that could not start is started anew: RestartSec of its unit.
RESTART_MS = 2_000

#: The name under which the box knows the gateway that charges owners of plates.
OWNERS = "vehicle"


@dataclass(slots=True)
class Cut:
    """A power cut. at_ms: true milliseconds of the day. off_ms: until the power was back. start_s: real time
    that the start took. lane_ms, scan_ms: from the power's return to the first decision at a lane, of a scan.
    wanted_ms: to the first scan or car that wanted one, 0 for who waited in the dark.
    """

    at_ms: int
    step: str
    off_ms: int
    start_s: float = 0.0
    lane_ms: int | None = None
    scan_ms: int | None = None
    wanted_ms: int | None = None

    @property
    def first_ms(self) -> int:
        """How long the first who wanted a decision after the power's return waited for it."""
        known = [one for one in (self.lane_ms, self.scan_ms) if one is not None]
        return max(0, min(known, default=0) - (self.wanted_ms or 0))


class House:
    """The mall; implements people.Place. history: what was committed. is_quiet: the night has begun."""

    def __init__(self, seed: int, rate: float, disk: DayDisk, spaces: int) -> None:
        """Open the mall at OPENS_H; rate: of faults at each port."""
        self.dice = dice(seed, "house")
        self.faults = Faults(dice(seed, "faults"), rate)
        self.tape = Tape()
        self.clock = DayClock(OPENED_AT)
        self.timeline = Timeline(self.clock)
        self.ids, self.disk, self.history = FakeIds(), disk, History()
        self.gateway = DayGateway(self.faults, lambda: self.clock.passed_ms)
        self.gateway.when_late = lambda: self.timeline.start(self._arrive_late(), 0)
        self.refunds = DayRefunds(self.gateway, self.faults)
        self.phones = DayPhones(self.gateway, self.faults)
        self.program = FakeMiniProgram()
        self.hq = DayHq(self.clock, self.faults)
        self.air = DayAir(self.faults)
        self.parking = parking(spaces)
        self.garage = DayGarage(self.parking, self.clock, self.faults, self.dice.random)
        self.printers = {place: DayPrinter(place, self.faults) for place in PLACES}
        self.cuts: list[Cut] = []
        self.refused = 0
        self.is_on = self.is_quiet = self._is_cut_short = False
        self.to_print: dict[str, None] = {}
        self.touched_ms: dict[str, int] = {}
        self._screens: dict[str, tuple[int, Mapping[str, Any]]] = {}
        self._codes = 0
        self._cursor, self._fetching, self._watch = PublishCursor(), FetchCursor(), ClockWatch()
        self._off = (0, 0)
        stock(disk.open())
        disk.open().write(lambda unit: unit.tariffs.replace((TARIFF,)))
        self._begin()

    @property
    def box(self) -> Box:
        """The running service."""
        return self._box

    @property
    def hour(self) -> float:
        """The hour of the mall's day, true."""
        return OPENS_H + self.clock.passed_ms / HOUR_MS

    def until(self, hour: float) -> int:
        """Return the milliseconds from now to an hour of the day, 0 when it is past."""
        return max(0, round((hour - self.hour) * HOUR_MS))

    @property
    def wall_at(self) -> int:
        """What the box's clock shows, Unix milliseconds."""
        return self.clock.now().wall_at

    def read(self, query: Callable[[Unit], T]) -> T:
        """Look at committed state from outside: no step."""
        return self.disk.open().read(query)

    def do(self, act: Callable[[], T]) -> T | None:
        """Have the service do something; None when it is off, dies at it, or refuses."""
        if not self.is_on:
            return None
        try:
            return act()
        except Crash as crash:
            self._die(str(crash))
        except EdgeError as refusal:
            self.refused += 1
            self.tape.note(f"told: {refusal}")
        return None

    def code(self, **habits: Any) -> str:
        """Return the payment code of a new phone with 1,000 yuan, or as told."""
        self._codes += 1
        code = f"13{self._codes:016d}"
        self.gateway.show_code(code, Shopper(f"openid-{self._codes}", **{"balance_fen": 100_000, **habits}))
        return code

    def look(self, workstation: str) -> Mapping[str, Any]:
        """Return what the screen shows: drawn when the service tells of a change, and now and then."""
        drawn_ms, screen = self._screens.get(workstation, (0, {}))
        if not screen or self.clock.passed_ms - drawn_ms >= REDRAWN_MS:
            screen = show_screen(self._outside, workstation)
            self._screens[workstation] = self.clock.passed_ms, screen
        return screen

    def scan(self, workstation: str, text: str) -> None:
        """Hold a code before the scanner, which may cut it off, lose it or read it twice."""
        fault = self.faults.draw("scanners", ("lost", "cut off", "twice"))
        if fault != "lost":
            problem = "the cable was pulled" if fault == "cut off" else None
            self.timeline.start(self._scanned(workstation, text, problem), 60)
        if fault == "twice":
            self.timeline.start(self._scanned(workstation, text, None), 350)

    def pay_url(self, url: str) -> bool:
        """Have a phone open this and pay; return whether it could."""
        return self.phones.pay(url)

    def login_code(self, code: str, openid: str) -> str:
        """Have a shopper's phone be given this code by wx.login; return it."""
        return self.program.gives_code(code, openid)

    def pay_inside(self, params: Mapping[str, str], openid: str) -> bool:
        """Have a shopper's wallet pay what the mini-program shows; return whether it could."""
        return self.phones.pay_inside(params, openid)

    def read_bill(self) -> BillSource:
        """The accountant has it; nobody else reads it."""
        raise NotImplementedError("see office.DayBill")

    def wired(self, port: T, name: str) -> T:
        """Return a port as the service calls it."""
        return stepped(port, name, self.tape)

    def rests_but_for(self, watcher: Person) -> bool:
        """Return False: a day is never at rest while people are there."""
        return False

    def money_calls(self) -> int:
        """Return how often any gateway was called."""
        return sum(self.faults.calls[one] for one in ("gateway", "phone payments", "owners"))

    def publish(self) -> PublishStep:
        """Bring events to HQ."""
        step = publish_events(self.box.store, self.box.link, self.box.clock, self._cursor)
        self._cursor = step.cursor
        return step

    def take_snapshots(self) -> None:
        """Take what HQ pushes."""
        self._is_cut_short = True
        step = take_snapshots(self._shelf, stepped(self.air, "snapshots", self.tape), self._fetching)
        self._fetching, self._is_cut_short = step.cursor, False

    @property
    def is_fetching(self) -> bool:
        """Whether HQ has pushed anything that is not in force yet."""
        return self.air.has_news or self._is_cut_short or bool(self._fetching.fetches)

    def watch_clock(self) -> None:
        """Look at the clock."""
        box = self.box
        self._watch = watch_clock(box.store, box.clock, box.ids, box.origin, ALARM_AFTER_H, self._watch)

    def cut_power(self, off_ms: int, step_ms: int) -> None:
        """Have the power go in the middle of what is done next; afterwards the clock is off by step_ms."""
        self._off = (off_ms, step_ms)
        self.tape.cut_after(self.dice.randrange(1, 200), MIDDLES[len(self.cuts) % len(MIDDLES)])

    def wanted(self) -> None:
        """Note that somebody wants a decision, after a cut for the first time."""
        cut = self.cuts[-1] if self.cuts else None
        if cut is not None and cut.wanted_ms is None:
            cut.wanted_ms = max(0, self.clock.passed_ms - cut.at_ms - cut.off_ms)

    def decided(self, *, lane: bool) -> None:
        """Note that a lane or a screen has decided something, after a cut for the first time."""
        cut = self.cuts[-1] if self.cuts else None
        if cut is None or not self.is_on:
            return
        after_ms = self.clock.passed_ms - cut.at_ms - cut.off_ms
        if lane and cut.lane_ms is None:
            cut.lane_ms = after_ms
        if not lane and cut.scan_ms is None:
            cut.scan_ms = after_ms

    def _die(self, step: str) -> None:
        off_ms, step_ms = self._off
        self.is_on = False
        self.tape.note(f"died at {step}")
        self.disk.cut()
        self.hq.disconnect()
        for printer in self.printers.values():
            printer.restart()
        self.cuts.append(Cut(self.clock.passed_ms, step, off_ms))
        self.timeline.start(once(lambda: self._come_back(step_ms)), off_ms)

    def _come_back(self, step_ms: int) -> None:
        self.clock.now()
        self.clock.reboot(12_000)
        self.clock.set_wall(step_ms)
        began_s = monotonic_s()
        self.disk.start()
        self._begin()
        self.cuts[-1].start_s = monotonic_s() - began_s

    def _begin(self) -> None:
        """Start the service; one that could not start is started anew, as its unit file says."""
        self._compose()
        try:
            self._start()
        except EdgeError as error:
            self.tape.note(f"could not start: {error}")
            self.is_on = False
            self.hq.disconnect()
            self.timeline.start(once(self._begin), RESTART_MS)

    def _pass(self, seconds: float) -> None:
        """Let so much time pass in the middle of something."""
        self.clock.advance(round(seconds * 1_000))

    def _compose(self) -> None:
        tape, clock = self.tape, stepped(self.clock, "clock", self.tape)
        store = TroubledStore(self.disk.open(), self.faults)
        box = compose_box(
            clock,
            stepped(self.ids, "ids", tape),
            SteppedStore(store, tape, self.history),
            stepped(self.hq, "link", tape),
            {GATEWAY: stepped(self.gateway, "gateway", tape)},
            {place: stepped(printer, "printer", tape) for place, printer in self.printers.items()},
            self._changed,
            RULES,
            {GATEWAY: stepped(self.refunds, "refunds", tape)},
            self.parking,
            {GATEWAY: stepped(self.phones, "phones", tape)},
            PLACES,
        )
        self._box = replace(
            box,
            members=MEMBERS,
            touch=TOUCH,
            phone=PHONE,
            scan_and_go=SCAN_AND_GO,
            mini_program=stepped(self.program, "program", tape),
            autopayers={OWNERS: stepped(self.garage.owners, "owners", tape)},
        )
        self._outside = replace(self._box, clock=self.clock, ids=self.ids, store=self.disk.open())
        self.lanes = LaneWork(self._box, self.garage, tape, self._pass)
        self._shelf = Shelf(self._box.store, self._box.clock, self._box.ids, self._box.origin, KINDS)
        self._cursor, self._fetching, self._watch = PublishCursor(), FetchCursor(), ClockWatch()

    def _start(self) -> None:
        self._screens.clear()
        self.hq.connect()
        self.air.connect()
        recover(self.box)
        end_orphans(self.box)
        self.watch_clock()
        self.lanes.begin()
        self.to_print |= dict.fromkeys(PLACES)
        self.is_on = True

    def _changed(self, place: str) -> None:
        self.touched_ms[place] = self.clock.passed_ms
        self._screens.pop(place, None)
        if place in self.printers:
            self.to_print[place] = None

    def _scanned(self, place: str, text: str, problem: str | None) -> Process:
        self.wanted()
        read_ns = self.clock.now().boottime_ns
        scan = Scan(f"scanner-{place}", text.encode(), "" if problem else text, None, read_ns, problem)
        outcome = self.do(lambda: receive_scan(self.box, place, scan))
        if outcome is None:
            return
        self.decided(lane=False)
        if outcome.attempt_id:
            yield 200
            self.do(lambda: submit(self.box, outcome.attempt_id, outcome.code))

    def _arrive_late(self) -> Process:
        yield self.dice.randrange(20_000, 150_000)
        self.gateway.deliver_late()
