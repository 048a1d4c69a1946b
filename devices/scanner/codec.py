"""Bytes of a barcode scanner to scans: framing, AIM ids, glued frames, text. Pure.

The rules, in full with their reasons, are in docs/protocols/scanner.md. In short: a terminator ends a
frame; silence ends one only where `idle_ms` says so; a frame that was begun and never ended is told as a
problem and never joins the next one; no bytes raise.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum

from devices.types import Scan

_STX, _ETX, _TAB, _LF, _CR = 0x02, 0x03, 0x09, 0x0A, 0x0D
_NS_PER_MS = 1_000_000
# An STX frame that stands still for this long after a CR or LF came from a scanner that sends STX but no ETX.
_STX_QUIET_MS = 100


class Terminator(StrEnum):
    """What ends a frame. CRLF is the pair alone; ETX also makes STX the beginning of a frame."""

    CR = "cr"
    LF = "lf"
    CRLF = "crlf"
    TAB = "tab"
    ETX = "etx"


@dataclass(frozen=True, slots=True)
class Framing:
    """How one scanner marks its codes.

    terminators: the bytes that end a frame; None means auto: CR, LF, CRLF and STX/ETX, but not TAB,
    which QR texts contain. prefix: bytes before or after the AIM id to strip, at most 32. idle_ms: silence
    that ends a frame, for scanners without terminator; 0 means never. partial_ms: silence after which an
    unended frame is given up. max_length: the most bytes of one frame. aim_ids: False keeps a leading
    "]cm" as text. Raises ValueError naming the field.
    """

    terminators: frozenset[Terminator] | None = None
    prefix: bytes = b""
    idle_ms: int = 0
    partial_ms: int = 1000
    max_length: int = 4096
    aim_ids: bool = True

    def __post_init__(self) -> None:
        """Refuse what cannot work."""
        _require(len(self.prefix) <= 32, f"prefix has {len(self.prefix)} bytes, at most 32 can be stripped")
        _require(not set(self.prefix) & set(b"\r\n\x03"), "prefix must not hold CR, LF or ETX")
        idle_works = self.idle_ms == 0 or 5 <= self.idle_ms <= 5000
        _require(idle_works, f"idle_ms is 0 or 5-5000, got {self.idle_ms}")
        _require(100 <= self.partial_ms <= 60_000, f"partial_ms is 100-60000, got {self.partial_ms}")
        _require(16 <= self.max_length <= 8192, f"max_length is 16-8192, got {self.max_length}")
        ended = self.terminators is None or bool(self.terminators) or self.idle_ms > 0
        _require(ended, "terminators is empty and idle_ms is 0: no frame could ever end; set idle_ms")


@dataclass(frozen=True, slots=True)
class RawFrame:
    """One frame as it came. raw: without the terminator. read_ns: when its last byte came."""

    raw: bytes
    read_ns: int
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class Payload:
    """What a frame says. text is "" when there is a problem; aim is like "]E0" or None."""

    text: str
    aim: str | None
    problem: str | None = None


class Framer:
    """Cuts a stream of bytes into frames; holds at most `max_length` bytes; never raises on any bytes.

    How the stream was chunked makes no difference. Time comes in as boot-time nanoseconds.
    """

    def __init__(self, framing: Framing) -> None:
        """Begin between two frames."""
        chosen = framing.terminators
        auto = frozenset({Terminator.CR, Terminator.LF, Terminator.ETX})
        ends = auto if chosen is None else chosen
        self._framing = framing
        self._single = frozenset(_SINGLE[end] for end in ends if end in _SINGLE)
        self._crlf = Terminator.CRLF in ends
        self._stx_begins = Terminator.ETX in ends
        self._buffer = bytearray()
        self._in_stx = False
        self._skipping = False
        self._last_byte = 0
        self._last_ns = 0
        self._spoiled: str | None = None

    @property
    def pending(self) -> int:
        """How many bytes of an unended frame are held."""
        return len(self._buffer)

    def feed(self, data: bytes, now_ns: int) -> list[RawFrame]:
        """Take the bytes that came at `now_ns`; return the frames they ended, oldest first."""
        if not data:
            return []
        self._last_ns = now_ns
        frames: list[RawFrame] = []
        for byte in data:
            frames.extend(self._take(byte))
            self._last_byte = byte
        return frames

    def flush_idle(self, now_ns: int) -> list[RawFrame]:
        """End what silence ends by `now_ns`. Call it only when no more bytes wait to be fed."""
        due_ns = self.flush_due_ns()
        if due_ns is None or now_ns < due_ns:
            return []
        if self._spoiled is not None and not self._buffer:
            spoiled, self._spoiled = self._spoiled, None
            return [RawFrame(b"", self._last_ns, spoiled)]
        if self._framing.idle_ms or self._ended_by_quiet():
            return self._close(None)
        return self._close(self._unended())

    def flush_due_ns(self) -> int | None:
        """Return when `flush_idle` would end something if no byte came; None when nothing is begun."""
        if not self._buffer and not self._skipping and self._spoiled is None:
            return None
        quiet_ms = self._framing.idle_ms or (_STX_QUIET_MS if self._ended_by_quiet() else 0)
        return self._last_ns + (quiet_ms or self._framing.partial_ms) * _NS_PER_MS

    def spoil(self, reason: str, now_ns: int) -> None:
        """Bytes were lost at `now_ns`: the frame that ends next, by silence if need be, has this problem."""
        self._spoiled = reason
        self._last_ns = now_ns

    def abandon(self, reason: str) -> list[RawFrame]:
        """The line broke: return what was begun as a frame with this problem, and start afresh."""
        frames = self._close(f"{reason}; the code was cut off, scan it again")
        self._spoiled = None
        return frames

    def _take(self, byte: int) -> list[RawFrame]:
        if byte == _STX and self._stx_begins:
            return self._begin_stx()
        if self._ends(byte):
            return self._end(byte)
        if self._skipping or (byte in b"\r\n" and not self._buffer):
            return []
        if len(self._buffer) >= self._framing.max_length:
            return self._overflow()
        self._buffer.append(byte)
        return []

    def _end(self, byte: int) -> list[RawFrame]:
        if byte == _LF and self._crlf and self._buffer[-1:] == b"\r":
            del self._buffer[-1:]
        return self._close(None)

    def _ends(self, byte: int) -> bool:
        if self._in_stx:
            return byte == _ETX
        if self._crlf and byte == _LF and self._last_byte == _CR:
            return True
        return byte in self._single

    def _begin_stx(self) -> list[RawFrame]:
        cut_off = "the next STX came before the end of this code; scan it again"
        frames = self._close(None if self._ended_by_quiet() else cut_off)
        self._in_stx = True
        self._buffer.append(_STX)
        return frames

    def _overflow(self) -> list[RawFrame]:
        limit = self._framing.max_length
        problem = f"longer than {limit} bytes without a terminator; check the scanner's suffix and baud rate"
        frames = [RawFrame(bytes(self._buffer), self._last_ns, problem)]
        self._buffer.clear()
        self._skipping = True
        self._spoiled = None
        return frames

    def _close(self, problem: str | None) -> list[RawFrame]:
        raw = bytes(self._buffer)
        self._buffer.clear()
        self._in_stx = self._skipping = False
        if not raw.strip(b"\x00\x02\x03\t\r\n "):
            return []
        problem = self._spoiled or problem
        self._spoiled = None
        parts = [raw] if problem else split_glued(raw, self._framing)
        return [RawFrame(part, self._last_ns, problem) for part in parts]

    def _ended_by_quiet(self) -> bool:
        return self._in_stx and self._last_byte in self._single and self._last_byte in b"\r\n"

    def _unended(self) -> str:
        hint = "set the scanner to end each code with CR, or set idle_ms"
        if self._buffer[-1:] == b"\t":
            hint = "it ends with TAB: set terminators to tab"
        elif self._in_stx:
            hint = "it began with STX: set the suffix to ETX"
        return f"no terminator within {self._framing.partial_ms} ms; {hint}"


def decode_frame(frame: RawFrame, framing: Framing) -> Payload:
    """Strip STX, prefix and AIM id and decode the rest as ASCII, UTF-8 or GB18030, in this order."""
    aim, data = _unwrap(frame.raw, framing)
    if frame.problem is not None:
        return Payload("", aim, frame.problem)
    if not data:
        return Payload("", aim, "nothing after the prefix and the AIM id")
    text = _decode_text(data)
    if text is None:
        return Payload("", aim, f"not text: {len(data)} bytes are neither ASCII, UTF-8 nor GB18030")
    control = _FORBIDDEN.search(text)
    if control:
        place = f"0x{ord(control[0]):02X} at place {control.start() + 1}"
        return Payload("", aim, f"not text: control byte {place}")
    return Payload(text, aim)


def to_scan(device: str, frame: RawFrame, framing: Framing) -> Scan:
    """Return the scan that one frame of the scanner `device` is."""
    payload = decode_frame(frame, framing)
    return Scan(device, frame.raw, payload.text, payload.aim, frame.read_ns, payload.problem)


def split_glued(raw: bytes, framing: Framing) -> list[bytes]:
    """Cut one frame where AIM ids prove that a terminator was lost; else return it whole.

    A cut is made only after a code that begins with an AIM id, of a symbology whose alphabet has no "]",
    and where that code holds nothing but its alphabet. What follows QR, Data Matrix, PDF417, Aztec, Han
    Xin, Code 128 and Code 93 is never cut: their texts may hold anything, "]E0" too.
    """
    parts: list[bytes] = []
    rest = raw
    while framing.aim_ids:
        cut = _boundary(rest, framing.prefix)
        if cut is None:
            break
        parts.append(rest[:cut])
        rest = rest[cut:]
    return [*parts, rest]


def find_aim(head: bytes) -> bytes | None:
    """Return the AIM id in the bytes that stand before a code, wherever it is among them; None if none."""
    found = _AIM.search(head)
    return found[0] if found else None


def parse_terminators(text: str) -> frozenset[Terminator] | None:
    """Read a setting: "auto", "none", or names joined by commas, e.g. "cr,tab"; ValueError else."""
    words = [word.strip().lower() for word in text.split(",")]
    if words == ["auto"]:
        return None
    if words == ["none"]:
        return frozenset()
    known = ", ".join(Terminator)
    try:
        return frozenset(Terminator(word) for word in words)
    except ValueError:
        raise ValueError(f"terminators {text!r} is neither auto, none nor a list of: {known}") from None


_SINGLE = {Terminator.CR: _CR, Terminator.LF: _LF, Terminator.TAB: _TAB, Terminator.ETX: _ETX}

# ISO/IEC 15424: flag character "]", code character, modifier. GS1 ids use the GS1 82-character set.
_AIM = re.compile(rb"\][ABCDEFGHIKLMNOPQRSTUXZcdeghopsz][0-9A-F]")
_DIGITS = re.compile(rb"[0-9]+")
_GS1 = re.compile(rb"[!-#%-?A-Z_a-z\x1d]+")
_CODE_39 = re.compile(rb"[0-9A-Z \-.$/+%*]+")
_CODABAR = re.compile(rb"[0-9A-Da-d\-$:/.+]+")
_ALPHABETS = {
    **{b"]" + bytes([letter]): _DIGITS for letter in b"EIMRS"},
    **dict.fromkeys((b"]C1", b"]e0", b"]d2", b"]Q3"), _GS1),
    **dict.fromkeys((b"]A0", b"]A1", b"]A2", b"]A3"), _CODE_39),
    b"]F": _CODABAR,
}

# Kept besides printable text: EOT and FS GS RS US (GS1, ISO/IEC 15434), and TAB, LF, CR inside a text.
_FORBIDDEN = re.compile("[\x00-\x03\x05-\x08\x0b\x0c\x0e-\x1b\x7f\x80-\x9f]")
_NOT_A_CHARACTER = {"Cn", "Co", "Cs"}


def _require(holds: bool, message: str) -> None:
    if not holds:
        raise ValueError(f"scanner framing: {message}")


def _unwrap(raw: bytes, framing: Framing) -> tuple[str | None, bytes]:
    """Return the AIM id and the data. NUL at either end is a line break condition, not data."""
    data = raw.strip(b"\x00").removeprefix(b"\x02").rstrip(b"\r\n\x03")
    bare = data.removeprefix(framing.prefix)
    found = _AIM.match(bare) if framing.aim_ids else None
    if found is None:
        return None, bare
    after = bare[found.end() :]
    # Some makers put the AIM id before the prefix, some after it; a prefix is stripped once.
    return found[0].decode("ascii"), after.removeprefix(framing.prefix) if bare == data else after


def _boundary(raw: bytes, prefix: bytes) -> int | None:
    """Return where the second code of `raw` begins, prefix included; None when there is none."""
    begin = len(raw) - len(raw.lstrip(b"\x00").removeprefix(b"\x02").removeprefix(prefix))
    first = _AIM.match(raw, begin)
    alphabet = first and (_ALPHABETS.get(first[0]) or _ALPHABETS.get(first[0][:2]))
    if first is None or alphabet is None:
        return None
    second = _AIM.search(raw, first.end())
    if second is None:
        return None
    cut = second.start()
    if prefix and raw[first.end() : cut].endswith(prefix):
        cut -= len(prefix)
    inside = raw[first.end() : cut].removeprefix(prefix)
    return cut if alphabet.fullmatch(inside) else None


def _decode_text(data: bytes) -> str | None:
    for encoding in ("ascii", "utf-8"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    try:
        text = data.decode("gb18030")
    except UnicodeDecodeError:
        return None
    # GB18030 maps nearly every pair of bytes somewhere: what lands on no character was not text.
    return None if any(unicodedata.category(char) in _NOT_A_CHARACTER for char in text) else text
