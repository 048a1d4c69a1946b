"""What each camera posts, as its maker documents it, becomes the same few words of ours."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from types import ModuleType

import pytest

from devices.camera.commands import OpenBarrier, SerialOut
from devices.camera.dahua import codec as dahua
from devices.camera.hikvision import codec as hikvision
from devices.camera.multipart import MultipartReader
from devices.camera.vzicom import codec as vzicom
from devices.types import BadPush, CameraAlive, CameraNews, CameraPost, CameraRequest, PlateSeen, SerialHeard
from edge.parking.observation import Trigger
from edge.parking.vehicle import PlateColour, VehicleClass

CODECS: dict[str, ModuleType] = {"vzicom": vzicom, "hikvision": hikvision, "dahua": dahua}
FOLDER = Path(__file__).parents[2] / "devices/camera"


def captures() -> list[tuple[str, str]]:
    found = []
    for maker in CODECS:
        expected = json.loads((FOLDER / maker / "captures/expected.json").read_text("utf-8"))
        found += [(maker, name) for name in expected]
    return found


def posted(maker: str, name: str) -> tuple[CameraPost, Mapping[str, object]]:
    folder = FOLDER / maker / "captures"
    wanted = json.loads((folder / "expected.json").read_text("utf-8"))[name]
    request = CameraRequest(wanted.get("path", ""), wanted["content_type"], (folder / name).read_bytes(), 7)
    return CODECS[maker].parse_push(request, "in-1"), wanted


def plain(news: CameraNews) -> dict[str, object]:
    values = asdict(news)
    assert values.pop("device") == "in-1"
    assert values.pop("read_ns") == 7
    if isinstance(news, PlateSeen):
        values["photos"] = [one.kind for one in news.photos]
        values["confidences"] = list(news.confidences)
    if isinstance(news, SerialHeard):
        values["data"] = news.data.hex()
    return {"kind": type(news).__name__, **values}


@pytest.mark.parametrize(("maker", "name"), captures())
def test_a_capture_reads_as_it_must(maker: str, name: str) -> None:
    post, wanted = posted(maker, name)
    said = wanted["news"]
    assert isinstance(said, list)
    empty = {"confidences": []} if said[0]["kind"] == "PlateSeen" else {}
    assert [plain(one) for one in post.news] == [{**empty, **one} for one in said]
    assert (post.serial, post.mark) == (wanted["serial"], wanted["mark"])


def test_nothing_of_a_heartbeat_but_its_serial_number_is_kept() -> None:
    post, _ = posted("vzicom", "heartbeat.form")
    assert "not-a-secret" not in repr(post)
    assert "admin" not in repr(post)


def test_a_request_shows_no_body() -> None:
    assert "s3cret" not in repr(CameraRequest("", "text/plain", b"pass_wd=s3cret", 7))


def test_a_heartbeat_at_the_comet_path_waits_for_commands() -> None:
    body = b"serialno=abc&user_name=admin&pass_wd=x"
    request = CameraRequest("comet", "application/x-www-form-urlencoded", body, 7)
    assert vzicom.parse_push(request, "in-1").news == (CameraAlive("in-1", 7, asks=True),)


def test_a_plain_vzicom_answer_stops_the_resending_asks_for_the_next_record_and_opens_nothing() -> None:
    post, _ = posted("vzicom", "offline.json")
    assert json.loads(vzicom.build_answer(post)) == {
        "Response_AlarmInfoPlate": {
            "info": "no",
            "content": "retransfer_stop",
            "is_pay": "false",
            "ContinuePushOffline": {"plateid": 123, "continue": 1},
        }
    }


def test_a_vzicom_answer_opens_and_drives_the_board() -> None:
    post, _ = posted("vzicom", "plate.json")
    body = vzicom.build_answer(post, (OpenBarrier(), SerialOut(0, b"\x00\x64")), vzicom.RelayHabits(io=1))
    said = json.loads(body)["Response_AlarmInfoPlate"]
    assert said["ivs_ioctrl"] == {"delay": 500, "io": 1, "value": 2}
    assert said["info"] == "no"
    assert said["serialData"] == [{"serialChannel": 0, "data": "AGQ=", "dataLen": 2}]


def test_a_clone_is_opened_by_the_word_ok_alone() -> None:
    post, _ = posted("vzicom", "plate.json")
    said = json.loads(vzicom.build_answer(post, (OpenBarrier(),), vzicom.RelayHabits("info")))
    assert said["Response_AlarmInfoPlate"]["info"] == "ok"
    assert "ivs_ioctrl" not in said["Response_AlarmInfoPlate"]


def test_dahua_opens_in_the_answer_to_a_vehicle_alone() -> None:
    post, _ = posted("dahua", "tollgate.json")
    opened = {"Result": True, "DeviceID": "7A0123PAZ00001", "OpenStrobe": True}
    assert json.loads(dahua.build_answer(post, (OpenBarrier(),))) == opened
    assert json.loads(dahua.build_answer(post)) == {**opened, "OpenStrobe": False}
    alive, _ = posted("dahua", "keep_alive.json")
    assert "OpenStrobe" not in json.loads(dahua.build_answer(alive, (OpenBarrier(),)))


@pytest.mark.parametrize("size", [1, 7, 4096])
def test_the_dahua_stream_reads_the_same_however_it_is_cut(size: int) -> None:
    data = (FOLDER / "dahua/captures/stream.bin").read_bytes()
    reader, builder = MultipartReader("myboundary"), dahua.EventBuilder("out-1")
    found: list[CameraNews] = []
    for at in range(0, len(data), size):
        for part in reader.feed(data[at : at + size]):
            found += builder.part(part, 7)
    seen = [one for one in found if isinstance(one, PlateSeen)]
    assert [one.plate for one in seen] == ["粤B12345", "粤B12345"]
    assert seen[0].key == seen[1].key
    assert [len(one.photos) for one in seen] == [1, 0]
    assert seen[0].photos[0].jpeg.endswith(b"nearly\xff\xd9")
    assert (seen[0].colour, seen[0].vehicle_class, seen[0].camera_at_ms) == ("blue", "small", 1715075283847)
    assert sum(isinstance(one, CameraAlive) for one in found) == 3


def test_every_word_of_a_codec_is_one_of_the_car_parks() -> None:
    colours = {*vzicom.COLOURS.values(), *hikvision.COLOURS.values(), *dahua.COLOURS.values()}
    classes = {*vzicom.CLASSES.values(), *hikvision.CLASSES.values(), *(one for one, _ in dahua.CLASS_WORDS)}
    assert colours <= set(PlateColour)
    assert classes <= set(VehicleClass)
    assert set(vzicom.TRIGGERS.values()) <= set(Trigger)


BROKEN = {
    "no JSON": (vzicom, "application/json", b"{", "no JSON"),
    "a list": (vzicom, "application/json", b"[1]", "must be a JSON object, got list"),
    "deep": (vzicom, "application/json", b"[" * 200_000, "nested too deep"),
    "other": (vzicom, "application/json", b'{"Alarm": 1}', "it has Alarm"),
    "no result": (vzicom, "application/json", b'{"AlarmInfoPlate": {}}', "no result.PlateResult"),
    "binary": (vzicom, "application/json", b"\xff\xd8\xff\xff", "neither UTF-8 nor GB18030"),
    "no boundary": (vzicom, "multipart/form-data", b"x", "names no boundary"),
    "wrong boundary": (hikvision, "multipart/form-data; boundary=q", b"--p\r\n\r\nx", "no part"),
    "no XML": (hikvision, "application/xml", b"<a><b></a>", "the XML is broken"),
    "entities": (
        hikvision,
        "application/xml",
        b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>',
        "declares entities",
    ),
    "other XML": (hikvision, "application/xml", b"<a/>", "no EventNotificationAlert"),
    "pictures only": (
        hikvision,
        "multipart/x; boundary=p",
        b"--p\r\nContent-Type: image/jpeg\r\n\r\nx\r\n--p--",
        "holds",
    ),
    "huge part": (
        hikvision,
        "multipart/x; boundary=p",
        b"--p\r\nContent-Length: 99999999\r\n\r\n",
        "at most",
    ),
    "no number": (dahua, "application/json", b"null", "must be a JSON object"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_post_is_refused_with_what_was_wrong(name: str) -> None:
    codec, content_type, body, why = BROKEN[name]
    with pytest.raises(BadPush, match=why):
        codec.parse_push(CameraRequest("", content_type, body, 7), "in-1")


def test_a_picture_that_is_none_costs_the_picture_and_not_the_read() -> None:
    body = json.loads((FOLDER / "vzicom/captures/plate.json").read_text("utf-8"))
    body["AlarmInfoPlate"]["result"]["PlateResult"]["imageFile"] = "bm90IGEgcGljdHVyZQ=="
    request = CameraRequest("", "application/json", json.dumps(body).encode(), 7)
    [seen] = vzicom.parse_push(request, "in-1").news
    assert isinstance(seen, PlateSeen)
    assert [one.kind for one in seen.photos] == ["plate"]
