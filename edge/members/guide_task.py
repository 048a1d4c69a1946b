"""Guides' tasks from their members' life cycle: whom to greet, to whom to offer a refill, whom to win back.

    open -> done | snoozed | met | expired          snoozed -> open (by time) | met

A task belongs to the purchase after which it fell due, once for each. The member's next purchase meets every
task that still waits. Done, met and expired are final. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from edge.errors import Declined, Invalid

DAY_MS = 86_400_000

#: The longest note, and how far a task may be put off.
MAX_NOTE = 120
MAX_SNOOZE_DAYS = 60


class TaskKind(StrEnum):
    """Why a guide should get in touch with a member."""

    FIRST_VISIT = "first_visit"
    SECOND_PURCHASE = "second_purchase"
    REPLENISH = "replenish"
    LAPSED = "lapsed"


class TaskState(StrEnum):
    """DONE by a person, MET by the member's next purchase, EXPIRED when nobody did anything in time."""

    OPEN = "open"
    SNOOZED = "snoozed"
    DONE = "done"
    MET = "met"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class LifeCycle:
    """A member's purchases on this box. guide: who was credited last; "" for nobody."""

    member_id: str
    purchases: int
    first_at: int
    last_at: int
    last_order: str
    guide: str = ""
    tenant_id: str = ""


@dataclass(frozen=True, slots=True)
class TaskRules:
    """Days after the last purchase at which a task falls due; 0 switches its kind off.

    first_visit_days and second_purchase_days hold after the first purchase alone. expire_days: how long a
    task waits.
    """

    first_visit_days: int = 1
    second_purchase_days: int = 14
    replenish_days: int = 30
    lapsed_days: int = 90
    expire_days: int = 14

    def __post_init__(self) -> None:
        """Refuse days that make no sense."""
        days = (self.first_visit_days, self.second_purchase_days, self.replenish_days, self.lapsed_days)
        if not all(0 <= one <= 730 for one in days) or not 1 <= self.expire_days <= 365:
            raise Invalid("guides' tasks fall due after 0 to 730 days and wait for 1 to 365")

    def days_of(self, kind: TaskKind) -> int:
        """Return after how many days a kind falls due."""
        return {
            TaskKind.FIRST_VISIT: self.first_visit_days,
            TaskKind.SECOND_PURCHASE: self.second_purchase_days,
            TaskKind.REPLENISH: self.replenish_days,
            TaskKind.LAPSED: self.lapsed_days,
        }[kind]


@dataclass(frozen=True, slots=True)
class GuideTask:
    """One task. after_order: the purchase that it follows; until: while SNOOZED, when it comes back."""

    task_id: str
    kind: TaskKind
    member_id: str
    guide: str
    tenant_id: str
    after_order: str
    due_at: int
    expires_at: int
    state: TaskState = TaskState.OPEN
    until: int = 0
    closed_at: int | None = None
    closed_by: str = ""
    note: str = ""
    met_by: str = ""

    @property
    def waits(self) -> bool:
        """Whether somebody may still do it."""
        return self.state in (TaskState.OPEN, TaskState.SNOOZED)

    def shows(self, at: int) -> bool:
        """Return whether it stands on the guide's list now."""
        return self.state is TaskState.OPEN or (self.state is TaskState.SNOOZED and self.until <= at)


def due_kinds(life: LifeCycle, rules: TaskRules, at: int) -> tuple[tuple[TaskKind, int], ...]:
    """Return (kind, when it fell due) of all that is due for a member and has not expired by now."""
    found = []
    for kind in TaskKind:
        days = rules.days_of(kind)
        if not days or (kind in _AFTER_FIRST and life.purchases != 1):
            continue
        due_at = life.last_at + days * DAY_MS
        if due_at <= at < due_at + rules.expire_days * DAY_MS:
            found.append((kind, due_at))
    return tuple(found)


def finish_task(task: GuideTask, by: str, note: str, at: int) -> GuideTask:
    """Return the task as done; raise Declined for one that is over, Invalid for a note that is too long."""
    _need_waiting(task)
    return replace(task, state=TaskState.DONE, until=0, closed_at=at, closed_by=by, note=_checked_note(note))


def snooze_task(task: GuideTask, days: int, at: int) -> GuideTask:
    """Return the task put off by some days, its end moved with it; raises as finish_task."""
    _need_waiting(task)
    if not 1 <= days <= MAX_SNOOZE_DAYS:
        raise Invalid(f"a task can be put off by 1 to {MAX_SNOOZE_DAYS} days")
    until = at + days * DAY_MS
    ends = max(task.expires_at, until + DAY_MS)
    return replace(task, state=TaskState.SNOOZED, until=until, expires_at=ends)


def meet_task(task: GuideTask, order_id: str, at: int) -> GuideTask:
    """Return the task as met by a purchase; one that is over stays as it is."""
    return replace(task, state=TaskState.MET, until=0, closed_at=at, met_by=order_id) if task.waits else task


def expire_task(task: GuideTask, at: int) -> GuideTask:
    """Return the task as expired when its time is over, else as it is."""
    if not task.waits or at < task.expires_at:
        return task
    return replace(task, state=TaskState.EXPIRED, until=0, closed_at=at)


_AFTER_FIRST = frozenset({TaskKind.FIRST_VISIT, TaskKind.SECOND_PURCHASE})


def _need_waiting(task: GuideTask) -> None:
    if not task.waits:
        raise Declined(f"task {task.task_id} is {task.state} already; look at the list again")


def _checked_note(note: str) -> str:
    tidy = " ".join(note.split())
    if len(tidy) > MAX_NOTE:
        raise Invalid(f"a note has {MAX_NOTE} characters at most")
    return tidy
