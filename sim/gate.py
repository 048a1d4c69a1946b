"""A simulated relay board with a boom, limit switches and loops behind it.

    gate = SimGate()
    with PtyWire(gate) as wire: ...
    python -m sim gate --link /tmp/gate

Time comes in through `advance`; on a wire, `real_time` lets the wire's clock do it. The boom rises when the
opening contact closes, stays up while a loop is occupied and falls when the last loop was left or after
`hold_s`. Modbus as in the Waveshare protocol V2 and the FC06 clones; KMTronic with three bytes.
"""

from __future__ import annotations

import sys
import threading
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from devices.gate.codec import crc16, sealed
from sim.wires import PtyWire

_FRAME_GAP_S = 0.05
_LONGEST_FRAME = 64
HELP = (
    "car LOOP on | car LOOP off | loop LOOP stuck | loop LOOP free | boom stuck | boom free | boom lift | "
    "echo lost | echo back | crc bad | crc good | off | on"
)


@dataclass(slots=True)
class GateFaults:
    """What is wrong. boom_stuck: the relay works, the boom does not. echo_lost: the board acts and does not
    answer. crc_bad: its answers are damaged. off: no power. refuses: answers with this exception code.
    stuck_loops: detectors that report a vehicle all the time; that of the last loop holds the boom up."""

    boom_stuck: bool = False
    echo_lost: bool = False
    crc_bad: bool = False
    off: bool = False
    refuses: int = 0
    stuck_loops: frozenset[int] = frozenset()


@dataclass(slots=True)
class _Relay:
    closed: bool = False
    left_s: float | None = None


@dataclass(slots=True)
class _Boom:
    """position: 0 down, 1 up. rising: where it goes. up_s: how long it has been up."""

    position: float = 0.0
    rising: bool = False
    up_s: float = 0.0


@dataclass(frozen=True, slots=True)
class GateHabits:
    """How this gate is built. inputs: 0 boom up, 1 boom down, then the loops."""

    slave: int = 1
    loops: int = 2
    raise_s: float = 1.5
    hold_s: float = 10.0
    kmtronic: bool = False
    real_time: bool = True


@dataclass(slots=True)
class _State:
    relays: list[_Relay] = field(default_factory=lambda: [_Relay() for _ in range(8)])
    boom: _Boom = field(default_factory=_Boom)
    loops: list[bool] = field(default_factory=list)


class SimGate:
    """The board on the wire; usable from any thread. `opened` counts closings of the opening contact."""

    def __init__(self, habits: GateHabits | None = None) -> None:
        self.habits = habits or GateHabits()
        self.faults = GateFaults()
        self.requests: deque[bytes] = deque(maxlen=1000)
        self.opened = 0
        self._state = _State(loops=[False] * self.habits.loops)
        self._buffer = b""
        self._quiet_s = 0.0
        self._lock = threading.RLock()

    def advance(self, seconds: float) -> None:
        """Let time pass, in steps of at most 50 ms."""
        with self._lock:
            while seconds > 1e-9:
                step = min(0.05, seconds)
                self._step(step)
                seconds -= step

    def car(self, loop: int, present: bool) -> None:
        """Put a car on a loop or take it away; the boom falls when the last loop was left."""
        with self._lock:
            self._state.loops[loop] = present
            held = any(self._state.loops) or self.habits.loops - 1 in self.faults.stuck_loops
            if not held and self.boom_up and not self._state.relays[0].closed:
                self._state.boom.rising = False

    def release(self) -> None:
        """All relays fall off, as when the board's power goes."""
        with self._lock:
            self._state.relays = [_Relay() for _ in range(8)]

    def lift(self) -> None:
        """Push the boom up by hand, as a guard does when its motor does not."""
        with self._lock:
            self._state.boom.position, self._state.boom.rising = 1.0, True

    @property
    def loops(self) -> tuple[bool, ...]:
        """Which presence loops are occupied."""
        with self._lock:
            return tuple(self._state.loops)

    def contact(self, closed: bool) -> None:
        """Close or open the opening contact itself, as a relay that is not on this board does."""
        with self._lock:
            self._set(0, closed)

    @property
    def boom_up(self) -> bool:
        """The upper limit switch."""
        return self._state.boom.position >= 1

    @property
    def boom_down(self) -> bool:
        """The lower limit switch."""
        return self._state.boom.position <= 0

    @property
    def contact_closed(self) -> bool:
        """Whether the opening contact is closed now."""
        return self._state.relays[0].closed

    def room(self) -> int:
        """Return how many bytes may come."""
        return 256

    def receive(self, data: bytes) -> bytes:
        """Take bytes from the line; return the answers."""
        with self._lock:
            if self.faults.off:
                return b""
            self._quiet_s = 0.0
            self._buffer = (self._buffer + data)[-_LONGEST_FRAME:]
            answers = b""
            while (taken := self._complete()) is not None:
                frame, self._buffer = self._buffer[:taken], self._buffer[taken:]
                answers += self._spoken(self._obey(frame))
            return answers

    def tick(self, elapsed_s: float) -> bytes:
        """A rest on the line ends a broken frame; in real time the boom moves."""
        with self._lock:
            self._quiet_s += elapsed_s
            if self._quiet_s > _FRAME_GAP_S:
                self._buffer = b""
        if self.habits.real_time:
            self.advance(elapsed_s)
        return b""

    def command(self, line: str) -> str:
        """Turn a switch by words, see HELP; return what to tell the person."""
        match line.split():
            case ["car", loop, "on" | "off" as state] if loop.isdigit() and int(loop) < self.habits.loops:
                self.car(int(loop), state == "on")
            case ["loop", loop, "stuck" | "free" as state] if (
                loop.isdigit() and int(loop) < self.habits.loops
            ):
                change = {int(loop)}
                before = self.faults.stuck_loops
                self.faults.stuck_loops = before | change if state == "stuck" else before - change
            case ["boom", "lift"]:
                self.lift()
            case ["boom", "stuck" | "free" as state]:
                self.faults.boom_stuck = state == "stuck"
            case ["echo", "lost" | "back" as state]:
                self.faults.echo_lost = state == "lost"
            case ["crc", "bad" | "good" as state]:
                self.faults.crc_bad = state == "bad"
            case ["off" | "on" as state]:
                self.faults.off = state == "off"
                self.release()
            case _:
                return f"unknown: {line!r}; {HELP}"
        return (
            f"boom {'up' if self.boom_up else 'down' if self.boom_down else 'between'}, opened {self.opened}"
        )

    def _step(self, seconds: float) -> None:
        for number, relay in enumerate(self._state.relays):
            if relay.left_s is not None:
                relay.left_s -= seconds
                if relay.left_s <= 1e-9:
                    self._set(number, False)
        self._move(seconds)

    def _move(self, seconds: float) -> None:
        loops = any(self._state.loops) or self.habits.loops - 1 in self.faults.stuck_loops
        boom, held = self._state.boom, self._state.relays[0].closed or loops
        if self.faults.boom_stuck:
            return
        if (held and boom.position > 0) or self._state.relays[0].closed:
            boom.rising = True
        travel = seconds / self.habits.raise_s
        boom.position = min(1.0, max(0.0, boom.position + (travel if boom.rising else -travel)))
        boom.up_s = boom.up_s + seconds if boom.position >= 1 and not held else 0.0
        if boom.up_s >= self.habits.hold_s:
            boom.rising = False

    def _set(self, number: int, closed: bool, for_s: float | None = None) -> None:
        relay = self._state.relays[number]
        if closed and not relay.closed and number == 0:
            self.opened += 1
            self._state.boom.rising = not self.faults.boom_stuck
        relay.closed, relay.left_s = closed, for_s if closed else None

    def _complete(self) -> int | None:
        data = self._buffer
        if self.habits.kmtronic:
            return 3 if len(data) >= 3 else None
        length = 9 + data[6] if len(data) >= 7 and data[1] in (0x0F, 0x10) else 8
        return length if len(data) >= length else None

    def _obey(self, frame: bytes) -> bytes:
        self.requests.append(frame)
        if self.habits.kmtronic:
            return self._obey_kmtronic(frame)
        if crc16(frame[:-2]) != int.from_bytes(frame[-2:], "little") or frame[0] != self.habits.slave:
            return b""
        if self.faults.refuses:
            return sealed(bytes([frame[0], frame[1] | 0x80, self.faults.refuses]))
        address, value = int.from_bytes(frame[2:4], "big"), int.from_bytes(frame[4:6], "big")
        match frame[1]:
            case 0x01 | 0x02:
                return self._bits(frame, address, value)
            case 0x05:
                return self._coil(frame, address, value)
            case 0x06:
                return self._register(frame, address, value)
            case _:
                return sealed(bytes([frame[0], frame[1] | 0x80, 1]))

    def _bits(self, frame: bytes, first: int, count: int) -> bytes:
        hanging = self.faults.stuck_loops
        loops = [is_on or number in hanging for number, is_on in enumerate(self._state.loops)]
        inputs = [self.boom_up, self.boom_down, *loops]
        source = [relay.closed for relay in self._state.relays] if frame[1] == 0x01 else inputs
        wanted = (source + [False] * 64)[first : first + count]
        packed = sum(bit << at for at, bit in enumerate(wanted)).to_bytes((count + 7) // 8, "little")
        return sealed(bytes([frame[0], frame[1], len(packed)]) + packed)

    def _coil(self, frame: bytes, address: int, value: int) -> bytes:
        number, mode = address & 0xFF, address >> 8
        if number >= len(self._state.relays):
            return sealed(bytes([frame[0], frame[1] | 0x80, 2]))
        if mode == 0x02:
            self._set(number, True, value / 10)
        elif mode == 0 and value in (0xFF00, 0, 0x5500):
            self._set(number, not self._state.relays[number].closed if value == 0x5500 else value == 0xFF00)
        else:
            return sealed(bytes([frame[0], frame[1] | 0x80, 3]))
        return frame

    def _register(self, frame: bytes, address: int, value: int) -> bytes:
        number, order = address - 1, value >> 8
        if not 0 <= number < len(self._state.relays):
            return sealed(bytes([frame[0], frame[1] | 0x80, 2]))
        if order in (1, 2, 3):
            self._set(number, order == 1 or (order == 3 and not self._state.relays[number].closed))
        elif order == 6:
            self._set(number, True, float(value & 0xFF))
        else:
            return sealed(bytes([frame[0], frame[1] | 0x80, 3]))
        return frame

    def _obey_kmtronic(self, frame: bytes) -> bytes:
        number = frame[1] - 1
        if frame[0] != 0xFF or not 0 <= number < len(self._state.relays):
            return b""
        if frame[2] == 3:
            return bytes([0xFF, frame[1], self._state.relays[number].closed])
        self._set(number, frame[2] == 1)
        return b""

    def _spoken(self, answer: bytes) -> bytes:
        if self.faults.echo_lost or not answer:
            return b""
        return answer[:-1] + bytes([answer[-1] ^ 0x55]) if self.faults.crc_bad else answer


def run(
    link: Path | None = None, habits: GateHabits | None = None, commands: Iterable[str] | None = None
) -> None:
    """Serve a gate until `commands` (default: standard input) end."""
    gate = SimGate(habits)
    with PtyWire(gate, link) as wire:
        print(f"gate board on {link or wire.path}; switches: {HELP}", flush=True)
        for line in sys.stdin if commands is None else commands:
            print(gate.command(line.strip()), flush=True)
