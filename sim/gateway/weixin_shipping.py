"""That goods were handed over (发货信息管理): told once, corrected once, and asked about.

Until it is told, the money of a mini-program's order waits. Goods that came by courier count as taken after
ten days, others after two, when the shopper says nothing.
"""

from __future__ import annotations

import json
import sqlite3

from sim.gateway.messages import Json, Refusal, Reply
from sim.gateway.office import Office
from sim.gateway.orders import Order
from sim.gateway.shapes import TIME, Shape, child, children, number, text
from sim.gateway.times import instant_ms
from sim.gateway.weixin_door import Asked, Wrong, ok

TO_SHIP, SHIPPED, TAKEN, REFUNDED = 1, 2, 3, 5
_COURIER, _PARTED = 1, 2
_MOST_PARCELS = 15
_DAY_MS = 86_400_000
_TAKEN_AFTER_MS = {_COURIER: 10 * _DAY_MS}

SCHEMA = """
CREATE TABLE IF NOT EXISTS weixin_shipping (
    transaction_id TEXT PRIMARY KEY,
    told TEXT NOT NULL,
    logistics INTEGER NOT NULL,
    uploaded_at INTEGER NOT NULL,
    told_at INTEGER NOT NULL,
    times INTEGER NOT NULL
) STRICT;
"""

_NUMBER = Shape(pattern=r"[0-9A-Za-z_\-*]{1,128}")
_CONTACT = Shape(pattern=r"[0-9*+\-]{4,32}")
UPLOAD = Shape(
    True,
    dict,
    fields={
        "order_key": Shape(
            True,
            dict,
            fields={
                "order_number_type": Shape(True, int, least=1, most=2),
                "transaction_id": _NUMBER,
                "mchid": _NUMBER,
                "out_trade_no": _NUMBER,
            },
        ),
        "logistics_type": Shape(True, int, least=1, most=4),
        "delivery_mode": Shape(True, int, least=1, most=2),
        "is_all_delivered": Shape(kind=bool),
        "shipping_list": Shape(
            True,
            list,
            least=1,
            most=_MOST_PARCELS,
            item=Shape(
                kind=dict,
                fields={
                    "tracking_no": _NUMBER,
                    "express_company": _NUMBER,
                    "item_desc": Shape(True, pattern=r"[\s\S]{1,120}"),
                    "contact": Shape(
                        kind=dict, fields={"consignor_contact": _CONTACT, "receiver_contact": _CONTACT}
                    ),
                },
            ),
        ),
        "upload_time": Shape(True, pattern=TIME.pattern.replace(r"(\+", r"(\.\d{1,6})?(\+")),
        "payer": Shape(True, dict, fields={"openid": Shape(True)}),
    },
)
UPLOAD_WRONGS = {
    "logistics_type": (268485225, "物流模式非法"),
    "delivery_mode": (268485224, "发货模式非法"),
    "upload_time": (268485216, "上传时间非法，请使用 RFC 3339 格式"),
    "shipping_list/0/item_desc": (10060009, "商品描述 item_desc 字段不能为空或太长"),
}
GET_ORDER = Shape(
    True,
    dict,
    fields={
        "transaction_id": _NUMBER,
        "merchant_id": _NUMBER,
        "sub_merchant_id": _NUMBER,
        "merchant_trade_no": _NUMBER,
    },
)


class Shipping:
    """What was told of which order."""

    def __init__(self, office: Office) -> None:
        self._office = office
        self._store = office.store

    def upload(self, asked: Asked) -> Reply:
        """Take what was handed over; raise Wrong."""
        body, key = asked.body, child(asked.body, "order_key")
        order = self._order(asked.appid, *_key(key))
        if order.openid != text(child(body, "payer"), "openid"):
            raise Wrong(10060031, "订单不属于 openid 所对应的用户")
        if order.state != "SUCCESS":
            raise Wrong(10060004, "支付单处于不可发货的状态")
        _check_parcels(body)
        with self._store.work():
            self._keep(order.transaction_id, body)
        return ok()

    def get_order(self, asked: Asked) -> Reply:
        """Tell how far an order is; raise Wrong."""
        body = asked.body
        mchid = text(body, "sub_merchant_id") or text(body, "merchant_id")
        order = self._order(asked.appid, text(body, "transaction_id"), mchid, text(body, "merchant_trade_no"))
        row = self._store.row("SELECT * FROM weixin_shipping WHERE transaction_id = ?", order.transaction_id)
        return ok({"order": self._told(order, row)})

    def _order(self, appid: str, transaction_id: str, mchid: str, order_no: str) -> Order:
        """Return an order of that mini-program; raise Wrong."""
        absent = Wrong(10060001, "支付单不存在")
        if transaction_id:
            found = self._office.orders.select("transaction_id = ?", transaction_id)
        else:
            found = self._office.orders.select("payee = ? AND order_no = ?", mchid, order_no)
        order = found[-1] if found else None
        if order is None or order.paid_at is None or order.charge.trade_type != "JSAPI":
            raise absent
        if appid not in (order.charge.appid, order.charge.sub_appid):
            raise absent
        return order

    def _keep(self, transaction_id: str, body: Json) -> None:
        uploaded_at = _instant(text(body, "upload_time"))
        told = json.dumps({name: value for name, value in body.items() if name != "upload_time"})
        row = self._store.row("SELECT * FROM weixin_shipping WHERE transaction_id = ?", transaction_id)
        if row is not None and (row["told"] == told or uploaded_at <= row["uploaded_at"]):
            raise Wrong(10060023, "发货信息未更新")
        if row is not None and row["times"] > 1:
            raise Wrong(10060003, "支付单已使用重新发货机会")
        self._store.run(
            "INSERT OR REPLACE INTO weixin_shipping VALUES (?, ?, ?, ?, ?, ?)",
            transaction_id, told, number(body, "logistics_type"), uploaded_at, self._office.now_ms(),
            1 if row is None else row["times"] + 1,
        )  # fmt: skip

    def _told(self, order: Order, row: sqlite3.Row | None) -> Json:
        charge = order.charge
        told: Json = {
            "transaction_id": order.transaction_id,
            "merchant_id": charge.mchid,
            "sub_merchant_id": charge.sub_mchid,
            "merchant_trade_no": charge.order_no,
            "description": charge.description,
            "paid_amount": charge.amount_fen,
            "openid": order.openid,
            "trade_create_time": order.asked_at // 1000,
            "pay_time": (order.paid_at or 0) // 1000,
            "in_complaint": False,
            "order_state": self._state(order, row),
            "shipping": {},
        }
        if row is not None:
            kept = json.loads(row["told"])
            told["shipping"] = {
                "delivery_mode": kept["delivery_mode"],
                "logistics_type": kept["logistics_type"],
                "finish_shipping": kept.get("is_all_delivered", kept["delivery_mode"] != _PARTED),
                "finish_shipping_count": row["times"],
                "goods_desc": ";".join(one["item_desc"] for one in kept["shipping_list"]),
                "shipping_list": [
                    {
                        "tracking_no": one.get("tracking_no", ""),
                        "express_company": one.get("express_company", ""),
                        "goods_desc": one["item_desc"],
                        "upload_time": row["uploaded_at"] // 1000,
                    }
                    for one in kept["shipping_list"]
                ],
            }
        return told

    def _state(self, order: Order, row: sqlite3.Row | None) -> int:
        if order.state == "REFUND":
            return REFUNDED
        if row is None:
            return TO_SHIP
        taken_at = row["told_at"] + _TAKEN_AFTER_MS.get(row["logistics"], 2 * _DAY_MS)
        return TAKEN if self._office.now_ms() >= taken_at else SHIPPED


def _key(key: Json) -> tuple[str, str, str]:
    """Return transaction_id, or mchid and out_trade_no, as the key's type says; raise Wrong."""
    if number(key, "order_number_type") == 2:
        if not text(key, "transaction_id"):
            raise Wrong(268485195, "微信支付单号形式则订单号不能为空")
        return text(key, "transaction_id"), "", ""
    if not (text(key, "mchid") and text(key, "out_trade_no")):
        raise Wrong(268485194, "商户侧单号形式则订单号不能为空")
    return "", text(key, "mchid"), text(key, "out_trade_no")


def _check_parcels(body: Json) -> None:
    parcels = children(body, "shipping_list")
    is_courier, is_parted = number(body, "logistics_type") == _COURIER, number(body, "delivery_mode") == 2
    if not is_parted and len(parcels) != 1:
        raise Wrong(268485228, "统一发货模式下，物流信息列表长度必须为1")
    if is_parted and not is_courier:
        raise Wrong(10060006, "非快递发货时不允许分拆发货")
    if is_parted and "is_all_delivered" not in body:
        raise Wrong(10060007, "分拆发货模式下必须填写 is_all_delivered 字段")
    for parcel in parcels:
        if is_courier and not text(parcel, "tracking_no"):
            raise Wrong(268485226, "物流信息中快递单号不能为空")
        if is_courier and not text(parcel, "express_company"):
            raise Wrong(268485227, "物流信息中快递公司编码不能为空")


def _instant(told: str) -> int:
    try:
        return instant_ms(told, "upload_time")
    except Refusal:
        raise Wrong(*UPLOAD_WRONGS["upload_time"]) from None
