"""Any row of what people do and what happens to a box: it ends with nothing lost, doubled or left open.

Shoppers, members, phones, guides and supervisors come and go, cars drive in and out, HQ pushes and commands,
plugs are pulled, the power is cut, the clock is set, the gateway and the gates fail, in any order that
hypothesis thinks of; then all faults stop and what must hold is checked on the world's own history.
MALL_EDGE_PROOF=1 plays 2,000 rows of 50 steps, half of them in the mall and half in its garage.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from devices.types import PaperState
from edge.services.obey_command import CommandKind
from sim.fakes.box import BREAD, COLA, KIOSK, TILL, UNSOLD, weight_label
from sim.fakes.gateway import FakeFault
from sim.fakes.refund_gateway import RefundFault
from sim.world.checks import violations
from sim.world.garage.long_stays import know_cameras
from sim.world.garage.motorists import Guard, Look, Motorist, Office, Prepayer, Where
from sim.world.garage.opener import GateOpener
from sim.world.garage.scenarios import ENTRY, EXIT, PAID_AT_EXIT, PARKING, TARIFF
from sim.world.garage.scenarios import PLACES as PAY_STATIONS
from sim.world.people.buyers import Buyer, Returner
from sim.world.people.counters import PLACES as COUNTERS
from sim.world.people.counters import CounterSale
from sim.world.people.headquarters import Headquarters
from sim.world.people.patrons import MEMBERS, Patron
from sim.world.people.person import Person
from sim.world.people.phone_shoppers import RULES as PHONES_RULES
from sim.world.people.phone_shoppers import PhoneShopper
from sim.world.people.pushes import KINDS, Publisher, price_pushes
from sim.world.scenario import Scenario
from sim.world.world import WRONG_MS, World
from tests.proof import PROOF, Counted, Tally

MACHINES, STEPS = (1_000, 50) if PROOF else (20, 30)

PLACES = st.sampled_from([KIOSK, TILL])
GOODS = st.lists(
    st.sampled_from([(COLA, "cola"), (BREAD, "bread"), (weight_label("101", 500), "apple")]),
    min_size=1,
    max_size=3,
    unique=True,
)
#: How a shopper's phone behaves; the wallet may be empty, a password may be wanted, typed late or cancelled.
PHONES = st.lists(
    st.sampled_from(
        [
            {},
            {"balance_fen": 1},
            {"asks": True, "pending_queries": 1},
            {"asks": True, "pending_queries": 3},
            {"asks": True, "pending_queries": 1, "cancels": True},
        ]
    ),
    max_size=3,
)
CASH = st.lists(st.sampled_from([100, 400, 2_000, 10_000]), max_size=2)
#: What goes back, one after another: never more than the cheapest basket costs, the rest at most once.
SOME, LESS, REST = {"amount_fen": 100}, {"amount_fen": 33}, dict[str, int]()
ASKS = st.sampled_from([[], [REST], [SOME], [SOME, REST], [LESS, SOME, REST], [SOME, SOME, LESS]])
HOUR_MS = 3_600_000

#: Plates of the cars that may come, each once, and what a camera may make of one.
PLATES = ("粤B12345", "粤B67890", "粤A24680", "京C13579")
MOST_CARS, MOST_CUTS = len(PLATES), 6


class Rows(RuleBasedStateMachine):
    """What can happen to every box, whoever uses it."""

    stage: World
    scenario: Scenario
    #: How many rows were played to their end and held.
    held = 0
    set_by_ms = 0
    #: How far the clock may be set in all, and by what: within the business day, as numbers of orders begin
    #: anew with each.
    clock_steps_ms: tuple[int, ...] = (-HOUR_MS, -60_000, 60_000, HOUR_MS)
    latest_ms, earliest_ms = 6 * HOUR_MS, -3 * HOUR_MS
    boots_wrong_ms: tuple[int, ...] = WRONG_MS

    @initialize(seed=st.integers(0, 9))
    def open(self, seed: int) -> None:
        self.stage = World(self.scenario, seed)
        self.stage.boots_wrong_ms = self.boots_wrong_ms
        self.stage.people = list(self.stage.people)
        self.stage.begin()

    def come(self, *people: Person) -> None:
        """Have people come in."""
        self.stage.people = [*self.stage.people, *people]

    def is_there(self, kind: type[Person]) -> bool:
        """Return whether somebody of this kind has come and not gone."""
        return any(isinstance(one, kind) and not one.done for one in self.stage.people)

    @rule(turns=st.integers(1, 8))
    def go_on(self, turns: int) -> None:
        for _ in range(turns):
            self.stage.turn()

    @rule()
    def cut_the_power(self) -> None:
        self.stage.cut_power()

    @rule(data=st.data())
    def set_the_clock(self, data: st.DataObject) -> None:
        milliseconds = data.draw(st.sampled_from(self.clock_steps_ms))
        if (
            not self.is_there(Headquarters)
            and self.may_be_set(milliseconds)
            and self.earliest_ms < self.set_by_ms + milliseconds < self.latest_ms
        ):
            self.set_by_ms += milliseconds
            self.stage.clock.set_wall(milliseconds)

    def may_be_set(self, milliseconds: int) -> bool:
        """Return whether it is fair to set the clock by so much now."""
        return True

    @rule(away=st.booleans())
    def hq_goes_or_comes(self, away: bool) -> None:
        self.stage.air.away = away
        if away:
            self.stage.hq.disconnect()
        else:
            self.stage.hq.connect()

    @rule(call=st.sampled_from(["pay", "query", "reverse"]), fault=st.sampled_from(list(FakeFault)))
    def the_gateway_fails(self, call: str, fault: FakeFault) -> None:
        if call == "pay" or fault is not FakeFault.LATE:
            self.stage.gateway.fail_next(call, fault)

    @rule()
    def what_is_late_arrives(self) -> None:
        self.stage.step(self.stage.gateway.deliver_late)
        self.stage.step(self.stage.refunds.deliver_late)

    @rule(place=PLACES, paper=st.sampled_from([PaperState.OUT, PaperState.ENOUGH]), absent=st.booleans())
    def something_is_with_a_printer(self, place: str, paper: PaperState, absent: bool) -> None:
        printer = self.stage.printers[place]
        printer.paper, printer.absent = paper, absent

    @invariant()
    def books_add_up(self) -> None:
        if hasattr(self, "stage"):
            assert sum(self.stage.store.read(lambda unit: unit.ledger.balances()).values()) == 0

    def teardown(self) -> None:
        if not hasattr(self, "stage"):
            return
        self.mend()
        self.stage.rest()
        found = violations(self.stage)
        assert not found, "\n".join(found)
        type(self).held += 1

    def mend(self) -> None:
        """End every fault that does not end by itself."""
        self.stage.hq.connect()
        for printer in self.stage.printers.values():
            printer.paper, printer.absent = PaperState.ENOUGH, False


class Mall(Rows):
    """A kiosk, a till, a counter and phones, and all that may happen to them."""

    scenario = Scenario(
        "any row of steps in the mall",
        lambda world: [],
        places=COUNTERS,
        members=MEMBERS,
        phone=PHONES_RULES,
        takes=KINDS,
    )

    @rule(place=PLACES, goods=GOODS, phones=PHONES, cash=CASH, asks=ASKS, codes_first=st.booleans())
    def shop(
        self,
        place: str,
        goods: list[tuple[str, str]],
        phones: list[dict[str, Any]],
        cash: list[int],
        asks: list[dict[str, int]],
        codes_first: bool,
    ) -> None:
        """Somebody comes to a free place, or to the till of somebody who has gone."""
        if self.is_busy(place):
            return
        codes = [self.stage.code(**phone) for phone in phones]
        # Whoever has paid a part in cash pays the rest; giving up then takes a supervisor, see Returner.
        notes = [*cash, 50_000] if place == TILL and cash else []
        if asks and place == TILL:
            shopper: Buyer = Returner(
                place, goods, codes=codes, cash_fen=notes, codes_first=codes_first, asks=asks
            )
        else:
            shopper = Buyer(place, goods, codes=codes, cash_fen=notes, codes_first=codes_first)
        self.come(shopper)

    def is_busy(self, place: str) -> bool:
        """Return whether somebody buys there."""
        buyers = [one for one in self.stage.people if isinstance(one, Buyer) and not one.done]
        return any(one.workstation == place for one in buyers)

    @rule(spends=st.booleans(), asks=st.sampled_from([[], [{"amount_fen": 50}], [{"amount_fen": 333}, REST]]))
    def a_member_buys(self, spends: bool, asks: list[dict[str, int]]) -> None:
        if self.is_busy(TILL) or any(isinstance(one, Patron) for one in self.stage.people):
            return
        goods = [(COLA, "cola"), (weight_label("101", 500), "apple")]
        # Who has paid a part in cash pays the rest: enough wallets for every call that may fail.
        codes = [self.stage.code() for _ in range(STEPS)]
        self.come(Patron(TILL, goods, codes=codes, cash_fen=[400], asks=asks, spends=spends))

    @rule(hasty=st.booleans(), outside=st.booleans())
    def a_phone_pays(self, hasty: bool, outside: bool) -> None:
        if not self.is_there(PhoneShopper):
            self.come(PhoneShopper(hasty=hasty, begins_outside=outside))

    @rule(phones=st.integers(0, 2), gives_up=st.booleans())
    def a_guide_writes_a_ticket(self, phones: int, gives_up: bool) -> None:
        if not self.is_there(CounterSale):
            codes = [] if phones else [self.stage.code()]
            self.come(CounterSale(phones=phones, codes=codes, gives_up=gives_up and phones > 0))

    @rule()
    def hq_pushes_prices_and_lists(self) -> None:
        if not any(isinstance(one, Publisher) for one in self.stage.people):
            self.come(Publisher(self.stage.air, price_pushes()))

    @rule(deaf=st.integers(0, 2))
    def hq_freezes_sales_and_thaws_them(self, deaf: int) -> None:
        """Only beside a clock that is right: commands of a box whose clock is wrong are refused."""
        if not self.set_by_ms and not any(isinstance(one, Headquarters) for one in self.stage.people):
            self.come(Headquarters(self.stage.clock, deaf=deaf))

    @rule(place=PLACES, code=st.sampled_from([COLA, UNSOLD, "WIFI:S:x;;", "130000000000000000", "P:1"]))
    def scan_anything(self, place: str, code: str) -> None:
        """Somebody plays with the scanner."""
        if code != "130000000000000000" or self.stage.look(place)["screen"] == "attract":
            self.stage.scan(place, code)

    @rule(place=PLACES)
    def pull_the_scanner(self, place: str) -> None:
        self.stage.scanners[place].cut_off(COLA)
        self.stage.scanners[place].plug()

    @rule(fault=st.sampled_from(list(RefundFault)))
    def a_refund_fails(self, fault: RefundFault) -> None:
        self.stage.refunds.fail_next("refund", fault)


def opened(world: World) -> Sequence[Person]:
    """Put the tariff in force, and have each camera known; the guard is there from the start.

    The first read of a camera's life, kept over a power cut beside a car that is let in by hand, has an age
    that nobody can tell.
    """
    world.store.write(lambda unit: unit.tariffs.replace((TARIFF,)))
    world.store.write(lambda unit: know_cameras(unit, world))
    return [Guard([])]


class Garage(Rows):
    """An entry and an exit with booms, loops, cameras and boards, and the cars that use them."""

    scenario = replace(
        PAID_AT_EXIT, name="any row of steps in the garage", prepare=opened, places=PAY_STATIONS
    )
    clock_steps_ms = (-30_000, -4_000, 4_000)
    latest_ms, earliest_ms = 5_000, -61_000
    was_set_forward = False

    @rule()
    def cut_the_power(self) -> None:
        """Not while the entry opens for a car that backs out: in the dark a box takes it to have gone in.

        So often at most: who meets more cuts at one barrier has a guard who writes things down.
        """
        unfair = self.backs_out() or self.is_lost_on(self.next_look())
        if self.stage.crashes < MOST_CUTS and not unfair:
            self.stage.cut_power()

    def may_be_set(self, milliseconds: int) -> bool:
        """Not forward beside cars without a plate, see `has_no_plate`."""
        fair = milliseconds < 0 or all(one.looks[0].text for one in self.cars())
        self.was_set_forward |= fair and milliseconds > 0
        return fair

    def has_no_plate(self) -> bool:
        """Return whether a car without a plate may come; from then on every start has the clock as it was.

        After a clock that went forward unseen the next car's live read is one of a moment when the nameless
        car stood there, until two reads of the camera agree, which late ones beside it do not.
        """
        wrong_ms = self.stage.clock.now().wall_at - self.stage.clock.true_at - self.set_by_ms
        fair = not (wrong_ms or self.was_set_forward)
        if fair:
            self.stage.boots_wrong_ms = (0,)
        return fair

    def is_lost_on(self, look: str | None) -> bool:
        """Return whether a car would come behind one that drives in while nobody looks, and one has no plate.

        It stands where that one stood, and nothing and nobody can tell the box that it is another.
        """
        passage = self.stage.store.read(lambda unit: unit.passages.current(ENTRY))
        opens = passage is not None and passage.opening > 0
        return opens and look is not None and not (look and passage is not None and passage.plate)

    def next_look(self) -> str | None:
        """Return what the entry's camera makes of the next car to come, None where none is to come."""
        coming = (one.looks[0].text for one in self.cars() if one.where is Where.COMING)
        return next(coming, None)

    def cars(self) -> list[Motorist]:
        """Return all cars, in the order in which they come."""
        return [one for one in self.stage.people if isinstance(one, Motorist)]

    def backs_out(self) -> bool:
        """Return whether a car is to back out of the entry or has done so, and that passage is not over."""
        outside = [one for one in self.cars() if one.where in (Where.COMING, Where.AT_ENTRY)]
        passage = self.stage.store.read(lambda unit: unit.passages.current(ENTRY))
        opens = passage is not None and passage.opening > 0
        return opens and any(one.balks or one.comes_ms for one in outside)

    @rule(
        read=st.sampled_from(["clear", "none", "doubtful", "wrong at the exit"]),
        pays=st.sampled_from(["at the exit", "at the kiosk", "by a pass", "not at all"]),
        balks=st.sampled_from([0, 0, 1]),
    )
    def a_car_comes(self, read: str, pays: str, balks: int) -> None:
        guard = next(one for one in self.stage.people if isinstance(one, Guard))
        lost = self.stage.crashes and self.is_lost_on("" if read == "none" else read)
        if lost or len(guard.motorists) == MOST_CARS or (read == "none" and not self.has_no_plate()):
            return
        plate = PLATES[len(guard.motorists)]
        pays = "at the exit" if pays == "by a pass" and read != "clear" else pays
        codes = [self.stage.code() for _ in range(4)]
        errand = Prepayer(plate, codes) if pays == "at the kiosk" and read == "clear" else None
        car = Motorist(
            plate,
            looks(plate, read),
            codes if pays == "at the exit" else [],
            errand,
            after=guard.motorists[-1] if guard.motorists else None,
            owes_nothing=pays == "by a pass",
            balks=balks,
        )
        guard.motorists, guard.done = [*guard.motorists, car], False
        self.come(*([Office(plate)] if pays == "by a pass" else []), car)

    @rule(lane=st.sampled_from(list(PARKING.facility.lanes)), times=st.integers(1, 3))
    def somebody_walks_over_a_loop(self, lane: Any, times: int) -> None:
        stage, boom = self.stage, self.stage.garage.booms[lane.name]
        if boom.is_up or any(isinstance(one, Motorist) and not one.done for one in stage.people):
            return
        for _ in range(times):
            boom.stand(True, False)
            stage.turn()
            boom.stand(False, False)
        for _ in range(60):
            # Cars know their stay by the passage that began when they came: no other must be left.
            if stage.store.read(lambda unit: unit.passages.current(lane.name)) is None:
                break
            stage.turn()

    @rule(lane=st.sampled_from(list(PARKING.facility.lanes)), deaf=st.integers(0, 1), stuck=st.integers(0, 1))
    def a_gate_fails(self, lane: Any, deaf: int, stuck: int) -> None:
        boom = self.stage.garage.booms[lane.name]
        boom.deaf, boom.stuck = deaf, stuck

    @rule(lane=st.sampled_from(list(PARKING.facility.lanes)), absent=st.booleans(), silent=st.booleans())
    def a_board_goes_dark(self, lane: Any, absent: bool, silent: bool) -> None:
        board = self.stage.garage.boards[lane.name]
        board.absent, board.silent = absent, silent

    @rule()
    def hq_opens_for_whoever_stands_there(self) -> None:
        car, stage = self.stage.garage.first(EXIT), self.stage
        passage = stage.store.read(lambda unit: unit.passages.current(EXIT))
        if car is None or passage is None or passage.session_id != car.session_id:
            # Whoever nobody has named yet leaves nameless.
            return
        if not any(isinstance(one, GateOpener) for one in self.stage.people):
            self.come(
                GateOpener(clock=self.stage.clock, wishes=[CommandKind.OPEN_GATE], lane=EXIT, guest=car)
            )

    def mend(self) -> None:
        """End every fault that does not end by itself."""
        Rows.mend(self)
        for board in self.stage.garage.boards.values():
            board.absent = board.silent = False


def looks(plate: str, read: str) -> tuple[Look, Look]:
    """Return what the cameras make of a plate at the entry and at the exit."""
    right, doubtful = Look(plate), Look(plate[:4] + "B" + plate[5:], (0.99,) * 4 + (0.52, 0.99, 0.99))
    return {
        "clear": (right, right),
        "none": (Look(""), Look("")),
        "doubtful": (doubtful, right),
        "wrong at the exit": (right, Look("粤C99999", (0.9,) * 7)),
    }[read]


@pytest.mark.timeout(1_800 if PROOF else 120)
@pytest.mark.parametrize("rows", [Mall, Garage], ids=["mall", "garage"])
def test_any_row_of_what_people_do_and_what_happens_ends_with_nothing_lost_or_doubled(
    rows: type[Rows], tally: Tally
) -> None:
    rows.held = 0
    run_state_machine_as_test(
        rows,
        settings=settings(
            max_examples=MACHINES,
            stateful_step_count=STEPS,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
    tally.add(Counted.SEQUENCES, rows.held)
    assert rows.held >= MACHINES // 2


def test_the_rows_play_real_sales_and_stays() -> None:
    stage = World(Mall.scenario, 1)
    stage.begin()
    stage.people = [Buyer(KIOSK, [(COLA, "cola")], codes=[stage.code()])]
    stage.turn()
    stage.turn()
    stage.cut_power()
    stage.rest()
    assert stage.people[0].has_paid
    assert violations(stage) == []
    garage = World(Garage.scenario, 1)
    car = Motorist(PLATES[0], looks(PLATES[0], "clear"), [garage.code() for _ in range(4)])
    garage.people = [car, Guard([car])]
    garage.begin()
    garage.turn()
    garage.cut_power()
    garage.rest()
    assert car.where is Where.GONE
    assert [one.kind for one in garage.hq.applied].count("parking.left") == 1
    assert violations(garage) == []


@pytest.mark.parametrize("seed", range(6))
def test_a_clock_set_over_a_restart_gives_up_no_charge_that_arrives_later(seed: int) -> None:
    stage = World(Mall.scenario, seed)
    stage.begin()
    stage.gateway.fail_next("pay", FakeFault.LATE)
    stage.people = [Buyer(KIOSK, [(COLA, "cola")], codes=[stage.code(), stage.code()])]
    for _ in range(6):
        stage.turn()
    stage.clock.set_wall(HOUR_MS)
    stage.cut_power()
    for _ in range(60):
        stage.turn()
    assert stage.gateway.total_fen() == 0
    stage.step(stage.gateway.deliver_late)
    stage.rest()
    assert stage.gateway.total_fen() == 350
    assert violations(stage) == []


def test_who_has_paid_in_cash_has_bought_once_whatever_is_scanned_right_after() -> None:
    stage = World(Mall.scenario, 0)
    stage.begin()
    stage.people = [Buyer(TILL, [(COLA, "cola")], cash_fen=[400])]
    for _ in range(20):
        if stage.look(TILL)["screen"] == "checkout":
            break
        stage.turn()
    stage.scan(TILL, COLA)
    stage.turn()
    assert stage.look(TILL)["screen"] == "basket"
    stage.rest()
    assert [one.kind for one in stage.hq.applied].count("order.paid") == 1
    assert violations(stage) == []
