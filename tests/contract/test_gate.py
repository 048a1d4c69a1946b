"""Port Gate: the same promises from the fake and from the relay driver with each family of boards."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import pytest

from devices.agent.remote import RemoteGate
from devices.gate.driver import BoardFamily, BoardSettings, InputMap, RelayGate
from devices.gate.gpio import GpioGate, GpioSettings
from devices.rs485 import Rs485Bus
from devices.transport import SerialSettings
from devices.types import DeviceAbsent, DeviceSilent, GateInputs, Health
from edge.services.ports import Gate
from sim.fakes.gate import FakeGate
from sim.gate import GateHabits, SimGate
from sim.gpio import SimChip
from sim.wires import PtyWire
from tests.integration.lane_agent_rig import linked


@dataclass(frozen=True, slots=True)
class Rig:
    """A gate and what happens at its lane."""

    gate: Gate
    opened: Callable[[], int]
    let_time_pass: Callable[[], object]
    car: Callable[[int, bool], object]
    lose_echo: Callable[[bool], object] | None
    stick: Callable[[], object]
    unplug: Callable[[], object]


def fake_rig(_stack: ExitStack) -> Rig:
    fake = FakeGate("in-1")
    return Rig(
        fake,
        lambda: fake.pulses,
        lambda: None,
        lambda loop, present: fake.loops.__setitem__(loop, present),
        lambda lost: setattr(fake, "echo_lost", lost),
        lambda: setattr(fake, "stuck", True),
        fake.close,
    )


def board_rig(family: BoardFamily, stack: ExitStack) -> Rig:
    sim = SimGate(GateHabits(slave=3, real_time=False))
    wire = stack.enter_context(PtyWire(sim))
    bus = Rs485Bus(SerialSettings(wire.path))
    stack.callback(bus.close)
    settings = BoardSettings(family, slave=3, pulse_s=0.1, timeout_s=1.0, inputs=InputMap(0, 1, (2, 3)))
    return Rig(
        RelayGate("in-1", bus, settings),
        lambda: sim.opened,
        lambda: sim.advance(2.0),
        sim.car,
        lambda lost: setattr(sim.faults, "echo_lost", lost),
        lambda: setattr(sim.faults, "boom_stuck", True),
        wire.close,
    )


def agent_rig(stack: ExitStack) -> Rig:
    """A relay board beside the lane, reached over a real broker through an agent."""
    sim = SimGate(GateHabits(slave=3, real_time=False))
    wire = stack.enter_context(PtyWire(sim))
    bus = Rs485Bus(SerialSettings(wire.path))
    stack.callback(bus.close)
    settings = BoardSettings(slave=3, pulse_s=0.1, timeout_s=0.4, inputs=InputMap(0, 1, (2, 3)))
    link = stack.enter_context(linked({"in-1": RelayGate("in-1", bus, settings)}))
    return Rig(
        RemoteGate("in-1", link),
        lambda: sim.opened,
        lambda: sim.advance(2.0),
        sim.car,
        lambda lost: setattr(sim.faults, "echo_lost", lost),
        lambda: setattr(sim.faults, "boom_stuck", True),
        wire.close,
    )


def gpio_rig(_stack: ExitStack) -> Rig:
    sim = SimGate(GateHabits(real_time=False))
    chip = SimChip(sim)
    settings = GpioSettings(relay=17, pulse_s=0.1, inputs=InputMap(22, 23, (24, 25)))
    return Rig(
        GpioGate("in-1", settings, chip.request),
        lambda: sim.opened,
        lambda: sim.advance(2.0),
        sim.car,
        None,
        lambda: setattr(sim.faults, "boom_stuck", True),
        lambda: setattr(chip, "gone", True),
    )


RIGS: dict[str, Callable[[ExitStack], Rig]] = {
    "fake": fake_rig,
    "waveshare": lambda stack: board_rig(BoardFamily.WAVESHARE, stack),
    "clone": lambda stack: board_rig(BoardFamily.CLONE, stack),
    "gpio": gpio_rig,
    "agent": agent_rig,
    "coil": lambda stack: board_rig(BoardFamily.COIL, stack),
}


@pytest.fixture(params=RIGS)
def rig(request: pytest.FixtureRequest) -> Iterator[Rig]:
    with ExitStack() as stack:
        yield RIGS[request.param](stack)


def test_a_gate_that_rests_is_down(rig: Rig) -> None:
    assert rig.gate.inputs() == GateInputs(False, True, (False, False))
    assert rig.gate.status().health is Health.CONNECTED


def test_one_pulse_opens_once_and_the_limit_switch_proves_it(rig: Rig) -> None:
    rig.gate.pulse()
    rig.let_time_pass()
    assert rig.opened() == 1
    assert rig.gate.inputs().boom_up
    assert not rig.gate.inputs().boom_down


def test_a_boom_that_is_stuck_is_seen_though_the_board_echoes(rig: Rig) -> None:
    rig.stick()
    rig.gate.pulse()
    rig.let_time_pass()
    assert rig.opened() == 1
    assert rig.gate.inputs().boom_down


def test_cars_on_the_loops_are_seen(rig: Rig) -> None:
    rig.car(1, True)
    assert rig.gate.inputs().loops == (False, True)
    rig.car(1, False)
    assert rig.gate.inputs().loops == (False, False)


@pytest.fixture(params=[name for name in RIGS if name != "gpio"])
def answering(request: pytest.FixtureRequest) -> Iterator[tuple[Rig, Callable[[bool], object]]]:
    """A gate whose board echoes; lines of the box itself have no echo to lose."""
    with ExitStack() as stack:
        rig = RIGS[request.param](stack)
        assert rig.lose_echo is not None
        yield rig, rig.lose_echo


def test_a_lost_echo_is_silence_and_not_repeated(answering: tuple[Rig, Callable[[bool], object]]) -> None:
    rig, lose_echo = answering
    rig.gate.inputs()
    lose_echo(True)
    with pytest.raises(DeviceSilent):
        rig.gate.pulse()
    assert rig.gate.status().health is Health.FAULT
    lose_echo(False)
    assert rig.opened() <= 1
    rig.gate.inputs()
    assert rig.gate.status().health is Health.CONNECTED


def test_silence_at_the_inputs_is_said(answering: tuple[Rig, Callable[[bool], object]]) -> None:
    rig, lose_echo = answering
    lose_echo(True)
    with pytest.raises(DeviceSilent):
        rig.gate.inputs()


def test_a_gate_that_is_gone_is_absent(rig: Rig) -> None:
    rig.unplug()
    with pytest.raises(DeviceAbsent):
        rig.gate.pulse()
    with pytest.raises(DeviceAbsent):
        rig.gate.inputs()
    assert rig.gate.status().health is Health.ABSENT
    assert rig.opened() == 0


def test_a_closed_gate_sends_nothing(rig: Rig) -> None:
    rig.gate.close()
    with pytest.raises(DeviceAbsent):
        rig.gate.pulse()
    assert rig.opened() == 0
    assert rig.gate.name == rig.gate.status().name == "in-1"


def test_calls_from_several_threads_do_not_mix(rig: Rig) -> None:
    wrong: list[GateInputs] = []

    def look() -> None:
        for _ in range(10):
            seen = rig.gate.inputs()
            if seen != GateInputs(False, True, (False, False)):
                wrong.append(seen)

    threads = [threading.Thread(target=look) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert rig.gate.status().health is Health.CONNECTED
