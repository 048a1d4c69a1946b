"""Shoppers' ways as records: steps, what they belong to, the funnel's counts, credits, guides' tasks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from edge.members.attribution import Attribution
from edge.members.commission import CommissionEntry
from edge.members.conversion import Conversion, ConversionStep, Journey, StepCount
from edge.members.guide_task import GuideTask, LifeCycle, TaskKind


class LinkKind(StrEnum):
    """What a way is kept with."""

    BASKET = "basket"
    ORDER = "order"
    TICKET = "ticket"


class FunnelBy(StrEnum):
    """By what the funnel is told apart. TOUCHPOINT is the one at which a way began."""

    HOUR = "hour"
    DAY = "day"
    TOUCHPOINT = "touchpoint"
    TENANT = "tenant"
    GUIDE = "guide"
    VARIANT = "variant"


@dataclass(frozen=True, slots=True)
class FunnelFilter:
    """Which steps are counted: of business days, both included, and where not None of these alone."""

    first_day: str
    last_day: str
    hour: int | None = None
    touchpoint: str | None = None
    tenant: str | None = None
    guide: str | None = None
    variant: str | None = None


@dataclass(frozen=True, slots=True)
class CommissionTotal:
    """What a guide earned on one business day. taken_fen: given back by refunds, negative."""

    guide: str
    day: str
    sales: int
    earned_fen: int
    taken_fen: int

    @property
    def amount_fen(self) -> int:
        """What is left."""
        return self.earned_fen + self.taken_fen


class Journeys(Protocol):
    """Ways and their steps; the funnel's counts are written with each step."""

    def get(self, correlation: str) -> Journey | None:
        """Return a way."""

    def put(self, journey: Journey) -> None:
        """Write a way; where and when it began stays as it was first written."""

    def link(
        self, kind: LinkKind, reference: str, correlation: str, at: int, *, replace: bool = False
    ) -> None:
        """Note which way something belongs to; what was noted first stays unless it is to be replaced."""

    def linked(self, kind: LinkKind, reference: str) -> str:
        """Return the correlation id of something, "" when it has none."""

    def add(self, step: Conversion) -> bool:
        """Write a step and count it; return False, with nothing written, for one that the way has."""

    def has(self, correlation: str, step: ConversionStep) -> bool:
        """Return whether a way has a step of this kind."""

    def steps(self, correlation: str) -> tuple[Conversion, ...]:
        """Return the steps of a way, oldest first; 200 at most, the latest ones."""

    def of_member(self, member_id: str, since: int) -> tuple[Conversion, ...]:
        """Return a member's steps in all ways since a moment, oldest first; 200 at most, the latest ones."""

    def counts(self, wanted: FunnelFilter, by: FunnelBy) -> tuple[tuple[str, StepCount], ...]:
        """Return (value, count) for each value of `by` and each step of it, by value."""

    def forget(self, before: int, limit: int) -> int:
        """Delete steps, ways and links of before a moment, `limit` of each; counts stay. Return how many."""


class Credits(Protocol):
    """Credited sales and the ledger of commission."""

    def get(self, order_id: str) -> Attribution | None:
        """Return how a sale is credited."""

    def put(self, one: Attribution) -> None:
        """Write it; of a known one only what is left changes, and whose it is while it is nobody's."""

    def of_days(self, first_day: str, last_day: str, limit: int) -> tuple[Attribution, ...]:
        """Return the sales of some business days, newest first."""

    def post(self, entry: CommissionEntry) -> None:
        """Append a line; raise Corrupt for a second one of the same sale, guide and refund."""

    def entries(self, order_id: str) -> tuple[CommissionEntry, ...]:
        """Return the lines of a sale, oldest first."""

    def totals(self, first_day: str, last_day: str) -> tuple[CommissionTotal, ...]:
        """Return what guides earned by day and guide."""


class GuideTasks(Protocol):
    """Members' purchases and the tasks that they give guides."""

    def life(self, member_id: str) -> LifeCycle | None:
        """Return a member's purchases."""

    def put_life(self, life: LifeCycle) -> None:
        """Write them."""

    def lives(self, last_from: int, last_to: int, after: str, limit: int) -> tuple[LifeCycle, ...]:
        """Return members whose last purchase was in [last_from, last_to), by member id after `after`."""

    def get(self, task_id: str) -> GuideTask | None:
        """Return a task."""

    def find(self, member_id: str, kind: TaskKind, after_order: str) -> GuideTask | None:
        """Return the task of a member's purchase."""

    def put(self, task: GuideTask) -> None:
        """Write a task."""

    def waiting_of(self, member_id: str) -> tuple[GuideTask, ...]:
        """Return a member's tasks that still wait, by due time."""

    def waiting(self, limit: int) -> tuple[GuideTask, ...]:
        """Return tasks that still wait, by due time."""

    def overdue(self, at: int, limit: int) -> tuple[GuideTask, ...]:
        """Return waiting tasks whose time is over."""

    def closed_since(self, at: int, limit: int) -> tuple[GuideTask, ...]:
        """Return tasks that ended after a moment, newest first."""


def latest(steps: Sequence[Conversion], limit: int = 200) -> tuple[Conversion, ...]:
    """Return steps by time, the latest `limit` of them."""
    return tuple(sorted(steps, key=lambda one: (one.at, one.conversion_id))[-limit:])
