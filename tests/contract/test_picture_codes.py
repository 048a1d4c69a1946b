"""Codes in pictures that phones send: the fake and the engines of the box behave alike."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import pytest

from devices.camera.barcodes import BarcodeReader
from devices.camera.jpeg_codes import BadPicture, JpegCodes, TooBusy, size_of
from edge.app.pictures import SentPictures
from edge.errors import Invalid
from edge.services.picture_ports import MAX_PICTURE_BYTES, MAX_PICTURE_PIXELS, PictureCodes
from sim.fakes.box import BREAD, COLA
from sim.fakes.pictures import FakePictures, picture
from tests.unit.barcode_pictures import drawn


@dataclass(frozen=True)
class Rig:
    """One reader, and how to make a picture of codes for it; the first one is the largest."""

    reader: PictureCodes
    photo: Callable[..., bytes]


def photo(*digits: str) -> bytes:
    """Return a JPEG with barcodes below one another, each smaller than the one before."""
    wall = np.full((1100, 900), 205, np.uint8)
    top = 40
    for number, one in enumerate(digits):
        bars = drawn("EAN-13", scale=4 - number, text=one)
        wall[top : top + bars.shape[0], 60 : 60 + bars.shape[1]] = bars
        top += bars.shape[0] + 60
    return jpeg(wall)


def jpeg(image: Any, quality: int = 70) -> bytes:
    return bytes(cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])[1])


@pytest.fixture(params=["fake", "real"])
def rig(request: pytest.FixtureRequest) -> Rig:
    return Rig(FakePictures(), picture) if request.param == "fake" else Rig(SentPictures(), photo)


def texts(rig: Rig, sent: bytes) -> list[str]:
    return [one.text for one in rig.reader.read(sent)]


def test_the_codes_of_a_picture_come_largest_first(rig: Rig) -> None:
    assert texts(rig, rig.photo(COLA)) == [COLA]
    assert texts(rig, rig.photo(BREAD, COLA)) == [BREAD, COLA]
    assert texts(rig, rig.photo()) == []


@pytest.mark.parametrize("sent", [b"", b"GIF89a" + b"\0" * 99, b"\xff\xd8", b"\x89PNG\r\n" + b"x" * 500])
def test_what_is_no_jpeg_is_refused(rig: Rig, sent: bytes) -> None:
    with pytest.raises(Invalid):
        rig.reader.read(sent)


def test_a_picture_that_is_too_large_a_file_is_refused(rig: Rig) -> None:
    sent = rig.photo(COLA)
    assert len(sent) < MAX_PICTURE_BYTES
    with pytest.raises(Invalid):
        rig.reader.read(sent + b"\0" * (MAX_PICTURE_BYTES + 1 - len(sent)))


def test_a_small_file_with_an_enormous_picture_is_refused_before_it_is_unpacked() -> None:
    sent = bytearray(jpeg(np.full((64, 64), 9, np.uint8)))
    at = sent.index(b"\xff\xc0")
    sent[at + 5 : at + 9] = b"\xff\xff\xff\xff"
    assert size_of(bytes(sent)) == (65_535, 65_535)
    with pytest.raises(Invalid, match="65535 x 65535 pixels"):
        SentPictures().read(bytes(sent))


@pytest.mark.parametrize("cut", [3, 20, 150, 400])
def test_a_picture_that_broke_off_is_refused_or_has_no_code(cut: int) -> None:
    found: tuple[object, ...] = ()
    with contextlib.suppress(Invalid):
        found = SentPictures().read(photo(COLA)[:cut])
    assert found == ()


def test_the_size_stands_behind_other_segments() -> None:
    plain = jpeg(np.full((48, 80), 9, np.uint8))
    comment = b"\xff\xfe\x00\x06abcd"
    assert size_of(plain) == (80, 48)
    assert size_of(plain[:2] + comment * 20 + plain[2:]) == (80, 48)
    with pytest.raises(BadPicture, match="broken off"):
        size_of(plain[:2] + comment * 100 + plain[2:])


class Slow(BarcodeReader):
    """A reader that holds a picture until it is told."""

    def __init__(self) -> None:
        super().__init__()
        self.began, self.go_on = threading.Event(), threading.Event()

    def read(self, image: Any) -> Any:
        self.began.set()
        assert self.go_on.wait(10)
        return super().read(image)


def test_so_many_pictures_at_once_and_no_more() -> None:
    slow = Slow()
    codes = JpegCodes(slow, MAX_PICTURE_BYTES, MAX_PICTURE_PIXELS, at_once=1)
    first = threading.Thread(target=lambda: codes.read(photo(COLA)))
    first.start()
    assert slow.began.wait(10)
    with pytest.raises(TooBusy):
        codes.read(photo(COLA))
    slow.go_on.set()
    first.join(10)
    assert [one.text for one in codes.read(photo(COLA))] == [COLA]
