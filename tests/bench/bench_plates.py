"""Plate reading measured on photographs and rendered scenes: ours beside rapidocr as it is, in the same run.

python -m tests.bench.bench_plates [--limit N]     # some minutes; build/bench/plates.json

The photographs are ../shared/data/plates, or $MALL_EDGEDATA/plates (truth.csv: file, plate, also: other
plates in the picture); pictures without a plate are the barcode photographs beside them. Times are processor
time of the one thread, loading not counted. The resident set is that of one that only reads them.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from devices.camera.pictures import Picture, load_picture
from tests.bench.big_mall import say
from tests.bench.plate_engines import DATA, ROOT, Engine, Photo, ours, rapidocr
from tests.bench.plate_engines import photos as load_photos
from tests.bench.plate_lane import openings
from tests.bench.table import Figure, Result, percentile, report

_LEVELS = (0.0, 0.5, 0.8, 0.9, 0.95, 0.98)
_RENDERED_EACH = 3
_NO_PLATE_STEP = 12
_VEHICLES = 40
#: With a limit, every so many rendered scenes and pictures without a plate.
_QUICK_STEP = 4
_GATE_MS = 400.0
_RIGHT, _ANY, _MEDIAN_MS, _P95_MS, _RSS_MB, _NO_PLATE_MS = 95.0, 97.0, 150.0, 300.0, 250.0, 150.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What one engine said about one picture."""

    name: str
    truth: str
    tagged: tuple[str, ...]
    text: str
    confidence: float
    ms: float


def measure(limit: int = 0, vehicles: int = _VEHICLES) -> Result:
    """Read everything with both engines; an empty result with the reason where there are no photographs.

    limit: only so many photographs, 0 for all. vehicles: how many pass the whole lane.
    """
    if not (DATA / "plates" / "truth.csv").exists():
        return Result("plates", [], {}, f"skipped: no photographs in {DATA}/plates; set MALL_EDGEDATA")
    photos = load_photos(limit)
    figures: list[Figure] = []
    reader, peer = ours(), rapidocr()
    step = _QUICK_STEP if limit else 1
    answers = _ask("ours", reader, photos)
    figures += _figures("ours", answers, targets=True)
    figures += _confidence(answers)
    figures += _lane(
        [load_picture(one.path) for one in photos[:: max(1, len(photos) // vehicles)][:vehicles]]
    )
    figures += _no_plates("ours", reader, _NO_PLATE_MS)
    figures += _rendered("ours", reader, targets=True, step=step)
    figures.append(Figure("ours: peak resident set", _resident("ours", limit), "MB", _RSS_MB))
    theirs = _ask("rapidocr", peer, photos)
    figures += _figures("rapidocr", theirs, targets=False)
    figures += _rendered("rapidocr", peer, targets=False, step=step)
    figures.append(Figure("rapidocr: peak resident set", _resident("rapidocr", limit), "MB"))
    _show_misses(answers)
    series = {"ours ms": [one.ms for one in answers], "rapidocr ms": [one.ms for one in theirs]}
    note = (
        f"{len(photos)} photographs, one thread; rapidocr 3.8.4 whole with its PP-OCRv4 models and a pattern"
    )
    return Result("plates", figures, series, note)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; 1 where a target was missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--limit", type=int, default=0, help="only this many photographs, spread over all")
    wanted = parser.parse_args(arguments)
    return report(measure(wanted.limit))


def _ask(name: str, engine: Engine, photos: Sequence[Photo]) -> list[Answer]:
    answers = []
    for number, photo in enumerate(photos):
        picture = load_picture(photo.path)
        text, confidence, ms = _timed(engine, picture)
        answers.append(Answer(photo.path.name, photo.plate, photo.tagged, text, confidence, ms))
        if number % 64 == 63:
            say(f"{name}: {number + 1} of {len(photos)} photographs")
    return answers


def _timed(engine: Engine, picture: Picture) -> tuple[str, float, float]:
    began = time.thread_time()
    text, confidence = engine(picture)
    return text, confidence, (time.thread_time() - began) * 1000


def _figures(name: str, answers: Sequence[Answer], targets: bool) -> Iterator[Figure]:
    def share(good: Callable[[Answer], bool]) -> float:
        return 100 * sum(good(one) for one in answers) / len(answers)

    times = [one.ms for one in answers]
    yield Figure(
        f"{name}: right", share(lambda one: one.text == one.truth), "%", _RIGHT if targets else None, True
    )
    any_tagged = share(lambda one: one.text in one.tagged)
    yield Figure(f"{name}: any tagged plate", any_tagged, "%", _ANY if targets else None, True)
    yield Figure(f"{name}: right without province", share(lambda one: one.text[1:] == one.truth[1:]), "%")
    found = share(lambda one: min(_distance(one.text, each) for each in one.tagged) <= 2)
    yield Figure(f"{name}: found (2 characters wrong at most)", found, "%")
    yield Figure(f"{name}: median", percentile(times, 50), "ms", _MEDIAN_MS if targets else None)
    yield Figure(f"{name}: p95", percentile(times, 95), "ms", _P95_MS if targets else None)


def _confidence(answers: Sequence[Answer]) -> Iterator[Figure]:
    for level in _LEVELS:
        sure = [one for one in answers if one.confidence >= level and one.text]
        right = sum(one.text in one.tagged for one in sure)
        yield Figure(f"ours: answered with {level:.2f} or more", 100 * len(sure) / len(answers), "%")
        yield Figure(
            f"ours: right of those with {level:.2f} (any tagged)", 100 * right / max(1, len(sure)), "%"
        )


def _lane(pictures: Sequence[Picture]) -> Iterator[Figure]:
    """Measure wall time from a frame to the gate's pulse on the wire, through the whole lane."""
    passed = openings(pictures)
    yield Figure("lane: vehicles that the gate was opened for", 100 * len(passed) / len(pictures), "%")
    if passed:
        deciding, first = [one.deciding_ms for one in passed], [one.first_ms for one in passed]
        name = "lane: deciding frame to gate command on the wire"
        yield Figure(f"{name}, median", percentile(deciding, 50), "ms")
        yield Figure(f"{name}, p95", percentile(deciding, 95), "ms", _GATE_MS)
        yield Figure("lane: first frame to gate command, median", percentile(first, 50), "ms")
        yield Figure("lane: first frame to gate command, p95", percentile(first, 95), "ms")


def _no_plates(name: str, engine: Engine, target: float) -> Iterator[Figure]:
    pictures = sorted(p for p in (DATA / "barcodes").rglob("*") if p.suffix.lower() in {".png", ".jpg"})
    answers = [_timed(engine, load_picture(path)) for path in pictures[::_NO_PLATE_STEP]]
    if answers:
        times = [ms for _, _, ms in answers]
        yield Figure(f"{name}: no plate, median of {len(answers)}", percentile(times, 50), "ms", target)
        yield Figure(f"{name}: no plate, p95", percentile(times, 95), "ms")
        yield Figure(
            f"{name}: no plate, answers of 0.5 or more", sum(one[1] >= 0.5 for one in answers), "pictures"
        )


def _rendered(name: str, engine: Engine, targets: bool, step: int) -> Iterator[Figure]:
    from tests.bench.rendered_plates import CONDITIONS, scenes

    right: dict[str, list[bool]] = {}
    for one in islice(scenes(_RENDERED_EACH, seed=7), 0, None, step):
        text, _, _ = _timed(engine, one.picture)
        for group in (
            one.condition,
            "all kinds",
            "green, 8 characters" if len(one.plate.text) == 8 else "7 characters",
        ):
            right.setdefault(group, []).append(text == one.plate.text)
    for group in (one for one in ("all kinds", "green, 8 characters", *CONDITIONS) if one in right):
        target = 97.0 if targets and group == "all kinds" else None
        yield Figure(
            f"{name}: rendered, {group}", 100 * sum(right[group]) / len(right[group]), "%", target, True
        )


def _resident(name: str, limit: int) -> float:
    command = [sys.executable, "-m", "tests.bench.plate_engines", name, str(limit or 64)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT)
    return float(done.stdout.split()[-1])


def _show_misses(answers: Sequence[Answer]) -> None:
    for one in answers:
        if one.text not in one.tagged:
            say(f"missed {one.name}: read {one.text or 'nothing'} ({one.confidence:.2f})")


def _distance(one: str, other: str) -> int:
    row = list(range(len(other) + 1))
    for number, a in enumerate(one, 1):
        after = [number]
        for place, b in enumerate(other):
            after.append(min(row[place] + (a != b), row[place + 1] + 1, after[place] + 1))
        row = after
    return row[-1]


if __name__ == "__main__":
    sys.exit(main())
