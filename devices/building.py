"""Drivers of gates and displays from their settings; what cannot be is a ValueError that names the device."""

from __future__ import annotations

from typing import TYPE_CHECKING

from devices.settings import DisplayConfig, GateConfig, SpaceBoardConfig, check_way

if TYPE_CHECKING:
    from devices.display.driver import LaneBoard
    from devices.display.space_driver import CountBoard
    from devices.gate.driver import RelayGate
    from devices.gate.gpio import GpioGate
    from devices.rs485 import Rs485Bus


def build_gate(config: GateConfig, buses: Buses) -> RelayGate | GpioGate:
    """Return the driver of one boom gate; devices on one RS-485 line share its bus."""
    check_way("gate", config)
    if config.family == "gpio":
        return _gpio_gate(config)
    from devices.gate.driver import BoardFamily, BoardSettings, InputMap, RelayGate

    inputs = InputMap(config.boom_up, config.boom_down, config.loops, frozenset(config.inverted))
    _check_inputs(config)
    try:
        board = BoardSettings(
            BoardFamily(config.family),
            config.address,
            config.relay,
            config.pulse_s,
            config.timeout_s,
            inputs,
        )
    except ValueError as error:
        raise ValueError(f"gate {config.name}: {error}") from error
    return RelayGate(config.name, buses.on(config.port, config.baud, config.local_echo), board)


def _gpio_gate(config: GateConfig) -> GpioGate:
    from devices.gate.driver import InputMap
    from devices.gate.gpio import GpioGate, GpioSettings

    _check_inputs(config)
    inputs = InputMap(config.boom_up, config.boom_down, config.loops, frozenset(config.inverted))
    try:
        settings = GpioSettings(
            config.port, config.relay, config.pulse_s, config.active_low, config.pull_up, inputs
        )
    except ValueError as error:
        raise ValueError(f"gate {config.name}: {error}") from error
    return GpioGate(config.name, settings)


def _check_inputs(config: GateConfig) -> None:
    """Raise ValueError for inputs that no board numbers so, or that are inverted without being wired."""
    wired = [
        *config.loops,
        *(number for number in (config.boom_up, config.boom_down) if number is not None),
    ]
    if any(number < 0 for number in wired):
        raise ValueError(f"gate {config.name}: inputs are counted from 0, got {min(wired)}")
    stray = sorted(set(config.inverted) - set(wired))
    if stray:
        raise ValueError(
            f"gate {config.name}: input {stray[0]} is inverted but neither boom_up, boom_down nor a loop"
        )
    if not 0.05 <= config.timeout_s <= 5:
        raise ValueError(f"gate {config.name}: timeout_s is 0.05-5, got {config.timeout_s}")


def build_display(config: DisplayConfig, buses: Buses) -> LaneBoard:
    """Return the driver of one lane's text and voice board."""
    from devices.display.driver import BoardLayout, LaneBoard

    check_way("display", config)
    try:
        layout = BoardLayout(config.lines, config.cells)
    except ValueError as error:
        raise ValueError(f"display {config.name}: {error}") from error
    return LaneBoard(config.name, buses.on(config.port, config.baud, config.local_echo), layout)


def build_counter(config: SpaceBoardConfig, buses: Buses) -> CountBoard:
    """Return the driver of one board that shows free spaces."""
    from devices.display.space_driver import CountBoard

    check_way("space board", config)
    return CountBoard(config.name, buses.on(config.port, config.baud), config.few)


class Buses:
    """The RS-485 lines of this box, one for each port."""

    def __init__(self) -> None:
        self.opened: dict[str, Rs485Bus] = {}
        self._habits: dict[str, tuple[int, bool]] = {}

    def on(self, port: str, baud: int, local_echo: bool = False) -> Rs485Bus:
        """Return the line on `port`; raise ValueError when two devices disagree about its speed or echo."""
        from devices.rs485 import Rs485Bus
        from devices.transport import SerialSettings

        habits = self._habits.setdefault(port, (baud, local_echo))
        if habits != (baud, local_echo):
            raise ValueError(
                f"RS-485 line {port}: its devices disagree, baud {habits[0]} local_echo {habits[1]} "
                f"and baud {baud} local_echo {local_echo}; one line has one setting"
            )
        if port not in self.opened:
            try:
                self.opened[port] = Rs485Bus(SerialSettings(port, baud), local_echo)
            except ValueError as error:
                raise ValueError(f"RS-485 line {port}: {error}") from error
        return self.opened[port]
