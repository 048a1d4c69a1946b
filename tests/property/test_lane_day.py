"""Days of vehicles at two lanes: reads lost, late, doubled and kept; the count is always who is inside."""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from edge.parking.decision import Answer, Verdict
from edge.services.answer_guard import answer_guard
from tests.unit.lane_rig import IN, OUT, LaneRig

PLATES = ("粤B12345", "粤B67890", "京AF1D345", "沪C00001")
#: How a push comes: as it should, twice, again under another key, too late, kept by the camera, not at all.
WAYS = st.sampled_from(("live", "live", "doubled", "renamed", "stale", "kept", "lost"))
VISITS = st.lists(st.tuples(st.sampled_from(PLATES), WAYS, st.booleans(), st.integers(1, 5_000)), max_size=6)


@dataclass
class Day:
    """What really happens, beside what the box believes."""

    lanes: LaneRig = field(default_factory=LaneRig)
    inside: set[str] = field(default_factory=set)
    wanted: dict[str, int] = field(default_factory=lambda: dict.fromkeys((IN, OUT), 0))

    def visit(self, plate: str, way: str, turns_back: bool, gap_s: int) -> None:
        self.lanes.ports.clock.advance(gap_s * 1000)
        lane = OUT if plate in self.inside else IN
        self.lanes.loops(lane, True, False)
        self.push(lane, plate, way)
        self.served(lane, plate)
        assert self.lanes.gates[lane].inputs().boom_up, "a vehicle is trapped"
        if turns_back:
            self.lanes.loops(lane, False, False)
            self.lanes.gates[lane].shut()
            self.lanes.wait(lane, 6)
        else:
            self.lanes.drive(lane)
            self.inside ^= {plate}
        self.lanes.wait(lane, 10, step=2)
        assert self.lanes.passage(lane) is None

    def push(self, lane: str, plate: str, way: str) -> None:
        rig = self.lanes
        if way == "lost":
            return
        age_ms = {"stale": 30_000, "kept": 40_000}.get(way, 0)
        rig.wait(lane, age_ms / 1000 + bool(age_ms), step=1)
        key = f"{lane}-{rig.keys}"
        rig.read(lane, plate, key=key, age_ms=age_ms, backfill=way == "kept")
        if way == "doubled":
            rig.read(lane, plate, key=key)
        if way == "renamed":
            rig.read(lane, plate)

    def served(self, lane: str, plate: str) -> None:
        """The guard and the driver do what is asked of them, until the boom is up."""
        rig = self.lanes
        for _ in range(12):
            rig.work(lane)
            if rig.gates[lane].inputs().boom_up:
                return
            passage = rig.here(lane)
            if passage.question is not None:
                self.answer(lane, plate)
            elif passage.decision is not None and passage.decision.verdict is Verdict.PAY:
                rig.settle(passage.decision.session_id, passage.decision.due_fen)
            else:
                rig.ports.clock.advance(1_500)

    def answer(self, lane: str, plate: str) -> None:
        passage = self.lanes.here(lane)
        assert passage.question is not None
        said = passage.question.recommended
        if said is Answer.CHOOSE and not passage.question.session_id:
            said = Answer.OPEN
        chosen = passage.question.session_id
        if said is Answer.CORRECT and passage.plate == plate:
            said = Answer.OPEN
        answer_guard(self.lanes.box, lane, passage.passage_id, said, "张军", "放行", plate, chosen)


@settings(max_examples=250, deadline=None)
@given(VISITS)
def test_the_count_is_who_is_inside_and_every_pulse_has_its_own_decision(
    visits: list[tuple[str, str, bool, int]],
) -> None:
    day = Day()
    for plate, way, turns_back, gap_s in visits:
        day.visit(plate, way, turns_back, gap_s)
        assert day.lanes.inside() == len(day.inside)
    for lane in (IN, OUT):
        commands = day.lanes.commands(lane)
        assert day.lanes.gates[lane].pulses == sum(one.tries for one in commands)
        assert all(one.tries <= 1 and one.is_over for one in commands)
