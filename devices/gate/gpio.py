"""A boom gate behind a relay on the box's own GPIO lines (Raspberry Pi HAT, mini PC with a GPIO header).

    gate = GpioGate("in-1", GpioSettings("/dev/gpiochip0", relay=17, inputs=InputMap(22, 23, (24, 25))))
    gate.pulse()

The lines are asked for once and kept; asking for them drops the relay first, so that a pulse that a dead
process left behind ends when the service comes back. Until then a relay may stay closed: the kernel promises
nothing about a line that nobody holds. A board that ends its own pulse (devices/gate/driver.py) is safer.
Source: Linux GPIO character device v2 (Documentation/userspace-api/gpio/chardev.rst); libgpiod 2.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from devices.gate.driver import InputMap, mapped
from devices.runtime import HealthRecord
from devices.types import DeviceAbsent, DeviceSilent, DeviceStatus, GateInputs

if TYPE_CHECKING:
    from gpiod import LineRequest

_MOST_LINES = 512


@dataclass(frozen=True, slots=True)
class GpioSettings:
    """One gate. chip: its character device. relay: the line of the opening contact. inputs: numbers of lines,
    not of a board's inputs. active_low: the relay closes when its line is low. pull_up: inputs are contacts
    to ground. pulse_s: how long the contact is closed. ValueError names what cannot be."""

    chip: str = "/dev/gpiochip0"
    relay: int = 0
    pulse_s: float = 0.7
    active_low: bool = False
    pull_up: bool = True
    inputs: InputMap = field(default_factory=InputMap)

    def __post_init__(self) -> None:
        """Refuse what no chip has."""
        if not 0.1 <= self.pulse_s <= 10:
            raise ValueError(f"a gate's pulse is 0.1-10 s, not {self.pulse_s}")
        lines = [self.relay, *self.inputs.wired]
        if any(not 0 <= line < _MOST_LINES for line in lines):
            raise ValueError(f"GPIO lines are 0-{_MOST_LINES - 1}, got {lines}")
        if len(set(lines)) != len(lines):
            raise ValueError(f"a GPIO line has one use, got {lines} for relay and inputs")


class Lines(Protocol):
    """The requested lines of one chip; values are logical: active or not."""

    def set(self, line: int, active: bool) -> None:
        """Drive an output; raise OSError when the chip is gone."""

    def get(self, lines: tuple[int, ...]) -> tuple[bool, ...]:
        """Read lines in this order; raise OSError when the chip is gone."""

    def release(self) -> None:
        """Give the lines back."""


#: How the lines of a gate are asked for: its name and settings.
Opener = Callable[[str, GpioSettings], Lines]


class GpioGate:
    """Port Gate. Never repeats a command by itself, except switching off."""

    def __init__(self, name: str, settings: GpioSettings, open_lines: Opener | None = None) -> None:
        """Ask for the lines at first use; open_lines: another way to them, for tests."""
        self.name = name
        self._settings = settings
        self._open = open_lines or request_lines
        self._health = HealthRecord(name, "gate", f"{settings.chip} line {settings.relay}")
        self._lines: Lines | None = None
        self._turn = threading.Lock()
        self._closed = threading.Event()

    def pulse(self) -> None:
        """Give one opening pulse; return when the contact is open again.

        Raises DeviceAbsent (surely not closed) or DeviceSilent (closed, and it may still be).
        """
        with self._turn:
            lines = self._ready()
            try:
                lines.set(self._settings.relay, True)
            except OSError as error:
                raise self._lost(DeviceAbsent(f"gate {self.name}: {self._said(error)}")) from error
            self._closed.wait(self._settings.pulse_s)
            try:
                lines.set(self._settings.relay, False)
            except OSError as error:
                text = f"gate {self.name} may be held open: {self._said(error)}"
                raise self._lost(DeviceSilent(text)) from error
            self._health.connected("ready")

    def inputs(self) -> GateInputs:
        """Read loops and limit switches. Raises DeviceAbsent, also when none is wired."""
        mapping = self._settings.inputs
        if not mapping.count:
            raise DeviceAbsent(f"gate {self.name} has no inputs wired: set its input map")
        with self._turn:
            lines = self._ready()
            try:
                values = dict(zip(mapping.wired, lines.get(mapping.wired), strict=True))
            except OSError as error:
                raise self._lost(DeviceAbsent(f"gate {self.name}: {self._said(error)}")) from error
            self._health.heard()
            self._health.connected("ready")
        return mapped(tuple(values.get(line, False) for line in range(mapping.count)), mapping)

    def status(self) -> DeviceStatus:
        """Return the health as of the last use; asks nothing."""
        return self._health.status()

    def close(self) -> None:
        """Open the contact, end a pulse that runs, and give the lines back."""
        self._closed.set()
        with self._turn:
            if self._lines is not None:
                self._lines.release()
                self._lines = None
        self._health.absent("closed by this service")

    def _ready(self) -> Lines:
        if self._closed.is_set():
            raise DeviceAbsent(f"gate {self.name} was closed")
        if self._lines is None:
            try:
                self._lines = self._open(self.name, self._settings)
            except OSError as error:
                raise self._lost(DeviceAbsent(f"gate {self.name}: {self._said(error)}")) from error
        return self._lines

    def _lost(self, error: DeviceAbsent | DeviceSilent) -> DeviceAbsent | DeviceSilent:
        """Ask for the lines anew next time, which also drops the relay; return the error."""
        if self._lines is not None:
            self._lines.release()
            self._lines = None
        say = self._health.absent if isinstance(error, DeviceAbsent) else self._health.fault
        say(str(error))
        return error

    def _said(self, error: OSError) -> str:
        return (
            f"{self._settings.chip} says {error.strerror or error}; check that the chip exists, that this "
            "user is in group gpio and that no other program uses the line"
        )


def request_lines(consumer: str, settings: GpioSettings) -> Lines:
    """Ask the kernel for the lines, the relay dropped; raise OSError when it refuses or gpiod is missing."""
    try:
        import gpiod
        from gpiod.line import Bias, Direction, Value
    except ImportError as error:
        raise OSError(f"the package gpiod is not installed ({error}); run systemd/prepare again") from error
    bias = Bias.PULL_UP if settings.pull_up else Bias.AS_IS
    config: dict[Iterable[int | str] | int | str, gpiod.LineSettings | None] = {
        line: gpiod.LineSettings(direction=Direction.INPUT, bias=bias, active_low=settings.pull_up)
        for line in settings.inputs.wired
    }
    config[settings.relay] = gpiod.LineSettings(
        direction=Direction.OUTPUT, active_low=settings.active_low, output_value=Value.INACTIVE
    )
    request = gpiod.request_lines(settings.chip, config=config, consumer=f"mall-edge {consumer}")
    return _GpiodLines(request)


class _GpiodLines:
    """Lines over a libgpiod request."""

    def __init__(self, request: LineRequest) -> None:
        self._request = request

    def set(self, line: int, active: bool) -> None:
        from gpiod.line import Value

        self._request.set_value(line, Value.ACTIVE if active else Value.INACTIVE)

    def get(self, lines: tuple[int, ...]) -> tuple[bool, ...]:
        from gpiod.line import Value

        values = self._request.get_values(list(lines))
        return tuple(value is Value.ACTIVE for value in values)

    def release(self) -> None:
        self._request.release()
