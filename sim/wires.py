"""Wires that simulated devices hang on: a pseudo-terminal or a TCP port, each served by one thread.

with PtyWire(device) as wire:
    driver = Driver(wire.path)
"""

from __future__ import annotations

import os
import select
import socket
import threading
import time
import tty
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Protocol, Self

_TICK_MS = 10
_READ_BYTES = 4096


class WireDevice(Protocol):
    """What hangs on a wire. All calls come from the wire's one thread."""

    def room(self) -> int:
        """Return how many bytes the device can take now; 0 holds the sender back."""

    def receive(self, data: bytes) -> bytes:
        """Take bytes; return what the device sends at once."""

    def tick(self, elapsed_s: float) -> bytes:
        """Let time pass; return what the device sends by itself."""


class _Wire:
    """A thread that carries bytes between a descriptor and a device."""

    def __init__(self, device: WireDevice) -> None:
        self._device = device
        self._stop = threading.Event()
        self._ticked = time.monotonic()
        self._thread = threading.Thread(target=self._serve, name="sim-wire", daemon=True)

    def __enter__(self) -> Self:
        """Start serving."""
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop serving and take the wire away."""
        self.close()

    def close(self) -> None:
        """Stop serving and take the wire away."""
        self._stop.set()
        self._thread.join(5)

    def _serve(self) -> None:
        raise NotImplementedError

    def _elapsed(self) -> float:
        now, before = time.monotonic(), self._ticked
        self._ticked = now
        return now - before

    def _carry(self, fd: int) -> bool:
        """Move bytes once; return False when the other side is gone."""
        poller = select.poll()
        room = self._device.room()
        poller.register(fd, select.POLLIN if room else 0)
        came = bool(poller.poll(_TICK_MS))
        if came and not room:
            self._stop.wait(_TICK_MS / 1000)
        try:
            data = os.read(fd, min(room, _READ_BYTES)) if came and room else b""
        except OSError:
            return False
        # The device hears how long it was quiet before it hears what ended the quiet.
        sent = self._device.tick(self._elapsed())
        if sent and not _write(fd, sent):
            return False
        if not (came and room):
            return True
        return bool(data) and _write(fd, self._device.receive(data))


class PtyWire(_Wire):
    """A pseudo-terminal; `path` is what the driver opens as its serial port or printer device.

    link: where a symbolic link leads to it, default one in a folder of its own. It is gone at close, so that
    a driver that goes on looking does not find another's wire under the same number. The wire keeps the far
    end open, so that a driver may come and go.
    """

    def __init__(self, device: WireDevice, link: Path | None = None) -> None:
        super().__init__(device)
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        self._folder: TemporaryDirectory[str] | None = None
        if link is None:
            self._folder = TemporaryDirectory(prefix="sim-wire-")
            link = Path(self._folder.name, "wire")
        self._link = link
        self._link.unlink(missing_ok=True)
        self._link.symlink_to(os.ttyname(self._slave))
        self.path = str(link)

    def close(self) -> None:
        """Unplug it: the driver's next read or write fails. May be called twice."""
        if self._stop.is_set():
            return
        super().close()
        self._link.unlink(missing_ok=True)
        if self._folder is not None:
            self._folder.cleanup()
        for fd in (self._master, self._slave):
            os.close(fd)

    def _serve(self) -> None:
        while not self._stop.is_set():
            if not self._carry(self._master):
                self._stop.wait(_TICK_MS / 1000)


class TcpWire(_Wire):
    """A TCP port on loopback that serves one client at a time; `port` is the one that was bound."""

    def __init__(self, device: WireDevice, host: str = "127.0.0.1", port: int = 0) -> None:
        super().__init__(device)
        self._listener = socket.create_server((host, port))
        self._listener.settimeout(0.05)
        self.host = host
        self.port = int(self._listener.getsockname()[1])

    def close(self) -> None:
        """Close the port and the present connection."""
        super().close()
        self._listener.close()

    def _serve(self) -> None:
        while not self._stop.is_set():
            try:
                client, _ = self._listener.accept()
            except TimeoutError:
                self._device.tick(self._elapsed())
                continue
            with client:
                client.setblocking(False)
                while not self._stop.is_set() and self._carry(client.fileno()):
                    pass


def _write(fd: int, data: bytes) -> bool:
    """Write all, unless the reader is gone or has not read for a second."""
    poller = select.poll()
    poller.register(fd, select.POLLOUT)
    while data:
        if not poller.poll(1000):
            return True
        try:
            data = data[os.write(fd, data) :]
        except BlockingIOError:
            continue
        except OSError:
            return False
    return True
