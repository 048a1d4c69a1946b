"""Whatever bytes a phone sends as a picture: they are read or refused, and nothing else happens."""

from __future__ import annotations

import contextlib

import cv2
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.camera.barcodes import BarcodeReader
from devices.camera.jpeg_codes import BadPicture, JpegCodes, size_of

WHOLE = bytes(cv2.imencode(".jpg", np.full((48, 64), 128, np.uint8))[1])
CODES = JpegCodes(BarcodeReader(), 48 * 1024, 1_000_000)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=400), st.booleans())
def test_any_bytes_have_a_size_or_are_refused(body: bytes, begins_well: bool) -> None:
    size = None
    with contextlib.suppress(BadPicture):
        size = size_of(b"\xff\xd8" * begins_well + body)
    if size is not None:
        assert begins_well or body.startswith(b"\xff\xd8")
        assert all(0 <= side <= 65_535 for side in size)


@settings(max_examples=150, deadline=None)
@given(st.integers(2, len(WHOLE) - 1), st.binary(min_size=1, max_size=6), st.booleans())
def test_a_picture_with_wrong_bytes_is_read_or_refused(at: int, wrong: bytes, cut: bool) -> None:
    spoilt = WHOLE[:at] + wrong + (b"" if cut else WHOLE[at + len(wrong) :])
    found: tuple[object, ...] = ()
    with contextlib.suppress(BadPicture):
        found = CODES.read(spoilt)
    assert found == ()
