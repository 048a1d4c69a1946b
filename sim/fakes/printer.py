"""A receipt printer in memory, with the faults that a counter knows."""

from __future__ import annotations

from devices.types import (
    Columns,
    DeviceStatus,
    Drawer,
    Health,
    PaperState,
    PrinterStatus,
    PrintJob,
    PrintOutcome,
    PrintResult,
    QrCode,
    Rule,
    TextLine,
)


class FakePrinter:
    """Port Printer. Turn the attributes to make it fail.

    absent: unplugged. paper, cover_open: as the printer would report. loses_proof: the next jobs are
    printed but their proof does not come back. runs_out: the roll ends in the middle of the next job, which
    nobody can tell from a whole one; torn: what came out of those. printed: the jobs that came out on
    paper, in order.
    """

    def __init__(self, name: str = "printer") -> None:
        self.name = name
        self.absent = False
        self.paper = PaperState.ENOUGH
        self.cover_open = False
        self.loses_proof = False
        self.runs_out = False
        self.torn: list[PrintJob] = []
        self.printed: list[PrintJob] = []
        self.drawer_kicks = 0
        self._outcomes: dict[str, PrintOutcome] = {}

    def print_job(self, job: PrintJob) -> PrintResult:
        """Print once; a job_id that was begun is never printed again."""
        known = self._outcomes.get(job.job_id)
        if known is not None:
            reason = "" if known is PrintOutcome.PRINTED else f"job {job.job_id} was begun before"
            return PrintResult(known, reason)
        state = self.printer_status()
        if not state.ready:
            return PrintResult(PrintOutcome.NOT_STARTED, state.detail)
        if self.runs_out:
            self.runs_out, self.paper = False, PaperState.OUT
            self._outcomes[job.job_id] = PrintOutcome.UNCERTAIN
            self.torn.append(job)
            return PrintResult(PrintOutcome.UNCERTAIN, "the paper ran out at the end of it")
        self.printed.append(job)
        self.drawer_kicks += sum(isinstance(block, Drawer) for block in job.blocks)
        outcome = PrintOutcome.UNCERTAIN if self.loses_proof else PrintOutcome.PRINTED
        self._outcomes[job.job_id] = outcome
        return PrintResult(outcome, "no proof of printing came" if self.loses_proof else "")

    def printer_status(self) -> PrinterStatus:
        """Return what the attributes say."""
        if self.absent:
            return PrinterStatus(
                False, PaperState.UNKNOWN, False, "the printer is not there: check power and cable"
            )
        if self.cover_open:
            return PrinterStatus(False, self.paper, True, "the cover is open: close it")
        if self.paper is PaperState.OUT:
            return PrinterStatus(False, self.paper, False, "out of paper: put in a new roll")
        return PrinterStatus(True, self.paper, False)

    def status(self) -> DeviceStatus:
        """Return ABSENT, FAULT or CONNECTED."""
        state = self.printer_status()
        healthy = Health.CONNECTED if state.ready else Health.FAULT
        health = Health.ABSENT if self.absent else healthy
        return DeviceStatus(self.name, "printer", health, "memory", state.detail, 0)

    def close(self) -> None:
        """Become absent."""
        self.absent = True

    def texts(self) -> list[str]:
        """Return what each printed job reads, one string a receipt."""
        return ["\n".join(filter(None, map(_words, job.blocks))) for job in self.printed]


def _words(block: TextLine | Columns | Rule | QrCode | Drawer) -> str:
    match block:
        case TextLine(text):
            return text
        case Columns(left, right):
            return f"{left} {right}"
        case QrCode(text):
            return f"[QR {text}]"
        case _:
            return ""


class PlainPrinter(FakePrinter):
    """A printer whose driver keeps no journal: after a restart it would print any job again."""

    def restart(self) -> None:
        """Forget which jobs were begun; the paper stays."""
        self._outcomes.clear()
