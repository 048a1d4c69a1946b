"""Ways into a mini-program: a picture with a scene, and a link for browsers and short messages."""

from __future__ import annotations

import io
import json
import threading
from collections import deque

import segno

from sim.gateway.messages import Json, Reply
from sim.gateway.office import Office
from sim.gateway.shapes import Shape, number, text
from sim.gateway.weixin_door import Asked, Wrong, ok

MOST_PICTURES_A_MINUTE = 5_000
LONGEST_LINK_DAYS = 365
_MINUTE_MS = 60_000
_DAY_MS = 86_400_000
#: The characters that a scene and a link's query may have; a percent sign is not among them.
_PLAIN = r"0-9A-Za-z!#$&'()*+,/:;=?@\-._~"

SCHEMA = """
CREATE TABLE IF NOT EXISTS weixin_link (
    link TEXT PRIMARY KEY,
    appid TEXT NOT NULL,
    path TEXT NOT NULL,
    query TEXT NOT NULL,
    ends_at INTEGER NOT NULL
) STRICT;
"""

_PART = Shape(kind=int, most=255)
_PAGE = Shape(pattern=r"[^/?\s][^?\s]{0,127}")
_VERSION = Shape(pattern="release|trial|develop")
CODE = Shape(
    True,
    dict,
    fields={
        "scene": Shape(True, pattern=rf"[{_PLAIN}]{{1,32}}"),
        "page": _PAGE,
        "check_path": Shape(kind=bool),
        "env_version": _VERSION,
        "width": Shape(kind=int, least=280, most=1280),
        "auto_color": Shape(kind=bool),
        "line_color": Shape(kind=dict, fields={"r": _PART, "g": _PART, "b": _PART}),
        "is_hyaline": Shape(kind=bool),
    },
)
CODE_WRONGS = {
    "scene": (40169, "invalid length for scene, or the data is not json string"),
    "page": (41030, "invalid page"),
}
LINK = Shape(
    True,
    dict,
    fields={
        "path": _PAGE,
        "query": Shape(pattern=rf"[{_PLAIN}%]{{0,1024}}"),
        "expire_type": Shape(kind=int, most=1),
        "expire_time": Shape(kind=int, most=1 << 40),
        "expire_interval": Shape(kind=int, least=1, most=LONGEST_LINK_DAYS),
        "env_version": _VERSION,
    },
)
LINK_WRONGS = {
    "path": (40165, "invalid weapp pagepath"),
    "query": (40212, "invalid query"),
    "expire_interval": (85401, "time limit between 1min and 1year"),
}


class Codes:
    """Makes both. A picture is a QR code here, in place of WeChat's round one."""

    def __init__(self, office: Office) -> None:
        self._office = office
        self._lock = threading.Lock()
        self._made: deque[int] = deque(maxlen=MOST_PICTURES_A_MINUTE)

    def picture(self, asked: Asked) -> Reply:
        """Return a PNG; raise Wrong."""
        page = text(asked.body, "page")
        if page and asked.body.get("check_path") is not False:
            self._check_page(page, 41030, "invalid page")
        self._count()
        content = f"https://wxacode.invalid/{asked.appid}/{page}?scene={text(asked.body, 'scene')}"
        return Reply(200, _png(content, number(asked.body, "width") or 430), "image/png")

    def link(self, asked: Asked) -> Reply:
        """Return a link; raise Wrong."""
        path, now = text(asked.body, "path"), self._office.now_ms()
        if path:
            self._check_page(path, 40165, "invalid weapp pagepath")
        ends_at = self._end(asked.body, now)
        self._office.store.run("DELETE FROM weixin_link WHERE ends_at < ?", now)
        link = f"https://wxaurl.cn/{int(self._office.digits(18)):x}"
        self._office.store.run(
            "INSERT INTO weixin_link VALUES (?, ?, ?, ?, ?)",
            link, asked.appid, path, text(asked.body, "query"), ends_at,
        )  # fmt: skip
        return ok({"url_link": link})

    def _end(self, body: Json, now_ms: int) -> int:
        """Return when a link ends: at a time (type 0) or after days (type 1); 30 days from now by default."""
        if body.get("expire_type") == 1:
            return now_ms + (number(body, "expire_interval") or 30) * _DAY_MS
        if "expire_interval" in body:
            raise Wrong(40097, "invalid args, expire_interval goes with expire_type 1")
        ends_at = number(body, "expire_time") * 1000 or now_ms + 30 * _DAY_MS
        if not now_ms + _MINUTE_MS <= ends_at <= now_ms + LONGEST_LINK_DAYS * _DAY_MS:
            raise Wrong(85401, "time limit between 1min and 1year")
        return ends_at

    def _check_page(self, page: str, errcode: int, errmsg: str) -> None:
        row = self._office.store.row("SELECT value FROM weixin_settings WHERE name = 'pages'")
        pages = json.loads(row["value"]) if row else []
        if pages and page not in pages:
            raise Wrong(errcode, errmsg)

    def _count(self) -> None:
        now = self._office.now_ms()
        with self._lock:
            if len(self._made) == MOST_PICTURES_A_MINUTE and now < self._made[0] + _MINUTE_MS:
                raise Wrong(45009, "reach max api daily quota limit")
            self._made.append(now)


def _png(content: str, width: int) -> bytes:
    code, file = segno.make(content, error="m", micro=False), io.BytesIO()
    code.save(file, kind="png", scale=max(1, width // code.symbol_size(border=4)[0]), border=4)
    return file.getvalue()
