"""A simulated receipt printer: it obeys ESC/POS bytes, draws each receipt and can misbehave.

    python -m sim printer --out receipts --link /tmp/printer
    with PtyWire(SimPrinter(Path("receipts"))) as wire: ...

A line of text on standard input turns the switches: `help` lists them.
"""

from __future__ import annotations

import sys
import threading
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from sim.escpos import Answer, CutPaper, Effect, Interpreter
from sim.receipt_picture import as_text, draw
from sim.wires import PtyWire, TcpWire

_BUFFER_BYTES = 4096
_KEPT_RECEIPTS = 500

HELP = (
    "paper out | paper in | paper near | cover open | cover close | power off | power on | silent on | "
    "silent off | speed BYTES_PER_SECOND | paper-out-after BYTES | power-off-after BYTES | silent-after BYTES"
)


@dataclass(frozen=True, slots=True)
class PaperReceipt:
    """One strip of paper. complete: it was cut, and not torn off by a power cut. picture: the PNG, if any."""

    text: str
    effects: tuple[Effect, ...]
    complete: bool
    picture: Path | None


@dataclass(slots=True)
class Switches:
    """What is wrong with the printer. speed: bytes per second it works off, 0 without limit.

    paper_out_after, power_off_after, silent_after: bytes worked off from now until that happens, None
    never; a NUL does not count. silent: it works and prints but its answers are lost. ignores_paper: a
    cheap clone that answers GS r also when it has no paper, and prints into the air.
    """

    paper_out: bool = False
    paper_near_end: bool = False
    cover_open: bool = False
    power_off: bool = False
    silent: bool = False
    ignores_paper: bool = False
    speed: int = 0
    paper_out_after: int | None = None
    power_off_after: int | None = None
    silent_after: int | None = None


@dataclass(slots=True)
class _Strip:
    """The paper that hangs out of the slot."""

    effects: list[Effect] = field(default_factory=list)


class SimPrinter:
    """The device on the wire; switches and receipts may be used from any thread."""

    def __init__(
        self, out: Path | None = None, width: int = 48, dots: int = 576, encoding: str = "gb18030"
    ) -> None:
        """out: a folder for receipt-0001.png and .txt, made if absent; None draws nothing.

        chatter, an attribute: stray bytes that go out before the next status answer.
        """
        self._out = out
        self._width, self._dots = width, dots
        self._interpreter = Interpreter(encoding)
        self._strip = _Strip()
        self._buffer: deque[int] = deque()
        self._real_time = b""
        self._allowance = 0.0
        self._lock = threading.RLock()
        self.switches = Switches()
        self.receipts: deque[PaperReceipt] = deque(maxlen=_KEPT_RECEIPTS)
        self.received = 0
        self.drawer_kicks = 0
        self.chatter = b""
        if out is not None:
            out.mkdir(parents=True, exist_ok=True)

    def room(self) -> int:
        """Return the free bytes of the receive buffer: a full one holds the sender back."""
        with self._lock:
            return _BUFFER_BYTES - len(self._buffer) if not self.switches.power_off else _BUFFER_BYTES

    def receive(self, data: bytes) -> bytes:
        """Take bytes from the wire; real-time questions are answered before anything else."""
        with self._lock:
            if self.switches.power_off:
                return b""
            self.received += len(data)
            self._buffer.extend(data)
            answers = self._answer_real_time(data) + self._work(0.0)
            return b"" if self.switches.silent else answers

    def tick(self, elapsed_s: float) -> bytes:
        """Work off the buffer for `elapsed_s`."""
        with self._lock:
            answers = self._work(elapsed_s)
            return b"" if self.switches.silent else answers

    def texts(self) -> list[str]:
        """Return the text of each complete receipt, oldest first."""
        with self._lock:
            return [receipt.text for receipt in self.receipts if receipt.complete]

    @property
    def held(self) -> int:
        """How many bytes wait in the buffer."""
        with self._lock:
            return len(self._buffer)

    @property
    def unknown(self) -> list[bytes]:
        """Commands that the printer did not know."""
        with self._lock:
            return list(self._interpreter.unknown)

    def command(self, line: str) -> str:
        """Turn a switch by words, see HELP; return what to tell the person."""
        with self._lock:
            match line.split():
                case ["paper", "out" | "in" | "near" as state]:
                    self.switches.paper_out = state == "out"
                    self.switches.paper_near_end = state == "near"
                case ["cover", "open" | "close" as state]:
                    self.switches.cover_open = state == "open"
                case ["power", "off"]:
                    self.power_off()
                case ["power", "on"]:
                    self.switches.power_off = False
                case ["silent", "on" | "off" as state]:
                    self.switches.silent = state == "on"
                case [name, number] if number.isdigit() and name in _NUMBERS:
                    setattr(self.switches, _NUMBERS[name], int(number))
                case _:
                    return f"unknown: {line!r}; {HELP}"
            return "ok"

    def power_off(self) -> None:
        """Lose what is held, as a power cut does; paper that was printed stays printed."""
        with self._lock:
            self._power_off()

    def _power_off(self) -> None:
        self.switches.power_off = True
        self.switches.power_off_after = None
        self._buffer.clear()
        self._interpreter.reset()
        if self._strip.effects:
            self._keep(complete=False)

    def _answer_real_time(self, data: bytes) -> bytes:
        """Answer DLE EOT wherever it stands, as printers do, also inside a picture."""
        answers = b""
        for byte in data:
            self._real_time = (self._real_time + bytes([byte]))[-3:]
            if self._real_time[:2] == b"\x10\x04" and byte in (1, 2, 3, 4):
                answers += self.chatter + bytes([self._status(byte)])
                self.chatter = b""
        return answers

    def _status(self, question: int) -> int:
        switches = self.switches
        stopped = switches.paper_out or switches.cover_open
        bits = {
            1: 0x08 * stopped,
            2: 0x04 * switches.cover_open | 0x20 * switches.paper_out,
            3: 0,
            4: 0x60 * switches.paper_out | 0x0C * switches.paper_near_end,
        }
        return 0x12 | bits[question]

    def _work(self, elapsed_s: float) -> bytes:
        switches = self.switches
        self._allowance = min(self._allowance + elapsed_s * switches.speed, _BUFFER_BYTES)
        answers = b""
        while self._buffer and self._online() and (not switches.speed or self._allowance >= 1):
            self._allowance -= 1 if switches.speed else 0
            byte = self._buffer.popleft()
            for effect in self._interpreter.feed(byte):
                answers += self._apply(effect)
            if byte:
                self._count_down()
        return answers

    def _online(self) -> bool:
        switches = self.switches
        stopped = (switches.paper_out or switches.cover_open) and not switches.ignores_paper
        return not (switches.power_off or stopped)

    def _count_down(self) -> None:
        switches = self.switches
        switches.paper_out_after, due = _one_less(switches.paper_out_after)
        switches.paper_out = switches.paper_out or due
        switches.silent_after, due = _one_less(switches.silent_after)
        switches.silent = switches.silent or due
        switches.power_off_after, due = _one_less(switches.power_off_after)
        if due:
            self._power_off()

    def _apply(self, effect: Effect) -> bytes:
        if isinstance(effect, Answer):
            return bytes([0x0C * self.switches.paper_out]) if effect.paper_sensor else effect.data
        if self.switches.paper_out:
            return b""
        self._strip.effects.append(effect)
        if isinstance(effect, CutPaper):
            self._keep(complete=True)
        return b""

    def _keep(self, complete: bool) -> None:
        effects, self._strip = self._strip.effects, _Strip()
        text = as_text(effects)
        picture = self._draw(self._out, effects, text) if self._out is not None else None
        self.drawer_kicks += text.count("[drawer ")
        self.receipts.append(PaperReceipt(text, tuple(effects), complete, picture))

    def _draw(self, out: Path, effects: list[Effect], text: str) -> Path:
        number = 1 + sum(1 for _ in out.glob("receipt-*.png"))
        path = out / f"receipt-{number:04}.png"
        draw(effects, self._width, self._dots).save(path)
        path.with_suffix(".txt").write_text(text + "\n", encoding="utf-8")
        return path


def _one_less(count: int | None) -> tuple[int | None, bool]:
    """Count down; return what is left and whether it is due now."""
    if count is None:
        return None, False
    return (count - 1, False) if count > 1 else (None, True)


_NUMBERS = {
    "speed": "speed",
    "paper-out-after": "paper_out_after",
    "power-off-after": "power_off_after",
    "silent-after": "silent_after",
}


def run(
    out: Path,
    *,
    tcp_port: int | None = None,
    link: Path | None = None,
    width: int = 48,
    dots: int = 576,
    encoding: str = "gb18030",
    commands: Iterable[str] | None = None,
) -> None:
    """Serve a printer until `commands` (default: standard input) end.

    tcp_port: listen on this loopback port (0: any) instead of a pty. link: symbolic link to the pty.
    """
    printer = SimPrinter(out, width, dots, encoding)
    wire = TcpWire(printer, port=tcp_port) if tcp_port is not None else PtyWire(printer, link)
    with wire:
        address = f"{wire.host}:{wire.port}" if isinstance(wire, TcpWire) else str(link or wire.path)
        print(f"printer on {address}, receipts in {out}; switches: {HELP}", flush=True)
        for line in sys.stdin if commands is None else commands:
            print(printer.command(line.strip()), flush=True)
