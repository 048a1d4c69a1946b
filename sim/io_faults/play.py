"""Every call of some scenarios failing in turn, told line by line.

The calls are made to fail by a small library that must be loaded before the C library, so the runs are in a
process of their own; it is compiled from shim.c by this machine's gcc.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from sim.io_faults.world import Fault, Outcome, run_faulty
from sim.shim import NoShim, built
from sim.world.scenario import Scenario
from sim.world.scenarios import SCENARIOS

#: What fails unless somebody asks for others.
SCENARIOS_SHOWN = ("kiosk by code", "refund lost", "exit by phone")

_SHM = Path("/dev/shm")


def play(
    names: Sequence[str],
    every: int,
    say: Callable[[str], None],
    faults: Sequence[str] = (),
    at: int | None = None,
) -> int:
    """Fail each `every`-th call of these scenarios in these ways; return how many violations there were.

    faults: as they are told, () for all of them. at: this call alone, 0 for none that fails.
    Raises ValueError for a name that is none, NoShim where the library cannot be made.
    """
    _refuse_unknown("scenario", names, [one.name for one in SCENARIOS])
    _refuse_unknown("fault", faults, [one.told for one in Fault])
    say(f"{'scenario':28} {'fault':18} {'calls':>6} {'runs':>6} {'failed':>7} {'violations':>10}")
    with TemporaryDirectory(prefix="io-faults-") as folder:
        shim = built(Path(__file__).with_name("shim.c"), Path(folder))
        with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
            told = list(pool.map(partial(_told, shim, every, faults, at), names or SCENARIOS_SHOWN))
    for line in (line for lines in told for line in lines):
        say(line)
    return sum(line.startswith("  ") for lines in told for line in lines)


def main(name: str, every: int, at: int | None, faults: Sequence[str]) -> None:
    """Run one scenario in this process, which has the library loaded, and print a line for each fault."""
    scenario = next(one for one in SCENARIOS if one.name == name)
    for fault in (one for one in Fault if not faults or one.told in faults):
        runs = list(_sweep(scenario, fault, every) if at is None else [(at, _run(scenario, fault, at))])
        calls, failed = runs[0][1].calls, sum(outcome.failed for _, outcome in runs)
        problems = [] if at is None else _not_the_run(at, runs[0][1])
        problems += [line for number, outcome in runs for line in told_problems(name, fault, number, outcome)]
        print(f"{name:28} {fault.told:18} {calls:6} {len(runs):6} {failed:7} {len(problems):10}")
        print("\n".join(problems), end="\n" if problems else "")


def told_problems(name: str, fault: Fault, at: int, outcome: Outcome) -> list[str]:
    """Return a line for each thing that a run broke, with the command that shows it again."""
    again = f"python -m sim io-faults --scenario '{name}' --fault '{fault.told}' --at {at}"
    return [
        f"  {name}, {fault.told}, call {at}: {problem}; see it again: {again}" for problem in outcome.problems
    ]


def _not_the_run(at: int, outcome: Outcome) -> list[str]:
    """Return, in a line, that the call to be failed was never made; [] when it was."""
    if at <= outcome.calls:
        return []
    return [
        f"  NOT THE RUN: it has {outcome.calls} calls, not {at}; calls move when code changes, so fail all"
    ]


def _sweep(scenario: Scenario, fault: Fault, every: int) -> Iterator[tuple[int, Outcome]]:
    """Yield a run in which nothing fails, and one for each `every`-th of its calls."""
    calm = _run(scenario, fault, 0)
    yield 0, calm
    for at in range(1, calm.calls + 1, every):
        yield at, _run(scenario, fault, at)


def _run(scenario: Scenario, fault: Fault, at: int) -> Outcome:
    with TemporaryDirectory(prefix="io-faults-", dir=_SHM if _SHM.is_dir() else None) as folder:
        return run_faulty(scenario, Path(folder), at, fault)


def _refuse_unknown(what: str, names: Sequence[str], known: Sequence[str]) -> None:
    for name in names:
        if name not in known:
            raise ValueError(f"there is no {what} {name!r}; there are {', '.join(known)}")


def _told(shim: Path, every: int, faults: Sequence[str], at: int | None, name: str) -> list[str]:
    command = [sys.executable, "-m", "sim.io_faults.play", name, str(every), "" if at is None else str(at)]
    environment = {**os.environ, "LD_PRELOAD": str(shim)}
    run = subprocess.run([*command, *faults], env=environment, capture_output=True, text=True, check=False)
    if run.returncode != 0:
        raise NoShim(f"{name} ended with {run.returncode}: {run.stderr[-2000:]}")
    return run.stdout.splitlines()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]) if sys.argv[3] else None, sys.argv[4:])
