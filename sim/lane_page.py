"""The lanes on a page for technicians: boom, loops, cars, board, last push and answer, what can be broken.

GET  /                      the page, which looks again twice a second; ?language=zh or en
GET  /state?language=en     what it shows, as JSON
GET  /lane/N.svg            the drawing of lane N alone; N.jpg: the picture that its camera sent last
POST /lane/N/SWITCH/on      break something, or mend it with /off; sim/lane_state.py names the switches
"""

from __future__ import annotations

import json
import threading
import urllib.parse
from collections.abc import Sequence
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from sim.lane import AFTER_M, BOOM_M, SimLane
from sim.lane_state import Watched, lane_state, turn

_SCALE = 34.0
_LEFT_M = -12.0


_TEXTS = {
    "zh": ("线圈", "道闸", "抬起", "落下", "运动中", "开闸次数"),
    "en": ("loop", "boom", "up", "down", "moving", "opened"),
}
_HTML = Path(__file__).with_suffix(".html")
_Answer = tuple[int, str, bytes]


def draw_lane(lane: SimLane, language: str = "zh") -> str:
    """Return the lane as SVG, seen from above; cars drive to the right."""
    loop, boom_word, up_word, down_word, moving, opened = _TEXTS[language]
    up = lane.gate.boom_up
    parts = [
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 900 300" font-family="sans-serif">',
        '<rect width="900" height="300" fill="#e9ecef"/>',
        '<rect y="120" width="900" height="110" fill="#868e96"/>',
    ]
    for number, middle in enumerate((0.0, (BOOM_M + AFTER_M) / 2)[: lane.gate.habits.loops]):
        colour = "#e03131" if lane.gate.loops[number] else "#dee2e6"
        parts.append(
            f'<rect x="{_x(middle - 1):.0f}" y="135" width="{2 * _SCALE:.0f}" height="80" fill="none" '
            f'stroke="{colour}" stroke-width="5" rx="8"/>'
            f'<text x="{_x(middle):.0f}" y="255" font-size="16" text-anchor="middle">'
            f"{loop} {number + 1}</text>"
        )
    for plate, front in lane.cars():
        x = _x(front - 4.5)
        parts.append(
            f'<rect x="{x:.0f}" y="145" width="{4.5 * _SCALE:.0f}" height="60" rx="14" fill="#1c7ed6"/>'
            f'<text x="{x + 2.25 * _SCALE:.0f}" y="183" font-size="22" fill="#fff" '
            f'text-anchor="middle">{escape(plate)}</text>'
        )
    boom = _x(BOOM_M)
    reach = 14 if up else 110 if lane.gate.boom_down else 60
    parts.append(
        f'<rect x="{boom - 10:.0f}" y="96" width="20" height="24" fill="#f08c00"/>'
        f'<rect x="{boom - 4:.0f}" y="120" width="8" height="{reach}" fill="#c92a2a"/>'
    )
    state = up_word if up else down_word if lane.gate.boom_down else moving
    parts.append(
        f'<text x="20" y="36" font-size="24">{escape(lane.name)}</text>'
        f'<text x="20" y="64" font-size="17">{boom_word}: {state} · {opened}: {lane.gate.opened}</text>'
        '<rect x="560" y="10" width="325" height="80" rx="6" fill="#212529"/>'
    )
    for row, text in enumerate(lane.board.lines()[:2]):
        parts.append(f'<text x="572" y="{42 + 34 * row}" font-size="26" fill="#ff6b6b">{escape(text)}</text>')
    return "".join(parts) + "</svg>"


class LanePage:
    """A small web server on loopback; port 0 takes a free one."""

    def __init__(self, lanes: Sequence[Watched], port: int = 0) -> None:
        self._lanes = tuple(lanes)
        page = self._answer

        class Handler(BaseHTTPRequestHandler):
            timeout = 10.0

            def do_GET(self) -> None:
                self._send(*page("GET", self.path))

            def do_POST(self) -> None:
                self._send(*page("POST", self.path))

            def _send(self, status: int, kind: str, body: bytes) -> None:
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.send_header("Cache-Control", "no-store")
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                """Stay silent."""

        self._http = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._http.daemon_threads = True
        self._thread = threading.Thread(
            target=self._http.serve_forever, kwargs={"poll_interval": 0.1}, name="sim-lane-page", daemon=True
        )

    @property
    def url(self) -> str:
        """The page's address."""
        return f"http://127.0.0.1:{self._http.server_address[1]}"

    def __enter__(self) -> LanePage:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._thread.join(10)

    def _answer(self, method: str, target: str) -> _Answer:
        url = urllib.parse.urlsplit(target)
        asked = urllib.parse.parse_qs(url.query).get("language", [""])[0]
        language = asked if asked in _TEXTS else "zh"
        match method, url.path.split("/")[1:]:
            case "GET", [""]:
                return 200, "text/html; charset=utf-8", _HTML.read_bytes()
            case "GET", ["state"]:
                state = [lane_state(one) | {"svg": draw_lane(one.lane, language)} for one in self._lanes]
                return 200, "application/json", json.dumps(state, ensure_ascii=False).encode()
            case "GET", ["lane", name]:
                return self._picture(name, language)
            case "POST", ["lane", number, switch, "on" | "off" as state]:
                watched = self._lane(number)
                if watched is not None and turn(watched, switch, state == "on"):
                    return 200, "application/json", b"{}"
        return _NOT_HERE

    def _picture(self, name: str, language: str) -> _Answer:
        number, _, kind = name.partition(".")
        watched = self._lane(number)
        if watched is not None and kind == "svg":
            return 200, "image/svg+xml", draw_lane(watched.lane, language).encode()
        last = watched.camera.counts.last if watched is not None and kind == "jpg" else None
        if last is not None and last.read.scene:
            return 200, "image/jpeg", last.read.scene
        return _NOT_HERE

    def _lane(self, number: str) -> Watched | None:
        known = number.isascii() and number.isdigit() and int(number) < len(self._lanes)
        return self._lanes[int(number)] if known else None


_NOT_HERE: _Answer = (404, "text/plain; charset=utf-8", "没有这一页 no such page".encode())


def _x(metres: float) -> float:
    return (metres - _LEFT_M) * _SCALE
