"""The reader against codes of our own making under what a shop does to them."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest

from devices.camera.barcodes import BarcodeReader, ReaderSettings
from tests.unit.barcode_pictures import (
    CODES,
    Grey,
    blurred,
    drawn,
    drawn_qr,
    faded,
    noisy,
    padded,
    shaded,
    turned,
)

_PATIENT = ReaderSettings(budget_ms=2000.0)
_LINEAR = ("EAN-13", "EAN-8", "UPC-A", "UPC-E", "Code-128", "Code-39", "ITF")


@pytest.fixture(scope="module")
def reader() -> BarcodeReader:
    return BarcodeReader(_PATIENT)


def _found(reader: BarcodeReader, picture: Grey) -> list[tuple[str, str]]:
    return [(code.symbology, code.text) for code in reader.read(picture)]


@pytest.mark.parametrize("symbology", CODES)
def test_every_symbology_is_named_and_spelled_as_a_person_would(
    reader: BarcodeReader, symbology: str
) -> None:
    assert _found(reader, drawn(symbology)) == [(symbology, CODES[symbology][1])]


@pytest.mark.parametrize(
    "harm",
    [
        lambda p: turned(p, 180),
        lambda p: turned(p, 90),
        lambda p: turned(p, 20),
        lambda p: turned(p, 45),
        lambda p: blurred(p, 1.5),
        lambda p: noisy(p, 25),
        lambda p: faded(p, 100, 140),
        shaded,
        lambda p: padded(p, 200, light=90),
    ],
    ids=["upside-down", "sideways", "tilted", "diagonal", "blur", "noise", "faded", "shade", "far"],
)
@pytest.mark.parametrize("symbology", _LINEAR)
def test_linear_codes_are_read_through_what_a_shop_does_to_them(
    reader: BarcodeReader, symbology: str, harm: Callable[[Grey], Grey]
) -> None:
    assert _found(reader, harm(drawn(symbology))) == [(symbology, CODES[symbology][1])]


@pytest.mark.parametrize("symbology", ["EAN-13", "Code-128", "QR", "DataMatrix"])
def test_light_on_dark_is_read(reader: BarcodeReader, symbology: str) -> None:
    assert _found(reader, 255 - drawn(symbology)) == [(symbology, CODES[symbology][1])]


def test_two_codes_in_one_picture_are_both_read(reader: BarcodeReader) -> None:
    one, two = drawn("EAN-13"), drawn("QR")
    canvas = np.full((one.shape[0] + two.shape[0], max(one.shape[1], two.shape[1])), 255, np.uint8)
    canvas[: one.shape[0], : one.shape[1]] = one
    canvas[one.shape[0] :, : two.shape[1]] = two
    assert sorted(_found(reader, canvas)) == [("EAN-13", CODES["EAN-13"][1]), ("QR", CODES["QR"][1])]


def test_the_same_kind_of_code_twice_is_not_taken_for_a_contradiction(reader: BarcodeReader) -> None:
    above, below = drawn("EAN-13"), drawn("EAN-13", text="4006381333931")
    texts = {text for _, text in _found(reader, np.vstack([above, below]))}
    assert texts == {"6901234567892", "4006381333931"}


@pytest.mark.parametrize(
    ("encoding", "eci"),
    [("utf-8", False), ("utf-8", True), ("gb18030", False)],
    ids=["utf8", "eci", "gb18030"],
)
def test_chinese_in_a_qr_code_is_text_whatever_its_bytes(
    reader: BarcodeReader, encoding: str, eci: bool
) -> None:
    text = "导购小票:三楼女装 第88号"
    assert _found(reader, drawn_qr(text, encoding, eci)) == [("QR", text)]


@pytest.mark.parametrize(
    ("symbology", "payload", "aim"),
    [
        ("EAN-13", "6901234567892", "]E0"),
        ("UPC-A", "0036000291452", "]E0"),
        ("UPC-E", "0049000006346", "]E0"),
        ("EAN-8", "96385074", "]E4"),
        ("Code-128", "TICKET-20261122-7", "]C0"),
        ("DataBar-Exp", "01900123456789083103001750", "]e0"),
    ],
)
def test_payload_is_what_a_scanner_with_that_aim_id_sends(
    reader: BarcodeReader, symbology: str, payload: str, aim: str
) -> None:
    (code,) = reader.read(drawn(symbology))
    assert (code.payload, code.aim) == (payload, aim)


def test_the_box_lies_around_the_code_even_in_a_picture_that_was_shrunk() -> None:
    small = BarcodeReader(ReaderSettings(budget_ms=2000.0, max_side=500))
    picture = padded(drawn("EAN-13", scale=6, margin=0), 300)
    (code,) = small.read(picture)
    xs = [x for x, _ in code.box]
    assert 290 <= min(xs) <= 380
    assert picture.shape[1] - 380 <= max(xs) <= picture.shape[1] - 290


@pytest.mark.parametrize("length", [2, 4])
def test_short_itf_is_not_believed(reader: BarcodeReader, length: int) -> None:
    assert _found(reader, drawn("ITF", text="1234"[:length])) == []


@pytest.mark.parametrize("kind", ["white", "noise", "stripes", "text"])
def test_pictures_without_a_code_give_nothing(reader: BarcodeReader, kind: str) -> None:
    picture = np.full((400, 500), 255, np.uint8)
    if kind == "noise":
        picture = noisy(np.full((400, 500), 128, np.uint8), 60)
    elif kind == "stripes":
        picture[:, (np.arange(500) // 4) % 2 == 0] = 0
    elif kind == "text":
        for line in range(9):
            place = (5, 40 * line + 40)
            cv2.putText(picture, "|||| ILLINI 1111 ||||", place, cv2.FONT_HERSHEY_SIMPLEX, 1.2, 0, 3)
    assert _found(reader, picture) == []


@pytest.mark.parametrize("kind", ["bgr", "bgra", "16 bit", "float", "bool", "one channel", "strided"])
def test_every_kind_of_array_is_read(reader: BarcodeReader, kind: str) -> None:
    grey = drawn("EAN-13")
    clear = np.dstack([np.zeros_like(grey)] * 3 + [255 - grey])
    arrays = {
        "bgr": np.dstack([grey] * 3),
        "bgra": clear,
        "16 bit": grey.astype(np.uint16) * 16,
        "float": grey.astype(np.float32) / 255,
        "bool": grey > 128,
        "one channel": grey[:, :, None],
        "strided": np.dstack([grey] * 3)[:, ::-1],
    }
    assert [code.text for code in reader.read(arrays[kind])] == ["6901234567892"]


@pytest.mark.parametrize("shape", [(0, 5), (4,), (3, 3, 7)])
def test_an_array_that_is_no_picture_is_refused(reader: BarcodeReader, shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="a picture has"):
        reader.read(np.zeros(shape, np.uint8))


def test_one_pixel_is_a_picture_without_a_code(reader: BarcodeReader) -> None:
    assert reader.read(np.zeros((1, 1), np.uint8)) == ()


def test_without_the_second_engine_the_first_reads_on() -> None:
    alone = BarcodeReader(ReaderSettings(second_engine=False, budget_ms=2000.0))
    assert alone.engines()[1] is None
    assert [code.text for code in alone.read(turned(drawn("EAN-13"), 45))] == ["6901234567892"]


def test_unknown_symbologies_and_senseless_limits_are_refused() -> None:
    with pytest.raises(ValueError, match="EAN-31"):
        BarcodeReader(ReaderSettings(symbologies=("EAN-31",)))
    with pytest.raises(ValueError, match="max_side"):
        BarcodeReader(ReaderSettings(max_side=0))


def test_only_asked_symbologies_are_read() -> None:
    only_qr = BarcodeReader(ReaderSettings(symbologies=("QR",)))
    assert only_qr.read(drawn("EAN-13")) == ()
    assert [code.symbology for code in only_qr.read(drawn("QR"))] == ["QR"]
