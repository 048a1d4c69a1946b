"""Pictures of cameras on the disk: one folder a day, readable by the service's user and group alone.

Written under another name and renamed, so that a name stands for a whole picture; not forced to the disk, as
a picture is evidence beside the read, and a forced write would cost the gate its time. A power cut takes
the pictures of the last seconds.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import threading
from collections.abc import Sequence
from contextlib import suppress
from datetime import date
from pathlib import Path

from devices.types import Photo
from edge.services.photo_ports import PhotoFigures

#: The most pictures of one read, and the most that one may have.
MAX_PHOTOS = 4
MAX_BYTES = 3 * 1024 * 1024

_NAME = re.compile(r"(\d{4}-\d\d-\d\d)/([0-9a-f]{24}-\d-(?:scene|plate)\.jpg)", re.ASCII)
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


class PhotoFolder:
    """Implements services.photo_ports.Photos in one folder."""

    def __init__(self, folder: Path) -> None:
        """Make nothing yet."""
        self._folder = folder
        self._lock = threading.Lock()
        self._days: dict[str, tuple[int, int]] = {}
        self._parts = 0
        self._lost = 0

    def keep(self, day: date, camera: str, key: str, photos: Sequence[Photo]) -> tuple[str, ...]:
        """Keep the pictures of one read and return their names, the whole scene first."""
        digest = hashlib.sha256(f"{camera}\n{key}".encode("utf-8", "replace")).hexdigest()[:24]
        ordered = sorted(photos, key=lambda one: one.kind != "scene")
        names = (
            self._write(day.isoformat(), f"{digest}-{at}-{_kind(one)}.jpg", one.jpeg)
            for at, one in enumerate(ordered[:MAX_PHOTOS])
        )
        return tuple(name for name in names if name)

    def fetch(self, name: str) -> bytes | None:
        """Return a picture, None for a name that is none or is gone."""
        if not _NAME.fullmatch(name):
            return None
        try:
            return (self._folder / name).read_bytes()
        except OSError:
            return None

    def tidy(self, oldest: date, max_bytes: int) -> int:
        """Delete the days before `oldest`, then the oldest days above `max_bytes`; return how many files."""
        days = {path.name: _size_of(path) for path in self._day_folders()}
        gone = 0
        for name in sorted(days)[:-1]:
            if name >= oldest.isoformat() and sum(size for _, size in days.values()) <= max_bytes:
                break
            gone += days.pop(name)[0]
            shutil.rmtree(self._folder / name, ignore_errors=True)
        with self._lock:
            self._days = days
        return gone

    def figures(self) -> PhotoFigures:
        """Return what is kept, as of the last `tidy` and what came since."""
        with self._lock:
            files = sum(count for count, _ in self._days.values())
            return PhotoFigures(files, sum(size for _, size in self._days.values()), self._lost)

    def _write(self, day: str, name: str, jpeg: bytes) -> str:
        place = self._folder / day / name
        if len(jpeg) > MAX_BYTES:
            return self._lose()
        if place.exists():
            return f"{day}/{name}"
        with self._lock:
            self._parts += 1
            part = place.with_name(f".{self._parts}.part")
        try:
            place.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
            with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o640), "wb") as file:
                file.write(jpeg)
            part.replace(place)
        except OSError:
            with suppress(OSError):
                part.unlink()
            return self._lose()
        with self._lock:
            count, size = self._days.get(day, (0, 0))
            self._days[day] = (count + 1, size + len(jpeg))
        return f"{day}/{name}"

    def _lose(self) -> str:
        with self._lock:
            self._lost += 1
        return ""

    def _day_folders(self) -> list[Path]:
        try:
            found = list(self._folder.iterdir())
        except OSError:
            return []
        return [path for path in found if _DAY.fullmatch(path.name) and path.is_dir()]


def _kind(photo: Photo) -> str:
    return "plate" if photo.kind == "plate" else "scene"


def _size_of(folder: Path) -> tuple[int, int]:
    try:
        with os.scandir(folder) as entries:
            sizes = [entry.stat(follow_symlinks=False).st_size for entry in entries]
    except OSError:
        return 0, 0
    return len(sizes), sum(sizes)
