"""Barcode reading measured on labelled photographs: ours beside zxing-cpp, pyzbar and OpenCV alone.

python -m tests.bench.bench_barcodes [--limit N]     # about a minute; build/bench/barcodes.json and .png

The photographs are ../shared/data/barcodes, or $MALL_EDGE_DATA/barcodes (truth.csv: file, symbology, text).
The ladder was chosen with all of these in view, so the figures are a little kind to it; two halves by hash of
the file name are printed to show how far they differ. Times are processor time of the one thread, so that
other work on the machine disturbs them less.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import json
import os
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import matplotlib as mpl
import zxingcpp
from pyzbar import pyzbar

from devices.camera.barcodes import BarcodeReader
from devices.camera.pictures import Grey, load_picture, to_grey
from devices.camera.symbols import expand_upc_e

mpl.use("Agg")
from matplotlib import pyplot as plt

_ROOT = Path(__file__).parents[2]
_DATA = Path(os.environ.get("MALL_EDGE_DATA", _ROOT.parent / "shared" / "data")) / "barcodes"
_OUT = _ROOT / "build" / "bench"
_TARGETS = {
    "EAN-13": 0.87,
    "EAN-8": 1.0,
    "UPC-A": 0.75,
    "UPC-E": 0.96,
    "Code-128": 0.98,
    "Code-39": 1.0,
    "ITF": 1.0,
    "QR": 0.945,
    "DataMatrix": 0.96,
    "DataBar-Exp": 1.0,
}
_MEDIAN_MS, _P95_MS = 5.0, 60.0


@dataclass(frozen=True, slots=True)
class Labelled:
    """One photograph: its file, the symbology (`none`: no code) and the text on it."""

    file: str
    symbology: str
    text: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one engine made of one photograph."""

    file: str
    symbology: str
    right: bool
    wrong: bool
    ms: float
    first_look: bool
    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Row:
    """One symbology under one engine; ms_first: median where the first look was enough."""

    engine: str
    symbology: str
    n: int
    right: int
    wrong: int
    median_ms: float
    p95_ms: float
    ms_first: float

    @property
    def share(self) -> float:
        """The share of photographs that were read rightly."""
        return self.right / self.n


Found = list[tuple[str, bool]]
Engine = Callable[[Grey], Found]


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print the tables and write build/bench; 0 also where the photographs are absent."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--limit", type=int, default=0, help="only this many photographs, spread over all")
    limit = parser.parse_args(arguments).limit
    if not (_DATA / "truth.csv").exists():
        print(f"skipped: no labelled photographs in {_DATA}; set MALL_EDGE_DATA")
        return 0
    labelled = _labelled(limit)
    outcomes = {name: _measure(name, engine, labelled) for name, engine in _engines().items()}
    rows = [row for name, found in outcomes.items() for row in _rows(name, found)]
    for name in outcomes:
        _print_table(name, [row for row in rows if row.engine == name])
    _print_halves(outcomes["ours"])
    _write(rows, outcomes["ours"])
    return 0


def _labelled(limit: int) -> list[Labelled]:
    with (_DATA / "truth.csv").open(newline="", encoding="utf-8") as file:
        rows = [Labelled(row["file"], row["symbology"], row["text"]) for row in csv.DictReader(file)]
    return rows if limit <= 0 else rows[:: max(1, len(rows) // limit)][:limit]


def _engines() -> dict[str, Engine]:
    reader = BarcodeReader()
    if reader.notice:
        print(reader.notice, file=sys.stderr)
    return {
        "ours": lambda grey: [(c.text, c.engine == "zxing-cpp" and c.votes <= 2) for c in reader.read(grey)],
        "zxing-cpp alone": lambda grey: [(_plain(code), True) for code in zxingcpp.read_barcodes(grey)],
        "pyzbar alone": lambda grey: [(c.data.decode(errors="replace"), True) for c in pyzbar.decode(grey)],
        "OpenCV alone": _opencv,
    }


def _plain(code: zxingcpp.Barcode) -> str:
    return (
        code.text.removeprefix("(01)") if code.text.startswith("(01)") and len(code.text) == 18 else code.text
    )


def _opencv(grey: Grey) -> Found:
    texts: list[str] = []
    try:
        texts += cv2.barcode.BarcodeDetector().detectAndDecodeMulti(grey)[1]
        texts += cv2.QRCodeDetector().detectAndDecodeMulti(grey)[1]
    except (cv2.error, UnicodeDecodeError):
        pass
    return [(text, True) for text in texts if text]


def _measure(name: str, engine: Engine, labelled: Iterable[Labelled]) -> list[Outcome]:
    outcomes = []
    for number, one in enumerate(labelled):
        if number % 50 == 0:
            print(f"{name}: {number}", file=sys.stderr)
        grey = to_grey(load_picture(_DATA / one.file))
        began = time.thread_time()
        found = engine(grey)
        ms = (time.thread_time() - began) * 1000
        outcomes.append(_judge(one, found, ms))
    return outcomes


def _judge(one: Labelled, found: Found, ms: float) -> Outcome:
    allowed = _spellings(one)
    hits = [first for text, first in found if _folded(text) in allowed]
    texts = tuple(dict.fromkeys(text for text, _ in found))
    return Outcome(one.file, one.symbology, bool(hits), len(hits) < len(found), ms, any(hits), texts)


def _spellings(one: Labelled) -> set[str]:
    """The same code in the spellings of the engines: UPC-A as 12 or 13 digits, UPC-E short or expanded."""
    if one.symbology == "none":
        return set()
    text = _folded(one.text)
    allowed = {text}
    if one.symbology == "UPC-A":
        allowed.add("0" + text)
    elif one.symbology == "UPC-E":
        allowed |= {expand_upc_e(text), expand_upc_e(text)[1:]}
    elif one.symbology.startswith("DataBar"):
        plain = text.replace("(", "").replace(")", "")
        allowed |= {plain, "01" + text}
    return allowed


def _folded(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\x1d", "").strip()


def _rows(engine: str, outcomes: list[Outcome]) -> list[Row]:
    return [
        _row(engine, name, [one for one in outcomes if one.symbology == name])
        for name in dict.fromkeys(one.symbology for one in outcomes)
    ]


def _row(engine: str, symbology: str, outcomes: list[Outcome]) -> Row:
    times = sorted(one.ms for one in outcomes)
    first = sorted(one.ms for one in outcomes if one.first_look)
    return Row(
        engine,
        symbology,
        len(outcomes),
        sum(one.right for one in outcomes),
        sum(one.wrong for one in outcomes),
        times[len(times) // 2],
        times[int(len(times) * 0.95)],
        first[len(first) // 2] if first else 0.0,
    )


def _print_table(engine: str, rows: list[Row]) -> None:
    print(f"\n{engine}")
    print("symbology       n  right  share  wrong  median  p95 ms  target")
    for row in rows:
        verdict = _verdict(row) if engine == "ours" else ""
        numbers = (
            f"{row.n:4} {row.right:6} {row.share:6.3f} {row.wrong:6} {row.median_ms:7.1f} {row.p95_ms:7.1f}"
        )
        print(f"{row.symbology:12} {numbers}  {verdict}")


def _verdict(row: Row) -> str:
    if row.symbology == "none":
        return f"no reads: {'pass' if row.wrong == 0 else 'MISS'}"
    target = _TARGETS.get(row.symbology)
    if target is None:
        return "no target"
    checks = {
        f"share {target}": row.share >= target,
        "wrong <= .01": row.wrong <= 0.01 * row.n,
        f"first look {row.ms_first:.1f} <= {_MEDIAN_MS:.0f} ms": row.ms_first <= _MEDIAN_MS,
        f"p95 <= {_P95_MS:.0f} ms": row.p95_ms <= _P95_MS,
    }
    return "  ".join(f"{what} {'pass' if good else 'MISS'}" for what, good in checks.items())


def _print_halves(outcomes: list[Outcome]) -> None:
    print("\nours, by hash of the name   even: right/n wrong           odd: right/n wrong")
    for name in dict.fromkeys(one.symbology for one in outcomes):
        halves: tuple[list[Outcome], list[Outcome]] = ([], [])
        for one in outcomes:
            if one.symbology == name:
                halves[hashlib.sha256(one.file.encode()).digest()[0] % 2].append(one)
        cells = [
            f"{sum(o.right for o in half):4}/{len(half):<4} {sum(o.wrong for o in half):3}" for half in halves
        ]
        print(f"{name:12} {cells[0]:>26} {cells[1]:>30}")


def _write(rows: list[Row], ours: list[Outcome]) -> None:
    _OUT.mkdir(parents=True, exist_ok=True)
    result = {
        "targets": _TARGETS,
        "rows": [asdict(row) for row in rows],
        "ours": [asdict(one) for one in ours],
    }
    (_OUT / "barcodes.json").write_text(json.dumps(result, ensure_ascii=False, indent=1), encoding="utf-8")
    names = [name for name in _TARGETS if any(row.symbology == name for row in rows)]
    engines = list(dict.fromkeys(row.engine for row in rows))
    figure, axes = plt.subplots(figsize=(11, 5))
    for place, engine in enumerate(engines):
        shares = {row.symbology: row.share for row in rows if row.engine == engine}
        spots = [number + (place - 1.5) * 0.2 for number in range(len(names))]
        axes.bar(spots, [shares.get(name, 0.0) for name in names], 0.2, label=engine)
    for number, name in enumerate(names):
        axes.hlines(_TARGETS[name], number - 0.45, number + 0.45, colors="black", linewidth=1)
    axes.set_xticks(range(len(names)), names)
    axes.set_ylabel("share of photographs read rightly (line: target)")
    axes.legend(loc="lower left")
    figure.tight_layout()
    figure.savefig(_OUT / "barcodes.png", dpi=110)
    plt.close(figure)


if __name__ == "__main__":
    sys.exit(main())
