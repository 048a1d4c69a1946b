"""Key events of a HID keyboard scanner to bytes, read as a US keyboard whatever the console's layout. Pure.

Codes are Linux input event codes (linux/input-event-codes.h), which name keys by place, not by letter:
that is why the layout of the box does not matter. The bytes go through the same framer as serial ones.
"""

from __future__ import annotations

from dataclasses import dataclass

from devices.scanner.codec import Framing, Terminator

KEY_ENTER, KEY_KP_ENTER, KEY_TAB, KEY_1, KEY_A = 28, 96, 15, 2, 30

HID_FRAMING = Framing(terminators=frozenset({Terminator.CR, Terminator.LF, Terminator.TAB}))


@dataclass(frozen=True, slots=True)
class KeyEvent:
    """One EV_KEY event. code: the key. value: 0 up, 1 down, 2 repeated by the kernel."""

    code: int
    value: int


# Stands where the kernel dropped events of this device (SYN_DROPPED).
EVENTS_LOST = KeyEvent(-1, 0)


class KeyDecoder:
    """Follows the modifiers and turns each key that goes down into the bytes it stands for.

    Enter is CR, Tab is TAB. Caps lock is ignored, and so are repeats: a scanner presses each key anew.
    Ctrl with a key gives its control character, so GS is Ctrl+]. Alt with keypad digits gives the byte, or
    the two bytes (GBK), of that decimal number when Alt goes up, as Windows does it; GS is Alt 0 2 9.
    """

    def __init__(self) -> None:
        """Begin with no key held."""
        self._held: set[int] = set()
        self._alt_digits = ""

    def press(self, event: KeyEvent) -> bytes:
        """Take one event; return the bytes it gives, mostly b"". Never raises on any code or value."""
        if event.code in _MODIFIERS:
            return self._modify(event)
        if event.value != 1:
            return b""
        if self._held & _ALT:
            self._alt_digits = (self._alt_digits + _KEYPAD_DIGITS.get(event.code, ""))[:_ALT_MOST_DIGITS]
            return b""
        if event.code in _PLAIN:
            return _PLAIN[event.code]
        small, large = _KEYS.get(event.code, ("", ""))
        char = large if self._held & _SHIFT else small
        return _control(char) or _control(small) if self._held & _CTRL else char.encode("ascii")

    def _modify(self, event: KeyEvent) -> bytes:
        if event.value == 1:
            self._held.add(event.code)
        elif event.value == 0:
            self._held.discard(event.code)
        if self._held & _ALT or not self._alt_digits:
            return b""
        number, self._alt_digits = int(self._alt_digits), ""
        if number == 0 or number > 0xFFFF:
            return b""
        return number.to_bytes(1 if number <= 0xFF else 2, "big")


def keys_for(data: bytes) -> list[KeyEvent]:
    """Return the events of a scanner that types `data`; ValueError for a byte no US keyboard has."""
    events: list[KeyEvent] = []
    for byte in data:
        if byte not in _TYPED:
            raise ValueError(f"byte 0x{byte:02X} is on no US keyboard; a HID scanner cannot type it")
        modifier, code = _TYPED[byte]
        stroke = [KeyEvent(code, 1), KeyEvent(code, 0)]
        events += [KeyEvent(modifier, 1), *stroke, KeyEvent(modifier, 0)] if modifier else stroke
    return events


def _control(char: str) -> bytes:
    """Return the control character of ASCII "@" to "_", as Ctrl gives it; b"" for any other."""
    upper = char.upper()
    return bytes([ord(upper) & 0x1F]) if upper and "@" <= upper <= "_" else b""


_CTRL = {29, 97}
_SHIFT = {42, 54}
_ALT = {56, 100}
_MODIFIERS = _CTRL | _SHIFT | _ALT
_ALT_MOST_DIGITS = 6

_ROWS = (
    (2, "1234567890-=", "!@#$%^&*()_+"),
    (16, "qwertyuiop[]", "QWERTYUIOP{}"),
    (30, "asdfghjkl;'`", 'ASDFGHJKL:"~'),
    (43, "\\zxcvbnm,./", "|ZXCVBNM<>?"),
    (57, " ", " "),
)
_KEYS = {
    first + place: pair
    for first, small, large in _ROWS
    for place, pair in enumerate(zip(small, large, strict=True))
}
_KEYPAD_DIGITS = {71: "7", 72: "8", 73: "9", 75: "4", 76: "5", 77: "6", 79: "1", 80: "2", 81: "3", 82: "0"}
_KEYPAD = {**_KEYPAD_DIGITS, 55: "*", 74: "-", 78: "+", 83: ".", 98: "/", 117: "="}
_PLAIN = {
    KEY_ENTER: b"\r",
    KEY_KP_ENTER: b"\r",
    KEY_TAB: b"\t",
    **{code: char.encode("ascii") for code, char in _KEYPAD.items()},
}
_TYPED = {
    **{
        (ord(small) & 0x1F): (29, code)
        for code, (small, _) in _KEYS.items()
        if "[" <= small <= "z" and small != "`"
    },
    **{ord(large): (42, code) for code, (_, large) in _KEYS.items()},
    **{ord(small): (0, code) for code, (small, _) in _KEYS.items()},
    ord("\r"): (0, KEY_ENTER),
    ord("\t"): (0, KEY_TAB),
}
