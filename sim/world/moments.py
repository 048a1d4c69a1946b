"""The moments of a run, read from its steps: what was done outside, committed and lost.

Of thousands of steps a person needs few: the calls that changed something outside the service, and each
transaction with what of its records became another.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass

from sim.world.brief import brief, changed
from sim.world.steps import EFFECTS

#: The longest that one write or call is told, and writes of one transaction.
LONGEST, WRITES = 240, 12

#: With what the name of a call begins that writes into a record; the others look.
# fmt: off
WRITING = frozenset({
    "accept", "acknowledge", "activate", "add", "append", "apply", "begin", "block", "carry", "change",
    "clear", "close", "compact", "correct", "dead", "discard", "done", "drop", "end", "enter", "erase",
    "expire", "finish", "forget", "give", "hand", "hear", "hold", "learn", "link", "log", "mark", "move",
    "note", "notify", "post", "progress", "publish", "pulse", "purge", "put", "refuse", "release",
    "replace", "rows", "say", "send", "sent", "set", "show", "spend", "stage", "swap", "take", "tell",
    "tidied", "tidy",
})
# fmt: on

#: Calls that only look, and records whose writes say little.
_LOOKS = ("link.status", "gateway.name", "gate.inputs", "display.show", "store.")
_DULL = ("unit.workstations.", "unit.plate_reads.set_clock", "unit.boots.", "unit.scans.")


@dataclass(frozen=True, slots=True)
class Moment:
    """One thing that happened. step: its last step.

    kind: outside, committed, lost, screen, told, machine, lanes or DIED.
    """

    step: int
    kind: str
    words: str


def writes(call: str) -> bool:
    """Return whether a call of a record writes, such as `put_note`; `notes` looks."""
    return call.split("_")[0] in WRITING and not call.endswith("_of")


class Reading:
    """Reads the steps of a run one after another into moments."""

    def __init__(self, about: Mapping[int, tuple[object, ...]], deaths: Sequence[int]) -> None:
        """about: see Steps. deaths: the steps at which the service died."""
        self._about, self._deaths = about, deaths
        self._writes: list[str] = []
        self._known: dict[tuple[str, str], object] = {}
        self._draft: dict[tuple[str, str], object] = {}
        self._begun: tuple[int, str] | None = None

    def take(self, step: int, whole: str) -> Iterator[Moment]:
        """Yield what one step completes. whole: its name, with what was noted there."""
        name, *notes = whole.split(" | ")
        record, _, call = name.removeprefix("unit.").partition(".")
        if name.startswith("store.write"):
            yield from self._transaction(step, name)
        elif name.startswith("unit.") and writes(call) and not name.startswith(_DULL):
            self._writes.append(f"{record}.{call} {self._wrote(record, self._about.get(step, ()))}".rstrip())
        elif name.startswith(EFFECTS) and not name.startswith(_LOOKS):
            yield from self._effect(step, *name.split(" ", 1))
        yield from (Moment(step, "told", one) for one in notes if one.startswith("told: "))
        if step in self._deaths:
            yield from _death(step, name, self._writes, self._begun)
            self._writes, self._draft, self._begun = [], {}, None

    def _wrote(self, record: str, about: Sequence[object]) -> str:
        """Return a write's record, or what of it has changed since it was written last."""
        if not about or not is_dataclass(about[0]):
            return ", ".join(brief(one) for one in about)
        value = about[0]
        key = record, str(getattr(value, fields(value)[0].name))
        before = self._draft.get(key, self._known.get(key))
        self._draft[key] = value
        return changed(value, before) if type(before) is type(value) else brief(value)

    def _transaction(self, step: int, name: str) -> Iterator[Moment]:
        if name.endswith("after"):
            self._known |= self._draft
            if self._writes:
                yield Moment(step, "committed", _lines(self._writes))
        self._writes, self._draft = [], {}

    def _effect(self, step: int, call: str, side: str) -> Iterator[Moment]:
        about = self._about.get(step, ())
        if side == "before":
            self._begun = step, f"{call}({', '.join(brief(one) for one in about)})"
        elif self._begun is not None:
            yield from _outside(step, self._begun[1], about)
            self._begun = None


def _lines(written: Sequence[str]) -> str:
    """Return each write of a transaction on its own line."""
    more = [f"and {len(written) - WRITES} more"] if len(written) > WRITES else []
    return "\n".join([*(one[:LONGEST] for one in written[:WRITES]), *more])


def _outside(step: int, call: str, about: Sequence[object]) -> Iterator[Moment]:
    answer = brief(about[0]) if about else ""
    if not (call.startswith(("scanner.read", "link.acks")) and answer in ("None", "[]")):
        words = call[:LONGEST] if answer == "None" else f"{call[:LONGEST]} -> {answer[:LONGEST]}"
        yield Moment(step, "outside", words)


def _death(step: int, name: str, written: Sequence[str], begun: tuple[int, str] | None) -> Iterator[Moment]:
    if written:
        yield Moment(step, "lost", _lines(["the transaction under way:", *written]))
    if begun is not None:
        done = "was not made" if begun[0] == step else "was made, its answer was not heard"
        yield Moment(step, "outside", f"{begun[1][:LONGEST]} {done}")
    yield Moment(step, "DIED", f"at {name}; what was in memory is gone, then it starts again")
