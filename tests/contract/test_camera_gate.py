"""Port Gate over a Hikvision barrier: what surely was not sent and what may have been are told apart."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from devices.camera.hikvision.codec import OPEN
from devices.camera.hikvision.gate import CameraAccess, HikvisionGate
from devices.types import DeviceAbsent, DeviceSilent, GateInputs, Health
from edge.services.ports import Gate
from tests.contract.camera_server import PASSWORD, USER, CameraServer


@pytest.fixture
def server() -> Iterator[CameraServer]:
    server = CameraServer("boundary")
    yield server
    server.stop()


def gate_of(server: CameraServer, password: str = PASSWORD) -> Gate:
    return HikvisionGate("in-1", CameraAccess(server.url, USER, password, read_s=0.3))


def test_a_pulse_opens_once_with_digest(server: CameraServer) -> None:
    gate = gate_of(server)
    gate.pulse()
    gate.pulse()
    assert server.opened == [OPEN, OPEN]
    assert gate.status().health is Health.CONNECTED
    assert gate.inputs() == GateInputs(False, False)
    gate.close()


def test_a_stale_nonce_is_answered_anew_and_opens_once(server: CameraServer) -> None:
    gate = gate_of(server)
    gate.pulse()
    server.nonce = "n2"
    gate.pulse()
    assert len(server.opened) == 2
    gate.close()


def test_a_camera_that_took_the_command_and_says_nothing_is_silent(server: CameraServer) -> None:
    gate = gate_of(server)
    server.answer_gate.clear()
    with pytest.raises(DeviceSilent):
        gate.pulse()
    assert len(server.opened) == 1
    assert gate.status().health is Health.FAULT
    gate.close()


@pytest.mark.parametrize(("status", "error"), [(403, DeviceAbsent), (404, DeviceAbsent), (503, DeviceSilent)])
def test_a_refusal_is_known_and_a_failure_is_not(
    server: CameraServer, status: int, error: type[Exception]
) -> None:
    server.status = status
    gate = gate_of(server)
    with pytest.raises(error, match=r"password|answered"):
        gate.pulse()
    assert server.opened == []
    gate.close()


def test_a_wrong_password_opens_nothing_and_is_not_told(server: CameraServer) -> None:
    gate = gate_of(server, "wrong-s3cret")
    with pytest.raises(DeviceAbsent) as told:
        gate.pulse()
    assert "user and password are wrong" in str(told.value)
    assert "wrong-s3cret" not in str(told.value) + repr(gate.status())
    assert server.opened == []
    gate.close()


def test_a_camera_that_is_gone_and_a_closed_gate_are_absent(server: CameraServer) -> None:
    gate = gate_of(server)
    server.stop()
    before = set(threading.enumerate())
    with pytest.raises(DeviceAbsent):
        gate.pulse()
    gate.close()
    with pytest.raises(DeviceAbsent):
        gate.pulse()
    assert set(threading.enumerate()) <= before


@pytest.mark.parametrize("url", ["ftp://a", "http://", "http://admin:pw@10.0.0.1", "nonsense"])
def test_an_address_that_is_none_or_carries_a_password_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="address") as told:
        CameraAccess(url)
    assert "pw" not in str(told.value)
