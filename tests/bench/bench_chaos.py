"""Random kills of box, broker, HQ and its PostgreSQL while events are made: lost and doubled must be none.

Run: python -m tests.bench.bench_chaos --kills 200
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from sim.broker import BrokerKind
from sim.postgres import installed
from tests.bench.table import RESULTS, Figure, Result, report
from tests.system.chaos import BROKER, POSTGRES, Outcome, Plan, run
from tests.system.chaos_parts import EDGE, HQ


def measure(kills: int = 30, seed: int = 1, events_per_s: int = 3_000, kind: str = "mosquitto") -> Result:
    """Run once, with PostgreSQL where it is installed; 200 kills take some four minutes."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=RESULTS, prefix="chaos-") as name:
        plan = Plan(kills, seed, events_per_s, BrokerKind(kind), postgres=installed())
        return _result(plan, run(plan, Path(name)))


def _result(plan: Plan, found: Outcome) -> Result:
    missing = max(0, found.promised - found.made)
    figures = [
        Figure("kills", sum(found.kills.values()), ""),
        *(Figure(f"kills of {who}", found.kills[who], "") for who in (EDGE, BROKER, HQ, POSTGRES)),
        Figure("events made", found.made, ""),
        Figure("promised by the store and gone", missing, "", 0),
        Figure("lost on the way", found.lost, "", 0),
        Figure("still waiting in the end", found.waiting, "", 0),
        Figure("doubled in effect", found.doubled, "", 0),
        Figure("turnover that is wrong", abs(found.wrong_fen) / 100, "yuan", 0),
        Figure("came again, without effect", found.repeats / max(found.made, 1) * 100, "%"),
        Figure("settled after the last kill", found.settled_s, "s"),
    ]
    note = (
        f"seed {plan.seed}, {plan.broker}, {plan.events_per_s} events/s offered, one in ten urgent, "
        f"{found.took_s:.0f} s"
    )
    return Result("chaos", figures, {}, note)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rate", type=int, default=3_000, help="events a second")
    parser.add_argument("--broker", choices=[kind.value for kind in BrokerKind], default="mosquitto")
    wanted = parser.parse_args()
    sys.exit(report(measure(wanted.kills, wanted.seed, wanted.rate, wanted.broker)))
