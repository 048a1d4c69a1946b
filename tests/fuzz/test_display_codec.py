"""Whatever is to be shown or said, the board gets one whole frame that it understands."""

from __future__ import annotations

import contextlib

from hypothesis import given
from hypothesis import strategies as st

from devices.display import codec
from sim.display import SimBoard

texts = st.text(alphabet=st.characters(codec=None), max_size=300)


@given(texts, st.integers(0, 15), st.booleans())
def test_any_text_is_one_frame_that_the_board_acknowledges(text: str, line: int, moving: bool) -> None:
    board = SimBoard()
    frame = codec.text_frame(text, line, moving=moving)
    codec.parse_ack(frame, board.receive(frame))
    assert "\ufffd" not in "".join(board.lines())


@given(texts)
def test_any_speech_is_one_frame_that_the_board_acknowledges(text: str) -> None:
    board = SimBoard()
    frame = codec.voice_frame(text)
    codec.parse_ack(frame, board.receive(frame))
    assert len(board.spoken) == 1


@given(st.binary(max_size=80))
def test_any_answer_is_read_or_refused(answer: bytes) -> None:
    codec.answer_complete(answer)
    with contextlib.suppress(codec.BadAck):
        codec.parse_ack(codec.stop_voice_frame(), answer)
        assert answer[4:7] == b"\x31\x01\x00"
