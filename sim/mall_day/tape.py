"""The day's steps: counted and hashed as they come, and the one at which the power goes."""

from __future__ import annotations

import hashlib

from sim.world.steps import Crash, Steps

#: Steps that are hashed at a time.
_BATCH = 4_096

#: Steps after which a power cut waits no longer for the right kind.
PATIENCE = 5_000


class Tape(Steps):
    """Counts and hashes steps without keeping them; a day has millions."""

    def __init__(self) -> None:
        """Nothing was done yet."""
        super().__init__()
        self._hash = hashlib.sha256()
        self._taken = 0
        self._cut_at: int | None = None
        self._cut_in: tuple[str, ...] = ()

    def cut_after(self, steps: int, kinds: tuple[str, ...] = ("",)) -> None:
        """Have the service die so many steps from here, or at the next step after it of these kinds.

        kinds: how the names of the steps begin, such as "unit." for one inside a transaction; on a day on
        which nothing of the kind happens any more any step will do after PATIENCE.
        """
        self._cut_at, self._cut_in = self._taken + steps, kinds

    def take(self, name: str, *about: object) -> None:
        """Count one step; raise Crash when the power goes at it."""
        self._taken += 1
        self.names.append(name)
        if len(self.names) >= _BATCH:
            self._flush()
        if self._cut_at is not None and self._is_cut(name, self._taken - self._cut_at):
            self._cut_at = None
            raise Crash(f"step {self._taken}: {name}")

    def _is_cut(self, name: str, late: int) -> bool:
        return late >= PATIENCE or (late >= 0 and name.startswith(self._cut_in))

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
