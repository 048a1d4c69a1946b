"""Shoppers' ways, credited sales and guides' tasks in memory, with the rules that the tables enforce."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from dataclasses import replace as changed

from edge.errors import Corrupt
from edge.members.attribution import Attribution
from edge.members.commission import CommissionEntry
from edge.members.conversion import Conversion, ConversionStep, Journey, StepCount
from edge.members.guide_task import GuideTask, LifeCycle, TaskKind
from edge.services.journey_records import CommissionTotal, FunnelBy, FunnelFilter, LinkKind, latest

#: day, hour, origin, tenant, guide, variant, step
_Cell = tuple[str, int, str, str, str, str, ConversionStep]


@dataclass(slots=True)
class JourneyRows:
    """All rows; values are frozen."""

    journeys: dict[str, Journey] = field(default_factory=dict)
    links: dict[tuple[LinkKind, str], tuple[str, int]] = field(default_factory=dict)
    steps: dict[tuple[str, str], Conversion] = field(default_factory=dict)
    cells: dict[_Cell, tuple[int, int, int]] = field(default_factory=dict)
    sales: dict[str, Attribution] = field(default_factory=dict)
    entries: dict[tuple[str, str, str], CommissionEntry] = field(default_factory=dict)
    lives: dict[str, LifeCycle] = field(default_factory=dict)
    tasks: dict[str, GuideTask] = field(default_factory=dict)

    def copy(self) -> JourneyRows:
        """Return rows that can be changed without changing these."""
        return JourneyRows(
            dict(self.journeys),
            dict(self.links),
            dict(self.steps),
            dict(self.cells),
            dict(self.sales),
            dict(self.entries),
            dict(self.lives),
            dict(self.tasks),
        )


class FakeJourneys:
    """Implements journey_records.Journeys."""

    def __init__(self, rows: JourneyRows, writing: Callable[[], None]) -> None:
        self._rows = rows
        self._writing = writing

    def get(self, correlation: str) -> Journey | None:
        """Return a way."""
        return self._rows.journeys.get(correlation)

    def put(self, journey: Journey) -> None:
        """Write a way; where and when it began stays."""
        self._writing()
        known = self._rows.journeys.get(journey.correlation)
        if known is not None:
            journey = changed(journey, begun_at=known.begun_at, origin=known.origin)
        self._rows.journeys[journey.correlation] = journey

    def link(
        self, kind: LinkKind, reference: str, correlation: str, at: int, *, replace: bool = False
    ) -> None:
        """Note which way something belongs to; what was noted first stays unless it is to be replaced."""
        self._writing()
        _, first_at = self._rows.links.setdefault((kind, reference), (correlation, at))
        if replace:
            self._rows.links[kind, reference] = (correlation, first_at)

    def linked(self, kind: LinkKind, reference: str) -> str:
        """Return the correlation id of something."""
        return self._rows.links.get((kind, reference), ("", 0))[0]

    def add(self, step: Conversion) -> bool:
        """Write a step and count it, once."""
        self._writing()
        if (step.correlation, step.key) in self._rows.steps:
            return False
        self._rows.steps[(step.correlation, step.key)] = step
        cell = (step.day, step.hour, step.origin, step.tenant_id, step.guide, step.variant, step.step)
        shoppers, times, fen = self._rows.cells.get(cell, (0, 0, 0))
        self._rows.cells[cell] = (shoppers + step.first, times + 1, fen + step.amount_fen)
        return True

    def has(self, correlation: str, step: ConversionStep) -> bool:
        """Return whether a way has a step of this kind."""
        return any((one.correlation, one.step) == (correlation, step) for one in self._rows.steps.values())

    def steps(self, correlation: str) -> tuple[Conversion, ...]:
        """Return the steps of a way, oldest first."""
        return latest([one for one in self._rows.steps.values() if one.correlation == correlation])

    def of_member(self, member_id: str, since: int) -> tuple[Conversion, ...]:
        """Return a member's steps since a moment, oldest first."""
        rows = self._rows.steps.values()
        return latest([one for one in rows if member_id and one.member_id == member_id and one.at >= since])

    def counts(self, wanted: FunnelFilter, by: FunnelBy) -> tuple[tuple[str, StepCount], ...]:
        """Return (value, count) for each value of `by` and each step of it."""
        sums: dict[tuple[str, int, ConversionStep], tuple[int, int, int]] = {}
        for cell, (shoppers, times, fen) in self._rows.cells.items():
            if _fits(cell, wanted):
                value = cell[_PLACES[by]]
                key = (str(value), value if isinstance(value, int) else 0, cell[6])
                had = sums.get(key, (0, 0, 0))
                sums[key] = (had[0] + shoppers, had[1] + times, had[2] + fen)
        order = sorted(sums, key=lambda key: (key[1], key[0], key[2].value))
        return tuple((key[0], StepCount(key[2], *sums[key])) for key in order)

    def forget(self, before: int, limit: int) -> int:
        """Delete steps, ways and links of before a moment; counts stay."""
        self._writing()
        rows = self._rows
        steps = [key for key, one in rows.steps.items() if one.at < before][:limit]
        ways = [key for key, one in rows.journeys.items() if one.begun_at < before][:limit]
        links = [key for key, (_, at) in rows.links.items() if at < before][:limit]
        for key in steps:
            del rows.steps[key]
        for way in ways:
            del rows.journeys[way]
        for link in links:
            del rows.links[link]
        return len(steps) + len(ways) + len(links)


class FakeCredits:
    """Implements journey_records.Credits."""

    def __init__(self, rows: JourneyRows, writing: Callable[[], None]) -> None:
        self._rows = rows
        self._writing = writing

    def get(self, order_id: str) -> Attribution | None:
        """Return how a sale is credited."""
        return self._rows.sales.get(order_id)

    def put(self, one: Attribution) -> None:
        """Write it; of a known one only what is left changes, and whose it is while it is nobody's."""
        self._writing()
        known = self._rows.sales.get(one.order_id)
        member_id = (known.member_id if known else "") or one.member_id
        self._rows.sales[one.order_id] = changed(known or one, left_fen=one.left_fen, member_id=member_id)

    def of_days(self, first_day: str, last_day: str, limit: int) -> tuple[Attribution, ...]:
        """Return the sales of some business days, newest first."""
        found = [one for one in self._rows.sales.values() if first_day <= one.day <= last_day]
        return tuple(sorted(found, key=lambda one: (one.day, one.at, one.order_id), reverse=True)[:limit])

    def post(self, entry: CommissionEntry) -> None:
        """Append a line; raise Corrupt for a second one of the same sale, guide and refund."""
        self._writing()
        key = (entry.order_id, entry.guide, entry.refund_id)
        if key in self._rows.entries:
            raise Corrupt(f"commission of {entry.guide} for {entry.order_id} is there already")
        self._rows.entries[key] = entry

    def entries(self, order_id: str) -> tuple[CommissionEntry, ...]:
        """Return the lines of a sale, oldest first."""
        found = [one for one in self._rows.entries.values() if one.order_id == order_id]
        return tuple(sorted(found, key=lambda one: (one.at, one.entry_id)))

    def totals(self, first_day: str, last_day: str) -> tuple[CommissionTotal, ...]:
        """Return what guides earned by day and guide."""
        sums: dict[tuple[str, str], list[int]] = {}
        for one in self._rows.entries.values():
            if first_day <= one.day <= last_day:
                held = sums.setdefault((one.day, one.guide), [0, 0, 0])
                held[0] += not one.refund_id
                held[1] += max(one.amount_fen, 0)
                held[2] += min(one.amount_fen, 0)
        return tuple(CommissionTotal(guide, day, *sums[day, guide]) for day, guide in sorted(sums))


class FakeGuideTasks:
    """Implements journey_records.GuideTasks."""

    def __init__(self, rows: JourneyRows, writing: Callable[[], None]) -> None:
        self._rows = rows
        self._writing = writing

    def life(self, member_id: str) -> LifeCycle | None:
        """Return a member's purchases."""
        return self._rows.lives.get(member_id)

    def put_life(self, life: LifeCycle) -> None:
        """Write them."""
        self._writing()
        self._rows.lives[life.member_id] = life

    def lives(self, last_from: int, last_to: int, after: str, limit: int) -> tuple[LifeCycle, ...]:
        """Return members whose last purchase was in [last_from, last_to), by member id."""
        found = sorted(self._rows.lives.values(), key=lambda one: one.member_id)
        return tuple(
            [one for one in found if last_from <= one.last_at < last_to and one.member_id > after][:limit]
        )

    def get(self, task_id: str) -> GuideTask | None:
        """Return a task."""
        return self._rows.tasks.get(task_id)

    def find(self, member_id: str, kind: TaskKind, after_order: str) -> GuideTask | None:
        """Return the task of a member's purchase."""
        wanted = (member_id, kind, after_order)
        rows = self._rows.tasks.values()
        return next((one for one in rows if (one.member_id, one.kind, one.after_order) == wanted), None)

    def put(self, task: GuideTask) -> None:
        """Write a task."""
        self._writing()
        other = self.find(task.member_id, task.kind, task.after_order)
        if other is not None and other.task_id != task.task_id:
            raise Corrupt(f"{task.member_id} has a task {task.kind} after {task.after_order} already")
        self._rows.tasks[task.task_id] = task

    def waiting_of(self, member_id: str) -> tuple[GuideTask, ...]:
        """Return a member's tasks that still wait."""
        return tuple(one for one in self.waiting(10_000) if one.member_id == member_id)

    def waiting(self, limit: int) -> tuple[GuideTask, ...]:
        """Return tasks that still wait."""
        found = [one for one in self._rows.tasks.values() if one.waits]
        return tuple(sorted(found, key=lambda one: (one.due_at, one.task_id))[:limit])

    def overdue(self, at: int, limit: int) -> tuple[GuideTask, ...]:
        """Return waiting tasks whose time is over."""
        return tuple([one for one in self.waiting(10_000) if one.expires_at <= at][:limit])

    def closed_since(self, at: int, limit: int) -> tuple[GuideTask, ...]:
        """Return tasks that ended after a moment, newest first."""
        found = [one for one in self._rows.tasks.values() if one.closed_at is not None and one.closed_at > at]
        return tuple(sorted(found, key=lambda one: (one.closed_at or 0, one.task_id), reverse=True)[:limit])


_PLACES = {
    FunnelBy.DAY: 0,
    FunnelBy.HOUR: 1,
    FunnelBy.TOUCHPOINT: 2,
    FunnelBy.TENANT: 3,
    FunnelBy.GUIDE: 4,
    FunnelBy.VARIANT: 5,
}


def _fits(cell: _Cell, wanted: FunnelFilter) -> bool:
    day, *rest = cell[:6]
    asked = (wanted.hour, wanted.touchpoint, wanted.tenant, wanted.guide, wanted.variant)
    return wanted.first_day <= day <= wanted.last_day and all(
        value is None or value == there for value, there in zip(asked, rest, strict=True)
    )
