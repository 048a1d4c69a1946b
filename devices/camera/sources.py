"""Where frames come from: OpenCV captures (USB, RTSP, HTTP, video file) and pictures on disk."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit, urlunsplit

import cv2

from devices.camera.pictures import SUFFIXES, Picture, PictureUnreadable, load_picture
from devices.types import DeviceAbsent

_OPEN_MS = 5000
_READ_MS = 5000


class Source(Protocol):
    """An opened camera: one picture after another. `live` sources are read for ever, others end."""

    live: bool

    def next(self) -> Picture | None:
        """Return the next picture; None when the camera was lost or the pictures are through."""

    def release(self) -> None:
        """Give the device back."""


class CaptureSource:
    """cv2.VideoCapture over a device index, a device path, a URL or a video file."""

    def __init__(self, port: str) -> None:
        """Raise DeviceAbsent when it cannot be opened."""
        self.live = not _is_file(port)
        target, backend, options = _target(port)
        try:
            self._capture = cv2.VideoCapture(target, backend, options)
        except cv2.error as error:
            raise DeviceAbsent(f"camera {shown(port)}: OpenCV cannot open it ({error.err})") from error
        if not self._capture.isOpened():
            self._capture.release()
            raise DeviceAbsent(
                f"camera {shown(port)}: cannot be opened; check cable, path, address and password"
            )
        self._capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)

    def next(self) -> Picture | None:
        """Return the next frame as BGR; None when the camera gave none."""
        good, picture = self._capture.read()
        return picture if good else None

    def release(self) -> None:
        """Close the capture."""
        self._capture.release()


class PictureSource:
    """One picture, or the pictures of a folder in sorted order, once."""

    live = False

    def __init__(self, path: Path) -> None:
        """Raise DeviceAbsent when there is no picture."""
        files = (
            [path] if path.is_file() else sorted(p for p in path.iterdir() if p.suffix.lower() in SUFFIXES)
        )
        if not files:
            raise DeviceAbsent(f"camera {path}: no pictures in this folder")
        self._files: Iterator[Path] = iter(files)

    def next(self) -> Picture | None:
        """Return the next readable picture; None at the end."""
        for path in self._files:
            try:
                return load_picture(path)
            except PictureUnreadable:
                continue
        return None

    def release(self) -> None:
        """Forget the rest."""
        self._files = iter(())


def open_source(port: str) -> Source:
    """Open "0", "/dev/v4l/by-id/...", a URL (rtsp, http), a video, a picture or a folder of pictures.

    Raises DeviceAbsent with what to check.
    """
    path = Path(port)
    if "://" not in port and not port.isdigit() and not path.exists():
        raise DeviceAbsent(f"camera {port}: no such device or file")
    if path.is_dir() or (path.is_file() and path.suffix.lower() in SUFFIXES):
        return PictureSource(path)
    return CaptureSource(port)


def shown(port: str) -> str:
    """Return the port without the password of a URL, for messages and logs."""
    if "://" not in port:
        return port
    parts = urlsplit(port)
    place = parts.netloc.rpartition("@")[2]
    query = "..." if parts.query else ""
    return urlunsplit((parts.scheme, place, parts.path, query, ""))


def _is_file(port: str) -> bool:
    return "://" not in port and not port.isdigit() and Path(port).is_file()


def _target(port: str) -> tuple[int | str, int, list[int]]:
    limits = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, _OPEN_MS, cv2.CAP_PROP_READ_TIMEOUT_MSEC, _READ_MS]
    if "://" in port:
        if port.startswith("rtsp://"):
            # UDP loses packets in a mall's switches, and a torn frame is a frame that cannot be read.
            os.environ.setdefault("OPENCV_FFMPEG_CAPTURE_OPTIONS", "rtsp_transport;tcp")
        return port, cv2.CAP_FFMPEG, limits
    if port.isdigit():
        return int(port), cv2.CAP_V4L2, []
    if _is_file(port):
        return port, cv2.CAP_ANY, []
    return str(Path(port).resolve()), cv2.CAP_V4L2, []
