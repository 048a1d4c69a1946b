"""What the service manager is told, over a real datagram socket."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PROGRAM = """
from edge.watchdog import Watchdog
dog = Watchdog()
print(dog.ping_s)
dog.ready()
dog.alive("3 events wait for HQ")
dog.stopping()
"""


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "notify"))
        listening.settimeout(5)
        yield listening


def speak(**environment: str) -> str:
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return run.stdout.strip()


def test_ready_alive_and_stopping_are_told_in_order(manager: socket.socket) -> None:
    ping_s = speak(NOTIFY_SOCKET=manager.getsockname(), WATCHDOG_USEC="30000000")
    told = [manager.recv(4_096).decode() for _ in range(3)]
    assert told == ["READY=1", "WATCHDOG=1\nSTATUS=3 events wait for HQ", "STOPPING=1"]
    assert ping_s == "15.0"


def test_a_name_in_the_abstract_namespace_is_reached() -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind("\0mall-edge-test-watchdog")
        listening.settimeout(5)
        speak(NOTIFY_SOCKET="@mall-edge-test-watchdog")
        assert listening.recv(4_096) == b"READY=1"


@pytest.mark.parametrize("environment", [{}, {"NOTIFY_SOCKET": "/nowhere/at/all"}, {"WATCHDOG_USEC": "soon"}])
def test_without_a_listener_the_service_goes_on(environment: dict[str, str]) -> None:
    assert speak(**environment) == "0.0"
