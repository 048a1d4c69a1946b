"""The ESC/POS driver against a printer that fails in the middle of a job."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
import zxingcpp
from PIL import Image

from devices.printer.codec import PAPER_58, PAPER_80, Barrier, Chinese, PrinterProfile, Qr, encode_job
from devices.printer.codec import test_page as printer_test_page
from devices.printer.driver import EscPosPrinter, PrinterLimits
from devices.printer.journal import KEPT_JOBS, JobJournal
from devices.printer.link import SerialAddress
from devices.types import Columns, Health, PrintJob, PrintOutcome, TextLine
from sim.escpos import Printed
from sim.printer import SimPrinter, run
from sim.wires import PtyWire

LIMITS = PrinterLimits(job_s=1.2, sync_s=1.0, status_s=0.5, connect_s=0.5)
PATIENT = replace(LIMITS, job_s=20.0, sync_s=10.0, status_s=5.0)
BY_ID = replace(PAPER_58, barrier=Barrier.PROCESS_ID)
RASTER = replace(PAPER_58, chinese=Chinese.RASTER, qr=Qr.RASTER)
PROFILES = {"GS r": PAPER_58, "GS ( H": BY_ID, "raster": RASTER}


def receipt(job_id: str) -> PrintJob:
    lines = tuple(Columns(f"商品 {number}", "￥1.00") for number in range(40))
    return PrintJob(job_id, (TextLine(f"小票 {job_id}"), *lines))


def eventually(condition: Callable[[], bool], limit_s: float = 10.0) -> None:
    """Wait until `condition` holds; fail after `limit_s`."""
    pause = threading.Event()
    for _ in range(round(limit_s / 0.01)):
        if condition():
            return
        pause.wait(0.01)
    pytest.fail(f"did not happen in {limit_s} s")


@pytest.fixture(params=PROFILES)
def profile(request: pytest.FixtureRequest) -> PrinterProfile:
    return PROFILES[request.param]


def test_paper_that_runs_out_in_a_job_is_waited_for(profile: PrinterProfile) -> None:
    sim = SimPrinter()
    with PtyWire(sim) as wire, ThreadPoolExecutor(1) as pool:
        printer = EscPosPrinter("p", SerialAddress(wire.path), profile, PATIENT)
        sim.switches.paper_out_after = 400
        pending = pool.submit(printer.print_job, receipt("a"))
        eventually(lambda: sim.switches.paper_out)
        if profile is not RASTER:  # a full buffer takes no question either
            eventually(lambda: "paper" in printer.status().detail)
            assert printer.status().health is Health.FAULT
        assert not printer.printer_status().ready
        sim.command("paper in")
        assert pending.result().outcome is PrintOutcome.PRINTED
        assert len(sim.texts()) == 1
        assert printer.status().health is Health.CONNECTED


def test_paper_that_is_not_replaced_leaves_the_job_uncertain_and_the_next_one_waits(
    profile: PrinterProfile,
) -> None:
    sim = SimPrinter()
    with PtyWire(sim) as wire:
        printer = EscPosPrinter("p", SerialAddress(wire.path), profile, LIMITS)
        sim.switches.paper_out_after = 400
        result = printer.print_job(receipt("a"))
        assert result.outcome is PrintOutcome.UNCERTAIN
        assert printer.print_job(receipt("b")).outcome is PrintOutcome.NOT_STARTED
        assert sim.texts() == []


@pytest.mark.parametrize("barrier", list(Barrier))
def test_a_late_answer_of_a_former_job_proves_nothing_for_the_next(barrier: Barrier) -> None:
    """Job a's answer comes while job b is stuck without paper: b must not count as printed."""
    sim = SimPrinter()
    with PtyWire(sim) as wire:
        profile = replace(PAPER_58, barrier=barrier)
        printer = EscPosPrinter("p", SerialAddress(wire.path), profile, LIMITS)
        sim.switches.paper_out_after = 400
        assert printer.print_job(receipt("a")).outcome is PrintOutcome.UNCERTAIN
        # Before there is paper again, or the printer may have gone on with job a uncounted.
        sim.switches.paper_out_after = len(encode_job(receipt("a"), profile)) * 3 // 2 - 400  # half of b
        sim.command("paper in")
        assert printer.print_job(receipt("b")).outcome is PrintOutcome.UNCERTAIN
        assert len(sim.texts()) == 1


def test_an_answer_that_is_on_the_wire_before_the_job_proves_nothing() -> None:
    sim = SimPrinter()
    with PtyWire(sim) as wire:
        printer = EscPosPrinter("p", SerialAddress(wire.path), PAPER_58, LIMITS)
        assert printer.print_job(receipt("a")).outcome is PrintOutcome.PRINTED
        sim.chatter = b"\x00"  # what a power switch or a former job may leave on the line
        sim.switches.silent_after = 10
        assert printer.print_job(receipt("b")).outcome is PrintOutcome.UNCERTAIN


def test_a_power_cut_in_a_job_is_uncertain_and_the_next_job_is_whole(profile: PrinterProfile) -> None:
    sim = SimPrinter()
    with PtyWire(sim) as wire:
        printer = EscPosPrinter("p", SerialAddress(wire.path), profile, LIMITS)
        sim.switches.power_off_after = 400
        assert printer.print_job(receipt("a")).outcome is PrintOutcome.UNCERTAIN
        assert printer.print_job(receipt("b")).outcome is PrintOutcome.NOT_STARTED
        sim.command("power on")
        assert printer.print_job(PrintJob("c", (TextLine("short"),))).outcome is PrintOutcome.PRINTED
        assert len(sim.texts()) == 1
        assert not [effect for effect in sim.receipts[-1].effects if "商品" in str(effect)]


def test_a_job_that_breaks_off_inside_a_picture_does_not_swallow_the_next() -> None:
    sim = SimPrinter()
    with PtyWire(sim) as wire:
        printer = EscPosPrinter("p", SerialAddress(wire.path), RASTER, LIMITS)
        sim.switches.speed = 4000  # the 4 KB buffer fills, the driver gives up in the middle
        assert printer.print_job(receipt("a")).outcome is PrintOutcome.UNCERTAIN
        sim.switches.speed = 0
        eventually(lambda: sim.held == 0)
        assert printer.print_job(PrintJob("b", ())).outcome is PrintOutcome.PRINTED
        assert sim.unknown == []
        assert not [effect for effect in sim.receipts[-1].effects if isinstance(effect, Printed)]


def test_a_clone_that_answers_without_paper_is_not_believed() -> None:
    sim = SimPrinter()
    sim.switches.ignores_paper = True
    with PtyWire(sim) as wire:
        printer = EscPosPrinter("p", SerialAddress(wire.path), PAPER_58, LIMITS)
        sim.switches.paper_out_after = 400
        result = printer.print_job(receipt("a"))
        assert result.outcome is PrintOutcome.UNCERTAIN
        assert "paper ran out" in result.reason


def test_a_slow_printer_is_waited_for() -> None:
    sim = SimPrinter()
    sim.switches.speed = 4000
    with PtyWire(sim) as wire:
        printer = EscPosPrinter("p", SerialAddress(wire.path), BY_ID, PATIENT)
        assert printer.print_job(receipt("a")).outcome is PrintOutcome.PRINTED


def test_a_silent_printer_gets_no_job() -> None:
    sim = SimPrinter()
    sim.switches.silent = True
    with PtyWire(sim) as wire:
        printer = EscPosPrinter("p", SerialAddress(wire.path), PAPER_58, LIMITS)
        result = printer.print_job(receipt("a"))
        assert result.outcome is PrintOutcome.NOT_STARTED
        assert "does not answer" in result.reason


def test_closing_ends_a_job_that_waits() -> None:
    sim = SimPrinter()
    with PtyWire(sim) as wire, ThreadPoolExecutor(1) as pool:
        printer = EscPosPrinter("p", SerialAddress(wire.path), BY_ID, PATIENT)
        sim.switches.paper_out_after = 400
        pending = pool.submit(printer.print_job, receipt("a"))
        eventually(lambda: sim.switches.paper_out)
        printer.close()
        assert pending.result(timeout=5).outcome is PrintOutcome.UNCERTAIN


CHILD = """
import sys
from pathlib import Path
from devices.printer.driver import EscPosPrinter
from devices.printer.journal import JobJournal
from devices.printer.link import SerialAddress
from devices.printer.profile import PAPER_58
from devices.types import PrintJob, TextLine
printer = EscPosPrinter("p", SerialAddress(sys.argv[1]), PAPER_58, journal=JobJournal(Path(sys.argv[2])))
print(printer.print_job(PrintJob("sale-1", (TextLine("only once"),))).outcome, flush=True)
"""


def test_a_driver_killed_between_sending_and_proof_does_not_print_again(tmp_path: Path) -> None:
    sim = SimPrinter()
    journal = tmp_path / "jobs"
    with PtyWire(sim) as wire:
        sim.switches.silent_after = 20  # the job goes through, its proof does not come back
        command = [sys.executable, "-c", CHILD, wire.path, str(journal)]
        with subprocess.Popen(command) as child:
            eventually(lambda: len(sim.texts()) == 1)
            child.send_signal(signal.SIGKILL)
        sim.command("silent off")
        again = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True)
        assert again.stdout.strip() == "uncertain"
        assert len(sim.texts()) == 1
        other = EscPosPrinter("p", SerialAddress(wire.path), PAPER_58, LIMITS, JobJournal(journal))
        assert other.print_job(receipt("sale-2")).outcome is PrintOutcome.PRINTED
        assert len(sim.texts()) == 2


def test_a_full_disk_starts_nothing(tmp_path: Path) -> None:
    sim = SimPrinter()
    with PtyWire(sim) as wire:
        journal = JobJournal(tmp_path / "absent-folder" / "jobs")
        printer = EscPosPrinter("p", SerialAddress(wire.path), PAPER_58, LIMITS, journal)
        result = printer.print_job(receipt("a"))
        assert result.outcome is PrintOutcome.NOT_STARTED
        assert "disk" in result.reason
        assert sim.texts() == []


def test_the_journal_forgets_the_oldest_and_survives_a_torn_line(tmp_path: Path) -> None:
    path = tmp_path / "jobs"
    journal = JobJournal(path)
    for number in range(KEPT_JOBS + 1):
        journal.note(f"job {number}", PrintOutcome.PRINTED)
    with path.open("a", encoding="utf-8") as file:
        file.write('["job torn", "unc')
    again = JobJournal(path)
    assert again.outcome("job 0") is None
    assert again.outcome(f"job {KEPT_JOBS}") is PrintOutcome.PRINTED
    assert again.outcome("job torn") is None
    assert len(path.read_text(encoding="utf-8").splitlines()) == KEPT_JOBS


@pytest.mark.parametrize("profile", [PAPER_58, PAPER_80, RASTER], ids=["58 mm", "80 mm", "raster"])
def test_the_test_page_is_drawn_and_its_qr_code_can_be_scanned(
    profile: PrinterProfile, tmp_path: Path
) -> None:
    sim = SimPrinter(tmp_path, profile.width, profile.dots)
    with PtyWire(sim) as wire:
        printer = EscPosPrinter("p", SerialAddress(wire.path), profile, PATIENT)
        assert printer.print_job(printer_test_page(profile, "t-1")).outcome is PrintOutcome.PRINTED
    with Image.open(tmp_path / "receipt-0001.png") as picture:
        assert [code.text for code in zxingcpp.read_barcodes(picture)] == ["TEST t-1"]
    assert (tmp_path / "receipt-0001.txt").exists()


def test_the_simulator_obeys_switches_from_a_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(tmp_path, link=tmp_path / "port", commands=["paper out", "speed 100", "dance"])
    lines = capsys.readouterr().out.splitlines()
    assert str(tmp_path / "port") in lines[0]
    assert lines[1:3] == ["ok", "ok"]
    assert lines[3].startswith("unknown: 'dance'")
    assert not (tmp_path / "port").exists()
