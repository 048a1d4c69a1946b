"""Port PushCamera: the same promises from the fake and from each maker's cameras."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from devices.camera.pushed import BoardOnCamera, DahuaSpeech, HikvisionSpeech, PushedCamera, VzicomSpeech
from devices.types import BadPush, CameraAlive, CameraRequest, CameraWish, Health, PlateSeen
from edge.services.camera_ports import PushCamera
from sim.fakes.plate_camera import FakePushCamera

FOLDER = Path(__file__).parents[2] / "devices/camera"


@dataclass(frozen=True, slots=True)
class Rig:
    """A camera, its posts, and whether an answer opens."""

    camera: PushCamera
    vehicle: CameraRequest
    alive: CameraRequest
    opens: Callable[[bytes], bool]
    answers_open: bool = True


def capture(maker: str, name: str, path: str = "") -> CameraRequest:
    folder = FOLDER / maker / "captures"
    content_type = json.loads((folder / "expected.json").read_text("utf-8"))[name]["content_type"]
    return CameraRequest(path, content_type, (folder / name).read_bytes(), 7)


def fake_rig() -> Rig:
    vehicle = CameraRequest("", "application/json", b'{"key": "1", "plate": "A", "serial": "s"}', 7)
    alive = CameraRequest("", "application/json", b'{"serial": "s"}', 7)
    return Rig(FakePushCamera("in-1"), vehicle, alive, lambda body: bool(json.loads(body)["open"]))


def vzicom_rig() -> Rig:
    camera = PushedCamera("in-1", VzicomSpeech(), BoardOnCamera())

    def opens(body: bytes) -> bool:
        said = json.loads(body)["Response_AlarmInfoPlate"]
        return "ivs_ioctrl" in said or said["info"] == "ok"

    return Rig(camera, capture("vzicom", "plate.json"), capture("vzicom", "heartbeat.form"), opens)


def hikvision_rig() -> Rig:
    camera = PushedCamera("in-1", HikvisionSpeech())
    vehicle, alive = capture("hikvision", "push_isapi.form"), capture("hikvision", "videoloss.xml")
    return Rig(camera, vehicle, alive, lambda body: b"open" in body.lower(), answers_open=False)


def dahua_rig() -> Rig:
    camera = PushedCamera("in-1", DahuaSpeech())
    vehicle = capture("dahua", "tollgate.json", "NotificationInfo/TollgateInfo")
    alive = capture("dahua", "keep_alive.json", "NotificationInfo/KeepAlive")
    return Rig(camera, vehicle, alive, lambda body: bool(json.loads(body).get("OpenStrobe")))


RIGS = {"fake": fake_rig, "vzicom": vzicom_rig, "hikvision": hikvision_rig, "dahua": dahua_rig}


@pytest.fixture(params=RIGS)
def rig(request: pytest.FixtureRequest) -> Rig:
    return RIGS[request.param]()


def test_a_vehicle_is_told_with_a_key_that_stays_the_same(rig: Rig) -> None:
    first, again = (rig.camera.take(rig.vehicle).news[0] for _ in range(2))
    assert isinstance(first, PlateSeen)
    assert isinstance(again, PlateSeen)
    assert first.device == "in-1"
    assert first.plate
    assert first.key == again.key
    assert first.read_ns == 7


def test_a_sign_of_life_is_no_vehicle_and_says_who_lives(rig: Rig) -> None:
    post = rig.camera.take(rig.alive)
    assert post.news == (CameraAlive("in-1", 7),)
    assert post.serial
    assert rig.camera.status().health is Health.CONNECTED


def test_an_answer_opens_only_when_that_is_wished(rig: Rig) -> None:
    post = rig.camera.take(rig.vehicle)
    assert not rig.opens(rig.camera.answer(post).body)
    assert not rig.opens(rig.camera.answer(post, CameraWish(lines=("欢迎",), voice="欢迎")).body)
    assert rig.opens(rig.camera.answer(post, CameraWish(opens=True)).body) is rig.answers_open


def test_a_sign_of_life_is_never_answered_by_opening(rig: Rig) -> None:
    post = rig.camera.take(rig.alive)
    assert not rig.opens(rig.camera.answer(post, CameraWish(opens=True)).body)


def test_what_cannot_be_read_is_refused_and_shows(rig: Rig) -> None:
    with pytest.raises(BadPush):
        rig.camera.take(CameraRequest("", "application/json", b"{]", 7))
    assert rig.camera.status().health is Health.FAULT
    rig.camera.take(rig.vehicle)
    assert rig.camera.status().health is Health.CONNECTED


def test_posts_from_several_threads_do_not_mix(rig: Rig) -> None:
    wrong: list[object] = []

    def post() -> None:
        for _ in range(20):
            taken = rig.camera.take(rig.vehicle)
            answer = rig.camera.answer(taken)
            rig.camera.sent(answer, whole=True)
            if rig.opens(answer.body) or len(taken.news) != 1:
                wrong.append(taken)

    threads = [threading.Thread(target=post) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_a_closed_camera_says_so(rig: Rig) -> None:
    rig.camera.close()
    assert rig.camera.status().health is Health.ABSENT
    assert rig.camera.name == rig.camera.status().name == "in-1"
