"""How bytes of a scanner become scans (devices.scanner.codec)."""

from __future__ import annotations

import pytest

from devices.scanner.codec import (
    Framer,
    Framing,
    RawFrame,
    Terminator,
    decode_frame,
    parse_terminators,
    split_glued,
    to_scan,
)

_AUTO = Framing()
_MS = 1_000_000


def _only(*terminators: Terminator, prefix: bytes = b"", idle_ms: int = 0) -> Framing:
    return Framing(terminators=frozenset(terminators), prefix=prefix, idle_ms=idle_ms)


def _frames(data: bytes, framing: Framing = _AUTO) -> list[RawFrame]:
    return Framer(framing).feed(data, 7)


def _texts(data: bytes, framing: Framing = _AUTO) -> list[str]:
    return [decode_frame(frame, framing).text for frame in _frames(data, framing)]


@pytest.mark.parametrize(
    ("data", "framing"),
    [
        (b"6901234567892\r", _AUTO),
        (b"6901234567892\n", _AUTO),
        (b"6901234567892\r\n", _AUTO),
        (b"\x026901234567892\x03", _AUTO),
        (b"\x026901234567892\x03\r\n", _AUTO),
        (b"\x026901234567892\r\n\x03", _AUTO),
        (b"6901234567892\r\n", _only(Terminator.CR)),
        (b"6901234567892\r\n", _only(Terminator.LF)),
        (b"6901234567892\r\n", _only(Terminator.CRLF)),
        (b"6901234567892\t", _only(Terminator.TAB)),
        (b"\x026901234567892\x03\r", _only(Terminator.CR)),
        (b"\x00\x006901234567892\r", _AUTO),
    ],
)
def test_every_usual_framing_gives_the_code_alone(data: bytes, framing: Framing) -> None:
    assert _texts(data * 2, framing) == ["6901234567892", "6901234567892"]


@pytest.mark.parametrize(
    "ends", [b"\r\n", b"\r\r", b"\n\n", b"\r\n\r\n", b"\r\x00\r", b"\r  \r", b"\r\x02\x03\r"]
)
def test_a_doubled_terminator_gives_no_empty_scan(ends: bytes) -> None:
    assert _texts(b"12345670" + ends) == ["12345670"]


def test_the_terminator_is_not_in_the_raw_bytes() -> None:
    assert [frame.raw for frame in _frames(b"A\r\n\x02B\x03")] == [b"A", b"\x02B"]
    assert [frame.raw for frame in _frames(b"A\r\n", _only(Terminator.CRLF))] == [b"A"]


def test_lines_inside_stx_and_etx_belong_to_the_code() -> None:
    assert _texts(b"\x02BEGIN:VCARD\r\nN:Li\r\nEND:VCARD\x03") == ["BEGIN:VCARD\r\nN:Li\r\nEND:VCARD"]


def test_a_lone_cr_or_lf_is_text_where_only_the_pair_ends_a_frame() -> None:
    assert _texts(b"a\rb\nc\r\nd\r\n", _only(Terminator.CRLF)) == ["a\rb\nc", "d"]


def test_tab_is_text_unless_it_is_the_terminator() -> None:
    assert _texts(b"name\tprice\r") == ["name\tprice"]
    assert _texts(b"name\tprice\t", _only(Terminator.TAB)) == ["name", "price"]


@pytest.mark.parametrize(
    ("data", "aim", "text"),
    [
        (b"]E06901234567892", "]E0", "6901234567892"),
        (b"\x02]C1010952123454321310ABC123\x1d3103001250", "]C1", "010952123454321310ABC123\x1d3103001250"),
        (b"]Q3010952123454321310A\x1d21B", "]Q3", "010952123454321310A\x1d21B"),
        (b"]zChello", "]zC", "hello"),
        (b"]hello", None, "]hello"),
        (b"]9", None, "]9"),
        (b"6901234567892", None, "6901234567892"),
    ],
)
def test_a_leading_aim_id_is_told_apart_from_the_text(data: bytes, aim: str | None, text: str) -> None:
    payload = decode_frame(RawFrame(data, 0), _AUTO)
    assert (payload.aim, payload.text, payload.problem) == (aim, text, None)


@pytest.mark.parametrize(
    "data", [b"S1:]E012345670", b"]E0S1:12345670", b"\x02S1:]E012345670", b"]E012345670"]
)
def test_a_prefix_is_stripped_on_either_side_of_the_aim_id(data: bytes) -> None:
    payload = decode_frame(RawFrame(data, 0), Framing(prefix=b"S1:"))
    assert (payload.aim, payload.text) == ("]E0", "12345670")


def test_a_prefix_is_stripped_once_so_that_a_code_may_begin_like_it() -> None:
    assert decode_frame(RawFrame(b"9912345670", 0), Framing(prefix=b"99")).text == "12345670"
    assert decode_frame(RawFrame(b"99]E09912345670", 0), Framing(prefix=b"99")).text == "9912345670"


def test_aim_ids_can_be_switched_off() -> None:
    framing = Framing(aim_ids=False)
    assert decode_frame(RawFrame(b"]E012345670", 0), framing).text == "]E012345670"
    assert split_glued(b"]E012345670]E012345670", framing) == [b"]E012345670]E012345670"]


@pytest.mark.parametrize(
    ("data", "parts"),
    [
        (b"]E06901234567892]E06901234567892", [b"]E06901234567892", b"]E06901234567892"]),
        (b"]E06901234567892]E412345670]I112345", [b"]E06901234567892", b"]E412345670", b"]I112345"]),
        (b"]E06901234567892]Q1http://a/?b=]E01", [b"]E06901234567892", b"]Q1http://a/?b=]E01"]),
        (
            b"]C10109521234543213\x1d10A]C10109521234543213",
            [b"]C10109521234543213\x1d10A", b"]C10109521234543213"],
        ),
        (b"]A0ABC-1]A0DEF", [b"]A0ABC-1", b"]A0DEF"]),
        (b"\x02]E012345670]E012345670", [b"\x02]E012345670", b"]E012345670"]),
    ],
)
def test_glued_codes_are_split_where_aim_ids_prove_the_boundary(data: bytes, parts: list[bytes]) -> None:
    assert [frame.raw for frame in _frames(data + (b"\x03" if data[:1] == b"\x02" else b"\r"))] == parts


@pytest.mark.parametrize(
    "data",
    [
        b"https://example.com/a]E06901234567892",
        b"]Q1https://example.com/?q=]E06901234567892",
        b"]C0ABC]C0DEF",
        b"]d1[1]E01",
        b"6901234567892]E06901234567892",
        b"]E0690123]hello",
        b"]E069AB]E01234",
        b"]E0]E01234",
    ],
)
def test_a_bracket_that_may_be_text_never_splits(data: bytes) -> None:
    assert [frame.raw for frame in _frames(data + b"\r")] == [data]


def test_glued_codes_with_a_prefix_keep_their_prefixes() -> None:
    framing = Framing(prefix=b"P:")
    assert split_glued(b"P:]E012345670P:]E412345670", framing) == [b"P:]E012345670", b"P:]E412345670"]
    assert split_glued(b"]E0P:12345670]E0P:12345670", framing) == [b"]E0P:12345670", b"]E0P:12345670"]


@pytest.mark.parametrize(
    ("encoding", "text"), [("utf-8", "会员卡 88"), ("gb18030", "会员卡 88"), ("ascii", "abc~")]
)
def test_text_is_ascii_then_utf8_then_gb18030(encoding: str, text: str) -> None:
    assert _texts(text.encode(encoding) + b"\r") == [text]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"\xff\xfe\xfd", "neither ASCII, UTF-8 nor GB18030"),
        (b"12\x0734", "control byte 0x07 at place 3"),
        (b"\x1b[A", "control byte 0x1B at place 1"),
        (b"\xaa\xa1\xaa\xa2", "neither ASCII"),
        (b"]E0", "nothing after the prefix and the AIM id"),
    ],
)
def test_what_is_no_text_is_a_problem_that_keeps_the_raw_bytes(data: bytes, reason: str) -> None:
    (frame,) = _frames(data + b"\r")
    scan = to_scan("till-1", frame, _AUTO)
    assert (scan.raw, scan.text, scan.device, scan.read_ns) == (data, "", "till-1", 7)
    assert scan.problem is not None
    assert reason in scan.problem


def test_an_over_long_frame_is_told_once_and_reading_goes_on_after_its_end() -> None:
    framing = Framing(max_length=16)
    frames = _frames(b"x" * 100 + b"\r" + b"12345670\r", framing)
    assert [frame.raw for frame in frames] == [b"x" * 16, b"12345670"]
    assert frames[0].problem is not None
    assert "longer than 16 bytes" in frames[0].problem
    assert frames[1].problem is None


def test_the_rest_of_an_over_long_stx_frame_is_skipped_to_its_etx() -> None:
    frames = _frames(b"\x02" + b"x" * 50 + b"\rtail\r\x03" + b"12345670\r", Framing(max_length=16))
    assert [frame.raw for frame in frames] == [b"\x02" + b"x" * 15, b"12345670"]


def test_a_frame_of_just_the_longest_length_is_whole() -> None:
    assert _texts(b"x" * 16 + b"\r", Framing(max_length=16)) == ["x" * 16]


def test_a_lost_etx_makes_a_problem_of_one_frame_and_not_of_the_next() -> None:
    first, second = _frames(b"\x02690123\x0212345670\x03")
    assert first.problem is not None
    assert "the next STX" in first.problem
    assert (second.raw, second.problem) == (b"\x0212345670", None)


def test_bytes_before_stx_are_a_problem_and_not_a_code() -> None:
    first, second = _frames(b"67892\x0212345670\x03")
    assert (first.raw, second.problem) == (b"67892", None)
    assert first.problem is not None


def test_a_half_frame_then_silence_never_joins_the_next_code() -> None:
    framer = Framer(_AUTO)
    assert framer.feed(b"69012", 0) == []
    assert framer.flush_idle(999 * _MS) == []
    (partial,) = framer.flush_idle(1000 * _MS)
    assert (partial.raw, partial.read_ns) == (b"69012", 0)
    assert partial.problem is not None
    assert "set the scanner to end each code with CR" in partial.problem
    assert [frame.raw for frame in framer.feed(b"12345670\r", 2000 * _MS)] == [b"12345670"]


@pytest.mark.parametrize(("data", "hint"), [(b"123\t", "terminators to tab"), (b"\x02123", "suffix to ETX")])
def test_an_unended_frame_tells_which_setting_is_wrong(data: bytes, hint: str) -> None:
    framer = Framer(_AUTO)
    framer.feed(data, 0)
    (frame,) = framer.flush_idle(1000 * _MS)
    assert frame.problem is not None
    assert hint in frame.problem


def test_silence_ends_a_code_where_the_scanner_has_no_terminator() -> None:
    framer = Framer(_only(idle_ms=50))
    assert framer.feed(b"12345", 0) == []
    assert framer.feed(b"670", 30 * _MS) == []
    assert framer.flush_due_ns() == 80 * _MS
    assert framer.flush_idle(79 * _MS) == []
    assert framer.flush_idle(80 * _MS) == [RawFrame(b"12345670", 30 * _MS)]
    assert framer.flush_due_ns() is None


def test_stx_with_cr_and_no_etx_ends_by_a_short_silence() -> None:
    framer = Framer(_AUTO)
    assert framer.feed(b"\x0212345670\r\n", 0) == []
    (frame,) = framer.flush_idle(100 * _MS)
    assert decode_frame(frame, _AUTO).text == "12345670"
    assert [decode_frame(frame, _AUTO).text for frame in framer.feed(b"\x02A\r\x02B\r", 0)] == ["A"]


def test_silence_ends_the_skipping_of_an_over_long_frame() -> None:
    framer = Framer(Framing(max_length=16))
    framer.feed(b"x" * 20, 0)
    assert framer.flush_idle(1000 * _MS) == []
    assert [frame.raw for frame in framer.feed(b"12345670\r", 1001 * _MS)] == [b"12345670"]


def test_a_broken_line_tells_what_was_begun_and_starts_afresh() -> None:
    framer = Framer(_AUTO)
    framer.feed(b"\x0269012", 5)
    (frame,) = framer.abandon("unplugged")
    assert (frame.raw, frame.problem) == (b"\x0269012", "unplugged; the code was cut off, scan it again")
    assert framer.abandon("unplugged") == []
    assert [frame.raw for frame in framer.feed(b"12345670\r", 6)] == [b"12345670"]


def test_lost_input_spoils_the_frame_it_fell_into_and_no_other() -> None:
    framer = Framer(_AUTO)
    framer.feed(b"123", 0)
    framer.spoil("input events were lost", 0)
    first, second = framer.feed(b"456\r789\r", 0)
    assert (first.raw, first.problem) == (b"123456", "input events were lost")
    assert (second.raw, second.problem) == (b"789", None)


def test_lost_input_with_nothing_after_it_is_told_after_a_silence_and_then_forgotten() -> None:
    framer = Framer(_AUTO)
    framer.spoil("input events were lost", 5)
    assert framer.flush_idle(999 * _MS) == []
    assert framer.flush_idle(1001 * _MS) == [RawFrame(b"", 5, "input events were lost")]
    assert [frame.problem for frame in framer.feed(b"789\r", 1002 * _MS)] == [None]


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"terminators": frozenset()}, "no frame could ever end"),
        ({"idle_ms": 1}, "idle_ms is 0 or 5-5000"),
        ({"partial_ms": 10}, "partial_ms is 100-60000"),
        ({"max_length": 1}, "max_length is 16-8192"),
        ({"prefix": b"a\r"}, "prefix must not hold"),
        ({"prefix": b"a" * 33}, "at most 32"),
    ],
)
def test_settings_that_cannot_work_are_refused_by_name(settings: dict[str, object], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        Framing(**settings)  # type: ignore[arg-type]


def test_terminators_are_read_from_a_setting() -> None:
    assert parse_terminators("auto") is None
    assert parse_terminators("none") == frozenset()
    assert parse_terminators("CR, tab") == {Terminator.CR, Terminator.TAB}
    with pytest.raises(ValueError, match="cr, lf, crlf, tab, etx"):
        parse_terminators("return")
