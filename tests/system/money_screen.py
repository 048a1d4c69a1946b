"""A workstation's page as a browser has it: its live stream, and its buttons."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Callable
from urllib.parse import urlsplit

from tests.system.mall_process import View

#: The stream says every 10 s that it lives; a line later than this is a service that hangs.
SILENT_S = 40.0


class Screen:
    """The screen of one workstation, for one thread."""

    def __init__(self, url: str, place: str) -> None:
        """Open the live stream; raises AssertionError when there is none for it."""
        self._host = urlsplit(url).netloc
        self._origin, self._path = url, f"/api/kiosk/{place}"
        self._buttons = http.client.HTTPConnection(self._host, timeout=SILENT_S)
        self._line = http.client.HTTPConnection(self._host, timeout=SILENT_S)
        self._line.request("GET", f"{self._path}/stream")
        self._stream = self._line.getresponse()
        assert self._stream.status == 200, f"{place} got no live stream: {self._stream.status}"
        self.view: View = {}
        self.version = 0
        #: When the view arrived that was looked at last (time.perf_counter).
        self.seen_at = 0.0

    def touch(self, action: str, **values: object) -> str:
        """Touch something; return "" when it was done, else what the service said."""
        headers = {"Content-Type": "application/json", "Origin": self._origin}
        self._buttons.request("POST", f"{self._path}/{action}", json.dumps(values).encode(), headers)
        with self._buttons.getresponse() as answer:
            body = answer.read()
            if answer.status != 200:
                return f"{answer.status} {body[:300]!r}"
        self.version = max(self.version, int(json.loads(body)["version"]))
        return ""

    def sees(self, true: Callable[[View], bool], patience_s: float) -> bool:
        """Look until `true` holds for a view not older than the last touch; whether it did in time."""
        deadline = time.monotonic() + patience_s
        while not (self.view and int(str(self.view["version"])) >= self.version and true(self.view)):
            if not self._next(deadline):
                return False
        return True

    def close(self) -> None:
        """Go away."""
        self._buttons.close()
        self._stream.close()
        self._line.close()

    def _next(self, deadline: float) -> bool:
        """Take the next view, or the next sign of life; whether it came before `deadline`."""
        if time.monotonic() >= deadline:
            return False
        line = self._stream.readline()
        assert line, f"the live stream of {self._path} has ended"
        if line.startswith(b"data: {"):
            self.seen_at = time.perf_counter()
            self.view = json.loads(line[6:])
        return True
