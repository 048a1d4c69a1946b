"""A barcode scanner's far end: bytes on a pseudo-terminal that a link makes findable, as udev would."""

from __future__ import annotations

import contextlib
import os
import select
import threading
import tty
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

_SEND_WITHIN_MS = 1000
_BITS_PER_BYTE = 10


class Wrap(StrEnum):
    """How a scanner is set to end its codes."""

    CR = "cr"
    LF = "lf"
    CRLF = "crlf"
    TAB = "tab"
    STX_ETX = "stx_etx"
    NONE = "none"


class Misbehaviour(StrEnum):
    """What scanners of the field do wrong; given to one `scan`."""

    DOUBLE_CR = "double_cr"
    GLUED = "glued"
    HALF = "half"
    JUNK = "junk"
    OVER_LONG = "over_long"


@dataclass(frozen=True, slots=True)
class ScannerHabits:
    """How a simulated scanner is set up. baud: pace each byte as this wire would; 0 sends at once."""

    wrap: Wrap = Wrap.CR
    prefix: bytes = b""
    aim_first: bool = False
    encoding: str = "utf-8"
    baud: int = 0


class SimulatedScanner:
    """A scanner on a pty, published as the symlink `link`; used as a context manager or closed by hand.

    Like a real one it has no memory: what is scanned while nobody has the port open is gone. One thread
    uses it.
    """

    def __init__(self, link: Path, habits: ScannerHabits | None = None) -> None:
        """Plug it in at once."""
        self._link = link
        self._habits = habits or ScannerHabits()
        self._master: int | None = None
        self._pause = threading.Event()
        self.plug()

    def __enter__(self) -> SimulatedScanner:
        return self

    def __exit__(self, *_: object) -> None:
        self.unplug()

    @property
    def plugged(self) -> bool:
        """Whether the cable is in."""
        return self._master is not None

    @property
    def listened_to(self) -> bool:
        """Whether some program has the port open."""
        return self._master is not None and not self._poll(select.POLLOUT) & select.POLLHUP

    def plug(self) -> None:
        """Make a new pty and lead the link to it, in one step; nothing when it is plugged in already."""
        if self._master is not None:
            return
        self._master, slave = os.openpty()
        tty.setraw(slave)
        os.set_blocking(self._master, False)
        self._publish(os.ttyname(slave))
        # Kept shut here: only so does the pty tell whether a program listens.
        os.close(slave)

    def unplug(self) -> None:
        """Hang up and take the link away; nothing when it is unplugged already."""
        if self._master is None:
            return
        self._link.unlink(missing_ok=True)
        os.close(self._master)
        self._master = None

    def scan(
        self,
        text: str,
        aim: str | None = None,
        wrap: Wrap | None = None,
        misbehaviour: Misbehaviour | None = None,
    ) -> bytes:
        """Read one code and send it; return the bytes that went out (b"" when nobody listens).

        text may hold GS as "\\x1d". aim: e.g. "]E0". wrap: default as the habits say.
        """
        return self.send(scan_bytes(text, self._habits, aim, wrap, misbehaviour))

    def send(self, data: bytes) -> bytes:
        """Send these very bytes; return them, or b"" when nobody listens or the cable is out."""
        if not self.listened_to:
            return b""
        paced = self._habits.baud > 0
        step = 1 if paced else len(data) or 1
        for place in range(0, len(data), step):
            if not self._write(data[place : place + step]):
                return data[:place]
            if paced:
                self._pause.wait(_BITS_PER_BYTE / self._habits.baud)
        return data

    def _write(self, data: bytes) -> bool:
        """Write as fast as the reader takes it; a reader that takes nothing for 1 s loses the rest."""
        while data and self._master is not None:
            if not self._poll(select.POLLOUT, _SEND_WITHIN_MS) & select.POLLOUT:
                return False
            with contextlib.suppress(BlockingIOError):
                data = data[os.write(self._master, data) :]
        return not data

    def _poll(self, events: int, timeout_ms: int = 0) -> int:
        poll = select.poll()
        if self._master is not None:
            poll.register(self._master, events)
        return next((found for _, found in poll.poll(timeout_ms)), 0)

    def _publish(self, target: str) -> None:
        self._link.parent.mkdir(parents=True, exist_ok=True)
        beside = self._link.with_name(f".{self._link.name}.new")
        beside.unlink(missing_ok=True)
        beside.symlink_to(target)
        beside.replace(self._link)


def scan_bytes(
    text: str,
    habits: ScannerHabits,
    aim: str | None = None,
    wrap: Wrap | None = None,
    misbehaviour: Misbehaviour | None = None,
) -> bytes:
    """Return the bytes that a scanner with these habits sends for one code."""
    payload = text.encode(habits.encoding)
    code_id = (aim or "").encode("ascii")
    head = code_id + habits.prefix if habits.aim_first else habits.prefix + code_id
    begin, end = _WRAPS[habits.wrap if wrap is None else wrap]
    whole = head + payload
    if misbehaviour is None:
        return begin + whole + end
    wrong = {
        Misbehaviour.DOUBLE_CR: begin + whole + b"\r\r",
        Misbehaviour.GLUED: begin + whole + whole + end,
        Misbehaviour.HALF: begin + whole[: len(whole) // 2],
        Misbehaviour.JUNK: _JUNK + end,
        Misbehaviour.OVER_LONG: begin + whole.ljust(_OVER_LONG, b"9") + end,
    }
    return wrong[misbehaviour]


def run(link: Path, lines: Iterable[str], habits: ScannerHabits | None = None) -> int:
    """Scan each line at the port `link`; return how many went out, for `python -m sim scanner`.

    A line is a code, with an AIM id before it if it has one; "!unplug" and "!plug" move the cable,
    "!half CODE", "!glued CODE", "!double_cr CODE", "!junk" and "!over_long CODE" misbehave. Written
    escapes such as \\x1d are understood. Raises ValueError naming an unknown "!" word.
    """
    sent = 0
    with SimulatedScanner(link, habits) as scanner:
        for line in lines:
            sent += bool(_obey(scanner, line.rstrip("\r\n")))
    return sent


_WRAPS = {
    Wrap.CR: (b"", b"\r"),
    Wrap.LF: (b"", b"\n"),
    Wrap.CRLF: (b"", b"\r\n"),
    Wrap.TAB: (b"", b"\t"),
    Wrap.STX_ETX: (b"\x02", b"\x03"),
    Wrap.NONE: (b"", b""),
}
_JUNK = bytes.fromhex("ff fe 80 07 9c e0 1b f8")
_OVER_LONG = 8192


def _obey(scanner: SimulatedScanner, line: str) -> bytes:
    text = line.replace("\\x1d", "\x1d")
    if not text.startswith("!"):
        return scanner.scan(text) if text else b""
    word, _, code = text[1:].partition(" ")
    if word == "plug":
        scanner.plug()
    elif word == "unplug":
        scanner.unplug()
    elif word in set(Misbehaviour):
        return scanner.scan(code, misbehaviour=Misbehaviour(word))
    else:
        known = ", ".join(f"!{name}" for name in ("plug", "unplug", *Misbehaviour))
        raise ValueError(f"unknown word !{word}; known are: {known}")
    return b""
