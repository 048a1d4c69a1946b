"""Key events read as a US keyboard (devices.scanner.hid_codec)."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.scanner.codec import Framer, decode_frame
from devices.scanner.hid_codec import EVENTS_LOST, HID_FRAMING, KeyDecoder, KeyEvent, keys_for

_SHIFT, _CTRL, _ALT, _RIGHT_ALT, _CAPS = 42, 29, 56, 100, 58
_KEYPAD = {"7": 71, "8": 72, "9": 73, "4": 75, "5": 76, "6": 77, "1": 79, "2": 80, "3": 81, "0": 82}


def _typed(events: list[KeyEvent]) -> bytes:
    decoder = KeyDecoder()
    return b"".join(decoder.press(event) for event in events)


def _stroke(*codes: int) -> list[KeyEvent]:
    return [KeyEvent(code, 1) for code in codes] + [KeyEvent(code, 0) for code in reversed(codes)]


def _alt(digits: str, alt: int = _ALT) -> list[KeyEvent]:
    strokes = [event for digit in digits for event in _stroke(_KEYPAD[digit])]
    return [KeyEvent(alt, 1), *strokes, KeyEvent(alt, 0)]


# Straight from linux/input-event-codes.h, not from the table under test.
@pytest.mark.parametrize(
    ("code", "small", "large"),
    [
        (2, "1", "!"),
        (11, "0", ")"),
        (12, "-", "_"),
        (13, "=", "+"),
        (16, "q", "Q"),
        (25, "p", "P"),
        (26, "[", "{"),
    ]
    + [(27, "]", "}"), (30, "a", "A"), (38, "l", "L"), (39, ";", ":"), (40, "'", '"'), (41, "`", "~")]
    + [(43, "\\", "|"), (44, "z", "Z"), (50, "m", "M"), (51, ",", "<"), (53, "/", "?"), (57, " ", " ")],
)
def test_keys_are_us_keys_with_and_without_shift(code: int, small: str, large: str) -> None:
    assert _typed(_stroke(code)) == small.encode()
    assert _typed(_stroke(_SHIFT, code)) == large.encode()
    assert _typed(_stroke(54, code)) == large.encode()


def test_the_numeric_keypad_gives_digits_and_signs() -> None:
    assert _typed([event for digit in "0123456789" for event in _stroke(_KEYPAD[digit])]) == b"0123456789"
    assert _typed([event for code in (55, 74, 78, 83, 98) for event in _stroke(code)]) == b"*-+./"


@pytest.mark.parametrize(("code", "ends"), [(28, b"\r"), (96, b"\r"), (15, b"\t")])
def test_enter_and_tab_end_a_code(code: int, ends: bytes) -> None:
    assert _typed(_stroke(code)) == ends
    frames = Framer(HID_FRAMING).feed(_typed(_stroke(2, 3) + _stroke(code)), 0)
    assert [frame.raw for frame in frames] == [b"12"]


def test_caps_lock_changes_nothing() -> None:
    assert _typed(_stroke(_CAPS) + _stroke(30) + _stroke(_SHIFT, 30)) == b"aA"


@pytest.mark.parametrize(
    ("codes", "byte"),
    [
        ((_CTRL, 27), b"\x1d"),
        ((97, 27), b"\x1d"),
        ((_CTRL, 50), b"\r"),
        ((_CTRL, _SHIFT, 7), b"\x1e"),
        ((_CTRL, 2), b""),
    ],
)
def test_ctrl_gives_control_characters_gs_among_them(codes: tuple[int, ...], byte: bytes) -> None:
    assert _typed(_stroke(*codes)) == byte


@pytest.mark.parametrize(
    ("digits", "given_bytes"),
    [
        ("029", b"\x1d"),
        ("0029", b"\x1d"),
        ("65", b"A"),
        ("47811", "好".encode("gbk")),
        ("0", b""),
        ("999999", b""),
    ],
)
def test_alt_with_keypad_digits_gives_the_byte_of_that_number(digits: str, given_bytes: bytes) -> None:
    assert _typed(_alt(digits)) == given_bytes
    assert _typed(_alt(digits, _RIGHT_ALT)) == given_bytes


def test_chinese_sent_as_gbk_by_alt_codes_is_read() -> None:
    codes = ["".join(str(int.from_bytes(char.encode("gbk"), "big"))) for char in "会员"]
    data = _typed([event for code in codes for event in _alt(code)])
    assert [decode_frame(frame, HID_FRAMING).text for frame in Framer(HID_FRAMING).feed(data + b"\r", 0)] == [
        "会员"
    ]


def test_a_repeat_by_the_kernel_is_no_second_key() -> None:
    assert _typed([KeyEvent(2, 1), KeyEvent(2, 2), KeyEvent(2, 2), KeyEvent(2, 0)]) == b"1"


@given(st.text(alphabet=string.printable.replace("\n", "").replace("\x0b", "").replace("\x0c", "") + "\x1d"))
def test_what_a_scanner_types_is_what_is_read(text: str) -> None:
    assert _typed(keys_for(text.encode("ascii"))) == text.encode("ascii")


@given(st.lists(st.builds(KeyEvent, st.integers(-1, 800), st.integers(-1, 3)), max_size=60))
def test_no_events_raise(events: list[KeyEvent]) -> None:
    assert len(_typed(events)) <= 2 * len(events)


def test_what_no_keyboard_has_is_refused_with_the_byte() -> None:
    with pytest.raises(ValueError, match="0xE4 is on no US keyboard"):
        keys_for("ä".encode("latin-1"))


def test_the_lost_marker_is_no_key() -> None:
    assert _typed([EVENTS_LOST]) == b""
