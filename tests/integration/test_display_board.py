"""What is particular to the lane board: pace, long lines, speech that must stop."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from devices.display.driver import BoardLayout, LaneBoard
from devices.rs485 import Rs485Bus
from devices.transport import SerialSettings
from devices.types import DeviceSilent
from sim.display import SimBoard, run
from sim.wires import PtyWire


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as opened:
        yield opened


def board_on(stack: ExitStack, sim: SimBoard, layout: BoardLayout) -> LaneBoard:
    wire = stack.enter_context(PtyWire(sim))
    bus = Rs485Bus(SerialSettings(wire.path))
    stack.callback(bus.close)
    return LaneBoard("in", bus, layout)


def test_frames_keep_the_rest_that_the_board_needs(stack: ExitStack) -> None:
    sim = SimBoard(rest_s=0.35)
    board = board_on(stack, sim, BoardLayout())
    board.show(["京A12345", "请缴费5元"])
    board.say("请缴费5元")
    assert sim.too_fast == 0


def test_a_line_that_does_not_fit_moves_and_a_short_one_stands(stack: ExitStack) -> None:
    sim = SimBoard()
    board_on(stack, sim, BoardLayout(gap_s=0.0)).show(["京A12345", "临时车请扫码缴费"])
    assert sim.moving == {0: False, 1: True}


def test_extra_lines_are_joined_to_the_last(stack: ExitStack) -> None:
    sim = SimBoard()
    board_on(stack, sim, BoardLayout(gap_s=0.0)).show(["一", "二", "三"])
    assert sim.lines() == ["一", "二 三"]


def test_new_speech_clears_what_waits_and_empty_speech_stops(stack: ExitStack) -> None:
    sim = SimBoard()
    sim.waiting.append("old")
    board = board_on(stack, sim, BoardLayout(gap_s=0.0))
    board.say("新")
    assert list(sim.spoken) == ["新"]
    sim.waiting.append("old")
    board.say("")
    assert not sim.waiting


@pytest.mark.parametrize(
    ("switch", "why"), [("crc bad", "CRC"), ("refuse 5", "refused"), ("off", "no answer")]
)
def test_a_bad_answer_is_silence_with_a_reason(stack: ExitStack, switch: str, why: str) -> None:
    sim = SimBoard()
    sim.command(switch)
    with pytest.raises(DeviceSilent, match=why):
        board_on(stack, sim, BoardLayout(timeout_s=0.2)).show(["x"])


@pytest.mark.parametrize(("lines", "cells"), [(0, 8), (9, 8), (2, 1), (2, 65)])
def test_a_layout_that_no_board_has_is_refused(lines: int, cells: int) -> None:
    with pytest.raises(ValueError, match="lines of"):
        BoardLayout(lines, cells)


def test_the_simulator_obeys_switches_from_a_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(tmp_path / "board", commands=["off", "shout"])
    lines = capsys.readouterr().out.splitlines()
    assert str(tmp_path / "board") in lines[0]
    assert lines[1] == "shows [], said []"
    assert lines[2].startswith("unknown: 'shout'")
