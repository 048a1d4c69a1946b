"""Hold a gate open for a time (fire, power, congestion), and let it go again."""

from __future__ import annotations

from dataclasses import replace

from edge.clock import Instant
from edge.errors import Invalid
from edge.parking.facility import Lane
from edge.parking.gate_command import GateCommand, GateCommandState, advanced
from edge.services.box import Box
from edge.services.parking_events import tell_hold
from edge.services.passage_records import HoldReason, LaneHold
from edge.services.records import Unit

#: How long a gate may be held open at once, and the letters of a note.
MAX_HOLD_S = 12 * 3600
MAX_NOTE = 200

#: While a held gate's boom is seen down, it is raised again so often at most.
RAISE_EVERY_MS = 10_000

#: Pulses of one hold; a boom that still comes down then is not held by us.
MAX_PULSES = 500


def hold_gate(
    box: Box, lane_name: str, reason: HoldReason, by: str, seconds: int, note: str = ""
) -> LaneHold:
    """Hold a lane's gate open for a time; while it is, everybody passes. Return the hold.

    Asking again prolongs or shortens the hold that goes on. Raises Invalid for a lane or a time that cannot
    be.
    """
    lane = box.parking.lane(lane_name)
    if not by:
        raise Invalid("say who holds the gate open")
    if not 1 <= seconds <= MAX_HOLD_S:
        raise Invalid(f"a gate is held open for 1 to {MAX_HOLD_S} seconds, not {seconds}")
    now = box.clock.now()

    def work(unit: Unit) -> LaneHold:
        hold = unit.lane_holds.current(lane.name)
        until_at = now.wall_at + seconds * 1000
        if hold is None:
            hold = LaneHold(
                box.ids.new_id(),
                lane.name,
                reason,
                note[:MAX_NOTE],
                by,
                now.wall_at,
                until_at,
                now.boot_id,
                now.boottime_ns,
            )
            hold = _raise_boom(unit, box, lane, hold, now)
        else:
            hold = replace(hold, until_at=until_at)
        unit.lane_holds.put(hold)
        tell_hold(unit, box, lane, hold, now)
        return hold

    done = box.store.write(work)
    box.wake_lane(lane.name)
    return done


def end_hold(box: Box, lane_name: str, by: str) -> LaneHold | None:
    """Let a gate go again; return the hold that ended, None when there was none. The boom closes by
    itself."""
    lane, now = box.parking.lane(lane_name), box.clock.now()

    def work(unit: Unit) -> LaneHold | None:
        hold = unit.lane_holds.current(lane.name)
        return None if hold is None else _end(unit, box, lane, hold, by, now)

    done = box.store.write(work)
    box.wake_lane(lane.name)
    return done


def keep_held(box: Box, lane: Lane, boom_down: bool) -> bool:
    """Let time go by for a held gate: end it when its time is over, raise a boom that came down.

    Return whether the gate is held. boom_down: what the limit switches say now.
    """
    now = box.clock.now()
    hold = box.store.read(lambda unit: unit.lane_holds.current(lane.name))
    if hold is None:
        return False
    over = _is_over(hold, now)
    if not over and not (boom_down and hold.pulses < MAX_PULSES):
        return True

    def work(unit: Unit) -> bool:
        current = unit.lane_holds.current(lane.name)
        if current is None:
            return False
        if over:
            _end(unit, box, lane, current, "", now)
            return False
        if _may_raise(unit, current, now):
            unit.lane_holds.put(_raise_boom(unit, box, lane, current, now))
        return True

    return box.store.write(work)


def _is_over(hold: LaneHold, now: Instant) -> bool:
    if hold.begun_boot == now.boot_id:
        since_ms = (now.boottime_ns - hold.begun_ns) // 1_000_000
        return since_ms >= hold.until_at - hold.begun_at
    return now.wall_at >= hold.until_at


def _may_raise(unit: Unit, hold: LaneHold, now: Instant) -> bool:
    last = unit.gate_commands.get(_pulse_id(hold, hold.pulses))
    if last is None:
        return True
    if last.decided_boot != now.boot_id:
        return True
    return (now.boottime_ns - last.decided_ns) // 1_000_000 >= RAISE_EVERY_MS


def _raise_boom(unit: Unit, box: Box, lane: Lane, hold: LaneHold, now: Instant) -> LaneHold:
    last = unit.gate_commands.get(_pulse_id(hold, hold.pulses))
    if last is not None and not last.is_over:
        end = GateCommandState.WITHDRAWN if not last.may_have_opened else GateCommandState.CLOSED
        unit.gate_commands.change(advanced(last, end, now.wall_at))
    number = hold.pulses + 1
    unit.gate_commands.add(
        GateCommand(
            _pulse_id(hold, number),
            lane.name,
            lane.gate,
            "",
            "held_open",
            hold.by,
            now.wall_at,
            now.boot_id,
            now.boottime_ns,
        )
    )
    return replace(hold, pulses=number)


def _end(unit: Unit, box: Box, lane: Lane, hold: LaneHold, by: str, now: Instant) -> LaneHold:
    last = unit.gate_commands.get(_pulse_id(hold, hold.pulses))
    if last is not None and not last.is_over:
        end = GateCommandState.WITHDRAWN if not last.may_have_opened else GateCommandState.CLOSED
        unit.gate_commands.change(advanced(last, end, now.wall_at))
    ended = replace(hold, ended_at=now.wall_at, ended_by=by)
    unit.lane_holds.put(ended)
    tell_hold(unit, box, lane, ended, now)
    return ended


def _pulse_id(hold: LaneHold, number: int) -> str:
    return f"{hold.hold_id}#{number}"
