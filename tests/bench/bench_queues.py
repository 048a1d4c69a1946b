"""Our store beside other storages for events: events a second, and what kills and power cuts take.

Run: python -m tests.bench.bench_queues [--quick] [--kills 50]. All store the same paid order of
some 1.2 kB (ours composes and encodes it inside the transaction, the others are handed the bytes).
Rates: each in a process of its own, in turn, as fast as it can; the clock stops when what was accepted has
been written. Kills: at 500 events a second the writer is killed, the next process first reads everything.
Readers: killed somewhere in a backlog. Power cuts: only what was synced by the kill is given to
the reader (queues/power.py).
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.bench.big_mall import say
from tests.bench.queues.contenders import CONTENDERS, Contender
from tests.bench.queues.environment import Unreachable, peers_python
from tests.bench.queues.power import build_shim
from tests.bench.queues.sample import template
from tests.bench.queues.trial import (
    Broken,
    Rate,
    Stand,
    Verdict,
    drain_rate,
    killed_readers,
    killed_writers,
    one_rate,
    power_cuts,
)
from tests.bench.table import RESULTS, Figure, Result, machine, percentile, report

THREADS = 16
KILLS = 50
TABLE = RESULTS / "queues.md"


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is tried. side_by_side: contenders at a time, but for rates."""

    kills: int = KILLS
    readers: int = 10
    cuts: int = 10
    rounds: int = 3
    seconds: float = 1.0
    seed: int = 1
    side_by_side: int = 3
    backlog: int = 1_000


QUICK = Plan(kills=5, readers=3, cuts=3, rounds=1, seconds=0.5)


@dataclass(slots=True)
class Found:
    """What was seen of one contender; what could not be tried stays empty, and `trouble` says why."""

    rates: dict[int, list[Rate]] = field(default_factory=dict)
    drains: list[Rate] = field(default_factory=list)
    counted: dict[int, Rate] = field(default_factory=dict)
    writers: Verdict | None = None
    readers: Verdict | None = None
    cuts: Verdict | None = None
    trouble: str = ""

    def rate(self, threads: int) -> float | None:
        """Return the median round's events a second."""
        return _median(self.rates.get(threads, []))

    def drained(self) -> float | None:
        """Return the median round's events a second given and acknowledged; None where nothing came."""
        return _median([each for each in self.drains if each.accepted])

    def syncs(self, threads: int) -> float | None:
        """Return syncs for an accepted event, None when they could not be counted."""
        one = self.counted.get(threads)
        return one.syncs / one.accepted if one and one.accepted else None


Everything = dict[Contender, Found]


def _median(rounds: Sequence[Rate]) -> float | None:
    return percentile([each.per_second for each in rounds], 50) if rounds else None


def measure(kills: int = KILLS, seed: int = 1, quick: bool = False) -> Result:
    """Try everybody, in some twelve minutes; peers that cannot be installed are left out, with a word."""
    plan = QUICK if quick else Plan(kills=kills, seed=seed)
    RESULTS.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=RESULTS, prefix="queues-") as name:
        folder = Path(name)
        (folder / "template.json").write_text(template(), encoding="utf-8")
        shim = build_shim(folder)
        if shim is None:
            say("no gcc: syncs are not counted and power cuts left out")
        everybody, python = _present()
        stands = {
            one: Stand(folder / str(number), folder / "template.json", python, shim)
            for number, one in enumerate(everybody)
        }
        found = {one: Found() for one in everybody}
        _rates(plan, stands, found)
        say(f"{plan.kills} kills of writers, {plan.readers} of readers, {plan.cuts} power cuts each")
        with ThreadPoolExecutor(plan.side_by_side) as pool:
            for _ in pool.map(lambda one: _deaths(plan, one, stands[one], found[one]), everybody):
                # A run that is broken off leaves what it has found.
                TABLE.write_text(markdown(plan, found), encoding="utf-8")
    print(markdown(plan, found))
    return Result("queues", _figures(found), {}, f"seed {plan.seed}; all columns in {TABLE.name}")


def _present() -> tuple[Sequence[Contender], Path]:
    try:
        return CONTENDERS, peers_python()
    except Unreachable as error:
        say(f"the peers cannot be installed and are left out: {error}")
        return [one for one in CONTENDERS if not one.peer], Path(sys.executable)


def _rates(plan: Plan, stands: dict[Contender, Stand], found: Everything) -> None:
    """Let all take turns, there and back: the disk's mood changes within seconds."""
    for number in range(plan.rounds):
        say(f"rates, round {number + 1} of {plan.rounds}")
        for one in list(stands)[:: -1 if number % 2 else 1]:
            with _noted(found[one]):
                _one_round(plan, one, stands[one], found[one])
    for one, stand in stands.items():
        with _noted(found[one]):
            for threads in _threads(one) if stand.shim else ():
                found[one].counted[threads] = one_rate(one, stand, threads, 0.5, count=True)


def _one_round(plan: Plan, one: Contender, stand: Stand, found: Found) -> None:
    for threads in _threads(one):
        found.rates.setdefault(threads, []).append(one_rate(one, stand, threads, plan.seconds))
    found.drains.append(drain_rate(one, stand, plan.backlog))


def _threads(one: Contender) -> tuple[int, ...]:
    return (1, THREADS) if one.shared and one.batch == 1 else (1,)


@contextmanager
def _noted(found: Found) -> Iterator[None]:
    """Whoever breaks is out of the running with its own words; the others go on."""
    try:
        yield
    except Broken as error:
        found.trouble = str(error)


def _deaths(plan: Plan, one: Contender, stand: Stand, found: Found) -> None:
    with _noted(found):
        found.writers = killed_writers(one, stand, plan.kills, plan.seed)
    with _noted(found):
        found.readers = killed_readers(one, stand, plan.readers, plan.seed)
    if stand.shim:
        with _noted(found):
            found.cuts = power_cuts(one, stand, plan.cuts, plan.seed)


def markdown(plan: Plan, found: Everything) -> str:
    """Return everything as one table."""
    head = (
        "storage",
        "settings",
        "stored/s, 1 thread",
        f"{THREADS} threads",
        "given back/s",
        "syncs an event, 1 thread",
        f"{THREADS} threads",
        f"lost, {plan.kills} kills",
        "doubled",
        f"lost, {plan.cuts} power cuts",
        f"lost, {plan.readers} kills of the reader",
        "doubled",
    )
    lines = [head, ("---",) * 2 + ("---:",) * (len(head) - 2)]
    lines += [_row(one, seen) for one, seen in found.items()]
    troubles = [f"{one.name}: {seen.trouble}" for one, seen in found.items() if seen.trouble]
    return "\n".join([*("| " + " | ".join(line) + " |" for line in lines), "", *troubles, machine(), ""])


def _row(one: Contender, seen: Found) -> tuple[str, ...]:
    return (
        one.name,
        one.settings,
        _count(seen.rate(1)),
        _count(seen.rate(THREADS)),
        _count(seen.drained()),
        _few(seen.syncs(1)),
        _few(seen.syncs(THREADS)),
        _of(seen.writers),
        _times(seen.writers),
        _of(seen.cuts),
        _of(seen.readers),
        _times(seen.readers),
    )


def _count(value: float | None) -> str:
    return "-" if value is None else f"{value:,.0f}"


def _few(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _of(seen: Verdict | None) -> str:
    return "-" if seen is None else f"{seen.lost:,} of {seen.accepted:,}"


def _times(seen: Verdict | None) -> str:
    return "-" if seen is None else f"{seen.doubled:,}"


def _figures(found: Everything) -> list[Figure]:
    """Return what this project promises of its own store, and the best of the others that kept everything."""
    figures = []
    for one, seen in found.items():
        if one.make.endswith(":Store"):
            figures += _own_figures(one, seen, found)
    return figures


def _own_figures(one: Contender, seen: Found, found: Everything) -> list[Figure]:
    name = f"{'handed bytes' if one.options else 'record_event'}, {one.batch} a unit"
    figures = []
    for threads in seen.rates:
        rate, best = seen.rate(threads) or 0, _best(found, one.batch, threads)
        figures.append(Figure(f"{name}, {threads} threads", rate, "events/s"))
        if best:
            figures.append(
                Figure(f"{name}, {threads} threads, to the best peer that kept all", rate / best, "x")
            )
    trials = {"killed writers": seen.writers, "killed readers": seen.readers, "power cuts": seen.cuts}
    figures += [
        Figure(f"{name}: lost by {what}", trial.lost, "events", 0)
        for what, trial in trials.items()
        if trial is not None
    ]
    return figures


def _best(found: Everything, batch: int, threads: int) -> float:
    """Return the most events a second of a peer that lost nothing, batches of one size compared."""
    rivals = (seen for one, seen in found.items() if one.peer and one.batch == batch and kept(seen))
    return max((seen.rate(threads) or 0.0 for seen in rivals), default=0.0)


def kept(seen: Found) -> bool:
    """Return whether nothing accepted was lost by killed writers or power cuts; untried is not kept."""
    return all(trial is not None and not trial.lost for trial in (seen.writers, seen.cuts))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a few kills and one short round")
    parser.add_argument("--kills", type=int, default=KILLS)
    parser.add_argument("--seed", type=int, default=1)
    wanted = parser.parse_args()
    sys.exit(report(measure(wanted.kills, wanted.seed, wanted.quick)))
