"""What a simulated camera believes to have seen, and how cameras go wrong."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

#: Characters that readers take for one another.
CONFUSED = {
    "0": "DQ", "D": "0Q", "Q": "0D", "8": "B", "B": "8", "1": "T7", "T": "17", "7": "1Z", "Z": "27", "2": "Z",
    "5": "S", "S": "5", "E": "F", "F": "E", "M": "N", "N": "M", "6": "G", "G": "6", "U": "V", "V": "U",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Read:
    """One recognition. text: "" for a vehicle without a plate. number: the record's, unique at its camera.

    colour, kind: as sim.plates names them. at_ms: by the camera's clock. trigger: auto, loop, staying or
    turned_back. confidences: 0-100 for each character. scene, cut: JPEG files.
    """

    text: str
    number: int
    at_ms: int
    colour: str = "blue"
    kind: str = "blue"
    trigger: str = "auto"
    confidences: tuple[int, ...] = ()
    scene: bytes = b""
    cut: bytes = b""


@dataclass(slots=True)
class CameraFaults:
    """What is wrong. outage: nothing gets out. drop: so many of the next answers are not heard. delay_s:
    before each post. duplicate: every read goes out twice. half: the next posts break off half-way.
    clock_ms: how far the camera's clock is ahead."""

    outage: bool = False
    drop: int = 0
    delay_s: float = 0.0
    duplicate: bool = False
    half: int = 0
    clock_ms: int = 0


@dataclass(frozen=True, slots=True)
class Push:
    """A read as it went out last, and what came back: None for no good answer."""

    read: Read
    answer: bytes | None


@dataclass(slots=True)
class CameraCounts:
    """What went over the wire. lost: records that found no room. last: the last try of the last read."""

    posts: int = 0
    answered: int = 0
    failed: int = 0
    opened: int = 0
    lost: int = 0
    last: Push | None = None
    said: list[str] = field(default_factory=list)


def misread(read: Read, seed: int) -> Read:
    """Return the read with one character taken for another that looks like it, and said to be unsure."""
    places = [at for at, char in enumerate(read.text) if at > 1 and char in CONFUSED]
    if not places:
        return read
    chance = np.random.default_rng((seed, 3))
    at = places[int(chance.integers(len(places)))]
    choices = CONFUSED[read.text[at]]
    text = read.text[:at] + choices[int(chance.integers(len(choices)))] + read.text[at + 1 :]
    sure = tuple(58 if place == at else 97 for place in range(len(text)))
    return replace(read, text=text, confidences=sure)
