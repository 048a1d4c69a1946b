"""The delta form of a snapshot: steps that make the whole content from that of an earlier version.

One JSON object a line, in the order of the base: {"copy": N} takes the next N bytes of the base, {"skip": N}
leaves them out, {"put": "text"} adds UTF-8 text. All of the base must be copied or skipped. So base and delta
are read once from front to back, whatever their size, and every kind has the same delta. Pure.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from edge.errors import Invalid

#: The longest line of a delta, in bytes, and the most that is held of the base at a time.
MAX_STEP_BYTES = 256 * 1024


class Step(StrEnum):
    """What a line of a delta says."""

    COPY = "copy"
    SKIP = "skip"
    PUT = "put"


@dataclass(frozen=True, slots=True)
class DeltaStep:
    """One line. count: bytes of the base, 0 for PUT. text: what PUT adds."""

    kind: Step
    count: int = 0
    text: bytes = b""


def read_steps(blocks: Iterable[bytes]) -> Iterator[DeltaStep]:
    """Yield the steps of a delta that comes in any pieces; raise Invalid naming the line that is wrong."""
    for number, line in enumerate(split_lines(blocks, MAX_STEP_BYTES), 1):
        yield _step(line, number)


def patched(base: Iterable[bytes], steps: Iterable[DeltaStep]) -> Iterator[bytes]:
    """Yield the new content in pieces; raise Invalid when the steps do not fit the base."""
    reader = _Reader(base)
    for step in steps:
        if step.kind is Step.PUT:
            yield step.text
            continue
        for piece in reader.take(step.count):
            if step.kind is Step.COPY:
                yield piece
    if not reader.is_at_end():
        raise Invalid("the delta ends before its base does; copy or skip all of the base")


def split_lines(blocks: Iterable[bytes], longest: int) -> Iterator[bytes]:
    """Yield lines without their ends (LF or CR LF) from any pieces; raise Invalid for one too long."""
    rest, number = b"", 0
    for block in blocks:
        *whole, rest = (rest + block).split(b"\n")
        for line in whole:
            number += 1
            _require_short(line, longest, number)
            yield line.removesuffix(b"\r")
        _require_short(rest, longest, number + 1)
    if rest:
        yield rest.removesuffix(b"\r")


class _Reader:
    """Takes bytes off the front of pieces."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = iter(pieces)
        self._rest = b""

    def take(self, count: int) -> Iterator[bytes]:
        while count:
            self._rest = self._rest or next(self._pieces, b"")
            if not self._rest:
                raise Invalid("the delta takes more of its base than there is")
            piece, self._rest = self._rest[:count], self._rest[count:]
            count -= len(piece)
            yield piece

    def is_at_end(self) -> bool:
        return not self._rest and not next((piece for piece in self._pieces if piece), b"")


def _require_short(line: bytes, longest: int, number: int) -> None:
    if len(line) > longest:
        raise Invalid(f"line {number} has more than {longest} bytes; is a line end missing?")


def _step(line: bytes, number: int) -> DeltaStep:
    try:
        said = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise Invalid(f"delta line {number} is not JSON: {error}") from error
    if not isinstance(said, dict) or len(said) != 1 or next(iter(said)) not in set(Step):
        raise Invalid(f'delta line {number} must be {{"copy": N}}, {{"skip": N}} or {{"put": "text"}}')
    [(kind, value)] = said.items()
    if kind == Step.PUT and isinstance(value, str) and value:
        return DeltaStep(Step.PUT, text=value.encode("utf-8", "surrogatepass"))
    if kind != Step.PUT and type(value) is int and value > 0:
        return DeltaStep(Step(kind), value)
    raise Invalid(f"delta line {number}: {kind} must have a whole number above 0 or, for put, a text")
