"""Port Printer: the same promises from the fake and from the ESC/POS driver on each of its wires."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import pytest

from devices.printer.driver import EscPosPrinter, PrinterLimits
from devices.printer.link import Address, SerialAddress, TcpAddress, UsbAddress
from devices.printer.profile import PAPER_58, Barrier, PrinterProfile
from devices.types import Columns, Drawer, Health, PaperState, PrintJob, PrintOutcome, TextLine
from edge.services.ports import Printer
from sim.fakes.printer import FakePrinter
from sim.printer import SimPrinter
from sim.wires import PtyWire, TcpWire

LIMITS = PrinterLimits(job_s=3.0, sync_s=3.0, status_s=1.0, connect_s=1.0)
BY_ID = PrinterProfile(32, 384, barrier=Barrier.PROCESS_ID)


@dataclass(frozen=True, slots=True)
class Rig:
    """A printer and what a person can do to it."""

    printer: Printer
    texts: Callable[[], list[str]]
    drawer_kicks: Callable[[], int]
    paper: Callable[[PaperState], object]
    cover: Callable[[bool], object]
    lose_proof: Callable[[bool], None]
    unplug: Callable[[], None]


def fake_rig(stack: ExitStack) -> Rig:
    fake = FakePrinter("till-1")
    return Rig(
        fake,
        fake.texts,
        lambda: fake.drawer_kicks,
        lambda state: setattr(fake, "paper", state),
        lambda is_open: setattr(fake, "cover_open", is_open),
        lambda lost: setattr(fake, "loses_proof", lost),
        fake.close,
    )


def sim_rig(wire_kind: str, profile: PrinterProfile, stack: ExitStack) -> Rig:
    sim = SimPrinter(None, profile.width, profile.dots)
    wire: TcpWire | PtyWire
    if wire_kind == "tcp":
        wire = stack.enter_context(TcpWire(sim))
        address: Address = TcpAddress("127.0.0.1", wire.port)
    else:
        wire = stack.enter_context(PtyWire(sim))
        address = SerialAddress(wire.path) if wire_kind == "serial" else UsbAddress(wire.path)
    printer = EscPosPrinter("till-1", address, profile, LIMITS)

    def lose_proof(lost: bool) -> None:
        """Answers get lost from the moment that the job's bytes arrive."""
        sim.switches.silent_after = 300 if lost else None
        if not lost:
            sim.switches.silent = False

    return Rig(
        printer,
        sim.texts,
        lambda: sim.drawer_kicks,
        lambda state: sim.command(f"paper {PAPER_WORDS[state]}"),
        lambda is_open: sim.command(f"cover {'open' if is_open else 'close'}"),
        lose_proof,
        wire.close,
    )


PAPER_WORDS = {PaperState.OUT: "out", PaperState.ENOUGH: "in", PaperState.NEAR_END: "near"}
RIGS: dict[str, Callable[[ExitStack], Rig]] = {
    "fake": fake_rig,
    "serial, GS r": lambda stack: sim_rig("serial", PAPER_58, stack),
    "tcp, GS ( H": lambda stack: sim_rig("tcp", BY_ID, stack),
    "usb, GS ( H": lambda stack: sim_rig("usb", BY_ID, stack),
}


@pytest.fixture(params=RIGS)
def rig(request: pytest.FixtureRequest) -> Iterator[Rig]:
    with ExitStack() as stack:
        yield RIGS[request.param](stack)


def receipt(job_id: str, text: str = "苹果") -> PrintJob:
    lines = tuple(TextLine(f"line {number}") for number in range(30))
    return PrintJob(job_id, (TextLine(text), *lines, Columns("合计", "￥5.00"), Drawer()))


def test_a_job_comes_out_once_with_its_text(rig: Rig) -> None:
    assert rig.printer.print_job(receipt("a")).outcome is PrintOutcome.PRINTED
    assert len(rig.texts()) == 1
    assert "苹果" in rig.texts()[0]
    assert "￥5.00" in rig.texts()[0]
    assert rig.drawer_kicks() == 1


def test_a_printed_job_is_not_printed_again(rig: Rig) -> None:
    rig.printer.print_job(receipt("a"))
    assert rig.printer.print_job(receipt("a")).outcome is PrintOutcome.PRINTED
    assert len(rig.texts()) == 1


def test_jobs_come_out_in_order(rig: Rig) -> None:
    for name in ("一", "二", "三"):
        assert rig.printer.print_job(receipt(name, name)).outcome is PrintOutcome.PRINTED
    assert [text.split("\n")[0] for text in rig.texts()] == ["一", "二", "三"]


def test_without_paper_nothing_starts_and_the_job_can_be_tried_again(rig: Rig) -> None:
    rig.paper(PaperState.OUT)
    result = rig.printer.print_job(receipt("a"))
    assert result.outcome is PrintOutcome.NOT_STARTED
    assert "paper" in result.reason
    assert rig.printer.status().health is Health.FAULT
    rig.paper(PaperState.ENOUGH)
    assert rig.printer.print_job(receipt("a")).outcome is PrintOutcome.PRINTED
    assert len(rig.texts()) == 1


def test_with_the_cover_open_nothing_starts(rig: Rig) -> None:
    rig.cover(True)
    result = rig.printer.print_job(receipt("a"))
    assert result.outcome is PrintOutcome.NOT_STARTED
    assert "cover" in result.reason
    assert rig.printer.printer_status().cover_open
    rig.cover(False)
    assert rig.printer.print_job(receipt("a")).outcome is PrintOutcome.PRINTED


def test_a_printer_near_the_end_of_its_paper_prints(rig: Rig) -> None:
    rig.paper(PaperState.NEAR_END)
    assert rig.printer.printer_status().paper is PaperState.NEAR_END
    assert rig.printer.print_job(receipt("a")).outcome is PrintOutcome.PRINTED


def test_without_proof_the_job_is_uncertain_and_never_sent_again(rig: Rig) -> None:
    rig.lose_proof(True)
    result = rig.printer.print_job(receipt("a"))
    assert result.outcome is PrintOutcome.UNCERTAIN
    assert "a" in result.reason
    rig.lose_proof(False)
    assert rig.printer.print_job(receipt("a")).outcome is PrintOutcome.UNCERTAIN
    assert len(rig.texts()) == 1


def test_after_an_uncertain_job_the_next_one_prints(rig: Rig) -> None:
    rig.lose_proof(True)
    rig.printer.print_job(receipt("a"))
    rig.lose_proof(False)
    assert rig.printer.print_job(receipt("b")).outcome is PrintOutcome.PRINTED
    assert len(rig.texts()) == 2


def test_a_printer_that_is_gone_raises_nothing(rig: Rig) -> None:
    rig.unplug()
    result = rig.printer.print_job(receipt("a"))
    assert result.outcome is PrintOutcome.NOT_STARTED
    assert result.reason
    assert not rig.printer.printer_status().ready
    assert rig.printer.status().health is Health.ABSENT


def test_a_healthy_printer_says_so(rig: Rig) -> None:
    state = rig.printer.printer_status()
    assert (state.ready, state.paper, state.cover_open) == (True, PaperState.ENOUGH, False)
    assert rig.printer.status().health is Health.CONNECTED
    assert rig.printer.status().name == rig.printer.name == "till-1"


def test_a_closed_printer_starts_nothing(rig: Rig) -> None:
    rig.printer.close()
    assert rig.printer.print_job(receipt("a")).outcome is PrintOutcome.NOT_STARTED
    assert rig.texts() == []
