"""Cameras end to end: files as cameras, a camera as scanner, reading for the command line, real photos."""

from __future__ import annotations

import csv
import json
import os
import threading
from pathlib import Path

import cv2
import numpy as np
import pytest

from devices.camera.agreement import AgreementSettings
from devices.camera.barcodes import BarcodeReader, ReaderSettings
from devices.camera.driver import OpenCvCamera
from devices.camera.pictures import PictureUnreadable, load_picture
from devices.camera.read_images import read_paths, to_json_line, to_text_lines
from devices.camera.scanner import CameraScanner
from devices.camera.sources import open_source, shown
from devices.runtime import Backoff, boottime_ns
from devices.types import DeviceAbsent, Health
from sim.fakes.camera import FakeCamera
from tests.unit.barcode_pictures import CODES, blurred, drawn, drawn_qr

_PATIENCE_S = 10.0
_DATA = Path(os.environ.get("MALL_EDGE_DATA", Path(__file__).parents[3] / "shared" / "data")) / "barcodes"
_MS = 1_000_000


def _save(path: Path, symbology: str) -> Path:
    cv2.imwrite(str(path), drawn(symbology))
    return path


def test_a_code_held_before_the_camera_is_one_scan_with_its_aim_id() -> None:
    camera = FakeCamera()
    scanner = CameraScanner("eye-1", camera, BarcodeReader(ReaderSettings(budget_ms=2000.0)))
    scans = []
    for moment in range(6):
        camera.show(drawn("UPC-A"), taken_ns=moment * 100 * _MS)
        scans.append(scanner.read(0.0))
    (scan,) = [scan for scan in scans if scan is not None]
    assert scans[1] is scan
    assert (scan.device, scan.text, scan.aim) == ("eye-1", "0036000291452", "]E0")
    assert scan.read_ns == 100 * _MS


def test_a_code_shown_again_after_it_was_away_is_another_scan() -> None:
    camera = FakeCamera()
    scanner = CameraScanner("eye-1", camera, agreement=AgreementSettings(gone_ms=500))
    texts = []
    for moment_ms, symbology in [(0, "EAN-8"), (50, "EAN-8"), (900, "QR"), (1000, "EAN-8"), (1050, "EAN-8")]:
        camera.show(drawn(symbology), taken_ns=moment_ms * _MS)
        scan = scanner.read(0.0)
        texts.append(scan.text if scan else None)
    assert texts == [None, "96385074", None, None, "96385074"]


def test_two_codes_in_view_are_two_scans() -> None:
    camera = FakeCamera()
    scanner = CameraScanner("eye-1", camera, agreement=AgreementSettings(needed=1, window=1))
    one, two = drawn("EAN-13"), drawn("EAN-8")
    canvas = np.full((one.shape[0] + two.shape[0], one.shape[1]), 255, np.uint8)
    canvas[: one.shape[0]] = one
    canvas[one.shape[0] :, : two.shape[1]] = two
    camera.show(canvas)
    first, second = scanner.read(0.0), scanner.read(0.0)
    assert {scan.text for scan in (first, second) if scan} == {"6901234567892", "96385074"}


def test_a_camera_scanner_without_frames_waits_out_its_time_and_shows_the_cameras_health() -> None:
    camera = FakeCamera()
    scanner = CameraScanner("eye-1", camera)
    assert scanner.read(0.05) is None
    camera.unplug()
    assert scanner.status().health is Health.ABSENT
    scanner.close()
    assert camera.frame(60.0) is None


def test_a_folder_is_a_camera_that_shows_each_picture_in_order(tmp_path: Path) -> None:
    for number, symbology in enumerate(["EAN-13", "QR", "EAN-8"]):
        _save(tmp_path / f"{number}.png", symbology)
    (tmp_path / "1b.png").write_bytes(b"not a picture")
    camera = OpenCvCamera("shelf", str(tmp_path))
    agreement = AgreementSettings(needed=1, window=1)
    scanner = CameraScanner("eye-1", camera, BarcodeReader(), agreement)
    texts = [scan.text for scan in (scanner.read(_PATIENCE_S) for _ in range(3)) if scan]
    assert texts == [CODES[name][1] for name in ("EAN-13", "QR", "EAN-8")]
    assert scanner.read(0.1) is None
    assert "all pictures were played" in scanner.status().detail
    scanner.close()


def test_one_picture_repeated_is_a_camera_that_is_always_on(tmp_path: Path) -> None:
    camera = OpenCvCamera("still", str(_save(tmp_path / "a.png", "QR")), repeat=True)
    scan = CameraScanner("eye-1", camera).read(_PATIENCE_S)
    assert scan is not None
    assert scan.text == CODES["QR"][1]
    camera.close()


def test_a_video_file_is_a_camera(tmp_path: Path) -> None:
    path = tmp_path / "a.avi"
    picture = cv2.cvtColor(drawn("EAN-13"), cv2.COLOR_GRAY2BGR)
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 10, picture.shape[1::-1])
    if not writer.isOpened():
        pytest.skip("this OpenCV cannot write MJPG videos")
    for _ in range(4):
        writer.write(picture)
    writer.release()
    camera = OpenCvCamera("film", str(path))
    scan = CameraScanner("eye-1", camera).read(_PATIENCE_S)
    assert scan is not None
    assert scan.text == CODES["EAN-13"][1]
    camera.close()


def test_a_missing_camera_is_looked_for_until_it_is_there(tmp_path: Path) -> None:
    path = tmp_path / "late.png"
    camera = OpenCvCamera("late", str(path), backoff=Backoff(0.01, 0.05))
    deadline_ns = boottime_ns() + round(_PATIENCE_S * 1e9)
    while camera.status().health is not Health.ABSENT and boottime_ns() < deadline_ns:
        threading.Event().wait(0.005)
    assert "no such device or file" in camera.status().detail
    hidden = _save(tmp_path / "hidden.png", "QR")
    hidden.rename(path)
    assert camera.frame(_PATIENCE_S) is not None
    camera.close()


def test_an_address_that_does_not_answer_is_absent_and_its_password_is_not_shown() -> None:
    port = "http://admin:secret@127.0.0.1:9/stream?token=secret"
    assert shown(port) == "http://127.0.0.1:9/stream?..."
    with pytest.raises(DeviceAbsent, match="cannot be opened") as caught:
        open_source(port)
    assert "secret" not in str(caught.value)


def test_reading_files_and_folders_goes_on_past_what_cannot_be_read(tmp_path: Path) -> None:
    folder = tmp_path / "shelf"
    (folder / "deep").mkdir(parents=True)
    _save(folder / "deep" / "z.png", "QR")
    _save(folder / "a.png", "EAN-13")
    (folder / "note.txt").write_text("not a picture, not tried")
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"\x89PNG\r\n\x1a\n half")
    empty = tmp_path / "empty.jpg"
    empty.touch()
    bare = tmp_path / "bare"
    bare.mkdir()
    paths = [folder, broken, empty, tmp_path / "gone.png", bare]
    results = list(read_paths(paths, BarcodeReader()))
    assert [Path(result.file).name for result in results] == [
        "a.png", "z.png", "broken.png", "empty.jpg", "gone.png", "bare",
    ]  # fmt: skip
    assert [[code.text for code in result.codes] for result in results[:2]] == [
        [CODES["EAN-13"][1]],
        [CODES["QR"][1]],
    ]
    reasons = ["damaged", "empty", "cannot be opened", "no pictures"]
    assert [
        result.error is not None and word in result.error
        for result, word in zip(results[2:], reasons, strict=True)
    ] == [True] * 4
    assert to_text_lines(results[2])[0].startswith("error: ")


def test_a_json_line_holds_file_codes_and_milliseconds(tmp_path: Path) -> None:
    path = tmp_path / "q.png"
    cv2.imwrite(str(path), drawn_qr("会员 8 折", "utf-8"))
    (result,) = read_paths([path], BarcodeReader())
    line = to_json_line(result)
    assert "会员" in line
    read = json.loads(line)
    assert sorted(read) == ["codes", "file", "ms"]
    assert read["file"] == str(path)
    assert read["codes"] == [{"symbology": "QR", "text": "会员 8 折"}]
    assert read["ms"] > 0


def test_a_picture_that_was_cut_off_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    path = tmp_path / "cut.jpg"
    code = drawn("EAN-13", margin=60)
    cv2.imwrite(str(path), np.vstack([code, blurred(code, 8.0), code]))
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 8 // 10])
    (result,) = read_paths([path], BarcodeReader())
    assert result.error is None
    assert {code.text for code in result.codes} == {CODES["EAN-13"][1]}


@pytest.mark.parametrize("suffix", ["png", "jpg", "bmp", "tif", "webp"])
def test_the_usual_file_formats_are_read(tmp_path: Path, suffix: str) -> None:
    (result,) = read_paths([_save(tmp_path / f"a.{suffix}", "EAN-13")], BarcodeReader())
    assert [code.text for code in result.codes] == [CODES["EAN-13"][1]]


def test_palette_and_16_bit_files_are_read(tmp_path: Path) -> None:
    from PIL import Image

    Image.fromarray(drawn("EAN-13")).convert("P").save(tmp_path / "p.png")
    cv2.imwrite(str(tmp_path / "s.png"), drawn("EAN-13").astype(np.uint16) * 257)
    for result in read_paths([tmp_path / "p.png", tmp_path / "s.png"], BarcodeReader()):
        assert [code.text for code in result.codes] == [CODES["EAN-13"][1]]


def test_a_file_without_an_end_is_refused_before_it_is_loaded() -> None:
    with pytest.raises(PictureUnreadable, match="/dev/null"):
        load_picture(Path("/dev/null"))


def test_real_photographs_are_read_as_labelled_and_those_without_a_code_give_nothing() -> None:
    if not (_DATA / "truth.csv").exists():
        pytest.skip(f"no labelled photographs in {_DATA}; set MALL_EDGE_DATA")
    with (_DATA / "truth.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    sample = [row for row in rows if row["symbology"] not in ("none", "DataBar-14")][::5]
    nothing = [row for row in rows if row["symbology"] == "none"][::2]
    reader = BarcodeReader()
    right = wrong = 0
    for row in sample:
        found = {
            code.text.replace("\r\n", "\n").strip() for code in reader.read(load_picture(_DATA / row["file"]))
        }
        want = row["text"].replace("\r\n", "\n").strip()
        right += want in found
        wrong += bool(found - {want})
    ghosts = [row["file"] for row in nothing if reader.read(load_picture(_DATA / row["file"]))]
    assert ghosts == []
    assert wrong == 0
    assert right / len(sample) >= 0.85
