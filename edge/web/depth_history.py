"""How deep the outbox was over the last hour, for a plot on the staff page; kept in memory only."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence

#: The plot goes back so far, in steps of so many seconds; each step keeps its highest depth.
SPAN_S = 3600
STEP_S = 15


class DepthHistory:
    """The highest depth of each step of the last hour, at most 241 steps; callable from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._steps: deque[tuple[int, int]] = deque(maxlen=SPAN_S // STEP_S + 1)

    def note(self, depth: int, at_s: float) -> None:
        """Note the depth at `at_s`, seconds of a clock that only grows."""
        step = int(at_s // STEP_S)
        with self._lock:
            if self._steps and self._steps[-1][0] == step:
                depth = max(depth, self._steps.pop()[1])
            self._steps.append((step, depth))

    def points(self, at_s: float) -> Sequence[tuple[int, int]]:
        """Return (seconds before `at_s`, depth) of each step within the span, oldest first."""
        with self._lock:
            steps = tuple(self._steps)
        aged = ((max(0, int(at_s) - step * STEP_S), depth) for step, depth in steps)
        return [(ago_s, depth) for ago_s, depth in aged if ago_s <= SPAN_S]
