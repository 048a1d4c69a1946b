"""Posts of cameras over a socket against the real web server: repeated, late, re-ordered, foreign, broken."""

from __future__ import annotations

import contextlib
import json
import random  # noqa: TID251 - a seeded order of posts
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from devices.camera.pushed import (
    BoardOnCamera,
    DahuaSpeech,
    HikvisionSpeech,
    PushedCamera,
    PushedGate,
    VzicomSpeech,
)
from devices.types import Health
from edge.web.camera import MAX_BODY_BYTES
from edge.web.camera.door import MANY, POSTS_AT_ONCE, BoundCamera, token_digest
from tests.integration.camera_lane import TOKEN, Site, site

FOLDER = Path(__file__).parents[2] / "devices/camera"
SERIAL = "fe71e106-57263272"
PATIENCE_S = 20.0


def bound(camera: PushedCamera, serial: str = "", address: str = "127.0.0.1", **more: bool) -> BoundCamera:
    return BoundCamera(camera.name, "in", camera, token_digest(TOKEN), address, serial, **more)


def vzicom() -> BoundCamera:
    return bound(PushedCamera("in-1", VzicomSpeech(), BoardOnCamera()), SERIAL)


def vehicle(number: int = 21085, **more: object) -> bytes:
    body = json.loads((FOLDER / "vzicom/captures/plate.json").read_text("utf-8"))
    body["AlarmInfoPlate"]["result"]["PlateResult"].update(plateid=number, **more)
    return json.dumps(body).encode()


def said(answer: tuple[int, bytes]) -> dict[str, object]:
    assert answer[0] == 200
    value: dict[str, object] = json.loads(answer[1])["Response_AlarmInfoPlate"]
    return value


@pytest.fixture
def lane() -> Iterator[Site]:
    with site([vzicom()]) as running:
        yield running


def test_a_vehicle_is_committed_and_the_answer_opens_and_shows(lane: Site) -> None:
    answer = said(lane.post(f"/camera/{TOKEN}", vehicle()))
    assert answer["ivs_ioctrl"] == {"delay": 500, "io": 0, "value": 2}
    frames = answer["serialData"]
    assert isinstance(frames, list)
    assert len(frames) == 3
    assert answer["ContinuePushOffline"] == {"plateid": 21085, "continue": 1}
    [seen] = lane.lane.reads.values()
    assert (seen.plate, seen.photos) == ("粤B12345", ())
    assert [lane.photos.fetch(name) for name in lane.lane.photos[seen.key]] != [None, None]


def test_a_repeated_push_is_answered_and_never_opens_again(lane: Site) -> None:
    opened = [said(lane.post(f"/camera/{TOKEN}", vehicle())).get("ivs_ioctrl") for _ in range(3)]
    assert opened[0] is not None
    assert opened[1:] == [None, None]
    assert len(lane.lane.reads) == 1
    assert lane.photos.figures().files == 2


def test_the_same_push_at_the_same_time_opens_once(lane: Site) -> None:
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: said(lane.post(f"/camera/{TOKEN}", vehicle())), range(12)))
    assert sum("ivs_ioctrl" in one for one in answers) == 1
    assert lane.lane.opened == ["粤B12345"]


def test_a_back_fill_in_any_order_with_repeats_is_all_kept_paced_and_opens_nothing(lane: Site) -> None:
    order = [number for number in range(20) for _ in range(2)]
    random.Random(7).shuffle(order)
    for number in order:
        answer = said(lane.post(f"/camera/{TOKEN}", vehicle(number, isoffline=1)))
        assert answer["ContinuePushOffline"] == {"plateid": number, "continue": 1}
        assert answer["info"] == "no"
        assert "ivs_ioctrl" not in answer
    assert len(lane.lane.reads) == 20
    assert lane.lane.opened == []


def test_a_vehicle_that_stays_or_turns_back_opens_nothing(lane: Site) -> None:
    for trigger in (64, 65, 66):
        assert "ivs_ioctrl" not in said(lane.post(f"/camera/{TOKEN}", vehicle(triggerType=trigger)))
    assert {seen.trigger for seen in lane.lane.reads.values()} == {"staying", "turned_back"}


def test_what_the_store_cannot_take_is_refused_so_that_the_camera_sends_it_again(lane: Site) -> None:
    lane.lane.store_is_down = True
    status, body = lane.post(f"/camera/{TOKEN}", vehicle())
    assert status == 503
    assert TOKEN.encode() not in body
    lane.lane.store_is_down = False
    assert "ivs_ioctrl" in said(lane.post(f"/camera/{TOKEN}", vehicle()))


def test_a_fault_of_ours_is_told_without_the_token(lane: Site, caplog: pytest.LogCaptureFixture) -> None:
    lane.lane.reads = None  # type: ignore[assignment]  # anything that nobody thought of
    status, body = lane.post(f"/camera/{TOKEN}", vehicle())
    assert (status, json.loads(body)["error"]) == (500, "failed")
    assert TOKEN not in caplog.text


def test_loops_wired_to_the_camera_reach_the_lane(lane: Site) -> None:
    said(lane.post(f"/camera/{TOKEN}/io", (FOLDER / "vzicom/captures/loop.json").read_bytes()))
    assert [(one.loop, one.occupied) for one in lane.lane.loops] == [(1, True)]


def test_a_wrong_token_serial_or_address_is_refused_counted_and_told_of() -> None:
    elsewhere = BoundCamera("x", "in", PushedCamera("x", VzicomSpeech()), token_digest("y" * 22), "10.9.9.9")
    with site([vzicom(), elsewhere]) as lane:
        body = vehicle()
        assert lane.post("/camera/" + "x" * 22, body)[0] == 404
        assert lane.post("/camera/" + "y" * 22, body)[0] == 403
        other = body.replace(SERIAL.encode(), b"another")
        assert lane.post(f"/camera/{TOKEN}", other)[0] == 403
        assert lane.post(f"/camera/{TOKEN}", body.replace(SERIAL.encode(), b""))[0] == 403
        assert lane.lane.reads == {}
        assert lane.door.counts().refused == {"token": 1, "address": 1, "serial": 2}
        assert "no serial number" in lane.door.trouble("in-1")
        said(lane.post(f"/camera/{TOKEN}", body))
        assert lane.door.trouble("in-1") == ""
        assert lane.alarms == []
        for _ in range(MANY * 2):
            lane.post("/camera/guess", b"{}")
        assert len(lane.alarms) == 1


def test_posts_that_are_too_large_or_broken_are_refused_and_the_server_lives(lane: Site) -> None:
    for size in (MAX_BODY_BYTES + 1, MAX_BODY_BYTES * 2):
        # It may hang up while we still send.
        with contextlib.suppress(ConnectionError):
            assert lane.post(f"/camera/{TOKEN}", b"x" * size)[0] == 413
    status, body = lane.post(f"/camera/{TOKEN}", b'{"half": ')
    assert (status, json.loads(body)["error"]) == (400, "bad_push")
    assert "no JSON" in json.loads(body)["message"]
    assert lane.post("/api/kiosk/K1/scan", b"x" * 20_000)[0] in (403, 413)
    said(lane.post(f"/camera/{TOKEN}", vehicle()))


def test_a_camera_that_posts_too_fast_is_slowed_down(lane: Site) -> None:
    statuses = [
        lane.post(f"/camera/{TOKEN}/hb", b"serialno=" + SERIAL.encode(), "application/x-www-form-urlencoded")[
            0
        ]
        for _ in range(POSTS_AT_ONCE * 3)
    ]
    assert statuses[:POSTS_AT_ONCE] == [200] * POSTS_AT_ONCE
    assert 429 in statuses


def test_only_the_cameras_paths_are_open_to_their_network(lane: Site) -> None:
    assert lane.get("/staff/devices") == 403
    assert lane.get(f"/camera/{TOKEN}") == 405


def test_a_held_request_carries_a_pulse_at_any_time_and_is_answered_within_a_moment() -> None:
    one = vzicom()
    assert isinstance(one.camera, PushedCamera)
    gate = PushedGate(one.camera)
    form = "application/x-www-form-urlencoded"
    ask = b"serialno=" + SERIAL.encode()
    with site([one]) as lane, ThreadPoolExecutor(2) as pool:
        held = pool.submit(lane.post, f"/camera/{TOKEN}/comet", ask, form)
        pulse = pool.submit(gate.pulse)
        assert "ivs_ioctrl" in said(held.result(PATIENCE_S))
        again = pool.submit(lane.post, f"/camera/{TOKEN}/comet", ask, form)
        assert pulse.result(PATIENCE_S) is None
        assert gate.status().health is Health.CONNECTED
        one.camera.close()
        assert "ivs_ioctrl" not in said(again.result(PATIENCE_S))


def test_requests_that_wait_leave_threads_for_pages() -> None:
    cameras = [
        BoundCamera(f"c{at}", "in", PushedCamera(f"c{at}", VzicomSpeech()), token_digest(TOKEN + str(at)))
        for at in range(12)
    ]
    form = "application/x-www-form-urlencoded"
    with site(cameras, held=3, threads=6) as lane, ThreadPoolExecutor(12) as pool:
        done = threading.Semaphore(0)
        asking = [
            pool.submit(lane.post, f"/camera/{TOKEN}{at}/comet", b"serialno=s", form) for at in range(12)
        ]
        for one in asking:
            one.add_done_callback(lambda _: done.release())
        for _ in range(9):
            assert done.acquire(timeout=PATIENCE_S), "more requests wait than may"
        assert lane.get("/health/live") == 200
        for camera in cameras:
            camera.camera.close()
        assert all(one.result(PATIENCE_S)[0] == 200 for one in asking)


def test_hikvision_posts_are_taken_and_answered() -> None:
    camera = bound(PushedCamera("in-2", HikvisionSpeech()), "44:19:B6:00:00:01")
    with site([camera]) as lane:
        body = (FOLDER / "hikvision/captures/push_isapi.form").read_bytes()
        assert lane.post(f"/camera/{TOKEN}", body, "multipart/form-data; boundary=boundary") == (200, b"OK")
        assert lane.lane.opened == ["粤B12345"]
        assert lane.photos.figures().files == 2


def test_dahua_posts_to_its_fixed_paths_are_bound_by_address_and_serial_number() -> None:
    cameras = [
        BoundCamera("out-1", "out", PushedCamera("out-1", DahuaSpeech()), b"", "127.0.0.1", "OTHER", True),
        BoundCamera(
            "out-2", "out", PushedCamera("out-2", DahuaSpeech()), b"", "127.0.0.1", "7A0123PAZ00001", True
        ),
    ]
    body = (FOLDER / "dahua/captures/tollgate.json").read_bytes()
    with site(cameras) as lane:
        status, answer = lane.post("/NotificationInfo/TollgateInfo", body)
        assert status == 200
        assert json.loads(answer) == {"Result": True, "DeviceID": "7A0123PAZ00001", "OpenStrobe": True}
        assert [camera for camera, _ in lane.lane.reads] == ["out-2"]
        alive = (FOLDER / "dahua/captures/keep_alive.json").read_bytes()
        assert lane.post("/NotificationInfo/KeepAlive", alive)[0] == 200
        assert lane.post("/NotificationInfo/KeepAlive", b'{"DeviceID": "else"}')[0] == 403
    with site([vzicom()]) as lane:
        assert lane.post("/NotificationInfo/TollgateInfo", body)[0] == 404


def test_dahua_posts_with_a_token_before_the_path() -> None:
    with site([bound(PushedCamera("out-1", DahuaSpeech()))]) as lane:
        body = (FOLDER / "dahua/captures/tollgate.json").read_bytes()
        assert lane.post(f"/camera/{TOKEN}/NotificationInfo/TollgateInfo", body)[0] == 200
        assert lane.lane.opened == ["粤BD12345"]
