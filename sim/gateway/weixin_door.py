"""The door of api.weixin.qq.com: access tokens, bodies, and refusals as errcode under status 200.

The numbers are those of the documents. Where a real call would ignore an unknown field, this one refuses it
with 40097, so that a slip of the pen is noticed.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from urllib.parse import parse_qsl

from sim.gateway.credentials import Credentials
from sim.gateway.endpoints import Call
from sim.gateway.faults import Fault
from sim.gateway.messages import Json, Refusal, Reply, Request, json_reply
from sim.gateway.office import Office
from sim.gateway.shapes import Shape, check_body

TOKEN_LIFE_MS = 7_200_000
RENEWED_BEFORE_END_MS = 300_000
FORCED_EVERY_MS = 30_000
MOST_FORCED_A_DAY = 20
_DAY_MS = 86_400_000
_HUGE_BYTES = 3 << 20

SCHEMA = """
CREATE TABLE IF NOT EXISTS weixin_app (appid TEXT PRIMARY KEY, secret TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS weixin_token (
    token TEXT PRIMARY KEY,
    appid TEXT NOT NULL,
    made_at INTEGER NOT NULL,
    ends_at INTEGER NOT NULL,
    forced INTEGER NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS weixin_token_of ON weixin_token (appid, made_at);
"""


class Wrong(Exception):
    """A call is refused with that errcode."""

    def __init__(self, errcode: int, errmsg: str) -> None:
        super().__init__(f"{errcode}: {errmsg}")
        self.errcode = errcode
        self.errmsg = errmsg


@dataclass(frozen=True, slots=True)
class Asked:
    """A call that passed the door. appid: whose token it bears. body: checked."""

    appid: str
    body: Json


Answer = Callable[[Asked], Reply]


class Door:
    """Secrets and tokens."""

    def __init__(self, office: Office) -> None:
        self._office = office
        self._store = office.store
        own = office.credentials
        secret = app_secret(own, office.digits)
        self._store.run("INSERT OR REPLACE INTO weixin_app VALUES (?, ?)", own.appid, secret)

    def guarded(
        self,
        answer: Answer,
        shape: Shape,
        wrongs: Mapping[str, tuple[int, str]] | None = None,
        free: str = "",
    ) -> Callable[[Call], Reply]:
        """Return a handler that checks token and body first.

        wrongs: errcodes by the field at fault. free: a field that the handler checks itself.
        """

        def handle(call: Call) -> Reply:
            try:
                appid = self._bearer(call.request)
                return answer(Asked(appid, _body(call.request.body, shape, wrongs or {}, free)))
            except Wrong as wrong:
                return self.refused(wrong)

        return handle

    def refused(self, wrong: Wrong) -> Reply:
        """Return what a refusal looks like."""
        rid = self._office.digits(24)
        errmsg = f"{wrong.errmsg} rid: {rid[:8]}-{rid[8:16]}-{rid[16:]}"
        return json_reply(200, {"errcode": wrong.errcode, "errmsg": errmsg})

    def check_secret(self, appid: str, secret: str) -> None:
        """Return when that is the app's secret; raise Wrong."""
        row = self._store.row("SELECT secret FROM weixin_app WHERE appid = ?", appid)
        if row is None:
            raise Wrong(40013, "invalid appid")
        if row["secret"] != secret:
            raise Wrong(40125, "invalid appsecret")

    def token(self, appid: str, force: bool) -> tuple[str, int]:
        """Return an app's token and how many seconds it has left."""
        with self._store.work():
            now = self._office.now_ms()
            row = self._store.row(
                "SELECT * FROM weixin_token WHERE appid = ? AND ends_at > ?"
                " ORDER BY made_at DESC, rowid DESC LIMIT 1",
                appid, now,
            )  # fmt: skip
            if row is None or (not force and row["ends_at"] - now <= RENEWED_BEFORE_END_MS):
                return self._issue(appid, False)
            if not force or now < row["made_at"] + FORCED_EVERY_MS:
                return row["token"], (row["ends_at"] - now) // 1000
            forced = self._store.number(
                "SELECT count(*) FROM weixin_token WHERE appid = ? AND forced = 1 AND made_at > ?",
                appid, now - _DAY_MS,
            )  # fmt: skip
            if forced >= MOST_FORCED_A_DAY:
                raise Wrong(45009, "reach max api daily quota limit")
            self._store.run("UPDATE weixin_token SET ends_at = 0 WHERE appid = ? AND ends_at > ?", appid, now)
            return self._issue(appid, True)

    def _issue(self, appid: str, forced: bool) -> tuple[str, int]:
        token, now = f"9_{self._office.digits(120)}", self._office.now_ms()
        self._store.run("DELETE FROM weixin_token WHERE made_at < ?", now - 2 * _DAY_MS)
        self._store.run(
            "INSERT INTO weixin_token VALUES (?, ?, ?, ?, ?)",
            token, appid, now, now + TOKEN_LIFE_MS, int(forced),
        )  # fmt: skip
        return token, TOKEN_LIFE_MS // 1000

    def _bearer(self, request: Request) -> str:
        query = query_of(request)
        if set(query) - {"access_token"}:
            raise Wrong(40097, "invalid args, the query takes access_token alone")
        token = query.get("access_token", "")
        if not token:
            raise Wrong(41001, "access_token missing")
        row = self._store.row("SELECT * FROM weixin_token WHERE token = ?", token)
        if row is None or row["ends_at"] == 0:
            raise Wrong(40001, "invalid credential, access_token is invalid or not latest,")
        if self._office.now_ms() >= row["ends_at"]:
            raise Wrong(42001, "access_token expired")
        return str(row["appid"])


def ok(more: Json | None = None) -> Reply:
    """Return the answer that all is well."""
    return json_reply(200, {"errcode": 0, "errmsg": "ok", **(more or {})})


def app_secret(credentials: Credentials, digits: Callable[[int], str]) -> str:
    """Return the AppSecret in the folder of the merchant's files, making it first if there is none."""
    path = credentials.folder / "app_secret.txt"
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(f"{int(digits(38)) % (1 << 128):032x}\n", encoding="ascii")
    return path.read_text(encoding="ascii").strip()


def query_of(request: Request) -> dict[str, str]:
    """Return the query of a request."""
    return dict(parse_qsl(request.target.partition("?")[2], keep_blank_values=True))


def parsed(raw: bytes, shape: Shape) -> Json:
    """Return a body of that shape; raise Wrong."""
    return _body(raw, shape, {}, "")


def spoil(fault: Fault | None, request: Request, reply: Reply | None) -> Reply:
    """Return what a fault makes of an answer; faults of signatures do nothing here."""
    if fault in (Fault.SYSTEM_ERROR_BEFORE, Fault.SYSTEM_ERROR_AFTER):
        return json_reply(200, {"errcode": -1, "errmsg": "system error"})
    if fault is Fault.RATE_LIMIT or reply is None:
        return json_reply(200, {"errcode": 45009, "errmsg": "reach max api daily quota limit"})
    if fault is Fault.BROKEN_JSON:
        return replace(reply, body=reply.body[:-2])
    if fault is Fault.HUGE:
        return replace(reply, body=b" " * _HUGE_BYTES + reply.body)
    return reply


def _body(raw: bytes, shape: Shape, wrongs: Mapping[str, tuple[int, str]], free: str) -> Json:
    try:
        value = json.loads(raw)
    except ValueError:
        raise Wrong(47001, "data format error") from None
    if not isinstance(value, dict):
        raise Wrong(47001, "data format error")
    kept = {free: value.pop(free)} if free in value else {}
    try:
        return check_body(json.dumps(value).encode(), shape) | kept
    except Refusal as refusal:
        field = str((refusal.detail or {}).get("field", ""))
        errcode, errmsg = wrongs.get(field.strip("/"), (40097, f"invalid args, {field}"))
        raise Wrong(errcode, errmsg) from None
