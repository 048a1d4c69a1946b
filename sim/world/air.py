"""The way of a snapshot from HQ to the box: a broker that retains manifests, chunks that get lost."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence

from edge.services.take_snapshot import Heard
from sim.fakes.hq import Fate
from sim.snapshots import Content


class SnapshotAir:
    """Implements take_snapshot.SnapshotWire, with a broker that retains manifests and HQ at its far end.

    fate: what becomes of the next chunk. away: HQ answers nothing.
    """

    def __init__(self, fate: Callable[[], Fate]) -> None:
        self.away = False
        self._fate = fate
        self._chunks: dict[tuple[str, int], list[bytes]] = {}
        self._retained: dict[str, Heard] = {}
        self._told: dict[str, Heard] = {}
        self._coming: deque[Heard] = deque()
        self._late: list[Heard] = []

    def publish(self, content: Content) -> None:
        """Serve a content, and have the broker retain its manifest in place of the one before."""
        self._chunks[content.name, content.version] = content.chunks()
        self._retained[content.name] = Heard(content.name, content.manifest())
        self._told[content.name] = self._retained[content.name]

    def connect(self) -> None:
        """The box subscribes again: what is retained comes, what was on its way is lost."""
        self._told = dict(self._retained)
        self._coming.clear()
        self._late.clear()

    def take(self, limit: int) -> Sequence[Heard]:
        """Return what the box has not noted of manifests, and what came since the last call."""
        if self.away:
            return ()
        manifests = list(self._told.values())[:limit]
        taken = [self._coming.popleft() for _ in range(min(limit - len(manifests), len(self._coming)))]
        self._coming.extend(self._late)
        self._late.clear()
        return [*manifests, *taken]

    def noted(self, manifest: Heard) -> None:
        """The box has a manifest on record."""
        if self._told.get(manifest.name) is manifest:
            del self._told[manifest.name]

    def ask(self, name: str, version: int, numbers: Sequence[int]) -> bool:
        """Ask HQ for chunks; it answers each at once."""
        if self.away:
            return False
        for number in numbers:
            self._send(Heard(name, self._chunks[name, version][number], version, number), self._fate())
        return True

    def state(self) -> str:
        """Return how all of it stands, as a text that differs when anything does."""
        return repr((list(self._retained), self._told, list(self._coming), self._late, self.away))

    def _send(self, heard: Heard, fate: Fate) -> None:
        if fate is Fate.DELAY:
            self._late.append(heard)
        elif fate is not Fate.LOSE:
            self._coming.extend([heard] * (1 + (fate is Fate.REPEAT)))
