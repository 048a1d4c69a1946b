"""Every call of some scenarios failing in turn, told line by line.

The calls are made to fail by a small library that must be loaded before the C library, so the runs are in a
process of their own; it is compiled from shim.c by this machine's gcc.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from sim.shim import NoShim, built
from sim.world.scenarios import SCENARIOS

#: What fails unless somebody asks for others.
SCENARIOS_SHOWN = ("kiosk by code", "refund lost", "exit by phone")

_SHM = Path("/dev/shm")


def play(names: Sequence[str], every: int, say: Callable[[str], None]) -> int:
    """Fail each `every`-th call of these scenarios in every way; return how many violations there were.

    Raises ValueError for a name that is none, NoShim where the library cannot be made.
    """
    for name in names:
        if name not in {one.name for one in SCENARIOS}:
            raise ValueError(f"there is no scenario {name!r}")
    say(f"{'scenario':28} {'fault':18} {'calls':>6} {'runs':>6} {'failed':>7} {'violations':>10}")
    with TemporaryDirectory(prefix="io-faults-") as folder:
        shim = built(Path(__file__).with_name("shim.c"), Path(folder))
        with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
            told = list(pool.map(partial(_told, shim, every), names or SCENARIOS_SHOWN))
    for line in (line for lines in told for line in lines):
        say(line)
    return sum(line.startswith("  ") for lines in told for line in lines)


def main(name: str, every: int) -> None:
    """Run one scenario in this process, which has the library loaded, and print a line for each fault."""
    from sim.io_faults.world import Fault, run_faulty

    scenario = next(one for one in SCENARIOS if one.name == name)
    for fault in Fault:
        calls = runs = failed = 0
        problems: list[str] = []
        at = 0
        while at <= calls:
            with TemporaryDirectory(prefix="io-faults-", dir=_SHM if _SHM.is_dir() else None) as folder:
                outcome = run_faulty(scenario, Path(folder), at, fault)
            calls = calls or outcome.calls
            runs += 1
            failed += outcome.failed
            problems += [f"  {name}, {fault.told}, call {at}: {problem}" for problem in outcome.problems]
            at = at + every if at else 1
        print(f"{name:28} {fault.told:18} {calls:6} {runs:6} {failed:7} {len(problems):10}")
        print("\n".join(problems), end="\n" if problems else "")


def _told(shim: Path, every: int, name: str) -> list[str]:
    command = [sys.executable, "-m", "sim.io_faults.play", name, str(every)]
    environment = {**os.environ, "LD_PRELOAD": str(shim)}
    run = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if run.returncode != 0:
        raise NoShim(f"{name} ended with {run.returncode}: {run.stderr[-2000:]}")
    return run.stdout.splitlines()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
