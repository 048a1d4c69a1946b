"""api.weixin.qq.com: who a mini-program's shopper is, and what is said to the shopper.

    POST /sim/weixin/apps                       {appid, secret}: one more mini-program
    POST /sim/weixin/templates                  {template_id, fields: [thing1, ...]}
    POST /sim/weixin/settings                   {phone_quota?, pages?, bound?}
    POST /sim/wallets/{wallet}/login-code       wx.login: a code for five minutes, once
    POST /sim/wallets/{wallet}/phone-code       the button for the phone number: {number?, country_code?}
    POST /sim/wallets/{wallet}/subscriptions    {template_id, result: accept | reject}
    GET  /sim/wallets/{wallet}/messages         what the phone was sent

The AppSecret is in app_secret.txt beside the merchant's keys. bound: whether the mini-program belongs to an
open platform, so that shoppers have a unionid. An empty list of pages means that every page exists.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping, Sequence

from sim.gateway.endpoints import Auth, Call, Endpoint, Handler, Room
from sim.gateway.messages import Json, Reply, json_reply
from sim.gateway.office import Office
from sim.gateway.shapes import MOST_FEN, Shape, text
from sim.gateway.weixin_codes import CODE, CODE_WRONGS, LINK, LINK_WRONGS, Codes
from sim.gateway.weixin_codes import SCHEMA as CODES_SCHEMA
from sim.gateway.weixin_door import SCHEMA as DOOR_SCHEMA
from sim.gateway.weixin_door import Asked, Door, Wrong, ok, parsed, query_of, spoil
from sim.gateway.weixin_shipping import GET_ORDER, UPLOAD, UPLOAD_WRONGS, Shipping
from sim.gateway.weixin_shipping import SCHEMA as SHIPPING_SCHEMA

CODE_LIFE_MS = 300_000
_DAY_MS = 86_400_000
_STRANGERS = (".mch.weixin.qq.com", "wechatpay.cn", "alipay.com")
_MOST_MESSAGES = 10_000

_SCHEMA = """
CREATE TABLE IF NOT EXISTS weixin_code (
    code TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    wallet_id TEXT NOT NULL,
    made_at INTEGER NOT NULL,
    used INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX IF NOT EXISTS weixin_code_made ON weixin_code (made_at);
CREATE TABLE IF NOT EXISTS weixin_user (
    wallet_id TEXT PRIMARY KEY,
    unionid TEXT NOT NULL,
    number TEXT NOT NULL,
    country_code TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS weixin_template (template_id TEXT PRIMARY KEY, fields TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS weixin_subscription (
    openid TEXT NOT NULL,
    template_id TEXT NOT NULL,
    left INTEGER NOT NULL,
    PRIMARY KEY (openid, template_id)
) STRICT;
CREATE TABLE IF NOT EXISTS weixin_message (
    message_id INTEGER PRIMARY KEY AUTOINCREMENT,
    openid TEXT NOT NULL,
    at INTEGER NOT NULL,
    told TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS weixin_message_to ON weixin_message (openid);
CREATE TABLE IF NOT EXISTS weixin_settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
"""

_ANY = Shape(True, pattern=r"[\s\S]{1,512}")
_TOKEN = Shape(
    True,
    dict,
    fields={
        "grant_type": Shape(True),
        "appid": Shape(True),
        "secret": Shape(True),
        "force_refresh": Shape(kind=bool),
    },
)
_PHONE = Shape(True, dict, fields={"code": _ANY, "openid": Shape()})
_SEND = Shape(
    True,
    dict,
    fields={
        "touser": _ANY,
        "template_id": _ANY,
        "page": Shape(pattern=r"[\s\S]{0,1024}"),
        "miniprogram_state": Shape(pattern="developer|trial|formal"),
        "lang": Shape(pattern="zh_CN|en_US|zh_HK|zh_TW"),
    },
)

#: What a value of a template's field may look like, by the letters of its name.
_FORMS: Mapping[str, str] = {
    "thing": r"[\s\S]{1,20}",
    "number": r"[0-9.]{1,32}",
    "letter": r"[A-Za-z]{1,32}",
    "symbol": r"[^0-9A-Za-z\s]{1,5}",
    "character_string": r"[\x21-\x7e]{1,32}",
    "time": r"[\s\S]{1,32}",
    "date": r"[\s\S]{1,32}",
    "amount": r"[^\d]?\d{1,10}(\.\d{1,2})?元?",
    "phone_number": r"[0-9\-+]{1,17}",
    "car_number": r"\S{1,8}",
    "name": r"[\s\S]{1,20}",
    "phrase": r"[一-龥]{1,5}",
}


class _Desk:
    def __init__(self, office: Office, door: Door) -> None:
        self._office = office
        self._store = office.store
        self._door = door

    def token(self, call: Call) -> Reply:
        """Give an access token for the secret."""
        try:
            body = parsed(call.request.body, _TOKEN)
            if text(body, "grant_type") != "client_credential":
                raise Wrong(40002, "invalid grant_type")
            self._door.check_secret(text(body, "appid"), text(body, "secret"))
            token, left_s = self._door.token(text(body, "appid"), body.get("force_refresh") is True)
        except Wrong as wrong:
            return self._door.refused(wrong)
        return json_reply(200, {"access_token": token, "expires_in": left_s})

    def session(self, call: Call) -> Reply:
        """Tell who logged in."""
        try:
            query = query_of(call.request)
            wallet_id = self._log_in(query)
        except Wrong as wrong:
            return self._door.refused(wrong)
        session_key = base64.b64encode(self._office.digits(16).encode()).decode()
        told: Json = {"openid": self._office.wallets.get(wallet_id).openid, "session_key": session_key}
        if self._setting("bound", "yes") == "yes":
            told["unionid"] = self._user(wallet_id)["unionid"]
        return json_reply(200, told)

    def phone_number(self, asked: Asked) -> Reply:
        """Tell a shopper's number."""
        user = self._user(self._spend(text(asked.body, "code"), "phone"))
        number, country = user["number"], user["country_code"]
        watermark = {"timestamp": self._office.now_ms() // 1000, "appid": asked.appid}
        return ok(
            {
                "phone_info": {
                    "phoneNumber": number if country == "86" else f"+{country}{number}",
                    "purePhoneNumber": number,
                    "countryCode": country,
                    "watermark": watermark,
                }
            }
        )

    def send(self, asked: Asked) -> Reply:
        """Send a message to who subscribed to it."""
        body, openid = asked.body, text(asked.body, "touser")
        if self._office.wallets.by_openid(openid) is None:
            raise Wrong(40003, "invalid openid")
        template_id = text(body, "template_id")
        row = self._store.row("SELECT fields FROM weixin_template WHERE template_id = ?", template_id)
        if row is None:
            raise Wrong(40037, "invalid template_id")
        _check_data(body.get("data"), json.loads(row["fields"]))
        with self._store.work():
            taken = self._store.row(
                "UPDATE weixin_subscription SET left = left - 1"
                " WHERE openid = ? AND template_id = ? AND left > 0 RETURNING 1",
                openid, template_id,
            )  # fmt: skip
            if taken is None:
                raise Wrong(43101, "user refuse to accept the msg")
            told = {key: value for key, value in body.items() if key != "touser"}
            message_id = self._store.run(
                "INSERT INTO weixin_message (openid, at, told) VALUES (?, ?, ?)",
                openid, self._office.now_ms(), json.dumps(told, ensure_ascii=False),
            )  # fmt: skip
            self._store.run("DELETE FROM weixin_message WHERE message_id <= ?", message_id - _MOST_MESSAGES)
        return ok({"msgid": message_id})

    def add_app(self, call: Call) -> Reply:
        """Add a mini-program."""
        appid, secret = text(call.body, "appid"), text(call.body, "secret")
        self._store.run("INSERT OR REPLACE INTO weixin_app VALUES (?, ?)", appid, secret)
        return json_reply(201, {"appid": appid})

    def add_template(self, call: Call) -> Reply:
        """Add a message's template."""
        fields = json.dumps(call.body["fields"])
        template_id = text(call.body, "template_id")
        self._store.run("INSERT OR REPLACE INTO weixin_template VALUES (?, ?)", template_id, fields)
        return json_reply(201, {"template_id": template_id})

    def change(self, call: Call) -> Reply:
        """Set how the mini-program is."""
        for name, value in call.body.items():
            told = json.dumps(value) if isinstance(value, list | int) else str(value)
            self._store.run("INSERT OR REPLACE INTO weixin_settings VALUES (?, ?)", name, told)
        rows = self._store.rows("SELECT name, value FROM weixin_settings ORDER BY name")
        return json_reply(200, {row["name"]: row["value"] for row in rows})

    def login_code(self, call: Call) -> Reply:
        """Show what wx.login gives."""
        return json_reply(201, {"code": self._issue("login", call.path["wallet"])})

    def phone_code(self, call: Call) -> Reply:
        """Show what the button gives: a code, or errno 1400001 when the quota is used up."""
        wallet_id, left = call.path["wallet"], int(self._setting("phone_quota", "1000"))
        user = self._user(wallet_id)
        if left < 1:
            return json_reply(200, {"errno": 1400001})
        with self._store.work():
            self._store.run("INSERT OR REPLACE INTO weixin_settings VALUES ('phone_quota', ?)", str(left - 1))
            self._store.run(
                "UPDATE weixin_user SET number = ?, country_code = ? WHERE wallet_id = ?",
                text(call.body, "number") or user["number"],
                text(call.body, "country_code") or user["country_code"], wallet_id,
            )  # fmt: skip
            return json_reply(201, {"code": self._issue("phone", wallet_id)})

    def subscribe(self, call: Call) -> Reply:
        """Have a shopper take one message of a template, or refuse all."""
        openid = self._office.wallets.get(call.path["wallet"]).openid
        accepts = text(call.body, "result") == "accept"
        self._store.run(
            "INSERT INTO weixin_subscription VALUES (?, ?, ?) ON CONFLICT (openid, template_id)"
            " DO UPDATE SET left = CASE WHEN excluded.left THEN weixin_subscription.left + 1 ELSE 0 END",
            openid, text(call.body, "template_id"), int(accepts),
        )  # fmt: skip
        return json_reply(201, {text(call.body, "template_id"): text(call.body, "result")})

    def messages(self, call: Call) -> Reply:
        """List what a phone was sent."""
        openid = self._office.wallets.get(call.path["wallet"]).openid
        rows = self._store.rows(
            "SELECT * FROM weixin_message WHERE openid = ? ORDER BY message_id DESC LIMIT 100", openid
        )
        return json_reply(200, [{"at": row["at"], **json.loads(row["told"])} for row in rows])

    def _log_in(self, query: Mapping[str, str]) -> str:
        if set(query) != {"appid", "secret", "js_code", "grant_type"}:
            raise Wrong(40097, "invalid args, appid, secret, js_code and grant_type are needed")
        if query["grant_type"] != "authorization_code":
            raise Wrong(40002, "invalid grant_type")
        self._door.check_secret(query["appid"], query["secret"])
        return self._spend(query["js_code"], "login")

    def _issue(self, kind: str, wallet_id: str) -> str:
        self._user(wallet_id)
        code, now = f"0{self._office.digits(31)}", self._office.now_ms()
        self._store.run("DELETE FROM weixin_code WHERE made_at < ?", now - _DAY_MS)
        self._store.run(
            "INSERT INTO weixin_code (code, kind, wallet_id, made_at) VALUES (?, ?, ?, ?)",
            code, kind, wallet_id, now,
        )  # fmt: skip
        return code

    def _spend(self, code: str, kind: str) -> str:
        """Return whose code that is, and take it away; raise Wrong."""
        with self._store.work():
            row = self._store.row("SELECT * FROM weixin_code WHERE code = ? AND kind = ?", code, kind)
            if row is None or self._office.now_ms() >= row["made_at"] + CODE_LIFE_MS:
                raise Wrong(40029, "invalid code")
            if row["used"]:
                raise Wrong(40163, "code been used")
            self._store.run("UPDATE weixin_code SET used = 1 WHERE code = ?", code)
            return str(row["wallet_id"])

    def _user(self, wallet_id: str) -> Mapping[str, str]:
        """Return a wallet's unionid and number, making them first; raise KeyError for no wallet."""
        self._office.wallets.get(wallet_id)
        digits = self._office.digits
        self._store.run(
            "INSERT OR IGNORE INTO weixin_user VALUES (?, ?, ?, '86')",
            wallet_id, f"uSim{digits(24)}", f"13{digits(9)}",
        )  # fmt: skip
        row = self._store.row("SELECT * FROM weixin_user WHERE wallet_id = ?", wallet_id)
        assert row is not None
        return dict(row)

    def _setting(self, name: str, default: str) -> str:
        row = self._store.row("SELECT value FROM weixin_settings WHERE name = ?", name)
        return default if row is None else str(row["value"])


def _check_data(data: object, fields: Sequence[str]) -> None:
    """Return when a message has its template's fields, each in its form; raise Wrong."""
    if not isinstance(data, dict) or set(data) != set(fields):
        raise Wrong(47003, "argument invalid! data does not have the template's fields")
    for name, given in data.items():
        value = given.get("value") if isinstance(given, dict) and set(given) == {"value"} else None
        form = _FORMS.get(name.rstrip("0123456789").rstrip("."), r"[\s\S]{1,256}")
        if not isinstance(value, str) or not re.fullmatch(form, value):
            raise Wrong(47003, f"argument invalid! data.{name}.value invalid")


def _switch(name: str, way: str, handler: Handler, body: Shape | None = None) -> Endpoint:
    method, _, path = way.partition(" ")
    return Endpoint(name, method, path, handler, body, auth=Auth.TESTER)


def _own(name: str, way: str, handler: Handler) -> Endpoint:
    method, _, path = way.partition(" ")
    return Endpoint(name, method, path, _at_home(handler), query=None, auth=Auth.OWN, spoil=spoil)


def _at_home(handler: Handler) -> Handler:
    """Return a handler that is not there under the names of the payment gateways."""

    def handle(call: Call) -> Reply:
        host = call.request.headers.get("host", "").partition(":")[0]
        if host.endswith(_STRANGERS):
            return json_reply(404, {"errcode": 40066, "errmsg": "invalid url"})
        return handler(call)

    return handle


def _form(**fields: Shape) -> Shape:
    return Shape(True, dict, fields=fields)


def _switches(desk: _Desk) -> Sequence[Endpoint]:
    wallet = "/sim/wallets/{wallet}"
    template = Shape(True, pattern=r"[0-9A-Za-z_\-]{1,64}")
    settings = _form(
        phone_quota=Shape(kind=int, most=MOST_FEN),
        pages=Shape(kind=list, most=1000, item=Shape(pattern=r"[^/?\s][^?\s]{0,127}")),
        bound=Shape(pattern="yes|no"),
    )
    fields = Shape(True, list, least=1, most=10, item=Shape(pattern=r"[a-z_]{1,32}\d{1,3}"))
    phone = _form(number=Shape(pattern=r"\d{5,15}"), country_code=Shape(pattern=r"\d{1,4}"))
    subscription = _form(template_id=template, result=Shape(True, pattern="accept|reject"))
    app = _form(appid=Shape(True, pattern="wx[0-9a-z]{1,30}"), secret=Shape(True, pattern="[0-9a-f]{32}"))
    return (
        _switch("weixin_app", "POST /sim/weixin/apps", desk.add_app, app),
        _switch(
            "weixin_template",
            "POST /sim/weixin/templates",
            desk.add_template,
            _form(template_id=template, fields=fields),
        ),
        _switch("weixin_settings", "POST /sim/weixin/settings", desk.change, settings),
        _switch("login_code", f"POST {wallet}/login-code", desk.login_code),
        _switch("phone_code", f"POST {wallet}/phone-code", desk.phone_code, phone),
        _switch("subscribe", f"POST {wallet}/subscriptions", desk.subscribe, subscription),
        _switch("messages", f"GET {wallet}/messages", desk.messages),
    )


def _endpoints(office: Office) -> Sequence[Endpoint]:
    door = Door(office)
    desk, codes, shipping = _Desk(office, door), Codes(office), Shipping(office)
    order = "/wxa/sec/order"
    return (
        _own("stable_token", "POST /cgi-bin/stable_token", desk.token),
        _own("session", "GET /sns/jscode2session", desk.session),
        _own(
            "phone_number", "POST /wxa/business/getuserphonenumber", door.guarded(desk.phone_number, _PHONE)
        ),
        _own(
            "subscribe_send",
            "POST /cgi-bin/message/subscribe/send",
            door.guarded(desk.send, _SEND, _SEND_WRONGS, free="data"),
        ),
        _own("wxacode", "POST /wxa/getwxacodeunlimit", door.guarded(codes.picture, CODE, CODE_WRONGS)),
        _own("urllink", "POST /wxa/generate_urllink", door.guarded(codes.link, LINK, LINK_WRONGS)),
        _own(
            "upload_shipping",
            f"POST {order}/upload_shipping_info",
            door.guarded(shipping.upload, UPLOAD, UPLOAD_WRONGS),
        ),
        _own("get_order", f"POST {order}/get_order", door.guarded(shipping.get_order, GET_ORDER)),
        *_switches(desk),
    )


_SEND_WRONGS = {"touser": (40003, "invalid openid"), "template_id": (40037, "invalid template_id")}

ROOM = Room("weixin", _SCHEMA + DOOR_SCHEMA + CODES_SCHEMA + SHIPPING_SCHEMA, _endpoints)
