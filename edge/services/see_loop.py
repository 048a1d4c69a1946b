"""Take what loops, limit switches and time say of a lane."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from devices.types import GateInputs
from edge.parking.advance import Blind, LoopStuck, Tick, advance
from edge.parking.facility import Lane
from edge.parking.observation import BoomChange, BoomPlace, LoopChange
from edge.parking.passage import Passage
from edge.services.box import Box
from edge.services.lane_turn import LaneTurn, own_time
from edge.services.records import Unit
from edge.services.stuck_loops import STUCK_MS, believe_again, believed, call_stuck, stuck_loops, without


def see_loop(box: Box, lane_name: str, loop: int, occupied: bool) -> None:
    """Take a change of one presence loop, such as a camera reports; raise Invalid for a lane that is not
    here.

    A vehicle that comes onto a loop of a lane with nobody in it begins a passage.
    """
    lane = box.parking.lane(lane_name)
    now = box.clock.now()
    change = LoopChange(lane.name, loop, occupied, now.wall_at)

    def work(unit: Unit) -> None:
        stuck = stuck_loops(unit, lane)
        if loop not in stuck:
            behind = sum(one < loop for one in stuck)
            _take(LaneTurn(unit, box, lane, now), (replace(change, loop=loop - behind),))
        elif not occupied:
            passage = unit.passages.current(lane.name)
            loops = _restored(() if passage is None else passage.loops, stuck, lane.loops)
            believe_again(unit, box, lane, loops, (loop,), now)

    box.store.write(work)
    box.wake_lane(lane.name)


def see_inputs(box: Box, lane: Lane, inputs: GateInputs, *, first: bool = False) -> bool:
    """Take what a gate's board reads now; return whether that was news. Nothing is written when it is not.

    first: nobody has looked for a while, so that a vehicle there may have come long ago.
    """
    passage, stuck = box.store.read(lambda unit: (unit.passages.current(lane.name), stuck_loops(unit, lane)))
    if not (_news(lane, passage, inputs, stuck) or _freed(stuck, inputs)):
        return False
    now = box.clock.now()

    def work(unit: Unit) -> None:
        turn = LaneTurn(unit, box, lane, now)
        hanging = stuck_loops(unit, lane)
        changes = _news(lane, unit.passages.current(lane.name), inputs, hanging)
        _take(turn, changes, _place(inputs) if lane.boom else None, found=first)
        free = _freed(hanging, inputs)
        if free:
            believe_again(unit, box, lane, inputs.loops, free, now)

    box.store.write(work)
    return True


def note_blind(box: Box, lane: Lane) -> None:
    """Note that nobody looked at a lane's inputs for a while; what passed meanwhile was not seen."""
    now = box.clock.now()

    def work(unit: Unit) -> None:
        passage = unit.passages.current(lane.name)
        if passage is not None:
            LaneTurn(unit, box, lane, now).see(passage, Blind())

    box.store.write(work)


def tick_lane(box: Box, lane: Lane) -> Passage | None:
    """Let time go by at a lane; return the passage there, None when nobody is. Writes only what time
    changes."""
    now = box.clock.now()

    def look(unit: Unit) -> tuple[Passage | None, tuple[int, ...], int]:
        passage = unit.passages.current(lane.name)
        at = 0 if passage is None else own_time(unit, passage, now)
        return passage, stuck_loops(unit, lane), at

    passage, stuck, at = box.store.read(look)
    if passage is None:
        return None
    rules = box.parking.passage_rules(believed(lane, stuck))
    still = advance(passage, Tick(), at, rules) == (passage, ())
    if still and not _hangs(passage, at):
        return passage

    def work(unit: Unit) -> Passage | None:
        current = unit.passages.current(lane.name)
        if current is not None and _hangs(current, own_time(unit, current, now)):
            current = call_stuck(unit, box, lane, current, now, "")
            current = LaneTurn(unit, box, lane, now).see(current, LoopStuck())
        if current is not None and not current.is_over:
            LaneTurn(unit, box, lane, now).see(current, Tick())
        return unit.passages.current(lane.name)

    return box.store.write(work)


def _take(
    turn: LaneTurn,
    changes: Sequence[LoopChange | BoomChange],
    boom: BoomPlace | None = None,
    *,
    found: bool = False,
) -> None:
    for change in changes:
        passage = turn.unit.passages.current(turn.lane.name)
        if passage is None and isinstance(change, BoomChange):
            continue
        if passage is None:
            if isinstance(change, LoopChange) and not change.occupied:
                continue
            passage = turn.begin(boom=boom, found=found)
            turn.unit.passages.put(passage)
        turn.see(passage, change)


def _hangs(passage: Passage, at: int) -> bool:
    """Whether a loop is occupied for so long, with no vehicle known to be there, that it must be stuck."""
    if not any(passage.loops) or (passage.plate and not (passage.crossed or passage.near_freed)):
        return False
    return at - passage.signs_at >= STUCK_MS


def _freed(stuck: tuple[int, ...], inputs: GateInputs) -> tuple[int, ...]:
    return tuple(loop for loop in stuck if loop < len(inputs.loops) and not inputs.loops[loop])


def _restored(known: tuple[bool, ...], stuck: tuple[int, ...], count: int) -> tuple[bool, ...]:
    """Return a report for each of `count` loops from those that are believed; the others count as free."""
    reports = iter(known)
    return tuple(False if loop in stuck else next(reports, False) for loop in range(count))


def _news(
    lane: Lane, passage: Passage | None, inputs: GateInputs, stuck: tuple[int, ...]
) -> list[LoopChange | BoomChange]:
    """Return what differs from what the passage knows; without one, the loops that are occupied."""
    loops = without(inputs.loops[: lane.loops], stuck)
    known = () if passage is None else passage.loops
    found: list[LoopChange | BoomChange] = []
    if lane.boom and passage is not None and _place(inputs) is not passage.boom:
        found.append(BoomChange(lane.name, _place(inputs), 0))
    for loop, occupied in enumerate(loops):
        before = known[loop] if loop < len(known) else False
        if occupied is not before:
            found.append(LoopChange(lane.name, loop, occupied, 0))
    # Loops that went free between two looks did so in driving order: else it would seem to roll back.
    return sorted(found, key=_order)


def _order(change: LoopChange | BoomChange) -> tuple[int, int]:
    if isinstance(change, BoomChange):
        return (0, 0) if change.place is BoomPlace.UP else (2, 0)
    return (1, change.loop)


def _place(inputs: GateInputs) -> BoomPlace:
    if inputs.boom_up:
        return BoomPlace.UP
    return BoomPlace.DOWN if inputs.boom_down else BoomPlace.BETWEEN
