"""Ending by signal: SIGINT and SIGTERM set an event, whatever the program is waiting for."""

from __future__ import annotations

import os
import signal
import threading
from types import FrameType


def stop_on_signals(stop: threading.Event) -> None:
    """Let SIGINT and SIGTERM set `stop`; to be called by the main thread, once for each event.

    The handler runs in the main thread between any two of its steps. If that is inside `stop.wait`, with the
    event's own lock held, setting it there would wait for ever; so the handler only writes to a pipe, and
    another thread sets the event.
    """
    reader, writer = os.pipe()

    def tell(number: int, frame: FrameType | None) -> None:
        os.write(writer, b"!")

    def watch() -> None:
        os.read(reader, 1)
        stop.set()

    os.set_blocking(writer, False)
    threading.Thread(target=watch, name="signals", daemon=True).start()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, tell)
