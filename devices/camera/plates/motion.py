"""When a lane's frames are worth reading: something moves or stands in its region, or a loop is occupied.

Reading every frame of an empty lane would take a processor for nothing. The gate looks at a picture of
96 columns, in less than a millisecond.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from devices.camera.pictures import Picture

Region = tuple[float, float, float, float]
"""left, top, right, bottom as shares (0-1) of the picture."""

WHOLE: Region = (0.0, 0.0, 1.0, 1.0)
_NS_PER_S = 1_000_000_000
_COLUMNS, _ROWS = 96, 54


@dataclass(frozen=True, slots=True)
class MotionSettings:
    """region: the part of the picture that is the lane. step: difference of brightness that counts (0-255).

    share: part of the region that must differ. tail_s: how long the gate stays open after the last
    difference. absorb_s: after how long what stands still becomes background, so that a bin that was put
    there does not keep the gate open for ever.
    """

    region: Region = WHOLE
    step: int = 14
    share: float = 0.01
    tail_s: float = 1.0
    absorb_s: float = 120.0

    def __post_init__(self) -> None:
        """Raise ValueError for a region outside the picture or limits without sense."""
        left, top, right, bottom = self.region
        if not (0 <= left < right <= 1 and 0 <= top < bottom <= 1):
            raise ValueError(f"a region is left, top, right, bottom from 0 to 1, got {self.region}")
        if not (1 <= self.step <= 255 and 0 < self.share < 1 and self.tail_s >= 0 and self.absorb_s > 0):
            raise ValueError(f"motion needs step 1-255, share 0-1, tail_s >= 0 and absorb_s > 0, got {self}")


class MotionGate:
    """Whether the frames of one lane are to be read. One per camera; not thread safe."""

    def __init__(self, settings: MotionSettings | None = None) -> None:
        """Begin open: a vehicle may stand there already."""
        self._settings = settings or MotionSettings()
        self._background: NDArray[np.float32] | None = None
        self._open_until_ns = 0
        self._last_ns = 0

    def frame(self, picture: Picture, taken_ns: int) -> bool:
        """Return whether this frame is to be read; taken_ns must not go back."""
        small = self._small(picture)
        tail_ns = round(self._settings.tail_s * _NS_PER_S)
        if self._background is None:
            self._background, self._last_ns = small, taken_ns
            self._open_until_ns = taken_ns + tail_ns
            return True
        # A change of the light moves everything alike; what is left is what came.
        shift = small - self._background
        shift -= np.median(shift)
        if float((np.abs(shift) > self._settings.step).mean()) > self._settings.share:
            self._open_until_ns = taken_ns + tail_ns
        self._learn(small, taken_ns)
        return taken_ns <= self._open_until_ns

    def _learn(self, small: NDArray[np.float32], taken_ns: int) -> None:
        passed_s = (taken_ns - self._last_ns) / _NS_PER_S
        share = min(1.0, passed_s / self._settings.absorb_s * 3)
        self._last_ns = taken_ns
        background = self._background if self._background is not None else small
        self._background = (background + share * (small - background)).astype(np.float32)

    def _small(self, picture: Picture) -> NDArray[np.float32]:
        part = crop(picture, self._settings.region)
        small = cv2.resize(part, (_COLUMNS, _ROWS), interpolation=cv2.INTER_AREA)
        grey = small if small.ndim == 2 else cv2.cvtColor(small, cv2.COLOR_BGR2GRAY)
        return cast(NDArray[np.float32], cv2.GaussianBlur(grey, (3, 3), 0).astype(np.float32))


class LoopGate:
    """Frames are read while a presence loop is occupied, and for `tail_s` after it.

    The loop may be told from another thread than the frames'.
    """

    def __init__(self, tail_s: float = 1.0, otherwise: MotionGate | None = None) -> None:
        """Begin closed; with `otherwise`, that gate decides as long as nobody knows of the loop."""
        self._tail_ns = round(tail_s * _NS_PER_S)
        self._otherwise = otherwise
        self._occupied: bool | None = False if otherwise is None else None
        self._open_until_ns = -1

    def loop(self, occupied: bool | None, at_ns: int) -> None:
        """Take what the loop says now, None when nobody knows: its board is silent, say."""
        if self._occupied and occupied is False:
            self._open_until_ns = at_ns + self._tail_ns
        self._occupied = occupied

    def frame(self, picture: Picture, taken_ns: int) -> bool:
        """Return whether this frame is to be read."""
        occupied = self._occupied
        if occupied is None and self._otherwise is not None:
            return self._otherwise.frame(picture, taken_ns)
        return bool(occupied) or taken_ns <= self._open_until_ns


def crop(picture: Picture, region: Region) -> Picture:
    """Return the region's part of a picture, at least one pixel."""
    rows, columns = picture.shape[:2]
    left, top = int(region[0] * columns), int(region[1] * rows)
    right, bottom = max(left + 1, round(region[2] * columns)), max(top + 1, round(region[3] * rows))
    return picture[top:bottom, left:right]
