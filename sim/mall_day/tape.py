"""The day's steps: counted and hashed as they come, and the one at which the power goes."""

from __future__ import annotations

import hashlib

from sim.steps import Crash, Steps

#: Steps that are hashed at a time.
_BATCH = 4_096


class Tape(Steps):
    """Counts and hashes steps without keeping them; a day has millions."""

    def __init__(self) -> None:
        """Nothing was done yet."""
        super().__init__()
        self._hash = hashlib.sha256()
        self._taken = 0
        self._cut_at = 0

    def cut_after(self, steps: int) -> None:
        """Have the service die so many steps from here."""
        self._cut_at = self._taken + steps

    def take(self, name: str) -> None:
        """Count one step; raise Crash when the power goes at it."""
        self._taken += 1
        self.names.append(name)
        if len(self.names) >= _BATCH:
            self._flush()
        if self._taken == self._cut_at:
            raise Crash(f"step {self._taken}: {name}")

    def note(self, what: str) -> None:
        """Put a line into the log that is no step of its own."""
        self.names.append(what)

    @property
    def count(self) -> int:
        """How many steps were taken."""
        return self._taken

    def digest(self) -> str:
        """Return the SHA-256 of the log so far: two days with the same one did the same."""
        self._flush()
        return self._hash.hexdigest()

    def _flush(self) -> None:
        self._hash.update("\n".join((*self.names, "")).encode())
        self.names.clear()
