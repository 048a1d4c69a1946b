"""No bytes, in no chunks, may upset the scanner codec."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from devices.scanner.codec import Framer, Framing, RawFrame, Terminator, decode_frame, split_glued

_MS = 1_000_000
# Biased towards the bytes that mean something, so that frames, AIM ids and GS really come up.
_PIECES = st.one_of(
    st.binary(max_size=20),
    st.sampled_from(
        [b"\r", b"\n", b"\r\n", b"\t", b"\x02", b"\x03", b"\x1d", b"\x00", b"]", b"]E0", b"]C1", b"]Q1"]
    ),
    st.sampled_from([b"6901234567892", b"12345670", b"https://e.com/]E01", "会员".encode("gb18030"), b"P:"]),
)
_STREAMS = st.lists(_PIECES, max_size=25).map(b"".join)
_FRAMINGS = st.builds(
    Framing,
    terminators=st.one_of(st.none(), st.frozensets(st.sampled_from(Terminator), min_size=1)),
    prefix=st.sampled_from([b"", b"P:", b"]", b"\x02", b"12"]),
    idle_ms=st.sampled_from([0, 50]),
    max_length=st.sampled_from([16, 40, 4096]),
    aim_ids=st.booleans(),
)


def _chunks(data: bytes, cuts: list[int]) -> list[bytes]:
    places = sorted({cut % (len(data) + 1) for cut in cuts} | {0, len(data)})
    return [data[begin:end] for begin, end in itertools.pairwise(places)]


def _end(framer: Framer) -> list[RawFrame]:
    return framer.flush_idle(10_000 * _MS)


@given(_STREAMS, st.lists(st.integers(min_value=0)), _FRAMINGS)
def test_chunking_makes_no_difference(data: bytes, cuts: list[int], framing: Framing) -> None:
    whole, chunked = Framer(framing), Framer(framing)
    expected = whole.feed(data, 5) + _end(whole)
    frames = [frame for chunk in _chunks(data, cuts) for frame in chunked.feed(chunk, 5)] + _end(chunked)
    assert frames == expected


@given(_STREAMS, _FRAMINGS)
def test_no_bytes_raise_and_the_buffer_stays_bounded(data: bytes, framing: Framing) -> None:
    framer = Framer(framing)
    for byte in data:
        for frame in framer.feed(bytes([byte]), 5):
            payload = decode_frame(frame, framing)
            assert (payload.problem is None) == (payload.text != "")
        assert framer.pending <= framing.max_length
    _end(framer)
    assert framer.pending == 0


@given(_STREAMS, _FRAMINGS)
def test_frames_hold_the_bytes_of_the_stream_in_order(data: bytes, framing: Framing) -> None:
    framer = Framer(framing)
    place = 0
    for frame in framer.feed(data, 5) + _end(framer):
        found = data.find(frame.raw, place)
        assert found >= 0
        assert len(frame.raw) <= framing.max_length
        place = found + len(frame.raw)


@given(st.lists(st.from_regex(rb"[0-9A-Za-z][ -~]{0,30}", fullmatch=True), max_size=10))
def test_codes_with_terminators_come_out_as_they_went_in(codes: list[bytes]) -> None:
    framing = Framing(aim_ids=False)
    stream = b"".join(code + b"\r\n" for code in codes)
    assert [decode_frame(frame, framing).text.encode() for frame in Framer(framing).feed(stream, 5)] == codes


@given(st.lists(st.from_regex(rb"[0-9]{1,14}", fullmatch=True), min_size=1, max_size=10))
def test_any_number_of_glued_ean_codes_come_apart(codes: list[bytes]) -> None:
    parts = [b"]E0" + code for code in codes]
    assert split_glued(b"".join(parts), Framing()) == parts


@given(_STREAMS, _FRAMINGS)
def test_splitting_loses_no_byte(data: bytes, framing: Framing) -> None:
    assert b"".join(split_glued(data, framing)) == data


@given(_STREAMS, st.binary(min_size=1, max_size=12).filter(lambda b: not set(b) & set(b"\r\n\x02\x03\t")))
def test_after_any_junk_and_a_silence_the_next_code_is_read(junk: bytes, half: bytes) -> None:
    framer = Framer(Framing())
    framer.feed(junk + half, 0)
    _end(framer)
    assert [frame.raw for frame in framer.feed(b"6901234567892\r", 20_000 * _MS)] == [b"6901234567892"]
