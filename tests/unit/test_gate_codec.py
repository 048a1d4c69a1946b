"""Relay frames, against the vendors' published bytes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import devices.gate
from devices.gate import codec
from devices.gate.driver import BoardFamily, BoardSettings, InputMap

VECTORS = json.loads(
    (Path(devices.gate.__path__[0]) / "captures" / "frames.json").read_text(encoding="utf-8")
)
ECHO = bytes.fromhex("01050200 00078DB0")


@pytest.mark.parametrize("vector", VECTORS, ids=[vector["means"] for vector in VECTORS])
def test_documented_frames_are_built_to_the_byte(vector: dict[str, list[object]]) -> None:
    name, *arguments = vector["call"]
    build = {
        function.__name__: function
        for function in (codec.write_coil, codec.flash_on, codec.read_coils, codec.read_inputs)
    }
    assert build[str(name)](*arguments) == bytes.fromhex(str(vector["frame"]))


@pytest.mark.parametrize("frame", ["01050000550 0F29A", "010F00000008 01FFBED5", "000340000001901B"])
def test_the_crc_agrees_with_other_published_frames(frame: str) -> None:
    data = bytes.fromhex(frame.replace(" ", ""))
    assert codec.sealed(data[:-2]) == data


def test_clone_frames_count_registers_from_one() -> None:
    assert codec.clone_set(1, 0, True)[:6] == bytes.fromhex("010600010100")
    assert codec.clone_set(1, 7, False)[:6] == bytes.fromhex("010600080200")
    assert codec.clone_delay(1, 0, 10)[:6] == bytes.fromhex("01060001060A")


def test_kmtronic_frames_are_three_bytes() -> None:
    assert codec.kmtronic_set(4, True) == bytes.fromhex("FF0501")
    assert codec.kmtronic_set(4, False) == bytes.fromhex("FF0500")
    assert codec.kmtronic_is_on(4, bytes.fromhex("FF0501"))
    with pytest.raises(codec.BadAnswer, match="relay 4"):
        codec.kmtronic_is_on(4, bytes.fromhex("FF0601"))


def test_an_echo_is_accepted_and_its_end_is_seen() -> None:
    assert [codec.answer_complete(ECHO, ECHO[:size]) for size in (4, 7, 8)] == [False, False, True]
    assert codec.check_answer(ECHO, ECHO) == ECHO[2:6]


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (ECHO[:-1] + b"\x00", "CRC"),
        (codec.write_coil(2, 0, True), "board 2 answered for board 1"),
        (codec.sealed(b"\x01\x85\x02"), "no such relay"),
        (codec.write_coil(1, 0, True), "echo differs"),
        (codec.sealed(b"\x01\x01\x01\x00"), "function 1"),
        (b"", "CRC"),
    ],
)
def test_another_answer_is_refused_with_its_reason(answer: bytes, why: str) -> None:
    with pytest.raises(codec.BadAnswer, match=why):
        codec.check_answer(ECHO, answer)


def test_our_own_bytes_are_not_taken_for_inputs() -> None:
    request = codec.read_inputs(1, 8)
    with pytest.raises(codec.BadAnswer, match="local_echo"):
        codec.check_answer(request, request[:5])


def test_input_bits_are_lowest_first() -> None:
    request = codec.read_inputs(1, 10)
    answer = codec.sealed(bytes.fromhex("0102020502"))
    assert codec.answer_complete(request, answer)
    read = codec.bits(codec.check_answer(request, answer), 10)
    assert [number for number, bit in enumerate(read) if bit] == [0, 2, 9]


def test_too_few_input_bits_are_refused() -> None:
    with pytest.raises(codec.BadAnswer, match="fewer than 9"):
        codec.bits(b"\x01\xff", 9)


@pytest.mark.parametrize(
    ("slave", "coil", "tenths"), [(0, 0, 7), (248, 0, 7), (1, 256, 7), (1, 0, 0), (1, 0, 32768)]
)
def test_frames_that_no_board_knows_are_not_built(slave: int, coil: int, tenths: int) -> None:
    with pytest.raises(ValueError, match="not"):
        codec.flash_on(slave, coil, tenths)


@pytest.mark.parametrize(
    "change",
    [{"pulse_s": 0.0}, {"pulse_s": 11.0}, {"slave": 0}, {"relay": 32}, {"inputs": InputMap(64)}],
)
def test_settings_that_no_board_has_are_refused(change: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="not"):
        BoardSettings(**change)  # type: ignore[arg-type]


def test_a_kmtronic_board_has_no_inputs() -> None:
    with pytest.raises(ValueError, match="no inputs"):
        BoardSettings(BoardFamily.KMTRONIC, inputs=InputMap(0))
