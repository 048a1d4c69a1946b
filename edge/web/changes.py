"""Who is told that a workstation's view has changed: a version number per workstation."""

from __future__ import annotations

import threading


class Changes:
    """Versions of the workstations' views, to wait on; every method may be called from any thread.

    Versions begin at 1 and only grow while the process lives. After a restart they begin again, so a
    waiter compares for difference, never for order.
    """

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._versions: dict[str, int] = {}
        self._closed = False

    def bump(self, workstation: str) -> int:
        """Note that the workstation's view has changed; return its new version."""
        with self._condition:
            version = self._versions.get(workstation, 1) + 1
            self._versions[workstation] = version
            self._condition.notify_all()
            return version

    def version(self, workstation: str) -> int:
        """Return the present version."""
        with self._condition:
            return self._versions.get(workstation, 1)

    def wait(self, workstation: str, seen: int, timeout_s: float) -> int:
        """Return the present version once it differs from `seen`, or after `timeout_s`, or at close."""
        with self._condition:
            self._condition.wait_for(
                lambda: self._closed or self._versions.get(workstation, 1) != seen, timeout_s
            )
            return self._versions.get(workstation, 1)

    def close(self) -> None:
        """Let every waiter go, now and from now on; streams end."""
        with self._condition:
            self._closed = True
            self._condition.notify_all()

    @property
    def closed(self) -> bool:
        """Whether `close` was called."""
        with self._condition:
            return self._closed
