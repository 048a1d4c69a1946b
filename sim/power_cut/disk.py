"""A disk that may forget: what was synced stays, of the rest a power cut keeps anything or nothing.

Files are kept by number, not by name, and a folder's entries are as forgetful as contents: an entry is sure
once the folder was synced. Source: fsync(2); SQLite, "Atomic Commit In SQLite", section 2.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from sim.power_cut.trace import Did, Operation

#: A disk writes sectors whole.
SECTOR = 512


class Fate(StrEnum):
    """What became of what was not synced: all DROPPED, all KEPT, SOME of it in order, the last write TORN."""

    DROPPED = "dropped"
    KEPT = "kept"
    SOME = "some"
    TORN = "torn"


Image = dict[str, bytes]


class Chance:
    """Choices that follow from a word alone, the same on every machine."""

    def __init__(self, word: str) -> None:
        self._word = word
        self._asked = 0

    def below(self, limit: int) -> int:
        """Return a number from 0 to `limit` - 1."""
        self._asked += 1
        found = hashlib.sha256(f"{self._word} {self._asked}".encode()).digest()
        return int.from_bytes(found[:8]) % limit


@dataclass(slots=True)
class _File:
    durable: bytearray = field(default_factory=bytearray)
    pending: list[Operation] = field(default_factory=list)


class Disk:
    """The files of one folder; `do` in order, `image` at any moment."""

    def __init__(self, present: Image) -> None:
        """present: what was there and synced before; numbered 1, 2 ... by name, as trace.record does."""
        self._files = {
            number: _File(bytearray(present[name])) for number, name in enumerate(sorted(present), 1)
        }
        self._names = {name: number for number, name in enumerate(sorted(present), 1)}
        self._entries: list[Operation] = []

    @property
    def pending(self) -> int:
        """How many operations a power cut may forget."""
        return len(self._entries) + sum(len(file.pending) for file in self._files.values())

    def do(self, operation: Operation) -> None:
        """Take one operation."""
        if operation.did is Did.SYNC_FOLDER:
            _enter(self._names, self._entries)
            self._entries = []
        elif operation.did in (Did.CREATE, Did.UNLINK, Did.RENAME):
            self._files.setdefault(operation.file, _File())
            self._entries.append(operation)
        elif operation.did is Did.SYNC:
            file = self._files[operation.file]
            _write(file.durable, file.pending)
            file.pending = []
        elif operation.did is not Did.SAID:
            self._files[operation.file].pending.append(operation)

    def image(self, fate: Fate, chance: Chance) -> Image:
        """Return what a power cut now leaves, by name. chance: chooses for SOME and TORN."""
        names = dict(self._names)
        kept = self._entries
        if fate is Fate.DROPPED:
            kept = []
        elif fate is Fate.SOME:
            kept = kept[: chance.below(len(kept) + 1)]
        _enter(names, kept)
        return {name: self._content(number, fate, chance) for name, number in names.items()}

    def _content(self, number: int, fate: Fate, chance: Chance) -> bytes:
        file = self._files[number]
        if fate is Fate.DROPPED or not file.pending:
            return bytes(file.durable)
        content = bytearray(file.durable)
        _write(content, _survivors(file.pending, fate, chance))
        return bytes(content)


def _survivors(pending: list[Operation], fate: Fate, chance: Chance) -> list[Operation]:
    if fate is Fate.SOME:
        return [one for one in pending if chance.below(2)]
    if fate is Fate.TORN:
        return [*pending[:-1], *_torn(pending[-1], chance)]
    return pending


def _torn(last: Operation, chance: Chance) -> Iterator[Operation]:
    """Yield the beginning or the end of a write, cut where a sector begins."""
    if last.did is not Did.WRITE or len(last.data) <= SECTOR:
        return
    sectors = range(SECTOR - last.offset % SECTOR, len(last.data), SECTOR)
    cut = sectors[chance.below(len(sectors))]
    if chance.below(2):
        yield Operation(Did.WRITE, last.file, offset=last.offset, data=last.data[:cut])
    else:
        yield Operation(Did.WRITE, last.file, offset=last.offset + cut, data=last.data[cut:])


def _write(content: bytearray, operations: list[Operation]) -> None:
    for one in operations:
        if one.did is Did.RESIZE:
            _resize(content, one.offset)
        else:
            end = one.offset + len(one.data)
            if len(content) < end:
                _resize(content, end)
            content[one.offset : end] = one.data


def _resize(content: bytearray, size: int) -> None:
    if size < len(content):
        del content[size:]
    else:
        content.extend(bytes(size - len(content)))


def _enter(names: dict[str, int], entries: list[Operation]) -> None:
    for one in entries:
        if one.did is Did.CREATE:
            names[one.name] = one.file
        else:
            names.pop(one.name, None)
            if one.did is Did.RENAME:
                names[one.new_name] = one.file
