"""What a camera can be told in the answer to something that it asked. Pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class OpenBarrier:
    """Close the camera's own relay for one pulse."""


@dataclass(frozen=True, slots=True)
class SerialOut:
    """Send bytes out at the camera's own serial port. channel: from 0."""

    channel: int
    data: bytes


@dataclass(frozen=True, slots=True)
class ReadAgain:
    """Recognise what stands there now once more."""


CameraCommand = OpenBarrier | SerialOut | ReadAgain
