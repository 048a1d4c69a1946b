"""Orders by mini-program (JSAPI) and by QR code (Native), and the questions about any order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sim.gateway.books import charge_again
from sim.gateway.codepay import GOODS
from sim.gateway.endpoints import Call, Endpoint, Room
from sim.gateway.messages import Refusal, Reply, json_reply, parameter_error
from sim.gateway.notices import Notice
from sim.gateway.office import Office
from sim.gateway.orders import Charge, Order
from sim.gateway.prepays import Prepay
from sim.gateway.shapes import AMOUNT_FEN, CURRENCY, ORDER_NO, TIME, URL, Shape
from sim.gateway.terms import (
    DIRECT,
    DIRECT_QUERY,
    PARTNER,
    PARTNER_QUERY,
    charge_of,
    close_order,
    parties_of,
    transaction_json,
)

NOTIFY_URL = Shape(True, pattern=URL.pattern)
SCENE = Shape(
    kind=dict,
    fields={
        "payer_client_ip": Shape(True, pattern=r"[0-9a-fA-F.:]{2,45}"),
        "device_id": Shape(pattern=r"[\s\S]{1,32}"),
        "store_info": Shape(
            kind=dict,
            fields={
                "id": Shape(True, pattern=r"[\s\S]{1,32}"),
                "name": Shape(),
                "area_code": Shape(),
                "address": Shape(pattern=r"[\s\S]{1,512}"),
            },
        ),
    },
)
_FIELDS: Mapping[str, Shape] = {
    "description": Shape(True, pattern=r"[\s\S]{1,127}"),
    "out_trade_no": ORDER_NO,
    "time_expire": TIME,
    "attach": Shape(pattern=r"[\s\S]{1,128}"),
    "notify_url": NOTIFY_URL,
    "goods_tag": Shape(pattern=r"[\s\S]{1,32}"),
    "limit_pay": Shape(kind=list, most=3, item=Shape(pattern="no_balance|no_debit|balance_only|no_credit")),
    "support_fapiao": Shape(kind=bool),
    "amount": Shape(True, dict, fields={"total": AMOUNT_FEN, "currency": CURRENCY}),
    "detail": GOODS,
    "scene_info": SCENE,
    "settle_info": Shape(kind=dict, fields={"profit_sharing": Shape(kind=bool)}),
}
OPENID = Shape(pattern=r"[0-9A-Za-z_\-]{1,128}")
_PAYER = {"payer": Shape(True, dict, fields={"openid": Shape(True, pattern=OPENID.pattern)})}
_PARTNER_PAYER = {"payer": Shape(True, dict, fields={"sp_openid": OPENID, "sub_openid": OPENID})}


class _Desk:
    def __init__(self, office: Office) -> None:
        self._office = office
        office.orders.when_paid(self._tell_paid)

    def jsapi(self, call: Call) -> Reply:
        """Order for a mini-program."""
        return json_reply(200, {"prepay_id": self._order(call, "JSAPI").prepay_id})

    def native(self, call: Call) -> Reply:
        """Order for a QR code."""
        return json_reply(200, {"code_url": self._order(call, "NATIVE").code_url})

    def query(self, call: Call) -> Reply:
        """Tell about an order by its own number."""
        parties = parties_of(call, self._office)
        order = self._office.orders.find(call.path["out_trade_no"], parties.mchid)
        return json_reply(200, transaction_json(_theirs(order, parties.sub_mchid)))

    def query_by_id(self, call: Call) -> Reply:
        """Tell about an order by the gateway's number."""
        parties = parties_of(call, self._office)
        order = self._office.orders.by_transaction(call.path["transaction_id"])
        if order.charge.mchid != parties.mchid:
            raise parameter_error("mchid", "is not the order's", parties.mchid, "268447843")
        return json_reply(200, transaction_json(_theirs(order, parties.sub_mchid)))

    def close(self, call: Call) -> Reply:
        """Close an order that nobody has paid."""
        parties = parties_of(call, self._office)
        with self._office.store.work():
            order = self._office.orders.find(call.path["out_trade_no"], parties.mchid)
            if order.combine_id:
                raise Refusal(400, "INVALID_REQUEST", "合单支付订单请使用合单关闭订单接口")
            close_order(self._office, _theirs(order, parties.sub_mchid))
        return Reply(204)

    def _order(self, call: Call, trade_type: str) -> Prepay:
        parties = parties_of(call, self._office)
        charge = charge_of(call, parties, trade_type)
        check_payer(self._office, charge)
        with self._office.store.work():
            known = self._office.orders.known(parties.mchid, charge.order_no)
            order = (
                self._office.orders.open(charge, "NOTPAY") if known is None else charge_again(charge, known)
            )
            appids = " ".join(filter(None, (parties.appid, parties.sub_appid)))
            return self._office.prepays.issue(order, parties.mchid, appids)

    def _tell_paid(self, order: Order) -> None:
        charge = order.charge
        if order.combine_id or not charge.notify_url:
            return
        paid = transaction_json(order)
        self._office.notices.tell(
            Notice("TRANSACTION.SUCCESS", paid, charge.notify_url, "支付成功", order_no=charge.order_no)
        )


def check_payer(office: Office, charge: Charge) -> None:
    """Return when the payer and the time of an order can be; raise Refusal 400 PARAM_ERROR."""
    if charge.trade_type == "JSAPI":
        if not charge.openid:
            raise parameter_error("/payer/openid", "is missing", "", "268501013")
        if office.wallets.by_openid(charge.openid) is None:
            raise parameter_error("/payer/openid", "无效的openid", charge.openid, "268501013")
    if charge.expires_at and charge.expires_at <= office.now_ms():
        raise parameter_error("/time_expire", "is over", charge.expires_at, "268435464")


def _theirs(order: Order, sub_mchid: str) -> Order:
    if order.charge.sub_mchid != sub_mchid:
        raise Refusal(404, "ORDER_NOT_EXIST", "订单不存在", "268512771")
    return order


def _body(parties: Mapping[str, Shape], *more: Mapping[str, Shape]) -> Shape:
    fields = dict(parties)
    for each in more:
        fields |= each
    return Shape(True, dict, fields=fields)


def _endpoints(office: Office) -> Sequence[Endpoint]:
    desk = _Desk(office)
    found: list[Endpoint] = []
    for prefix, base, parties, payer, query in (
        ("", "/v3/pay/transactions", DIRECT, _PAYER, DIRECT_QUERY),
        ("partner_", "/v3/pay/partner/transactions", PARTNER, _PARTNER_PAYER, PARTNER_QUERY),
    ):
        by_number = base + "/out-trade-no/{out_trade_no}"
        closing = Shape(
            True, dict, fields={name: Shape(True, pattern=each.pattern) for name, each in query.items()}
        )
        found += (
            Endpoint(prefix + "jsapi", "POST", base + "/jsapi", desk.jsapi, _body(parties, _FIELDS, payer)),
            Endpoint(prefix + "native", "POST", base + "/native", desk.native, _body(parties, _FIELDS)),
            Endpoint(prefix + "query", "GET", by_number, desk.query, query=query),
            Endpoint(
                prefix + "query_by_id", "GET", base + "/id/{transaction_id}", desk.query_by_id, query=query
            ),
            Endpoint(prefix + "close", "POST", by_number + "/close", desk.close, closing),
        )
    return found


ROOM = Room("transactions", endpoints=_endpoints)
