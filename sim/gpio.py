"""Simulated GPIO lines with a gate behind them: what devices/gate/gpio.py asks of a chip.

No kernel of a laptop or container has a chip to ask, so this stands in for it by the chip's own rules: lines
are asked for once, a line that is not ours cannot be used, and asking drops the relay.
"""

from __future__ import annotations

import errno

from devices.gate.gpio import GpioSettings
from sim.gate import SimGate


class SimChip:
    """One chip whose relay line opens `gate` and whose input lines are its switches and loops."""

    def __init__(self, gate: SimGate) -> None:
        self.gate = gate
        self.gone = False
        self.held = False

    def request(self, consumer: str, settings: GpioSettings) -> SimLines:
        """Give the lines out, the relay dropped; raise OSError when they are held or the chip is gone."""
        if self.gone:
            raise FileNotFoundError(errno.ENOENT, "No such file or directory")
        if self.held:
            raise OSError(errno.EBUSY, "Device or resource busy")
        self.held = True
        self.gate.contact(False)
        return SimLines(self, settings)


class SimLines:
    """The lines that were asked for."""

    def __init__(self, chip: SimChip, settings: GpioSettings) -> None:
        self._chip = chip
        self._settings = settings

    def set(self, line: int, active: bool) -> None:
        """Drive the relay; raise OSError for another line, as the kernel does."""
        self._check((line,), (self._settings.relay,))
        self._chip.gate.contact(active)

    def get(self, lines: tuple[int, ...]) -> tuple[bool, ...]:
        """Read switches and loops; raise OSError for lines that were not asked for."""
        gate, inputs = self._chip.gate, self._settings.inputs
        self._check(lines, inputs.wired)
        state = {inputs.boom_up: gate.boom_up, inputs.boom_down: gate.boom_down}
        state |= dict(zip(inputs.loops, gate.loops, strict=False))
        return tuple(state[line] for line in lines)

    def release(self) -> None:
        """Give the lines back; the relay stays as it is."""
        self._chip.held = False

    def _check(self, lines: tuple[int, ...], ours: tuple[int, ...]) -> None:
        if self._chip.gone:
            raise OSError(errno.ENODEV, "No such device")
        if not set(lines) <= set(ours):
            raise OSError(errno.EINVAL, "Invalid argument")
