"""What every Scanner promises: the fake and the serial driver on a pty, under the same suite."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import pytest

from devices.runtime import Backoff, boottime_ns
from devices.scanner.serial_driver import SerialScanner
from devices.transport import SerialSettings
from devices.types import Health, Scan
from edge.services.ports import Scanner
from sim.fakes.scanner import FakeScanner
from sim.scanner import Misbehaviour, SimulatedScanner

_PATIENCE_S = 20.0


class _Rig(Protocol):
    """A scanner and the hand that holds it."""

    scanner: Scanner

    def scan(self, text: str, aim: str | None = None) -> None: ...
    def cut_off(self, text: str) -> None: ...
    def unplug(self) -> None: ...
    def plug(self) -> None: ...
    def close(self) -> None: ...


class _FakeRig:
    def __init__(self, _: Path) -> None:
        self._fake = FakeScanner("till-1")
        self.scanner: Scanner = self._fake
        self.scan = self._fake.scan
        self.cut_off = self._fake.cut_off
        self.unplug = self._fake.unplug
        self.plug = self._fake.plug

    def close(self) -> None:
        self._fake.close()


class _SerialRig:
    def __init__(self, folder: Path) -> None:
        self._far = SimulatedScanner(folder / "by-id" / "scanner")
        settings = SerialSettings(str(folder / "by-id" / "scanner"))
        self.scanner: Scanner = SerialScanner("till-1", settings, backoff=Backoff(0.01, 0.05))
        _read_until(self.scanner, Health.CONNECTED)
        self.unplug = self._far.unplug
        self.plug = self._far.plug

    def scan(self, text: str, aim: str | None = None) -> None:
        self._far.scan(text, aim)

    def cut_off(self, text: str) -> None:
        self._far.scan(text, misbehaviour=Misbehaviour.HALF)
        # The reader must have taken the half code before the cable goes, else the kernel drops it.
        before = self.scanner.status().last_heard_ns
        while self.scanner.status().last_heard_ns == before:
            assert self.scanner.read(0.01) is None
        self._far.unplug()

    def close(self) -> None:
        self.scanner.close()
        self._far.unplug()


@pytest.fixture(params=[_FakeRig, _SerialRig], ids=["fake", "serial"])
def rig(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[_Rig]:
    made: _Rig = request.param(tmp_path)
    yield made
    made.close()


def _read_until(scanner: Scanner, health: Health) -> list[Scan]:
    """Read on until the scanner is in this health; return what came meanwhile."""
    end_ns = boottime_ns() + round(_PATIENCE_S * 1e9)
    scans = []
    while scanner.status().health is not health:
        assert boottime_ns() < end_ns, f"still {scanner.status()} after {_PATIENCE_S} s"
        scan = scanner.read(0.02)
        if scan is not None:
            scans.append(scan)
    return scans


def test_scans_come_out_in_order_and_stamped(rig: _Rig) -> None:
    before_ns = boottime_ns()
    rig.scan("6901234567892")
    rig.scan("12345670", "]E4")
    first, second = rig.scanner.read(_PATIENCE_S), rig.scanner.read(_PATIENCE_S)
    assert first is not None
    assert second is not None
    assert (first.device, first.text, first.aim, first.problem) == ("till-1", "6901234567892", None, None)
    assert (second.text, second.aim, second.raw) == ("12345670", "]E4", b"]E412345670")
    assert before_ns <= first.read_ns <= second.read_ns <= boottime_ns()


def test_the_same_code_twice_on_purpose_is_two_scans(rig: _Rig) -> None:
    rig.scan("12345670")
    rig.scan("12345670")
    scans = [rig.scanner.read(_PATIENCE_S) for _ in range(2)]
    assert [scan and scan.text for scan in scans] == ["12345670", "12345670"]
    assert rig.scanner.read(0.0) is None


@pytest.mark.parametrize("timeout_s", [0.0, 0.05])
def test_none_comes_after_the_time_out_and_not_much_later(rig: _Rig, timeout_s: float) -> None:
    begin_ns = boottime_ns()
    assert rig.scanner.read(timeout_s) is None
    assert timeout_s <= (boottime_ns() - begin_ns) / 1e9 < timeout_s + 1.0


def test_status_says_connected_and_when_the_scanner_was_last_heard(rig: _Rig) -> None:
    assert rig.scanner.status().last_heard_ns is None
    rig.scan("12345670")
    scan = rig.scanner.read(_PATIENCE_S)
    status = rig.scanner.status()
    assert scan is not None
    assert (status.name, status.kind, status.health) == ("till-1", "scanner", Health.CONNECTED)
    assert status.last_heard_ns == scan.read_ns


def test_an_unplugged_scanner_is_absent_and_works_again_when_plugged(rig: _Rig) -> None:
    rig.unplug()
    assert _read_until(rig.scanner, Health.ABSENT) == []
    rig.scan("11111117")
    assert rig.scanner.read(0.05) is None
    rig.plug()
    assert _read_until(rig.scanner, Health.CONNECTED) == []
    assert rig.scanner.status().reopened == 1
    rig.scan("12345670")
    scan = rig.scanner.read(_PATIENCE_S)
    assert scan is not None
    assert scan.text == "12345670"


def test_a_code_cut_off_by_the_cable_is_a_problem_and_spoils_nothing_after_it(rig: _Rig) -> None:
    rig.cut_off("6901234567892")
    scan = rig.scanner.read(_PATIENCE_S)
    assert scan is not None
    assert (scan.text, scan.problem) == (
        "",
        "the scanner was lost in the middle of a code; the code was cut off, scan it again",
    )
    rig.plug()
    _read_until(rig.scanner, Health.CONNECTED)
    rig.scan("12345670")
    scan = rig.scanner.read(_PATIENCE_S)
    assert scan is not None
    assert (scan.text, scan.problem) == ("12345670", None)


def test_close_ends_a_waiting_read_and_every_later_one(rig: _Rig) -> None:
    reading = threading.Event()
    got: list[Scan | None] = []

    def read() -> None:
        reading.set()
        got.append(rig.scanner.read(60.0))

    reader = threading.Thread(target=read)
    reader.start()
    assert reading.wait(_PATIENCE_S)
    rig.scanner.close()
    rig.scanner.close()
    reader.join(_PATIENCE_S)
    assert got == [None]
    assert rig.scanner.read(60.0) is None
    assert rig.scanner.status().health is Health.ABSENT
