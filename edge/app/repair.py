"""Serve the page of a box whose database is damaged, until somebody has put a good one in its place."""

from __future__ import annotations

import threading
from pathlib import Path

import structlog

from edge.app.rules import web_settings
from edge.app.service import DATABASE
from edge.clock import wait
from edge.config import Config
from edge.watchdog import Watchdog
from edge.web.repair import repair_app
from edge.web.serving import WebServer

#: How often the database is looked at, and how often the log says what is wrong, in seconds.
LOOK_S = 1.0
SAY_S = 60.0

_log = structlog.get_logger("service")


def serve_repair(config: Config, why: str, ended: threading.Event) -> None:
    """Answer every request with the page until `ended` is set or the database file is another one.

    Nothing else runs meanwhile: no device is opened, nothing is written, HQ sees the box as gone. The service
    manager is told that this process lives, so that it does not give up on the box.
    """
    path, settings = config.box.data_dir / DATABASE, web_settings(config)
    server, watchdog, before = WebServer(repair_app(settings, why), settings), Watchdog(), _stamp(path)
    server.start()
    watchdog.ready()
    waited_s = 0.0
    while not ended.is_set() and _stamp(path) == before:
        if waited_s % SAY_S == 0:
            _log.critical("the database is damaged; no sale and no gate works until it is restored", why=why)
        watchdog.alive("the database is damaged: restore a copy with mall-edge backup restore")
        wait(ended, LOOK_S)
        waited_s += LOOK_S
    watchdog.stopping()
    server.close()


def _stamp(path: Path) -> tuple[int, int, int] | None:
    """Return what tells one file from another that was put in its place."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns
