"""Frames of the text and voice board, against published bytes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import devices.display
from devices.display import codec
from sim.display import SimBoard

VECTORS = json.loads(
    (Path(devices.display.__path__[0]) / "captures" / "frames.json").read_text(encoding="utf-8")
)


def built(call: list[object]) -> bytes:
    match call:
        case ["voice", str(text), int(mode)]:
            return codec.voice_frame(text, codec.Voice(mode))
        case ["text", str(text), int(line)]:
            return codec.text_frame(text, line, moving=True)
        case _:
            return codec.stop_voice_frame()


@pytest.mark.parametrize("vector", VECTORS, ids=[vector["means"] for vector in VECTORS])
def test_documented_frames_are_built_to_the_byte(vector: dict[str, str]) -> None:
    assert built(list(vector["call"])) == bytes.fromhex(vector["frame"])


@pytest.mark.parametrize("vector", [vector for vector in VECTORS if "ack" in vector])
def test_documented_acknowledgements_are_accepted_and_given_by_the_simulator(vector: dict[str, str]) -> None:
    frame, ack = bytes.fromhex(vector["frame"]), bytes.fromhex(vector["ack"])
    codec.parse_ack(frame, ack)
    assert [codec.answer_complete(ack[:size]) for size in (5, 8, 9)] == [False, False, True]
    assert SimBoard().receive(frame) == ack


@pytest.mark.parametrize(
    ("ack", "why"),
    [
        ("0064FFFF620100976B", "CRC"),
        ("0064FFFF620100", "whole frame"),
        ("", "whole frame"),
    ],
)
def test_a_broken_acknowledgement_is_refused_with_its_reason(ack: str, why: str) -> None:
    with pytest.raises(codec.BadAck, match=why):
        codec.parse_ack(codec.text_frame("x", 0), bytes.fromhex(ack))


def test_the_answer_to_another_command_is_no_acknowledgement() -> None:
    with pytest.raises(codec.BadAck, match="command 62 to command 30"):
        codec.parse_ack(codec.voice_frame("x"), bytes.fromhex("0064FFFF620100976A"))


def test_a_refusal_names_its_code() -> None:
    board = SimBoard()
    board.faults.refuses = 3
    frame = codec.text_frame("x", 0)
    with pytest.raises(codec.BadAck, match="refused command 62 with 03"):
        codec.parse_ack(frame, board.receive(frame))
    assert board.lines() == []


def test_what_gbk_lacks_is_visible_and_the_yen_sign_survives() -> None:
    board = SimBoard()
    board.receive(codec.text_frame("¥5😀\x07好", 1))
    assert board.lines() == ["￥5□好"]


def test_a_long_text_ends_with_a_whole_character() -> None:
    data = codec.encode("x" + "好" * 200, codec.MAX_TEXT_BYTES, "□")
    assert data.decode("gbk") == "x" + "好" * 117
    board = SimBoard()
    assert board.receive(codec.text_frame("好" * 200, 0))
    assert board.lines() == ["好" * 118]
    assert board.receive(codec.voice_frame("好" * 200))
    assert board.spoken[-1] == "好" * 127


@pytest.mark.parametrize("line", [-1, 16])
def test_a_line_that_no_board_has_is_refused(line: int) -> None:
    with pytest.raises(ValueError, match="0-15"):
        codec.text_frame("x", line)
