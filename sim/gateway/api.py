"""The APIv3 calls of the simulated gateway: codepay, query, reverse, echo; strict, faulty on request."""

from __future__ import annotations

import datetime as dt
import json
import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from urllib.parse import parse_qsl

from sim.gateway.books import Books, Charge, Order, check_amount
from sim.gateway.credentials import Credentials
from sim.gateway.faults import Fault, FaultPlan, Planned
from sim.gateway.messages import Dropped, Json, Refusal, Reply, Request, json_reply, parameter_error
from sim.gateway.signatures import Signatures

Handler = Callable[[Request, str], Reply]

_CST = dt.timezone(dt.timedelta(hours=8))
_ORDER_NO = r"[0-9A-Za-z_\-*]{6,32}"
_STATES = {
    "SUCCESS": "支付成功",
    "USERPAYING": "用户支付中，需要输入密码",
    "REVOKED": "已撤销",
    "CLOSED": "已关闭",
    "PAYERROR": "支付失败",
}
_HUGE_BYTES = 3 << 20


@dataclass(frozen=True, slots=True)
class Shape:
    """What a field must look like: a pattern for text, or further fields for an object."""

    required: bool = False
    kind: type = str
    pattern: str = r"[\s\S]{1,256}"
    fields: Mapping[str, Shape] = field(default_factory=dict)


_MERCHANT: Mapping[str, Shape] = {"appid": Shape(True), "mchid": Shape(True)}
_STORE = Shape(True, dict, fields={"id": Shape(), "out_id": Shape()})
CODEPAY = Shape(
    True,
    dict,
    fields={
        **_MERCHANT,
        "description": Shape(True, pattern=r"[\s\S]{1,127}"),
        "out_trade_no": Shape(True, pattern=_ORDER_NO),
        "payer": Shape(True, dict, fields={"auth_code": Shape(True, pattern=r"\d{18}")}),
        "amount": Shape(True, dict, fields={"total": Shape(True, int), "currency": Shape(pattern="CNY")}),
        "scene_info": Shape(
            True,
            dict,
            fields={
                "device_id": Shape(pattern=r"[\s\S]{1,32}"),
                "device_ip": Shape(pattern=r"[0-9a-fA-F.:]{2,45}"),
                "store_info": _STORE,
            },
        ),
        "attach": Shape(pattern=r"[\s\S]{1,128}"),
        "goods_tag": Shape(pattern=r"[\s\S]{1,32}"),
        "support_fapiao": Shape(kind=bool),
        "settle_info": Shape(kind=dict, fields={"profit_sharing": Shape(kind=bool)}),
    },
)
REVERSE = Shape(True, dict, fields=_MERCHANT)
ECHO = Shape(
    True,
    dict,
    fields={"echo_message": Shape(True), "encrypted_echo_message": Shape(), "notify_url": Shape()},
)


class PaymentApi:
    """Everything under /v3. `pending_as_error`: tell USERPAYING as a 400 code instead of a trade_state."""

    def __init__(
        self,
        books: Books,
        signatures: Signatures,
        faults: FaultPlan,
        credentials: Credentials,
        stop: threading.Event,
    ) -> None:
        """`stop` ends all delays at once."""
        self.pending_as_error = False
        self._books = books
        self._signatures = signatures
        self._faults = faults
        self._who = credentials
        self._stop = stop
        order = rf"/v3/pay/transactions/out-trade-no/({_ORDER_NO})"
        self._routes: tuple[tuple[str, str, re.Pattern[str], Handler], ...] = (
            ("codepay", "POST", re.compile(r"/v3/pay/transactions/(codepay)"), self._codepay),
            ("reverse", "POST", re.compile(order + "/reverse"), self._reverse),
            ("query", "GET", re.compile(order), self._query),
            ("echo", "POST", re.compile(r"/v3/security/(echo)"), self._echo),
        )

    @property
    def call_names(self) -> tuple[str, ...]:
        """The names that a fault can be planned for."""
        return tuple(name for name, *_ in self._routes)

    def handle(self, request: Request) -> Reply:
        """Answer one request; raise Dropped to close the connection without an answer."""
        for name, method, pattern, handler in self._routes:
            match = pattern.fullmatch(request.path)
            if match and method == request.method:
                return self._with_faults(self._faults.take(name), request, handler, match[1])
        return self._refuse(Refusal(404, "RESOURCE_NOT_EXISTS", "请求的资源不存在"))

    def _with_faults(self, planned: Planned | None, request: Request, handler: Handler, key: str) -> Reply:
        fault = planned.fault if planned else None
        delay_s = planned.delay_ms / 1000 if planned else 0.0
        early = self._before(fault, delay_s)
        if early is not None:
            return early
        reply = self._process(request, handler, key)
        if fault is Fault.DUPLICATE:
            reply = self._answer(handler, request, key)
        if fault is Fault.DELAY_AFTER:
            self._stop.wait(delay_s)
        if fault is Fault.DROP_AFTER:
            raise Dropped
        return self._after(fault, reply)

    def _before(self, fault: Fault | None, delay_s: float) -> Reply | None:
        if fault is Fault.DROP_BEFORE:
            raise Dropped
        if fault is Fault.DELAY_BEFORE:
            self._stop.wait(delay_s)
        if fault is Fault.SYSTEM_ERROR_BEFORE:
            return self._refuse(Refusal(500, "SYSTEM_ERROR", "系统错误"))
        if fault is Fault.RATE_LIMIT:
            return self._refuse(Refusal(429, "FREQUENCY_LIMITED", "频率超限", "268447840"))
        return None

    def _after(self, fault: Fault | None, reply: Reply) -> Reply:
        if fault is None:
            return reply
        if fault is Fault.SYSTEM_ERROR_AFTER:
            return self._refuse(Refusal(500, "SYSTEM_ERROR", "系统错误"))
        if fault is Fault.FORGED_REFUSAL:
            return json_reply(400, {"code": "AUTH_CODE_INVALID", "message": "forged"})
        if fault is Fault.CUT:
            return replace(reply, cut=True)
        if fault is Fault.HUGE:
            return self._signed(replace(reply, body=b" " * _HUGE_BYTES + reply.body))
        return self._spoilt_headers(fault, self._spoilt_body(fault, reply))

    def _spoilt_body(self, fault: Fault, reply: Reply) -> Reply:
        if fault is Fault.BROKEN_JSON:
            return self._signed(replace(reply, body=reply.body[:-2]))
        if fault not in (Fault.WRONG_AMOUNT, Fault.WRONG_ORDER):
            return reply
        value = json.loads(reply.body)
        if fault is Fault.WRONG_ORDER:
            value["out_trade_no"] = "another-order"
        elif "amount" in value:
            value["amount"]["total"] += 1
        return self._signed(replace(reply, body=json_reply(200, value).body))

    def _spoilt_headers(self, fault: Fault, reply: Reply) -> Reply:
        headers = dict(reply.headers)
        if fault is Fault.NO_SIGNATURE:
            headers = {name: text for name, text in headers.items() if name == "Request-ID"}
        if fault is Fault.BAD_SIGNATURE:
            headers = headers | {
                "Wechatpay-Signature": self._signatures.headers(b"x", "0")["Wechatpay-Signature"]
            }
        if fault is Fault.UNKNOWN_SERIAL:
            headers["Wechatpay-Serial"] = "PUB_KEY_ID_9999"
        if fault is Fault.STALE_SIGNATURE:
            headers["Wechatpay-Timestamp"] = str(int(headers["Wechatpay-Timestamp"]) - 301)
        return replace(reply, headers=headers)

    def _process(self, request: Request, handler: Handler, key: str) -> Reply:
        try:
            self._signatures.check(request)
        except Refusal as refusal:
            # The one answer that carries no signature: nobody has proved to be the merchant.
            return replace(self._error(refusal), headers=self._signatures.request_id(refusal.number))
        return self._answer(handler, request, key)

    def _answer(self, handler: Handler, request: Request, key: str) -> Reply:
        try:
            return self._signed(handler(request, key))
        except Refusal as refusal:
            return self._refuse(refusal)

    def _codepay(self, request: Request, _: str) -> Reply:
        body = self._body(request, CODEPAY)
        scene = _object(body, "scene_info")
        order = self._books.charge(
            Charge(
                order_no=str(body["out_trade_no"]),
                code=str(_object(body, "payer")["auth_code"]),
                amount_fen=check_amount(_object(body, "amount")["total"]),
                description=str(body["description"]),
                device_id=str(scene.get("device_id", "")),
                attach=str(body.get("attach", "")),
            )
        )
        if order.state == "USERPAYING" and self.pending_as_error:
            raise Refusal(400, "USERPAYING", "需要用户输入支付密码")
        return json_reply(200, self._transaction(order))

    def _query(self, request: Request, order_no: str) -> Reply:
        query = request.target.partition("?")[2]
        if dict(parse_qsl(query, keep_blank_values=True)) != {"mchid": self._who.mchid}:
            raise parameter_error("mchid", "must be the only query parameter, and the merchant's own")
        return json_reply(200, self._transaction(self._books.find(order_no)))

    def _reverse(self, request: Request, order_no: str) -> Reply:
        self._body(request, REVERSE)
        self._books.reverse(order_no)
        return json_reply(200, {"appid": self._who.appid, "mchid": self._who.mchid, "out_trade_no": order_no})

    def _echo(self, request: Request, _: str) -> Reply:
        body = _check(_parse(request.body), ECHO, "")
        return json_reply(200, {"echo_message": body["echo_message"]})

    def _body(self, request: Request, shape: Shape) -> Json:
        body = _check(_parse(request.body), shape, "")
        if body["mchid"] != self._who.mchid:
            raise parameter_error("/mchid", "is not the one that signed", body["mchid"], "268447843")
        if body["appid"] != self._who.appid:
            raise Refusal(400, "APPID_MCHID_NOT_MATCH", "appid和mchid不匹配", "268445527")
        return body

    def _transaction(self, order: Order) -> Json:
        charge = order.charge
        value: Json = {
            "appid": self._who.appid,
            "mchid": self._who.mchid,
            "out_trade_no": charge.order_no,
            "trade_type": "MICROPAY",
            "trade_state": order.state,
            "trade_state_desc": _STATES[order.state],
            "attach": charge.attach,
            "payer": {"openid": order.openid},
            "scene_info": {"device_id": charge.device_id},
        }
        if order.paid_at is not None:
            paid = dt.datetime.fromtimestamp(order.paid_at // 1000, _CST)
            total = charge.amount_fen
            value["transaction_id"] = order.transaction_id
            value["bank_type"] = "OTHERS"
            value["success_time"] = paid.isoformat()
            value["amount"] = {
                "total": total,
                "payer_total": total,
                "currency": "CNY",
                "payer_currency": "CNY",
            }
        return value

    def _refuse(self, refusal: Refusal) -> Reply:
        return self._signed(self._error(refusal), refusal.number)

    def _error(self, refusal: Refusal) -> Reply:
        value: Json = {"code": refusal.code, "message": refusal.message}
        if refusal.detail is not None:
            value["detail"] = refusal.detail
        return json_reply(refusal.status, value)

    def _signed(self, reply: Reply, number: str = "0") -> Reply:
        return replace(reply, headers=self._signatures.headers(reply.body, number))


def _parse(body: bytes) -> object:
    try:
        return json.loads(body)
    except ValueError:
        raise parameter_error("/", "is not JSON") from None


def _check(value: object, shape: Shape, path: str) -> Json:
    if not isinstance(value, dict):
        raise parameter_error(path or "/", "is not an object", number="268435461")
    for name in value:
        if name not in shape.fields:
            raise parameter_error(f"{path}/{name}", "is not known to this call", number="270924358")
    for name, inner in shape.fields.items():
        _check_field(value.get(name), inner, f"{path}/{name}")
    return value


def _check_field(value: object, shape: Shape, path: str) -> None:
    if value is None:
        if shape.required:
            raise parameter_error(path, "is missing")
        return
    if shape.kind is dict:
        _check(value, shape, path)
    elif type(value) is not shape.kind:
        raise parameter_error(path, f"is not {shape.kind.__name__}", value)
    elif isinstance(value, str) and not re.fullmatch(shape.pattern, value):
        raise parameter_error(path, "has a form that is not allowed", value, "268435464")


def _object(body: Json, name: str) -> Json:
    value = body[name]
    assert isinstance(value, dict)
    return value
