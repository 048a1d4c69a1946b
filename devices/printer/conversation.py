"""One exchange with a printer: questions, data and proofs on one wire, told apart as they come."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterator

from devices.printer.answers import AnswerSplitter, Ask, PaperByte, ProcessId, StatusByte, ask, read_status
from devices.printer.link import Link
from devices.runtime import HealthRecord
from devices.types import PrinterStatus

_STALL_S = 0.5
_ASK_EVERY_S = 1.0
_MOST_PROOFS = 64
_LONGEST_DRAIN_S = 2.0


class Conversation:
    """Used by one thread for one job or one status round. Raises LinkLost from every method."""

    def __init__(self, link: Link, health: HealthRecord) -> None:
        self._link = link
        self._health = health
        self._splitter = AnswerSplitter()
        self._status_bytes: deque[int] = deque(maxlen=16)
        self._proofs: deque[PaperByte | ProcessId] = deque(maxlen=_MOST_PROOFS)
        self.trouble = ""

    def query(self, timeout_s: float) -> PrinterStatus | None:
        """Ask status, offline cause, paper and, if there is one, the error; None when an answer is missing.

        Proofs that come meanwhile are kept.
        """
        deadline = time.monotonic() + timeout_s
        answers: dict[Ask, int] = {}
        for question in (Ask.PRINTER, Ask.OFFLINE, Ask.PAPER, Ask.ERROR):
            if question is Ask.ERROR and not answers[Ask.OFFLINE] & 0x40:
                break
            value = self._ask(question, deadline)
            if value is None:
                return None
            answers[question] = value
        status = read_status(answers)
        self._note(status)
        return status

    def send(self, data: bytes, chunk_bytes: int, deadline: float, stop: threading.Event) -> bool:
        """Send all of `data` in chunks; return False when the deadline passed or `stop` was set first."""
        at = 0
        while at < len(data):
            at += self._link.send(data[at : at + chunk_bytes], _STALL_S)
            self._take(0.0)
            if time.monotonic() >= deadline or stop.is_set():
                return at >= len(data)
        return True

    def proofs(self, deadline: float, stop: threading.Event) -> Iterator[PaperByte | ProcessId]:
        """Yield barrier answers as they come until the deadline, asking once a second what holds them up."""
        next_ask = time.monotonic() + _ASK_EVERY_S
        while True:
            while self._proofs:
                yield self._proofs.popleft()
            now = time.monotonic()
            if now >= deadline or stop.is_set():
                return
            self._take(min(0.25, deadline - now))
            if now >= next_ask and not self._proofs:
                self._watch()
                next_ask = time.monotonic() + _ASK_EVERY_S

    def forget_proofs(self) -> None:
        """Drop barrier answers that came so far: they prove nothing of a job that begins now."""
        self._take(0.0)
        self._proofs.clear()

    def drain(self, quiet_s: float) -> None:
        """Throw away what comes until nothing came for `quiet_s`, 2 s at most."""
        end = time.monotonic() + _LONGEST_DRAIN_S
        while self._link.receive(quiet_s) and time.monotonic() < end:
            pass
        self._splitter.clear()
        self._proofs.clear()
        self._status_bytes.clear()

    def _watch(self) -> None:
        status = self.query(_STALL_S)
        if status is None:
            self.trouble = "the printer stopped answering"
            self._health.fault(self.trouble)
        else:
            self.trouble = "" if status.ready else status.detail

    def _ask(self, question: Ask, deadline: float) -> int | None:
        self._status_bytes.clear()
        if not self.send(ask(question), 3, deadline, threading.Event()):
            return None
        while not self._status_bytes:
            remaining = deadline - time.monotonic()
            if remaining <= 0:
                return None
            self._take(remaining)
        return self._status_bytes.popleft()

    def _take(self, timeout_s: float) -> None:
        data = self._link.receive(timeout_s)
        if data:
            self._health.heard()
        for answer in self._splitter.feed(data):
            if isinstance(answer, StatusByte):
                self._status_bytes.append(answer.value)
            else:
                self._proofs.append(answer)

    def _note(self, status: PrinterStatus) -> None:
        if status.ready:
            self._health.connected(status.detail or "ready")
        else:
            self._health.fault(status.detail)
