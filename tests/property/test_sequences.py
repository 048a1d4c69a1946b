"""Any row of what people do and what happens to a box: it ends with nothing lost, doubled or left open.

Shoppers and supervisors come and go, the power is cut, the clock is set, HQ is away, the gateway and the
scanners fail, in any order that hypothesis thinks of; then all faults stop and what must hold is checked on
the world's own history. MALL_EDGE_PROOF=1 plays 2,000 rows of 50 steps.
"""

from __future__ import annotations

import os
from functools import partial
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from sim.checks import violations
from sim.fakes.box import BREAD, COLA, KIOSK, TILL, UNSOLD, weight_label
from sim.fakes.gateway import FakeFault
from sim.fakes.refund_gateway import RefundFault
from sim.people import Buyer, Returner
from sim.world import Scenario, World

PROOF = os.environ.get("MALL_EDGE_PROOF") == "1"
MACHINES, STEPS = (2_000, 50) if PROOF else (60, 30)

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


class Stage(World):
    """A world that is played from outside, turn by turn."""

    def turn(self) -> None:
        """Have everybody act once, and let time pass."""
        self._rounds += 1
        self._guarded(self._round)
        self._pass_time(quiet=False)

    def _read_scanner(self, place: str) -> None:
        # A scanner's queue is emptied at once; else whatever stands in line grows stale for ever.
        for _ in range(5):
            World._read_scanner(self, place)

    def cut_power(self) -> None:
        """Kill the service and start it again."""
        self._die()
        self._guarded(self._start)

    def rest(self) -> None:
        """Let everything come to its end."""
        self._quiet = 0
        self.run()


class Mall(RuleBasedStateMachine):
    """A kiosk and a till, and all that may happen to them."""

    stage: Stage
    set_by_ms = 0

    @initialize(seed=st.integers(0, 9))
    def open(self, seed: int) -> None:
        self.stage = Stage(Scenario("any row of steps", lambda world: []), seed)
        self.stage.people = []
        self.stage._guarded(self.stage._start)

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
        if any(
            isinstance(one, Buyer) and one.workstation == place and not one.done for one in self.stage.people
        ):
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
        self.stage.people = [*self.stage.people, shopper]

    @rule(turns=st.integers(1, 12))
    def go_on(self, turns: int) -> None:
        for _ in range(turns):
            self.stage.turn()

    @rule(place=PLACES, code=st.sampled_from([COLA, UNSOLD, "WIFI:S:x;;", "130000000000000000", "P:1"]))
    def scan_anything(self, place: str, code: str) -> None:
        """Somebody plays with the scanner."""
        if code != "130000000000000000" or self.stage.look(place)["screen"] == "attract":
            self.stage.scan(place, code)

    @rule(place=PLACES)
    def pull_the_scanner(self, place: str) -> None:
        self.stage.scanners[place].cut_off(COLA)
        self.stage.scanners[place].plug()

    @rule()
    def cut_the_power(self) -> None:
        self.stage.cut_power()

    @rule(milliseconds=st.sampled_from([-HOUR_MS, -60_000, 60_000, HOUR_MS]))
    def set_the_clock(self, milliseconds: int) -> None:
        """Within the business day, as numbers of orders begin anew with each."""
        if -3 * HOUR_MS < self.set_by_ms + milliseconds < 6 * HOUR_MS:
            self.set_by_ms += milliseconds
            self.stage.clock.set_wall(milliseconds)

    @rule(away=st.booleans())
    def hq_goes_or_comes(self, away: bool) -> None:
        if away:
            self.stage.hq.disconnect()
        else:
            self.stage.hq.connect()

    @rule(call=st.sampled_from(["pay", "query", "reverse"]), fault=st.sampled_from(list(FakeFault)))
    def the_gateway_fails(self, call: str, fault: FakeFault) -> None:
        if call == "pay" or fault is not FakeFault.LATE:
            self.stage.gateway.fail_next(call, fault)

    @rule(fault=st.sampled_from(list(RefundFault)))
    def a_refund_fails(self, fault: RefundFault) -> None:
        self.stage.refunds.fail_next("refund", fault)

    @rule()
    def what_is_late_arrives(self) -> None:
        self.stage.step(self.stage.gateway.deliver_late)
        self.stage.step(self.stage.refunds.deliver_late)

    @invariant()
    def books_add_up(self) -> None:
        if hasattr(self, "stage"):
            assert sum(self.stage.store.read(lambda unit: unit.ledger.balances()).values()) == 0

    def teardown(self) -> None:
        if not hasattr(self, "stage"):
            return
        self.stage.hq.connect()
        self.stage.rest()
        found = violations(self.stage)
        assert not found, "\n".join(found)


def test_any_row_of_what_people_do_and_what_happens_ends_with_nothing_lost_or_doubled() -> None:
    run_state_machine_as_test(
        Mall,
        settings=settings(
            max_examples=MACHINES,
            stateful_step_count=STEPS,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_the_rows_play_real_sales() -> None:
    stage = Stage(Scenario("one sale", lambda world: []), 1)
    stage.people = []
    stage._guarded(stage._start)
    stage.people = [Buyer(KIOSK, [(COLA, "cola")], codes=[stage.code()])]
    for turn in (stage.turn, stage.turn, partial(stage.cut_power)):
        turn()
    stage.rest()
    assert stage.people[0].has_paid
    assert violations(stage) == []
