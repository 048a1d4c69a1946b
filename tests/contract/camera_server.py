"""A camera's web server on loopback: a multipart stream and a barrier, behind Digest (RFC 7616, MD5)."""

from __future__ import annotations

import hashlib
import queue
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

USER, PASSWORD, REALM = "admin", "s3cret-of-the-camera", "camera"


class CameraServer(ThreadingHTTPServer):
    """Streams what is put to `stream`; None ends the stream. opened: PUTs that were let in."""

    daemon_threads = True

    def __init__(self, boundary: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.boundary = boundary
        self.stream: queue.Queue[bytes | None] = queue.Queue()
        self.nonce = "n1"
        self.opened: list[bytes] = []
        self.status = 200
        self.connections = 0
        self.answer_gate = threading.Event()
        self.answer_gate.set()
        self.closing = threading.Event()
        self._thread = threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def stop(self) -> None:
        self.closing.set()
        self.stream.put(None)
        self.answer_gate.set()
        self.shutdown()
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    server: CameraServer
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if not self._let_in():
            return
        self.server.connections += 1
        self.send_response(200)
        self.send_header("Content-Type", f"multipart/mixed; boundary={self.server.boundary}")
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        while not self.server.closing.is_set():
            data = self.server.stream.get()
            if data is None:
                return
            self.wfile.write(data)
            self.wfile.flush()

    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if not self._let_in():
            return
        if self.server.status == 200:
            self.server.opened.append(body)
        self.server.answer_gate.wait(10)
        self._short(self.server.status)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""

    def _let_in(self) -> bool:
        given = dict(re.findall(r'(\w+)="?([^",]+)"?', self.headers.get("Authorization", "")))
        if given.get("nonce") == self.server.nonce and given.get("response") == self._wanted(given):
            return True
        self._short(401, f'Digest realm="{REALM}", qop="auth", nonce="{self.server.nonce}", algorithm=MD5')
        return False

    def _wanted(self, given: dict[str, str]) -> str:
        first = _md5(f"{USER}:{REALM}:{PASSWORD}")
        second = _md5(f"{self.command}:{self.path}")
        middle = ":".join(given.get(name, "") for name in ("nonce", "nc", "cnonce", "qop"))
        return _md5(f"{first}:{middle}:{second}")

    def _short(self, status: int, challenge: str = "") -> None:
        self.send_response(status)
        if challenge:
            self.send_header("WWW-Authenticate", challenge)
        self.send_header("Content-Length", "0")
        self.end_headers()


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
