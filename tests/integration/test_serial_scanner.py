"""The serial scanner on a pty: loss, replacement, misbehaviour, latency, idleness."""

from __future__ import annotations

import os
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import serial
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.runtime import Backoff, HealthRecord, boottime_ns
from devices.scanner.codec import Framing, Terminator
from devices.scanner.learn import SHEET, has_all, learn
from devices.scanner.serial_driver import SerialScanner, capture
from devices.transport import SerialPort, SerialSettings, list_serial_ports, stable_names
from devices.types import DeviceAbsent, DeviceSilent, Health, Scan
from sim.scanner import Misbehaviour, ScannerHabits, SimulatedScanner, Wrap, run

_PATIENCE_S = 15.0
_QUICK = Framing(partial_ms=100)


def _scanner(link: Path, framing: Framing | None = None) -> SerialScanner:
    return SerialScanner("till-1", SerialSettings(str(link)), framing, Backoff(0.01, 0.05))


def _read_until(scanner: SerialScanner, health: Health) -> list[Scan]:
    end_ns = boottime_ns() + round(_PATIENCE_S * 1e9)
    scans = []
    while scanner.status().health is not health:
        assert boottime_ns() < end_ns, f"still {scanner.status()}"
        scan = scanner.read(0.02)
        if scan is not None:
            scans.append(scan)
    return scans


@pytest.fixture
def link(tmp_path: Path) -> Path:
    return tmp_path / "by-path" / "usb-0:1.3"


@pytest.fixture
def far(link: Path) -> Iterator[SimulatedScanner]:
    with SimulatedScanner(link) as scanner:
        yield scanner


@pytest.fixture
def near(far: SimulatedScanner, link: Path) -> Iterator[SerialScanner]:
    scanner = _scanner(link, _QUICK)
    _read_until(scanner, Health.CONNECTED)
    yield scanner
    scanner.close()


def _next(scanner: SerialScanner) -> Scan:
    scan = scanner.read(_PATIENCE_S)
    assert scan is not None, scanner.status()
    return scan


@pytest.mark.parametrize("wrap", [Wrap.CR, Wrap.LF, Wrap.CRLF, Wrap.STX_ETX])
def test_auto_framing_reads_every_usual_setting(
    far: SimulatedScanner, near: SerialScanner, wrap: Wrap
) -> None:
    far.scan("010952123454321310ABC\x1d21X", aim="]C1", wrap=wrap)
    scan = _next(near)
    assert (scan.text, scan.aim, scan.problem) == ("010952123454321310ABC\x1d21X", "]C1", None)
    assert near.read(0.15) is None


def test_a_scanner_without_terminator_is_read_by_silence(far: SimulatedScanner, link: Path) -> None:
    scanner = _scanner(link, Framing(terminators=frozenset(), idle_ms=30))
    _read_until(scanner, Health.CONNECTED)
    for code in ("6901234567892", "12345670"):
        far.scan(code, wrap=Wrap.NONE)
        assert _next(scanner).text == code
    scanner.close()


def test_a_tab_scanner_is_read_where_tab_is_set(far: SimulatedScanner, link: Path) -> None:
    scanner = _scanner(link, Framing(terminators=frozenset({Terminator.TAB})))
    _read_until(scanner, Health.CONNECTED)
    far.scan("12345670", wrap=Wrap.TAB)
    assert _next(scanner).text == "12345670"
    scanner.close()


def test_bytes_paced_as_by_a_9600_baud_wire_make_one_scan(link: Path) -> None:
    with SimulatedScanner(link, ScannerHabits(baud=9600)) as far:
        scanner = _scanner(link)
        _read_until(scanner, Health.CONNECTED)
        far.scan("6901234567892", aim="]E0")
        assert _next(scanner).text == "6901234567892"
        scanner.close()


@pytest.mark.parametrize(
    ("misbehaviour", "texts", "problem"),
    [
        (Misbehaviour.DOUBLE_CR, ["6901234567892"], None),
        (Misbehaviour.GLUED, ["6901234567892", "6901234567892"], None),
        (Misbehaviour.HALF, [""], "no terminator within 100 ms"),
        (Misbehaviour.JUNK, [""], "not text"),
        (Misbehaviour.OVER_LONG, [""], "longer than 4096 bytes"),
    ],
)
def test_misbehaviour_is_survived_and_the_next_code_is_read(
    far: SimulatedScanner,
    near: SerialScanner,
    misbehaviour: Misbehaviour,
    texts: list[str],
    problem: str | None,
) -> None:
    far.scan("6901234567892", aim="]E0", misbehaviour=misbehaviour)
    scans = [_next(near) for _ in texts]
    assert [scan.text for scan in scans] == texts
    assert (scans[0].problem is None) if problem is None else problem in (scans[0].problem or "")
    far.scan("12345670")
    assert _next(near).text == "12345670"


def test_a_link_that_leads_to_another_port_is_followed(
    far: SimulatedScanner, near: SerialScanner, link: Path
) -> None:
    with SimulatedScanner(link) as other:
        end_ns = boottime_ns() + round(_PATIENCE_S * 1e9)
        while near.status().reopened == 0:
            assert boottime_ns() < end_ns, near.status()
            assert near.read(0.02) is None
        assert near.status().port == f"{link} -> {os.path.realpath(link)}"
        other.scan("12345670")
        assert _next(near).text == "12345670"


def test_a_name_that_vanishes_is_noticed_though_the_old_line_still_holds(
    far: SimulatedScanner, near: SerialScanner, link: Path
) -> None:
    link.unlink()
    _read_until(near, Health.ABSENT)
    assert "no such port" in near.status().detail or "its name has gone" in near.status().detail


def test_a_missing_port_is_absent_with_what_to_do_and_found_when_it_comes(link: Path) -> None:
    scanner = _scanner(link)
    assert scanner.status().health is Health.STARTING
    assert scanner.read(0.0) is None
    status = scanner.status()
    assert (status.health, status.port, status.reopened) == (Health.ABSENT, str(link), 0)
    assert "plug the device in or choose a listed port" in status.detail
    with SimulatedScanner(link) as far:
        _read_until(scanner, Health.CONNECTED)
        assert scanner.status().port == f"{link} -> {os.path.realpath(link)}"
        far.scan("12345670")
        assert _next(scanner).text == "12345670"
    scanner.close()


def test_a_port_in_use_by_another_program_is_a_fault_and_taken_when_free(
    far: SimulatedScanner, link: Path
) -> None:
    other = serial.Serial(str(link), exclusive=True)
    scanner = _scanner(link)
    assert scanner.read(0.0) is None
    assert scanner.status().health is Health.FAULT
    assert "in use by another program" in scanner.status().detail
    other.close()
    _read_until(scanner, Health.CONNECTED)
    scanner.close()


def test_something_that_is_no_port_is_a_fault(tmp_path: Path) -> None:
    no_port = tmp_path / "file"
    no_port.write_bytes(b"12345670\r")
    scanner = _scanner(no_port)
    assert scanner.read(0.05) is None
    assert scanner.status().health is Health.FAULT
    assert "cannot open" in scanner.status().detail
    scanner.close()


def test_retries_back_off_and_do_not_use_the_processor(link: Path) -> None:
    scanner = SerialScanner("till-1", SerialSettings(str(link)))
    begin_s = time.process_time()
    assert scanner.read(1.0) is None
    assert time.process_time() - begin_s < 0.05
    scanner.close()


def test_waiting_for_a_scan_does_not_use_the_processor(near: SerialScanner) -> None:
    begin_s = time.process_time()
    assert near.read(1.5) is None
    assert time.process_time() - begin_s < 0.05


def test_what_was_scanned_while_nobody_listened_is_not_read_later(link: Path) -> None:
    with SimulatedScanner(link) as far:
        assert far.scan("11111117") == b""
        scanner = _scanner(link)
        _read_until(scanner, Health.CONNECTED)
        far.scan("12345670")
        assert _next(scanner).text == "12345670"
        scanner.close()


def test_last_byte_to_scan_takes_well_under_two_milliseconds(
    far: SimulatedScanner, near: SerialScanner
) -> None:
    """Sent and read in one thread, so that no scheduling is measured; the median over 50 scans."""
    took_ns = []
    for _ in range(50):
        begin_ns = boottime_ns()
        far.scan("6901234567892")
        _next(near)
        took_ns.append(boottime_ns() - begin_ns)
    assert statistics.median(took_ns) < 2_000_000


@given(codes=st.lists(st.from_regex(r"[0-9]{8,14}", fullmatch=True), max_size=3), cut=st.integers(1, 7))
@settings(max_examples=25, deadline=None)
def test_a_kill_in_mid_frame_loses_only_the_partial_frame(codes: list[str], cut: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        link = Path(folder) / "scanner"
        far, near = SimulatedScanner(link), _scanner(link)
        _read_until(near, Health.CONNECTED)
        for code in codes:
            far.scan(code)
        far.send(b"87654321"[:cut])
        before = [_next(near).text for _ in codes]
        assert near.read(0.01) is None
        far.unplug()
        lost = _read_until(near, Health.ABSENT)
        far.plug()
        lost += _read_until(near, Health.CONNECTED)
        far.scan("12345670")
        after = _next(near)
        near.close()
        far.unplug()
    assert before == codes
    assert [(scan.raw, scan.text, scan.problem is None) for scan in lost] == [(b"87654321"[:cut], "", False)]
    assert (after.text, after.problem) == ("12345670", None)


_FAR_END = """
import sys
from pathlib import Path
from sim.scanner import SimulatedScanner
far = SimulatedScanner(Path(sys.argv[1]))
for line in sys.stdin:
    far.send(bytes.fromhex(line))
"""


def test_a_far_end_killed_with_sigkill_in_mid_frame_comes_back(link: Path) -> None:
    def begin() -> subprocess.Popen[bytes]:
        return subprocess.Popen([sys.executable, "-c", _FAR_END, str(link)], stdin=subprocess.PIPE)

    def send(far: subprocess.Popen[bytes], data: bytes) -> None:
        assert far.stdin is not None
        far.stdin.write(data.hex().encode() + b"\n")
        far.stdin.flush()

    near = _scanner(link)
    far = begin()
    _read_until(near, Health.CONNECTED)
    send(far, b"12345670\r6901")
    assert _next(near).text == "12345670"
    assert near.read(0.05) is None
    far.send_signal(signal.SIGKILL)
    far.communicate()
    lost = _read_until(near, Health.ABSENT)
    assert [scan.raw for scan in lost] == [b"6901"]
    far = begin()
    _read_until(near, Health.CONNECTED)
    send(far, b"6901234567892\r")
    assert _next(near).text == "6901234567892"
    far.communicate()
    near.close()


def test_the_simulator_obeys_lines(tmp_path: Path) -> None:
    link = tmp_path / "scanner"
    scanner = _scanner(link, _QUICK)
    texts: list[str] = []

    def lines() -> Iterator[str]:
        _read_until(scanner, Health.CONNECTED)
        yield "]E06901234567892\n"
        texts.append(_next(scanner).text)
        yield "]C10109521234543213\\x1d10A\n"
        texts.append(_next(scanner).text)
        yield "!junk\n"
        texts.append(_next(scanner).problem or "")
        yield "!unplug\n"
        _read_until(scanner, Health.ABSENT)
        yield "!plug\n"
        yield "\n"

    assert run(link, lines()) == 3
    assert texts[:2] == ["6901234567892", "0109521234543213\x1d10A"]
    assert "not text" in texts[2]
    scanner.close()
    with pytest.raises(ValueError, match="unknown word !plop; known are: !plug"):
        run(link, ["!plop"])


def test_send_reaches_the_device_whole(tmp_path: Path) -> None:
    master, slave = os.openpty()
    name = os.ttyname(slave)
    port = SerialPort(SerialSettings(name), HealthRecord("s", "scanner", name))
    port.send(b"hello")
    assert os.read(master, 100) == b"hello"
    with pytest.raises(DeviceSilent, match=r"took \d+ of 100000 bytes"):
        port.send(b"x" * 100_000, timeout_s=0.05)
    os.close(master)
    with pytest.raises(DeviceAbsent, match="the far end hung up"):
        port.send(b"hello")
    port.close()
    os.close(slave)


def test_send_says_that_there_is_no_device(link: Path) -> None:
    port = SerialPort(SerialSettings(str(link)), HealthRecord("s", "scanner", str(link)), Backoff(0.01, 0.05))
    with pytest.raises(DeviceAbsent, match="is not open: no such port"):
        port.send(b"x")
    port.close()


def test_ports_are_listed_with_their_stable_names_and_why_one_cannot_be_used(tmp_path: Path) -> None:
    dev, sys_ = tmp_path / "dev", tmp_path / "sys"
    for folder in (dev / "serial/by-id", dev / "serial/by-path"):
        folder.mkdir(parents=True)
    for name in ("ttyUSB0", "ttyS3", "ttyACM0"):
        (sys_ / "class/tty" / name / "device").mkdir(parents=True)
    (sys_ / "class/tty/ttyS3/type").write_text("0\n")
    (sys_ / "class/tty/tty1").mkdir()
    for name in ("ttyUSB0", "ttyS3"):
        (dev / name).touch()
    (dev / "serial/by-path/pci-usb-0:1").symlink_to("../../ttyUSB0")
    (dev / "serial/by-id/usb-1a86_USB_Serial-if00").symlink_to("../../ttyUSB0")
    ports = {Path(port.device).name: port for port in list_serial_ports(dev, sys_)}
    assert set(ports) == {"ttyUSB0", "ttyS3", "ttyACM0"}
    assert ports["ttyUSB0"].usable
    assert ports["ttyUSB0"].by_id == (str(dev / "serial/by-id/usb-1a86_USB_Serial-if00"),)
    assert ports["ttyUSB0"].best_name == str(dev / "serial/by-path/pci-usb-0:1")
    assert (ports["ttyS3"].usable, ports["ttyACM0"].usable) == (False, False)
    assert "no hardware" in ports["ttyS3"].reason
    assert "no node" in ports["ttyACM0"].reason
    assert ports["ttyACM0"].best_name == str(dev / "ttyACM0")


def test_no_folder_of_links_means_no_stable_names(tmp_path: Path) -> None:
    assert stable_names("/dev/null", tmp_path / "by-id") == ()


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"path": ""}, "path is empty"),
        ({"baud": 1}, "baud is 300"),
        ({"parity": "X"}, "8X1 is no frame shape"),
    ],
)
def test_serial_settings_that_cannot_work_are_refused_by_name(fields: dict[str, object], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        SerialSettings(**{"path": "/dev/x", **fields})  # type: ignore[arg-type]


def test_a_new_scanner_is_learned_from_the_sheet_of_known_codes(link: Path) -> None:
    listening = threading.Event()
    with SimulatedScanner(link, ScannerHabits(Wrap.TAB, prefix=b"T1:")) as far:

        def enough(data: bytes) -> bool:
            # Asked first after a silence: opening a port throws away what came meanwhile.
            listening.set()
            return has_all(data)

        def scan_sheet() -> None:
            assert listening.wait(_PATIENCE_S)
            for code, aim in zip(SHEET, ("]E0", "]E4", "]C0"), strict=True):
                far.scan(code, aim)

        hand = threading.Thread(target=scan_sheet)
        hand.start()
        data = capture(SerialSettings(str(link)), enough, _PATIENCE_S)
        hand.join(_PATIENCE_S)
    assert learn(data).framing == Framing(terminators=frozenset({Terminator.TAB}), prefix=b"T1:")


def test_nothing_is_captured_from_a_port_that_is_not_there(link: Path) -> None:
    with pytest.raises(DeviceAbsent, match="no such port"):
        capture(SerialSettings(str(link)), has_all, _PATIENCE_S)
