"""Places where the world can stop the service: before and after every call of every port.

A proxy stands in for any port and counts a step on both sides of each call, and one before each record
call inside a unit of work. `Crash` passes every `except Exception` on its way out, as a death does.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

from edge.retail.attempt import AttemptState, PaymentAttempt
from edge.retail.refund import LegState, Refund
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
    "calendar_days",
    "landings",
    "shifts",
    "papers",
    "validations",
    "people",
    "collections",
    "splits",
    "points",
    "settlements",
    "stay_charges",
    "traces",
    "journeys",
    "credits",
    "guide_tasks",
    "phones",
    "phone_notices",
    "plates",
    "passes",
    "debts",
    "autopays",
    "sessions",
    "plate_reads",
    "passages",
    "gate_commands",
    "lane_holds",
    "occupancies",
    "tickets",
    "carts",
    "exits",
    "alarms",
    "boots",
)

#: How the names of steps around an effect begin; the others only look, or are inside a transaction.
EFFECTS = (
    "store.write",
    "gateway.",
    "phones.",
    "program.",
    "refunds.",
    "splits.",
    "link.send",
    "link.acks",
    "printer.print_job",
    "scanner.read",
    "gate.pulse",
    "camera.done",
    "display.",
    "owners.",
    "photos.keep",
)


class Crash(BaseException):
    """The service dies at this step."""


class Steps:
    """Counts steps from 1 and crashes at the chosen ones. names: what each step was, in order.

    watch: called at each step before it may crash. about: what each was called with or brought, by number;
    None, as long as nobody wants to read it, keeps nothing.
    """

    def __init__(self, crash_at: Iterable[int] = (), watch: Callable[[], None] | None = None) -> None:
        self.names: list[str] = []
        self.about: dict[int, tuple[object, ...]] | None = None
        self._crash_at = frozenset(crash_at)
        self._watch = watch

    def take(self, name: str, *about: object) -> None:
        """Count one step; raise Crash when it is one of the chosen."""
        self.names.append(name)
        if self.about is not None:
            self.about[len(self.names)] = about
        if self._watch is not None:
            self._watch()
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


@dataclass(slots=True)
class History:
    """What was committed, as the world saw it from outside.

    events: of all units, in order. units: how many there were. attempts, legs: how often each transition was
    written, as (before, after).
    """

    events: list[OutboxMessage] = field(default_factory=list)
    units: int = 0
    attempts: Counter[tuple[AttemptState, AttemptState]] = field(default_factory=Counter)
    legs: Counter[tuple[LegState, LegState]] = field(default_factory=Counter)

    def add(self, draft: History) -> None:
        """Take over what one unit has brought."""
        self.events += draft.events
        self.units += 1
        self.attempts += draft.attempts
        self.legs += draft.legs


class SteppedStore:
    """A store with steps around each transaction and before each record call inside it."""

    def __init__(self, store: Store, steps: Steps, history: History | None = None) -> None:
        self._store = store
        self._steps = steps
        self._history = History() if history is None else history
        self._unit: _SteppedUnit | None = None

    def write(self, work: Callable[[Unit], T]) -> T:
        """Run `work` in one transaction."""
        self._steps.take("store.write before")
        draft = History()

        def watched(unit: Unit) -> T:
            # A store may run a unit twice; only the last run counts.
            nonlocal draft
            draft = History()
            return work(self._stepped(unit, draft))

        result = self._store.write(watched)
        self._history.add(draft)
        self._steps.take("store.write after")
        return result

    def read(self, query: Callable[[Unit], T]) -> T:
        """Run `query` on committed state."""
        self._steps.take("store.read before")
        result = self._store.read(query)
        self._steps.take("store.read after")
        return result

    def _stepped(self, unit: Unit, draft: History) -> Unit:
        """Return a unit with steps; a store that has one unit for all gets one of these for all."""
        if self._unit is None or not self._unit.is_of(unit):
            self._unit = _SteppedUnit(unit, self._steps, draft)
        return cast(Unit, self._unit.begin(draft))


class _Stepped:
    def __init__(self, port: object, name: str, steps: Steps) -> None:
        self._port = port
        self._name = name
        self._steps = steps

    def __getattr__(self, attribute: str) -> Any:
        value = getattr(self._port, attribute)
        if not callable(value):
            return value
        found = self._around(value, f"{self._name}.{attribute}")
        setattr(self, attribute, found)
        return found

    def _around(self, call: Callable[..., Any], name: str) -> Callable[..., Any]:
        def run(*arguments: Any, **named: Any) -> Any:
            self._steps.take(f"{name} before", *arguments, *named.values())
            try:
                result = call(*arguments, **named)
            except Exception as error:
                self._steps.take(f"{name} after {type(error).__name__}", error)
                raise
            self._steps.take(f"{name} after", result)
            return result

        return run


class _SteppedUnit:
    """A unit of work with a step before each record call; what it writes is remembered."""

    def __init__(self, unit: Unit, steps: Steps, draft: History) -> None:
        self._unit = unit
        self._steps = steps
        self._draft = draft

    def is_of(self, unit: Unit) -> bool:
        """Whether this stands in for that one."""
        return self._unit is unit

    def begin(self, draft: History) -> _SteppedUnit:
        """Have what is written from now on remembered there; return self."""
        self._draft = draft
        return self

    def __getattr__(self, record: str) -> _SteppedRecord:
        if record not in RECORDS:
            raise AttributeError(f"a unit of work has no record {record!r}; see RECORDS")
        found = _SteppedRecord(getattr(self._unit, record), record, self._take)
        setattr(self, record, found)
        return found

    def _take(self, record: str, call: str, arguments: tuple[Any, ...]) -> None:
        self._steps.take(f"unit.{record}.{call}", *arguments)
        if (record, call) == ("outbox", "append"):
            self._draft.events.append(arguments[0])
        elif (record, call) == ("attempts", "put"):
            self._note_attempt(arguments[0])
        elif (record, call) == ("refunds", "put"):
            self._note_refund(arguments[0])

    def _note_attempt(self, attempt: PaymentAttempt) -> None:
        known = self._unit.attempts.get(attempt.attempt_id)
        if known is not None and known.state is not attempt.state:
            self._draft.attempts[known.state, attempt.state] += 1

    def _note_refund(self, refund: Refund) -> None:
        known = self._unit.refunds.get(refund.refund_id)
        before = {leg.leg_id: leg.state for leg in known.legs} if known else {}
        for leg in refund.legs:
            state = before.get(leg.leg_id, leg.state)
            if state is not leg.state:
                self._draft.legs[state, leg.state] += 1


class _SteppedRecord:
    def __init__(self, record: object, name: str, take: Callable[[str, str, tuple[Any, ...]], None]) -> None:
        self._record = record
        self._name = name
        self._take = take

    def __getattr__(self, attribute: str) -> Any:
        value = getattr(self._record, attribute)
        if not callable(value):
            return value

        name, take = self._name, self._take

        def run(*arguments: Any, **named: Any) -> Any:
            take(name, attribute, arguments)
            return value(*arguments, **named)

        setattr(self, attribute, run)
        return run
