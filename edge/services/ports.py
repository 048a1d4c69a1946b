"""What the use cases need from the outside world, as protocols.

Each port has a real adapter, a small honest fake (sim/fakes) and one contract suite over both
(tests/contract). Every call of a port is a place where a test can stop the world before or after it.
Calls are synchronous; none of them blocks longer than the time-out its docstring names.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from devices.types import (
    DeviceStatus,
    Frame,
    GateInputs,
    PrinterStatus,
    PrintJob,
    PrintResult,
    Scan,
)
from edge.clock import Instant
from edge.services.outbox_records import OutboxMessage
from edge.services.records import Unit

T = TypeVar("T")


class Clock(Protocol):
    """Where time comes from."""

    def now(self) -> Instant:
        """Return the present instant."""


class IdSource(Protocol):
    """Where ids and tokens come from."""

    def new_id(self) -> str:
        """Return a time-ordered UUID, 36 characters."""

    def new_token(self) -> str:
        """Return 22 URL-safe characters that nobody can guess."""


class Store(Protocol):
    """Durable state: all or nothing, and durable once `write` has returned."""

    def write(self, work: Callable[[Unit], T]) -> T:
        """Run `work` in one transaction and return its result after the commit is on disk.

        If `work` raises, nothing of it is kept and the error comes out. `work` must not touch other
        ports: it may run again or beside others.
        """

    def read(self, query: Callable[[Unit], T]) -> T:
        """Run `query` on committed state; writing in it raises Invalid. Never waits for a writer."""


@dataclass(frozen=True, slots=True)
class Rejection:
    """An event that HQ will not apply, and why."""

    sequence: int
    reason: str


@dataclass(frozen=True, slots=True)
class HqAck:
    """HQ's word: every sequence up to `through_sequence` is applied, except the `holes`.

    also: what lies above and is applied too. rejected: events among all those that HQ has settled by
    refusing them.
    """

    through_sequence: int
    holes: tuple[int, ...] = ()
    also: tuple[int, ...] = ()
    rejected: tuple[Rejection, ...] = ()

    @property
    def newest(self) -> int:
        """The highest sequence that HQ says it knows."""
        return max([self.through_sequence, *self.also, *(one.sequence for one in self.rejected)])


@dataclass(frozen=True, slots=True)
class LinkStatus:
    """How the link to HQ is doing, for screens and metrics."""

    connected: bool
    detail: str
    since_ns: int


class HqLink(Protocol):
    """The wire to HQ. Neither call blocks."""

    def send(self, messages: Sequence[OutboxMessage], oldest: int, newest: int = 0) -> int:
        """Hand over as many as the window takes, in order; return how many. Not proof of delivery.

        oldest: the lowest sequence that this box still has; HQ gives up missing ones below it. newest: the
        latest one written, by which HQ knows how much is still to come; 0 says nothing.
        """

    def acks(self) -> tuple[HqAck, ...]:
        """Return the acks that came since the last call, oldest first."""

    def status(self) -> LinkStatus:
        """Return whether the broker is connected."""


@dataclass(frozen=True, slots=True)
class DiskSpace:
    """The disk that the box's state is on. free_bytes: what this service may still write, the reserve not
    among it. reusable_bytes: freed pages inside the database that new rows take first.
    """

    total_bytes: int
    free_bytes: int
    reusable_bytes: int = 0


class Disk(Protocol):
    """The disk under the store, with a reserve file to let go of when nothing can be written any more."""

    def space(self) -> DiskSpace:
        """Return how much is left; raises Unavailable when the disk cannot be asked."""

    def has_reserve(self) -> bool:
        """Return whether the reserve is in its place."""

    def hold_reserve(self) -> bool:
        """Take the reserve's space, unless it is taken; return False when there is no room for it."""

    def release_reserve(self) -> bool:
        """Give the reserve's space back at once, callable from any thread; return whether there was any."""

    def compact(self) -> int:
        """Give some of the database's freed pages back to the disk; return how many bytes. Tens of ms."""


class Scanner(Protocol):
    """A source of scans; one caller reads it."""

    name: str

    def read(self, timeout_s: float) -> Scan | None:
        """Return the next scan, or None after `timeout_s`. Lost devices are re-opened inside, for ever."""

    def status(self) -> DeviceStatus:
        """Return the device's health; callable from any thread."""

    def close(self) -> None:
        """Release the device."""


class Camera(Protocol):
    """A source of pictures; one caller reads it."""

    name: str

    def frame(self, timeout_s: float) -> Frame | None:
        """Return the newest picture, or None after `timeout_s`. Lost cameras are re-opened inside."""

    def status(self) -> DeviceStatus:
        """Return the device's health; callable from any thread."""

    def close(self) -> None:
        """Release the device."""


class SpaceBoard(Protocol):
    """A board that shows how many spaces are free."""

    name: str

    def show_count(self, free: int) -> None:
        """Show free spaces. Raises DeviceAbsent or DeviceSilent."""

    def status(self) -> DeviceStatus:
        """Return the health as of the last frame."""

    def close(self) -> None:
        """Release the board."""


class Printer(Protocol):
    """A receipt printer; one caller at a time."""

    name: str

    def print_job(self, job: PrintJob) -> PrintResult:
        """Print and cut; returns within the driver's job time-out and never raises for device faults."""

    def printer_status(self) -> PrinterStatus:
        """Ask the printer how it is (1 s at most)."""

    def status(self) -> DeviceStatus:
        """Return the device's health; callable from any thread."""

    def close(self) -> None:
        """Release the device."""


class Gate(Protocol):
    """One boom gate behind a relay board."""

    name: str

    def pulse(self) -> None:
        """Have the board itself give one opening pulse; returns when the board echoed the command.

        Raises DeviceAbsent (surely not sent) or DeviceSilent (sent, no echo: read the inputs).
        """

    def inputs(self) -> GateInputs:
        """Read loops and limit switches. Raises DeviceAbsent or DeviceSilent."""

    def status(self) -> DeviceStatus:
        """Return the device's health; callable from any thread."""

    def close(self) -> None:
        """Release the device."""


class Display(Protocol):
    """A lane's text and voice board."""

    name: str

    def show(self, lines: Sequence[str]) -> None:
        """Show these lines until the next call. Raises DeviceAbsent or DeviceSilent."""

    def say(self, text: str) -> None:
        """Speak `text` after clearing what is queued. Raises DeviceAbsent or DeviceSilent."""

    def status(self) -> DeviceStatus:
        """Return the device's health; callable from any thread."""

    def close(self) -> None:
        """Release the device."""
