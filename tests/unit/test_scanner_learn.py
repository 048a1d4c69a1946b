"""Finding out how a scanner is set from a sheet of known codes (devices.scanner.learn)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.scanner.codec import Framer, Framing, Terminator, decode_frame
from devices.scanner.learn import SHEET, has_all, learn

_AIMS = ("]E0", "]E4", "]C0")


def _sheet(begin: str = "", end: str = "\r", aims: bool = True) -> bytes:
    marks = _AIMS if aims else ("", "", "")
    return "".join(begin + aim + code + end for aim, code in zip(marks, SHEET, strict=True)).encode()


@pytest.mark.parametrize("prefix", ["", "T1:", "\x1d"])
@pytest.mark.parametrize("aims", [True, False])
@pytest.mark.parametrize("end", ["\r", "\n", "\r\n", "\r\r", "\t"])
def test_what_was_learned_reads_the_sheet(end: str, aims: bool, prefix: str) -> None:
    data = _sheet(prefix, end, aims)
    learned = learn(data)
    assert learned.framing is not None
    assert learned.framing.prefix == prefix.encode()
    assert learned.aim_ids_sent == aims
    assert any("AIM ids are off" in line for line in learned.advice) != aims
    frames = Framer(learned.framing).feed(data, 0)
    assert [decode_frame(frame, learned.framing).text for frame in frames] == list(SHEET)


def test_stx_and_etx_are_learned_as_auto() -> None:
    assert learn(_sheet("\x02", "\x03")).framing == Framing()


def test_stx_without_etx_is_learned_as_cr_alone() -> None:
    framing = learn(_sheet("\x02", "\r")).framing
    assert framing is not None
    assert framing.terminators == {Terminator.CR, Terminator.LF}


def test_tab_is_set_only_when_it_is_the_suffix() -> None:
    framing = learn(_sheet(end="\t")).framing
    assert framing is not None
    assert framing.terminators == {Terminator.TAB}
    assert learn(_sheet()).framing == Framing()


def test_no_suffix_is_read_by_silence_with_the_advice_to_set_one() -> None:
    learned = learn(_sheet(end=""))
    assert learned.framing == Framing(terminators=frozenset(), idle_ms=50)
    assert "no suffix: set it to CR" in learned.advice[0]


@pytest.mark.parametrize(
    ("data", "advice"),
    [
        (b"", "nothing came"),
        (b"\xff\x00\x80\x13", "try another baud rate"),
        (b"12345670\r6901234567892\rMALL-EDGE-1\r", "another order"),
        (b"6901234567892\r\n12345670\rMALL-EDGE-1\r\n", "the suffix is not always the same"),
        (b"A6901234567892\rB12345670\rDMALL-EDGE-1\r", "switch the maker's own code ids off"),
        (_sheet(end="#"), "set it to CR"),
        (_sheet("x" * 40), "switch the prefix off"),
    ],
)
def test_what_cannot_be_used_comes_back_as_advice(data: bytes, advice: str) -> None:
    learned = learn(data)
    assert learned.framing is None
    assert advice in learned.advice[0]


@given(st.lists(st.one_of(st.binary(max_size=6), st.sampled_from([c.encode() for c in SHEET])), max_size=9))
def test_no_bytes_upset_it_and_what_it_proposes_reads_them(pieces: list[bytes]) -> None:
    data = b"".join(pieces)
    learned = learn(data)
    assert learned.advice or learned.framing is not None
    if learned.framing is not None:
        assert has_all(data)
