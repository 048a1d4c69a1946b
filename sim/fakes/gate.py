"""A gate in memory, with the faults that a lane knows."""

from __future__ import annotations

from devices.types import DeviceAbsent, DeviceSilent, DeviceStatus, GateInputs, Health


class FakeGate:
    """Port Gate. The boom is up after a pulse until `shut`.

    absent: no power or no line. echo_lost: it acts, and its echo does not come. stuck: the relay works, the
    boom does not. loops: set by the test. pulses: how often the contact was closed.
    """

    def __init__(self, name: str = "gate", loops: int = 2) -> None:
        self.name = name
        self.absent = False
        self.echo_lost = False
        self.stuck = False
        self.loops = [False] * loops
        self.pulses = 0
        self._up = False

    def pulse(self) -> None:
        """Open."""
        if self.absent:
            raise DeviceAbsent(f"gate {self.name} is not there")
        self.pulses += 1
        self._up = self._up or not self.stuck
        if self.echo_lost:
            raise DeviceSilent(f"gate {self.name} did not echo")

    def inputs(self) -> GateInputs:
        """Return where the boom is and what stands on the loops."""
        if self.absent:
            raise DeviceAbsent(f"gate {self.name} is not there")
        if self.echo_lost:
            raise DeviceSilent(f"gate {self.name} did not answer")
        return GateInputs(self._up, not self._up, tuple(self.loops))

    def shut(self) -> None:
        """The boom comes down, as it does by itself after a car."""
        self._up = False

    def status(self) -> DeviceStatus:
        """Return ABSENT, FAULT or CONNECTED."""
        faulty = Health.FAULT if self.echo_lost else Health.CONNECTED
        return DeviceStatus(self.name, "gate", Health.ABSENT if self.absent else faulty, "memory", "", 0)

    def close(self) -> None:
        """Become absent."""
        self.absent = True
