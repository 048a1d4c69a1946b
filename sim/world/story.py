"""What happened in a run, for whoever must understand it: what was done outside, committed, seen and lost.

Of thousands of steps a person needs few: the calls that changed something outside the service, each
transaction with what it wrote, what a screen showed when it changed, and what somebody was told.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields, is_dataclass
from enum import Enum
from typing import Any

from sim.world.steps import EFFECTS
from sim.world.world import World

#: Moments that are told before and after each death, and of a run without one its last.
BEFORE, AFTER, LAST = 14, 10, 24

#: The longest that one value and one write or call is told, and writes of one transaction.
VALUE, MOMENT, WRITES = 120, 240, 12

#: Calls that only look, and records whose writes say little.
_LOOKS = ("link.status", "gateway.name", "gate.inputs", "display.show", "store.")
_READS = re.compile(
    r"\.(get|find|of_|open|last|current|next_|is_|has|count|depth|window|by_|linked|due"
    r"|moving|printing|to_|pages|shown_|beginning|assigned|(terms|purchase|claim|trail)$)"
)
_DULL = ("unit.workstations.", "unit.plate_reads.set_clock", "unit.boots.", "unit.scans.")
_FIRST = {"state": 0, "print_state": 0, "phase": 0, "amount_fen": 1, "legs": 1, "tenders": 1, "entries": 1}
_SILENT = ("_ns", "_boot", "_at", "workstation", "business_day", "token")
_ID = re.compile(r"[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?([0-9a-f]{12})")


@dataclass(frozen=True, slots=True)
class Moment:
    """One thing that happened. step: its last step. kind: outside, committed, lost, screen, told or DIED."""

    step: int
    kind: str
    words: str

    def __str__(self) -> str:
        """Return it as a line."""
        return f"{self.step:8}  {self.kind:9}  {self.words}"


class Watched(World):
    """A world that keeps what its steps were about, and what its people saw."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        self.seen: list[Moment] = []
        self._shown: dict[str, str] = {}
        super().__init__(*arguments, **named)
        self.steps.about = {}

    def look(self, workstation: str) -> Mapping[str, Any]:
        """Return what the screen shows."""
        screen = super().look(workstation)
        words = f"{workstation}: {_screen(screen)}"
        if self._shown.get(workstation) != words:
            self._shown[workstation] = words
            self.seen.append(Moment(self.steps.count, "screen", words))
        return screen


def story(world: Watched) -> Iterator[str]:
    """Yield the moments around each death of a run, or its last ones."""
    reading = _Reading(world.steps.about or {}, world.crash_at)
    read = (one for step, name in enumerate(world.steps.names, 1) for one in reading.take(step, name))
    found = sorted([*read, *world.seen], key=lambda one: one.step)
    deaths = [at for at, one in enumerate(found) if one.kind == "DIED"]
    wanted = {near for at in deaths for near in range(at - BEFORE, at + AFTER + 1)}
    wanted = wanted or set(range(len(found) - LAST, len(found)))
    yield "what happened, by the last step of each (~ stands for the beginning of an id):"
    before = -1
    for at, moment in enumerate(found):
        if at in wanted:
            if at != before + 1:
                yield f"{'...':>8}"
            yield str(moment)
            before = at
    if before + 1 < len(found):
        yield f"{'...':>8}"


def brief(value: object, within: bool = False) -> str:
    """Return a value as short as it can be understood: its state first, no defaults, no heads of ids.

    within: it is part of another, of which a few words must do.
    """
    if isinstance(value, Enum):
        return str(value.value)
    if is_dataclass(value) and not isinstance(value, type):
        told = [one for one in _said(value) if not (within and one[0].endswith(("_id", "_no")))] or _said(
            value
        )
        said = [f"{name}={brief(one, within=True)}" for name, one in told]
        return f"{type(value).__name__}({', '.join(said[: 3 if within else None])})"
    if isinstance(value, bytes):
        return f"<{len(value)} bytes>"
    if isinstance(value, (tuple, list)):
        return f"[{', '.join(brief(one, within=True) for one in value[:4])}{', ...' * (len(value) > 4)}]"
    if isinstance(value, BaseException):
        return f"{type(value).__name__}: {value}"
    return _ID.sub(lambda found: f"~{found.group(1).lstrip('0') or '0'}", str(value))[:VALUE]


def _said(value: Any) -> list[tuple[str, object]]:
    """Return the fields that say something, what tells most first; moments say little to a person."""
    told = []
    for one in fields(value):
        found = getattr(value, one.name)
        default = one.default_factory() if one.default_factory is not MISSING else one.default
        if found != default and found not in (None, "", ()) and not one.name.endswith(_SILENT):
            told.append((one.name, found))
    return sorted(told, key=lambda named: _FIRST.get(named[0], 2))


class _Reading:
    """Reads the steps of a run one after another into moments."""

    def __init__(self, about: Mapping[int, tuple[object, ...]], deaths: Sequence[int]) -> None:
        self._about, self._deaths = about, deaths
        self._writes: list[str] = []
        self._begun: tuple[int, str] | None = None

    def take(self, step: int, whole: str) -> Iterator[Moment]:
        """Yield what one step completes."""
        name, *notes = whole.split(" | ")
        if name.startswith("store.write"):
            yield from self._transaction(step, name)
        elif name.startswith("unit.") and not _READS.search(name) and not name.startswith(_DULL):
            about = self._about.get(step, ())
            self._writes.append(f"{name.removeprefix('unit.')} {brief(about[0]) if about else ''}".rstrip())
        elif name.startswith(EFFECTS) and not name.startswith(_LOOKS):
            yield from self._effect(step, *name.split(" ", 1))
        yield from (Moment(step, "told", one) for one in notes if one.startswith("told: "))
        if step in self._deaths:
            yield from _death(step, name, self._writes, self._begun)
            self._writes, self._begun = [], None

    def _transaction(self, step: int, name: str) -> Iterator[Moment]:
        if name.endswith("after") and self._writes:
            yield Moment(step, "committed", _lines(self._writes))
        self._writes = []

    def _effect(self, step: int, call: str, side: str) -> Iterator[Moment]:
        about = self._about.get(step, ())
        if side == "before":
            self._begun = step, f"{call}({', '.join(brief(one) for one in about)})"
        elif self._begun is not None:
            yield from _outside(step, self._begun[1], about)
            self._begun = None


def _lines(writes: Sequence[str]) -> str:
    """Return each write of a transaction on its own line."""
    more = [f"and {len(writes) - WRITES} more"] if len(writes) > WRITES else []
    return f"\n{'':21}".join([*(one[:MOMENT] for one in writes[:WRITES]), *more])


def _outside(step: int, call: str, about: Sequence[object]) -> Iterator[Moment]:
    answer = brief(about[0]) if about else ""
    if not (call.startswith(("scanner.read", "link.acks")) and answer in ("None", "[]")):
        words = call[:MOMENT] if answer == "None" else f"{call[:MOMENT]} -> {answer[:MOMENT]}"
        yield Moment(step, "outside", words)


def _death(step: int, name: str, writes: Sequence[str], begun: tuple[int, str] | None) -> Iterator[Moment]:
    if writes:
        yield Moment(step, "lost", _lines(["the transaction under way:", *writes]))
    if begun is not None:
        done = "was not made" if begun[0] == step else "was made, its answer was not heard"
        yield Moment(step, "outside", f"{begun[1][:MOMENT]} {done}")
    yield Moment(step, "DIED", f"at {name}; what was in memory is gone, then it starts again")


def _screen(screen: Mapping[str, Any]) -> str:
    words = [str(screen["screen"])]
    if screen["order"] is not None:
        words.append(f"order {screen['order']['number']}, paid {screen['order']['paid_fen']} fen")
    if screen["notice"] is not None:
        words.append(f"notice {screen['notice'].get('code', '')}")
    return ", ".join(words)
