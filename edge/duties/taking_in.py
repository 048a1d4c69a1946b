"""Take in what comes from outside: files in the incoming folder, snapshots from HQ."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping

import structlog

from edge.errors import Unavailable
from edge.hq.snapshots import SnapshotDesk
from edge.services.box import Box
from edge.services.snapshot_kinds import snapshot_kinds
from edge.services.take_intake import Intake, WishHandler, take_intake
from edge.services.take_snapshot import FetchCursor, Shelf, return_snapshot, take_snapshots
from edge.workers import Worker

#: A large catalogue takes minutes on a slow card; the tills go on meanwhile.
INTAKE_LONGEST_S = 1_800.0
INTAKE_EVERY_S = 1.0

#: How long a person waits for an import to end before being told to come back.
RETURN_PATIENCE_S = 5.0

_log = structlog.get_logger("service")


class TakingIn:
    """Files and snapshots, one import at a time."""

    def __init__(
        self,
        box: Box,
        intake: Intake | None,
        desk: SnapshotDesk,
        has_room: Callable[[], bool],
        news: Callable[[], None],
        wishes: Mapping[str, WishHandler],
    ) -> None:
        """intake: None for no folder. news: called when there is something to tell HQ.

        wishes: by kind, what is done for one that was handed in.
        """
        self._box = box
        self._intake = intake
        self._desk = desk
        self._has_room = has_room
        self._news = news
        self._wishes = wishes
        kinds = snapshot_kinds(box.rules.zone)
        self._shelf = Shelf(box.store, box.clock, box.ids, box.origin, kinds)
        self._fetching = FetchCursor()
        # A newer import ends an older one, so that a file and a snapshot must not meet.
        self._importing = threading.Lock()

    def return_snapshot(self, name: str) -> str:
        """Put the previous version of a snapshot in force again; return a line that says so.

        Raises Invalid when there is none, Unavailable while an import goes on.
        """
        if not self._importing.acquire(timeout=RETURN_PATIENCE_S):
            raise Unavailable("an import is under way; try again when it is over")
        try:
            line = return_snapshot(self._shelf, name)
        finally:
            self._importing.release()
        self._news()
        return line

    def workers(self) -> list[Worker]:
        """Return the worker of the folder, if there is one, and that of the snapshots."""
        files = [Worker("intake", self._taking_in(self._intake), INTAKE_LONGEST_S)] if self._intake else []
        return [*files, Worker("snapshots", self._take_snapshots, INTAKE_LONGEST_S, self._desk.wake)]

    def _taking_in(self, intake: Intake) -> Callable[[], float]:
        def step() -> float:
            box = self._box
            with self._importing:
                done = take_intake(
                    box.store, box.clock, box.rules.zone, intake, self._has_room(), self._shelf, self._wishes
                )
            if done is None:
                return INTAKE_EVERY_S
            name, report = done
            _log.info("intake", file=name, taken=report.taken, lines=list(report.lines[-5:]))
            return 0.0

        return step

    def _take_snapshots(self) -> float:
        with self._importing:
            step = take_snapshots(self._shelf, self._desk, self._fetching, self._has_room())
        self._fetching = step.cursor
        for word in step.news:
            _log.info("snapshot", news=word)
            self._news()
        return step.wait_ms / 1000
