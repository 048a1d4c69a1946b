"""Guides' tasks: given out when members' purchases make them due, done or put off by people, told to HQ."""

from __future__ import annotations

from collections.abc import Callable

from edge.clock import Instant
from edge.errors import Invalid
from edge.members.guide_task import (
    DAY_MS,
    GuideTask,
    LifeCycle,
    TaskKind,
    TaskRules,
    due_kinds,
    expire_task,
    finish_task,
    snooze_task,
)
from edge.services.box import Box
from edge.services.conversion_events import guide_task_told
from edge.services.events import EventKind, record_event
from edge.services.records import Unit

#: Members and tasks of one unit of work, units of one look, and steps forgotten in one unit.
PORTION = 200
MOST_PORTIONS = 500
FORGET = 2_000
MOST_FORGOTTEN = 50


def plan_tasks(box: Box) -> int:
    """Give out what has fallen due and end what waited too long; return how many tasks were given out."""
    if box.touch is None:
        return 0
    _expire(box)
    rules = box.touch.tasks
    return sum(_plan(box, rules, kind) for kind in TaskKind if rules.days_of(kind))


def finish(box: Box, task_id: str, by: str, note: str) -> GuideTask:
    """Note that a guide has done a task; raises Invalid for an unknown one, Declined for one that is over."""
    return _change(box, task_id, lambda task, now: finish_task(task, by, note, now.wall_at))


def snooze(box: Box, task_id: str, days: int) -> GuideTask:
    """Put a task off by some days; raises as `finish`."""
    return _change(box, task_id, lambda task, now: snooze_task(task, days, now.wall_at))


def forget_steps(box: Box) -> int:
    """Delete single steps that are older than the rules keep them; the funnel's counts stay."""
    if box.touch is None:
        return 0
    before = box.clock.now().wall_at - box.touch.keep_days * DAY_MS
    gone = 0
    for _ in range(MOST_FORGOTTEN):
        found = box.store.write(lambda unit: unit.journeys.forget(before, FORGET))
        gone += found
        if not found:
            break
    return gone


def _plan(box: Box, rules: TaskRules, kind: TaskKind) -> int:
    made, after = 0, ""
    for _ in range(MOST_PORTIONS):
        found, lives = _portion(box, rules, kind, after)
        made += found
        if len(lives) < PORTION:
            break
        after = lives[-1].member_id
    return made


def _portion(box: Box, rules: TaskRules, kind: TaskKind, after: str) -> tuple[int, tuple[LifeCycle, ...]]:
    """Give out the tasks of one kind to some members; return how many, and the members looked at."""
    now = box.clock.now()
    last_to = now.wall_at - rules.days_of(kind) * DAY_MS + 1
    last_from = last_to - rules.expire_days * DAY_MS
    lives = box.store.read(lambda unit: unit.guide_tasks.lives(last_from, last_to, after, PORTION))
    due = [one for one in lives if kind in dict(due_kinds(one, rules, now.wall_at))]
    known = box.store.read(
        lambda unit: [bool(unit.guide_tasks.find(one.member_id, kind, one.last_order)) for one in due]
    )
    wanted = [one for one, there in zip(due, known, strict=True) if not there]
    if not wanted:
        return 0, lives
    return box.store.write(lambda unit: sum(_give(unit, box, rules, one, kind, now) for one in wanted)), lives


def _give(unit: Unit, box: Box, rules: TaskRules, life: LifeCycle, kind: TaskKind, now: Instant) -> int:
    """Give out one task, unless it was given out or the member has bought since."""
    if unit.guide_tasks.life(life.member_id) != life:
        return 0
    if unit.guide_tasks.find(life.member_id, kind, life.last_order) is not None:
        return 0
    due_at = life.last_at + rules.days_of(kind) * DAY_MS
    task = GuideTask(
        task_id=box.ids.new_id(),
        kind=kind,
        member_id=life.member_id,
        guide=life.guide,
        tenant_id=life.tenant_id,
        after_order=life.last_order,
        due_at=due_at,
        expires_at=due_at + rules.expire_days * DAY_MS,
    )
    _keep(unit, box, task, now)
    return 1


def _expire(box: Box) -> None:
    now = box.clock.now()

    def work(unit: Unit) -> int:
        overdue = unit.guide_tasks.overdue(now.wall_at, PORTION)
        for task in overdue:
            _keep(unit, box, expire_task(task, now.wall_at), now)
        return len(overdue)

    for _ in range(MOST_PORTIONS):
        if not box.store.read(lambda unit: unit.guide_tasks.overdue(now.wall_at, 1)):
            return
        box.store.write(work)


def _change(box: Box, task_id: str, step: Callable[[GuideTask, Instant], GuideTask]) -> GuideTask:
    now = box.clock.now()

    def work(unit: Unit) -> GuideTask:
        task = unit.guide_tasks.get(task_id)
        if task is None:
            raise Invalid(f"there is no task {task_id}; look at the list again")
        changed = step(task, now)
        _keep(unit, box, changed, now)
        return changed

    return box.store.write(work)


def _keep(unit: Unit, box: Box, task: GuideTask, now: Instant) -> None:
    unit.guide_tasks.put(task)
    data = guide_task_told(task)
    record_event(unit, box.ids, now, box.origin, EventKind.GUIDE_TASK, task.task_id, data, task.after_order)
