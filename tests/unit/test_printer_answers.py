"""What the bytes of a printer's answers mean, from the documented vectors in devices/printer/captures."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import devices.printer
from devices.printer.answers import AnswerSplitter, Ask, PaperByte, ProcessId, StatusByte, ask, read_status
from devices.types import PaperState

VECTORS = json.loads(
    (Path(devices.printer.__path__[0]) / "captures" / "status.json").read_text(encoding="utf-8")
)


@pytest.mark.parametrize("vector", VECTORS, ids=[vector["means"] for vector in VECTORS])
def test_documented_answers_are_understood(vector: dict[str, str]) -> None:
    answers = {Ask[name]: int(value, 16) for name, value in vector.items() if name in Ask.__members__}
    status = read_status(answers)
    assert f"{status.ready} {status.paper} {status.cover_open}" == vector["expect"]
    assert vector.get("detail", "") in status.detail


def test_questions_are_dle_eot() -> None:
    assert [ask(question) for question in Ask] == [
        b"\x10\x04\x01",
        b"\x10\x04\x02",
        b"\x10\x04\x03",
        b"\x10\x04\x04",
    ]


def test_a_missing_answer_is_not_taken_for_paper() -> None:
    assert read_status({Ask.PRINTER: 0x12}).paper is PaperState.UNKNOWN


def test_answers_are_told_apart_when_they_come_mixed() -> None:
    data = b"\x12\x00\x37\x22AB1Z\x00\x1a\x10\x00\x00\x0f\x03"
    splitter = AnswerSplitter()
    one_by_one = [answer for byte in data for answer in splitter.feed(bytes([byte]))]
    assert one_by_one == [StatusByte(0x12), PaperByte(0), ProcessId("AB1Z"), StatusByte(0x1A), PaperByte(3)]


def test_flow_control_and_other_blocks_are_noise() -> None:
    assert AnswerSplitter().feed(b"\x11\x13\x37\x25\x30\x00\xff\x12") == [StatusByte(0x12)]


def test_a_block_without_end_does_not_eat_for_ever() -> None:
    splitter = AnswerSplitter()
    splitter.feed(b"\x37" + b"\xff" * 100)
    assert splitter.feed(b"\x12") == [StatusByte(0x12)]


@pytest.mark.parametrize(("value", "out"), [(0x00, False), (0x03, False), (0x0C, True), (0x0F, True)])
def test_the_sensor_byte_tells_of_the_end(value: int, out: bool) -> None:
    assert PaperByte(value).paper_out is out
