"""The recogniser: a strip of picture to probabilities of plate symbols, by PP-OCRv4's mobile model.

The model file is the one inside the `rapidocr` 3.8.4 wheel (Apache-2.0, PaddleOCR); nothing of that package
is imported. Its 6,623 characters are folded into the plates' own (docs/decisions/0033-plate-reader.md).
"""

from __future__ import annotations

import hashlib
import importlib.util
import threading
from pathlib import Path
from typing import Any, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from devices.camera.pictures import Picture
from devices.camera.plates.grammar import SYMBOLS
from devices.types import DeviceError

Posteriors = NDArray[np.float32]
"""(steps, 1 + len(SYMBOLS)): probability of blank, then of each symbol of SYMBOLS, per step of 8 pixels."""

MODEL = "models/ch_PP-OCRv4_rec_mobile.onnx"
MODEL_SHA256 = "48fc40f24f6d2a207a2b1091d3437eb3cc3eb6b676dc3ef9c37384005483683b"
HEIGHT = 48
WIDTHS = (64, 512)

_ALIKE = {"0": "Oo", "1": "Il|", "W": "w", "S": "s", "C": "c", "V": "v", "X": "x", "Z": "z", "U": "u"}
_ALIKE |= {"K": "k", "P": "p", "M": "m", "Y": "y"}


class ModelMissing(DeviceError):
    """The model's file is not installed, or not the one that was measured; the message says what to do."""


def model_path() -> Path:
    """Return where the model's file lies; raises ModelMissing."""
    found = importlib.util.find_spec("rapidocr")
    places = list(found.submodule_search_locations or ()) if found else []
    for place in places:
        path = Path(place) / MODEL
        if path.is_file():
            return path
    raise ModelMissing(
        "the plate reader's model is not installed; run: systemd/prepare service (or: pip install --no-deps "
        "rapidocr==3.8.4)"
    )


class Recogniser:
    """PP-OCRv4's recogniser on one thread of onnxruntime; safe to use from several threads."""

    def __init__(self, path: Path | None = None) -> None:
        """Load the model (0.1 s, 60 MB). Raises ModelMissing."""
        import onnxruntime

        data = (path or model_path()).read_bytes()
        if hashlib.sha256(data).hexdigest() != MODEL_SHA256:
            raise ModelMissing(
                "the plate reader's model is not the measured one; run: pip install --no-deps rapidocr==3.8.4"
            )
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self._session: Any = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
        self._input = self._session.get_inputs()[0].name
        self._lock = threading.Lock()
        characters = self._session.get_modelmeta().custom_metadata_map["character"].splitlines()
        self._columns, self._folded = _columns(characters)

    def read(self, strip: Picture) -> Posteriors:
        """Return the posteriors of a BGR strip of HEIGHT rows and WIDTHS[0]-WIDTHS[1] columns."""
        wide = strip.astype(np.float32).transpose(2, 0, 1)[None]
        wide = wide * np.float32(2 / 255) - np.float32(1)
        with self._lock:
            found = self._session.run(None, {self._input: wide})[0][0]
        posteriors = found[:, self._columns]
        for index, others in self._folded:
            posteriors[:, index] += found[:, others].sum(axis=1)
        return cast(Posteriors, posteriors)


def fit(strip: Picture, width: int) -> Picture:
    """Return `strip` as HEIGHT rows by `width` columns."""
    shrink = strip.shape[1] > width
    return cast(
        Picture,
        cv2.resize(strip, (width, HEIGHT), interpolation=cv2.INTER_AREA if shrink else cv2.INTER_CUBIC),
    )


def _columns(characters: list[str]) -> tuple[NDArray[np.intp], list[tuple[int, NDArray[np.intp]]]]:
    """Return the model's column of each symbol, and the columns of what is folded into one of them."""
    place = {character: number + 1 for number, character in enumerate(characters)}
    missing = [one for one in SYMBOLS if one not in place]
    if missing:
        raise ModelMissing(f"the plate reader's model does not know {''.join(missing)}")
    columns = np.array([0, *(place[one] for one in SYMBOLS)], dtype=np.intp)
    folded = [
        (
            1 + SYMBOLS.index(one),
            np.array([place[other] for other in others if other in place], dtype=np.intp),
        )
        for one, others in _ALIKE.items()
    ]
    return columns, folded
