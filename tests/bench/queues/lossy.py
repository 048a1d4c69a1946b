"""Storages that lose, double, alter or forget on purpose: the counting of trial.py is tried on them."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.bench.queues.contenders import fill, number_of
from tests.bench.queues.trial import STRIDE


class LineFile:
    """A line an event. lose, double, alter: this event of each writer. synced: fsync before it is accepted.

    hold: every other reader gives all and never comes to its acknowledgement.
    """

    exact = True

    def __init__(
        self,
        folder: Path,
        template: str,
        lose: int = -1,
        double: int = -1,
        alter: int = -1,
        synced: bool = False,
        hold: bool = False,
    ) -> None:
        """Open the file."""
        self._path, self._template, self._synced = folder / "lines.txt", template, synced
        self._lose, self._double, self._alter = lose, double, alter
        self._held = folder / "held" if hold else None
        self._file = self._path.open("ab", buffering=0)

    def put(self, numbers: Sequence[int]) -> bool:
        """Append what is not to be lost; claim to have all."""
        for number in numbers:
            if number % STRIDE != self._lose:
                self._file.write(fill(self._template, number).encode() + b"\n")
        if self._synced:
            os.fsync(self._file.fileno())
        return True

    def settle(self) -> None:
        """Nothing is left to do after a put."""

    def drain(self, give: Callable[[bytes], None]) -> None:
        """Give all lines, then empty the file."""
        for body in self._path.read_bytes().splitlines():
            place = (number_of(body) or 0) % STRIDE
            give(body + b" " if place == self._alter else body)
            if place == self._double:
                give(body)
        if self._held and not self._held.exists():
            self._held.touch()
            threading.Event().wait(60)
        os.truncate(self._path, 0)
        if self._held:
            self._held.unlink()

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class NoDisk:
    """Cannot be opened."""

    def __init__(self, folder: Path, template: str) -> None:
        """Fail."""
        raise OSError("no disk today")
