"""Snapshots of members: a million lines staged a few hundred at a time, shown by the change of one number.

A cut in the middle costs at most the stretch that was being written: the import goes on behind the last
member that is staged. Keys are written at the end in order of their hashes, so that each page of their table
is written once and not once for every member on it.
"""

from __future__ import annotations

import heapq
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TypeVar

from edge.errors import Invalid
from edge.members.member_snapshot import Member, read_members
from edge.services.member_records import MemberChange, MemberImport, MemberIntake
from edge.services.ports import Clock, Store
from edge.services.records import Unit
from edge.services.snapshot_content import Content
from edge.services.snapshot_delta import split_lines
from edge.services.snapshot_kind import MIB, Done

T = TypeVar("T")

#: The longest line, and members, keys and old rows in one unit of work: a till waits for milliseconds.
MAX_LINE_BYTES = 1_024
STAGE_ROWS = 250
KEY_ROWS = 500
TIDY_ROWS = 250
READ_ROWS = 2_000

#: Parts that the keys are sorted in, so that only one is in memory as Python objects, and keys of one sort: a
#: long one would stop every other thread.
_PARTS = 64
_SORT_KEYS = 5_000


@dataclass(frozen=True, slots=True)
class MembersKind:
    """All members of the mall: a table of edge/members/member_snapshot.py, sorted by member_id."""

    name: str = "members"
    max_bytes: int = 256 * MIB

    def apply(self, store: Store, clock: Clock, content: Content, done: Done, returned: bool) -> str:
        """Stage what differs and show it; who is not named is removed. Goes on where a cut ended it."""
        staging = _Staging(store, content.token)
        try:
            staging.stage(read_members(split_lines(content.blocks(), MAX_LINE_BYTES)))
        except Invalid:
            staging.give_up()
            raise
        staging.keys()
        change = staging.finish(done)
        total = store.read(lambda unit: unit.members.count())
        return f"{change.added} added, {change.changed} changed, {change.removed} removed; {total} members"


class _Staging:
    """One import on its way into the store, unit by unit."""

    def __init__(self, store: Store, token: str) -> None:
        self._store = store
        self._write(lambda intake: intake.end_other(token))
        self._tidy()
        self._import: MemberImport = self._write(lambda intake: intake.begin(token))

    def stage(self, members: Iterable[Member]) -> None:
        number, after = self._import.number, self._import.after
        for batch in _batches(members, STAGE_ROWS):
            fresh = batch if batch[0].member_id > after else [one for one in batch if one.member_id > after]
            if fresh:
                after = self._stage(number, after, fresh)
        self._write(lambda intake: intake.stage(number, after, (), None))

    def keys(self) -> None:
        """Write the keys of all rows of the import, in order of their hashes."""
        for part in self._parts():
            for batch in _batches(part, KEY_ROWS):
                self._put_keys(batch)

    def finish(self, done: Done) -> MemberChange:
        def work(unit: Unit) -> MemberChange:
            change = unit.members.intake.finish(self._import.number)
            done(unit)
            return change

        change = self._store.write(work)
        self._tidy()
        return change

    def give_up(self) -> None:
        self._write(lambda intake: intake.end_other(""))
        self._tidy()

    def _stage(self, number: int, after: str, batch: Sequence[Member]) -> str:
        last = batch[-1].member_id
        self._write(lambda intake: intake.stage(number, after, batch, last))
        return last

    def _parts(self) -> Iterator[Iterator[tuple[int, int]]]:
        hashes = [array("q") for _ in range(_PARTS)]
        rows = [array("q") for _ in range(_PARTS)]
        for row, keys in self._rows():
            for key in keys:
                part = (key >> 58) + _PARTS // 2
                hashes[part].append(key)
                rows[part].append(row)
        for some, others in zip(hashes, rows, strict=True):
            yield _in_order(zip(some, others, strict=True))

    def _rows(self) -> Iterator[tuple[int, tuple[int, ...]]]:
        at = self._import.first_row
        while page := self._read_rows(at):
            yield from page
            at = page[-1][0] + 1

    def _read_rows(self, at: int) -> tuple[tuple[int, tuple[int, ...]], ...]:
        return self._store.read(lambda unit: unit.members.intake.rows(self._import.number, at, READ_ROWS))

    def _put_keys(self, batch: Sequence[tuple[int, int]]) -> None:
        self._write(lambda intake: intake.put_keys(self._import.number, batch))

    def _tidy(self) -> None:
        while self._write(lambda intake: intake.tidy(TIDY_ROWS)):
            pass

    def _write(self, work: Callable[[MemberIntake], T]) -> T:
        return self._store.write(lambda unit: work(unit.members.intake))


def _in_order(keys: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    return heapq.merge(*(sorted(piece) for piece in _batches(keys, _SORT_KEYS)))


def _batches(values: Iterable[T], size: int) -> Iterator[list[T]]:
    rest = iter(values)
    while batch := list(islice(rest, size)):
        yield batch
