"""Port Display: the same promises from the fake and from the lane board's driver."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import pytest

from devices.display.driver import BoardLayout, LaneBoard
from devices.rs485 import Rs485Bus
from devices.transport import SerialSettings
from devices.types import DeviceAbsent, DeviceSilent, Health
from edge.services.ports import Display
from sim.display import SimBoard
from sim.fakes.display import FakeDisplay
from sim.wires import PtyWire


@dataclass(frozen=True, slots=True)
class Rig:
    """A display and what stands on it."""

    display: Display
    shown: Callable[[], list[str]]
    spoken: Callable[[], list[str]]
    silence: Callable[[bool], object]
    unplug: Callable[[], object]


def fake_rig(_stack: ExitStack) -> Rig:
    fake = FakeDisplay("in-1")
    return Rig(
        fake,
        lambda: list(fake.shown),
        lambda: list(fake.spoken),
        lambda silent: setattr(fake, "silent", silent),
        fake.close,
    )


def board_rig(stack: ExitStack) -> Rig:
    sim = SimBoard()
    wire = stack.enter_context(PtyWire(sim))
    bus = Rs485Bus(SerialSettings(wire.path))
    stack.callback(bus.close)
    board = LaneBoard("in-1", bus, BoardLayout(timeout_s=1.0, gap_s=0.01))
    return Rig(
        board,
        lambda: [line for line in sim.lines() if line],
        lambda: list(sim.spoken),
        lambda silent: setattr(sim.faults, "ack_lost", silent),
        wire.close,
    )


RIGS: dict[str, Callable[[ExitStack], Rig]] = {"fake": fake_rig, "board": board_rig}


@pytest.fixture(params=RIGS)
def rig(request: pytest.FixtureRequest) -> Iterator[Rig]:
    with ExitStack() as stack:
        yield RIGS[request.param](stack)


def test_lines_are_shown_until_the_next_call(rig: Rig) -> None:
    rig.display.show(["京A12345", "请缴费5元"])
    assert rig.shown() == ["京A12345", "请缴费5元"]
    rig.display.show(["欢迎光临"])
    assert rig.shown() == ["欢迎光临"]
    assert rig.display.status().health is Health.CONNECTED


def test_texts_are_spoken_in_order(rig: Rig) -> None:
    rig.display.say("欢迎光临")
    rig.display.say("一路顺风")
    assert rig.spoken() == ["欢迎光临", "一路顺风"]


def test_a_lost_acknowledgement_is_silence(rig: Rig) -> None:
    rig.silence(True)
    with pytest.raises(DeviceSilent):
        rig.display.show(["京A12345"])
    with pytest.raises(DeviceSilent):
        rig.display.say("欢迎光临")
    assert rig.display.status().health is Health.FAULT
    rig.silence(False)
    rig.display.show(["京A12345"])
    assert rig.shown() == ["京A12345"]
    assert rig.display.status().health is Health.CONNECTED


def test_a_display_that_is_gone_is_absent(rig: Rig) -> None:
    rig.unplug()
    with pytest.raises(DeviceAbsent):
        rig.display.show(["京A12345"])
    with pytest.raises(DeviceAbsent):
        rig.display.say("欢迎光临")
    assert rig.display.status().health is Health.ABSENT


def test_a_closed_display_sends_nothing(rig: Rig) -> None:
    rig.display.close()
    with pytest.raises(DeviceAbsent):
        rig.display.say("欢迎光临")
    assert rig.spoken() == []
    assert rig.display.name == rig.display.status().name == "in-1"
