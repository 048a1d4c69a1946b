"""Serves the application from threads of this process (waitress)."""

from __future__ import annotations

import threading
from typing import Any

from flask import Flask
from waitress import wasyncore
from waitress.server import MultiSocketServer, create_server

from edge.errors import Invalid
from edge.services.picture_ports import MAX_PICTURE_BYTES
from edge.web.desk import WebSettings

#: Connections beyond this are not accepted; streams and idle keep-alive connections count.
CONNECTION_LIMIT = 200

#: The largest body of any kind of page: a picture of a phone with what a form puts around it.
MAX_PICTURE_BODY = MAX_PICTURE_BYTES + 4_096

_TURN_S = 0.2


class WebServer:
    """A running web server; close `Changes` before it, so that open streams end at once."""

    def __init__(self, app: Flask, settings: WebSettings) -> None:
        """Listen at once, so that a taken port raises OSError here; `start` begins to answer.

        Raises Invalid when `settings.host` stands for several addresses.
        """
        self._sockets: dict[int, object] = {}
        try:
            self._server = self._listen(app, settings)
        except OSError:
            wasyncore.close_all(self._sockets)
            raise
        if isinstance(self._server, MultiSocketServer):
            self._server.close()
            raise Invalid(f"host {settings.host!r} is several addresses; name one, such as 127.0.0.1")
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="web", daemon=True)

    @property
    def port(self) -> int:
        """The port that is listened on."""
        return int(self._server.effective_port)

    def start(self) -> None:
        """Begin to answer requests in the background."""
        self._thread.start()

    @property
    def stopped(self) -> bool:
        """Whether nothing is answered (any more)."""
        return not self._thread.is_alive()

    def close(self, timeout_s: float = 5.0) -> None:
        """Wait for the workers up to `timeout_s`, then stop listening and close every connection."""
        # First, since what they still write goes through the loop: each stream would end in a traceback.
        self._server.task_dispatcher.shutdown(cancel_pending=True, timeout=timeout_s)
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(timeout_s)
        else:
            wasyncore.close_all(self._sockets)

    def _listen(self, app: Flask, settings: WebSettings) -> Any:
        return create_server(
            app,
            map=self._sockets,
            host=settings.host,
            port=settings.port,
            threads=settings.threads,
            connection_limit=CONNECTION_LIMIT,
            max_request_body_size=max(
                settings.max_body_bytes, settings.max_camera_body_bytes, MAX_PICTURE_BODY
            ),
            channel_timeout=60,
            ident="",
            # A phone that goes away in the middle of an answer is no error of ours.
            log_socket_errors=False,
            clear_untrusted_proxy_headers=True,
        )

    def _run(self) -> None:
        # The server's own loop has no way to be stopped from another thread.
        while not self._stop.is_set():
            wasyncore.loop(timeout=_TURN_S, map=self._sockets, use_poll=True, count=1)
        wasyncore.close_all(self._sockets)
