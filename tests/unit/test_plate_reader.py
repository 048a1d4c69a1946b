"""Plates read out of rendered scenes by the real model, and by the command line."""

from __future__ import annotations

import json
import os
from pathlib import Path

import cv2
import numpy as np
import pytest
from click.testing import CliRunner

from devices.camera.pictures import load_picture
from devices.camera.plates.read_plates import draw, files_of, read_file, to_json_line, to_text_lines
from devices.camera.plates.reader import PlateReader, PlateSettings
from devices.camera.plates.recogniser import ModelMissing, Recogniser
from edge.cli import main
from sim.plates.plate import Plate, PlateKind
from tests.bench.rendered_plates import CONDITIONS, no_plate, scene

DATA = Path(os.environ.get("MALL_EDGE_DATA", Path(__file__).parents[3] / "shared" / "data")) / "plates"
KINDS = [
    Plate("粤B12345", PlateKind.BLUE),
    Plate("沪A8K6M2", PlateKind.YELLOW),
    Plate("粤AK9331", PlateKind.YELLOW_TWO_ROWS),
    Plate("粤BD12345", PlateKind.GREEN),
    Plate("粤B54321F", PlateKind.GREEN_YELLOW),
    Plate("京A1234警", PlateKind.POLICE),
    Plate("粤Z1A34港", PlateKind.HONG_KONG),
    Plate("粤Z7P35澳", PlateKind.MACAU),
    Plate("224578使", PlateKind.EMBASSY),
    Plate("苏E2234学", PlateKind.LEARNER),
    Plate("鲁B2468挂", PlateKind.TRAILER),
]


@pytest.fixture(scope="module")
def reader() -> PlateReader:
    return PlateReader()


@pytest.mark.parametrize("plate", KINDS, ids=lambda plate: plate.text)
def test_every_kind_is_read_with_its_colour_and_place(reader: PlateReader, plate: Plate) -> None:
    found = reader.read(scene(plate, "clear", 5, width=200))
    assert found[0].text == plate.text
    assert found[0].colour == plate.colour
    assert found[0].confidence > 0.8
    assert len(found[0].confidences) == len(plate.text)
    left, top, right, bottom = found[0].box
    assert 150 < right - left < 260
    assert 40 < bottom - top < 150


@pytest.mark.parametrize("condition", CONDITIONS)
def test_a_plate_is_read_in_every_weather(reader: PlateReader, condition: str) -> None:
    assert reader.read(scene(KINDS[0], condition, 11, width=170))[0].text == "粤B12345"


def test_a_red_character_that_is_dark_at_night_is_looked_for_beside_the_others(reader: PlateReader) -> None:
    assert reader.read(scene(KINDS[8], "night", 3, width=200))[0].text == "224578使"


def test_grey_and_transparent_pictures_are_read_too(reader: PlateReader) -> None:
    picture = scene(KINDS[0], "clear", 5, width=200)
    grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)
    assert reader.read(grey)[0].text == "粤B12345"
    assert reader.read(cv2.cvtColor(picture, cv2.COLOR_BGR2BGRA))[0].text == "粤B12345"


@pytest.mark.parametrize("seed", range(4))
def test_a_picture_without_a_plate_gives_none(reader: PlateReader, seed: int) -> None:
    assert reader.read(no_plate(seed)) == ()


@pytest.mark.parametrize("shape", [(1, 1, 3), (3, 900, 3), (900, 3), (40, 40, 4)])
def test_odd_pictures_do_no_harm(reader: PlateReader, shape: tuple[int, ...]) -> None:
    assert reader.read(np.full(shape, 127, np.uint8)) == ()


def test_what_is_no_picture_is_refused(reader: PlateReader) -> None:
    with pytest.raises(ValueError, match="picture"):
        reader.read(np.zeros((0, 5, 3), np.uint8))
    with pytest.raises(ValueError, match="bits"):
        reader.read(np.zeros((50, 50), np.float64))


def test_two_plates_are_both_returned_the_larger_first(reader: PlateReader) -> None:
    picture = np.hstack([scene(KINDS[0], "clear", 5, width=140), scene(KINDS[1], "clear", 6, width=240)])
    assert [one.text for one in reader.read(picture)] == ["沪A8K6M2", "粤B12345"]


def test_settings_without_sense_are_refused() -> None:
    with pytest.raises(ValueError, match="plates"):
        PlateSettings(tries=2, plates=3)


def test_another_model_than_the_measured_one_is_refused(tmp_path: Path) -> None:
    other = tmp_path / "model.onnx"
    other.write_bytes(b"not the model")
    with pytest.raises(ModelMissing, match=r"rapidocr==3\.8\.4"):
        Recogniser(other)


def test_a_video_gives_one_line_for_each_vehicle(reader: PlateReader, tmp_path: Path) -> None:
    path = tmp_path / "lane.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 6.0, (960, 600))
    if not writer.isOpened():
        pytest.skip("this OpenCV cannot write a video")
    for number in range(10):
        writer.write(scene(KINDS[0], "clear", 5, width=180) if 2 <= number < 8 else no_plate(5))
    writer.release()
    (one,) = read_file(path, reader)
    assert [plate.text for plate in one.plates] == ["粤B12345"]
    assert one.file.startswith(f"{path}#")
    assert one.frames >= 2


def test_results_are_told_and_drawn(reader: PlateReader, tmp_path: Path) -> None:
    picture = tmp_path / "one.png"
    cv2.imwrite(str(picture), scene(KINDS[3], "clear", 5, width=200))
    (result,) = read_file(picture, reader)
    line = json.loads(to_json_line(result))
    assert set(line) == {"file", "plates", "ms"}
    assert set(line["plates"][0]) == {"plate", "colour", "confidence", "box"}
    assert line["plates"][0]["plate"] == "粤BD12345"
    assert "粤BD12345 green" in to_text_lines(result)[0]
    drawn = draw(result, tmp_path / "out")
    assert drawn is not None
    assert result.picture is not None
    assert (load_picture(drawn) != result.picture).any()


def test_the_command_tells_what_it_read_and_ends_with_1_for_what_it_could_not(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "b.jpg"), scene(KINDS[0], "clear", 5, width=200))
    (tmp_path / "a.jpg").write_bytes(b"no picture")
    result = CliRunner().invoke(main, ["read-plates", str(tmp_path), "--json"])
    lines = [json.loads(line) for line in result.stdout.splitlines() if line.startswith("{")]
    assert result.exit_code == 1
    assert [line["file"] for line in lines] == [str(tmp_path / "a.jpg"), str(tmp_path / "b.jpg")]
    assert "error" in lines[0]
    assert lines[1]["plates"][0]["plate"] == "粤B12345"


def test_a_path_without_pictures_is_named(reader: PlateReader, tmp_path: Path) -> None:
    assert files_of([tmp_path]) == [tmp_path]
    (result,) = read_file(tmp_path, reader)
    assert result.error is not None
    assert "no pictures" in to_text_lines(result)[0]


@pytest.mark.skipif(not DATA.exists(), reason="no photographs; set MALL_EDGE_DATA")
@pytest.mark.parametrize("plate", ["京A88731", "粤AK9331", "沪AGH092"])
def test_real_photographs_are_read(reader: PlateReader, plate: str) -> None:
    assert reader.read(load_picture(DATA / f"{plate}.jpg"))[0].text == plate
