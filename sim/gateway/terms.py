"""Who asks for whom: the direct merchant's form of a call and the service provider's, one parser for both."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace

from sim.gateway.endpoints import Call
from sim.gateway.merchants import check_signer
from sim.gateway.messages import Json, Refusal
from sim.gateway.office import Office
from sim.gateway.orders import Charge, Order
from sim.gateway.shapes import MERCHANT, Shape, child, number, text
from sim.gateway.times import instant_ms, rfc3339

#: The names of the parties in the body of a direct merchant's call and of a service provider's.
DIRECT: Mapping[str, Shape] = MERCHANT
PARTNER: Mapping[str, Shape] = {
    "sp_appid": Shape(True),
    "sp_mchid": Shape(True),
    "sub_appid": Shape(),
    "sub_mchid": Shape(True),
}
DIRECT_QUERY: Mapping[str, Shape] = {"mchid": Shape(True, pattern=r"\d{8,10}")}
PARTNER_QUERY: Mapping[str, Shape] = {
    "sp_mchid": Shape(True, pattern=r"\d{8,10}"),
    "sub_mchid": Shape(True, pattern=r"\d{8,10}"),
}
STATES = {
    "SUCCESS": "支付成功",
    "REFUND": "转入退款",
    "NOTPAY": "未支付",
    "USERPAYING": "用户支付中，需要输入密码",
    "REVOKED": "已撤销",
    "CLOSED": "已关闭",
    "PAYERROR": "支付失败",
}


@dataclass(frozen=True, slots=True)
class Parties:
    """Who asks (mchid, appid) and for whom (sub_mchid, sub_appid; "" for a direct merchant)."""

    mchid: str
    appid: str = ""
    sub_mchid: str = ""
    sub_appid: str = ""


def parties_of(call: Call, office: Office) -> Parties:
    """Return who is named in the body or query of a call; raise Refusal unless they fit together."""
    given: Mapping[str, object] = {**call.query, **call.body}
    partner = "sp_mchid" in given
    found = Parties(
        mchid=str(given.get("sp_mchid" if partner else "mchid", "")),
        appid=str(given.get("sp_appid" if partner else "appid", "")),
        sub_mchid=str(given.get("sub_mchid", "")),
        sub_appid=str(given.get("sub_appid", "")),
    )
    check_signer(found.mchid, call.mchid, "/sp_mchid" if partner else "/mchid")
    if found.appid:
        office.merchants.check_app(found.mchid, found.appid)
    if found.sub_mchid:
        office.merchants.check_sub(found.mchid, found.sub_mchid)
    return found


def charge_of(call: Call, parties: Parties, trade_type: str) -> Charge:
    """Return what a checked body asks for; raise Refusal for a time_expire that cannot be."""
    body = call.body
    payer = child(body, "payer")
    return Charge(
        order_no=text(body, "out_trade_no"),
        amount_fen=number(child(body, "amount"), "total"),
        description=text(body, "description"),
        mchid=parties.mchid,
        appid=parties.appid,
        trade_type=trade_type,
        sub_mchid=parties.sub_mchid,
        sub_appid=parties.sub_appid,
        openid=text(payer, "openid") or text(payer, "sp_openid") or text(payer, "sub_openid"),
        device_id=text(child(body, "scene_info"), "device_id"),
        attach=text(body, "attach"),
        notify_url=text(body, "notify_url"),
        goods_tag=text(body, "goods_tag"),
        expires_at=instant_ms(text(body, "time_expire"), "/time_expire"),
        freeze=child(body, "settle_info").get("profit_sharing") is True,
        form=form_of(body),
    )


def form_of(body: Json) -> str:
    """Return a digest of everything in a body; the same for the same parameters in another order."""
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()


def transaction_json(order: Order) -> Json:
    """Return an order as a query, a codepay and a callback tell it."""
    charge = order.charge
    value: Json = _who(charge, order.openid) | {
        "out_trade_no": charge.order_no,
        "trade_type": charge.trade_type,
        "trade_state": order.state,
        "trade_state_desc": STATES[order.state],
        "attach": charge.attach,
    }
    if charge.device_id:
        value["scene_info"] = {"device_id": charge.device_id}
    if order.paid_at is not None:
        value["transaction_id"] = order.transaction_id
        value["bank_type"] = "OTHERS"
        value["success_time"] = rfc3339(order.paid_at)
        value["amount"] = {
            "total": charge.amount_fen,
            "payer_total": charge.amount_fen,
            "currency": "CNY",
            "payer_currency": "CNY",
        }
    return value


def _who(charge: Charge, openid: str) -> Json:
    if not charge.sub_mchid:
        value: Json = {"appid": charge.appid, "mchid": charge.mchid}
        return value | ({"payer": {"openid": openid}} if openid else {})
    value = {"sp_appid": charge.appid, "sp_mchid": charge.mchid, "sub_mchid": charge.sub_mchid}
    if charge.sub_appid:
        value["sub_appid"] = charge.sub_appid
    return value | ({"payer": {"sp_openid": openid}} if openid else {})


def close_order(office: Office, order: Order) -> Order:
    """Close an order that is not paid; one that is closed stays so. Raise Refusal for any other."""
    if order.charge.trade_type == "MICROPAY":
        raise Refusal(400, "INVALID_REQUEST", "付款码支付订单只能撤销", "268449641")
    if order.state in ("SUCCESS", "REFUND"):
        raise Refusal(400, "ORDER_PAID", "该订单已支付", "268498689")
    return office.orders.keep(replace(order, state="CLOSED"))
