"""An ESC/POS printer that never prints a job twice and never claims a print that it has no proof of.

printer = EscPosPrinter("till-1", TcpAddress("192.168.1.50"), PAPER_80)
result = printer.print_job(job)
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from devices.printer.answers import PaperByte, ProcessId
from devices.printer.codec import FILLER, barrier, encode_job
from devices.printer.conversation import Conversation
from devices.printer.journal import JobJournal
from devices.printer.link import Address, LinkLost, open_link
from devices.printer.profile import Barrier, EncodeError, PrinterProfile
from devices.runtime import HealthRecord, boottime_ns
from devices.types import (
    DeviceAbsent,
    DeviceStatus,
    PaperState,
    PrinterStatus,
    PrintJob,
    PrintOutcome,
    PrintResult,
)

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_SILENT = "the printer does not answer: check power, cable and its address or baud rate"


@dataclass(frozen=True, slots=True)
class PrinterLimits:
    """Time-outs in seconds. job_s: the whole job, with waiting for paper. sync_s: for the printer to work
    off what it still holds before a job. status_s: one round of questions. chunk_bytes: sent at a time."""

    job_s: float = 60.0
    sync_s: float = 8.0
    status_s: float = 1.0
    connect_s: float = 3.0
    chunk_bytes: int = 1024


class EscPosPrinter:
    """Port Printer over one wire; callable from any thread, one job at a time."""

    def __init__(
        self,
        name: str,
        address: Address,
        profile: PrinterProfile,
        limits: PrinterLimits | None = None,
        journal: JobJournal | None = None,
    ) -> None:
        """Open nothing yet. journal: with a path, a job begun by a killed process is not sent again."""
        self.name = name
        self._address = address
        self._profile = profile
        self._limits = limits or PrinterLimits()
        self._journal = journal or JobJournal()
        self._health = HealthRecord(name, "printer", str(address))
        self._turn = threading.Lock()
        self._closed = threading.Event()
        # Whether the printer may still hold bytes of a job that was not proved: true at start, for the
        # process before this one may have died in the middle of one.
        self._unclean = True

    def print_job(self, job: PrintJob) -> PrintResult:
        """Print and cut `job` once; see PrintOutcome. Never sends a job_id again that it once began."""
        try:
            data = encode_job(job, self._profile)
        except EncodeError as error:
            return PrintResult(PrintOutcome.NOT_STARTED, str(error))
        with self._turn:
            known = self._journal.outcome(job.job_id)
            if known is not None:
                return _already(job.job_id, known)
            result = self._print(job.job_id, data)
            self._unclean = self._unclean or result.outcome is PrintOutcome.UNCERTAIN
            return result

    def printer_status(self) -> PrinterStatus:
        """Ask the printer, within status_s; during a job and when there is no answer, `detail` says so."""
        deadline = time.monotonic() + self._limits.status_s
        if not self._turn.acquire(timeout=self._limits.status_s / 10):
            return PrinterStatus(
                False, PaperState.UNKNOWN, False, f"a job is running: {self.status().detail}"
            )
        try:
            with self._talk(self._limits.status_s / 2) as talk:
                return talk.query(deadline - time.monotonic()) or self._silent()
        except (DeviceAbsent, LinkLost) as error:
            self._health.absent(str(error))
            return PrinterStatus(False, PaperState.UNKNOWN, False, str(error))
        finally:
            self._turn.release()

    def status(self) -> DeviceStatus:
        """Return the health as of the last exchange; asks nothing."""
        return self._health.status()

    def close(self) -> None:
        """Stop waiting; a job under way ends UNCERTAIN."""
        self._closed.set()

    def _print(self, job_id: str, data: bytes) -> PrintResult:
        begun = False
        try:
            with self._talk(self._limits.connect_s) as talk:
                trouble = self._prepare(talk) or self._begin(job_id)
                if trouble:
                    return PrintResult(PrintOutcome.NOT_STARTED, trouble)
                begun = True
                result = self._run(talk, job_id, data)
        except (DeviceAbsent, LinkLost) as error:
            self._health.absent(str(error))
            if not begun:
                return PrintResult(PrintOutcome.NOT_STARTED, str(error))
            return _uncertain(job_id, str(error))
        if result.outcome is PrintOutcome.PRINTED:
            # When this fails, a later process calls the job UNCERTAIN, which is safe.
            with suppress(OSError):
                self._journal.note(job_id, PrintOutcome.PRINTED)
        return result

    def _begin(self, job_id: str) -> str:
        """Note on disk that the job's bytes are about to go out; return why that was not possible."""
        try:
            self._journal.note(job_id, PrintOutcome.UNCERTAIN)
        except OSError as error:
            return f"cannot note job {job_id} on disk ({error.strerror}): make room or repair the disk"
        return ""

    @contextmanager
    def _talk(self, connect_s: float) -> Iterator[Conversation]:
        if self._closed.is_set():
            raise DeviceAbsent(f"printer {self.name} was closed")
        link = open_link(self._address, connect_s)
        try:
            yield Conversation(link, self._health)
        finally:
            link.close()

    def _prepare(self, talk: Conversation) -> str:
        """Return why no job can be started, or nothing when the printer is ready and owes no answer."""
        talk.drain(0.0)
        state = talk.query(self._limits.status_s) or self._silent()
        if not state.ready:
            return state.detail
        if self._unclean and not self._synchronise(talk):
            return "the printer is still busy with an earlier job or does not answer GS r: look at it"
        self._unclean = False
        return ""

    def _synchronise(self, talk: Conversation) -> bool:
        """End a command that broke off, then wait until no answer of an earlier job can come any more."""
        request = FILLER + barrier(self._profile, self._process_id())
        deadline = time.monotonic() + self._limits.sync_s
        if not talk.send(request, len(request), deadline, self._closed):
            return False
        if not any(talk.proofs(deadline, self._closed)):
            return False
        talk.drain(0.2)
        return True

    def _run(self, talk: Conversation, job_id: str, data: bytes) -> PrintResult:
        process_id = self._process_id()
        deadline = time.monotonic() + self._limits.job_s
        request = data + barrier(self._profile, process_id)
        talk.forget_proofs()
        if not talk.send(request, self._limits.chunk_bytes, deadline, self._closed):
            return _uncertain(job_id, f"the printer took no more data for {self._limits.job_s:g} s")
        for proof in talk.proofs(deadline, self._closed):
            if isinstance(proof, ProcessId) and proof.value == process_id:
                return self._printed()
            if isinstance(proof, PaperByte) and self._profile.barrier is Barrier.PAPER_SENSOR:
                return self._confirm(talk, job_id, proof)
        detail = talk.trouble or f"no proof of printing came in {self._limits.job_s:g} s"
        self._health.fault(detail)
        return _uncertain(job_id, detail)

    def _confirm(self, talk: Conversation, job_id: str, proof: PaperByte) -> PrintResult:
        """Check that the one byte came from a living printer: a power cut can look like such a byte."""
        state = talk.query(self._limits.status_s)
        if state is None:
            return _uncertain(job_id, "the printer fell silent at the end of it")
        if proof.paper_out or state.paper is PaperState.OUT:
            return _uncertain(job_id, "the paper ran out at the end of it")
        return self._printed()

    def _printed(self) -> PrintResult:
        self._health.connected("ready")
        return PrintResult(PrintOutcome.PRINTED)

    def _silent(self) -> PrinterStatus:
        self._health.fault(_SILENT)
        return PrinterStatus(False, PaperState.UNKNOWN, False, _SILENT)

    def _process_id(self) -> str:
        """Return an id that no job of the last half hour had, so that a late answer is known as such."""
        number = boottime_ns() // 1_000_000
        return "".join(_ALPHABET[number // 36**place % 36] for place in range(4))


def _already(job_id: str, known: PrintOutcome) -> PrintResult:
    if known is PrintOutcome.PRINTED:
        return PrintResult(known)
    return _uncertain(job_id, "it was begun before and its end is not known")


def _uncertain(job_id: str, reason: str) -> PrintResult:
    return PrintResult(
        PrintOutcome.UNCERTAIN,
        f"job {job_id} may be on paper, in part or whole: {reason}. Look at the paper before printing again.",
    )
