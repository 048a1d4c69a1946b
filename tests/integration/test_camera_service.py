"""Cameras of the whole service: a push becomes a read with pictures; a technician sees how they are."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from devices.types import DeviceStatus, Health
from edge.app import build_service
from edge.clock import boottime_ns
from edge.config import parse_config
from edge.hq.relay_codec import RelayedRequest
from edge.hq.requests import make_environ
from edge.service import Service
from tests.integration.camera_lane import TOKEN
from tests.integration.test_camera_push import SERIAL, vehicle

PATIENCE_S = 20.0
FORM = "application/x-www-form-urlencoded"


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    (tmp_path / "token").write_text(TOKEN, "utf-8")
    camera = {"name": "front", "lane": "in", "kind": "vzicom", "token_file": str(tmp_path / "token")}
    raw = {
        "box": {"site": "s", "edge": "e", "data_dir": str(tmp_path / "data")},
        "web": {"port": 0},
        "hq": {"port": 1},
        "workstation": [{"name": "K1"}],
        "zone": [{"name": "B2", "spaces": 10}],
        "lane": [{"name": "in", "way": "entry", "zone": "B2"}],
        "camera": [{**camera, "serial": SERIAL, "address": "127.0.0.1"}],
    }
    running = build_service(parse_config(raw, "test"))
    running.start()
    yield running
    running.stop()


def post(service: Service, body: bytes, kind: str = "application/json", rest: str = "") -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", service.web.port, timeout=10)
    try:
        connection.request("POST", f"/camera/{TOKEN}{rest}", body, {"Content-Type": kind})
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def status_of(service: Service) -> DeviceStatus:
    [status] = [one for _, role, one in service._statuses() if role == "camera"]
    return status


def test_a_push_is_a_read_with_pictures_and_a_repeat_is_not(service: Service, tmp_path: Path) -> None:
    assert status_of(service).detail.startswith("it has not called yet")
    answers = [post(service, vehicle()) for _ in range(3)]
    assert [status for status, _ in answers] == [200, 200, 200]
    reads = service.box.store.read(lambda unit: unit.plate_reads.recent("in", 10))
    assert [one.plate for one in reads] == ["粤B12345"]
    assert len(reads[0].photos) == 2
    kept = [(tmp_path / "data/photos" / name).read_bytes() for name in reads[0].photos]
    assert [one[:2] for one in kept] == [b"\xff\xd8", b"\xff\xd8"]


def test_a_read_of_years_ago_is_kept_and_opens_nothing(service: Service) -> None:
    status, body = post(service, vehicle())
    assert status == 200
    assert "ivs_ioctrl" not in json.loads(body)["Response_AlarmInfoPlate"]
    [read] = service.box.store.read(lambda unit: unit.plate_reads.recent("in", 10))
    assert read.age_ms > 365 * 24 * 3_600_000


def test_a_read_of_now_opens_once(service: Service) -> None:
    now_s = service.box.clock.now().wall_at // 1000
    body = vehicle(7, timeStamp={"Timeval": {"sec": now_s, "usec": 0}})
    said = [json.loads(post(service, body)[1])["Response_AlarmInfoPlate"] for _ in range(3)]
    assert ["ivs_ioctrl" in one for one in said] == [True, False, False]


def test_a_refused_post_shows_in_the_cameras_status_until_one_is_taken(service: Service) -> None:
    assert post(service, vehicle().replace(SERIAL.encode(), b"other"))[0] == 403
    assert status_of(service).health is Health.FAULT
    assert "serial number 'other'" in status_of(service).detail
    post(service, vehicle())
    assert status_of(service).health is Health.CONNECTED


def test_what_hq_relays_reaches_no_camera(service: Service) -> None:
    relayed = RelayedRequest(
        "POST", f"/camera/{TOKEN}", "hq.example", (("content-type", "application/json"),), vehicle()
    )
    statuses: list[str] = []
    app = service.web._server.application
    app(make_environ(relayed), lambda status, headers, error=None: statuses.append(status))
    assert statuses == ["404 NOT FOUND"]
    assert service.box.store.read(lambda unit: unit.plate_reads.recent("in", 10)) == ()


def test_stopping_ends_a_request_that_is_held_and_answers_it(service: Service) -> None:
    ask = b"serialno=" + SERIAL.encode()
    with ThreadPoolExecutor(1) as pool:
        held = pool.submit(post, service, ask, FORM, "/comet")
        while status_of(service).last_heard_ns is None:
            assert not held.done(), "the request was not held"
        begun = boottime_ns()
        service._cameras.close()  # type: ignore[union-attr]
        assert held.result(PATIENCE_S)[0] == 200
        assert boottime_ns() - begun < 2_000_000_000


def test_figures_tell_of_posts_and_pictures_and_never_of_tokens(service: Service) -> None:
    post(service, vehicle())
    metrics = service._desk.metrics()
    assert "camera_posts_total 1" in metrics
    assert "camera_photos 2" in metrics
    assert TOKEN not in metrics + json.dumps(service._desk.status(), default=str)
