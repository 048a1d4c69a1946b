"""A boom gate behind a relay board on RS-485.

gate = RelayGate("in-1", bus, BoardSettings(BoardFamily.WAVESHARE, slave=1))
gate.pulse()
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum

from devices.gate import codec
from devices.rs485 import Rs485Bus
from devices.runtime import HealthRecord
from devices.types import DeviceAbsent, DeviceSilent, DeviceStatus, GateInputs

_OFF_ATTEMPTS = 3


class BoardFamily(StrEnum):
    """Who ends the opening pulse.

    WAVESHARE and CLONE (FC06 boards) end it themselves, whatever happens to this box. COIL (any Modbus
    board) and KMTRONIC only know on and off: when the box dies in between, the gate is held open until the
    driver starts again and switches off. Use them only where nothing else can be had.
    """

    WAVESHARE = "waveshare"
    CLONE = "clone"
    COIL = "coil"
    KMTRONIC = "kmtronic"


@dataclass(frozen=True, slots=True)
class InputMap:
    """Which input of the board is what, counted from 0; None: not wired. inverted: inputs that are active
    when open (normally-closed contacts)."""

    boom_up: int | None = None
    boom_down: int | None = None
    loops: tuple[int, ...] = ()
    inverted: frozenset[int] = frozenset()

    @property
    def wired(self) -> tuple[int, ...]:
        """The numbers of all inputs that are wired."""
        return (*self.loops, *(number for number in (self.boom_up, self.boom_down) if number is not None))

    @property
    def count(self) -> int:
        """How many inputs must be read; 0 when none is wired."""
        return max(self.wired) + 1 if self.wired else 0


@dataclass(frozen=True, slots=True)
class BoardSettings:
    """One gate's board. slave: 1-247. relay: the opening contact, from 0. pulse_s: how long it is closed;
    clones round up to whole seconds. timeout_s: for one answer. ValueError names what cannot be."""

    family: BoardFamily = BoardFamily.WAVESHARE
    slave: int = 1
    relay: int = 0
    pulse_s: float = 0.7
    timeout_s: float = 0.5
    inputs: InputMap = InputMap()

    def __post_init__(self) -> None:
        """Refuse what no board can do."""
        if not 0.1 <= self.pulse_s <= 10:
            raise ValueError(f"a gate's pulse is 0.1-10 s, not {self.pulse_s}")
        if not 1 <= self.slave <= 247 or not 0 <= self.relay <= 31:
            raise ValueError(f"a board has address 1-247 and relays 0-31, not {self.slave} and {self.relay}")
        if self.inputs.count > 64:
            raise ValueError(f"a board has at most 64 inputs, not {self.inputs.count}")
        if self.family is BoardFamily.KMTRONIC and self.inputs.count:
            raise ValueError("a KMTronic relay board has no inputs: leave them out")


class RelayGate:
    """Port Gate. Never repeats a command by itself, except switching off."""

    def __init__(self, name: str, bus: Rs485Bus, settings: BoardSettings) -> None:
        """Send nothing yet."""
        self.name = name
        self._bus = bus
        self._settings = settings
        self._health = HealthRecord(name, "gate", f"{bus.path} address {settings.slave}")
        self._closed = threading.Event()
        self._turn = threading.Lock()
        # A process before this one may have died between on and off.
        self._may_be_held = settings.family in (BoardFamily.COIL, BoardFamily.KMTRONIC)

    def pulse(self) -> None:
        """Give one opening pulse; return when the board has echoed it.

        Raises DeviceAbsent (surely not sent) or DeviceSilent (sent, no good echo: read the inputs).
        """
        with self._turn, _watched(self._health):
            self._refuse_when_closed()
            request = self._own_pulse()
            if request is not None:
                self._modbus(request)
            else:
                self._two_steps()
        self._health.connected("ready")

    def inputs(self) -> GateInputs:
        """Read loops and limit switches. Raises DeviceAbsent, also when none is wired, or DeviceSilent."""
        mapping = self._settings.inputs
        if not mapping.count:
            raise DeviceAbsent(f"gate {self.name} has no inputs wired: set its input map")
        with self._turn, _watched(self._health):
            self._refuse_when_closed()
            payload = self._modbus(codec.read_inputs(self._settings.slave, mapping.count))
            try:
                raw = codec.bits(payload, mapping.count)
            except codec.BadAnswer as error:
                raise DeviceSilent(f"gate {self.name}: {error}") from error
        self._health.connected("ready")
        return mapped(raw, mapping)

    def status(self) -> DeviceStatus:
        """Return the health as of the last exchange; asks nothing."""
        return self._health.status()

    def close(self) -> None:
        """Send nothing any more; the line belongs to whoever made it."""
        self._closed.set()
        self._health.absent("closed by this service")

    def _refuse_when_closed(self) -> None:
        if self._closed.is_set():
            raise DeviceAbsent(f"gate {self.name} was closed")

    def _own_pulse(self) -> bytes | None:
        settings = self._settings
        if settings.family is BoardFamily.WAVESHARE:
            return codec.flash_on(settings.slave, settings.relay, max(1, round(settings.pulse_s * 10)))
        if settings.family is BoardFamily.CLONE:
            return codec.clone_delay(settings.slave, settings.relay, max(1, -int(-settings.pulse_s // 1)))
        return None

    def _two_steps(self) -> None:
        """On, wait, off; off is sent whatever became of on."""
        if self._may_be_held:
            self._switch(False)
            self._may_be_held = False
        try:
            self._switch(True)
            self._closed.wait(self._settings.pulse_s)
        except DeviceAbsent:
            raise
        except DeviceSilent:
            self._release()
            raise
        self._release()

    def _release(self) -> None:
        self._may_be_held = True
        for attempt in range(1, _OFF_ATTEMPTS + 1):
            try:
                self._switch(False)
                self._may_be_held = False
                return
            except (DeviceAbsent, DeviceSilent) as error:
                if attempt == _OFF_ATTEMPTS:
                    raise DeviceSilent(
                        f"gate {self.name} may be held open: its relay does not go off"
                    ) from error

    def _switch(self, on: bool) -> None:
        settings = self._settings
        if settings.family is BoardFamily.COIL:
            self._modbus(codec.write_coil(settings.slave, settings.relay, on))
            return
        # A KMTronic board does not answer a command, so the state is asked for with it.
        request = codec.kmtronic_set(settings.relay, on) + codec.kmtronic_ask(settings.relay)
        answer = self._exchange(request, lambda data: len(data) >= 3)
        try:
            is_on = codec.kmtronic_is_on(settings.relay, answer)
        except codec.BadAnswer as error:
            raise DeviceSilent(f"gate {self.name}: {error}") from error
        if is_on is not on:
            raise DeviceSilent(f"gate {self.name}: relay {settings.relay} did not go {'on' if on else 'off'}")

    def _modbus(self, request: bytes) -> bytes:
        answer = self._exchange(request, lambda data: codec.answer_complete(request, data))
        try:
            return codec.check_answer(request, answer)
        except codec.BadAnswer as error:
            raise DeviceSilent(f"gate {self.name}: {error}") from error

    def _exchange(self, request: bytes, complete: Callable[[bytes], bool]) -> bytes:
        answer = self._bus.exchange(request, complete, self._settings.timeout_s)
        self._health.heard()
        return answer


@contextmanager
def _watched(health: HealthRecord) -> Iterator[None]:
    """Note in the health what goes wrong inside a with block."""
    try:
        yield
    except DeviceAbsent as error:
        health.absent(str(error))
        raise
    except DeviceSilent as error:
        health.fault(str(error))
        raise


def mapped(raw: tuple[bool, ...], mapping: InputMap) -> GateInputs:
    """Return what inputs mean; raw: all inputs of the board from number 0 on."""

    def active(number: int | None) -> bool:
        return number is not None and raw[number] is not (number in mapping.inverted)

    return GateInputs(active(mapping.boom_up), active(mapping.boom_down), tuple(map(active, mapping.loops)))
