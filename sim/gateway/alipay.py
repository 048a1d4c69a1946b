"""Alipay's open platform at /gateway.do: one address, the call in `method`, RSA2 both ways.

    POST /gateway.do            alipay.trade.pay, .query, .cancel, .refund, .fastpay.refund.query,
                                alipay.data.dataservice.bill.downloadurl.query
    GET  /alipay/bill?token=    the bill's file, once, for 30 s
    GET  /sim/alipay/{wallet}   the Alipay side of a phone; POST .../code {renew?}
    GET  /sim/alipay-settings   POST {code_in_url_allowed?, cancel_wants_retry?, paid_without_action?}

Written from opendocs.alipay.com without a look at edge's client. Strict: unknown methods, parameters and
fields are refused, and a payment code in a URL is, unless a tester allows it.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from urllib.parse import parse_qsl

from sim.gateway.alipay_bill import BILL, TOKEN, AlipayBills
from sim.gateway.alipay_keys import AlipaySignatures, make_alipay_keys
from sim.gateway.alipay_trade import (
    CST,
    SCHEMA,
    AlipayTrades,
    Failed,
    fen,
    moment,
    status,
    trade_json,
    trade_no,
    yuan,
)
from sim.gateway.code_pictures import barcode_svg, qr_svg
from sim.gateway.endpoints import Auth, Call, Endpoint, Room
from sim.gateway.faults import Fault
from sim.gateway.messages import Json, Refusal, Reply, Request, json_reply
from sim.gateway.office import Office
from sim.gateway.shapes import Shape, check_body, text

_SKEW_S = 600
_HUGE_BYTES = 3 << 20
_NEEDED = ("app_id", "method", "charset", "sign_type", "sign", "timestamp", "version")
_CERTIFICATES = ("app_cert_sn", "alipay_root_cert_sn")
_PARAMETERS = {
    *_NEEDED,
    *_CERTIFICATES,
    "format",
    "app_auth_token",
    "biz_content",
    "notify_url",
    "return_url",
}
_NUMBER = r"[0-9A-Za-z_]{1,64}"
_AMOUNT = r"\d{1,8}(\.\d{1,2})?"
_EITHER = {"out_trade_no": Shape(pattern=_NUMBER), "trade_no": Shape(pattern=r"\d{16,64}")}
_OPTIONS = Shape(kind=list, most=10, item=Shape())
_FORMS: Mapping[str, Mapping[str, Shape]] = {
    "alipay.trade.pay": {
        "out_trade_no": Shape(True, pattern=_NUMBER),
        "total_amount": Shape(True, pattern=_AMOUNT),
        "subject": Shape(True, pattern=r"[^/=&]{1,256}"),
        "scene": Shape(True, pattern="bar_code"),
        "auth_code": Shape(True, pattern=r"(2[5-9]|30)\d{14,22}"),
        "product_code": Shape(pattern="FACE_TO_FACE_PAYMENT|OFFLINE_PAYMENT"),
        "body": Shape(pattern=r"[\s\S]{1,128}"),
        "seller_id": Shape(pattern=r"2088\d{12}"),
        "store_id": Shape(pattern=r"[\s\S]{1,32}"),
        "operator_id": Shape(pattern=r"[\s\S]{1,28}"),
        "terminal_id": Shape(pattern=r"[\s\S]{1,32}"),
        "timeout_express": Shape(pattern=r"\d{1,5}[mhd]|1c"),
        "query_options": _OPTIONS,
    },
    "alipay.trade.query": {**_EITHER, "query_options": _OPTIONS},
    "alipay.trade.cancel": _EITHER,
    "alipay.trade.refund": {
        **_EITHER,
        "refund_amount": Shape(True, pattern=_AMOUNT),
        "out_request_no": Shape(pattern=_NUMBER),
        "refund_reason": Shape(),
        "operator_id": Shape(pattern=r"[\s\S]{1,30}"),
        "store_id": Shape(pattern=r"[\s\S]{1,32}"),
        "terminal_id": Shape(pattern=r"[\s\S]{1,32}"),
        "query_options": _OPTIONS,
    },
    BILL: {
        "bill_type": Shape(True, pattern="trade|signcustomer"),
        "bill_date": Shape(True, pattern=r"\d{4}-\d\d-\d\d"),
    },
    "alipay.trade.fastpay.refund.query": {
        **_EITHER,
        "out_request_no": Shape(True, pattern=_NUMBER),
        "query_options": _OPTIONS,
    },
}


@dataclass
class AlipaySettings:
    """Switches. code_in_url_allowed: take a payment code by GET, as some SDKs send it.

    cancel_wants_retry: cancellations have no effect and say so. paid_without_action: their answers name none.
    """

    code_in_url_allowed: bool = False
    cancel_wants_retry: bool = False
    paid_without_action: bool = False


_SPOILING = (
    Fault.HUGE,
    Fault.BROKEN_JSON,
    Fault.WRONG_ORDER,
    Fault.WRONG_AMOUNT,
    Fault.UNKNOWN_SERIAL,
    Fault.NO_SIGNATURE,
    Fault.BAD_SIGNATURE,
)


class _TurnedAway(Exception):
    """A refusal by the gateway itself. signed: whether the sender is known, so that the answer is signed."""

    def __init__(self, code: str, sub: str, message: str, signed: bool = True) -> None:
        super().__init__(f"{code} {sub}: {message}")
        self.code, self.sub, self.message, self.signed = code, sub, message, signed


class AlipayGate:
    """The application's calls: parameters, signature, method, answer."""

    def __init__(self, office: Office) -> None:
        keys = make_alipay_keys(office.credentials.folder / "alipay", office.digits)
        self.settings = AlipaySettings()
        self.trades = AlipayTrades(office, keys.app_id, keys.pid)
        self._office = office
        self._app_id = keys.app_id
        self._base = ""
        self._signatures = AlipaySignatures(keys)
        self._calls: Mapping[str, Callable[[Json], Json]] = {
            "alipay.trade.pay": self._pay,
            "alipay.trade.query": self._query,
            "alipay.trade.cancel": self._cancel,
            "alipay.trade.refund": self._refund,
            "alipay.trade.fastpay.refund.query": self._refund_query,
            BILL: self._bill,
        }
        self.bills = AlipayBills(office, self.trades, keys.app_id, keys.pid)

    @property
    def methods(self) -> tuple[str, ...]:
        """The calls that there are."""
        return tuple(self._calls)

    def answer(self, call: Call) -> Reply:
        """Answer one request."""
        parameters: Mapping[str, str] = {}
        self._base = f"http://{call.request.headers.get('host', '127.0.0.1')}"
        try:
            parameters = _parameters(call.request)
            self._check(call.request, parameters)
            content = self._carry_out(parameters)
        except _TurnedAway as refusal:
            content = {"code": refusal.code, "msg": "Invalid Arguments", "sub_code": refusal.sub}
            content["sub_msg"] = refusal.message
            return self._reply(parameters, content, signed=refusal.signed)
        return self._reply(parameters, content)

    def spoil(self, fault: Fault | None, request: Request, reply: Reply | None) -> Reply:
        """Return what a fault makes of an answer; reply None: before the call had any effect."""
        parameters = _parameters(request)
        if fault in (Fault.SYSTEM_ERROR_BEFORE, Fault.SYSTEM_ERROR_AFTER):
            return self._reply(parameters, _failure("20000", "aop.unknow-error", "系统繁忙"))
        if fault is Fault.RATE_LIMIT:
            return self._reply(parameters, _failure("40005", "isv.app-call-limited", "应用调用频率超限"))
        if fault is Fault.FORGED_REFUSAL:
            forged = _failure("40004", "ACQ.PAYMENT_AUTH_CODE_INVALID", "forged")
            return self._reply(parameters, forged, signed=False)
        assert reply is not None
        if fault not in _SPOILING:
            return reply
        if fault is Fault.HUGE:
            return replace(reply, body=b" " * _HUGE_BYTES + reply.body)
        if fault is Fault.BROKEN_JSON:
            return replace(reply, body=reply.body[:-2])
        return self._spoilt(fault, parameters, json.loads(reply.body))

    def _spoilt(self, fault: Fault, parameters: Mapping[str, str], answer: Json) -> Reply:
        content = answer[_node(parameters)]
        assert isinstance(content, dict)
        if fault is Fault.WRONG_ORDER:
            content["out_trade_no"] = "another_order"
        if fault is Fault.WRONG_AMOUNT and "total_amount" in content:
            content["total_amount"] = yuan(fen(content["total_amount"]) + 1)
        serial = "0" * 32 if fault is Fault.UNKNOWN_SERIAL else ""
        reply = self._reply(parameters, content, signed=fault is not Fault.NO_SIGNATURE, serial=serial)
        if fault is Fault.BAD_SIGNATURE:
            return replace(reply, body=reply.body.replace(b'"msg":"', b'"msg":"x', 1))
        return reply

    def _check(self, request: Request, parameters: Mapping[str, str]) -> None:
        for name in _NEEDED:
            if not parameters.get(name):
                raise _TurnedAway("40001", f"isv.missing-{name.replace('_', '-')}", f"缺少{name}参数", False)
        if parameters["app_id"] != self._app_id:
            raise _TurnedAway("40002", "isv.invalid-app-id", "无效的AppID参数", False)
        if parameters["sign_type"] != "RSA2" or parameters["charset"].lower() != "utf-8":
            raise _TurnedAway("40002", "isv.invalid-signature-type", "只支持RSA2和utf-8", False)
        if not self._signatures.holds(parameters):
            raise _TurnedAway("40002", "isv.invalid-signature", "验签出错", False)
        self._check_time(parameters["timestamp"])
        self._check_certificates(parameters)
        self._check_call(request, parameters)

    def _check_call(self, request: Request, parameters: Mapping[str, str]) -> None:
        unknown = parameters.keys() - _PARAMETERS
        if unknown or parameters["version"] != "1.0" or parameters.get("format", "JSON").upper() != "JSON":
            raise _TurnedAway("40002", "isv.invalid-parameter", f"参数无效: {' '.join(sorted(unknown))}")
        if parameters["method"] not in self._calls:
            raise _TurnedAway("40002", "isv.invalid-method", "不存在的方法名")
        if "auth_code" in request.target and not self.settings.code_in_url_allowed:
            raise _TurnedAway("40002", "isv.invalid-parameter", "付款码不能放在URL中，请使用POST")

    def _check_time(self, told: str) -> None:
        try:
            at = dt.datetime.strptime(told, "%Y-%m-%d %H:%M:%S").replace(tzinfo=CST).timestamp()
        except ValueError:
            at = 0.0
        if abs(self._office.now_ms() / 1000 - at) > _SKEW_S:
            raise _TurnedAway("40002", "isv.invalid-timestamp", "非法的时间戳参数")

    def _check_certificates(self, parameters: Mapping[str, str]) -> None:
        ours = (self._signatures.app_cert_sn, self._signatures.root_cert_sn)
        given = tuple(parameters.get(name, "") for name in _CERTIFICATES)
        if given not in (("", ""), ours):
            raise _TurnedAway("40002", "isv.invalid-app-cert-sn", "应用公钥证书或支付宝根证书序列号不正确")

    def _carry_out(self, parameters: Mapping[str, str]) -> Json:
        method = parameters["method"]
        try:
            raw = parameters.get("biz_content", "").encode()
            body = check_body(raw, Shape(True, dict, fields=_FORMS[method]))
            return self._calls[method](body)
        except Failed as failed:
            return _failure("40004", failed.sub, failed.message)
        except Refusal as refusal:
            return _failure("40004", "ACQ.INVALID_PARAMETER", refusal.message)

    def _pay(self, body: Json) -> Json:
        order = self.trades.pay(body)
        if order.state == "USERPAYING":
            return {"code": "10003", "msg": "order success pay inprocess", **trade_json(order)}
        return _success({**trade_json(order), "gmt_payment": moment(order.paid_at or 0)})

    def _query(self, body: Json) -> Json:
        order = self.trades.find(body)
        paid = {} if order.paid_at is None else {"send_pay_date": moment(order.paid_at)}
        return _success({**trade_json(order), "trade_status": status(order), **paid})

    def _cancel(self, body: Json) -> Json:
        named: Json = {name: body[name] for name in ("out_trade_no", "trade_no") if name in body}
        if self.settings.cancel_wants_retry:
            return _success({**named, "retry_flag": "Y"})
        try:
            action, order = self.trades.cancel(body)
        except Failed as failed:
            if failed.sub != "ACQ.TRADE_NOT_EXIST":
                raise
            # Documented: a trade that does not exist is cancelled without an action.
            return _success({**named, "retry_flag": "N"})
        done: Json = {} if self.settings.paid_without_action else {"action": action}
        numbers: Json = {"trade_no": trade_no(order), "out_trade_no": order.charge.order_no}
        return _success({**numbers, "retry_flag": "N", **done})

    def _refund(self, body: Json) -> Json:
        order, refund = self.trades.refund(body)
        trade = trade_json(order)
        kept = ("trade_no", "out_trade_no", "buyer_logon_id", "buyer_user_id")
        return _success(
            {
                **{name: trade[name] for name in kept},
                "fund_change": "N" if refund.repeated else "Y",
                "refund_fee": yuan(refund.total_fen),
                "gmt_refund_pay": moment(refund.at),
                "send_back_fee": "0.00" if refund.repeated else yuan(refund.amount_fen),
            }
        )

    def _refund_query(self, body: Json) -> Json:
        order = self.trades.find(body)
        found = next(
            (one for one in self.trades.refunds(order) if one.request_no == text(body, "out_request_no")),
            None,
        )
        if found is None:
            return _success({})
        value: Json = {
            "trade_no": trade_no(order),
            "out_trade_no": order.charge.order_no,
            "out_request_no": found.request_no,
            "total_amount": yuan(order.charge.amount_fen),
            "refund_amount": yuan(found.amount_fen),
            "refund_status": "REFUND_SUCCESS",
        }
        options = body.get("query_options")
        if isinstance(options, list) and "gmt_refund_pay" in options:
            value["gmt_refund_pay"] = moment(found.at)
        return _success(value)

    def _bill(self, body: Json) -> Json:
        token = self.bills.make(text(body, "bill_date"))
        return _success({"bill_download_url": f"{self._base}/alipay/bill?token={token}"})

    def _reply(
        self, parameters: Mapping[str, str], content: Json, *, signed: bool = True, serial: str = ""
    ) -> Reply:
        """Return an answer; slashes are escaped, so that only who verifies the raw text can verify it."""
        told = json.dumps(content, ensure_ascii=False, separators=(",", ":")).replace("/", "\\/")
        parts = [f'"{_node(parameters)}":{told}']
        if signed and (serial or parameters.get("app_cert_sn")):
            parts.append(f'"alipay_cert_sn":"{serial or self._signatures.alipay_cert_sn}"')
        if signed:
            parts.append(f'"sign":"{self._signatures.sign(told)}"')
        body = "{" + ",".join(parts) + "}"
        return Reply(
            200, body.encode(), "text/html;charset=utf-8", {"trace_id": f"0ba{self._office.digits(29)}"}
        )


def _parameters(request: Request) -> Mapping[str, str]:
    """Return the parameters of URL and body together; raise _TurnedAway for one that is told in two ways."""
    found: dict[str, str] = {}
    query = request.target.partition("?")[2]
    for name, value in parse_qsl(query) + parse_qsl(request.body.decode("utf-8", "replace")):
        if found.setdefault(name, value) != value:
            raise _TurnedAway("40002", "isv.invalid-parameter", f"参数重复: {name}", False)
    return found


def _node(parameters: Mapping[str, str]) -> str:
    method = parameters.get("method", "")
    return f"{method.replace('.', '_')}_response" if method in _FORMS else "error_response"


def _success(content: Json) -> Json:
    return {"code": "10000", "msg": "Success", **content}


def _failure(code: str, sub: str, message: str) -> Json:
    return {"code": code, "msg": "Business Failed", "sub_code": sub, "sub_msg": message}


def _switches(office: Office, gate: AlipayGate) -> Sequence[Endpoint]:
    def phone(call: Call) -> Reply:
        code = gate.trades.codes.show(call.path["wallet"])
        left_ms = max(0, code.expires_at - office.now_ms())
        pictures = {"barcode_svg": barcode_svg(code.code), "qr_svg": qr_svg(code.code)}
        return json_reply(200, {"code": code.code, "expires_in_ms": left_ms, **pictures})

    def renew(call: Call) -> Reply:
        code = gate.trades.codes.show(call.path["wallet"], renew=call.body.get("renew") is True)
        return json_reply(200, {"code": code.code, "expires_at": code.expires_at})

    def tell(call: Call) -> Reply:
        return json_reply(200, asdict(gate.settings))

    def change(call: Call) -> Reply:
        for name, value in call.body.items():
            setattr(gate.settings, name, value)
        return tell(call)

    flags = {name: Shape(kind=bool) for name in asdict(gate.settings)}
    renewed = Shape(True, dict, fields={"renew": Shape(kind=bool)})
    wallet, settings = "/sim/alipay/{wallet}", "/sim/alipay-settings"
    body = Shape(True, dict, fields=flags)
    return (
        Endpoint("alipay_phone", "GET", wallet, phone, auth=Auth.TESTER),
        Endpoint("alipay_code", "POST", wallet + "/code", renew, renewed, auth=Auth.TESTER),
        Endpoint("alipay_settings", "GET", settings, tell, auth=Auth.TESTER),
        Endpoint("alipay_change", "POST", settings, change, body, auth=Auth.TESTER),
    )


def _endpoints(office: Office) -> Sequence[Endpoint]:
    gate = AlipayGate(office)

    def named(request: Request) -> str:
        try:
            return _parameters(request).get("method", "")
        except _TurnedAway:
            return ""

    calls = tuple(
        Endpoint(
            "alipay",
            verb,
            "/gateway.do",
            gate.answer,
            query=None,
            auth=Auth.OWN,
            named=named,
            also=gate.methods,
            spoil=gate.spoil,
        )
        for verb in ("POST", "GET")
    )
    bill = Endpoint("alipay_bill", "GET", "/alipay/bill", gate.bills.give, query=TOKEN, auth=Auth.OWN)
    return (*calls, bill, *_switches(office, gate))


ROOM = Room("alipay", schema=SCHEMA, endpoints=_endpoints)
