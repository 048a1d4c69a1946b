"""A disk in memory: a size, what is on it, and a reserve."""

from __future__ import annotations

from edge.errors import Unavailable
from edge.services.ports import DiskSpace


class FakeDisk:
    """Implements ports.Disk. free_bytes: what is left, to be changed by a test; broken: it cannot be asked.

    compact_bytes: what one compaction gives back at most.
    """

    def __init__(self, total_bytes: int, free_bytes: int, reserve_bytes: int = 0) -> None:
        self.total_bytes = total_bytes
        self.free_bytes = free_bytes
        self.reusable_bytes = 0
        self.compact_bytes = 8 * 1024 * 1024
        self.broken = False
        self._reserve_bytes = reserve_bytes
        self._held = False

    def space(self) -> DiskSpace:
        """Return how much is left."""
        if self.broken:
            raise Unavailable("the disk cannot be asked: Input/output error")
        return DiskSpace(self.total_bytes, self.free_bytes, self.reusable_bytes)

    def has_reserve(self) -> bool:
        """Return whether the reserve is in its place."""
        return self._held

    def hold_reserve(self) -> bool:
        """Take the reserve's space."""
        if not self._held and self.free_bytes >= self._reserve_bytes:
            self._held = True
            self.free_bytes -= self._reserve_bytes
        return self._held

    def release_reserve(self) -> bool:
        """Give the reserve's space back."""
        held, self._held = self._held, False
        if held:
            self.free_bytes += self._reserve_bytes
        return held

    def compact(self) -> int:
        """Give some freed pages back."""
        given = min(self.reusable_bytes, self.compact_bytes)
        self.reusable_bytes -= given
        self.free_bytes += given
        return given
