"""A simulated plate camera that is worked by words, for `python -m sim camera`.

    camera = CameraConsole("vzicom", "http://127.0.0.1:8080/camera/TOKEN", now_ms, print)
    with camera: camera.command("see 粤B12345")

What it sees comes with a rendered picture of that car, so that the service has something to show.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Protocol, Self

from sim.cameras.dahua import DahuaHabits, SimDahua
from sim.cameras.hikvision import HikvisionHabits, SimHikvision
from sim.cameras.sight import CameraCounts, CameraFaults, Read, misread
from sim.cameras.vzicom import CameraActions, SimVzicom, VzicomHabits
from sim.display import SimBoard
from sim.gate import GateHabits, SimGate
from sim.plates import Conditions, Light, Plate, Sight, lane_picture, plate_kind_of

KINDS = ("vzicom", "hikvision", "dahua")
HELP = (
    "see PLATE | misread PLATE | none | turned_back PLATE | staying PLATE | loop N on|off | "
    "outage on|off | drop N | half N | delay SECONDS | duplicate on|off | clock SECONDS | status"
)

#: The longest that a fault may be asked for: answers, posts, seconds.
MOST = 1_000_000


class _Camera(Protocol):
    faults: CameraFaults
    counts: CameraCounts

    def see(self, read: Read) -> None: ...


@dataclass(frozen=True, slots=True)
class ConsoleHabits:
    """How the camera is set. serial: that it says, "" for its maker's example. comet: Vzicom alone."""

    kind: str
    url: str
    serial: str = ""
    comet: bool = False


class CameraConsole:
    """The camera with a gate on its relay and a text board on its serial port."""

    def __init__(self, habits: ConsoleHabits, now_ms: Callable[[], int], say: Callable[[str], None]) -> None:
        """say: told when the gate opens or the board changes. Raises ValueError for an unknown kind."""
        self.gate, self.board = SimGate(GateHabits(real_time=False)), SimBoard()
        self._now_ms, self._say, self._running = now_ms, say, ExitStack()
        self._number = now_ms() // 1000 % 1_000_000_000
        actions = CameraActions(self._open, self._write)
        self._camera: _Camera
        if habits.kind == "vzicom":
            wanted = VzicomHabits(habits.url, comet=habits.comet)
            wanted = replace(wanted, serial=habits.serial or wanted.serial)
            self._vzicom: SimVzicom | None = SimVzicom(wanted, now_ms, actions)
            self._camera = self._vzicom
        else:
            self._vzicom, self._camera = None, _other(habits, now_ms, actions)

    def __enter__(self) -> Self:
        """Let the camera post."""
        self._running.enter_context(self._camera)  # type: ignore[arg-type]
        return self

    def __exit__(self, *_: object) -> None:
        self._running.close()

    def command(self, line: str) -> str:
        """Do what a line says, see HELP; return what to tell the person."""
        words = line.split()
        try:
            if not self._seen(words) and not self._switched(words) and words not in ([], ["status"]):
                return f"unknown: {line!r}; {HELP}"
        except ValueError as error:
            return f"{line!r} is not understood: {error}; {HELP}"
        return self.status()

    def status(self) -> str:
        """Return what went over the wire, and how the wires behind the camera stand."""
        counts, faults = self._camera.counts, self._camera.faults
        kept = f", {self._vzicom.stored()} kept" if self._vzicom else ""
        last = f", last trouble: {counts.said[-1]}" if counts.said else ""
        return (
            f"{counts.posts} posts, {counts.answered} answered, {counts.failed} failed{kept}, "
            f"opened {counts.opened}; shows {self.board.lines()}; {faults}{last}"
        )

    def _seen(self, words: list[str]) -> bool:
        match words:
            case ["see", plate]:
                self._camera.see(self._read(plate, "auto"))
            case ["misread", plate]:
                self._camera.see(misread(self._read(plate, "auto"), self._number))
            case ["none"]:
                self._camera.see(self._read("", "auto"))
            case ["turned_back" | "staying" as trigger, plate]:
                self._camera.see(self._read(plate, trigger))
            case ["loop", number, "on" | "off" as state]:
                if self._vzicom is None:
                    raise ValueError("only a vzicom reports its inputs")
                self._vzicom.loop(_number(number, 3), state == "on")
            case _:
                return False
        return True

    def _switched(self, words: list[str]) -> bool:
        faults = self._camera.faults
        match words:
            case ["outage" | "duplicate" as name, "on" | "off" as state]:
                setattr(faults, name, state == "on")
            case ["drop" | "half" as name, count]:
                setattr(faults, name, _number(count, MOST))
            case ["delay", seconds]:
                faults.delay_s = float(_number(seconds, MOST))
            case ["clock", seconds]:
                faults.clock_ms = int(seconds) * 1000
            case _:
                return False
        return True

    def _read(self, text: str, trigger: str) -> Read:
        self._number += 1
        if not text:
            return Read("", self._number, self._now_ms(), "unknown", "", trigger)
        if not 7 <= len(text) <= 8:
            raise ValueError(f"{text!r} is no plate of 7 or 8 characters, such as 粤B12345")
        plate = Plate(text, plate_kind_of(text))
        sight = Sight(plate, Conditions(light=Light.DAY, plate_px=190), sum(map(ord, text)))
        try:
            picture = lane_picture(sight)
        except KeyError as error:
            raise ValueError(f"no plate has the character {error}") from None
        sure = (97,) * len(text)
        return Read(
            text, self._number, self._now_ms(), plate.colour, plate.kind, trigger, sure,
            picture.jpeg(), picture.plate_jpeg(),
        )  # fmt: skip

    def _open(self) -> None:
        self.gate.contact(True)
        self.gate.contact(False)
        self._say("the gate opens")

    def _write(self, data: bytes) -> None:
        self.board.receive(data)
        self._say(f"the board shows {self.board.lines()}")


def _other(habits: ConsoleHabits, now_ms: Callable[[], int], actions: CameraActions) -> _Camera:
    if habits.kind == "hikvision":
        wanted = HikvisionHabits(habits.url)
        return SimHikvision(replace(wanted, mac=habits.serial or wanted.mac), now_ms)
    if habits.kind == "dahua":
        set_up = DahuaHabits(habits.url)
        return SimDahua(replace(set_up, device_id=habits.serial or set_up.device_id), now_ms, actions)
    raise ValueError(f"a simulated camera is one of {', '.join(KINDS)}, not {habits.kind!r}")


def _number(text: str, most: int) -> int:
    if not (text.isascii() and text.isdigit()) or int(text) > most:
        raise ValueError(f"{text!r} is no number from 0 to {most}")
    return int(text)


def run(habits: ConsoleHabits, now_ms: Callable[[], int], commands: Iterable[str] | None = None) -> None:
    """Work a camera until `commands` (default: standard input) end."""
    with CameraConsole(habits, now_ms, lambda text: print(text, flush=True)) as camera:
        print(f"{habits.kind} camera posts to {habits.url}; commands: {HELP}", flush=True)
        for line in sys.stdin if commands is None else commands:
            print(camera.command(line.strip()), flush=True)
