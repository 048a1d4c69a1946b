"""A barcode scanner on a serial wire: RS-232, USB-COM or a pseudo-terminal."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from devices.runtime import Backoff, HealthRecord, boottime_ns
from devices.scanner.codec import Framer, Framing, RawFrame, to_scan
from devices.transport import SerialPort, SerialSettings
from devices.types import DeviceAbsent, DeviceStatus, Health, Scan

_NS_PER_S = 1_000_000_000
_CAPTURE_MOST = 16_384
_QUIET_S = 0.3


class SerialScanner:
    """The Scanner port over one serial port; re-opens it for ever.

    One thread reads, and should do nothing else: what waits in the kernel meanwhile gets the time at
    which it is read. `status` and `close` may come from any thread.
    """

    def __init__(
        self,
        name: str,
        settings: SerialSettings,
        framing: Framing | None = None,
        backoff: Backoff | None = None,
    ) -> None:
        """Open nothing yet: the first `read` does. framing: default auto. backoff: default 0.2 s to 5 s."""
        self.name = name
        self._framing = framing or Framing()
        self._framer = Framer(self._framing)
        self._health = HealthRecord(name, "scanner", settings.path)
        self._port = SerialPort(settings, self._health, backoff)
        # Filled only when empty, by one chunk of at most 4096 bytes: at most 2048 scans.
        self._ready: deque[Scan] = deque()

    def read(self, timeout_s: float) -> Scan | None:
        """Return the next scan; None after `timeout_s`, or at once when closed. Never raises.

        A scan with `problem` is told too: a code cut off by an unplug, over-long, not text.
        """
        end_ns = boottime_ns() + round(timeout_s * _NS_PER_S)
        left_s = timeout_s
        while not self._ready:
            self._pump(max(0.0, left_s))
            left_s = (end_ns - boottime_ns()) / _NS_PER_S
            if left_s <= 0 or self._port.closed:
                break
        return self._ready.popleft() if self._ready else None

    def status(self) -> DeviceStatus:
        """Return the scanner's health; callable from any thread."""
        return self._health.status()

    def close(self) -> None:
        """Release the port for good; a waiting `read` returns at once."""
        self._port.close()

    def _pump(self, timeout_s: float) -> None:
        frames = self._receive(timeout_s)
        self._ready.extend(to_scan(self.name, frame, self._framing) for frame in frames)

    def _receive(self, timeout_s: float) -> list[RawFrame]:
        due_ns = self._framer.flush_due_ns()
        if due_ns is not None:
            timeout_s = min(timeout_s, max(0, due_ns - boottime_ns()) / _NS_PER_S)
        try:
            data = self._port.receive(timeout_s)
        except DeviceAbsent:
            return self._framer.abandon("the scanner was lost in the middle of a code")
        now_ns = boottime_ns()
        if not data:
            return self._framer.flush_idle(now_ns)
        self._health.heard(now_ns)
        return self._framer.feed(data, now_ns)


def capture(settings: SerialSettings, enough: Callable[[bytes], bool], timeout_s: float) -> bytes:
    """Return what a port sends within `timeout_s`, at most 16384 bytes; for teaching a new scanner.

    Ends early once `enough` holds and 0.3 s were silent, so that the last suffix is in. Raises DeviceAbsent
    when the port cannot be opened or is lost.
    """
    health = HealthRecord("capture", "scanner", settings.path)
    port = SerialPort(settings, health)
    end_ns = boottime_ns() + round(timeout_s * _NS_PER_S)
    got = b""
    try:
        while boottime_ns() < end_ns and len(got) < _CAPTURE_MOST:
            left_s = (end_ns - boottime_ns()) / _NS_PER_S
            came = port.receive(min(left_s, _QUIET_S))
            if health.status().health is not Health.CONNECTED:
                raise DeviceAbsent(health.status().detail)
            got += came
            if not came and enough(got):
                break
    finally:
        port.close()
    return got[:_CAPTURE_MOST]
