"""Reads the plates of picture files, folders and videos, for the command line and for measuring.

for result in read_paths([Path("lane"), Path("one.jpg"), Path("drive.mp4")], PlateReader()):
    print(to_json_line(result))
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import cv2
import numpy as np

from devices.camera.pictures import SUFFIXES, Picture, PictureUnreadable, load_picture
from devices.camera.plates.motion import MotionGate
from devices.camera.plates.passage import PassageSettings, PassageVote
from devices.camera.plates.reader import PlateFound, PlateReader

VIDEO_SUFFIXES = frozenset(
    {".mp4", ".avi", ".mkv", ".mov", ".m4v", ".mjpeg", ".mpg", ".mpeg", ".webm", ".ts"}
)
_MOST_FRAMES = 200_000
#: Nobody waits at a gate in a film: more frames vote.
_UNHURRIED = PassageSettings(needed=3, alone=1.1, hurry_ms=2000)


@dataclass(frozen=True, slots=True)
class PlatesResult:
    """What one picture, or one passage of a video, gave.

    file: the path, for a video with `#` and the second of its best frame. ms: milliseconds spent on reading,
    of a video on all frames of the passage. frames: how many voted. picture: what was read, to draw on.
    error: why it was not read, or None.
    """

    file: str
    plates: tuple[PlateFound, ...] = ()
    ms: float = 0.0
    frames: int = 1
    picture: Picture | None = None
    error: str | None = None


def files_of(paths: Iterable[Path]) -> list[Path]:
    """Return the files below `paths` in their order; a folder gives its pictures and videos, sorted.

    A path that is no folder comes back as it is, also when it does not exist; so does a folder without any.
    """
    found: list[Path] = []
    for path in paths:
        inside = sorted(one for one in path.rglob("*") if _known(one)) if path.is_dir() else []
        found.extend(inside or [path])
    return found


def read_file(path: Path, reader: PlateReader) -> Iterator[PlatesResult]:
    """Yield the result of a picture, or one for each passage of a video; what cannot be read has `error`."""
    if path.is_dir():
        yield PlatesResult(str(path), error=f"{path}: no pictures or videos in this folder")
    elif path.suffix.lower() in VIDEO_SUFFIXES:
        yield from _read_video(path, reader)
    else:
        yield _read_picture(path, reader)


def to_json_line(result: PlatesResult) -> str:
    """Return one JSON object: file, plates (plate, colour, confidence, box, best first) and ms.

    box is [left, top, right, bottom] in pixels. `error` is there only where there is one.
    """
    plates = [
        {
            "plate": one.text,
            "colour": one.colour,
            "confidence": round(one.confidence, 4),
            "box": list(one.box),
        }
        for one in result.plates
    ]
    line: dict[str, object] = {"file": result.file, "plates": plates, "ms": result.ms}
    if result.error is not None:
        line["error"] = result.error
    return json.dumps(line, ensure_ascii=False)


def to_text_lines(result: PlatesResult) -> list[str]:
    """Return lines for a person: one per plate, or one that says that there is none and why."""
    if result.error is not None:
        return [f"error: {result.error}"]
    if not result.plates:
        return [f"{result.file}: no plate read ({result.ms:.0f} ms)"]
    return [f"{result.file}: {_told(one)} ({result.ms:.0f} ms)" for one in result.plates]


def draw(result: PlatesResult, folder: Path) -> Path | None:
    """Write the picture with its plates framed and named into `folder`; None where there is no picture.

    Raises PictureUnreadable where it cannot be written.
    """
    if result.picture is None:
        return None
    canvas = result.picture.copy()
    for number, plate in enumerate(result.plates):
        colour = (60, 200, 60) if number == 0 else (0, 170, 240)
        outline = np.array(plate.corners, np.float32).round().astype(np.int32)
        cv2.polylines(canvas, [outline], True, colour, max(2, canvas.shape[1] // 500))
        _write(canvas, f"{plate.text} {plate.confidence:.2f}", plate.box, colour)
    path = folder / f"{Path(result.file.replace('#', '-')).name}.plates.jpg"
    good, data = cv2.imencode(".jpg", canvas, [cv2.IMWRITE_JPEG_QUALITY, 90])
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data.tobytes() if good else b"")
    except OSError as error:
        raise PictureUnreadable(f"{path}: cannot be written ({error.strerror})") from error
    return path


def _known(path: Path) -> bool:
    return path.suffix.lower() in SUFFIXES | VIDEO_SUFFIXES and path.is_file()


def _told(plate: PlateFound) -> str:
    characters = " ".join(
        f"{one}:{sure:.2f}" for one, sure in zip(plate.text, plate.confidences, strict=True)
    )
    left, top, right, bottom = plate.box
    return (
        f"{plate.text} {plate.colour} {plate.confidence:.3f} [{characters}] box {left},{top},{right},{bottom}"
    )


def _read_picture(path: Path, reader: PlateReader) -> PlatesResult:
    try:
        picture = load_picture(path)
        began = time.perf_counter()
        plates = reader.read(picture)
    except (PictureUnreadable, ValueError) as error:
        return PlatesResult(str(path), error=str(error))
    ms = round((time.perf_counter() - began) * 1000, 1)
    return PlatesResult(str(path), plates, ms, picture=_coloured(picture))


def _read_video(path: Path, reader: PlateReader) -> Iterator[PlatesResult]:
    """Play a video, read the frames in which something moves, and yield each passage's vote."""
    capture = cv2.VideoCapture(str(path))
    try:
        if not capture.isOpened():
            yield PlatesResult(str(path), error=f"{path}: cannot be opened as a video")
            return
        yield from _passages(path, capture, reader)
    finally:
        capture.release()


def _passages(path: Path, capture: cv2.VideoCapture, reader: PlateReader) -> Iterator[PlatesResult]:
    rate = capture.get(cv2.CAP_PROP_FPS)
    rate = rate if 1.0 <= rate <= 240.0 else 25.0
    gate, votes = MotionGate(), PassageVote(_UNHURRIED)
    spent, passages, taken_ns = 0.0, 0, 0
    every = max(1, round(rate / 6))
    for number in range(_MOST_FRAMES):
        good, frame = capture.read()
        if not good:
            break
        if number % every:
            continue
        taken_ns = round(number / rate * 1e9)
        if gate.frame(frame, taken_ns):
            began = time.perf_counter()
            votes.frame(reader.read(frame), taken_ns, frame)
            spent += (time.perf_counter() - began) * 1000
        for one in votes.decided(taken_ns):
            passages += 1
            yield PlatesResult(
                f"{path}#{one.best_ns / 1e9:.2f}", (one.plate,), round(spent, 1), one.frames, one.picture
            )
            spent = 0.0
    for one in votes.rest():
        passages += 1
        yield PlatesResult(
            f"{path}#{one.best_ns / 1e9:.2f}", (one.plate,), round(spent, 1), one.frames, one.picture
        )
    if not passages:
        yield PlatesResult(str(path), ms=round(spent, 1))


def _coloured(picture: Picture) -> Picture:
    if picture.ndim == 2:
        return cast(Picture, cv2.cvtColor(picture, cv2.COLOR_GRAY2BGR))
    return np.ascontiguousarray(picture[:, :, :3])


def _write(canvas: Picture, text: str, box: tuple[int, int, int, int], colour: tuple[int, int, int]) -> None:
    """Write a text above a box, by the system's Chinese font where it is installed."""
    from PIL import Image, ImageDraw, ImageFont

    size = max(16, canvas.shape[1] // 45)
    try:
        font: ImageFont.FreeTypeFont | ImageFont.ImageFont = ImageFont.truetype(_CHINESE, size)
    except OSError:
        font = ImageFont.load_default()
        text = "?" + text[1:]
    image = Image.fromarray(cv2.cvtColor(canvas, cv2.COLOR_BGR2RGB))
    at = (max(0, box[0]), max(0, box[1] - size - 6))
    ImageDraw.Draw(image).text(at, text, fill=colour[::-1], font=font, stroke_width=2, stroke_fill=(0, 0, 0))
    canvas[:] = cv2.cvtColor(np.asarray(image), cv2.COLOR_RGB2BGR)


_CHINESE = "/usr/share/fonts/truetype/wqy/wqy-microhei.ttc"
