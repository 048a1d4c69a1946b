"""A barcode scanner that types like a keyboard (HID), through evdev, grabbed for itself alone.

Nothing is grabbed that the settings do not name. Where evdev or /dev/input is missing the scanner shows
why and tries again; nothing else of the service is disturbed.
"""

from __future__ import annotations

import contextlib
import errno
import importlib.util
import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from devices.runtime import Backoff, HealthRecord, boottime_ns
from devices.scanner.codec import Framer, Framing, RawFrame, to_scan
from devices.scanner.hid_codec import EVENTS_LOST, HID_FRAMING, KEY_1, KEY_ENTER, KeyDecoder, KeyEvent
from devices.transport import Waiter, stable_names
from devices.types import DeviceStatus, Scan

_NS_PER_S = 1_000_000_000
_INPUT = Path("/dev/input")
_EV_SYN, _EV_KEY, _SYN_DROPPED = 0, 1, 3
_LOST_EVENTS = "the box was too slow and lost key strokes; scan it again"
_CUT_OFF = "the scanner was lost in the middle of a code"


@dataclass(frozen=True, slots=True)
class Adoption:
    """Which input device is this scanner: a path, or what it says of itself; ValueError if neither.

    path: /dev/input/by-id/... or by-path/... . vendor, product: USB ids. serial: its serial number (evdev
    "uniq"). phys: the beginning of its place, e.g. "usb-0000:00:14.0-1/". Every given field must match.
    """

    path: str = ""
    vendor: int | None = None
    product: int | None = None
    serial: str = ""
    phys: str = ""

    def __post_init__(self) -> None:
        """Refuse to adopt whatever comes along."""
        if not self.path and (self.vendor is None or self.product is None):
            raise ValueError(
                "HID scanner: name it by path, or by vendor and product; nothing else is grabbed"
            )

    def __str__(self) -> str:
        """Name the device as settings do."""
        if self.path:
            return self.path
        ids = f"{self.vendor:04x}:{self.product:04x}"
        return " ".join(word for word in (ids, self.serial, self.phys) if word)


class KeySource(Protocol):
    """An opened and grabbed input device."""

    path: str

    def fileno(self) -> int:
        """Return the descriptor to poll."""

    def read_keys(self) -> Sequence[KeyEvent]:
        """Return what waits, without waiting, EVENTS_LOST in its place; OSError when the device has gone."""

    def close(self) -> None:
        """Let go of the device."""


class NotAdoptable(Exception):
    """The adopted device cannot be had. absent: it is not there, as opposed to there but unusable."""

    def __init__(self, reason: str, absent: bool) -> None:
        """Keep the reason for the technician."""
        super().__init__(reason)
        self.absent = absent


class HidScanner:
    """The Scanner port over one adopted input device; re-opens it for ever.

    One thread reads. `status` and `close` may come from any thread.
    """

    def __init__(
        self,
        name: str,
        adoption: Adoption,
        framing: Framing = HID_FRAMING,
        backoff: Backoff | None = None,
        open_source: Callable[[Adoption], KeySource] | None = None,
    ) -> None:
        """Open nothing yet. framing: default Enter or Tab ends a code. open_source: default evdev."""
        self.name = name
        self._adoption = adoption
        self._framing = framing
        self._framer = Framer(framing)
        self._decoder = KeyDecoder()
        self._open_source = open_source or open_evdev
        self._backoff = backoff or Backoff()
        self._health = HealthRecord(name, "scanner", str(adoption))
        self._waiter = Waiter()
        self._in_use = threading.Lock()
        self._closed = threading.Event()
        self._source: KeySource | None = None
        # Filled only when empty, by what one read of the kernel's event buffer gives.
        self._ready: deque[Scan] = deque()

    def read(self, timeout_s: float) -> Scan | None:
        """Return the next scan; None after `timeout_s`, or at once when closed. Never raises."""
        end_ns = boottime_ns() + round(timeout_s * _NS_PER_S)
        left_s = timeout_s
        with self._in_use:
            while not self._ready and not self._closed.is_set():
                frames = self._receive(max(0.0, left_s))
                self._ready.extend(to_scan(self.name, frame, self._framing) for frame in frames)
                left_s = (end_ns - boottime_ns()) / _NS_PER_S
                if left_s <= 0:
                    break
            return self._ready.popleft() if self._ready else None

    def status(self) -> DeviceStatus:
        """Return the scanner's health; callable from any thread."""
        return self._health.status()

    def close(self) -> None:
        """Let go of the device for good, from any thread; a waiting `read` returns at once."""
        if self._closed.is_set():
            return
        self._closed.set()
        self._waiter.wake()
        with self._in_use:
            self._release()
            self._waiter.close()
            self._health.absent("closed by this service")

    def _receive(self, timeout_s: float) -> list[RawFrame]:
        source = self._opened()
        if source is None:
            self._waiter.wait(None, min(timeout_s, self._backoff.wait_s(boottime_ns())))
            return []
        due_ns = self._framer.flush_due_ns()
        if due_ns is not None:
            timeout_s = min(timeout_s, max(0, due_ns - boottime_ns()) / _NS_PER_S)
        if not self._waiter.wait(source.fileno(), timeout_s):
            return self._framer.flush_idle(boottime_ns())
        return self._take(source)

    def _take(self, source: KeySource) -> list[RawFrame]:
        try:
            events = source.read_keys()
        except OSError as error:
            self._release()
            self._backoff.failed(boottime_ns())
            self._health.absent(f"lost {self._adoption}: {error.strerror}; it is taken again when it is back")
            return self._framer.abandon(_CUT_OFF)
        now_ns = boottime_ns()
        self._backoff.succeeded()
        frames: list[RawFrame] = []
        for event in events:
            if event is EVENTS_LOST:
                self._decoder = KeyDecoder()
                self._framer.spoil(_LOST_EVENTS, now_ns)
            else:
                frames += self._framer.feed(self._decoder.press(event), now_ns)
        if events:
            self._health.heard(now_ns)
        return frames

    def _opened(self) -> KeySource | None:
        if self._source is not None or self._backoff.wait_s(boottime_ns()) > 0.0:
            return self._source
        try:
            self._source = self._open_source(self._adoption)
        except NotAdoptable as error:
            self._backoff.failed(boottime_ns())
            (self._health.absent if error.absent else self._health.fault)(str(error))
            return None
        self._decoder = KeyDecoder()
        self._health.connected(
            "grabbed for this service alone", port=f"{self._adoption} -> {self._source.path}"
        )
        return self._source

    def _release(self) -> None:
        source, self._source = self._source, None
        if source is not None:
            with contextlib.suppress(OSError):
                source.close()


@dataclass(frozen=True, slots=True)
class InputDeviceInfo:
    """One input device. types: it has digits and Enter, so a scanner may be behind it.

    hint: "its name says scanner" or "": never a decision. reason: why it could not be looked at, or "".
    """

    path: str
    by_id: tuple[str, ...] = ()
    by_path: tuple[str, ...] = ()
    name: str = ""
    vendor: int = 0
    product: int = 0
    serial: str = ""
    phys: str = ""
    types: bool = False
    hint: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class InputDeviceList:
    """The input devices of this machine; unavailable: why none could be listed, or ""."""

    devices: tuple[InputDeviceInfo, ...]
    unavailable: str = ""


def list_input_devices(folder: Path = _INPUT) -> InputDeviceList:
    """Return every input device, grabbing none, also those that cannot be opened, with the reason."""
    reason = _missing(folder)
    if reason:
        return InputDeviceList((), reason)
    return InputDeviceList(tuple(_describe(node, folder) for node in _nodes(folder)))


def choose(adoption: Adoption, devices: Sequence[InputDeviceInfo]) -> InputDeviceInfo:
    """Return the one device that was adopted by its ids; NotAdoptable if none or several match."""
    found = [device for device in devices if _matches(adoption, device)]
    if not found:
        hidden = [device.reason for device in devices if device.reason]
        if hidden:
            raise NotAdoptable(
                f"no device {adoption} found; {len(hidden)} not readable: {hidden[0]}", absent=False
            )
        raise NotAdoptable(f"no input device {adoption}; plug the scanner in", absent=True)
    if len(found) > 1:
        names = ", ".join(next(iter(device.by_path), device.path) for device in found)
        raise NotAdoptable(f"{len(found)} devices are {adoption}: name one by path: {names}", absent=False)
    return found[0]


def open_evdev(adoption: Adoption) -> KeySource:
    """Open and grab the adopted device; NotAdoptable with the reason when that cannot be."""
    reason = _missing(_INPUT)
    if reason:
        raise NotAdoptable(reason, absent=False)
    path = adoption.path
    if not path:
        path = choose(adoption, list_input_devices().devices).path
    import evdev

    try:
        return EvdevSource(evdev.InputDevice(path))
    except OSError as error:
        raise _not_adoptable(path, error) from error


class InputEvent(Protocol):
    """What evdev.InputEvent has that is needed here."""

    type: int
    code: int
    value: int


class InputDevice(Protocol):
    """What evdev.InputDevice has that is needed here."""

    fd: int

    @property
    def path(self) -> str | bytes:
        """Where it was opened."""

    def capabilities(self) -> Mapping[int, Sequence[int]]:
        """Return the codes of each event type."""

    def grab(self) -> None:
        """Take the device for this process alone; OSError EBUSY when another has it."""

    def read(self) -> Iterable[InputEvent]:
        """Return what waits; BlockingIOError when nothing does, OSError ENODEV when the device has gone."""

    def close(self) -> None:
        """Let go of the device."""


class EvdevSource:
    """A KeySource over one evdev device, which it grabs and owns; the device is closed if that fails."""

    def __init__(self, device: InputDevice) -> None:
        """Grab it. Raises NotAdoptable when it has no digits and Enter, OSError when it cannot be grabbed."""
        self._device = device
        self.path = os.fsdecode(device.path)
        try:
            if not _can_type(device.capabilities().get(_EV_KEY, [])):
                raise NotAdoptable(f"{self.path} has no digits and Enter: it is no keyboard scanner", False)
            device.grab()
        except (OSError, NotAdoptable):
            device.close()
            raise

    def fileno(self) -> int:
        """Return the descriptor to poll."""
        return self._device.fd

    def read_keys(self) -> Sequence[KeyEvent]:
        """Return the key events that wait; OSError when the device has gone."""
        keys: list[KeyEvent] = []
        try:
            for event in self._device.read():
                if (event.type, event.code) == (_EV_SYN, _SYN_DROPPED):
                    keys.append(EVENTS_LOST)
                elif event.type == _EV_KEY:
                    keys.append(KeyEvent(event.code, event.value))
        except BlockingIOError:
            pass
        return keys

    def close(self) -> None:
        """Let go of the device."""
        self._device.close()


def _missing(folder: Path) -> str:
    if importlib.util.find_spec("evdev") is None:
        return "HID scanners need the Python package evdev (Linux); install it or set the scanner to USB-COM"
    if not folder.is_dir():
        return f"there is no {folder}: this machine or container shows no input devices"
    return ""


def _nodes(folder: Path) -> list[Path]:
    return sorted(folder.glob("event*"), key=lambda node: (len(node.name), node.name))


def _describe(node: Path, folder: Path) -> InputDeviceInfo:
    import evdev

    path = str(node)
    by_id, by_path = stable_names(path, folder / "by-id"), stable_names(path, folder / "by-path")
    try:
        device = evdev.InputDevice(path)
    except OSError as error:
        return InputDeviceInfo(path, by_id, by_path, reason=str(_not_adoptable(path, error)))
    with contextlib.closing(device):
        says_so = any(word in device.name.lower() for word in ("barcode", "scanner", "reader"))
        return InputDeviceInfo(
            path,
            by_id,
            by_path,
            device.name,
            device.info.vendor,
            device.info.product,
            device.uniq or "",
            device.phys or "",
            types=_can_type(device.capabilities().get(_EV_KEY, [])),
            hint="its name says scanner" if says_so else "",
        )


def _can_type(keys: Sequence[int]) -> bool:
    return KEY_1 in keys and KEY_ENTER in keys


def _matches(adoption: Adoption, device: InputDeviceInfo) -> bool:
    if (device.vendor, device.product) != (adoption.vendor, adoption.product) or not device.types:
        return False
    return adoption.serial in ("", device.serial) and device.phys.startswith(adoption.phys)


def _not_adoptable(path: str, error: OSError) -> NotAdoptable:
    if error.errno in (errno.ENOENT, errno.ENODEV, errno.ENXIO):
        return NotAdoptable(f"no input device {path}; plug the scanner in", absent=True)
    if error.errno in (errno.EACCES, errno.EPERM):
        return NotAdoptable(
            f"no permission for {path}; add the service's user to the group input", absent=False
        )
    if error.errno == errno.EBUSY:
        return NotAdoptable(f"{path} is grabbed by another program; stop that program", absent=False)
    return NotAdoptable(f"cannot open {path}: {error}", absent=False)
