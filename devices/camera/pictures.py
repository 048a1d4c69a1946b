"""Picture files and arrays of every kind, made into what a decoder takes: 8-bit grey of bounded size."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from devices.types import DeviceError

Grey = NDArray[np.uint8]
Picture = NDArray[Any]

MAX_FILE_BYTES = 64 * 1024 * 1024
MAX_PIXELS = 120_000_000
SUFFIXES = frozenset(
    {".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp", ".pbm", ".pgm", ".ppm", ".jp2"}
)

cv2.setNumThreads(1)


class PictureUnreadable(DeviceError):
    """The file is not a picture that can be read; the message names it and says why."""


def load_picture(path: Path) -> Picture:
    """Return the picture in `path` as it is stored (grey, BGR or BGRA; 8 or 16 bit).

    A picture that is cut off comes back with the part that is there. Raises PictureUnreadable.
    """
    data = _file_bytes(path)
    buffer = np.frombuffer(data, np.uint8)
    try:
        picture = cv2.imdecode(buffer, cv2.IMREAD_UNCHANGED)
        if picture is None:
            picture = cv2.imread(str(path), cv2.IMREAD_COLOR)
    except cv2.error as error:
        raise PictureUnreadable(f"{path}: not readable as a picture ({error.err})") from error
    if picture is None:
        raise PictureUnreadable(
            f"{path}: not a picture that OpenCV knows, or damaged; save it as PNG or JPEG"
        )
    if picture.shape[0] * picture.shape[1] > MAX_PIXELS:
        raise PictureUnreadable(
            f"{path}: more than {MAX_PIXELS // 1_000_000} million pixels; make it smaller"
        )
    return cast(Picture, picture)


def to_grey(picture: Picture) -> Grey:
    """Return 8-bit grey of any BGR, BGRA (laid on white) or grey array of integers, floats or booleans.

    Raises ValueError for an array that is no picture.
    """
    if picture.ndim not in (2, 3) or picture.size == 0:
        raise ValueError(f"a picture has 2 or 3 dimensions and pixels, got shape {picture.shape}")
    eight = _to_8_bit(picture)
    if eight.ndim == 2:
        return np.ascontiguousarray(eight)
    channels = eight.shape[2]
    if channels == 1:
        return np.ascontiguousarray(eight[:, :, 0])
    if channels == 2:
        return _on_white(eight[:, :, 0], eight[:, :, 1])
    if channels not in (3, 4):
        raise ValueError(f"a picture has 1 to 4 channels, got {channels}")
    grey = cast(Grey, cv2.cvtColor(np.ascontiguousarray(eight[:, :, :3]), cv2.COLOR_BGR2GRAY))
    return grey if channels == 3 else _on_white(grey, eight[:, :, 3])


def bounded(grey: Grey, max_side: int) -> tuple[Grey, float]:
    """Return the picture with no side over `max_side` pixels, and the factor it was shrunk by (<= 1)."""
    factor = max_side / max(grey.shape)
    if factor >= 1.0:
        return grey, 1.0
    size = (max(1, round(grey.shape[1] * factor)), max(1, round(grey.shape[0] * factor)))
    return cast(Grey, cv2.resize(grey, size, interpolation=cv2.INTER_AREA)), factor


def _file_bytes(path: Path) -> bytes:
    try:
        size = path.stat().st_size
        if size > MAX_FILE_BYTES:
            raise PictureUnreadable(f"{path}: {size} bytes, more than the {MAX_FILE_BYTES} allowed")
        data = path.read_bytes()
    except OSError as error:
        raise PictureUnreadable(f"{path}: cannot be opened ({error.strerror})") from error
    if not data:
        raise PictureUnreadable(f"{path}: the file is empty")
    return data


def _to_8_bit(picture: Picture) -> Grey:
    if picture.dtype == np.uint8:
        return cast(Grey, picture)
    if picture.dtype == np.bool_:
        return cast(Grey, picture.astype(np.uint8) * np.uint8(255))
    if picture.dtype == np.uint16:
        top = int(picture.max())
        return cast(Grey, (picture >> max(0, top.bit_length() - 8)).astype(np.uint8))
    values = np.nan_to_num(picture.astype(np.float32))
    low, high = float(values.min()), float(values.max())
    return cast(Grey, ((values - low) * (255.0 / max(high - low, 1e-6))).astype(np.uint8))


def _on_white(grey: Grey, alpha: Grey) -> Grey:
    if int(alpha.min()) == 255:
        return np.ascontiguousarray(grey)
    light = grey.astype(np.uint16) * alpha + 255 * (255 - alpha.astype(np.uint16))
    return cast(Grey, (light // 255).astype(np.uint8))
