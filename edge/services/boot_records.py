"""The runs of the machine, as records."""

from __future__ import annotations

from typing import Protocol

from edge.elapsed import Boot


class Boots(Protocol):
    """The last runs of the machine, each as its last heartbeat left it."""

    def last(self) -> Boot | None:
        """Return the newest run that is known."""

    def recent(self, limit: int) -> tuple[Boot, ...]:
        """Return the newest `limit` runs, the oldest of them first."""

    def put(self, boot: Boot) -> None:
        """Write a run, new or as a later heartbeat found it."""

    def forget(self, keep: int) -> int:
        """Delete all but the newest `keep` runs; return how many went."""
