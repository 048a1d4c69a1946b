"""The deterministic world: one thread, a clock that is moved, a seed, and a service that dies on command.

Gateway, HQ, printers, scanners, people and committed state live on when the service dies; all that it
held in memory is gone. A run is its scenario, its seed and the steps at which it crashed, and the same
three give the same run: `World(KIOSK_BY_CODE, seed=3, crash_at=(17,)).run()`.
"""

from __future__ import annotations

import random
import shlex
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from operator import length_hint
from typing import Any, ClassVar, TypeVar, cast

from edge.errors import EdgeError
from edge.services.box import Box
from edge.services.payment_ports import BillSource
from edge.services.ports import Store
from edge.services.records import Unit
from edge.services.show_screen import show_screen
from edge.services.workstation import load
from sim.fakes.box import GATEWAY, WORKSTATIONS, compose_box, stock
from sim.fakes.clock import FakeClock
from sim.fakes.gateway import Shopper
from sim.fakes.hq import FakeHq, Fate
from sim.fakes.ids import FakeIds
from sim.fakes.mini_program import FakeMiniProgram
from sim.fakes.printer import PlainPrinter
from sim.fakes.scanner import FakeScanner
from sim.fakes.split_gateway import FakeSplitGateway
from sim.world.air import SnapshotAir
from sim.world.conditions import CALM, MIXED, Conditions
from sim.world.garage.site import Garage
from sim.world.garage.turns import LaneTurns
from sim.world.ledgers import LedgerBill, LedgerGateway, LedgerPhones, LedgerRefunds
from sim.world.people.person import Person
from sim.world.scenario import InMemory, Scenario, StateKeeper
from sim.world.service import Service
from sim.world.steps import Crash, History, SteppedStore, Steps, stepped
from sim.world.timekeeping import BOOT_MS, HONEST, Timekeeper

T = TypeVar("T")

#: Rounds after which a world that has not come to rest is stuck. A payment in the dark ends after 6 minutes.
MAX_ROUNDS = 600

#: The name under which the box knows the gateway that charges owners of plates.
OWNERS = "vehicle"

#: Quiet rounds before time goes faster, as (rounds, milliseconds of a round).
PACES = ((0, 1_000), (10, 5_000), (40, 30_000), (60, 120_000))

#: By how much the clock that a machine starts with may be wrong though it says that it is right. One that is
#: fast by more than a lane's stale_read_s makes every read look old until two of them agree.
WRONG_MS = (0, 0, -30_000, 30_000)

#: Steps at which nothing outside can have changed since the step before.
INSIDE = ("unit.", "store.read after")


class Stuck(AssertionError):
    """The world did not come to rest: a payment, an event or a paper waits for ever."""


class World:
    """One run of one scenario; implements person.Place. See the module.

    lives: what one life of the service is. history: what was committed. marks: with `watch`, for each step
    what outlives a crash there, see sim.world.boundaries.
    """

    lives: ClassVar[type[Service]] = Service

    def __init__(
        self,
        scenario: Scenario,
        seed: int = 0,
        crash_at: Iterable[int] = (),
        state: StateKeeper | None = None,
        *,
        watch: bool = False,
        conditions: Conditions | None = None,
    ) -> None:
        """conditions: what wires and gateway do; None: nothing for seed 0, else anything, by lot."""
        self.conditions = conditions or (CALM if seed == 0 else MIXED)
        self.scenario, self.seed, self.crash_at = scenario, seed, tuple(crash_at)
        self.random = random.Random(seed)
        self.marks: list[int] = []
        self.steps = Steps(self.crash_at, self._mark if watch else None)
        self.clock, self.ids = FakeClock(), FakeIds()
        self._timekeeper = Timekeeper(self.clock, self.conditions.clock)
        self.gateway = LedgerGateway(self.clock)
        self.refunds = LedgerRefunds(self.gateway, self.clock)
        self.phones = LedgerPhones(self.gateway)
        self.splits = FakeSplitGateway(most_permille=1_000)
        self.program = FakeMiniProgram()
        self.places = (*WORKSTATIONS, *scenario.places)
        self.bill = LedgerBill(self.gateway, self.refunds)
        fates, acks = ([self._fate() for _ in range(40)] for _ in range(2))
        self.hq = FakeHq(self.clock, 20, fates, acks)
        self.air = SnapshotAir(self._fate)
        self.air.away = self.hq.away = self.conditions.hq_away > 0
        self.garage = Garage(scenario.parking, self.clock, self.random.random, self.conditions.eyes)
        self.garage.owners.owners |= set(scenario.owners)
        self.printers = {place: PlainPrinter(place) for place in self.places}
        self.scanners = {place: self._scanner(place) for place in self.places}
        self.history = History()
        self.crashes, self._wrong_ms = 0, 0
        self.boots_wrong_ms: tuple[int, ...] = WRONG_MS
        self._state = state or InMemory()
        self._codes = 0
        self._quiet = 0
        self._rounds = 0
        self._seen: dict[str, tuple[int, Any]] = {}
        stock(self._state.open())
        self.people = scenario.prepare(self)
        self._fail_gateway()
        self._service = self._compose()

    @property
    def box(self) -> Box:
        """The running service."""
        return self._service.box

    @property
    def store(self) -> Store:
        """Committed state, looked at from outside: no step."""
        return self._state.open()

    def code(self, **habits: Any) -> str:
        """Return the payment code of a new phone with 1,000 yuan, or as told."""
        self._codes += 1
        code = f"13{self._codes:016d}"
        shopper = Shopper(f"openid-{self._codes}", **{"balance_fen": 100_000, **habits})
        self.gateway.show_code(code, shopper)
        return code

    def look(self, workstation: str) -> Mapping[str, Any]:
        """Return what the screen shows; its seconds are those of when its records were written last."""
        return self._once(workstation, lambda: show_screen(self._outside(), workstation))

    def scan(self, workstation: str, text: str) -> None:
        """Hold a code before the scanner."""
        self.scanners[workstation].scan(text)

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
        """Return the gateway's bill as the service fetches it."""
        return stepped(cast(BillSource, self.bill), "bills", self.steps)

    def wired(self, port: T, name: str) -> T:
        """Return a port as the service calls it: with the steps of this world."""
        return stepped(port, name, self.steps)

    def rests_but_for(self, watcher: Person) -> bool:
        """Return whether nothing moves any more, whatever this person still does."""
        people = all(person.done for person in self.people if person is not watcher)
        return people and self._once("still", self._is_still)

    def step(self, act: Callable[[], object]) -> None:
        """Do this; a person who is told that it cannot be done looks again, a worker takes its next turn."""
        try:
            act()
        except EdgeError as refusal:
            self.steps.note(f"told: {refusal}")

    def begin(self) -> None:
        """Start the service; for who plays the world turn by turn, and has it end by `rest`."""
        self._guarded(self._start)

    def turn(self, *, quiet: bool = False) -> None:
        """Have everybody act once and the service do what is due, and let time pass.

        quiet: nothing happened, so that time may pass faster.
        """
        self._rounds += 1
        self._guarded(self._round)
        self._pass(quiet=quiet)

    def cut_power(self) -> None:
        """Kill the service and start it again."""
        self._die()
        self._guarded(self._start)

    def run(self) -> World:
        """Run to rest and return self; raise Stuck when it never comes."""
        self.begin()
        return self.rest()

    def rest(self) -> World:
        """Go on until everything has come to its end and return self; raise Stuck when it never does."""
        self._quiet = 0
        for _ in range(MAX_ROUNDS):
            before = self._signature()
            self._rounds += 1
            self._guarded(self._round)
            if all(person.done for person in self.people) and self._once("still", self._is_still):
                # Whatever is still on its way arrives after everybody has gone: it must not matter any more.
                self.gateway.deliver_late()
                self.refunds.deliver_late()
                return self
            self._pass(quiet=before == self._signature())
        waiting = ", ".join(type(one).__name__ for one in self.people if not one.done)
        raise Stuck(f"not at rest after {MAX_ROUNDS} rounds; {waiting}; {self._signature()}")

    def describe(self) -> str:
        """Return how to see this run again."""
        reached = [at for at in self.crash_at if at <= self.steps.count]
        names = ", ".join(f"{at} ({self.steps.names[at - 1]})" for at in reached)
        where = f"scenario {self.scenario.name!r}, world {self.conditions.name!r}, seed {self.seed}"
        return f"{where}, {f'crash at step {names}' if names else 'without a crash'}"

    def again(self) -> str:
        """Return the command that shows this run again."""
        which = f"--scenario {shlex.quote(self.scenario.name)} --world {shlex.quote(self.conditions.name)}"
        return f"python -m sim explore {which} --replay {self.seed}:{','.join(map(str, self.crash_at))}"

    def _guarded(self, work: Callable[[], None]) -> None:
        try:
            work()
        except Crash:
            self._die()
            # A crash in the middle of a start is followed by another start.
            self._guarded(self._start)

    def _die(self) -> None:
        self.crashes += 1
        self._state.crash()
        if self.random.random() < 0.5:
            self.hq.deliver()
        self.hq.disconnect()
        for printer in self.printers.values():
            printer.restart()
        self.scanners = {place: self._scanner(place) for place in self.places}
        self._service = self._compose()
        if self.garage.lanes and self.random.random() < 0.5:
            # Nobody waits for the service where the way is free.
            self.garage.go_on(1 if self.conditions.quick else 3)
        if self.conditions.clock != HONEST:
            self._timekeeper.restart(self.random.randrange(5_000, 40_000))
        elif self.conditions.quick:
            self.clock.advance(self.random.randrange(300, 2_000))
        elif self.random.random() < 0.5:
            self.clock.reboot(self.random.randrange(5_000, 40_000))
            wrong_ms = self.random.choice(self.boots_wrong_ms)
            self.clock.set_wall(wrong_ms - self._wrong_ms)
            self._wrong_ms = wrong_ms
        else:
            self.clock.advance(self.random.randrange(500, 10_000))

    def _compose(self) -> Service:
        steps = self.steps
        box = compose_box(
            stepped(self.clock, "clock", steps),
            stepped(self.ids, "ids", steps),
            SteppedStore(self._state.open(), steps, self.history),
            stepped(self.hq, "link", steps),
            {GATEWAY: stepped(self.gateway, "gateway", steps)},
            {place: stepped(printer, "printer", steps) for place, printer in self.printers.items()},
            lambda place: None,
            self.scenario.rules,
            refunders={GATEWAY: stepped(self.refunds, "refunds", steps)},
            parking=self.scenario.parking,
            prepayers={GATEWAY: stepped(self.phones, "phones", steps)},
            places=self.scenario.places,
        )
        owners = {OWNERS: stepped(self.garage.owners, "owners", steps)} if self.scenario.owners else {}
        whole = replace(box, members=self.scenario.members, touch=self.scenario.touch, autopayers=owners)
        if self.scenario.tenants:
            passing = {GATEWAY: stepped(self.splits, "splits", steps)}
            whole = replace(whole, tenants=self.scenario.tenants, splitters=passing)
        if self.scenario.phone is not None:
            program = stepped(self.program, "program", steps)
            whole = replace(whole, phone=self.scenario.phone, mini_program=program)
        lanes = LaneTurns(whole, self.garage, steps) if self.garage.lanes else None
        return self.lives(whole, self.scenario, self.clock, steps, self.scanners, self.air, lanes, self.step)

    def _start(self) -> None:
        self.hq.connect()
        self.air.connect()
        self._service.start()

    def _round(self) -> None:
        for person in self.people:
            if not person.done:
                self.step(partial(person.act, self))
        self._service.turn()

    def _is_still(self) -> bool:
        def query(unit: Unit) -> bool:
            waits = unit.attempts.open(1) or unit.outbox.depth().count
            shares = unit.splits.moving(1) or unit.splits.moving_returns(1)
            papers = any(unit.receipts.to_print(place) for place in self.places)
            busy = self.garage.lanes and unit.passages.going_on()
            told = self.scenario.phone is None or not unit.phone_notices.waiting()[0]
            return told and not (
                waits or shares or papers or busy or any(one.moving for one in unit.refunds.open(9))
            )

        return self.store.read(query)

    def _signature(self) -> tuple[object, ...]:
        def query(unit: Unit) -> tuple[object, ...]:
            depth = unit.outbox.depth()
            screens = [load(unit, self._outside(), place).screen for place in self.places]
            return (*screens, depth.count, depth.last_sequence)

        known = self._once("signature", lambda: self.store.read(query))
        return (*known, len(self.gateway.asked), *self.garage.moves())

    def _once(self, what: str, look: Callable[[], T]) -> T:
        """Look at committed state from outside, once as long as nothing is committed."""
        at, found = self._seen.get(what, (-1, None))
        if at != self.history.units:
            found = look()
            self._seen[what] = self.history.units, found
        return cast(T, found)

    def _outside(self) -> Box:
        return compose_box(
            self.clock,
            self.ids,
            self.store,
            self.hq,
            {},
            self.printers,
            lambda place: None,
            self.scenario.rules,
            parking=self.scenario.parking,
            places=self.scenario.places,
        )

    def _mark(self) -> None:
        """Note what the world is like here but for what dies with the service."""
        if self.marks and self.steps.names[-1].startswith(INSIDE):
            self.marks.append(self.marks[-1])
            return
        time = (self._rounds, self._quiet, self.history.units, hash(self.random.getstate()), self.clock.now())
        money = [
            vars(self.gateway),
            vars(self.refunds),
            vars(self.bill),
            vars(self.phones),
            vars(self.program),
            self.splits,
        ]
        papers = [len(printer.printed) for printer in self.printers.values()]
        wire = vars(self.hq) | {name: length_hint(vars(self.hq)[name]) for name in ("_fates", "_ack_fates")}
        lanes = self.garage.state() if self.garage.lanes else ""
        air = self.air.state() if self.scenario.takes else ""
        self.marks.append(hash(repr((time, vars(self.ids), money, papers, self.people, wire, air, lanes))))

    def _pass(self, *, quiet: bool) -> None:
        self._pass_time(quiet=quiet)
        if self._timekeeper.fails():
            self._lose_power()

    def _pass_time(self, *, quiet: bool) -> None:
        self._quiet = self._quiet + 1 if quiet else 0
        pace = max(ms for rounds, ms in PACES if self._quiet >= rounds)
        self._timekeeper.advance(pace + self.random.randrange(0, 500))
        self.steps.note(str(self.clock.now().wall_at))
        self.air.away = self.hq.away = self._rounds < self.conditions.hq_away
        if self._quiet == self.scenario.late_after:
            self.gateway.deliver_late()
            self.refunds.deliver_late()

    def _lose_power(self) -> None:
        """The machine goes off for a while, whatever it was doing."""
        self._die()
        self._timekeeper.restart(BOOT_MS, self.conditions.clock.dark_ms)
        self._guarded(self._start)

    def _scanner(self, place: str) -> FakeScanner:
        return FakeScanner(f"scanner-{place}", lambda: self.clock.now().boottime_ns)

    def _fate(self) -> Fate:
        fates = self.conditions.fates
        return fates[0] if len(fates) == 1 else self.random.choice(fates)

    def _fail_gateway(self) -> None:
        """Have the gateway's first calls fail as the conditions say."""
        for call, faults in (("pay", self.conditions.pay_faults), ("query", self.conditions.query_faults)):
            for _ in range(self.conditions.faults if faults else 0):
                self.gateway.fail_next(call, self.random.choice(faults))
