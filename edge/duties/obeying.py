"""Obey what HQ commands, one command after the other."""

from __future__ import annotations

import threading
from collections.abc import Callable

import structlog

from edge.hq.commands import CommandDesk
from edge.services.box import Box
from edge.services.command_records import CommandState
from edge.services.obey_command import CommandKind, Means, describe_command, end_orphans, obey_command
from edge.workers import Worker

COMMAND_TURN_S = 1.0

_log = structlog.get_logger("service")


class Obeying:
    """HQ's commands. ended: set when HQ wants this process to end and be started anew."""

    def __init__(
        self,
        box: Box,
        desk: CommandDesk,
        means: Means,
        redraw: Callable[[str], None],
        news: Callable[[], None],
    ) -> None:
        """news: called when there is something to tell HQ."""
        self._box = box
        self._desk = desk
        self._means = means
        self._redraw = redraw
        self._news = news
        self.frozen = False
        self.ended = threading.Event()

    def workers(self) -> list[Worker]:
        """Return the one worker that obeys."""
        return [Worker("commands", self._obey)]

    def begin(self) -> int:
        """Look at what the last stop left; return how many commands it cut off."""
        cut_off = end_orphans(self._box)
        self.frozen = self._is_frozen()
        return cut_off

    def _is_frozen(self) -> bool:
        return self._box.store.read(lambda unit: unit.commands.freeze()) is not None

    def _obey(self) -> float:
        order = self._desk.next(COMMAND_TURN_S)
        if order is None:
            end_orphans(self._box)
            return 0.0
        obeyed = obey_command(self._box, self._means, order.command)
        record = obeyed.record
        _log.warning("command", repeated=obeyed.repeated, what=describe_command(record))
        self._refresh()
        self._news()
        self._desk.answer(order, obeyed)
        if record.kind == CommandKind.RELOAD and record.state is CommandState.DONE and not obeyed.repeated:
            self.ended.set()
        return 0.0

    def _refresh(self) -> None:
        frozen = self._is_frozen()
        if frozen != self.frozen:
            self.frozen = frozen
            for workstation in self._box.workstations:
                self._redraw(workstation)
