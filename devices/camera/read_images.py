"""Reads the barcodes of picture files and folders, for the command line and for measuring.

for result in read_paths([Path("shelf"), Path("one.jpg")], BarcodeReader()):
    print(to_json_line(result))
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from devices.camera.barcodes import BarcodeReader
from devices.camera.pictures import SUFFIXES, PictureUnreadable, load_picture
from devices.camera.symbols import DecodedCode


@dataclass(frozen=True, slots=True)
class ImageResult:
    """What one file gave.

    ms: milliseconds spent on decoding, loading not counted. error: why it was not read, or None.
    """

    file: str
    codes: tuple[DecodedCode, ...] = ()
    ms: float = 0.0
    error: str | None = None


def read_paths(paths: Iterable[Path], reader: BarcodeReader) -> Iterator[ImageResult]:
    """Yield one result per file, in the order given; folders give their pictures, subfolders too, sorted.

    A file named outright is tried whatever its name; a path that is missing, unreadable or no picture,
    and a folder without pictures, gives a result with `error` and the others are still read.
    """
    for path in paths:
        if not path.is_dir():
            yield read_file(path, reader)
            continue
        pictures = sorted(p for p in path.rglob("*") if p.suffix.lower() in SUFFIXES and p.is_file())
        if not pictures:
            yield ImageResult(
                str(path), error=f"{path}: no pictures in this folder ({' '.join(sorted(SUFFIXES))})"
            )
        for picture in pictures:
            yield read_file(picture, reader)


def read_file(path: Path, reader: BarcodeReader) -> ImageResult:
    """Read one picture file; a file that cannot be read gives a result with `error`."""
    try:
        picture = load_picture(path)
        began = time.perf_counter()
        codes = reader.read(picture)
    except (PictureUnreadable, ValueError) as error:
        return ImageResult(str(path), error=str(error))
    return ImageResult(str(path), codes, round((time.perf_counter() - began) * 1000, 2))


def to_json_line(result: ImageResult) -> str:
    """Return one JSON object: file, codes (symbology, text) and ms; `error` only where there is one."""
    line: dict[str, object] = {
        "file": result.file,
        "codes": [{"symbology": code.symbology, "text": code.text} for code in result.codes],
        "ms": result.ms,
    }
    if result.error is not None:
        line["error"] = result.error
    return json.dumps(line, ensure_ascii=False)


def to_text_lines(result: ImageResult) -> list[str]:
    """Return lines for a person: one per code, or one that says that nothing was read and why."""
    if result.error is not None:
        return [f"error: {result.error}"]
    if not result.codes:
        return [f"{result.file}: no code read ({result.ms:.1f} ms)"]
    return [f"{result.file}: {code.symbology} {code.text} ({result.ms:.1f} ms)" for code in result.codes]
