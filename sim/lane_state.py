"""What the lanes' page tells of a lane, as JSON, and the switches that it offers."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

from sim.cameras.sight import CameraCounts, CameraFaults
from sim.lane import SimLane

#: What a page shows of an answer, of a text within it, and how many happenings.
MOST_ANSWER, MOST_TEXT, MOST_HAPPENED = 400, 24, 12

_LONG = re.compile(rf"[A-Za-z0-9+/=]{{{MOST_TEXT + 1},}}")
_HOUR_MS = 3_600_000


class Camera(Protocol):
    """What all simulated cameras have."""

    faults: CameraFaults
    counts: CameraCounts


@dataclass(frozen=True, slots=True)
class Watched:
    """One lane with its camera. maker: as people call it."""

    lane: SimLane
    camera: Camera
    maker: str = ""


def lane_state(one: Watched) -> dict[str, object]:
    """Return what the page shows beside the drawing."""
    lane, counts, last = one.lane, one.camera.counts, one.camera.counts.last
    return {
        "name": lane.name,
        "maker": one.maker,
        "board": lane.board.lines(),
        "spoken": list(lane.board.spoken)[-1:],
        "opened": lane.gate.opened,
        "posts": counts.posts,
        "failed": counts.failed,
        "push": None
        if last is None
        else {
            "text": last.read.text,
            "trigger": last.read.trigger,
            "at": _clock(last.read.at_ms),
            "number": last.read.number,
            "answer": answer_words(last.answer),
        },
        "happened": [
            {"what": each.what, "plate": each.plate, "at": _clock(each.at_ms), "words": each.words}
            for each in list(lane.happened)[: -MOST_HAPPENED - 1 : -1]
        ],
        "switches": {name: switch.is_on(one) for name, switch in SWITCHES.items()},
    }


def answer_words(answer: bytes | None) -> str | None:
    """Return an answer for people: pictures, voices and other long codes shortened; None for none."""
    if answer is None:
        return None
    text = answer.decode("utf-8", "replace")
    return _LONG.sub(lambda found: f"{found[0][:8]}…", text)[:MOST_ANSWER]


@dataclass(frozen=True, slots=True)
class Switch:
    """One thing that may go wrong. turn: puts it on or off."""

    is_on: Callable[[Watched], bool]
    turn: Callable[[Watched, bool], None]


def turn(one: Watched, name: str, on: bool) -> bool:
    """Put a switch on or off; return False for one that there is not."""
    switch = SWITCHES.get(name)
    if switch is not None:
        switch.turn(one, on)
    return switch is not None


def _clock(at_ms: int) -> str:
    """The local time of the mall."""
    return f"{datetime.fromtimestamp(at_ms / 1000, UTC) + timedelta(hours=8):%H:%M:%S}"


def _camera(name: str, value: object, off: object) -> Switch:
    def put(one: Watched, on: bool) -> None:
        setattr(one.camera.faults, name, value if on else off)

    return Switch(lambda one: bool(getattr(one.camera.faults, name)), put)


def _misread(one: Watched, on: bool) -> None:
    one.lane.misreads = int(on)


def _stuck(one: Watched, on: bool) -> None:
    one.lane.gate.faults.boom_stuck = on


def _echo(one: Watched, on: bool) -> None:
    one.lane.gate.faults.echo_lost = on


def _board(one: Watched, on: bool) -> None:
    one.lane.board.faults.off = on


#: By name: of the camera, of its next car or answer, of the gate and of the board.
SWITCHES: Mapping[str, Switch] = {
    "outage": _camera("outage", True, False),
    "duplicate": _camera("duplicate", True, False),
    "delay": _camera("delay_s", 3.0, 0.0),
    "clock": _camera("clock_ms", -_HOUR_MS, 0),
    "drop": _camera("drop", 1, 0),
    "half": _camera("half", 1, 0),
    "misread": Switch(lambda one: one.lane.misreads > 0, _misread),
    "boom_stuck": Switch(lambda one: one.lane.gate.faults.boom_stuck, _stuck),
    "echo_lost": Switch(lambda one: one.lane.gate.faults.echo_lost, _echo),
    "board_off": Switch(lambda one: one.lane.board.faults.off, _board),
}
