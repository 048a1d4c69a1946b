"""Work the lanes: send openings at once, read loops and switches, let time go by, show and say texts."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import structlog

from devices.types import DeviceAbsent, DeviceError, DeviceSilent, DeviceStatus, GateInputs
from edge.clock import pause
from edge.parking.decision import Why
from edge.parking.facility import Lane
from edge.parking.gate_command import GateCommand, GateCommandState
from edge.services.answer_guard import open_by_hand
from edge.services.box import Box
from edge.services.hold_gate import keep_held
from edge.services.open_lane import Opening, end_cut_off, open_lane
from edge.services.ports import Display, Gate
from edge.services.records import Unit
from edge.services.see_loop import note_blind, see_inputs, tick_lane
from edge.services.show_lane import LaneWords, lane_words
from edge.workers import Worker

#: Pauses between looks at a lane, in seconds: while a vehicle is there, while nobody is, while inputs fail.
BUSY_S = 0.03
IDLE_S = 0.12
BLIND_S = 2.0

#: Pauses after a step that could not be written: a vehicle drives on meanwhile, or stands there and waits.
AGAIN_PAUSES_S = (BUSY_S, 5.0)

#: How long a start may look at the lanes' inputs before anything else is done.
BEGIN_S = 2.0

#: A lane without inputs has nothing to look at but time and the books.
NO_INPUTS_S = 0.2

#: Before a pulse that surely was not sent is tried again.
AGAIN_S = 0.3

#: Between looks at a display's words when nobody wakes it, and after it failed.
SHOW_S = 0.5
SHOW_AGAIN_S = 3.0

#: A board that lost its power shows its words again after so long, and one that is dead is noticed.
REFRESH_S = 60

#: How long an opening that was asked for from afar may take to be heard of.
OUTCOME_S = 3.0
OUTCOME_LOOK_S = 0.02

#: Reads that are too old are forgotten, so many at a time.
TIDY_S = 600.0
TIDY_READS = 500
_DAY_MS = 24 * 3_600_000

TellLoops = Callable[[str, bool | None], None]

_log = structlog.get_logger("lanes")


class Lanes:
    """The lanes of this box. gates, displays: by the name of the device."""

    def __init__(
        self,
        box: Box,
        gates: Mapping[str, Gate],
        displays: Mapping[str, Display],
        tell_loops: TellLoops = lambda lane, occupied: None,
    ) -> None:
        """Do nothing yet. A lane whose gate is missing in `gates` opens by its camera alone.

        tell_loops: told at each look whether a lane has an occupied loop, None when its inputs are silent.
        """
        self._box = box
        lanes = box.parking.facility.lanes
        self._gates = {lane.name: gates[lane.gate] for lane in lanes if lane.gate in gates}
        self._lanes = {
            lane.name: _LaneWork(box, lane, self._gates.get(lane.name), tell_loops) for lane in lanes
        }
        shown = [(lane, displays[lane.display]) for lane in lanes if lane.display in displays]
        self._shows = {lane.name: _LaneShow(box, lane, display) for lane, display in shown}
        self._workers = {
            name: Worker(f"lane-{name}", one.step, pauses_s=AGAIN_PAUSES_S)
            for name, one in self._lanes.items()
        }
        self._showers = {name: Worker(f"show-{name}", one.step) for name, one in self._shows.items()}

    def workers(self) -> list[Worker]:
        """Return a worker for each lane and each display, and one that tidies; none without lanes."""
        if not self._lanes:
            return []
        return [*self._workers.values(), *self._showers.values(), Worker("lanes-tidy", self._tidy)]

    def begin(self) -> int:
        """Look at what the last stop left; return how many openings it left in doubt.

        Who stands at the lanes is seen before anything else is heard of them, as far as `BEGIN_S` goes: a
        read that a camera kept may be of a vehicle that is still there.
        """
        doubts = end_cut_off(self._box) if self._lanes else 0
        began = self._box.clock.now()
        for one in self._lanes.values():
            if self._box.clock.now().since_ms(began) < BEGIN_S * 1000:
                one.look()
        return doubts

    def wake(self, lane: str) -> None:
        """Look at a lane now."""
        for workers in (self._workers, self._showers):
            worker = workers.get(lane)
            if worker is not None:
                worker.wake()

    def remote_gates(self, gates: Mapping[str, Gate]) -> dict[str, Gate]:
        """Return the gates as HQ may open them: those of lanes through the ledger of their lane."""
        lanes = {lane.gate: lane for lane in self._box.parking.facility.lanes if lane.gate}
        return {
            name: _LedgerGate(self._box, lanes[name], gate) if name in lanes else gate
            for name, gate in gates.items()
        }

    def _tidy(self) -> float:
        before = self._box.clock.now().wall_at - self._box.parking.keep_reads_days * _DAY_MS

        def work(unit: Unit) -> int:
            return unit.plate_reads.forget(before, TIDY_READS)

        return 1.0 if self._box.store.write(work) == TIDY_READS else TIDY_S


class _LaneWork:
    """One lane's turn, taken by one thread."""

    def __init__(self, box: Box, lane: Lane, gate: Gate | None, tell_loops: TellLoops) -> None:
        self._box = box
        self._lane = lane
        self._gate = gate
        self._tell_loops = tell_loops
        self._sees = gate is not None and bool(lane.loops or lane.boom)
        self._blind = self._looked = False

    def step(self) -> float:
        """Send what waits, then look; return the pause. Nothing is written where nothing happens."""
        waits, held = self._box.store.read(self._waits)
        if self._gate is not None and waits:
            opening = open_lane(self._box, self._lane, self._gate)
            if opening is not Opening.NONE:
                _log.info("gate", lane=self._lane.name, opening=opening.value)
            if opening in (Opening.AGAIN, Opening.FAILED):
                self.look()
                return AGAIN_S
        inputs = self.look()
        held = held and keep_held(self._box, self._lane, inputs is not None and inputs.boom_down)
        passage = tick_lane(self._box, self._lane)
        if self._blind:
            return BLIND_S if passage is None else NO_INPUTS_S
        if not self._sees:
            return NO_INPUTS_S
        return BUSY_S if passage is not None or held else IDLE_S

    def _waits(self, unit: Unit) -> tuple[bool, bool]:
        """Return whether an opening waits to be sent, and whether the gate is held open."""
        name = self._lane.name
        return unit.gate_commands.to_send(name) is not None, unit.lane_holds.current(name) is not None

    def look(self) -> GateInputs | None:
        """Read loops and switches and take them in; return them, None when nobody can."""
        if self._gate is None or not self._sees:
            return None
        try:
            inputs = self._gate.inputs()
        except DeviceError as error:
            if not self._blind:
                _log.warning("inputs cannot be read", lane=self._lane.name, why=str(error))
            self._blind = True
            if self._lane.loops:
                self._tell_loops(self._lane.name, None)
            return None
        if self._blind:
            note_blind(self._box, self._lane)
        first, self._blind, self._looked = self._blind or not self._looked, False, True
        if self._lane.loops and inputs.loops:
            self._tell_loops(self._lane.name, any(inputs.loops[: self._lane.loops]))
        see_inputs(self._box, self._lane, inputs, first=first)
        return inputs


class _LaneShow:
    """One lane's display, worked by a thread of its own: a slow board delays no gate."""

    def __init__(self, box: Box, lane: Lane, display: Display) -> None:
        self._box = box
        self._lane = lane
        self._display = display
        self._shown: LaneWords | None = None
        self._shown_ns = 0
        self._failed = False

    def step(self) -> float:
        """Show and say what is new, and now and then what stands there; return the pause."""
        words, now_ns = self._box.store.read(self._words), self._box.clock.now().boottime_ns
        faded = now_ns - self._shown_ns >= REFRESH_S * 1_000_000_000
        if words is None or (words == self._shown and not faded):
            return SHOW_S
        before = self._shown
        try:
            if before is None or words.lines != before.lines or faded:
                self._display.show(words.lines)
                self._shown_ns = now_ns
            if words.voice and (before is None or words.voice != before.voice):
                self._display.say(words.voice)
        except DeviceError as error:
            if not self._failed:
                _log.warning("display", lane=self._lane.name, why=str(error))
            # What it shows is not known any more: a board that comes back is given all of it anew.
            self._failed, self._shown = True, None
            return SHOW_AGAIN_S
        self._shown, self._failed = words, False
        return 0.0

    def _words(self, unit: Unit) -> LaneWords | None:
        # Gate and display may share one line: an opening goes first.
        if self._lane.gate and unit.gate_commands.to_send(self._lane.name) is not None:
            return None
        return lane_words(unit, self._box, self._lane)


class _LedgerGate:
    """A lane's gate as it is opened from afar: port Gate over the lane's ledger."""

    def __init__(self, box: Box, lane: Lane, gate: Gate) -> None:
        self.name = gate.name
        self._box = box
        self._lane = lane
        self._gate = gate

    def pulse(self) -> None:
        """Open once for whoever stands there; return when the board has echoed it.

        Raises DeviceAbsent (surely not sent) or DeviceSilent (not known within `OUTCOME_S`).
        """
        passage = open_by_hand(self._box, self._lane.name, "HQ", "opened by HQ", Why.FROM_HQ)
        for _ in range(int(OUTCOME_S / OUTCOME_LOOK_S)):
            command = self._command(passage.passage_id)
            if command is None or command.state in _DONE:
                return
            if command.state in (GateCommandState.FAILED, GateCommandState.WITHDRAWN):
                raise DeviceAbsent(f"gate {self.name}: {command.detail or 'it was not sent'}")
            if command.state is GateCommandState.DOUBTFUL:
                raise DeviceSilent(f"gate {self.name}: {command.detail}")
            pause(OUTCOME_LOOK_S)
        raise DeviceSilent(f"gate {self.name}: nothing was heard of the opening within {OUTCOME_S} s")

    def inputs(self) -> GateInputs:
        """Read loops and limit switches."""
        return self._gate.inputs()

    def status(self) -> DeviceStatus:
        """Return the device's health."""
        return self._gate.status()

    def close(self) -> None:
        """Release the device."""
        self._gate.close()

    def _command(self, passage_id: str) -> GateCommand | None:
        commands = self._box.store.read(lambda unit: unit.gate_commands.of_passage(passage_id))
        return commands[-1] if commands else None


_DONE = frozenset(
    {
        GateCommandState.ECHOED,
        GateCommandState.BOOM_OPEN,
        GateCommandState.PASSED,
        GateCommandState.CLOSED,
    }
)
