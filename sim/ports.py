"""Ports that nobody else takes while a program of ours is away for a moment."""

from __future__ import annotations

import os
import socket
from contextlib import ExitStack

HOST = "127.0.0.1"

#: Below what the kernel gives to outgoing connections: one of those could take the port of a service
#: that is being started again.
_FIRST, _LAST = 20_000, 32_000
_TRIES = 200


def free_ports(count: int) -> tuple[int, ...]:
    """Return `count` different TCP ports of loopback on which nobody listens; raise OSError without any."""
    found: list[int] = []
    # Processes that look at the same time begin at different places.
    start = os.getpid() * 37 % (_LAST - _FIRST - _TRIES) + _FIRST
    with ExitStack() as held:
        for port in range(start, start + _TRIES):
            probe = held.enter_context(socket.socket())
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
            found.append(port)
            if len(found) == count:
                return tuple(found)
    raise OSError(f"no {count} free ports between {start} and {start + _TRIES} on {HOST}")
