"""Commands for a camera that cannot be called: each rides once on the answer to something that it asked.

channel.send((OpenBarrier(),), taken_s=1.5, confirmed_s=2.0)     # whoever wants the gate open
orders = channel.take(wait_s=20.0); ...; channel.settle(numbers, sent=True)   # whoever answers the camera
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto

from devices.camera.commands import CameraCommand
from devices.types import DeviceAbsent, DeviceSilent

#: Commands that may wait at a time; a further one is refused.
LIMIT = 8


class _State(Enum):
    WAITING = auto()
    TAKEN = auto()
    SENT = auto()
    CONFIRMED = auto()
    LOST = auto()


@dataclass(slots=True, eq=False)
class Order:
    """Commands that belong together, and how far they are. Changed by its channel alone."""

    number: int
    commands: tuple[CameraCommand, ...]
    state: _State = _State.WAITING
    asked_since: bool = False


class CommandChannel:
    """Between who commands and who answers the camera; thread safe, and each order is taken at most once."""

    def __init__(self, name: str) -> None:
        """name: of the camera, for messages."""
        self._name = name
        self._changed = threading.Condition()
        self._orders: dict[int, Order] = {}
        self._numbers = 0
        self._turn = 0
        self._closed = False

    def send(self, commands: Sequence[CameraCommand], taken_s: float, confirmed_s: float) -> None:
        """Have the camera's next answer carry `commands`; return when the camera showed that it got them.

        Raises DeviceAbsent when no answer took them within `taken_s` (surely not sent; they are withdrawn),
        and DeviceSilent when one did but nothing within `confirmed_s` shows that it arrived.
        """
        with self._changed:
            order = self._put(tuple(commands))
            try:
                self._wait(order, taken_s, confirmed_s)
            finally:
                del self._orders[order.number]

    def take(self, wait_s: float = 0.0) -> tuple[Order, ...]:
        """Return what waits, or comes within `wait_s`; a later `take` with a wait ends an earlier one."""
        with self._changed:
            turn = self._turn
            if wait_s > 0:
                self._turn = turn = self._turn + 1
                self._changed.notify_all()
                self._changed.wait_for(
                    lambda: self._closed or self._turn != turn or bool(self._waiting()), wait_s
                )
            if self._closed or (wait_s > 0 and self._turn != turn):
                return ()
            taken = self._waiting()
            for order in taken:
                order.state = _State.TAKEN
            self._changed.notify_all()
            return taken

    def settle(self, numbers: Sequence[int], sent: bool) -> None:
        """Say what became of the answer that took these orders: its bytes went out, or may have."""
        with self._changed:
            for order in (self._orders[one] for one in numbers if one in self._orders):
                done = _State.CONFIRMED if order.asked_since else _State.SENT
                order.state = done if sent else _State.LOST
            self._changed.notify_all()

    def confirm(self) -> None:
        """The camera asks again, so it got all that was sent to it."""
        with self._changed:
            for order in self._orders.values():
                if order.state is _State.SENT:
                    order.state = _State.CONFIRMED
                # A fast camera asks again before the server says that its answer went out.
                order.asked_since = order.state is _State.TAKEN
            self._changed.notify_all()

    def close(self) -> None:
        """Refuse what waits and whatever comes; who waits in `take` gets nothing."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _put(self, commands: tuple[CameraCommand, ...]) -> Order:
        if self._closed:
            raise DeviceAbsent(f"camera {self._name} was closed")
        if len(self._orders) >= LIMIT:
            raise DeviceAbsent(f"camera {self._name}: {LIMIT} commands wait already; it asks for none")
        self._numbers += 1
        order = self._orders[self._numbers] = Order(self._numbers, commands)
        self._changed.notify_all()
        return order

    def _wait(self, order: Order, taken_s: float, confirmed_s: float) -> None:
        self._changed.wait_for(lambda: self._closed or order.state is not _State.WAITING, taken_s)
        if order.state is _State.WAITING:
            raise DeviceAbsent(
                f"camera {self._name} asked for nothing in {taken_s:g} s, nothing was sent: is comet mode on?"
            )
        ended = (_State.CONFIRMED, _State.LOST)
        self._changed.wait_for(lambda: self._closed or order.state in ended, confirmed_s)
        if order.state is not _State.CONFIRMED:
            raise DeviceSilent(
                f"camera {self._name} was sent the command and did not ask again within {confirmed_s:g} s"
            )

    def _waiting(self) -> tuple[Order, ...]:
        return tuple(one for one in self._orders.values() if one.state is _State.WAITING)
