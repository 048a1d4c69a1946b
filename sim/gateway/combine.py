"""Combined payment (合单): the tickets of several tenants paid together, each to its own, or none."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence

from sim.gateway.books import charge_again
from sim.gateway.endpoints import Call, Endpoint, Room
from sim.gateway.merchants import check_signer
from sim.gateway.messages import Json, Refusal, Reply, json_reply, parameter_error
from sim.gateway.notices import Notice
from sim.gateway.office import Office
from sim.gateway.orders import Charge, Order
from sim.gateway.prepays import Prepay
from sim.gateway.shapes import AMOUNT_FEN, ORDER_NO, TIME, Shape, child, children, number, text
from sim.gateway.terms import close_order, form_of
from sim.gateway.times import instant_ms, rfc3339
from sim.gateway.transactions import NOTIFY_URL, OPENID, SCENE, check_payer

_MCHID = Shape(True, pattern=r"\d{8,10}")
_SUB_MCHID = Shape(pattern=r"\d{8,10}")
_SUB_ORDER = Shape(
    kind=dict,
    fields={
        "mchid": _MCHID,
        "sub_mchid": _SUB_MCHID,
        "sub_appid": Shape(),
        "attach": Shape(True, pattern=r"[\s\S]{1,128}"),
        "amount": Shape(
            True, dict, fields={"total_amount": AMOUNT_FEN, "currency": Shape(True, pattern="CNY")}
        ),
        "out_trade_no": ORDER_NO,
        "description": Shape(True, pattern=r"[\s\S]{1,127}"),
        "detail": Shape(pattern=r"[\s\S]{1,6000}"),
        "goods_tag": Shape(pattern=r"[\s\S]{1,32}"),
        "settle_info": Shape(
            kind=dict, fields={"profit_sharing": Shape(kind=bool), "subsidy_amount": Shape(kind=int)}
        ),
    },
)
_FIELDS = {
    "combine_appid": Shape(True),
    "combine_mchid": _MCHID,
    "combine_out_trade_no": ORDER_NO,
    "scene_info": SCENE,
    "sub_orders": Shape(True, list, least=1, most=50, item=_SUB_ORDER),
    "time_start": TIME,
    "time_expire": TIME,
    "notify_url": NOTIFY_URL,
    "limit_pay": Shape(kind=list, most=3, item=Shape(pattern="no_balance|no_debit|balance_only|no_credit")),
}
_PAYER = Shape(True, dict, fields={"openid": OPENID, "sub_openid": OPENID})
_JSAPI = Shape(True, dict, fields=_FIELDS | {"combine_payer_info": _PAYER})
_NATIVE = Shape(True, dict, fields=_FIELDS | {"combine_payer_info": Shape(kind=dict, fields=_PAYER.fields)})
_CLOSE = Shape(
    True,
    dict,
    fields={
        "combine_appid": Shape(True),
        "sub_orders": Shape(
            True,
            list,
            least=1,
            most=50,
            item=Shape(
                kind=dict,
                fields={
                    "mchid": _MCHID,
                    "out_trade_no": ORDER_NO,
                    "sub_mchid": _SUB_MCHID,
                    "sub_appid": Shape(),
                },
            ),
        ),
    },
)


class _Desk:
    def __init__(self, office: Office) -> None:
        self._office = office
        self._store = office.store
        office.orders.when_paid(self._tell_paid)

    def jsapi(self, call: Call) -> Reply:
        """Order for a mini-program."""
        return json_reply(200, {"prepay_id": self._order(call, "JSAPI").prepay_id})

    def native(self, call: Call) -> Reply:
        """Order for a QR code."""
        return json_reply(200, {"code_url": self._order(call, "NATIVE").code_url})

    def query(self, call: Call) -> Reply:
        """Tell about all orders of a combined payment."""
        return json_reply(200, self._told(self._required(call)))

    def close(self, call: Call) -> Reply:
        """Close all orders of a combined payment, which must be named."""
        with self._store.work():
            row = self._required(call)
            if text(call.body, "combine_appid") != row["appid"]:
                raise parameter_error("/combine_appid", "is not the order's", number="268445527")
            orders = self._office.orders.of_combine(row["combine_id"])
            named = {
                (text(sub, "mchid"), text(sub, "out_trade_no")) for sub in children(call.body, "sub_orders")
            }
            if named != {(order.charge.mchid, order.charge.order_no) for order in orders}:
                raise parameter_error("/sub_orders", "are not all orders of this payment")
            for order in orders:
                close_order(self._office, order)
        return Reply(204)

    def _order(self, call: Call, trade_type: str) -> Prepay:
        body = call.body
        check_signer(text(body, "combine_mchid"), call.mchid, "/combine_mchid")
        self._office.merchants.check_app(call.mchid, text(body, "combine_appid"))
        charges = [self._charge(call, sub, trade_type) for sub in children(body, "sub_orders")]
        _check_count(charges)
        for charge in charges:
            check_payer(self._office, charge)
        with self._store.work():
            row = self._row(call.mchid, text(body, "combine_out_trade_no"))
            orders = self._open(call, charges) if row is None else self._again(row, charges)
            appids = {text(body, "combine_appid"), *(charge.sub_appid for charge in charges)}
            return self._office.prepays.issue(orders[0], call.mchid, " ".join(filter(None, sorted(appids))))

    def _charge(self, call: Call, sub: Json, trade_type: str) -> Charge:
        mchid, sub_mchid = text(sub, "mchid"), text(sub, "sub_mchid")
        if sub_mchid:
            check_signer(mchid, call.mchid, "/sub_orders/mchid")
            self._office.merchants.check_sub(mchid, sub_mchid)
        elif mchid != call.mchid:
            self._office.merchants.check_sub(call.mchid, mchid)
        payer = child(call.body, "combine_payer_info")
        return Charge(
            order_no=text(sub, "out_trade_no"),
            amount_fen=number(child(sub, "amount"), "total_amount"),
            description=text(sub, "description"),
            mchid=mchid,
            appid=text(call.body, "combine_appid"),
            trade_type=trade_type,
            sub_mchid=sub_mchid,
            sub_appid=text(sub, "sub_appid"),
            openid=text(payer, "openid") or text(payer, "sub_openid"),
            device_id=text(child(call.body, "scene_info"), "device_id"),
            attach=text(sub, "attach"),
            goods_tag=text(sub, "goods_tag"),
            expires_at=instant_ms(text(call.body, "time_expire"), "/time_expire"),
            freeze=child(sub, "settle_info").get("profit_sharing") is True,
            form=form_of(call.body),
        )

    def _open(self, call: Call, charges: Sequence[Charge]) -> Sequence[Order]:
        body = call.body
        for charge in charges:
            if self._office.orders.known(charge.mchid, charge.order_no) is not None:
                raise Refusal(400, "OUT_TRADE_NO_USED", f"商户订单号重复: {charge.order_no}")
        combine_id = self._store.run(
            "INSERT INTO combine (mchid, combine_no, appid, notify_url, scene) VALUES (?, ?, ?, ?, ?)",
            call.mchid, text(body, "combine_out_trade_no"), text(body, "combine_appid"),
            text(body, "notify_url"), json.dumps(body.get("scene_info", {})),
        )  # fmt: skip
        return [self._office.orders.open(charge, "NOTPAY", combine_id=combine_id) for charge in charges]

    def _again(self, row: sqlite3.Row, charges: Sequence[Charge]) -> Sequence[Order]:
        orders = self._office.orders.of_combine(row["combine_id"])
        return [charge_again(charges[0], order) for order in orders]

    def _row(self, mchid: str, combine_no: str) -> sqlite3.Row | None:
        return self._store.row("SELECT * FROM combine WHERE mchid = ? AND combine_no = ?", mchid, combine_no)

    def _required(self, call: Call) -> sqlite3.Row:
        row = self._row(call.mchid, call.path["combine_out_trade_no"])
        if row is None:
            raise Refusal(404, "ORDER_NOT_EXIST", "订单不存在", "268512771")
        return row

    def _told(self, row: sqlite3.Row) -> Json:
        orders = self._office.orders.of_combine(row["combine_id"])
        told: Json = {
            "combine_appid": row["appid"],
            "combine_mchid": row["mchid"],
            "combine_out_trade_no": row["combine_no"],
            "sub_orders": [_sub_order_json(order) for order in orders],
        }
        device = json.loads(row["scene"]).get("device_id")
        if device:
            told["scene_info"] = {"device_id": device}
        if orders[0].openid:
            told["combine_payer_info"] = {"openid": orders[0].openid}
        return told

    def _tell_paid(self, order: Order) -> None:
        orders = self._office.orders.of_combine(order.combine_id) if order.combine_id else ()
        if not orders or any(each.state != "SUCCESS" for each in orders):
            return
        row = self._store.row("SELECT * FROM combine WHERE combine_id = ?", order.combine_id)
        assert row is not None
        told = self._told(row)
        self._office.notices.tell(
            Notice("TRANSACTION.SUCCESS", told, row["notify_url"], "支付成功", order_no=row["combine_no"])
        )


def _check_count(charges: Sequence[Charge]) -> None:
    partner = any(charge.sub_mchid for charge in charges)
    least, most = (1, 50) if partner else (2, 10)
    if not least <= len(charges) <= most:
        raise parameter_error("/sub_orders", f"are not {least} to {most}", len(charges), "268435464")
    if len({(charge.mchid, charge.order_no) for charge in charges}) < len(charges):
        raise parameter_error("/sub_orders", "name the same out_trade_no twice")


def _sub_order_json(order: Order) -> Json:
    charge = order.charge
    told: Json = {
        "mchid": charge.mchid,
        "trade_type": charge.trade_type,
        "trade_state": order.state,
        "attach": charge.attach,
        "out_trade_no": charge.order_no,
        "amount": {
            "total_amount": charge.amount_fen,
            "currency": "CNY",
            "payer_amount": charge.amount_fen,
            "payer_currency": "CNY",
        },
    }
    if charge.sub_mchid:
        told["sub_mchid"] = charge.sub_mchid
    if order.paid_at is not None:
        told |= {
            "transaction_id": order.transaction_id,
            "bank_type": "OTHERS",
            "success_time": rfc3339(order.paid_at),
        }
    return told


def _endpoints(office: Office) -> Sequence[Endpoint]:
    desk = _Desk(office)
    base = "/v3/combine-transactions"
    by_number = base + "/out-trade-no/{combine_out_trade_no}"
    return (
        Endpoint("combine_jsapi", "POST", base + "/jsapi", desk.jsapi, _JSAPI),
        Endpoint("combine_native", "POST", base + "/native", desk.native, _NATIVE),
        Endpoint("combine_query", "GET", by_number, desk.query),
        Endpoint("combine_close", "POST", by_number + "/close", desk.close, _CLOSE),
    )


ROOM = Room("combine", endpoints=_endpoints)
