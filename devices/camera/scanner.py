"""A camera as a scanner: frames in, scans out, with agreement of frames."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Protocol, cast

from devices.camera.agreement import AgreementSettings, FrameAgreement
from devices.camera.barcodes import BarcodeReader
from devices.camera.pictures import Picture
from devices.camera.symbols import DecodedCode
from devices.runtime import boottime_ns
from devices.types import DeviceStatus, Frame, Scan

_MOST_WAITING = 64
_NS_PER_S = 1_000_000_000


class FrameSource(Protocol):
    """What a CameraScanner needs of a camera (the Camera port)."""

    name: str

    def frame(self, timeout_s: float) -> Frame | None:
        """Return the newest picture, or None after `timeout_s`."""

    def status(self) -> DeviceStatus:
        """Return the camera's health."""

    def close(self) -> None:
        """Release the camera."""


class CameraScanner:
    """The Scanner port over a camera; one thread reads it.

    A code becomes a scan when enough of the last frames show it (AgreementSettings), and once for as long
    as it stays in view. `Scan.text` is what a scanner with the same AIM id would send.
    """

    def __init__(
        self,
        name: str,
        camera: FrameSource,
        reader: BarcodeReader | None = None,
        agreement: AgreementSettings | None = None,
        now_ns: Callable[[], int] = boottime_ns,
    ) -> None:
        """camera: opened and closed by this scanner's owner through `close`. now_ns: for time-outs only."""
        self.name = name
        self._camera = camera
        self._reader = reader or BarcodeReader()
        self._agreement = FrameAgreement(agreement)
        self._now_ns = now_ns
        self._waiting: deque[Scan] = deque()

    def read(self, timeout_s: float) -> Scan | None:
        """Return the next scan, or None after `timeout_s` (a frame being decoded is finished first)."""
        until_ns = self._now_ns() + round(timeout_s * _NS_PER_S)
        while not self._waiting:
            left_s = max(0.0, (until_ns - self._now_ns()) / _NS_PER_S)
            frame = self._camera.frame(left_s)
            if frame is None:
                return None
            self._take(frame)
            if not self._waiting and self._now_ns() >= until_ns:
                return None
        return self._waiting.popleft()

    def status(self) -> DeviceStatus:
        """Return the camera's health; callable from any thread."""
        return self._camera.status()

    def close(self) -> None:
        """Release the camera."""
        self._camera.close()

    def _take(self, frame: Frame) -> None:
        codes = self._reader.read(cast(Picture, frame.image))
        for code in self._agreement.frame(codes, frame.taken_ns):
            if len(self._waiting) < _MOST_WAITING:
                self._waiting.append(_scan(self.name, code, frame.taken_ns))


def _scan(device: str, code: DecodedCode, taken_ns: int) -> Scan:
    return Scan(device, code.raw, code.payload, code.aim, taken_ns)
