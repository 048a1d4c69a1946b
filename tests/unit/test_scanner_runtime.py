"""Back-off and health bookkeeping that every driver shares (devices.runtime)."""

from __future__ import annotations

import pytest

from devices.runtime import Backoff, HealthRecord
from devices.types import Health

_S = 1_000_000_000


class _Clock:
    def __init__(self) -> None:
        self.now_ns = 100

    def __call__(self) -> int:
        return self.now_ns


def test_delays_double_up_to_the_last_one_and_start_again_after_success() -> None:
    backoff = Backoff(0.2, 5.0)
    assert [backoff.failed(0) for _ in range(7)] == [0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0]
    backoff.succeeded()
    assert backoff.failed(0) == 0.2


def test_an_attempt_is_due_at_once_and_then_after_its_delay() -> None:
    backoff = Backoff(0.5, 5.0)
    assert backoff.wait_s(7 * _S) == 0.0
    backoff.failed(7 * _S)
    assert backoff.wait_s(7 * _S) == 0.5
    assert backoff.wait_s(7 * _S + _S // 4) == 0.25
    assert backoff.wait_s(8 * _S) == 0.0
    backoff.succeeded()
    assert backoff.wait_s(7 * _S) == 0.0


@pytest.mark.parametrize(("first_s", "last_s"), [(0.0, 5.0), (-1.0, 5.0), (2.0, 1.0)])
def test_a_senseless_backoff_is_refused(first_s: float, last_s: float) -> None:
    with pytest.raises(ValueError, match="0 < first_s <= last_s"):
        Backoff(first_s, last_s)


def test_a_new_record_is_starting_and_has_heard_nothing() -> None:
    status = HealthRecord("s1", "scanner", "/dev/x", _Clock()).status()
    assert (status.name, status.kind, status.port) == ("s1", "scanner", "/dev/x")
    assert (status.health, status.since_ns, status.last_heard_ns) == (Health.STARTING, 100, None)


def test_since_moves_only_when_the_health_changes() -> None:
    clock = _Clock()
    record = HealthRecord("s1", "scanner", "/dev/x", clock)
    clock.now_ns = 200
    record.absent("no such port")
    clock.now_ns = 300
    record.absent("still no such port")
    status = record.status()
    assert (status.since_ns, status.detail) == (200, "still no such port")


def test_reopened_counts_returns_and_not_the_first_opening() -> None:
    record = HealthRecord("s1", "scanner", "/dev/x", _Clock())
    record.absent("not there at start")
    record.connected("open")
    assert record.status().reopened == 0
    record.connected("open, again said")
    assert record.status().reopened == 0
    record.absent("unplugged")
    record.fault("busy")
    record.connected("open", port="/dev/y")
    assert (record.status().reopened, record.status().port) == (1, "/dev/y")


def test_heard_keeps_the_moment_it_is_given_or_now() -> None:
    record = HealthRecord("s1", "scanner", "/dev/x", _Clock())
    record.heard(42)
    assert record.status().last_heard_ns == 42
    record.heard()
    assert record.status().last_heard_ns == 100
