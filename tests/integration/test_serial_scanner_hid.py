"""The HID scanner through an injected event source, and with a real uinput device where there is one."""

from __future__ import annotations

import errno
import os
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

from devices.runtime import Backoff, boottime_ns
from devices.scanner.codec import Framing
from devices.scanner.hid_codec import EVENTS_LOST, HID_FRAMING, KeyEvent, keys_for
from devices.scanner.hid_driver import (
    Adoption,
    EvdevSource,
    HidScanner,
    InputDeviceInfo,
    NotAdoptable,
    choose,
    list_input_devices,
    open_evdev,
)
from devices.types import Health, Scan

_PATIENCE_S = 20.0
_ADOPTED = Adoption(vendor=0x1EAB, product=0x0003)


class _FakeSource:
    """An event device: a pipe says that events wait, as the kernel's descriptor does."""

    path = "/dev/input/event7"

    def __init__(self) -> None:
        self._out, self._in = os.pipe2(os.O_NONBLOCK)
        self._events: deque[list[KeyEvent] | OSError] = deque()
        self.closed = threading.Event()

    def fileno(self) -> int:
        return self._out

    def put(self, batch: list[KeyEvent] | OSError) -> None:
        self._events.append(batch)
        os.write(self._in, b".")

    def read_keys(self) -> Sequence[KeyEvent]:
        os.read(self._out, 1)
        batch = self._events.popleft()
        if isinstance(batch, OSError):
            raise batch
        return batch

    def close(self) -> None:
        os.close(self._out)
        os.close(self._in)
        self.closed.set()


class _Usb:
    """The place where the scanner is plugged in, or not."""

    def __init__(self) -> None:
        self.source: _FakeSource | None = _FakeSource()
        self.refusal = NotAdoptable("no input device 1eab:0003; plug the scanner in", absent=True)
        self.asked: list[Adoption] = []

    def open(self, adoption: Adoption) -> _FakeSource:
        self.asked.append(adoption)
        if self.source is None:
            raise self.refusal
        return self.source

    def type(self, data: bytes) -> None:
        assert self.source is not None
        self.source.put(keys_for(data))

    def unplug(self) -> _FakeSource:
        assert self.source is not None
        gone, self.source = self.source, None
        gone.put(OSError(errno.ENODEV, "No such device"))
        return gone


@pytest.fixture
def usb() -> _Usb:
    return _Usb()


@pytest.fixture
def scanner(usb: _Usb) -> Iterator[HidScanner]:
    made = HidScanner(
        "till-2", _ADOPTED, Framing(HID_FRAMING.terminators, partial_ms=100), _quick(), usb.open
    )
    yield made
    made.close()


def _quick() -> Backoff:
    return Backoff(0.01, 0.05)


def _until(scanner: HidScanner, condition: Callable[[], bool]) -> list[Scan]:
    end_ns = boottime_ns() + round(_PATIENCE_S * 1e9)
    scans = []
    while not condition():
        assert boottime_ns() < end_ns, scanner.status()
        scan = scanner.read(0.02)
        if scan is not None:
            scans.append(scan)
    return scans


def _next(scanner: HidScanner) -> Scan:
    scan = scanner.read(_PATIENCE_S)
    assert scan is not None, scanner.status()
    return scan


def test_a_typed_code_is_a_scan_with_aim_and_gs(usb: _Usb, scanner: HidScanner) -> None:
    usb.type(b"]C1010952123454321310ABC\x1d21X\r")
    scan = _next(scanner)
    assert (scan.text, scan.aim, scan.device) == ("010952123454321310ABC\x1d21X", "]C1", "till-2")
    assert usb.asked == [_ADOPTED]
    status = scanner.status()
    assert (status.health, status.port) == (Health.CONNECTED, "1eab:0003 -> /dev/input/event7")
    assert status.last_heard_ns == scan.read_ns


def test_several_codes_in_one_batch_come_one_by_one(usb: _Usb, scanner: HidScanner) -> None:
    usb.type(b"12345670\r\t6901234567892\t")
    assert [_next(scanner).text for _ in range(2)] == ["12345670", "6901234567892"]
    assert scanner.read(0.0) is None


def test_a_half_typed_code_then_silence_is_a_problem(usb: _Usb, scanner: HidScanner) -> None:
    usb.type(b"12345")
    scan = _next(scanner)
    assert (scan.raw, scan.text) == (b"12345", "")
    assert "no terminator within 100 ms" in (scan.problem or "")


def test_an_unplugged_scanner_is_told_and_taken_again(usb: _Usb, scanner: HidScanner) -> None:
    _until(scanner, lambda: scanner.status().health is Health.CONNECTED)
    usb.type(b"690")
    gone = usb.unplug()
    scans = _until(scanner, lambda: scanner.status().health is Health.ABSENT)
    assert gone.closed.is_set()
    assert [scan.problem for scan in scans] == [
        "the scanner was lost in the middle of a code; the code was cut off, scan it again"
    ]
    usb.source = _FakeSource()
    _until(scanner, lambda: scanner.status().health is Health.CONNECTED)
    usb.type(b"12345670\r")
    assert _next(scanner).text == "12345670"
    assert scanner.status().reopened == 1


def test_a_modifier_held_at_the_unplug_is_forgotten(usb: _Usb, scanner: HidScanner) -> None:
    _until(scanner, lambda: scanner.status().health is Health.CONNECTED)
    assert usb.source is not None
    usb.source.put([KeyEvent(42, 1)])
    usb.unplug()
    _until(scanner, lambda: scanner.status().health is Health.ABSENT)
    usb.source = _FakeSource()
    usb.type(b"12\r")
    assert _next(scanner).text == "12"


def test_lost_events_spoil_the_code_they_fell_into_and_no_other(usb: _Usb, scanner: HidScanner) -> None:
    assert usb.source is not None
    usb.source.put([*keys_for(b"11\r22"), EVENTS_LOST, *keys_for(b"33\r44\r")])
    scans = [_next(scanner) for _ in range(3)]
    assert [(scan.raw, scan.text) for scan in scans] == [(b"11", "11"), (b"2233", ""), (b"44", "44")]
    assert "lost key strokes" in (scans[1].problem or "")


@pytest.mark.parametrize(("absent", "health"), [(True, Health.ABSENT), (False, Health.FAULT)])
def test_a_device_that_cannot_be_had_says_why_and_is_tried_again(
    usb: _Usb, scanner: HidScanner, absent: bool, health: Health
) -> None:
    usb.source, usb.refusal = None, NotAdoptable("this is why", absent)
    assert scanner.read(0.1) is None
    assert (scanner.status().health, scanner.status().detail) == (health, "this is why")
    assert 2 <= len(usb.asked) <= 12
    usb.source = _FakeSource()
    _until(scanner, lambda: scanner.status().health is Health.CONNECTED)


def test_close_ends_a_waiting_read_and_lets_go_of_the_device(usb: _Usb, scanner: HidScanner) -> None:
    got: list[Scan | None] = []
    source = usb.source
    assert source is not None
    _until(scanner, lambda: scanner.status().health is Health.CONNECTED)
    reader = threading.Thread(target=lambda: got.append(scanner.read(60.0)))
    reader.start()
    scanner.close()
    scanner.close()
    reader.join(_PATIENCE_S)
    assert got == [None]
    assert source.closed.is_set()
    assert scanner.read(60.0) is None
    assert scanner.status().health is Health.ABSENT


def _info(path: str, serial: str = "", phys: str = "usb-1/input0", types: bool = True) -> InputDeviceInfo:
    return InputDeviceInfo(path, vendor=0x1EAB, product=3, serial=serial, phys=phys, types=types)


def test_adoption_takes_only_the_named_device_and_only_if_it_types() -> None:
    keyboard = InputDeviceInfo("/dev/input/event0", vendor=0x046D, product=0xC31C, types=True)
    media_keys = _info("/dev/input/event2", types=False)
    scanner = _info("/dev/input/event1")
    assert choose(_ADOPTED, [keyboard, media_keys, scanner]) is scanner
    with pytest.raises(NotAdoptable, match="no input device 1eab:0003; plug") as refusal:
        choose(_ADOPTED, [keyboard, media_keys])
    assert refusal.value.absent


def test_two_of_the_same_kind_are_told_apart_by_serial_or_place_and_never_guessed() -> None:
    left, right = (
        _info("/dev/input/event1", "A1", "usb-1/input0"),
        _info("/dev/input/event2", "B2", "usb-2/input0"),
    )
    with pytest.raises(
        NotAdoptable, match="2 devices are 1eab:0003: name one by path: /dev/input/event1, /dev/in"
    ):
        choose(_ADOPTED, [left, right])
    assert choose(Adoption(vendor=0x1EAB, product=3, serial="B2"), [left, right]) is right
    assert choose(Adoption(vendor=0x1EAB, product=3, phys="usb-1/"), [left, right]) is left


def test_a_device_that_may_hide_behind_permissions_is_a_fault_and_not_absent() -> None:
    with pytest.raises(NotAdoptable, match="1 not readable: no permission") as refusal:
        choose(_ADOPTED, [InputDeviceInfo("/dev/input/event0", reason="no permission for it")])
    assert not refusal.value.absent


@pytest.mark.parametrize("fields", [{}, {"vendor": 1}, {"product": 1}, {"serial": "x"}])
def test_adopting_whatever_comes_along_is_refused(fields: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="name it by path, or by vendor and product"):
        Adoption(**fields)  # type: ignore[arg-type]


def test_no_input_folder_is_a_reason_and_not_a_crash(tmp_path: Path) -> None:
    listed = list_input_devices(tmp_path / "input")
    assert listed.devices == ()
    assert listed.unavailable.startswith(("there is no", "HID scanners need"))


def test_a_node_that_is_no_input_device_is_listed_with_its_reason(tmp_path: Path) -> None:
    pytest.importorskip("evdev", reason="evdev is not installed")
    (tmp_path / "event3").touch()
    (device,) = list_input_devices(tmp_path).devices
    assert device.path == str(tmp_path / "event3")
    assert "cannot open" in device.reason


def test_a_missing_path_is_refused_with_the_reason(tmp_path: Path) -> None:
    with pytest.raises(NotAdoptable, match=r"no input device|there is no /dev/input|HID scanners need"):
        open_evdev(Adoption(path=str(tmp_path / "nowhere")))


class _Event(NamedTuple):
    type: int
    code: int
    value: int


class _FakeDevice:
    """An evdev.InputDevice: reads raise as the kernel's do when nothing waits or the device has gone."""

    path = "/dev/input/event9"
    fd = 0

    def __init__(self, keys: Sequence[int] = (2, 28), batches: Sequence[list[_Event] | OSError] = ()) -> None:
        self._keys = keys
        self._batches = deque(batches)
        self.held_by_another = False
        self.grabbed = self.closed = False

    def capabilities(self) -> dict[int, Sequence[int]]:
        return {1: self._keys}

    def grab(self) -> None:
        if self.held_by_another:
            raise OSError(errno.EBUSY, "Device or resource busy")
        self.grabbed = True

    def read(self) -> Iterator[_Event]:
        batch = self._batches.popleft() if self._batches else BlockingIOError(errno.EAGAIN, "nothing")
        if isinstance(batch, OSError):
            raise batch
        yield from batch

    def close(self) -> None:
        self.grabbed, self.closed = False, True


def test_an_evdev_device_is_grabbed_and_gives_its_keys_alone() -> None:
    scan_code, key, report = _Event(4, 4, 30), _Event(1, 2, 1), _Event(0, 0, 0)
    device = _FakeDevice(batches=[[scan_code, key, report], [key, _Event(0, 3, 0), key]])
    source = EvdevSource(device)
    assert device.grabbed
    assert source.read_keys() == [KeyEvent(2, 1)]
    assert source.read_keys() == [KeyEvent(2, 1), EVENTS_LOST, KeyEvent(2, 1)]
    assert source.read_keys() == []
    source.close()
    assert device.closed


def test_an_evdev_device_that_has_gone_says_so() -> None:
    source = EvdevSource(_FakeDevice(batches=[OSError(errno.ENODEV, "No such device")]))
    with pytest.raises(OSError, match="No such device"):
        source.read_keys()


def test_a_mouse_is_let_go_again_ungrabbed() -> None:
    mouse = _FakeDevice(keys=(272, 273))
    with pytest.raises(NotAdoptable, match="no digits and Enter"):
        EvdevSource(mouse)
    assert (mouse.grabbed, mouse.closed) == (False, True)


def test_a_device_grabbed_by_another_program_is_let_go_again() -> None:
    device = _FakeDevice()
    device.held_by_another = True
    with pytest.raises(OSError, match="busy"):
        EvdevSource(device)
    assert device.closed


def test_a_real_uinput_scanner_is_adopted_grabbed_and_read() -> None:
    evdev = pytest.importorskip("evdev", reason="evdev is not installed")
    if not os.access("/dev/uinput", os.W_OK):
        pytest.skip("no writable /dev/uinput here: no virtual keyboard can be made")
    keys = {evdev.ecodes.EV_KEY: list(range(1, 128))}
    with evdev.UInput(keys, name="Test barcode scanner", vendor=0x1EAB, product=0x7777) as far:
        scanner = HidScanner("till-3", Adoption(vendor=0x1EAB, product=0x7777), backoff=_quick())
        _until(scanner, lambda: scanner.status().health is Health.CONNECTED)
        for event in keys_for(b"]C1010952123454321310A\x1d21B\r"):
            far.write(evdev.ecodes.EV_KEY, event.code, event.value)
            far.syn()
        scan = _next(scanner)
        assert (scan.text, scan.aim) == ("010952123454321310A\x1d21B", "]C1")
        with pytest.raises(OSError, match="busy"):
            evdev.InputDevice(scanner.status().port.split(" -> ")[1]).grab()
    _until(scanner, lambda: scanner.status().health is Health.ABSENT)
    scanner.close()
