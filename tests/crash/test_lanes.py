"""A vehicle comes in, pays and goes out, the service killed at every step and started again.

The gates count their pulses outside the crash: none is given twice for one decision, and nobody is trapped.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from edge.errors import EdgeError
from edge.parking.decision import Verdict
from edge.parking.gate_command import GateCommandState
from edge.parking.passage import PassageEnd
from edge.parking.session import SessionState
from edge.services.answer_guard import answer_guard
from edge.services.box import Box
from edge.services.hold_gate import keep_held
from edge.services.open_lane import end_cut_off, open_lane
from edge.services.release_lane import note_settled
from edge.services.see_loop import see_inputs, tick_lane
from edge.services.see_plate import see_plate
from sim.steps import Crash, SteppedStore, Steps, stepped
from tests.unit.lane_rig import IN, OUT, LaneRig

#: Rounds of everybody's turns until all must have been done.
MAX_ROUNDS = 120
DRIVE = ((True, False), (True, True), (False, True), (False, False))


class Site:
    """A car park whose service may be stopped; cameras, gates, drivers and a guard outlive it."""

    def __init__(self, crash_at: int | None, reboot: bool = False) -> None:
        self.rig = LaneRig()
        self.reboot = reboot
        self.steps = Steps([crash_at] if crash_at else [])
        self.crashes = 0
        self.place = dict.fromkeys((IN, OUT), "away")
        self.driven = dict.fromkeys((IN, OUT), 0)
        self.pushed: Counter[str] = Counter()
        self.asked = 0
        self.box = self._composed()

    def run(self) -> Site:
        self._guarded(lambda: end_cut_off(self.box))
        for _ in range(MAX_ROUNDS):
            for act in (self._drivers, self._cameras, self._workers, self._guard, self._payer):
                self._guarded(act)
            self.rig.ports.clock.advance(700)
            if self.place == {IN: "through", OUT: "through"}:
                break
        for lane in (IN, OUT):
            self.rig.gates[lane].shut()
        for _ in range(35):
            self.rig.ports.clock.advance(1_000)
            self._guarded(self._workers)
        return self

    def _composed(self) -> Box:
        made = self.rig.made()
        return replace(made, store=SteppedStore(self.rig.ports.store, self.steps))

    def _guarded(self, act) -> None:  # type: ignore[no-untyped-def]
        try:
            act()
        except EdgeError:
            # People who are told that something cannot be done look again.
            pass
        except Crash:
            self.crashes += 1
            if self.reboot:
                self.rig.ports.clock.reboot()
            else:
                self.rig.ports.clock.advance(1_000)
            self.box = self._composed()
            self._guarded(lambda: end_cut_off(self.box))

    def _drivers(self) -> None:
        for lane in (IN, OUT):
            gate = self.rig.gates[lane]
            if self.place[lane] == "away" and (lane == IN or self.place[IN] == "through"):
                self.place[lane] = "there"
                gate.loops = [True, False]
            elif self.place[lane] == "there" and gate.inputs().boom_up:
                gate.loops = list(DRIVE[self.driven[lane]])
                self.driven[lane] += 1
                if self.driven[lane] == len(DRIVE):
                    self.place[lane] = "through"

    def _cameras(self) -> None:
        """Each camera sends its one record again until it has been answered."""
        for lane in (IN, OUT):
            if self.place[lane] == "there" and self.pushed[lane] == 0:
                see_plate(self.box, lane, self.rig.seen(key=f"key-{lane}", device=f"cam-{lane}"))
                self.pushed[lane] += 1

    def _workers(self) -> None:
        for name in (IN, OUT):
            lane = self.box.parking.lane(name)
            gate = stepped(self.rig.gates[name], "gate", self.steps)
            open_lane(self.box, lane, gate)
            see_inputs(self.box, lane, gate.inputs())
            keep_held(self.box, lane, False)
            tick_lane(self.box, lane)

    def _guard(self) -> None:
        """The guard answers what is asked as it is recommended, once a vehicle has waited."""
        for lane in (IN, OUT):
            passage = self.rig.passage(lane)
            if passage is not None and passage.question is not None:
                self.asked += 1
                answer_guard(
                    self.box, lane, passage.passage_id, passage.question.recommended, "guard", "a car waits"
                )

    def _payer(self) -> None:
        passage = self.rig.passage(OUT)
        decision = None if passage is None else passage.decision
        if decision is None or decision.verdict is not Verdict.PAY:
            return
        session_id, now = decision.session_id, self.rig.now

        def work(unit) -> None:  # type: ignore[no-untyped-def]
            if not unit.settlements.of_session(session_id):
                unit.settlements.put(self.rig.paid(session_id, decision.due_fen))
            note_settled(unit, self.box, session_id, now)

        self.box.store.write(work)


STEPS = Site(None).run().steps.count


def test_there_are_steps_to_stop_at_and_without_a_crash_nobody_is_asked() -> None:
    site = Site(None).run()
    assert STEPS > 150
    assert site.asked == 0
    assert [site.rig.gates[lane].pulses for lane in (IN, OUT)] == [1, 1]
    check(site)


@pytest.mark.parametrize("reboot", [False, True], ids=["process", "machine"])
def test_no_gate_opens_twice_for_a_decision_and_nobody_is_trapped_wherever_it_stops(reboot: bool) -> None:
    for crash_at in range(1, STEPS + 1):
        site = Site(crash_at, reboot).run()
        assert site.crashes == (1 if site.steps.count >= crash_at else 0)
        try:
            check(site)
        except AssertionError as error:
            raise AssertionError(f"crash at {crash_at} ({site.steps.names[crash_at - 1]})") from error


def check(site: Site) -> None:
    rig = site.rig
    assert site.place == {IN: "through", OUT: "through"}, "a vehicle is trapped"
    for lane in (IN, OUT):
        assert rig.passage(lane) is None
        sent = [one for one in rig.commands(lane) if one.tries]
        assert all(one.tries == 1 for one in sent)
        assert rig.gates[lane].pulses <= len(sent), "a gate opened twice for one decision"
        assert len({one.command_id for one in sent}) == len(sent)
        assert all(one.is_over for one in rig.commands(lane))
        ends = [one.end for one in rig.box.store.read(lambda unit, lane=lane: unit.passages.recent(lane, 9))]  # type: ignore[misc]
        assert PassageEnd.PASSED in ends
    assert rig.stay().state is SessionState.LEFT
    assert rig.inside() == 0
    told = Counter(kind for kind, _ in rig.events())
    assert (told["parking.entered"], told["parking.left"]) == (1, 1)
    doubtful = [one for one in rig.commands(IN) if one.state is GateCommandState.DOUBTFUL]
    assert not doubtful
