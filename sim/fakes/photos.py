"""A fake of the Photos port, in memory."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import date

from devices.types import Photo
from edge.services.photo_ports import PhotoFigures


class FakePhotos:
    """Port Photos. full: it takes nothing more."""

    def __init__(self) -> None:
        self.full = False
        self._kept: dict[str, bytes] = {}
        self._lost = 0

    def keep(self, day: date, camera: str, key: str, photos: Sequence[Photo]) -> tuple[str, ...]:
        """Keep them, the whole scene first."""
        digest = hashlib.sha256(f"{camera}\n{key}".encode("utf-8", "replace")).hexdigest()[:24]
        names = []
        for at, one in enumerate(sorted(photos, key=lambda one: one.kind != "scene")[:4]):
            name = f"{day.isoformat()}/{digest}-{at}-{'plate' if one.kind == 'plate' else 'scene'}.jpg"
            if name not in self._kept and (self.full or len(one.jpeg) > 3 * 1024 * 1024):
                self._lost += 1
                continue
            self._kept.setdefault(name, one.jpeg)
            names.append(name)
        return tuple(names)

    def fetch(self, name: str) -> bytes | None:
        """Return one."""
        return self._kept.get(name)

    def tidy(self, oldest: date, max_bytes: int) -> int:
        """Delete old days, then the oldest above the size."""
        gone = 0
        for day in sorted({name[:10] for name in self._kept})[:-1]:
            if day >= oldest.isoformat() and self.figures().size_bytes <= max_bytes:
                break
            for name in [name for name in self._kept if name.startswith(day)]:
                del self._kept[name]
                gone += 1
        return gone

    def figures(self) -> PhotoFigures:
        """Return what is kept."""
        return PhotoFigures(len(self._kept), sum(map(len, self._kept.values())), self._lost)
