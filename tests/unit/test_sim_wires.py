"""The wires of simulated devices: time and bytes reach a device in their order."""

from __future__ import annotations

import os
import socket

import pytest

from sim import wires
from sim.wires import TcpWire


class Listener:
    """A device that notes what it is told, the time as a sum."""

    def __init__(self) -> None:
        self.quiet_s = 0.0
        self.heard: list[tuple[float, bytes]] = []

    def room(self) -> int:
        return 512

    def receive(self, data: bytes) -> bytes:
        self.heard.append((self.quiet_s, data))
        self.quiet_s = 0.0
        return b""

    def tick(self, elapsed_s: float) -> bytes:
        self.quiet_s += elapsed_s
        return b""


def test_a_device_hears_how_long_it_was_quiet_before_what_ended_it(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]
    read = os.read

    def late(fd: int, most: int) -> bytes:
        clock[0] += 0.4
        return read(fd, most)

    monkeypatch.setattr(wires.time, "monotonic", lambda: clock[0])
    monkeypatch.setattr(wires.os, "read", late)
    device = Listener()
    wire = TcpWire(device)
    near, far = socket.socketpair()
    with near, far:
        for word in (b"one", b"two"):
            near.sendall(word)
            assert wire._carry(far.fileno())
    wire._listener.close()
    assert device.heard == [(0.4, b"one"), (0.4, b"two")]
