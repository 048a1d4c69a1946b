"""The engines that read plates for the benchmark, and what a process of each takes that only reads.

python -m tests.bench.plate_engines ours|rapidocr N     # prints the peak of its resident set, MB
"""

from __future__ import annotations

import csv
import os
import re
import resource
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from devices.camera.pictures import Picture, load_picture

ROOT = Path(__file__).parents[2]
DATA = Path(os.environ.get("MALL_EDGEDATA", ROOT.parent / "shared" / "data"))
_PLATE = re.compile(
    "[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼][A-Z][A-Z0-9]{4,5}[A-Z0-9警学港澳领挂]"
)

Engine = Callable[[Picture], tuple[str, float]]


@dataclass(frozen=True, slots=True)
class Photo:
    """One photograph: what it is about, and all plates in it that are tagged."""

    path: Path
    plate: str
    tagged: tuple[str, ...]


def photos(limit: int) -> list[Photo]:
    """Return the photographs, or `limit` of them spread over all."""
    folder = DATA / "plates"
    with (folder / "truth.csv").open(newline="", encoding="utf-8") as file:
        rows = [
            Photo(folder / row["file"], row["plate"], (row["plate"], *row["also"].split()))
            for row in csv.DictReader(file)
        ]
    return rows if limit <= 0 else rows[:: max(1, len(rows) // limit)][:limit]


def ours() -> Engine:
    """Return our reader's best answer."""
    from devices.camera.plates.reader import PlateReader

    reader = PlateReader()

    def read(picture: Picture) -> tuple[str, float]:
        found = reader.read(picture)
        return (found[0].text, found[0].confidence) if found else ("", 0.0)

    return read


def rapidocr() -> Engine:
    """Return rapidocr as it is: detector, direction, recogniser, one thread, and what looks like a plate."""
    import logging

    logging.disable(logging.WARNING)
    from rapidocr import RapidOCR

    threads = "EngineConfig.onnxruntime.{}_op_num_threads"
    engine: Any = RapidOCR(params={threads.format("intra"): 1, threads.format("inter"): 1})

    def read(picture: Picture) -> tuple[str, float]:
        found = engine(picture)
        pairs = zip(found.txts or (), found.scores or (), strict=True)
        cleaned = [(re.sub(r"[^0-9A-Z一-鿿]", "", text.upper()), float(score)) for text, score in pairs]
        plates = [(match.group(), score) for text, score in cleaned if (match := _PLATE.search(text))]
        return max(plates, key=lambda one: one[1], default=("", 0.0))

    return read


if __name__ == "__main__":
    engine = {"ours": ours, "rapidocr": rapidocr}[sys.argv[1]]()
    for photo in photos(int(sys.argv[2])):
        engine(load_picture(photo.path))
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
