"""How a scanner is set up, found out from known codes that a technician scanned. Pure.

The technician scans a sheet of known codes, in order; the bytes that came around them tell suffix, prefix
and AIM ids. What cannot be used comes back as advice in words.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from devices.scanner.codec import Framer, Framing, Terminator, decode_frame, find_aim

# An EAN-13, an EAN-8 and a Code 128 with letters: enough to see prefix and AIM ids change or stay.
SHEET = ("6901234567892", "12345670", "MALL-EDGE-1")
_IDLE_MS = 50


@dataclass(frozen=True, slots=True)
class Learned:
    """What was found out. framing: what to set; None when nothing fits. advice: what to do, in order."""

    framing: Framing | None
    aim_ids_sent: bool
    advice: tuple[str, ...]


def learn(data: bytes, codes: Sequence[str] = SHEET) -> Learned:
    """Return the framing with which `data` gives just `codes`; never raises on any bytes.

    data: all bytes that came while the codes were scanned once each, in order.
    """
    gaps = _around(data, codes)
    if gaps is None:
        return Learned(None, False, (_not_found(data, codes),))
    suffix = gaps[-1]
    heads = [gaps[0], *(gap.removeprefix(suffix) for gap in gaps[1:-1])]
    if any(not gap.startswith(suffix) for gap in gaps[1:-1]):
        return Learned(
            None, False, ("the suffix is not always the same: set it to CR and scan the sheet again",)
        )
    aims = [find_aim(head) for head in heads]
    sent = all(aims)
    bare = {
        head.replace(aim or b"", b"", 1).removeprefix(b"\x02") for head, aim in zip(heads, aims, strict=True)
    }
    if len(bare) != 1:
        return Learned(
            None, sent, ("what stands before the codes changes: switch the maker's own code ids off",)
        )
    return _proven(data, codes, _framing(suffix, bare.pop(), data[:1] == b"\x02"), sent)


def has_all(data: bytes, codes: Sequence[str] = SHEET) -> bool:
    """Return whether all codes are in `data`, in order."""
    return _around(data, codes) is not None


def _around(data: bytes, codes: Sequence[str]) -> list[bytes] | None:
    """Return what stands before, between and after the codes; None when one is missing."""
    gaps = []
    place = 0
    for code in codes:
        found = data.find(code.encode("ascii"), place)
        if found < 0:
            return None
        gaps.append(data[place:found])
        place = found + len(code)
    return [*gaps, data[place:]]


def _not_found(data: bytes, codes: Sequence[str]) -> str:
    if not data:
        return "nothing came: check the cable, and that the scanner is set to USB-COM or RS-232"
    missing = next((code for code in codes if code.encode("ascii") not in data), None)
    if missing is None:
        return "the codes came in another order: scan the sheet from top to bottom, each code once"
    return f"{len(data)} bytes came, but {missing} is not among them: try another baud rate, or scan it again"


def _framing(suffix: bytes, prefix: bytes, stx: bool) -> Framing | str:
    """Return the framing for this suffix and prefix, or why there is none."""
    idle_ms, ends = 0, None
    if not suffix:
        idle_ms, ends = _IDLE_MS, frozenset[Terminator]()
    elif suffix.strip(b"\t") == b"":
        ends = frozenset({Terminator.TAB})
    elif stx and b"\x03" not in suffix:
        # In auto an STX waits for its ETX; this scanner never sends one.
        ends = frozenset({Terminator.CR, Terminator.LF})
    elif suffix.strip(b"\r\n\x03"):
        return f"the suffix {suffix!r} is none that can be read: set it to CR"
    try:
        return Framing(terminators=ends, prefix=prefix, idle_ms=idle_ms)
    except ValueError as error:
        return f"{error}; switch the prefix off"


def _proven(data: bytes, codes: Sequence[str], framing: Framing | str, aim_ids_sent: bool) -> Learned:
    if isinstance(framing, str):
        return Learned(None, aim_ids_sent, (framing,))
    advice = []
    if framing.idle_ms:
        advice.append(
            "no suffix: set it to CR; until then silence ends a code, which is slower and less sure"
        )
    elif not _gives(data, framing, codes):
        return Learned(None, aim_ids_sent, ("the codes do not come out whole: set the suffix to CR",))
    if not aim_ids_sent:
        advice.append("AIM ids are off: switch them on, else GS1 codes cannot be told apart")
    return Learned(framing, aim_ids_sent, tuple(advice))


def _gives(data: bytes, framing: Framing, codes: Sequence[str]) -> bool:
    frames = Framer(framing).feed(data, 0)
    return [decode_frame(frame, framing).text for frame in frames] == list(codes)
