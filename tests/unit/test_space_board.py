"""The space-count board: frames to the byte, and the driver over a real line."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.display.space_codec import MAX_COUNT, CountColour, count_frame, parse_count
from devices.display.space_driver import CountBoard
from devices.rs485 import Rs485Bus
from devices.transport import SerialSettings
from devices.types import DeviceAbsent, Health
from sim.space_board import SimCountBoard
from sim.wires import PtyWire


def test_the_published_frame_is_built_to_the_byte() -> None:
    assert count_frame(888) == bytes.fromhex("3A 00 78 03 01 B6 0A")


@given(st.integers(0, MAX_COUNT), st.sampled_from(CountColour))
def test_a_frame_says_what_it_was_built_from(count: int, colour: CountColour) -> None:
    assert parse_count(count_frame(count, colour)) == (count, colour)


@given(st.integers(0, MAX_COUNT), st.integers(0, 6), st.integers(1, 255))
def test_a_damaged_frame_is_refused(count: int, place: int, flip: int) -> None:
    frame = bytearray(count_frame(count))
    frame[place] ^= flip
    with pytest.raises(ValueError, match=r"no frame|sum is wrong"):
        parse_count(bytes(frame))


@pytest.mark.parametrize("count", [-1, MAX_COUNT + 1])
def test_what_no_board_shows_is_refused(count: int) -> None:
    with pytest.raises(ValueError, match="shows 0-9999"):
        count_frame(count)


@pytest.fixture
def board() -> Iterator[tuple[CountBoard, SimCountBoard]]:
    sim = SimCountBoard()
    with PtyWire(sim) as wire:
        bus = Rs485Bus(SerialSettings(wire.path))
        yield CountBoard("hall", bus, few=20), sim
        bus.close()


@pytest.mark.parametrize(
    ("free", "shown", "colour"),
    [
        (132, 132, CountColour.GREEN),
        (20, 20, CountColour.YELLOW),
        (0, 0, CountColour.RED),
        (-3, 0, CountColour.RED),
        (12_000, 9_999, CountColour.GREEN),
    ],
)
def test_free_spaces_are_shown_in_a_colour_that_says_how_it_stands(
    board: tuple[CountBoard, SimCountBoard], free: int, shown: int, colour: CountColour
) -> None:
    driver, sim = board
    driver.show_count(free)
    assert sim.await_shown(shown, 5.0) == (shown, colour)
    assert driver.status().health is Health.CONNECTED


def test_a_closed_board_is_left_alone(board: tuple[CountBoard, SimCountBoard]) -> None:
    driver, sim = board
    driver.close()
    with pytest.raises(DeviceAbsent, match="closed"):
        driver.show_count(5)
    assert sim.shown is None
