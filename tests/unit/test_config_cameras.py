"""Cameras in the configuration: what cannot work is refused before anything is connected."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from devices.agent.remote import RemoteCamera
from devices.camera.pushed import PushedGate
from devices.camera.streamed import StreamedCamera
from edge.app.cameras import build_cameras, camera_doubts
from edge.config import AgentConfig, Config, parse_config
from edge.errors import Invalid
from edge.web.camera.door import token_digest

TOKEN = "kQ3vD9xT7mZ1pL8sW2bYcA"
LANES = [
    {"name": "in", "way": "entry", "zone": "B2"},
    {"name": "out", "way": "exit", "zone": "B2", "gate": "out-cam", "display": "out-cam", "loops": 2},
]
OUT: dict[str, Any] = {
    "name": "out-cam", "lane": "out", "kind": "vzicom", "comet": True, "board_channel": 0, "loops": 2,
}  # fmt: skip


def config(tmp_path: Path, *cameras: dict[str, Any], token: str = TOKEN) -> Config:
    whole = []
    for at, one in enumerate((OUT, *cameras)):
        secret = tmp_path / f"token-{at}"
        secret.write_text(f"{token}{at or ''}\n", "utf-8")
        whole.insert(0, {"token_file": str(secret), **one})
    raw = {
        "box": {"site": "s", "edge": "e", "data_dir": str(tmp_path)},
        "workstation": [{"name": "P01"}],
        "zone": [{"name": "B2"}],
        "lane": LANES,
        "camera": [{key: value for key, value in one.items() if value is not None} for one in whole],
    }
    return parse_config(raw, "test")


def test_a_comet_camera_is_a_gate_and_a_display_of_its_own_name(tmp_path: Path) -> None:
    built = build_cameras(config(tmp_path))
    [gate], [display], [bound] = built.gates, built.displays, built.parts.bound
    assert isinstance(gate, PushedGate)
    assert gate.name == display.name == bound.name == "out-cam"
    assert bound.token_digest == token_digest(TOKEN)
    assert not bound.words, "the lane's worker shows the words, so the answer must not"
    assert TOKEN not in repr(built)


def test_a_camera_whose_lane_has_no_display_of_its_own_carries_the_words(tmp_path: Path) -> None:
    built = build_cameras(config(tmp_path, {"name": "in-cam", "lane": "in", "kind": "vzicom"}))
    assert [one.words for one in built.parts.bound] == [True, False]


def test_a_camera_that_is_asked_connects_and_its_barrier_is_a_gate(tmp_path: Path) -> None:
    pulled = {
        "name": "in-cam", "lane": "in", "kind": "hikvision_pull", "token_file": None,
        "url": "http://127.0.0.1:1", "barrier": 1,
    }  # fmt: skip
    built = build_cameras(config(tmp_path, pulled))
    [(lane, camera)] = built.parts.asked
    camera.close()
    assert lane == "in"
    assert isinstance(camera, StreamedCamera)
    assert [one.name for one in built.gates] == ["in-cam", "out-cam"]


def test_a_camera_that_only_sees_is_read_by_our_own_reader(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("s3/cret", "utf-8")
    seeing = {
        "name": "rear", "lane": "in", "kind": "frames", "token_file": None, "url": "rtsp://127.0.0.1:1/main",
        "username": "u", "password_file": str(tmp_path / "password"), "region": [0.0, 0.5, 1.0, 1.0],
    }  # fmt: skip
    [(lane, camera)] = build_cameras(config(tmp_path, seeing)).parts.asked
    try:
        assert (lane, camera.name) == ("in", "rear")
        assert camera.read(0.01) is None
        assert "cret" not in repr(camera.status())
    finally:
        camera.close()


def test_a_camera_that_only_sees_may_wait_for_its_lane_s_loop(tmp_path: Path) -> None:
    seeing = {
        "name": "rear", "lane": "out", "kind": "frames", "token_file": None, "url": "rtsp://127.0.0.1:1/main",
        "gated_by": "loop",
    }  # fmt: skip
    parts = build_cameras(config(tmp_path, seeing)).parts
    [(_, camera)] = parts.asked
    camera.close()
    assert [lane for lane, _ in parts.gated] == ["out"]


def test_requests_that_wait_never_take_the_threads_of_pages(tmp_path: Path) -> None:
    assert build_cameras(config(tmp_path)).parts.held == 8


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "lane": ({"lane": "nowhere"}, "looks at lane 'nowhere'; known: in, out"),
    "name": ({"name": "out-cam"}, "two cameras are named 'out-cam'"),
    "token": ({"token_file": None}, "needs a token_file"),
    "url": ({"kind": "dahua_pull"}, "needs its url"),
    "comet": ({"kind": "dahua_push", "comet": True}, "comet is a mode of kind vzicom"),
    "board": ({"kind": "dahua_push", "board_channel": 0}, "board_channel is on kind vzicom"),
    "barrier": ({"barrier": 1}, "hikvision_push or hikvision_pull, with its url"),
    "address": ({"address": "camera-1"}, "write it like 192.168.20.31"),
    "pulse": ({"relay_ms": 0}, "relay_ms is 1 to 600000, got 0"),
    "frames": ({"kind": "frames", "token_file": None}, "needs its url"),
    "user": ({"kind": "frames", "url": "rtsp://u:pw@10.0.0.1/main"}, "username and password_file instead"),
    "region": ({"kind": "frames", "url": "0", "region": [0.5, 0.0, 0.2, 1.0]}, "region is left, top"),
    "no loop": (
        {"kind": "frames", "url": "0", "gated_by": "loop"},
        "lane in has none; write the lane's gate",
    ),
    "gated": ({"gated_by": "loop", "loops": 1}, "gated_by is a key of kind frames alone"),
    "loops": ({"name": "in-gate", "comet": True, "loops": 9}, "loops is 0 to 4, got 9"),
    "neither": ({"kind": ""}, "needs its kind, or the agent that has it; not both"),
    "both": ({"agent": "lane-1"}, "needs its kind, or the agent that has it; not both"),
    "elsewhere": ({"kind": "", "agent": "lane-1", "loops": 1}, "only its name and lane here"),
    "kind": ({"kind": "axis"}, "must be one of vzicom"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_work_is_refused_with_the_remedy(tmp_path: Path, name: str) -> None:
    change, why = BAD[name]
    with pytest.raises(Invalid, match=why):
        config(tmp_path, {"name": "in-cam", "lane": "in", "kind": "vzicom", **change})


@pytest.mark.parametrize(
    ("change", "token", "why"),
    [
        ({}, "short", "at least 16 letters"),
        ({}, "with a blank and more / slashes", "at least 16 letters"),
        ({"token_file": "/nowhere/token"}, TOKEN, "/nowhere/token cannot be read: No such file"),
        ({"kind": "hikvision_push", "url": "ftp://10.0.0.1", "barrier": 1}, TOKEN, "without user and"),
    ],
)
def test_what_only_shows_when_it_is_built_is_refused_too(
    tmp_path: Path, change: dict[str, Any], token: str, why: str
) -> None:
    wanted = config(tmp_path, {"name": "in-cam", "lane": "in", "kind": "vzicom", **change}, token=token)
    with pytest.raises(Invalid, match=why) as told:
        build_cameras(wanted)
    assert "pw" not in str(told.value)


def test_a_camera_of_an_agent_is_reached_through_it_and_the_agent_must_be_known(tmp_path: Path) -> None:
    away = {"name": "in-cam", "lane": "in", "agent": "lane-1", "token_file": None}
    wanted = config(tmp_path, away)
    with pytest.raises(Invalid, match="camera in-cam belongs to agent 'lane-1'; known: none"):
        build_cameras(wanted)
    known = replace(wanted, agent=(AgentConfig("lane-1"),))
    [(lane, camera)] = build_cameras(known).parts.asked
    assert lane == "in"
    assert isinstance(camera, RemoteCamera)


def test_a_lane_and_the_camera_that_is_its_gate_agree_on_their_loops(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="write the same number of loops in both"):
        parse_with_loops(tmp_path, 1)
    assert parse_with_loops(tmp_path, 2).camera[0].loops == 2


def parse_with_loops(tmp_path: Path, loops: int) -> Config:
    (tmp_path / "token").write_text(TOKEN, "utf-8")
    camera = {**OUT, "token_file": str(tmp_path / "token"), "loops": loops}
    raw = {
        "box": {"site": "s", "edge": "e"},
        "zone": [{"name": "B2"}],
        "lane": LANES,
        "camera": [camera],
    }
    return parse_config(raw, "test")


def test_what_is_doubtful_about_cameras_is_told_and_nothing_is_connected(tmp_path: Path) -> None:
    pulled = {"name": "in-cam", "lane": "in", "kind": "dahua_pull", "url": "http://10.255.255.1"}
    doubts = camera_doubts(config(tmp_path, pulled))
    assert any("out-cam has no address" in one for one in doubts)
    assert any("web.host is 127.0.0.1" in one for one in doubts)
    assert any("chmod 600" in one for one in doubts)


def test_two_cameras_never_share_a_token(tmp_path: Path) -> None:
    same = {"token_file": str(tmp_path / "token-0")}
    wanted = config(tmp_path, {"name": "in-cam", "lane": "in", "kind": "vzicom", **same})
    with pytest.raises(Invalid, match="cameras in-cam and out-cam have the same token"):
        build_cameras(wanted)
