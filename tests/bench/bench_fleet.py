"""A thousand boxes over real connections: how much HQ takes in, and how long a storm of returns lasts.

Run: .venv/bin/python -m tests.bench.bench_fleet [BOXES]. Broker, PostgreSQL, two ingest workers and the fleet
share this machine's cores. First every box writes at a pace that is more than the target in sum; what HQ
acknowledged in the middle of that time counts. Then the broker is killed and comes back, while the boxes go
on writing at a tenth of the pace; the storm is over when all are connected and everything is acknowledged.
"""

from __future__ import annotations

import sys
import time

import matplotlib as mpl

from sim.broker import Broker
from sim.fleet import Fleet, FleetSettings
from sim.hq import HqFleet
from sim.postgres import Postgres
from tests.bench.big_mall import say
from tests.bench.table import RESULTS, Figure, Result, report

mpl.use("Agg")
from matplotlib import pyplot as plt

BOXES = 1_000
WORKERS = 2
RATE = 6.0
CALM_RATE = 0.6
WARM_S = 8.0
MEASURE_S = 15.0
DOWN_S = 5.0
STORM_LIMIT_S = 60.0
SETTLE_S = 60.0
PLOT = RESULTS / "fleet.png"


def measure(boxes: int = BOXES) -> Result:
    """Take in, kill the broker, and see everybody return."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    connects: list[float] = []
    with Postgres() as postgres, Broker() as broker, HqFleet(broker.port, postgres.url, WORKERS, None) as hq:
        fleet = Fleet(FleetSettings(broker.port, boxes=boxes, rate=RATE), lambda: connects.append(now()))
        fleet.run(WARM_S)
        say(f"{fleet.counts.connected} of {boxes} boxes connected")
        rate, samples = ingest(fleet)
        fleet.rate = CALM_RATE
        settle_s = until_empty(fleet)
        say(f"{rate:,.0f} events/s; the backlog was gone after {settle_s:.1f} s")
        begun, storm_s, storm = storm_of(fleet, broker, boxes)
        fleet.rate = 0.0
        rest_s = until_empty(fleet)
        written, counts = fleet.counts.written, fleet.counts
        applied = int(str(hq.ledger.rows("SELECT count(*) AS n FROM events")[0]["n"]))
        odd = hq.ledger.rows("SELECT sum(conflicts) + sum(lost) AS n, sum(repeats) AS again FROM edges")[0]
        fleet.close()
    returned = [at - begun for at in connects if at > begun]
    draw(samples, storm, returned)
    figures = [
        Figure("events HQ acknowledged", rate, "events/s", 5_000, at_least=True),
        Figure("storm: all connected, nothing waiting", storm_s, "s", STORM_LIMIT_S),
        Figure("storm: last box back", max(returned, default=STORM_LIMIT_S), "s"),
        Figure("storm: most connections in a second", most_in_a_second(returned), "1/s"),
        Figure("events lost or doubled", abs(written - applied) + float(str(odd["n"])), "events", 0),
        Figure("events written", written, "events"),
        Figure("events sent again", float(str(odd["again"])), "events"),
        Figure("acks for 100 events", 100 * counts.acks / max(1, counts.acked), "acks"),
        Figure("last settling", rest_s, "s"),
    ]
    note = (
        f"{boxes} boxes, {WORKERS} workers, PostgreSQL, {RATE:g} events/s each for {MEASURE_S:.0f} s; "
        f"broker down {DOWN_S:.0f} s with {CALM_RATE:g} events/s each; plot {PLOT.name}"
    )
    return Result("fleet", figures, {"boxes back after s": returned}, note)


def ingest(fleet: Fleet) -> tuple[float, list[tuple[float, int]]]:
    """Return HQ's pace in events a second, and how much it had acknowledged at each moment."""
    begun, first = now(), fleet.counts.acked
    samples = [(0.0, 0)]
    while samples[-1][0] < MEASURE_S:
        fleet.run(0.5)
        samples.append((now() - begun, fleet.counts.acked - first))
    return samples[-1][1] / samples[-1][0], samples


def storm_of(fleet: Fleet, broker: Broker, boxes: int) -> tuple[float, float, list[tuple[float, int]]]:
    """Kill the broker and bring it back; return when that was, how long the storm took, who was on when."""
    broker.kill()
    fleet.run(DOWN_S)
    begun, connected = now(), list[tuple[float, int]]()
    broker.start()
    while now() - begun < STORM_LIMIT_S + 1:
        fleet.run(0.25)
        connected.append((now() - begun, fleet.counts.connected))
        # The boxes go on writing: what waits is then no more than what one ack's pause lets wait.
        if fleet.counts.connected == boxes and fleet.waiting() < 2 * CALM_RATE * boxes:
            break
    return begun, now() - begun, connected


def until_empty(fleet: Fleet) -> float:
    """Run until nearly nothing waits; return how long that took."""
    begun = now()
    limit = 2 * fleet.rate * len(fleet) if fleet.rate else 0
    while fleet.waiting() > limit and now() - begun < SETTLE_S:
        fleet.run(0.25)
    return now() - begun


def most_in_a_second(moments: list[float]) -> float:
    """Return the most moments that fall into one second."""
    ordered = sorted(moments)
    return float(max((sum(at <= each < at + 1 for each in ordered) for at in ordered), default=0))


def draw(samples: list[tuple[float, int]], storm: list[tuple[float, int]], returned: list[float]) -> None:
    """Draw what HQ acknowledged, and how the boxes came back."""
    figure, axes = plt.subplots(1, 3, figsize=(13, 3.6))
    axes[0].plot(*zip(*samples, strict=True), color="#2f6f6a")
    axes[0].set(title="acknowledged by HQ (events)", xlabel="s")
    axes[1].plot(*zip(*storm, strict=True), color="#b3402f")
    axes[1].set(title="boxes connected after the broker's return", xlabel="s")
    axes[2].hist(returned, bins=40, color="#2f6f6a")
    axes[2].set(title="returns, spread by jitter", xlabel="s")
    figure.tight_layout()
    figure.savefig(PLOT, dpi=110)
    plt.close(figure)
    say(f"plot: {PLOT}")


def now() -> float:
    """Return seconds of a clock that no one sets."""
    return time.monotonic()


if __name__ == "__main__":
    sys.exit(report(measure(int(sys.argv[1]) if len(sys.argv) > 1 else BOXES)))
