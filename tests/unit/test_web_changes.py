from __future__ import annotations

import threading

from edge.web.changes import Changes


def test_a_bump_wakes_who_waits_on_that_workstation() -> None:
    changes = Changes()
    woken: list[int] = []
    waiter = threading.Thread(target=lambda: woken.append(changes.wait("K1", 1, 10)))
    waiter.start()
    changes.bump("K2")
    assert not woken
    assert changes.bump("K1") == 2
    waiter.join(5)
    assert woken == [2]


def test_waiting_ends_with_the_same_version_after_the_time_out() -> None:
    assert Changes().wait("K1", 1, 0.01) == 1


def test_a_version_that_was_missed_returns_at_once() -> None:
    changes = Changes()
    changes.bump("K1")
    changes.bump("K1")
    assert changes.wait("K1", 2, 10) == 3


def test_a_version_from_before_a_restart_returns_at_once() -> None:
    assert Changes().wait("K1", 99, 10) == 1


def test_close_lets_waiters_go_and_stays_closed() -> None:
    changes = Changes()
    waiter = threading.Thread(target=changes.wait, args=("K1", 1, 60))
    waiter.start()
    changes.close()
    waiter.join(5)
    assert not waiter.is_alive()
    assert changes.closed
    assert changes.wait("K1", 1, 60) == 1
