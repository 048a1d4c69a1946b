"""One turn of a lane: what was seen moves its passage on, and all that follows is written with it.

Everything here happens inside the caller's unit of work. What must be done at once after the commit (a pulse,
a text on the display) is the lane's worker's, which finds it written.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace

from edge.clock import Instant
from edge.elapsed import elapsed
from edge.errors import Invalid
from edge.parking.advance import Seen, advance, begin
from edge.parking.decision import decision_id
from edge.parking.facility import Lane, LaneWay
from edge.parking.gate_command import GateCommand, GateCommandState, advanced
from edge.parking.observation import BoomPlace
from edge.parking.passage import Behind, Passage
from edge.parking.passage_step import Effect, EffectKind
from edge.services.box import Box
from edge.services.decide_entry import decide_entry
from edge.services.decide_exit import decide_exit
from edge.services.lane_stays import (
    begin_stay,
    end_stay,
    meet_follower,
    name_stay,
    tell_tailgated,
    undo_entry,
    undo_leave,
)
from edge.services.parking_events import tell_gate
from edge.services.records import Unit
from edge.services.stay_time import MAX_BOOTS
from edge.services.stuck_loops import believed, stuck_loops

#: Steps that one thing seen may lead to; more would be a loop in our own rules.
MAX_STEPS = 40


@dataclass(frozen=True, slots=True)
class LaneTurn:
    """A turn of one lane at one instant, within one unit of work."""

    unit: Unit
    box: Box
    lane: Lane
    now: Instant

    def see(self, passage: Passage, seen: Seen) -> Passage:
        """Move a passage on and do what follows from it; return it as it is then written."""
        rules = self.box.parking.passage_rules(believed(self.lane, stuck_loops(self.unit, self.lane)))
        todo: deque[Effect] = deque()
        moved, effects = advance(passage, seen, self.at(passage), rules)
        todo.extend(effects)
        for _ in range(MAX_STEPS):
            if not todo:
                break
            effect = todo.popleft()
            if effect.kind is EffectKind.DECIDE:
                moved, effects = advance(moved, self._decide(moved), self.at(moved), rules)
                todo.extend(effects)
            elif effect.kind is EffectKind.NEXT:
                self.unit.passages.put(moved)
                self._next(moved, effect.behind)
            else:
                moved = self._do(moved, effect)
        if moved != passage:
            self.unit.passages.put(moved)
        return moved

    def begin(
        self, loops: tuple[bool, ...] = (), boom: BoomPlace | None = None, *, found: bool = False
    ) -> Passage:
        """Return the passage of a vehicle that has come, or was `found` there; not yet written."""
        now, lane = self.now, self.lane
        loops = loops or (False,) * (lane.loops - len(stuck_loops(self.unit, lane)))
        passage_id = self.box.ids.new_id()
        one = begin(passage_id, lane.name, lane.way, now.wall_at, now.boot_id, now.boottime_ns, loops, boom)
        return replace(one, found=True) if found else one

    def at(self, passage: Passage) -> int:
        """Return the present moment on a passage's own clock."""
        return own_time(self.unit, passage, self.now)

    def _decide(self, passage: Passage) -> Seen:
        decide = decide_entry if self.lane.way is LaneWay.ENTRY else decide_exit
        return decide(self.unit, self.box, self.lane, passage, self.now)

    def _next(self, before: Passage, behind: Behind | None) -> None:
        """Begin the passage of the vehicle behind."""
        following = self.begin(before.loops, before.boom, found=before.blind)
        read = None if behind is None else self.unit.plate_reads.get(behind.read_id)
        if read is None or behind is None:
            self.unit.passages.put(following)
            return
        age_ms = self.at(before) - behind.seen_at
        self.see(following, replace(read, age_ms=max(read.age_ms, age_ms)))

    def _do(self, passage: Passage, effect: Effect) -> Passage:
        unit, box, lane, now = self.unit, self.box, self.lane, self.now
        kind = effect.kind
        if kind is EffectKind.OPEN:
            self._command(passage, effect.number)
        elif kind is EffectKind.WITHDRAW:
            self._ledger(passage, effect.number, GateCommandState.WITHDRAWN)
        elif kind is EffectKind.LEDGER and effect.state is not None:
            self._ledger(passage, effect.number, effect.state)
        elif kind is EffectKind.TELL:
            self._tell(passage, effect.word)
        elif kind is EffectKind.ENTER:
            return begin_stay(unit, box, lane, passage, now)
        elif kind is EffectKind.LEAVE:
            return end_stay(unit, box, lane, passage, now)
        else:
            _ON_STAY[kind](unit, box, lane, passage, now)
        return passage

    def _command(self, passage: Passage, number: int) -> None:
        decision = passage.decision
        if decision is None:
            raise Invalid(f"passage {passage.passage_id} opens without a decision")
        now = self.now
        self.unit.gate_commands.add(
            GateCommand(
                decision_id(passage.passage_id, number),
                self.lane.name,
                self.lane.gate,
                passage.passage_id,
                decision.why.value,
                decision.by,
                now.wall_at,
                now.boot_id,
                now.boottime_ns,
            )
        )
        if decision.by:
            tell_gate(self.unit, self.box, self.lane, passage, "opened_by_person", now)

    def _ledger(self, passage: Passage, number: int, state: GateCommandState) -> None:
        command = self.unit.gate_commands.get(decision_id(passage.passage_id, number))
        # Lifted by hand or held open: there is no command. One that was not sent goes no further.
        if command is None or command.is_over:
            return
        if command.state is GateCommandState.DECIDED and state is not GateCommandState.WITHDRAWN:
            return
        self.unit.gate_commands.change(advanced(command, state, self.now.wall_at))

    def _tell(self, passage: Passage, word: str) -> None:
        if word in ("opened_elsewhere", "stayed"):
            tell_gate(self.unit, self.box, self.lane, passage, word, self.now)
        asked = passage.question is not None and passage.question.why.value.startswith("gate_")
        if word == "asked" and asked and passage.question is not None:
            tell_gate(self.unit, self.box, self.lane, passage, passage.question.why.value, self.now)


def own_time(unit: Unit, passage: Passage, now: Instant) -> int:
    """Return a moment on a passage's own clock: its beginning and what has passed since.

    Over a restart of the machine that is what the runs prove, and never before the last sign: no vehicle is
    lost because the wall clock was set meanwhile.
    """
    begun = Instant(passage.begun_at, passage.begun_boot, passage.begun_ns, trusted=False)
    if begun.boot_id == now.boot_id:
        return passage.begun_at + now.since_ms(begun)
    since_ms = elapsed(unit.boots.recent(MAX_BOOTS), begun, now).least_ms
    return max(passage.signs_at, passage.begun_at + since_ms)


_ON_STAY = {
    EffectKind.UNDO_ENTRY: undo_entry,
    EffectKind.UNDO_LEAVE: undo_leave,
    EffectKind.FOLLOWER: meet_follower,
    EffectKind.TAILGATED: tell_tailgated,
    EffectKind.NAME: name_stay,
}
