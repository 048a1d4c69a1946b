"""A small mini-program for the simulated phone's own tests, and a box that tells what it was asked."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

APP = {
    "app.json": json.dumps(
        {"pages": ["pages/one/one", "pages/two/two"], "window": {"navigationBarTitleText": "One"}}
    ),
    "app.js": "App({ log: [], onLaunch(options) { this.entered = options; } });",
    "config.js": "module.exports = { base: 'https://box.example' };",
    "app.wxss": "page { color: rgb(1, 2, 3); } .big { font-size: 30px; }",
    "pages/one/one.json": json.dumps({"usingComponents": {"one-card": "/components/card/card"}}),
    "pages/one/one.wxss": ".box { width: 375rpx; }",
    "pages/one/one.wxml": "<view>one</view>",
    "pages/one/one.js": "Page({});",
    "pages/two/two.json": json.dumps({"navigationBarTitleText": "Two"}),
    "pages/two/two.wxml": '<view class="two">{{name}}</view>',
    "pages/two/two.js": """
const log = getApp().log;
Page({
  data: { name: "" },
  onLoad(query) { log.push("two.load"); this.setData({ name: decodeURIComponent(query.name) }); },
  onUnload() { log.push("two.unload"); },
});""",
    "components/card/card.json": json.dumps({"component": True}),
    "components/card/card.wxss": ".inner { color: rgb(200, 0, 0); }",
    "components/card/card.wxml": """
<view class="inner big">{{title}}:{{twice}}</view>
<view class="more" bindtap="onMore" data-by="2">more</view>
<slot/>""",
    "components/card/card.js": """
Component({
  properties: { title: String, count: { type: Number, value: 1 } },
  data: { twice: 0 },
  observers: { count(count) { this.setData({ twice: count * 2 }); } },
  methods: { onMore(event) { this.triggerEvent("more", { by: Number(event.currentTarget.dataset.by) }); } },
});""",
}


def write_program(folder: Path, changes: Mapping[str, str]) -> Path:
    """Write the mini-program with some files changed; return its folder."""
    for name, text in {**APP, **changes}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


class Echo:
    """A box that answers with what it was asked, by JSON for an API and else by a page; it remembers."""

    def __init__(self) -> None:
        self.asked: list[dict[str, object]] = []
        self.url = ""

    def answer(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> tuple[str, bytes]:
        """Return the kind and bytes of an answer."""
        told = {"method": method, "target": target, "headers": dict(headers), "body": body.decode()}
        self.asked.append(told)
        if "/api/" in target:
            return "application/json", json.dumps(told).encode()
        page = f'<!doctype html><title>A page</title><a id="on" href="{self.url}/phone/next">{target}</a>'
        return "text/html; charset=utf-8", page.encode()


@contextmanager
def echo() -> Iterator[Echo]:
    """Run such a box on loopback, under a prefix as a relay gives it."""
    box = Echo()

    class Handler(BaseHTTPRequestHandler):
        def _serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            kind, answer = box.answer(self.command, self.path, headers, body)
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(answer)))
            self.send_header("X-Frame-Options", "DENY")
            self.send_header("Content-Security-Policy", "default-src 'self'; frame-ancestors 'none'")
            self.send_header("Set-Cookie", f"met={len(box.asked)}; Path=/; HttpOnly")
            self.end_headers()
            self.wfile.write(answer)

        do_GET = do_POST = _serve

        def log_message(self, format: str, *args: object) -> None:
            """Stay silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    box.url = f"http://127.0.0.1:{server.server_address[1]}/b/mall/box"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield box
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
