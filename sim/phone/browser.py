"""The phone's built-in browser.

The simulator shows it in a frame, which the box's pages rightly refuse; so the answers come through here,
where a frame is allowed, and addresses are turned so that the box sees its own host. Each wallet has its own
cookies, as each phone has.
"""

from __future__ import annotations

import re
import threading
from collections import OrderedDict
from collections.abc import Collection, Mapping
from urllib.parse import urlsplit

import httpx
from flask import Response, request

MAX_BODY = 256 * 1024
MOST_WALLETS = 200
COOKIE = "simulated_wallet"

_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "host", "upgrade", "te"}
_PACKED = {"content-encoding", "accept-encoding"}
_FRAME = re.compile(r"frame-ancestors[^;]*;?\s*")
_WALLET = re.compile(r"w\d{1,9}")


def forward(
    client: httpx.Client, url: str, drop: Collection[str], add: Mapping[str, str] | None = None
) -> Response:
    """Send the present request on to `url` without the headers `drop` (lower case); 502 for no answer."""
    try:
        answer = _send(client, url, drop, add or {})
    except httpx.HTTPError as error:
        return Response(f"request:fail {error}", 502, mimetype="text/plain")
    headers = [(name, value) for name, value in answer.headers.multi_items() if _passes(name)]
    kept = [(name, value) for name, value in headers if name.lower() != "set-cookie"]
    return Response(answer.content, answer.status_code, kept)


class Browser:
    """Pages of the box behind `public_url`, each wallet with cookies of its own; safe for several threads."""

    def __init__(self, public_url: str) -> None:
        self._base = public_url
        parts = urlsplit(public_url)
        self._origin, self._prefix = f"{parts.scheme}://{parts.netloc}", parts.path
        self._clients: OrderedDict[str, httpx.Client] = OrderedDict()
        self._lock = threading.Lock()

    def become(self, wallet: str, language: str, to: str) -> Response:
        """Open `to`, a public address, in the browser of a wallet's phone, which speaks zh or en."""
        if not _WALLET.fullmatch(wallet) or not to.startswith(f"{self._base}/"):
            return Response("没有这个地址 no such address", 404, mimetype="text/plain")
        answer = Response("", 303, {"Location": to.removeprefix(self._origin)})
        told = f"{wallet}.{'en' if language == 'en' else 'zh-CN'}"
        answer.set_cookie(COOKIE, told, samesite="Strict", httponly=True)
        return answer

    def answer(self) -> Response:
        """Answer the present request as the box does, and allow a frame."""
        wallet, _, language = request.cookies.get(COOKIE, "").partition(".")
        if not _WALLET.fullmatch(wallet):
            return Response("请从模拟手机打开 open it from the phone", 403, mimetype="text/plain")
        raw = str(request.environ.get("REQUEST_URI") or request.full_path.rstrip("?"))
        if not raw.startswith(f"{self._prefix}/"):
            return Response("没有这家门店 no such shop", 404, mimetype="text/plain")
        own = request.host_url.rstrip("/")
        turned = {
            name: value.replace(own, self._origin)
            for name, value in request.headers
            if name.lower() in {"origin", "referer"}
        }
        turned["Accept-Language"] = language
        drop = {"cookie", *(name.lower() for name in turned)}
        try:
            answer = _send(self._client(wallet), self._origin + raw, drop, turned)
        except httpx.HTTPError as error:
            return Response(f"没有网络 no network: {error}", 502, mimetype="text/plain")
        return self._framed(answer, own)

    def close(self) -> None:
        """Close every wallet's connections."""
        with self._lock:
            while self._clients:
                self._clients.popitem()[1].close()

    def _framed(self, answer: httpx.Response, own: str) -> Response:
        body = answer.content
        if "html" in answer.headers.get("content-type", ""):
            body = answer.text.replace(self._origin + self._prefix, own + self._prefix).encode()
        framed = Response(body, answer.status_code)
        framed.headers.clear()
        for name, value in answer.headers.multi_items():
            lower = name.lower()
            if not _passes(name) or lower in {"x-frame-options", "set-cookie"}:
                continue
            if lower == "content-security-policy":
                value = _FRAME.sub("", value)
            if lower == "location":
                value = value.replace(self._origin, own)
            framed.headers.add(name, value)
        return framed

    def _client(self, wallet: str) -> httpx.Client:
        with self._lock:
            client = self._clients.get(wallet)
            if client is None:
                client = self._clients[wallet] = httpx.Client(timeout=60.0, trust_env=False)
            self._clients.move_to_end(wallet)
            if len(self._clients) > MOST_WALLETS:
                self._clients.popitem(last=False)[1].close()
            return client


def _passes(name: str) -> bool:
    return name.lower() not in _HOP | _PACKED


def _send(client: httpx.Client, url: str, drop: Collection[str], add: Mapping[str, str]) -> httpx.Response:
    headers = {
        name: value for name, value in request.headers if _passes(name) and name.lower() not in drop
    } | dict(add)
    return client.request(request.method, url, content=request.get_data(), headers=headers)
