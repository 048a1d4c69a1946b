"""The link's side of snapshots: what HQ says of them waits here until the worker takes it."""

from __future__ import annotations

import json
import threading
from collections import deque
from collections.abc import Callable, Sequence

from edge.hq.connection import Incoming, Saying
from edge.hq.topics import Topics
from edge.services.snapshot_manifest import MAX_CHUNK_BYTES, MAX_MANIFEST_BYTES
from edge.services.take_snapshot import Heard

#: Chunks that may wait; what comes beyond is dropped and asked for again.
MAX_WAITING = 64

#: Names whose manifest may wait; what comes beyond is heard at the next connection.
MAX_NAMES = 64

#: How long a question may be on its way, in seconds: after that the box asks again.
ASK_EXPIRY_S = 60


class SnapshotDesk:
    """Implements take_snapshot.SnapshotWire. `hear` is for the link's thread, never blocks and never raises.

    wake: set whenever something has come.
    """

    def __init__(self, topics: Topics, say: Callable[[Saying], bool]) -> None:
        """say: hands a question to the link, False when it cannot be taken."""
        self.wake = threading.Event()
        self.dropped = 0
        self._topics = topics
        self._say = say
        self._chunks: deque[Heard] = deque()
        self._manifests: dict[str, Heard] = {}
        self._lock = threading.Lock()

    def hear(self, incoming: Incoming) -> None:
        """Take a manifest or a chunk; what has an impossible topic is dropped."""
        heard = _heard(self._topics, incoming)
        with self._lock:
            if heard is None or not self._has_room(heard):
                self.dropped += 1
                return
            if heard.number < 0:
                self._manifests[heard.name] = heard
            else:
                self._chunks.append(heard)
        self.wake.set()

    def take(self, limit: int) -> Sequence[Heard]:
        """Return what is there, `limit` at most: manifests, then chunks, oldest first."""
        with self._lock:
            manifests = list(self._manifests.values())[:limit]
            room = min(limit - len(manifests), len(self._chunks))
            return [*manifests, *(self._chunks.popleft() for _ in range(room))]

    def noted(self, manifest: Heard) -> None:
        """Say that a manifest is on record; a newer one that came meanwhile stays."""
        with self._lock:
            if self._manifests.get(manifest.name) is manifest:
                del self._manifests[manifest.name]

    def ask(self, name: str, version: int, numbers: Sequence[int]) -> bool:
        """Ask for chunks; return whether that could be said."""
        wanted = json.dumps({"version": version, "chunks": list(numbers)}, separators=(",", ":"))
        return self._say(Saying(self._topics.fetch(name), wanted.encode(), expiry_s=ASK_EXPIRY_S))

    def _has_room(self, heard: Heard) -> bool:
        if heard.number < 0:
            return heard.name in self._manifests or len(self._manifests) < MAX_NAMES
        return len(self._chunks) < MAX_WAITING


def _heard(topics: Topics, incoming: Incoming) -> Heard | None:
    """Return the message, cut to one byte more than it may have, which its reader then refuses."""
    levels = incoming.topic.removeprefix(topics.manifest("")).split("/")
    if len(levels) == 1:
        return Heard(levels[0], incoming.payload[: MAX_MANIFEST_BYTES + 1])
    if len(levels) != 4 or not all(_is_number(one) for one in levels[2:]):
        return None
    name, _, version, number = levels
    return Heard(name, incoming.payload[: MAX_CHUNK_BYTES + 1], int(version), int(number))


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 16
