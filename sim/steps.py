"""Places where the world can stop the service: before and after every call of every port.

A proxy stands in for any port and counts a step on both sides of each call, and one before each record
call inside a unit of work. `Crash` passes every `except Exception` on its way out, as a death does.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from typing import Any, TypeVar, cast

from edge.services.outbox_records import OutboxMessage
from edge.services.ports import Store
from edge.services.records import Unit

P = TypeVar("P")
T = TypeVar("T")

#: The records of a unit of work.
RECORDS = (
    "catalogue",
    "baskets",
    "orders",
    "attempts",
    "ledger",
    "refunds",
    "receipts",
    "scans",
    "workstations",
    "outbox",
    "commands",
    "work_items",
    "bills",
    "snapshots",
    "members",
    "plate_lists",
    "tariffs",
    "landings",
    "shifts",
    "papers",
)

#: How the names of steps around an effect begin; the others only look, or are inside a transaction.
EFFECTS = (
    "store.write",
    "gateway.",
    "refunds.",
    "link.send",
    "link.acks",
    "printer.print_job",
    "scanner.read",
)


class Crash(BaseException):
    """The service dies at this step."""


class Steps:
    """Counts steps from 1 and crashes at the chosen ones. names: what each step was, in order."""

    def __init__(self, crash_at: Iterable[int] = ()) -> None:
        self.names: list[str] = []
        self._crash_at = frozenset(crash_at)

    def take(self, name: str) -> None:
        """Count one step; raise Crash when it is one of the chosen."""
        self.names.append(name)
        if len(self.names) in self._crash_at:
            raise Crash(f"step {len(self.names)}: {name}")

    def note(self, what: str) -> None:
        """Put a line into the log that is no step of its own."""
        if self.names:
            self.names[-1] += f" | {what}"

    @property
    def effects(self) -> tuple[int, ...]:
        """The steps around calls that change something outside the service's own memory."""
        return tuple(at for at, name in enumerate(self.names, 1) if name.startswith(EFFECTS))

    @property
    def count(self) -> int:
        """How many steps were taken."""
        return len(self.names)

    def digest(self) -> str:
        """Return the SHA-256 of the log: two runs with the same one did the same."""
        return hashlib.sha256("\n".join(self.names).encode()).hexdigest()


def stepped(port: P, name: str, steps: Steps) -> P:
    """Return `port` with a step before and after each of its calls."""
    return cast(P, _Stepped(port, name, steps))


class SteppedStore:
    """A store with steps around each transaction and before each record call inside it.

    committed: the events of all units that were committed, in order, as the world saw it.
    """

    def __init__(self, store: Store, steps: Steps, committed: list[OutboxMessage]) -> None:
        self._store = store
        self._steps = steps
        self._committed = committed

    def write(self, work: Callable[[Unit], T]) -> T:
        """Run `work` in one transaction."""
        self._steps.take("store.write before")
        events: list[OutboxMessage] = []

        def watched(unit: Unit) -> T:
            events.clear()
            return work(cast(Unit, _SteppedUnit(unit, self._steps, events)))

        result = self._store.write(watched)
        self._committed += events
        self._steps.take("store.write after")
        return result

    def read(self, query: Callable[[Unit], T]) -> T:
        """Run `query` on committed state."""
        self._steps.take("store.read before")
        result = self._store.read(query)
        self._steps.take("store.read after")
        return result


class _Stepped:
    def __init__(self, port: object, name: str, steps: Steps) -> None:
        self._port = port
        self._name = name
        self._steps = steps

    def __getattr__(self, attribute: str) -> Any:
        value = getattr(self._port, attribute)
        if not callable(value):
            return value
        return self._around(value, f"{self._name}.{attribute}")

    def _around(self, call: Callable[..., Any], name: str) -> Callable[..., Any]:
        def run(*arguments: Any, **named: Any) -> Any:
            self._steps.take(f"{name} before")
            try:
                result = call(*arguments, **named)
            except Exception as error:
                self._steps.take(f"{name} after {type(error).__name__}")
                raise
            self._steps.take(f"{name} after")
            return result

        return run


class _SteppedUnit:
    """A unit of work with a step before each record call; what it appends to the outbox is remembered."""

    def __init__(self, unit: Unit, steps: Steps, events: list[OutboxMessage]) -> None:
        self._steps = steps
        self._events = events
        for record in RECORDS:
            setattr(self, record, _SteppedRecord(getattr(unit, record), record, self._take))

    def _take(self, record: str, call: str, arguments: tuple[Any, ...]) -> None:
        self._steps.take(f"unit.{record}.{call}")
        if (record, call) == ("outbox", "append"):
            self._events.append(arguments[0])


class _SteppedRecord:
    def __init__(self, record: object, name: str, take: Callable[[str, str, tuple[Any, ...]], None]) -> None:
        self._record = record
        self._name = name
        self._take = take

    def __getattr__(self, attribute: str) -> Any:
        value = getattr(self._record, attribute)
        if not callable(value):
            return value

        def run(*arguments: Any, **named: Any) -> Any:
            self._take(self._name, attribute, arguments)
            return value(*arguments, **named)

        return run
