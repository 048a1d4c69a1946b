"""Passages under observations that come reordered, repeated, late, or not at all."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from hypothesis import given, settings
from hypothesis import strategies as st

from edge.parking.advance import GateNews, GuardAnswer, Seen, Settled, Tick, advance, begin, is_echo
from edge.parking.decision import Answer, Decision, Verdict, Why
from edge.parking.facility import LaneWay
from edge.parking.gate_command import GateCommandState
from edge.parking.observation import BoomChange, BoomPlace, LoopChange, PlateRead, Trigger
from edge.parking.passage import THROUGH, Passage, PassageEnd, PassageRules, PassageState
from edge.parking.passage_step import Effect, EffectKind

PLATES = ("粤B12345", "粤B67890", "京AF12345", "")
START = 1_000_000

LANES = st.builds(
    PassageRules,
    way=st.sampled_from(LaneWay),
    loops=st.integers(0, 3),
    boom=st.booleans(),
)
READS = st.tuples(
    st.just("read"),
    st.sampled_from(PLATES),
    st.sampled_from((0, 50, 3_000, 10_000, 10_001, 60_000, 250_000)),
    st.sampled_from((Trigger.AUTO, Trigger.AUTO, Trigger.LOOP, Trigger.STAYING, Trigger.TURNED_BACK)),
    st.booleans(),
)
LOOPS = st.tuples(st.just("loop"), st.integers(0, 3), st.booleans())
BOOMS = st.tuples(st.just("boom"), st.sampled_from(BoomPlace))
NEWS = st.tuples(
    st.just("news"),
    st.sampled_from((GateCommandState.ECHOED, GateCommandState.FAILED, GateCommandState.DOUBTFUL)),
    st.integers(0, 2),
)
ANSWERS = st.tuples(st.just("answer"), st.sampled_from(Answer), st.sampled_from(PLATES[:2]))
OTHERS = st.sampled_from((("settled",), ("again",), ("echo",), ("decided",)))
WAITS = st.tuples(st.just("wait"), st.sampled_from((10, 400, 2_500, 7_000, 31_000, 130_000, 700_000)))
SCRIPTS = st.lists(st.one_of(READS, READS, LOOPS, LOOPS, BOOMS, NEWS, ANSWERS, OTHERS, WAITS), max_size=45)


@dataclass
class Lane:
    """A lane over the pure machine: it does what a lane's turn does, and checks what must hold."""

    rules: PassageRules
    now: int = START
    number: int = 0
    current: Passage | None = None
    over: list[Passage] = field(default_factory=list)
    reads: dict[str, PlateRead] = field(default_factory=dict)
    opened: set[tuple[str, int]] = field(default_factory=set)
    answers: int = 0
    stays: dict[str, int] = field(default_factory=dict)
    followers: int = 0
    paid: bool = False
    last_read: PlateRead | None = None

    def play(self, step: tuple) -> None:  # type: ignore[type-arg]
        kind, *rest = step
        if kind == "wait":
            self.now += rest[0]
            self.see(Tick())
        elif kind == "read":
            self.read(*rest)
        elif kind == "loop" and rest[0] < self.rules.loops:
            self.loop(*rest)
        elif kind == "boom" and self.rules.boom:
            self.see(BoomChange("lane", rest[0], self.now))
        elif self.current is not None:
            self.tell(self.current, kind, *rest)

    def tell(self, here: Passage, kind: str, *rest) -> None:  # type: ignore[no-untyped-def]
        """What only means something while somebody is there."""
        if kind == "again" and self.last_read is not None:
            self.see(replace(self.last_read, age_ms=min(self.now - self.last_read.seen_at, 10**9)))
        elif kind == "news":
            self.see(GateNews(max(0, here.opening - rest[1]), rest[0]))
        elif kind == "echo":
            self.see(GateNews(here.opening, GateCommandState.ECHOED))
        elif kind == "answer":
            self.answers += 1
            self.see(GuardAnswer(rest[0], "guard", "reason", plate=rest[1], session_id="stay"))
        elif kind == "settled":
            self.paid = True
            self.see(Settled(here.session_id))
        elif kind == "decided" and here.fresh:
            # A decision that comes again, or by itself.
            self.see(Decision(Verdict.OPEN, Why.VISITOR, session_id="stay", plate=here.plate))

    def read(self, plate: str, age_ms: int, trigger: Trigger, backfill: bool) -> None:
        self.number += 1
        read = PlateRead(
            f"read-{self.number}",
            "lane",
            "cam",
            f"{self.number}",
            plate,
            self.now - age_ms,
            self.now,
            age_ms,
            trigger=trigger,
            backfill=backfill,
        )
        self.reads[read.read_id] = read
        self.last_read = read
        if self.current is None and not backfill:
            echo = self.over and is_echo(self.over[-1], plate, read.seen_at, self.rules)
            if echo or trigger is Trigger.TURNED_BACK:
                if self.over:
                    self.amend(read)
                return
            self.begin()
        if self.current is not None:
            self.see(read)

    def amend(self, read: PlateRead) -> None:
        moved, effects = advance(self.over[-1], read, self.now, self.rules)
        assert moved.is_over
        self.over[-1] = moved
        for effect in effects:
            self.do(moved, effect, read)

    def loop(self, loop: int, occupied: bool) -> None:
        if self.current is None and occupied:
            self.begin()
        self.see(LoopChange("lane", loop, occupied, self.now))

    def begin(self, loops: tuple[bool, ...] = (), boom: BoomPlace | None = None) -> None:
        self.number += 1
        loops = loops or (False,) * self.rules.loops
        self.current = begin(f"p-{self.number}", "lane", self.rules.way, self.now, loops=loops, boom=boom)

    def see(self, seen: Seen) -> None:
        if self.current is None:
            return
        moved, effects = advance(self.current, seen, self.now, self.rules)
        todo, following = list(effects), None
        for _ in range(30):
            if not todo:
                break
            effect = todo.pop(0)
            if effect.kind is EffectKind.DECIDE:
                assert not moved.opening, "something is decided while the gate opens"
                moved, more = advance(moved, self.decide(moved), self.now, self.rules)
                todo += more
            elif effect.kind is EffectKind.NEXT:
                following = effect
            else:
                moved = self.do(moved, effect, seen)
        assert not todo
        self.current = None if moved.is_over else moved
        if moved.is_over:
            self.over.append(moved)
            assert moved.end is not None
        if following is not None:
            assert moved.is_over
            self.follow(moved, following)

    def follow(self, before: Passage, effect: Effect) -> None:
        self.begin(before.loops, before.boom)
        if effect.behind is not None:
            read = self.reads[effect.behind.read_id]
            self.see(replace(read, age_ms=max(read.age_ms, self.now - effect.behind.seen_at)))

    def decide(self, passage: Passage) -> Decision:
        """Decide by the plate alone, as the use cases would: one is let in, one pays, others are asked."""
        if not passage.plate:
            return Decision(Verdict.ASK, Why.NO_PLATE)
        if passage.plate == PLATES[1] and self.rules.way is LaneWay.EXIT and not self.paid:
            return Decision(Verdict.PAY, Why.DUE, session_id="stay", due_fen=500)
        if passage.plate == PLATES[2]:
            return Decision(Verdict.QUEUE if self.rules.way is LaneWay.ENTRY else Verdict.ASK, Why.FULL)
        return Decision(Verdict.OPEN, Why.VISITOR, session_id="stay", plate=passage.plate)

    def check_opening(self, passage: Passage, number: int, seen: Seen) -> None:
        key = (passage.passage_id, number)
        assert key not in self.opened, "one decision opened twice"
        assert passage.decision is not None
        assert passage.decision.number == number
        self.opened.add(key)
        if passage.decision.by:
            assert isinstance(seen, GuardAnswer)
            return
        by_read = self.reads.get(passage.read_id)
        if by_read is not None and not self.answers:
            assert not by_read.backfill, "a backfilled read opened"
            assert by_read.age_ms <= self.rules.stale, "a stale read opened"
        if isinstance(seen, PlateRead) and not self.answers:
            assert seen.age_ms <= self.rules.stale, "a stale observation opened"

    def do(self, passage: Passage, effect: Effect, seen: Seen) -> Passage:
        key = passage.passage_id
        if effect.kind is EffectKind.OPEN:
            self.check_opening(passage, effect.number, seen)
        elif effect.kind is EffectKind.ENTER:
            assert self.stays.get(key, 0) == 0, "two stays for one passage"
            self.stays[key] = 1
        elif effect.kind is EffectKind.UNDO_ENTRY:
            assert self.stays.get(key) == 1, "a stay was undone that was not"
            self.stays[key] = 0
        elif effect.kind is EffectKind.FOLLOWER:
            self.followers += 1
        return passage

    def settle(self) -> None:
        """Everybody has gone: loops free, the boom is down, and time goes by."""
        for loop in range(self.rules.loops):
            self.see(LoopChange("lane", loop, False, self.now))
        if self.rules.boom:
            self.see(BoomChange("lane", BoomPlace.DOWN, self.now))
        for _ in range(3 * (self.rules.lost // 5_000) + 20):
            if self.current is None:
                return
            for loop in range(self.rules.loops):
                self.see(LoopChange("lane", loop, False, self.now))
            self.now += 5_000
            self.see(Tick())


@settings(max_examples=400, deadline=None)
@given(LANES, SCRIPTS)
def test_whatever_is_seen_a_decision_opens_once_and_never_by_an_old_read(
    rules: PassageRules,
    script: list[tuple],  # type: ignore[type-arg]
) -> None:
    lane = Lane(rules)
    for step in script:
        lane.play(step)
    openings = {}  # type: ignore[var-annotated]
    for passage_id, _ in lane.opened:
        openings[passage_id] = openings.get(passage_id, 0) + 1
    assert sum(openings.values()) - len(openings) <= lane.answers, "more than one opening without a person"


@settings(max_examples=300, deadline=None)
@given(LANES, SCRIPTS)
def test_every_passage_ends_and_its_stay_is_what_its_end_says(
    rules: PassageRules,
    script: list[tuple],  # type: ignore[type-arg]
) -> None:
    lane = Lane(rules)
    for step in script:
        lane.play(step)
    lane.settle()
    assert lane.current is None, f"a passage never ended: {lane.current}"
    for passage in lane.over:
        assert passage.ended_at is not None
        if rules.way is LaneWay.ENTRY and (passage.plate or passage.opening):
            assert lane.stays.get(passage.passage_id, 0) == (passage.end in THROUGH), passage


@settings(max_examples=300, deadline=None)
@given(LANES, SCRIPTS, st.sampled_from(PLATES))
def test_a_vehicle_that_stands_there_always_has_a_next_step(
    rules: PassageRules,
    script: list[tuple],
    plate: str,  # type: ignore[type-arg]
) -> None:
    lane = Lane(rules)
    for step in script:
        lane.play(step)
    lane.settle()
    # Whatever happened before, the next vehicle is not trapped by it.
    lane.now += 60_000
    if rules.loops:
        lane.loop(0, True)
    lane.read(plate, 0, Trigger.AUTO, False)
    lane.now += 7_000
    lane.see(Tick())
    here = lane.current
    assert here is not None, "a vehicle stands there and nobody knows of it"
    waits = here.decision is not None and here.decision.verdict in (Verdict.PAY, Verdict.QUEUE)
    opened = here.state is PassageState.OPENED
    assert waits or opened or here.question is not None, here


@settings(max_examples=150, deadline=None)
@given(LANES, SCRIPTS)
def test_a_passage_ends_though_a_loop_says_for_ever_that_somebody_is_there(
    rules: PassageRules,
    script: list[tuple],  # type: ignore[type-arg]
) -> None:
    lane = Lane(rules)
    for step in script:
        lane.play(step)
    first = lane.current
    for _ in range(3 * (rules.lost // 5_000)):
        lane.now += 5_000
        lane.see(Tick())
    assert first is None or lane.current is None or lane.current.passage_id != first.passage_id


@settings(max_examples=200, deadline=None)
@given(LANES, st.permutations(range(6)), st.sets(st.integers(0, 5)), st.sets(st.integers(0, 5)))
def test_one_vehicle_whose_signs_are_shuffled_lost_and_doubled_opens_once(
    rules: PassageRules, order: list[int], lost: set[int], doubled: set[int]
) -> None:
    signs = [
        ("read", PLATES[0], 0, Trigger.AUTO, False),
        ("loop", 0, True),
        ("loop", max(rules.loops - 1, 0), True),
        ("loop", 0, False),
        ("loop", max(rules.loops - 1, 0), False),
        ("again",),
    ]
    lane = Lane(rules)
    for at in order:
        for _ in range(0 if at in lost else 2 if at in doubled else 1):
            lane.play(signs[at])
            lane.play(("echo",))
            lane.now += 300
    lane.settle()
    assert len(lane.opened) <= 1
    assert lane.current is None


def test_a_passage_that_is_over_stays_as_it_is() -> None:
    rules = PassageRules(LaneWay.ENTRY, loops=2)
    gone = replace(
        begin("p", "lane", LaneWay.ENTRY, START),
        state=PassageState.CLOSED,
        end=PassageEnd.PASSED,
        ended_at=START,
        plate=PLATES[0],
    )
    late = PlateRead("r", "lane", "cam", "1", PLATES[0], START, START)
    for seen in (late, LoopChange("lane", 0, True, 0), GuardAnswer(Answer.OPEN, "x"), Settled(""), Tick()):
        assert advance(gone, seen, START + 5, rules) == (gone, ())
