"""A simulator ends by a signal in every moment, also while its main thread is inside a wait."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator

import pytest

from devices.signals import stop_on_signals


@pytest.fixture
def handlers() -> Iterator[None]:
    """Give the test's signals back."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.usefixtures("handlers")
@pytest.mark.timeout(20)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_that_comes_inside_a_wait_ends_it(number: signal.Signals) -> None:
    stop = threading.Event()
    stop_on_signals(stop)
    # What Event.wait holds while it looks: a handler that sets the event itself would never come back.
    with stop._cond:  # type: ignore[attr-defined]
        signal.raise_signal(number)
    assert stop.wait(10)


@pytest.mark.usefixtures("handlers")
def test_a_second_signal_does_no_harm() -> None:
    stop = threading.Event()
    stop_on_signals(stop)
    signal.raise_signal(signal.SIGTERM)
    assert stop.wait(10)
    signal.raise_signal(signal.SIGTERM)
    assert stop.is_set()
