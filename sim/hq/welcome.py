"""HQ answers who joined at a box: it takes over the number they got there (docs/protocols/commands.md)."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass

from sim.commander import Commander, Wish
from sim.hq.behaviour import Behaviour
from sim.hq.books import Books

_log = logging.getLogger(__name__)

#: How often HQ looks for somebody new, and how long one box may take to answer.
LOOK_S = 1.0
PATIENCE_S = 5.0

#: Joins that are looked through, newest first; HQ asks no box about older ones.
MAX_JOINS = 10_000


@dataclass(frozen=True, slots=True)
class Joined:
    """Somebody who joined at a box, by the number that they got there."""

    site: str
    edge: str
    member_id: str


class Welcome:
    """Commands `member_merged`, the same number twice, until the box answers; a context manager.

    behaviour: HQ that is away answers nobody. What a box refuses is answered as well: it is not asked again.
    """

    def __init__(self, books: Books, broker: tuple[str, int], behaviour: Callable[[], Behaviour]) -> None:
        self._books, self._broker, self._behaviour = books, broker, behaviour
        self._answered: set[Joined] = set()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="hq-welcome", daemon=True)

    def __enter__(self) -> Welcome:
        """Work in the background."""
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        """Stop; a command under way is waited for."""
        self._stopping.set()
        self._thread.join(2 * PATIENCE_S)

    @property
    def answered(self) -> int:
        """How many boxes' answers have been heard since the start."""
        return len(self._answered)

    def _run(self) -> None:
        while not self._stopping.wait(LOOK_S):
            try:
                self._look()
            except Exception:
                # A supervisor: whoever was not answered is asked about again.
                _log.debug("HQ's answers to joins", exc_info=True)

    def _look(self) -> None:
        if self._behaviour().away:
            return
        waiting = [one for one in joined(self._books) if one not in self._answered]
        if not waiting:
            return
        host, port = self._broker
        with Commander(port, host) as hand:
            for one in waiting:
                if self._stopping.is_set() or hand.command(welcome(one), PATIENCE_S) is None:
                    return
                self._answered.add(one)


def welcome(one: Joined) -> Wish:
    """Return HQ's answer; its id is the member's, so that a repeat changes nothing."""
    arguments = {"absorbed_id": one.member_id, "member_id": one.member_id}
    return Wish(one.site, one.edge, "member_merged", arguments, "HQ", command_id=f"join-{one.member_id}")


def joined(books: Books) -> list[Joined]:
    """Return who joined at boxes that are online, oldest first."""
    rows = books.rows(_JOINED, "member.joined", MAX_JOINS)
    found = [
        Joined(str(row["site"]), str(row["edge"]), str(json.loads(str(row["data"]))["member_id"]))
        for row in rows
    ]
    return found[::-1]


_JOINED = """
SELECT events.site, events.edge, data FROM events JOIN boxes USING (site, edge)
WHERE kind = ? AND presence = 'online' ORDER BY time DESC LIMIT ?
"""
