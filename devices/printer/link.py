"""The wire to a printer: serial line, network port 9100 or the kernel's USB printer device.

All three are a file descriptor with bytes both ways, opened for one job and closed after it: a printer
that was unplugged in between is simply opened again, and most network printers serve one client only.
"""

from __future__ import annotations

import os
import select
import socket
from collections.abc import Callable
from dataclasses import dataclass

import serial

from devices.types import DeviceAbsent, DeviceError

_READ_BYTES = 4096


class LinkLost(DeviceError):
    """The wire broke in use: unplugged, powered off, connection reset."""


@dataclass(frozen=True, slots=True)
class SerialAddress:
    """A serial printer. path: by-id or by-path. rtscts, xonxoff: as set by the printer's switches."""

    path: str
    baud: int = 9600
    rtscts: bool = False
    xonxoff: bool = False

    def __str__(self) -> str:
        """Return the path, for status pages."""
        return self.path


@dataclass(frozen=True, slots=True)
class TcpAddress:
    """A network printer."""

    host: str
    port: int = 9100

    def __str__(self) -> str:
        """Return host:port, for status pages."""
        return f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class UsbAddress:
    """A USB printer as the kernel's usblp offers it, e.g. /dev/usb/lp0."""

    path: str = "/dev/usb/lp0"

    def __str__(self) -> str:
        """Return the path, for status pages."""
        return self.path


Address = SerialAddress | TcpAddress | UsbAddress


class Link:
    """An open wire. Not thread safe."""

    def __init__(self, fd: int, close: Callable[[], None]) -> None:
        """Take over a descriptor that does not block."""
        self._fd = fd
        self._close = close

    def send(self, data: bytes, timeout_s: float) -> int:
        """Return how many bytes the system took, 0 when it took none in time. Raises LinkLost."""
        try:
            return os.write(self._fd, data) if self._wait(select.POLLOUT, timeout_s) else 0
        except BlockingIOError:
            return 0
        except OSError as error:
            raise LinkLost(f"writing failed: {error.strerror}") from error

    def receive(self, timeout_s: float) -> bytes:
        """Return what came, empty when nothing came in time. Raises LinkLost, also at the end of file."""
        try:
            if not self._wait(select.POLLIN, timeout_s):
                return b""
            data = os.read(self._fd, _READ_BYTES)
        except BlockingIOError:
            return b""
        except OSError as error:
            raise LinkLost(f"reading failed: {error.strerror}") from error
        if not data:
            raise LinkLost("the other side closed the connection")
        return data

    def close(self) -> None:
        """Give the wire back."""
        self._close()

    def _wait(self, event: int, timeout_s: float) -> bool:
        poller = select.poll()
        poller.register(self._fd, event)
        return bool(poller.poll(max(0, round(timeout_s * 1000))))


def open_link(address: Address, timeout_s: float = 3.0) -> Link:
    """Open the wire. Raises DeviceAbsent, which says what to look at; nothing was sent then."""
    try:
        match address:
            case SerialAddress():
                return _open_serial(address)
            case TcpAddress():
                return _open_tcp(address, timeout_s)
            case UsbAddress():
                return _open_usb(address)
    except serial.SerialException as error:
        raise DeviceAbsent(
            f"cannot open {address}: {error}; check cable, power and the group dialout"
        ) from error
    except OSError as error:
        reason = error.strerror or str(error)
        raise DeviceAbsent(f"cannot reach {address}: {reason}; check cable, power and permission") from error


def _open_serial(address: SerialAddress) -> Link:
    port = serial.Serial(
        address.path,
        address.baud,
        timeout=0,
        rtscts=address.rtscts,
        xonxoff=address.xonxoff,
        exclusive=True,
    )
    return Link(port.fileno(), port.close)


def _open_tcp(address: TcpAddress, timeout_s: float) -> Link:
    connection = socket.create_connection((address.host, address.port), timeout=timeout_s)
    connection.setblocking(False)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return Link(connection.fileno(), connection.close)


def _open_usb(address: UsbAddress) -> Link:
    fd = os.open(address.path, os.O_RDWR | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    return Link(fd, lambda: os.close(fd))
