"""Pages of the simulator on loopback, served in the background until they are closed."""

from __future__ import annotations

import logging
import threading
from typing import Any

from waitress import create_server, wasyncore

#: Seconds after which a server that was told to stop notices at the latest.
_TURN_S = 0.2


class PageServer:
    """A web server over a WSGI application; port 0 takes a free one.

    options: further ones of waitress. Raises OSError when the port is taken.
    """

    def __init__(self, app: Any, host: str, port: int, threads: int, name: str, **options: Any) -> None:
        """Listen at once; `start` begins to answer."""
        # Waitress warns of every short queue; a page that refreshes itself is no news.
        logging.getLogger("waitress.queue").setLevel(logging.ERROR)
        self._sockets: dict[int, object] = {}
        try:
            self._server = create_server(
                app, map=self._sockets, host=host, port=port, threads=threads, **options
            )
        except OSError:
            wasyncore.close_all(self._sockets)
            raise
        self.port = int(self._server.effective_port)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def close(self) -> None:
        """Let requests end, then stop; only the loop itself closes what it looks at."""
        self._server.task_dispatcher.shutdown(cancel_pending=True, timeout=5.0)
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(5.0)
        else:
            wasyncore.close_all(self._sockets)

    def _run(self) -> None:
        while not self._stop.is_set():
            wasyncore.loop(timeout=_TURN_S, map=self._sockets, use_poll=True, count=1)
        wasyncore.close_all(self._sockets)
