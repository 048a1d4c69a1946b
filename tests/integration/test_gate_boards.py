"""What is particular to relay boards: who ends the pulse, bad wires, shared lines."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from devices.display.driver import BoardLayout, LaneBoard
from devices.gate.driver import BoardFamily, BoardSettings, InputMap, RelayGate
from devices.rs485 import Rs485Bus
from devices.transport import SerialSettings
from devices.types import DeviceAbsent, DeviceSilent, GateInputs
from sim.display import SimBoard
from sim.gate import GateHabits, SimGate, run
from sim.wires import PtyWire, WireDevice

Opener = Callable[..., Rs485Bus]


@pytest.fixture
def line() -> Iterator[Opener]:
    """Open a bus to a simulated device; everything is closed at the end."""
    with ExitStack() as stack:

        def opened(device: WireDevice, local_echo: bool = False) -> Rs485Bus:
            wire = stack.enter_context(PtyWire(device))
            bus = Rs485Bus(SerialSettings(wire.path), local_echo)
            stack.callback(bus.close)
            return bus

        yield opened


@pytest.mark.parametrize(("family", "after_s"), [(BoardFamily.WAVESHARE, 0.7), (BoardFamily.CLONE, 1.0)])
def test_the_board_ends_the_pulse_by_itself(line: Opener, family: BoardFamily, after_s: float) -> None:
    sim = SimGate(GateHabits(real_time=False))
    RelayGate("in", line(sim), BoardSettings(family)).pulse()
    assert len(sim.requests) == 1
    sim.advance(after_s - 0.1)
    assert sim.contact_closed
    sim.advance(0.15)
    assert not sim.contact_closed


@pytest.mark.parametrize("family", [BoardFamily.COIL, BoardFamily.KMTRONIC])
def test_a_board_without_own_pulse_is_switched_off_by_the_driver(line: Opener, family: BoardFamily) -> None:
    sim = SimGate(GateHabits(real_time=False, kmtronic=family is BoardFamily.KMTRONIC))
    gate = RelayGate("in", line(sim), BoardSettings(family, pulse_s=0.1, timeout_s=1.0))
    gate.pulse()
    gate.pulse()
    assert sim.opened == 2
    assert not sim.contact_closed


@pytest.mark.parametrize("family", [BoardFamily.COIL, BoardFamily.KMTRONIC])
def test_a_gate_held_open_by_a_dead_process_is_released_first(line: Opener, family: BoardFamily) -> None:
    sim = SimGate(GateHabits(real_time=False, kmtronic=family is BoardFamily.KMTRONIC))
    held = bytes.fromhex("FF0101") if family is BoardFamily.KMTRONIC else bytes.fromhex("01050000FF008C3A")
    sim.receive(held)
    assert sim.contact_closed
    RelayGate("in", line(sim), BoardSettings(family, pulse_s=0.1, timeout_s=1.0)).pulse()
    assert sim.opened == 2
    assert not sim.contact_closed


def test_a_contact_that_cannot_be_released_is_said(line: Opener) -> None:
    sim = SimGate(GateHabits(real_time=False))
    gate = RelayGate("in", line(sim), BoardSettings(BoardFamily.COIL, pulse_s=0.1, timeout_s=0.1))
    gate.pulse()
    sim.faults.echo_lost = True
    with pytest.raises(DeviceSilent, match="held open"):
        gate.pulse()
    assert not sim.contact_closed


@pytest.mark.parametrize(
    ("fault", "why"),
    [({"crc_bad": True}, "CRC"), ({"refuses": 2}, "no such relay"), ({"off": True}, "no answer")],
)
def test_a_bad_answer_is_silence_with_a_reason(line: Opener, fault: dict[str, int], why: str) -> None:
    sim = SimGate(GateHabits(real_time=False))
    gate = RelayGate("in", line(sim), BoardSettings(timeout_s=0.2))
    for name, value in fault.items():
        setattr(sim.faults, name, value)
    with pytest.raises(DeviceSilent, match=why):
        gate.pulse()
    assert why in gate.status().detail


class EchoingAdapter:
    """An RS-485 adapter that hears itself; behind it a board, or nothing."""

    def __init__(self, board: SimGate | None) -> None:
        self._board = board

    def room(self) -> int:
        return 256

    def receive(self, data: bytes) -> bytes:
        return data + (self._board.receive(data) if self._board else b"")

    def tick(self, elapsed_s: float) -> bytes:
        return b""


def test_an_adapter_that_hears_itself_is_told_from_the_board(line: Opener) -> None:
    sim = SimGate(GateHabits(real_time=False))
    settings = BoardSettings(timeout_s=0.2, inputs=InputMap(0, 1))
    gate = RelayGate("in", line(EchoingAdapter(sim), local_echo=True), settings)
    gate.pulse()
    assert gate.inputs() == GateInputs(False, True)
    dead = RelayGate("in", line(EchoingAdapter(None), local_echo=True), settings)
    with pytest.raises(DeviceSilent):
        dead.pulse()


def test_a_wrong_echo_setting_is_named(line: Opener) -> None:
    gate = RelayGate("in", line(EchoingAdapter(None)), BoardSettings(timeout_s=0.2, inputs=InputMap(0, 1)))
    with pytest.raises(DeviceSilent, match="local_echo"):
        gate.inputs()


def test_inputs_that_are_not_wired_are_not_invented(line: Opener) -> None:
    gate = RelayGate("in", line(SimGate()), BoardSettings())
    with pytest.raises(DeviceAbsent, match="no inputs wired"):
        gate.inputs()


def test_a_normally_closed_contact_is_inverted(line: Opener) -> None:
    mapping = InputMap(boom_up=0, loops=(2,), inverted=frozenset({0, 2}))
    gate = RelayGate("in", line(SimGate()), BoardSettings(inputs=mapping))
    assert gate.inputs() == GateInputs(True, False, (True,))


class TwoOnOneLine:
    """A gate board and a text board on the same pair of wires."""

    def __init__(self, gate: SimGate, board: SimBoard) -> None:
        self._gate, self._board = gate, board

    def room(self) -> int:
        return 256

    def receive(self, data: bytes) -> bytes:
        return self._gate.receive(data) + self._board.receive(data)

    def tick(self, elapsed_s: float) -> bytes:
        return self._gate.tick(elapsed_s) + self._board.tick(elapsed_s)


def test_a_gate_and_a_board_share_one_line(line: Opener) -> None:
    sim, board = SimGate(GateHabits(real_time=False)), SimBoard()
    bus = line(TwoOnOneLine(sim, board))
    gate = RelayGate("in", bus, BoardSettings(inputs=InputMap(0, 1)))
    display = LaneBoard("in", bus, BoardLayout(gap_s=0.1))
    display.show(["京A12345", "欢迎光临"])
    gate.pulse()
    display.say("欢迎光临")
    assert gate.inputs().boom_down
    assert board.lines() == ["京A12345", "欢迎光临"]
    assert sim.opened == 1


def test_the_boom_waits_for_the_car_and_falls_behind_it() -> None:
    sim = SimGate(GateHabits(real_time=False))
    sim.receive(bytes.fromhex("0105020000078DB0"))
    sim.advance(2)
    assert sim.boom_up
    sim.car(1, True)
    sim.advance(60)
    assert sim.boom_up
    sim.car(1, False)
    sim.advance(2)
    assert sim.boom_down


def test_the_boom_falls_by_itself_when_nobody_comes() -> None:
    sim = SimGate(GateHabits(real_time=False, hold_s=5))
    sim.receive(bytes.fromhex("0105020000078DB0"))
    sim.advance(5)
    assert sim.boom_up
    sim.advance(3.6)
    assert sim.boom_down


def test_the_simulator_obeys_switches_from_a_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(tmp_path / "gate", commands=["car 0 on", "boom stuck", "car 9 on"])
    lines = capsys.readouterr().out.splitlines()
    assert str(tmp_path / "gate") in lines[0]
    assert lines[1] == "boom down, opened 0"
    assert lines[3].startswith("unknown: 'car 9 on'")
