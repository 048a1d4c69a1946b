"""Support bundles on the disk: a few zip files, the oldest of which make room for the newest."""

from __future__ import annotations

import hashlib
import io
import os
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from edge.errors import Invalid

#: Bundles kept, and the size of all that goes into one.
KEPT = 5
MAX_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Bundle:
    """One written bundle. digest: SHA-256 of the file, in hexadecimal."""

    path: Path
    size: int
    digest: str


class BundleFolder:
    """One folder of bundles, readable by the service's user alone."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def put(self, name: str, files: Mapping[str, bytes]) -> Bundle:
        """Write a bundle durably, whole or not at all; raise Invalid for more than MAX_BYTES.

        name: what can stand in a file's name. Raises OSError for a disk that takes nothing.
        """
        size = sum(len(data) for data in files.values())
        if size > MAX_BYTES:
            raise Invalid(f"the bundle would have {size} bytes, {MAX_BYTES} at most")
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            for inner, data in files.items():
                archive.writestr(inner, data)
        data = packed.getvalue()
        path = self._write(f"bundle-{name}.zip", data)
        self._prune(path)
        return Bundle(path, len(data), hashlib.sha256(data).hexdigest())

    def _write(self, name: str, data: bytes) -> Path:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self.folder / name
        part = path.with_suffix(".part")
        try:
            with part.open("wb") as file:
                os.fchmod(file.fileno(), 0o600)
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            part.replace(path)
        except OSError:
            part.unlink(missing_ok=True)
            raise
        return path

    def _prune(self, newest: Path) -> None:
        others = [one for one in self.folder.glob("bundle-*.zip") if one != newest]
        others.sort(key=lambda one: one.stat().st_mtime_ns, reverse=True)
        for old in others[KEPT - 1 :]:
            old.unlink(missing_ok=True)
