"""One RS-485 line with several devices on it: one question at a time, each with its answer.

bus = Rs485Bus(SerialSettings("/dev/serial/by-path/...", 9600))
gate, board = RelayGate("in", bus, ...), LaneBoard("in", bus, ...)
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from devices.runtime import Backoff, HealthRecord
from devices.transport import SerialPort, SerialSettings
from devices.types import DeviceAbsent, DeviceSilent, DeviceStatus, Health

_MOST_BYTES = 1024


class Rs485Bus:
    """Thread safe; drivers of one line share it.

    local_echo: the adapter gives back what we send. It matters: a relay board's answer is the very same
    bytes, so that with a wrong setting a dead board would seem to answer.
    """

    def __init__(self, settings: SerialSettings, local_echo: bool = False) -> None:
        """Open nothing yet."""
        self.path = settings.path
        self._health = HealthRecord(settings.path, "rs485", settings.path)
        self._port = SerialPort(settings, self._health, Backoff(0.1, 2.0))
        self._local_echo = local_echo
        self._turn = threading.Lock()
        self._closed = threading.Event()
        self._quiet_until = 0.0

    def exchange(
        self, request: bytes, complete: Callable[[bytes], bool], timeout_s: float, gap_s: float = 0.01
    ) -> bytes:
        """Send `request` and return the answer: the bytes for which `complete` first became true.

        gap_s: how long the line must rest before the next request. Raises DeviceAbsent (surely nothing was
        sent) or DeviceSilent (it was, or may have been; no complete answer within `timeout_s`).
        """
        with self._turn:
            try:
                self._ready()
                self._send(request, timeout_s)
                return self._answer(request, complete, timeout_s)
            finally:
                self._quiet_until = time.monotonic() + gap_s

    def status(self) -> DeviceStatus:
        """Return how the line itself is: open, absent, in use by another program."""
        return self._health.status()

    def close(self) -> None:
        """Release the line for all its devices; whoever made the bus does this, after closing them."""
        self._closed.set()
        self._port.close()

    def _ready(self) -> None:
        """Wait for the rest of the gap, throw old bytes away, and make sure that the port is open."""
        self._closed.wait(max(0.0, self._quiet_until - time.monotonic()))
        old = self._port.receive(0.0)
        for _ in range(64):
            if not old:
                break
            old = self._port.receive(0.0)
        if self._health.status().health is not Health.CONNECTED:
            raise DeviceAbsent(f"{self.path} is not open: {self._health.status().detail}")

    def _send(self, request: bytes, timeout_s: float) -> None:
        try:
            self._port.send(request, timeout_s)
        except DeviceAbsent as error:
            raise DeviceSilent(f"{self.path} was lost while sending: {error}") from error

    def _answer(self, request: bytes, complete: Callable[[bytes], bool], timeout_s: float) -> bytes:
        deadline = time.monotonic() + timeout_s
        skip = len(request) if self._local_echo else 0
        data = b""
        while not complete(data[skip:]):
            remaining = deadline - time.monotonic()
            if remaining <= 0 or self._port.closed or len(data) > _MOST_BYTES:
                raise DeviceSilent(self._why(request, data, timeout_s))
            try:
                data += self._port.receive(remaining)
            except DeviceAbsent as error:
                raise DeviceSilent(f"{self.path} was lost before the answer: {error}") from error
        return data[skip:]

    def _why(self, request: bytes, data: bytes, timeout_s: float) -> str:
        if not data:
            return (
                f"no answer on {self.path} in {timeout_s:g} s: check power, address, baud rate, A and B wires"
            )
        if data == request and not self._local_echo:
            return (
                f"only our own bytes came back on {self.path}: set local_echo, and check the device's power"
            )
        return f"no whole answer on {self.path} in {timeout_s:g} s, got {data[:32].hex(' ')}"
