"""Cut the power at every write and sync of a recorded run, start from what is left, and compare.

What must be there is one of the states that were committed, whole, and none older than the last one that a
caller was answered for; a copy of the database that has its name is sound and is one of them too.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from edge.errors import EdgeError
from edge.store.backup import look_at
from sim.power_cut.disk import Chance, Disk, Fate, Image
from sim.power_cut.state import digest
from sim.power_cut.trace import Did, Operation, record
from sim.power_cut.workload import COPY, DATABASE, open_store, prepare

#: Where images are put; in memory where there is such a folder, as each is opened for a moment only.
_SHM = Path("/dev/shm")


@dataclass(frozen=True, slots=True)
class Recording:
    """What a workload did. present: the files before it, all of them synced."""

    name: str
    present: Image
    operations: tuple[Operation, ...]

    @property
    def states(self) -> tuple[str, ...]:
        """The digests of all committed states, oldest first."""
        said = (one.data.decode().split() for one in self.operations if one.did is Did.SAID)
        return tuple(words[1] for words in said if words[0] == "commit")


@dataclass(slots=True)
class CutToll:
    """What the cuts of a workload came to. images: checked ones; kinds: by fate; problems: what was wrong."""

    images: int = 0
    kinds: Counter[Fate] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)

    def add(self, other: CutToll) -> CutToll:
        """Add another's figures; return self."""
        self.images += other.images
        self.kinds += other.kinds
        self.problems += other.problems
        return self


@dataclass(slots=True)
class _Word:
    """What the workload has said so far: the states by age, how many of them are acknowledged, the copies."""

    states: tuple[str, ...]
    acknowledged: int = 0
    copied: bool = False

    def hear(self, data: bytes) -> None:
        if data.startswith(b"commit "):
            self.acknowledged += 1
        elif data.startswith(b"copy "):
            self.copied = True


def record_workload(name: str) -> Recording:
    """Run a workload in a process of its own under strace; raise trace.Untraceable when it cannot be."""
    with TemporaryDirectory(prefix="power-cut-") as folder:
        place = Path(folder, "data")
        place.mkdir()
        prepare(place)
        present = {path.name: path.read_bytes() for path in place.iterdir()}
        command = (sys.executable, "-B", "-m", "sim.power_cut.workload", name, str(place))
        return Recording(name, present, record(command, place, Path(folder, "strace.txt")))


def cut(recording: Recording, every: int = 1, seed: int = 0, processes: int = 1) -> CutToll:
    """Cut the power after each `every`-th operation, in four ways; return what was found.

    seed: chooses what of the writes that were not synced survives; a problem names it and the operation.
    """
    with ProcessPoolExecutor(processes) as pool:
        share = partial(_cut_share, recording, every, seed, processes)
        total = CutToll()
        for part in pool.map(share, range(processes)):
            total.add(part)
    return total


def cut_at(recording: Recording, at: int, fate: Fate, seed: int = 0) -> list[str]:
    """Cut the power after operation `at` alone, to see a problem again; return what is wrong."""
    for number, disk, word in _moments(recording):
        if number == at:
            return _look(disk.image(fate, _chance(seed, at, fate)), word)
    raise ValueError(f"{recording.name} has {len(recording.operations)} operations, not {at}")


def _cut_share(recording: Recording, every: int, seed: int, processes: int, mine: int) -> CutToll:
    toll = CutToll()
    for number, disk, word in _moments(recording):
        if number % every or (number // every) % processes != mine:
            continue
        for fate in Fate if disk.pending else (Fate.DROPPED,):
            problems = _look(disk.image(fate, _chance(seed, number, fate)), word)
            toll.images += 1
            toll.kinds[fate] += 1
            where = f"{recording.name}, seed {seed}, after operation {number}, unsynced writes {fate}"
            toll.problems += [f"{where}: {problem}" for problem in problems]
    return toll


def _chance(seed: int, at: int, fate: Fate) -> Chance:
    return Chance(f"{seed} {at} {fate}")


def _moments(recording: Recording) -> Iterator[tuple[int, Disk, _Word]]:
    disk, word = Disk(recording.present), _Word(recording.states)
    for number, operation in enumerate(recording.operations, 1):
        if operation.did is Did.SAID:
            word.hear(operation.data)
        else:
            disk.do(operation)
        yield number, disk, word


def _look(image: Image, word: _Word) -> list[str]:
    """Start from an image with the shipped code; return what is wrong with what is there."""
    with TemporaryDirectory(prefix="power-cut-", dir=_SHM if _SHM.is_dir() else None) as name:
        folder = Path(name)
        for file, content in image.items():
            (folder / file).write_bytes(content)
        return [*_database(folder, word), *_copy(folder, word)]


def _database(folder: Path, word: _Word) -> Iterator[str]:
    try:
        store = open_store(folder)
    except EdgeError as error:
        yield f"the service does not start: {error}"
        return
    try:
        found = digest(folder / DATABASE)
    finally:
        store.close()
    if found not in word.states:
        yield "what is there was never committed: half a transaction"
    elif found not in word.states[max(0, word.acknowledged - 1) :]:
        yield f"commit {word.acknowledged} was acknowledged, what is there is an older one"


def _copy(folder: Path, word: _Word) -> Iterator[str]:
    copy = folder / COPY
    if not copy.exists():
        if word.copied:
            yield "a copy that was reported as made is not there"
        return
    try:
        look_at(copy)
    except EdgeError as error:
        yield f"a copy under its name is not sound: {error}"
        return
    if digest(copy) not in word.states:
        yield "a copy holds a state that was never committed"
