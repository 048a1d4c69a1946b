"""The way of a call through the gateway: registry, faults, signature, shape, handler, signed answer."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace

from sim.gateway.endpoints import Auth, Call, Endpoint
from sim.gateway.faults import Fault, Planned
from sim.gateway.messages import Dropped, Json, Refusal, Reply, Request, json_reply, parameter_error
from sim.gateway.office import Office
from sim.gateway.shapes import check_body, check_query

_HUGE_BYTES = 3 << 20
_HOSTS = frozenset(
    [
        "api.mch.weixin.qq.com", "api2.mch.weixin.qq.com", "api2.wechatpay.cn", "api.weixin.qq.com",
        "openapi.alipay.com", "127.0.0.1", "localhost", "[::1]",
    ]
)  # fmt: skip
#: Names under which WeChat Pay's own calls are not there.
_OTHERS = frozenset(["api.weixin.qq.com", "openapi.alipay.com"])
_NOBODY_HERE = json_reply(404, {"code": "RESOURCE_NOT_EXISTS", "message": "此域名没有该服务"})
_NUMBERS = ("out_trade_no", "combine_out_trade_no", "out_refund_no", "out_order_no")


class PaymentApi:
    """Every endpoint of every room but the testers' switches."""

    def __init__(self, office: Office, endpoints: Sequence[Endpoint], stop: threading.Event) -> None:
        """`stop` ends all delays at once."""
        self._office = office
        self._endpoints = tuple(endpoints)
        self._signatures = office.signatures
        self._stop = stop

    @property
    def pending_as_error(self) -> bool:
        """Whether USERPAYING is told as a 400 code instead of a trade_state."""
        return self._office.settings.pending_as_error

    @pending_as_error.setter
    def pending_as_error(self, value: bool) -> None:
        self._office.settings.pending_as_error = value

    @property
    def call_names(self) -> tuple[str, ...]:
        """The names that a fault can be planned for."""
        names = [name for endpoint in self._endpoints for name in (endpoint.name, *endpoint.also)]
        return tuple(dict.fromkeys(names))

    def handle(self, request: Request) -> Reply:
        """Answer one request; raise Dropped to close the connection without an answer."""
        if not self._known_host(request):
            return _NOBODY_HERE
        for endpoint in self._endpoints:
            names = endpoint.match(request.method, request.target)
            if names is not None:
                if endpoint.auth is Auth.MERCHANT and _host_of(request) in _OTHERS:
                    return _NOBODY_HERE
                planned = self._office.faults.take(endpoint.called(request), order_no_of(request, names))
                return self._with_faults(planned, request, endpoint, names)
        return self._refuse(Refusal(404, "RESOURCE_NOT_EXISTS", "请求的资源不存在"))

    def _known_host(self, request: Request) -> bool:
        """Whether a request came for a name that the gateway has; on loopback it is its own address."""
        name = _host_of(request)
        return name in _HOSTS or name in self._office.settings.hosts

    def _with_faults(
        self, planned: Planned | None, request: Request, endpoint: Endpoint, names: Mapping[str, str]
    ) -> Reply:
        fault = planned.fault if planned else None
        delay_s = planned.delay_ms / 1000 if planned else 0.0
        early = self._before(fault, delay_s)
        if early is not None:
            return early if endpoint.spoil is None else endpoint.spoil(fault, request, None)
        reply = self._process(request, endpoint, names)
        if fault is Fault.DUPLICATE and reply.status != 401:
            reply = self._again(request, endpoint, names)
        if fault is Fault.DELAY_AFTER:
            self._stop.wait(delay_s)
        if fault is Fault.DROP_AFTER:
            raise Dropped
        if endpoint.spoil is not None and fault is not Fault.CUT:
            return endpoint.spoil(fault, request, reply)
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
        reply = self._spoilt_body(fault, reply)
        return replace(reply, headers=self._signatures.spoil(reply.headers, fault))

    def _spoilt_body(self, fault: Fault, reply: Reply) -> Reply:
        if fault is Fault.BROKEN_JSON:
            return self._signed(replace(reply, body=reply.body[:-2]))
        if fault not in (Fault.WRONG_AMOUNT, Fault.WRONG_ORDER):
            return reply
        try:
            value = json.loads(reply.body)
        except ValueError:
            return reply
        if fault is Fault.WRONG_ORDER and "out_trade_no" in value:
            value["out_trade_no"] = "another-order"
        amount = value.get("amount")
        if fault is Fault.WRONG_AMOUNT and isinstance(amount, dict) and "total" in amount:
            amount["total"] += 1
        return self._signed(replace(reply, body=json_reply(200, value).body))

    def _process(self, request: Request, endpoint: Endpoint, names: Mapping[str, str]) -> Reply:
        if endpoint.auth is Auth.OWN:
            return self._unsigned(request, endpoint, names)
        try:
            mchid = self._signatures.check(request)
        except Refusal as refusal:
            # The one answer that carries no signature: nobody has proved to be the merchant.
            return replace(self._error(refusal), headers=self._signatures.request_id(refusal.number))
        return self._answer(request, endpoint, names, mchid)

    def _answer(self, request: Request, endpoint: Endpoint, names: Mapping[str, str], mchid: str) -> Reply:
        asked = request.headers.get("wechatpay-serial", "")
        try:
            return self._signed(endpoint.handler(checked(request, endpoint, names, mchid)), asked=asked)
        except Refusal as refusal:
            return self._signed(self._error(refusal), refusal.number, asked)

    def _again(self, request: Request, endpoint: Endpoint, names: Mapping[str, str]) -> Reply:
        """Answer what the network delivers twice; the nonce passes, as if two machines had taken it."""
        mchid = self._signatures.signer_of(request)
        if endpoint.auth is Auth.OWN:
            return self._process(request, endpoint, names)
        return self._answer(request, endpoint, names, mchid)

    def _unsigned(self, request: Request, endpoint: Endpoint, names: Mapping[str, str]) -> Reply:
        try:
            return endpoint.handler(checked(request, endpoint, names, ""))
        except Refusal as refusal:
            return self._error(refusal)

    def _refuse(self, refusal: Refusal) -> Reply:
        return self._signed(self._error(refusal), refusal.number)

    def _error(self, refusal: Refusal) -> Reply:
        value: Json = {"code": refusal.code, "message": refusal.message}
        if refusal.detail is not None:
            value["detail"] = refusal.detail
        return json_reply(refusal.status, value)

    def _signed(self, reply: Reply, number: str = "0", asked: str = "") -> Reply:
        signed = self._signatures.headers(reply.body, number, asked)
        return replace(reply, headers={**reply.headers, **signed})


def _host_of(request: Request) -> str:
    """Return the name that a request is for, without its port."""
    host = request.headers.get("host", "")
    return host.rsplit(":", 1)[0] if not host.endswith("]") else host


def order_no_of(request: Request, names: Mapping[str, str]) -> str:
    """Return the merchant's number that a request is about, from its path or its body; "" for none."""
    for name in _NUMBERS:
        if name in names:
            return names[name]
    try:
        body = json.loads(request.body or b"{}")
    except ValueError:
        return ""
    found = [body[name] for name in _NUMBERS if name in body] if isinstance(body, dict) else []
    return str(found[0]) if found else ""


def checked(request: Request, endpoint: Endpoint, names: Mapping[str, str], mchid: str) -> Call:
    """Return the call with its body and query checked against the endpoint; raise Refusal 400 PARAM_ERROR."""
    query = {} if endpoint.query is None else check_query(request.target, endpoint.query)
    body: Json = {}
    if endpoint.body is not None:
        body = check_body(request.body, endpoint.body)
    elif request.body and endpoint.auth is Auth.MERCHANT:
        raise parameter_error("/", "this call takes no body")
    return Call(request, names, query, body, mchid)
