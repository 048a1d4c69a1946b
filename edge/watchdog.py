"""Tell systemd that the service is ready, alive by proof, or stopping.

Source: sd_notify(3), sd_watchdog_enabled(3). Without $NOTIFY_SOCKET every call does nothing.
"""

from __future__ import annotations

import contextlib
import os
import socket


class Watchdog:
    """Speaks to the service manager over its datagram socket."""

    def __init__(self) -> None:
        self._address = os.environ.get("NOTIFY_SOCKET", "")
        usec = os.environ.get("WATCHDOG_USEC", "0")
        self.ping_s = int(usec) / 2_000_000 if usec.isascii() and usec.isdigit() else 0.0

    def ready(self) -> None:
        """Say that the service answers now."""
        self._send("READY=1")

    def alive(self, state: str) -> None:
        """Say that every worker has made progress since the last call. state: one line for people."""
        self._send(f"WATCHDOG=1\nSTATUS={state}")

    def stopping(self) -> None:
        """Say that the service is on its way down."""
        self._send("STOPPING=1")

    def _send(self, message: str) -> None:
        if not self._address:
            return
        # A leading @ names a socket in the abstract namespace.
        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        # Nobody listening is no reason to fail: a service manager that waits will act by itself.
        with (
            contextlib.suppress(OSError),
            socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as notify,
        ):
            notify.sendto(message.encode(), address)
