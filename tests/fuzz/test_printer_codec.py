"""Whatever a job says, the printer gets only commands that it knows, and answers never crash the reader."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from devices.printer.answers import AnswerSplitter, Ask, read_status
from devices.printer.codec import PAPER_58, Chinese, encode_job
from devices.printer.layout import cells, columns, printable, wrap
from devices.types import Align, Columns, PrintJob, Rule, TextLine
from sim.escpos import Interpreter, Printed

texts = st.text(alphabet=st.characters(codec=None), max_size=80)
blocks = st.one_of(
    st.builds(TextLine, texts, st.sampled_from(Align), st.booleans(), st.integers(1, 2)),
    st.builds(Columns, texts, texts, st.booleans()),
    st.just(Rule()),
)
text_modes = st.sampled_from([Chinese.GB18030, Chinese.GBK, Chinese.UTF8])


@settings(max_examples=150, deadline=None)
@given(st.lists(blocks, max_size=8), text_modes)
def test_no_text_becomes_a_command_and_no_line_is_too_wide(items: list[TextLine], chinese: Chinese) -> None:
    data = encode_job(PrintJob("j", tuple(items)), replace(PAPER_58, chinese=chinese))
    interpreter = Interpreter("utf-8" if chinese is Chinese.UTF8 else "gb18030")
    effects = [effect for byte in data for effect in interpreter.feed(byte)]
    assert interpreter.unknown == []
    assert not interpreter.swallowing
    for line in (effect for effect in effects if isinstance(effect, Printed)):
        assert cells(line.text, chinese) * line.scale[0] <= 32


@settings(max_examples=300, deadline=None)
@given(texts, texts, st.integers(16, 64), st.sampled_from(Chinese))
def test_columns_lose_no_character_and_keep_the_width(
    left: str, right: str, width: int, chinese: Chinese
) -> None:
    shown = printable(left, chinese), printable(right, chinese)
    lines = columns(*shown, width, chinese)
    assert all(cells(line, chinese) <= width for line in lines)
    assert "".join(lines).replace(" ", "") == "".join(shown).replace(" ", "")


@settings(max_examples=300, deadline=None)
@given(texts, st.integers(2, 64), st.sampled_from(Chinese))
def test_wrapping_ends_and_keeps_every_visible_character(text: str, width: int, chinese: Chinese) -> None:
    shown = printable(text, chinese)
    assert "".join(wrap(shown, width, chinese)).replace(" ", "") == shown.replace(" ", "")


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=300), st.integers(1, 50))
def test_answers_do_not_depend_on_how_the_bytes_are_cut(data: bytes, size: int) -> None:
    whole = AnswerSplitter().feed(data)
    splitter = AnswerSplitter()
    pieces = [answer for at in range(0, len(data), size) for answer in splitter.feed(data[at : at + size])]
    assert pieces == whole


@given(st.dictionaries(st.sampled_from(Ask), st.integers(0, 255)))
def test_any_status_bytes_give_a_sentence_when_not_ready(answers: dict[Ask, int]) -> None:
    status = read_status(answers)
    assert status.ready or status.detail
