"""Workers take their step again and again, whatever it raises, and end when asked."""

from __future__ import annotations

import threading
from collections.abc import Callable

from edge.errors import Unavailable
from edge.workers import Supervisor, Worker

DEADLINE_S = 20.0


class Turns:
    """Counts steps; `wait_for` waits until so many were taken."""

    def __init__(self, step: Callable[[int], float]) -> None:
        self._step = step
        self._count = 0
        self._changed = threading.Condition()

    def __call__(self) -> float:
        with self._changed:
            self._count += 1
            self._changed.notify_all()
            count = self._count
        return self._step(count)

    def wait_for(self, count: int) -> bool:
        with self._changed:
            return self._changed.wait_for(lambda: self._count >= count, DEADLINE_S)

    @property
    def count(self) -> int:
        with self._changed:
            return self._count


def failing_once(count: int) -> float:
    if count == 1:
        raise Unavailable("the wire is down")
    return 0.0 if count < 3 else 60.0


def test_a_step_that_raises_is_counted_and_taken_again() -> None:
    turns = Turns(failing_once)
    worker = Worker("publish", turns)
    worker.start()
    assert turns.wait_for(3)
    worker.stop()
    assert worker.join(DEADLINE_S)
    assert (worker.state().crashes, worker.state().last_error) == (1, "Unavailable: the wire is down")


def test_a_worker_that_must_not_rest_tries_again_at_once_and_never_pauses_long() -> None:
    def step(count: int) -> float:
        if count <= 20:
            raise Unavailable("the disk is full")
        return 60.0

    turns = Turns(step)
    worker = Worker("lane", turns, pauses_s=(0.001, 0.002))
    worker.start()
    # With the usual pauses so many steps take minutes.
    assert turns.wait_for(21)
    worker.stop()
    assert worker.join(DEADLINE_S)
    assert worker.state().crashes == 20


def test_a_surprise_ends_no_worker_either() -> None:
    def step(count: int) -> float:
        if count == 1:
            raise ZeroDivisionError("oh")
        return 60.0

    turns = Turns(step)
    worker = Worker("idle", turns)
    worker.start()
    assert turns.wait_for(2)
    worker.stop()
    assert worker.join(DEADLINE_S)
    assert worker.state().crashes == 1


def test_a_worker_waits_its_pause_unless_woken() -> None:
    turns = Turns(lambda count: 3_600.0)
    worker = Worker("print", turns)
    worker.start()
    assert turns.wait_for(1)
    worker.wake()
    assert turns.wait_for(2)
    worker.stop()
    assert worker.join(DEADLINE_S)
    assert turns.count == 2


def test_a_wake_during_a_step_is_not_lost() -> None:
    inside, go_on = threading.Event(), threading.Event()

    def step(count: int) -> float:
        if count == 1:
            inside.set()
            go_on.wait(DEADLINE_S)
        return 3_600.0

    turns = Turns(step)
    worker = Worker("print", turns)
    worker.start()
    assert inside.wait(DEADLINE_S)
    worker.wake()
    go_on.set()
    assert turns.wait_for(2)
    worker.stop()
    assert worker.join(DEADLINE_S)


def test_somebody_elses_event_wakes_too() -> None:
    wake = threading.Event()
    turns = Turns(lambda count: 3_600.0)
    worker = Worker("publish", turns, wake=wake)
    worker.start()
    assert turns.wait_for(1)
    wake.set()
    assert turns.wait_for(2)
    worker.stop()
    assert worker.join(DEADLINE_S)


def test_a_worker_inside_a_long_step_is_stuck_and_late_at_the_end() -> None:
    inside, go_on = threading.Event(), threading.Event()

    def step(count: int) -> float:
        inside.set()
        go_on.wait(DEADLINE_S)
        return 3_600.0

    slow = Worker("slow", Turns(step), longest_s=0.0)
    quick = Worker("quick", Turns(lambda count: 3_600.0))
    supervisor = Supervisor([slow, quick])
    supervisor.start()
    assert inside.wait(DEADLINE_S)
    assert supervisor.stuck() == ("slow",)
    assert supervisor.stop(timeout_s=0.05) == ("slow",)
    go_on.set()
    assert slow.join(DEADLINE_S)


def test_workers_that_never_began_end_without_a_word() -> None:
    supervisor = Supervisor([Worker("one", lambda: 0.0)])
    assert supervisor.stop(timeout_s=0.0) == ()


def test_a_worker_that_waits_long_for_its_next_step_is_well() -> None:
    done = threading.Event()

    def step(count: int) -> float:
        done.set()
        return 3_600.0

    worker = Worker("seldom", Turns(step), longest_s=0.0)
    supervisor = Supervisor([worker])
    supervisor.start()
    assert done.wait(DEADLINE_S)
    pause = threading.Event()
    for _ in range(200):
        if supervisor.stuck() == ():
            break
        pause.wait(0.01)
    assert worker.state().quiet_s >= 0
    assert supervisor.stuck() == ()
    assert supervisor.stop() == ()
