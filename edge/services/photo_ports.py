"""Where the pictures of cameras are kept, as a protocol."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from devices.types import Photo


@dataclass(frozen=True, slots=True)
class PhotoFigures:
    """What is kept, and what could not be. lost: pictures that the disk did not take."""

    files: int
    size_bytes: int
    lost: int


class Photos(Protocol):
    """Pictures by name, a folder for each day; any thread calls."""

    def keep(self, day: date, camera: str, key: str, photos: Sequence[Photo]) -> tuple[str, ...]:
        """Keep the pictures of one read and return their names, the whole scene first.

        The same read gives the same names, and its pictures are written once a day. A picture that the disk
        does not take is left out and counted: the read must not be lost with it.
        """

    def fetch(self, name: str) -> bytes | None:
        """Return a picture, None for a name that is none or is gone."""

    def tidy(self, oldest: date, max_bytes: int) -> int:
        """Delete the days before `oldest`, then the oldest days above `max_bytes`; return how many files.

        The latest day stays whatever its size.
        """

    def figures(self) -> PhotoFigures:
        """Return what is kept, as of the last `tidy` and what came since."""
