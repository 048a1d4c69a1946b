"""api.weixin.qq.com, the mini-program's own server side: log-in, phone number, shipping info.

Another host than the payments', without signatures: who knows the AppSecret holds an access token of two
hours. Secret, token, log-in codes and session keys stand in addresses and bodies here, so no address and no
body is ever logged or put into an error. Source: developers.weixin.qq.com, getStableAccessToken,
code2Session, getPhoneNumber, uploadShippingInfo (发货信息管理), subscribeMessage.send.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import TypeVar
from urllib.parse import urlencode

import httpx

from edge.errors import Declined, Invalid, OutcomeUnknown, Unavailable
from edge.gateways.key_files import check_address
from edge.gateways.line import Answer, Call, Line, NoAnswer, NotSent, Sign, Unreadable
from edge.gateways.wechat_pay.answers import Json, bill_safe, to_json
from edge.gateways.wechat_pay.fields import Fields
from edge.gateways.wechat_pay.prepay import rfc3339
from edge.services.ports import Clock

_TOKEN_SPOILT = frozenset({40001, 40014, 42001})
_SHIPPED_BEFORE = frozenset({10060002, 10060003, 10060023})
_BUSY = frozenset({-1, 45009, 45011})
_RENEW_EARLY_S = 300
_MAX_ITEM_BYTES = 120
_MAX_CODE = 512
Found = TypeVar("Found")


@dataclass(frozen=True, slots=True)
class WeixinApiSettings:
    """Access to the mini-program's server side; its repr shows no secret. connect_s, read_s: time-outs."""

    appid: str
    app_secret: str = field(repr=False)
    base_url: str = "https://api.weixin.qq.com"
    connect_s: float = 3.0
    read_s: float = 10.0
    max_answer_bytes: int = 1 << 20

    def __post_init__(self) -> None:
        """Raise Invalid for values that could never work."""
        if not self.appid or not self.app_secret:
            raise Invalid("weixin_api: appid and app_secret must be set")
        check_address("weixin_api", "base_url", self.base_url)


class WeixinRefused(Declined):
    """The interface refused a call. errcode: its number, e.g. 40029 (code invalid), 40163 (code used)."""

    def __init__(self, message: str, errcode: int) -> None:
        super().__init__(message)
        self.errcode = errcode


@dataclass(frozen=True, slots=True)
class Session:
    """Who logged in. session_key must stay on the server; neither is shown."""

    openid: str
    unionid: str | None
    session_key: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class PhoneNumber:
    """A shopper's number, personal data; its repr is masked. number: without country code."""

    number: str
    country_code: str

    def __repr__(self) -> str:
        """Show what a receipt may show."""
        return f"PhoneNumber({self.number[:3]}****{self.number[-4:]})"


class Logistics(IntEnum):
    """How goods reach the shopper: by courier, in town, nothing to carry, or picked up (自提)."""

    COURIER = 1
    IN_TOWN = 2
    VIRTUAL = 3
    PICK_UP = 4


@dataclass(frozen=True, slots=True)
class Shipping:
    """That an order was handed over; until it is told, the mini-program's money stays frozen."""

    transaction_id: str
    openid: str
    description: str
    handed_over_at: int
    logistics: Logistics = Logistics.PICK_UP


class WeixinApi:
    """The mini-program's server side; safe for use by several threads. The token is cached until it ends."""

    def __init__(
        self, settings: WeixinApiSettings, clock: Clock, transport: httpx.BaseTransport | None = None
    ) -> None:
        """`transport` replaces the network, for tests."""
        self._settings = settings
        self._clock = clock
        bases = (settings.base_url.rstrip("/"),)
        self._line = Line(bases, clock, settings.connect_s, settings.max_answer_bytes, transport)
        self._lock = threading.Lock()
        self._token = ""
        self._token_ends_ns = 0

    def session(self, code: str) -> Session:
        """Return who a log-in code (wx.login, once, five minutes) stands for.

        Raises WeixinRefused (log in again) or Unavailable.
        """
        query = {
            "appid": self._settings.appid,
            "secret": self._settings.app_secret,
            "js_code": _check_code(code),
            "grant_type": "authorization_code",
        }
        fields = self._fields(self._call("log in", "GET", "/sns/jscode2session", query))
        return _read("log in", fields, _session)

    def phone_number(self, code: str) -> PhoneNumber:
        """Return the number behind a getPhoneNumber code (once, five minutes); each success costs money.

        Raises WeixinRefused (1400001: no quota left) or Unavailable. Never make a payment wait for it.
        """
        value = {"code": _check_code(code)}
        fields = self._with_token("phone number", "/wxa/business/getuserphonenumber", value)
        return _read("phone number", fields, _phone)

    def upload_shipping(self, shipping: Shipping) -> None:
        """Tell that an order was handed over; the same again does no harm.

        Raises WeixinRefused, Unavailable or OutcomeUnknown (tell it again).
        """
        value = {
            "order_key": {"order_number_type": 2, "transaction_id": shipping.transaction_id},
            "logistics_type": int(shipping.logistics),
            "delivery_mode": 1,
            "shipping_list": [{"item_desc": bill_safe(shipping.description, _MAX_ITEM_BYTES)}],
            "upload_time": rfc3339(shipping.handed_over_at),
            "payer": {"openid": shipping.openid},
        }
        try:
            self._with_token("shipping info", "/wxa/sec/order/upload_shipping_info", value)
        except WeixinRefused as refusal:
            if refusal.errcode not in _SHIPPED_BEFORE:
                raise

    def send_message(self, openid: str, template_id: str, page: str, fields: Mapping[str, str]) -> None:
        """Send a subscribe message to who accepted one; each uses one acceptance up.

        fields: by their names in the template. Raises WeixinRefused (43101: not accepted), Unavailable or
        OutcomeUnknown: sent again it may come twice.
        """
        value = {
            "touser": openid,
            "template_id": template_id,
            "page": page,
            "data": {name: {"value": text} for name, text in fields.items()},
        }
        self._with_token("message", "/cgi-bin/message/subscribe/send", value)

    def check(self) -> None:
        """Get an access token: appid and AppSecret fit, and this address may ask.

        Raises WeixinRefused (40013, 40125: appid or secret; 40164: the address is not on the list),
        Unavailable or OutcomeUnknown.
        """
        self._access_token()

    def close(self) -> None:
        """Close all connections."""
        self._line.close()

    def _with_token(self, name: str, path: str, value: Json) -> Fields:
        """Call with the token; when the interface says that it is spoilt, once more with a new one."""
        token = self._access_token()
        try:
            return self._fields(self._call(name, "POST", path, {"access_token": token}, value))
        except WeixinRefused as refusal:
            if refusal.errcode not in _TOKEN_SPOILT:
                raise
        again = self._access_token(spoilt=token)
        return self._fields(self._call(name, "POST", path, {"access_token": again}, value))

    def _access_token(self, spoilt: str = "") -> str:
        with self._lock:
            valid = self._token and self._clock.now().boottime_ns < self._token_ends_ns
            if valid and self._token != spoilt:
                return self._token
            value: dict[str, object] = {
                "grant_type": "client_credential",
                "appid": self._settings.appid,
                "secret": self._settings.app_secret,
            }
            if spoilt:
                value["force_refresh"] = True
            fields = self._fields(self._call("access token", "POST", "/cgi-bin/stable_token", None, value))
            token, life_s = _read("access token", fields, _token)
            self._token = token
            self._token_ends_ns = self._line.deadline_ns(max(life_s - _RENEW_EARLY_S, 0))
            return token

    def _call(
        self, name: str, method: str, path: str, query: dict[str, str] | None, value: Json | None = None
    ) -> Call:
        target = f"{path}?{urlencode(query)}" if query else path
        body = b"" if value is None else to_json(value)
        return Call(f"weixin {name}", "-", method, target, body, self._settings.read_s, repeatable=False)

    def _fields(self, call: Call) -> Fields:
        deadline_ns = self._line.deadline_ns(self._settings.connect_s + self._settings.read_s)
        failure: Unavailable | OutcomeUnknown
        try:
            answer = self._line.exchange(call, deadline_ns, _HEADERS)
        except NotSent as error:
            failure = Unavailable(f"{call.name}: not reached ({error}); try again")
        except NoAnswer as error:
            failure = OutcomeUnknown(f"{call.name}: no answer ({error}); try again with a new code")
        else:
            return _judge(call, answer)
        raise failure


def _headers(call: Call, target: str, now: object) -> dict[str, str]:
    headers = {"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": "mall-edge"}
    return headers | ({"Content-Type": "application/json"} if call.body else {})


_HEADERS: Sign = _headers


def _judge(call: Call, answer: Answer) -> Fields:
    if answer.status != 200:
        raise Unavailable(f"{call.name}: status {answer.status}; try again later")
    try:
        fields = Fields.parse(answer.body)
        # Some answers leave it out when all is well.
        errcode = fields.signed("errcode") or 0
    except Unreadable as unreadable:
        raise Unavailable(f"{call.name}: {unreadable}; try again later") from None
    if errcode == 0:
        return fields
    if errcode in _BUSY:
        raise Unavailable(f"{call.name}: errcode {errcode}, busy or too many calls; try again later")
    raise WeixinRefused(f"{call.name} was refused: errcode {errcode}", errcode)


def _read(name: str, fields: Fields, read: Callable[[Fields], Found]) -> Found:
    try:
        return read(fields)
    except Unreadable as unreadable:
        raise Unavailable(f"weixin {name}: the answer is of no use: {unreadable}") from None


def _session(fields: Fields) -> Session:
    return Session(
        openid=fields.need_text("openid", 128),
        unionid=fields.text("unionid", 128),
        session_key=fields.need_text("session_key", 256),
    )


def _phone(fields: Fields) -> PhoneNumber:
    info = fields.within("phone_info")
    return PhoneNumber(info.need_text("purePhoneNumber", 32), info.text("countryCode", 8) or "86")


def _token(fields: Fields) -> tuple[str, int]:
    return fields.need_text("access_token", 1024), fields.need_number("expires_in")


def _check_code(code: str) -> str:
    if not 0 < len(code) <= _MAX_CODE or not code.isascii() or not code.isprintable():
        raise Invalid("this is not a code of the mini-program; have the phone ask for a new one")
    return code
