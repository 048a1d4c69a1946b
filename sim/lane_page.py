"""A picture of the lanes for people: boom, loops, cars and what the board shows, on a page of its own.

GET /               the page, which takes the picture anew twice a second
GET /lane/N.svg     the picture of lane N
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from sim.lane import AFTER_M, BOOM_M, SimLane

_SCALE = 34.0
_LEFT_M = -12.0


def draw_lane(lane: SimLane) -> str:
    """Return the lane as SVG, seen from above; cars drive to the right."""
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
            f"线圈 loop {number}</text>"
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
    state = "抬起 up" if up else "落下 down" if lane.gate.boom_down else "运动中 moving"
    parts.append(
        f'<text x="20" y="36" font-size="24">{escape(lane.name)}</text>'
        f'<text x="20" y="64" font-size="17">道闸 boom: {state} · 开闸次数 opened: {lane.gate.opened}</text>'
        '<rect x="560" y="10" width="325" height="80" rx="6" fill="#212529"/>'
    )
    for row, text in enumerate(lane.board.lines()[:2]):
        parts.append(f'<text x="572" y="{42 + 34 * row}" font-size="26" fill="#ff6b6b">{escape(text)}</text>')
    return "".join(parts) + "</svg>"


class LanePage:
    """A small web server on loopback; port 0 takes a free one."""

    def __init__(self, lanes: Sequence[SimLane], port: int = 0) -> None:
        self._lanes = lanes
        page = self._answer

        class Handler(BaseHTTPRequestHandler):
            timeout = 10.0

            def do_GET(self) -> None:
                status, kind, body = page(self.path)
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

    def _answer(self, path: str) -> tuple[int, str, bytes]:
        if path == "/":
            return 200, "text/html; charset=utf-8", self._page().encode()
        number = path.partition("?")[0].removeprefix("/lane/").removesuffix(".svg")
        if number.isascii() and number.isdigit() and int(number) < len(self._lanes):
            return 200, "image/svg+xml", draw_lane(self._lanes[int(number)]).encode()
        return 404, "text/plain; charset=utf-8", "没有这一页 no such page".encode()

    def _page(self) -> str:
        pictures = "".join(
            f'<img id="l{number}" src="/lane/{number}.svg" alt="{escape(lane.name)}">'
            for number, lane in enumerate(self._lanes)
        )
        return (
            '<!doctype html><html lang="zh"><meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width"><title>车道 Lanes</title>'
            "<style>body{margin:1rem;font-family:sans-serif;background:#f8f9fa}img{width:100%;max-width:60rem;"
            "display:block;margin:0 0 1rem}</style><h1>模拟车道 Simulated lanes</h1>"
            f"{pictures}<script>setInterval(()=>document.querySelectorAll('img').forEach((i,n)=>"
            "i.src='/lane/'+n+'.svg?'+Date.now()),500)</script></html>"
        )


def _x(metres: float) -> float:
    return (metres - _LEFT_M) * _SCALE
