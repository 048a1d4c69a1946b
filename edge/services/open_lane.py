"""Send the opening that waits at a lane: intent on disk, pulse, outcome on disk.

A pulse that surely was not sent may be tried again. One that may have been sent is never sent again by
itself: either the boom or a vehicle shows that it opened, or a person is asked.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from devices.types import DeviceAbsent, DeviceSilent
from edge.clock import Instant
from edge.parking.advance import Blind, GateNews
from edge.parking.facility import Lane
from edge.parking.gate_command import GateCommand, GateCommandState, advanced, commanded, not_sent
from edge.services.box import Box
from edge.services.lane_turn import LaneTurn
from edge.services.ports import Gate
from edge.services.records import Unit


class Opening(StrEnum):
    """What became of looking for an opening to send: there was NONE; it was ECHOED; it is DOUBTFUL; it surely
    was not sent and is to be tried AGAIN; it was given up (FAILED); it was too OLD to be sent by itself."""

    NONE = "none"
    ECHOED = "echoed"
    DOUBTFUL = "doubtful"
    AGAIN = "again"
    FAILED = "failed"
    OLD = "old"


@dataclass(frozen=True, slots=True)
class _Claim:
    command: GateCommand | None
    opening: Opening


def open_lane(box: Box, lane: Lane, gate: Gate) -> Opening:
    """Send the oldest opening that waits at a lane; one caller for each lane. Takes as long as one pulse."""
    claim = box.store.write(lambda unit: _claim(unit, box, lane))
    command = claim.command
    if command is None:
        return claim.opening
    try:
        gate.pulse()
    except DeviceAbsent as error:
        return _close(box, lane, not_sent(command, str(error)))
    except DeviceSilent as error:
        at = box.clock.now().wall_at
        return _close(box, lane, advanced(command, GateCommandState.DOUBTFUL, at, str(error)))
    return _close(box, lane, advanced(command, GateCommandState.ECHOED, box.clock.now().wall_at))


def end_cut_off(box: Box) -> int:
    """Look at what the last stop left: a pulse that may have been sent is in doubt; return how many are.

    Called once, before any lane works. Nothing is sent: a person is asked while a vehicle stands there, and
    the boom or the loops may yet show that it opened.
    """
    now = box.clock.now()

    def work(unit: Unit) -> int:
        doubts = 0
        for lane in box.parking.facility.lanes:
            passage = unit.passages.current(lane.name)
            if passage is not None:
                LaneTurn(unit, box, lane, now).see(passage, Blind())
            for command in unit.gate_commands.going_on(lane.name):
                if command.state is GateCommandState.COMMANDED and lane.gate:
                    at = now.wall_at
                    doubtful = advanced(command, GateCommandState.DOUBTFUL, at, "cut off while it was sent")
                    _write(unit, box, lane, doubtful, now)
                    doubts += 1
        return doubts

    return box.store.write(work)


def _claim(unit: Unit, box: Box, lane: Lane) -> _Claim:
    command = unit.gate_commands.to_send(lane.name)
    if command is None:
        return _Claim(None, Opening.NONE)
    now = box.clock.now()
    if _is_old(box, command, now):
        # The vehicle may be gone and another may stand there: a person looks first.
        old = advanced(command, GateCommandState.WITHDRAWN, now.wall_at, "too old to be sent by itself")
        unit.gate_commands.change(old)
        _news(unit, box, lane, old, old.state, now)
        return _Claim(None, Opening.OLD)
    sent = commanded(command, now.wall_at)
    unit.gate_commands.change(sent)
    return _Claim(sent, Opening.NONE)


def _is_old(box: Box, command: GateCommand, now: Instant) -> bool:
    if command.decided_boot != now.boot_id:
        return True
    return now.boottime_ns - command.decided_ns > box.parking.times.command_s * 1_000_000_000


def _close(box: Box, lane: Lane, after: GateCommand) -> Opening:
    now = box.clock.now()
    box.store.write(lambda unit: _write(unit, box, lane, after, now))
    return _OPENINGS[after.state]


def _write(unit: Unit, box: Box, lane: Lane, after: GateCommand, now: Instant) -> None:
    known = unit.gate_commands.get(after.command_id)
    if known is None or known.is_over:
        # The vehicle left meanwhile; that the board answered changes nothing any more.
        return
    if known.state is GateCommandState.COMMANDED or after.state is not GateCommandState.DECIDED:
        unit.gate_commands.change(after)
    _news(unit, box, lane, after, after.state, now)


def _news(
    unit: Unit, box: Box, lane: Lane, command: GateCommand, state: GateCommandState, now: Instant
) -> None:
    passage = unit.passages.current(lane.name)
    if passage is None or passage.passage_id != command.passage_id:
        return
    number = int(command.command_id.rpartition("#")[2])
    LaneTurn(unit, box, lane, now).see(passage, GateNews(number, state))


_OPENINGS = {
    GateCommandState.DECIDED: Opening.AGAIN,
    GateCommandState.FAILED: Opening.FAILED,
    GateCommandState.DOUBTFUL: Opening.DOUBTFUL,
    GateCommandState.ECHOED: Opening.ECHOED,
}
