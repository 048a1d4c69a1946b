"""A gate on the box's own lines: what is special about them."""

from __future__ import annotations

import threading

import pytest

from devices.gate.driver import InputMap
from devices.gate.gpio import GpioGate, GpioSettings, Lines, request_lines
from devices.types import DeviceAbsent, DeviceSilent
from sim.gate import GateHabits, SimGate
from sim.gpio import SimChip

SETTINGS = GpioSettings(relay=17, pulse_s=0.1, inputs=InputMap(22, 23, (24, 25)))


@pytest.fixture
def chip() -> SimChip:
    return SimChip(SimGate(GateHabits(real_time=False)))


def test_a_pulse_that_a_dead_process_left_behind_ends_at_the_next_start(chip: SimChip) -> None:
    lines = chip.request("before", SETTINGS)
    lines.set(17, True)
    lines.release()
    assert chip.gate.contact_closed
    GpioGate("in-1", SETTINGS, chip.request).inputs()
    assert not chip.gate.contact_closed


def test_a_chip_lost_in_a_pulse_is_said_and_the_relay_drops_when_it_is_back(chip: SimChip) -> None:
    class Failing:
        """Lines whose chip goes away after the relay has closed."""

        def __init__(self, lines: Lines) -> None:
            self._lines = lines
            self.get, self.release = lines.get, lines.release

        def set(self, line: int, active: bool) -> None:
            self._lines.set(line, active)
            chip.gone = True

    gate = GpioGate("in-1", SETTINGS, lambda name, settings: Failing(chip.request(name, settings)))
    with pytest.raises(DeviceSilent, match="may be held open"):
        gate.pulse()
    assert chip.gate.contact_closed
    chip.gone = False
    gate.inputs()
    assert not chip.gate.contact_closed


def test_closing_ends_a_pulse_that_runs(chip: SimChip) -> None:
    settings = GpioSettings(relay=17, pulse_s=10)
    gate = GpioGate("in-1", settings, chip.request)
    pulse = threading.Thread(target=gate.pulse)
    pulse.start()
    while not chip.gate.contact_closed:
        assert pulse.is_alive()
    gate.close()
    pulse.join(5)
    assert not pulse.is_alive()
    assert not chip.gate.contact_closed


def test_lines_that_somebody_else_holds_are_absent_with_what_to_check(chip: SimChip) -> None:
    chip.request("another program", SETTINGS)
    with pytest.raises(DeviceAbsent, match=r"busy.*group gpio.*no other program"):
        GpioGate("in-1", SETTINGS, chip.request).pulse()
    assert chip.gate.opened == 0


def test_a_machine_without_the_chip_says_so() -> None:
    gate = GpioGate("in-1", GpioSettings("/dev/gpiochip-none"), request_lines)
    with pytest.raises(DeviceAbsent, match="/dev/gpiochip-none says"):
        gate.pulse()


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"pulse_s": 0.01}, r"0\.1-10 s"),
        ({"relay": 600}, "lines are 0-511"),
        ({"relay": 22, "inputs": InputMap(22)}, "one use"),
    ],
)
def test_settings_that_cannot_be_are_named(settings: dict[str, object], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        GpioSettings(**settings)  # type: ignore[arg-type]
