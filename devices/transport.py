"""What drivers on a serial wire share: a port that is opened again for ever, its identity, a list of ports.

A port is named by a path that survives a re-plug: /dev/serial/by-id/... where the adapter has a serial
number, /dev/serial/by-path/... where it has none (CH340), or any other path or symlink.
"""

from __future__ import annotations

import contextlib
import errno
import os
import select
import termios
import threading
from dataclasses import dataclass
from pathlib import Path

import serial
from serial.tools.list_ports_linux import SysFS

from devices.runtime import Backoff, HealthRecord, boottime_ns
from devices.types import DeviceAbsent, DeviceSilent

_NS_PER_S = 1_000_000_000
_CHUNK = 4096
_IDENTITY_EVERY_NS = _NS_PER_S
_LOST = select.POLLHUP | select.POLLERR | select.POLLNVAL


@dataclass(frozen=True, slots=True)
class SerialSettings:
    """Where a serial device is and how it talks; ValueError names the field that cannot work.

    path: by-id, by-path or any other path. baud: bits per second; USB-COM devices ignore it. parity: one
    of N E O M S. stop_bits: 1 or 2. data_bits: 7 or 8.
    """

    path: str
    baud: int = 9600
    parity: str = "N"
    data_bits: int = 8
    stop_bits: int = 1

    def __post_init__(self) -> None:
        """Refuse what no port can do."""
        if not self.path:
            raise ValueError("serial settings: path is empty; give a /dev/serial/by-id or by-path name")
        if not 300 <= self.baud <= 4_000_000:
            raise ValueError(f"serial settings: baud is 300-4000000, got {self.baud}")
        if (self.parity, self.data_bits, self.stop_bits) not in _SHAPES:
            shape = f"{self.data_bits}{self.parity}{self.stop_bits}"
            raise ValueError(f"serial settings: {shape} is no frame shape; 8N1 is usual")

    def __str__(self) -> str:
        """Say it as a technician does, e.g. "9600 8N1"."""
        return f"{self.baud} {self.data_bits}{self.parity}{self.stop_bits}"


class Waiter:
    """Waits for bytes on a file descriptor, for at most a while, and can be woken from any thread."""

    def __init__(self) -> None:
        """Hold one event descriptor until `close`."""
        self._wake_fd = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)

    def wait(self, fd: int | None, timeout_s: float, events: int = select.POLLIN) -> int:
        """Return poll(2)'s events for `fd`; 0 after `timeout_s`, or when woken, or when `fd` is None."""
        poll = select.poll()
        poll.register(self._wake_fd, select.POLLIN)
        if fd is not None:
            poll.register(fd, events)
        ready = dict(poll.poll(max(0.0, timeout_s) * 1000))
        return ready.get(fd, 0) if fd is not None else 0

    def wake(self) -> None:
        """End the present wait and every later one at once."""
        os.eventfd_write(self._wake_fd, 1)

    def close(self) -> None:
        """Give the descriptor back; nobody may wait any more."""
        os.close(self._wake_fd)


class SerialPort:
    """One serial port that is opened again for ever, with back-off, whatever happens to the cable.

    One thread receives and sends; `close` may come from any thread. Health goes to `health`.
    """

    def __init__(
        self, settings: SerialSettings, health: HealthRecord, backoff: Backoff | None = None
    ) -> None:
        """Open nothing yet: the first `receive` or `send` does. backoff: default 0.2 s to 5 s."""
        self._settings = settings
        self._health = health
        self._backoff = backoff or Backoff()
        self._waiter = Waiter()
        self._in_use = threading.Lock()
        self._closed = threading.Event()
        self._serial: serial.Serial | None = None
        self._checked_ns = 0

    @property
    def closed(self) -> bool:
        """Whether `close` was called."""
        return self._closed.is_set()

    def receive(self, timeout_s: float) -> bytes:
        """Return what has come, as soon as something has; b"" after `timeout_s` or when closed.

        At most 4096 bytes at once, and at most one second or one back-off delay of waiting, so that the
        caller loops. While the port is away this waits and tries to open it when that is due. Raises
        DeviceAbsent once when an open port is lost: what was half received will not be completed.
        """
        with self._in_use:
            port = self._opened()
            if port is None:
                self._wait_for_port(timeout_s)
                return b""
            try:
                return self._read(port, timeout_s)
            except (OSError, termios.error) as error:
                raise self._lost(_reason(error)) from error

    def send(self, data: bytes, timeout_s: float = 1.0) -> None:
        """Write all of `data`.

        Raises DeviceAbsent when the port is not open (nothing was sent) or was lost, DeviceSilent when
        the device took only a part within `timeout_s`.
        """
        with self._in_use:
            port = self._opened()
            if port is None:
                raise DeviceAbsent(f"{self._settings.path} is not open: {self._health.status().detail}")
            try:
                self._write(port, data, timeout_s)
            except (OSError, termios.error) as error:
                raise self._lost(_reason(error)) from error

    def close(self) -> None:
        """Release the port for good, from any thread; a waiting `receive` returns b"" at once."""
        if self._closed.is_set():
            return
        self._closed.set()
        self._waiter.wake()
        with self._in_use:
            self._release()
            self._waiter.close()
            self._health.absent("closed by this service")

    def _opened(self) -> serial.Serial | None:
        if self._closed.is_set():
            return None
        if self._serial is None and self._backoff.wait_s(boottime_ns()) == 0.0:
            self._try_open()
        return self._serial

    def _try_open(self) -> None:
        path = self._settings.path
        try:
            self._serial = _open(self._settings)
        except (OSError, ValueError, termios.error) as error:
            self._backoff.failed(boottime_ns())
            self._say_why_not(error)
            return
        self._checked_ns = boottime_ns()
        target = os.path.realpath(path)
        shown = path if target == path else f"{path} -> {target}"
        self._health.connected(f"open at {self._settings}", port=shown)

    def _say_why_not(self, error: Exception) -> None:
        path = self._settings.path
        code = _errno(error)
        if code in _NOT_THERE:
            self._health.absent(
                f"no such port: {path}; plug the device in or choose a listed port", port=path
            )
        elif code in (errno.EACCES, errno.EPERM):
            self._health.fault(
                f"no permission for {path}; add the service's user to its group (dialout)", path
            )
        elif code in (errno.EBUSY, errno.EAGAIN):
            self._health.fault(f"{path} is in use by another program; stop that program", path)
        else:
            self._health.fault(f"cannot open {path}: {error}", path)

    def _wait_for_port(self, timeout_s: float) -> None:
        if not self._closed.is_set():
            self._waiter.wait(None, min(timeout_s, self._backoff.wait_s(boottime_ns())))

    def _read(self, port: serial.Serial, timeout_s: float) -> bytes:
        self._check_identity(port)
        fd = port.fileno()
        events = self._waiter.wait(fd, min(timeout_s, _IDENTITY_EVERY_NS / _NS_PER_S))
        if events & select.POLLIN:
            data = os.read(fd, _CHUNK)
            if data:
                self._backoff.succeeded()
                return data
            raise OSError(errno.EIO, "the far end hung up")
        if events & _LOST:
            raise OSError(errno.EIO, "the far end hung up")
        return b""

    def _write(self, port: serial.Serial, data: bytes, timeout_s: float) -> None:
        self._check_identity(port)
        fd = port.fileno()
        end_ns = boottime_ns() + round(timeout_s * _NS_PER_S)
        rest = memoryview(data)
        while rest:
            left_s = (end_ns - boottime_ns()) / _NS_PER_S
            events = self._waiter.wait(fd, left_s, select.POLLOUT) if left_s > 0 else 0
            if events & _LOST:
                raise OSError(errno.EIO, "the far end hung up")
            if not events & select.POLLOUT:
                sent = len(data) - len(rest)
                raise DeviceSilent(f"{self._settings.path} took {sent} of {len(data)} bytes in {timeout_s} s")
            rest = rest[os.write(fd, rest) :]

    def _check_identity(self, port: serial.Serial) -> None:
        """Raise OSError when the path no longer leads to what is open; looks at most once a second."""
        now_ns = boottime_ns()
        if now_ns - self._checked_ns < _IDENTITY_EVERY_NS:
            return
        self._checked_ns = now_ns
        named = os.stat(self._settings.path)  # noqa: PTH116 - the same call as for the descriptor
        opened = os.fstat(port.fileno())
        if (named.st_rdev, named.st_ino) != (opened.st_rdev, opened.st_ino):
            raise OSError(errno.ENODEV, "the path now leads to another port")
        self._backoff.succeeded()

    def _lost(self, reason: str) -> DeviceAbsent:
        self._release()
        # Only a port that proved itself starts again at the first delay: one that opens and hangs up at
        # once, for ever, must not keep a core busy.
        self._backoff.failed(boottime_ns())
        path = self._settings.path
        self._health.absent(f"lost {path}: {reason}; it is opened again as soon as it is back", port=path)
        return DeviceAbsent(f"lost {path}: {reason}")

    def _release(self) -> None:
        port, self._serial = self._serial, None
        if port is not None:
            # A port that is gone may refuse even to be closed; the descriptor is given back all the same.
            with contextlib.suppress(OSError, termios.error):
                port.close()


@dataclass(frozen=True, slots=True)
class SerialPortInfo:
    """One serial port of this machine.

    by_id, by_path: the stable names that lead to it, best first; usable: it could be opened; reason: why
    not, or "". vendor_id, product_id, serial_number: of the USB adapter, else None.
    """

    device: str
    by_id: tuple[str, ...]
    by_path: tuple[str, ...]
    description: str
    usable: bool
    reason: str = ""
    vendor_id: int | None = None
    product_id: int | None = None
    serial_number: str | None = None

    @property
    def best_name(self) -> str:
        """The name to put into the settings: by-id when the adapter has a serial number, else by-path."""
        first, second = (self.by_id, self.by_path) if self.serial_number else (self.by_path, self.by_id)
        return next(iter(first + second), self.device)


def list_serial_ports(dev: Path = Path("/dev"), sys: Path = Path("/sys")) -> tuple[SerialPortInfo, ...]:
    """Return every serial port, also those that cannot be used, with the reason; none is opened.

    dev, sys: where devices and sysfs are mounted, for tests. Virtual consoles and pseudo-terminals are
    not serial ports: only what sysfs shows with a device behind it.
    """
    names = sorted(entry.parent.name for entry in (sys / "class" / "tty").glob("*/device"))
    return tuple(_port_info(dev / name, dev / "serial", sys / "class" / "tty" / name) for name in names)


def stable_names(device: str, folder: Path) -> tuple[str, ...]:
    """Return the symlinks in `folder` (by-id or by-path) that lead to `device`, sorted; none if no folder."""
    if not folder.is_dir():
        return ()
    target = os.path.realpath(device)
    return tuple(sorted(str(link) for link in folder.iterdir() if os.path.realpath(link) == target))


_SHAPES = {(parity, bits, stops) for parity in "NEOMS" for bits in (7, 8) for stops in (1, 2)}
_NOT_THERE = (errno.ENOENT, errno.ENODEV, errno.ENXIO, errno.ENOTDIR, errno.EIO)


def _open(settings: SerialSettings) -> serial.Serial:
    """Open without waiting for anything; what came before is thrown away, being of unknown age."""
    port = serial.Serial(
        settings.path,
        baudrate=settings.baud,
        bytesize=settings.data_bits,
        parity=settings.parity,
        stopbits=settings.stop_bits,
        timeout=0,
        write_timeout=0,
        exclusive=True,
    )
    # FTDI adapters hold bytes back for 16 ms unless asked not to; other ports do not know the request.
    with contextlib.suppress(OSError, ValueError):
        port.set_low_latency_mode(True)
    return port


def _errno(error: Exception) -> int | None:
    code = getattr(error, "errno", None)
    if code is None and error.args and isinstance(error.args[0], int):
        code = error.args[0]
    return code if isinstance(code, int) else None


def _reason(error: Exception) -> str:
    code = _errno(error)
    return _WORDS.get(code, str(error)) if code is not None else str(error)


_WORDS = {
    errno.ENOENT: "its name has gone (unplugged)",
    errno.ENODEV: "unplugged, or another device took its name",
    errno.EIO: "the far end hung up (unplugged or powered off)",
}


def _port_info(device: Path, links: Path, entry: Path) -> SerialPortInfo:
    known = SysFS(str(device))
    reason = _unusable(device, entry)
    return SerialPortInfo(
        device=str(device),
        by_id=stable_names(str(device), links / "by-id"),
        by_path=stable_names(str(device), links / "by-path"),
        description=known.description or "",
        usable=not reason,
        reason=reason,
        vendor_id=known.vid,
        product_id=known.pid,
        serial_number=known.serial_number,
    )


def _unusable(device: Path, entry: Path) -> str:
    kind = entry / "type"
    if kind.is_file() and kind.read_text(encoding="ascii").strip() == "0":
        return "no hardware behind it (an empty slot of the serial driver)"
    if not device.exists():
        return "the kernel knows it but /dev has no node (a container without the device?)"
    if not os.access(device, os.R_OK | os.W_OK):
        return "no permission; add the service's user to its group (dialout)"
    return ""
