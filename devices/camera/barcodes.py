"""Barcodes out of pictures: zxing-cpp first, then a ladder of looks at what it missed, agreement throughout.

reader = BarcodeReader()
for code in reader.read(cv2.imread("shelf.jpg")):
    print(code.symbology, code.text)

Most pictures need one pass of zxing-cpp and one second look at a small strip around what it found. Only
where nothing was read and proven does the ladder go on, and a budget of processor time bounds it.
docs/protocols/camera-barcodes.md says what each step is for; tests/bench/bench_barcodes.py measures them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import cast

import cv2
import numpy as np

from devices.camera.engines import Read, ZbarEngine, ZxingEngine, zbar_engine
from devices.camera.pictures import Grey, Picture, bounded, to_grey
from devices.camera.regions import Region, View, find_regions, region_of, strip
from devices.camera.symbols import DEFAULT_ITF_LENGTHS, DEFAULT_SYMBOLOGIES, DecodedCode, Quad, usable
from devices.camera.votes import Ballot

Engine = ZxingEngine | ZbarEngine


@dataclass(frozen=True, slots=True)
class ReaderSettings:
    """What to look for and how hard.

    symbologies: names of devices.camera.symbols, or PDF417, Aztec, Codabar. itf_lengths: the allowed numbers
    of digits of an ITF. budget_ms: processor time after which the ladder ends (one step may go over).
    max_side: larger pictures are shrunk to this many pixels first. second_engine: use pyzbar where it is
    installed.
    """

    symbologies: tuple[str, ...] = DEFAULT_SYMBOLOGIES
    itf_lengths: tuple[int, ...] = DEFAULT_ITF_LENGTHS
    budget_ms: float = 45.0
    max_side: int = 2048
    second_engine: bool = True


class BarcodeReader:
    """Reads barcodes from pictures; keeps no state between pictures, safe to use from several threads."""

    def __init__(self, settings: ReaderSettings | None = None) -> None:
        """Raise ValueError for unknown symbologies. `notice` says when the second engine is missing."""
        self.settings = settings or ReaderSettings()
        if self.settings.max_side < 64 or self.settings.budget_ms < 0:
            raise ValueError("a reader needs max_side of at least 64 pixels and a budget_ms of 0 or more")
        self._zxing = ZxingEngine(self.settings.symbologies)
        self._zbar: ZbarEngine | None = None
        self.notice = ""
        if self.settings.second_engine:
            self._zbar, self.notice = zbar_engine(self.settings.symbologies)

    def read(self, image: Picture) -> tuple[DecodedCode, ...]:
        """Return the proven codes in `image` (grey, BGR or BGRA; any integer, float or boolean type).

        Raises ValueError for an array that is no picture.
        """
        grey, factor = bounded(to_grey(image), self.settings.max_side)
        return _Look(self, grey, factor).run()

    def engines(self) -> tuple[ZxingEngine, ZbarEngine | None]:
        """Return the first engine and, where installed, the second."""
        return self._zxing, self._zbar


class _Look:
    """One picture on its way through the ladder."""

    def __init__(self, reader: BarcodeReader, grey: Grey, factor: float) -> None:
        self._settings = reader.settings
        self._zxing, self._zbar = reader.engines()
        self._grey = grey
        self._factor = factor
        self._ballot = Ballot()
        self._began = time.thread_time()
        self._regions: list[Region] | None = None

    def run(self) -> tuple[DecodedCode, ...]:
        self._vote("zxing-cpp", self._zxing.first_look(self._grey), View(self._grey))
        self._confirm()
        if not self._settled():
            for step in self._ladder():
                if self._spent_ms() >= self._settings.budget_ms:
                    break
                step()
                if self._settled():
                    break
        return self._ballot.believed()

    def _settled(self) -> bool:
        return bool(self._ballot.believed()) and not self._ballot.waiting()

    def _spent_ms(self) -> float:
        return (time.thread_time() - self._began) * 1000.0

    def _confirm(self) -> None:
        """Look again at each 1-D code that the first pass read, turned upright and cleaned."""
        for code in self._ballot.waiting():
            region = region_of(_scaled(code.box, self._factor))
            scale = 2.0 if region.u1 - region.u0 < 350 else 1.0
            view = _cleaned(strip(self._grey, _taller(region), scale, _ROWS_TO_CONFIRM))
            self._vote("zxing-cpp strip", self._zxing.read(view.grey, strip=True), view)

    def _ladder(self) -> Iterator[Callable[[], None]]:
        yield lambda: self._strips("zxing-cpp strip", self._zxing, 2.0, _cleaned)
        yield lambda: self._strips("zxing-cpp even strip", self._zxing, 2.0, _evened)
        yield lambda: self._strips("pyzbar strip", self._zbar, 1.0, _plain)
        yield lambda: self._whole("zxing-cpp even", self._zxing, 1.0, _evened)
        yield lambda: self._strips("pyzbar clean strip", self._zbar, 2.0, _cleaned)
        yield lambda: self._whole("zxing-cpp double", self._zxing, 2.0, _plain)
        yield lambda: self._whole("pyzbar even", self._zbar, 1.0, _evened)
        yield lambda: self._whole("zxing-cpp even double", self._zxing, 2.0, _evened)
        yield lambda: self._strips("pyzbar treble strip", self._zbar, 3.0, _cleaned)
        yield lambda: self._whole("zxing-cpp flat", self._zxing, 1.0, _flattened)
        yield lambda: self._whole("zxing-cpp inverted", self._zxing, 1.0, _inverted)
        yield lambda: self._strips("zxing-cpp inverted strip", self._zxing, 2.0, _inverted)

    def _strips(
        self, look: str, engine: Engine | None, scale: float, prepare: Callable[[View], View]
    ) -> None:
        if engine is None:
            return
        if self._regions is None:
            self._regions = find_regions(self._grey, most=2)
        for region in self._regions:
            if self._spent_ms() < self._settings.budget_ms:
                view = prepare(strip(self._grey, region, scale))
                self._vote(look, engine.read(view.grey, strip=True), view)

    def _whole(self, look: str, engine: Engine | None, scale: float, prepare: Callable[[View], View]) -> None:
        if engine is None or (scale > 1.0 and self._grey.size > _LARGEST_TO_DOUBLE):
            return
        view = View(self._grey)
        if scale > 1.0:
            large = cv2.resize(self._grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
            view = View(cast(Grey, large), (1 / scale, 0.0, 0.0, 0.0, 1 / scale, 0.0))
        view = prepare(view)
        self._vote(look, engine.read(view.grey), view)

    def _vote(self, look: str, reads: list[Read], view: View) -> None:
        for read in reads:
            if usable(read.symbology, read.text, self._settings.itf_lengths):
                box = _scaled(view.back(read.box), 1 / self._factor)
                code = DecodedCode(read.symbology, read.text, read.payload, read.raw, read.aim, look, box)
                self._ballot.add(code, look)


_LARGEST_TO_DOUBLE = 800_000
_ROWS_TO_CONFIRM = 64
_EVEN = (2.0, (8, 8))
_EVEN_STRIP = (3.0, (8, 2))


def _plain(view: View) -> View:
    return view


def _evened(view: View) -> View:
    """Even out the light: contrast-limited adaptive histogram equalisation."""
    return View(cast(Grey, cv2.createCLAHE(*_EVEN).apply(view.grey)), view.matrix)


def _cleaned(view: View) -> View:
    """Blur along the bars, then even out the light."""
    along = max(3, min(11, view.grey.shape[0] // 4 * 2 + 1))
    smooth = cv2.blur(view.grey, (1, along))
    return View(cast(Grey, cv2.createCLAHE(*_EVEN_STRIP).apply(smooth)), view.matrix)


def _flattened(view: View) -> View:
    """Divide by the light of the surroundings, for shade that falls across a code."""
    side = max(view.grey.shape) // 8 | 1
    light = cv2.blur(cv2.dilate(view.grey, np.ones((7, 7), np.uint8)), (side, side))
    return View(cast(Grey, cv2.divide(view.grey, light, scale=200)), view.matrix)


def _inverted(view: View) -> View:
    """Turn light into dark: zxing-cpp does so itself for 2-D codes alone."""
    return View(cast(Grey, cv2.bitwise_not(view.grey)), view.matrix)


def _taller(region: Region) -> Region:
    """Give a region that was read on a few lines enough height for a second look."""
    need = 0.08 * (region.u1 - region.u0)
    lack = max(0.0, need - (region.v1 - region.v0)) / 2
    return Region(region.angle, region.u0, region.u1, region.v0 - lack, region.v1 + lack)


def _scaled(box: Quad, factor: float) -> Quad:
    if factor == 1.0:
        return box
    one, two, three, four = ((x * factor, y * factor) for x, y in box)
    return one, two, three, four
