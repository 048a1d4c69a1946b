"""Kill a contender again and again, and count what it accepted and does not give back, or gives twice."""

from __future__ import annotations

import json
import os
import random  # noqa: TID251 - seeded moments of kills
import shutil
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.bench.queues.contenders import Contender
from tests.bench.queues.power import after_power_cut, counting

ROOT = Path(__file__).parents[3]

#: Events offered a second, by so many threads where they may share the storage, and how long a writer lives:
#: from its being ready to the kill.
OFFERED = 500
TILLS = 4
LIVES_S = (0.02, 0.5)
#: What a reader is killed over, and events between the first numbers of two writers.
BACKLOG = 200
#: The reader's kill comes at most so long after the event that was drawn.
AFTER_S = 0.003
STRIDE = 1_000_000
#: No process of a contender may take longer.
LIMIT_S = 90.0


class Broken(Exception):
    """A contender ended by itself, or never did."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What kills did. lost: accepted and never given back. doubled: times an event was given once more."""

    kills: int = 0
    accepted: int = 0
    lost: int = 0
    doubled: int = 0

    def __add__(self, other: Verdict) -> Verdict:
        """Return both together."""
        return Verdict(
            self.kills + other.kills,
            self.accepted + other.accepted,
            self.lost + other.lost,
            self.doubled + other.doubled,
        )


def judge(kills: int, accepted: Sequence[int], given: Sequence[int]) -> Verdict:
    """Compare; what was on its way when the kill came may be given or not, but not twice."""
    times = Counter(given)
    return Verdict(
        kills, len(accepted), sum(number not in times for number in accepted), len(given) - len(times)
    )


@dataclass(frozen=True, slots=True)
class Stand:
    """Where a contender is tried. python: of the private environment for peers. shim: None without gcc."""

    folder: Path
    template: Path
    python: Path = Path(sys.executable)
    shim: Path | None = None


def killed_writers(
    contender: Contender, stand: Stand, kills: int, seed: int, lives_s: tuple[float, float] = LIVES_S
) -> Verdict:
    """Kill the writer at random moments; after each kill the next one first gives back everything."""
    moments = random.Random(f"{seed} {contender.name} writers")
    store, accepted, given = _fresh(stand.folder / "writers"), list[int](), list[int]()
    for round_ in range(kills):
        words = _words(contender, round_, rate=OFFERED, count=STRIDE - 1)
        with _Process("resume", contender, stand, store, words) as writer:
            said = writer.killed_at(moments.uniform(*lives_s))
        accepted += _numbers(said, "a")
        given += _numbers(said, "g")
    given += _drained(contender, stand, store)
    return judge(kills, accepted, given)


def killed_readers(contender: Contender, stand: Stand, kills: int, seed: int) -> Verdict:
    """Kill the reader somewhere in a backlog; the writer had ended cleanly, another reader goes on."""
    moments = random.Random(f"{seed} {contender.name} readers")
    store, accepted, given = _fresh(stand.folder / "readers"), list[int](), list[int]()
    for round_ in range(kills):
        words = _words(contender, round_, rate=1e9, count=BACKLOG)
        with _Process("write", contender, stand, store, words) as writer:
            accepted += _numbers(writer.lines(), "a")
        with _Process("drain", contender, stand, store) as reader:
            given += reader.killed_after(moments.randrange(1, BACKLOG), moments.uniform(0, AFTER_S))
        given += _drained(contender, stand, store)
    return judge(kills, accepted, given)


def power_cuts(
    contender: Contender, stand: Stand, cuts: int, seed: int, lives_s: tuple[float, float] = LIVES_S
) -> Verdict:
    """Kill the writer and read what was synced by then, and nothing else; each time with a new storage."""
    if stand.shim is None:
        raise Broken("no gcc")
    moments = random.Random(f"{seed} {contender.name} cuts")
    total = Verdict()
    for cut in range(cuts):
        place = _fresh(stand.folder / "cuts")
        store, image, left = _fresh(place / "store"), place / "image", place / "left"
        words = _words(contender, cut, rate=OFFERED, count=STRIDE - 1)
        syncs = counting(stand.shim, store, image)
        with _Process("write", contender, stand, store, words, syncs) as writer:
            accepted = _numbers(writer.killed_at(moments.uniform(*lives_s)), "a")
        after_power_cut(store, image, left)
        total += judge(1, accepted, _drained(contender, stand, left))
    return total


@dataclass(frozen=True, slots=True)
class Rate:
    """Events accepted in one round, the seconds until all were written, and the syncs, if counted."""

    accepted: float
    took_s: float
    syncs: float

    @property
    def per_second(self) -> float:
        """Events a second."""
        return self.accepted / self.took_s


def one_rate(contender: Contender, stand: Stand, threads: int, seconds: float, count: bool = False) -> Rate:
    """Let it write as fast as it can into a new storage."""
    store = _fresh(stand.folder / "rate")
    settings = counting(stand.shim, store) if count and stand.shim else None
    with _Process("rate", contender, stand, store, {"threads": threads, "seconds": seconds}, settings) as one:
        found = [json.loads(line) for line in one.lines() if line.startswith("{")]
    return Rate(**found[0])


def drain_rate(contender: Contender, stand: Stand, backlog: int) -> Rate:
    """Let it give back a backlog as fast as it can, acknowledging each event or window in its own way."""
    store = _fresh(stand.folder / "backlog")
    with _Process("backlog", contender, stand, store, {"count": backlog}) as one:
        found = [json.loads(line) for line in one.lines() if line.startswith("{")]
    return Rate(**found[0])


def _drained(contender: Contender, stand: Stand, store: Path) -> list[int]:
    with _Process("drain", contender, stand, store) as reader:
        return _numbers(reader.lines(), "g")


def _words(contender: Contender, round_: int, rate: float, count: int) -> dict[str, float]:
    threads = TILLS if contender.shared and contender.batch == 1 else 1
    return {"first": 1 + round_ * STRIDE, "rate": rate, "count": count, "threads": threads}


def _numbers(lines: Iterable[str], letter: str) -> list[int]:
    return [int(line[2:]) for line in lines if line.startswith(f"{letter} ")]


def _fresh(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


class _Process:
    """One process of a contender; a context manager that leaves none behind."""

    def __init__(
        self,
        task: str,
        contender: Contender,
        stand: Stand,
        store: Path,
        words: Mapping[str, float] | None = None,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        python = stand.python if contender.peer else Path(sys.executable)
        command = [str(python), "-m", "tests.bench.queues.writer", task, contender.to_json(), str(store)]
        command += [str(stand.template), *(f"{name}={value}" for name, value in (words or {}).items())]
        self._log = store.with_name(store.name + ".log")
        self._what = f"{contender.name} ({contender.settings}): {task}"
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                command,
                stdout=subprocess.PIPE,
                stderr=log,
                cwd=ROOT,
                env=os.environ | (settings or {}),
                text=True,
            )
        self._limit = threading.Timer(LIMIT_S, self._process.kill)
        self._limit.start()

    def __enter__(self) -> _Process:
        return self

    def __exit__(self, *error: object) -> None:
        self._limit.cancel()
        self._process.kill()
        self._process.wait()
        if self._process.stdout:
            self._process.stdout.close()

    def lines(self) -> Iterator[str]:
        """Yield what it says up to its clean end."""
        while (line := self._line()) != "end":
            yield line

    def killed_at(self, seconds: float) -> list[str]:
        """Kill it so long after it was ready; return all that it said."""
        said = list[str]()
        while (line := self._line()) != "ready":
            said.append(line)
        threading.Event().wait(seconds)
        if self._process.poll() is not None:
            raise Broken(f"{self._what} ended before its kill: {self._last_words()}")
        self._process.kill()
        assert self._process.stdout is not None
        # Each line is one write of less than a pipe takes at once, so none is cut.
        return said + self._process.stdout.read().splitlines()

    def killed_after(self, count: int, seconds: float) -> list[int]:
        """Kill it so long after it gave so many; return all that it gave before it died."""
        assert self._process.stdout is not None
        given = list[int]()
        while len(given) < count and (line := self._line()) != "end":
            given += _numbers([line], "g")
        threading.Event().wait(seconds)
        self._process.kill()
        return given + _numbers(self._process.stdout.read().splitlines(), "g")

    def _line(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise Broken(f"{self._what} ended by itself: {self._last_words()}")
        return line.rstrip("\n")

    def _last_words(self) -> str:
        said = self._log.read_text("utf-8", "replace").strip().splitlines()
        return said[-1] if said else f"exit {self._process.poll()}, nothing said"
