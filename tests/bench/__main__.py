"""Run all benchmarks, or one with --only NAME; one table on stdout, figures and a plot in build/bench.

--quick shortens those that kill processes; whether all work is seen, little is proven. Ends with 1 when a
target was missed. Each benchmark also runs alone: python -m tests.bench.bench_NAME.
"""

from __future__ import annotations

import argparse
import importlib
import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from typing import Any

import matplotlib as mpl

from tests.bench.big_mall import say
from tests.bench.table import RESULTS, Figure, Result, percentile, table, write

mpl.use("Agg")
from matplotlib import pyplot as plt

PLOT = RESULTS / "bench.png"


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, write down; return 1 when a target was missed."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--only", choices=sorted(BENCHES), help="run this one alone")
    parser.add_argument("--quick", action="store_true", help="fewer kills")
    wanted = parser.parse_args(arguments)
    results = []
    for name in [wanted.only] if wanted.only else list(BENCHES):
        say(f"{name} ...")
        results.append(BENCHES[name](**(QUICK.get(name, {}) if wanted.quick else {})))
        write(results[-1])
    print(table(results))
    _plot(results)
    return int(any(one.verdict == "MISS" for result in results for one in result.figures))


def _imported(name: str) -> Callable[..., Result]:
    """Return a benchmark of ours; its libraries are loaded when it runs."""

    def run(**words: object) -> Result:
        measured: Result = importlib.import_module(f"tests.bench.bench_{name}").measure(**words)
        return measured

    return run


def _catalogue() -> Result:
    figures = _read_own("catalogue")
    chosen = {
        "first: import s": "s",
        "prices: import s": "s",
        "prices: write longest ms": "ms",
        "prices: till longest wait ms": "ms",
        "fresh: look-up p50 us": "us",
        "fresh: look-up p99 us": "us",
    }
    shown = [Figure(name.rpartition(" ")[0], float(figures[name]), unit) for name, unit in chosen.items()]
    note = "100,000 products with 3 codes each: into an empty box, then with every price changed"
    return Result("catalogue_import", shown, {}, note)


def _barcodes() -> Result:
    found = _read_own("barcodes")
    if not found:
        return Result("barcode_pictures", [], {}, "skipped: no labelled photographs; see MALL_EDGE_DATA")
    ours = [row for row in found.get("rows", []) if row["engine"] == "ours"]
    shown = [
        Figure(
            f"{row['symbology']} read right",
            row["right"] / row["n"] * 100,
            "%",
            found["targets"].get(row["symbology"], 0) * 100 or None,
            at_least=True,
        )
        for row in ours
        if row["symbology"] in found["targets"]
    ]
    wrong = sum(row["wrong"] for row in ours if row["symbology"] in found.get("targets", {}))
    shown.append(Figure("read wrong", float(wrong), "pictures"))
    return Result("barcode_pictures", shown, {}, "labelled photographs; its own table has the other engines")


def _read_own(name: str) -> dict[str, Any]:
    """Run a benchmark that prints a table of its own; return the figures that it wrote."""
    path = RESULTS / f"{name}.json"
    path.unlink(missing_ok=True)
    subprocess.run([sys.executable, "-m", f"tests.bench.bench_{name}"], check=True)
    found: dict[str, Any] = json.loads(path.read_text("utf-8")) if path.exists() else {}
    return found


def _plot(results: Sequence[Result]) -> None:
    """Draw how the samples of each series are spread."""
    drawn = [(f"{result.name}: {name}", each) for result in results for name, each in result.series.items()]
    if not drawn:
        return
    figure, axes = plt.subplots(len(drawn), 1, figsize=(9, 2.2 * len(drawn)), squeeze=False)
    for (title, values), one in zip(drawn, axes[:, 0], strict=True):
        one.hist(values, bins=40, color="#2f6f6a")
        one.axvline(percentile(values, 50), color="#b3402f")
        one.set_title(f"{title} (median {percentile(values, 50):,.2f})", fontsize=9, loc="left")
    figure.tight_layout()
    figure.savefig(PLOT, dpi=110)
    plt.close(figure)
    say(f"plot: {PLOT}")


QUICK: dict[str, dict[str, object]] = {
    "chaos": {"kills": 6},
    "queues": {"quick": True},
    "money": {"parts": ("share", "bill")},
    "start_million": {"orders": 20_000, "stays": 10_000, "kills": 2},
    "plates": {"limit": 32, "vehicles": 8},
}

BENCHES: dict[str, Callable[..., Result]] = {
    "scan_to_paint": _imported("scan_to_paint"),
    "orders": _imported("orders"),
    "start": _imported("start"),
    "start_million": _imported("start_million"),
    "store": _imported("store"),
    "queues": _imported("queues"),
    "chaos": _imported("chaos"),
    "link": _imported("link"),
    "money": _imported("money"),
    "fleet": _imported("fleet"),
    "catalogue": _catalogue,
    "snapshots": _imported("snapshots"),
    "barcodes": _barcodes,
    "plates": _imported("plates"),
    "tariff": _imported("tariff"),
    "push": _imported("push"),
    "exit": _imported("exit"),
    "funnel": _imported("funnel"),
    "touch_day": _imported("touch_day"),
    "relay": _imported("relay"),
}


if __name__ == "__main__":
    sys.exit(main())
