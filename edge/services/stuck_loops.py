"""Loops that report a vehicle though nobody is there: they are told of and not believed until they are free.

A detector that hangs would else begin one vehicle after another that nobody drives, and keep those that are
there from being seen to leave. A lane goes on with what is left of it: with the other loop, or with the
camera and the boom's limit switches alone.
"""

from __future__ import annotations

from dataclasses import replace

from edge.clock import Instant
from edge.parking.facility import Lane
from edge.parking.passage import Passage
from edge.services.box import Box
from edge.services.raise_alarm import clear_alarm, raise_alarm
from edge.services.records import Unit

#: How the names of loops' alarms begin; "<lane>:<loop from 1>" follows.
ALARM = "loop:"

#: A loop that is occupied so long after the last sign of a vehicle, with nobody known there, is stuck.
STUCK_MS = 180_000


def stuck_loops(unit: Unit, lane: Lane) -> tuple[int, ...]:
    """Return the numbers of the loops of a lane that are not believed, from 0."""
    if not lane.loops:
        return ()
    names = {one.name for one in unit.alarms.all() if one.name.startswith(ALARM)}
    return tuple(loop for loop in range(lane.loops) if _name(lane, loop) in names) if names else ()


def believed(lane: Lane, stuck: tuple[int, ...]) -> Lane:
    """Return the lane as if it had no more loops than those that are believed."""
    return replace(lane, loops=lane.loops - len(stuck)) if stuck else lane


def without(loops: tuple[bool, ...], stuck: tuple[int, ...]) -> tuple[bool, ...]:
    """Return what the loops that are believed report."""
    return tuple(one for number, one in enumerate(loops) if number not in stuck) if stuck else loops


def call_stuck(unit: Unit, box: Box, lane: Lane, passage: Passage, now: Instant, by: str) -> Passage:
    """Stop believing the loops that are occupied at a lane; return its passage as it is then written.

    by: who says that nobody is there, "" for time alone.
    """
    before = stuck_loops(unit, lane)
    numbers = [number for number in range(lane.loops) if number not in before]
    hanging = [number for number, is_on in zip(numbers, passage.loops, strict=False) if is_on]
    why = f"{by} says that nobody is there" if by else f"on for {STUCK_MS // 1000} s, no vehicle known"
    for number in hanging:
        detail = f"loop {number + 1} of lane {lane.name} is stuck: {why}"
        raise_alarm(unit, box.ids, now, box.origin, _name(lane, number), "stuck", detail)
    after = replace(passage, loops=tuple(False for is_on in passage.loops if not is_on))
    if hanging:
        unit.passages.put(after)
    return after if hanging else passage


def believe_again(
    unit: Unit, box: Box, lane: Lane, loops: tuple[bool, ...], free: tuple[int, ...], now: Instant
) -> None:
    """Believe loops again that have become free. loops: what all of the lane's report now."""
    for number in free:
        detail = f"loop {number + 1} of lane {lane.name} is free again"
        clear_alarm(unit, box.ids, now, box.origin, _name(lane, number), "free", detail)
    passage = unit.passages.current(lane.name)
    if passage is None:
        return
    now_on = without(loops[: lane.loops], stuck_loops(unit, lane))
    # A vehicle may be under the boom just now: it goes on as if all loops had been believed all the time.
    far = len(now_on) > 1 and now_on[-1] and bool(passage.opening)
    unit.passages.put(replace(passage, loops=now_on, on_far=far, near_freed=far and not now_on[0]))


def _name(lane: Lane, loop: int) -> str:
    return f"{ALARM}{lane.name}:{loop + 1}"
