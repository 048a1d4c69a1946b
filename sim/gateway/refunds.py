"""Refunds: asked for, asked about, sent again when abnormal, and told by callback.

GET  /sim/refunds                 the newest; also delay_ms and outcome of those to come
POST /sim/refunds                 {delay_ms?, outcome?: SUCCESS | ABNORMAL | CLOSED}
POST /sim/refunds/{refund_id}     {outcome}: end one that is under way
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from sim.gateway.endpoints import Auth, Call, Endpoint, Room
from sim.gateway.messages import Json, Refusal, Reply, json_reply, parameter_error
from sim.gateway.notices import Notice
from sim.gateway.office import Office
from sim.gateway.orders import Order
from sim.gateway.refund_books import Asked, Outcome, Refund
from sim.gateway.shapes import AMOUNT_FEN, REFUND_NO, URL, Shape, child, children, number, text
from sim.gateway.terms import form_of
from sim.gateway.times import rfc3339

_CURRENCY = Shape(True, pattern="CNY")
_SUB = Shape(pattern=r"\d{8,10}")
_FROM = Shape(
    kind=dict,
    fields={"account": Shape(True, pattern="AVAILABLE|UNAVAILABLE"), "amount": AMOUNT_FEN},
)
_GOODS = Shape(
    kind=dict,
    fields={
        "merchant_goods_id": Shape(True, pattern=r"[0-9A-Za-z_\-]{1,32}"),
        "wechatpay_goods_id": Shape(pattern=r"[\s\S]{1,32}"),
        "goods_name": Shape(),
        "unit_price": Shape(True, int),
        "refund_amount": Shape(True, int),
        "refund_quantity": Shape(True, int, least=1),
    },
)
_ASK = Shape(
    True,
    dict,
    fields={
        "sub_mchid": _SUB,
        "transaction_id": Shape(pattern=r"\d{20,32}"),
        "out_trade_no": Shape(pattern=r"[0-9A-Za-z_\-*|@]{6,32}"),
        "out_refund_no": REFUND_NO,
        "reason": Shape(pattern=r"[\s\S]{1,80}"),
        "notify_url": URL,
        "funds_account": Shape(pattern="AVAILABLE|UNSETTLED"),
        "amount": Shape(
            True,
            dict,
            fields={
                "refund": AMOUNT_FEN,
                "total": AMOUNT_FEN,
                "currency": _CURRENCY,
                "from": Shape(kind=list, least=1, most=10, item=_FROM),
            },
        ),
        "goods_detail": Shape(kind=list, least=1, most=100, item=_GOODS),
    },
)
_RETRY = Shape(
    True,
    dict,
    fields={
        "sub_mchid": _SUB,
        "out_refund_no": REFUND_NO,
        "type": Shape(True, pattern="USER_BANK_CARD|MERCHANT_BANK_CARD"),
        "bank_type": Shape(),
        "bank_account": Shape(pattern=r"[\s\S]{1,1024}"),
        "real_name": Shape(pattern=r"[\s\S]{1,1024}"),
    },
)
_OUTCOME = Shape(pattern="SUCCESS|ABNORMAL|CLOSED")
_TO_COME = Shape(True, dict, fields={"delay_ms": Shape(kind=int, most=30 * 86_400_000), "outcome": _OUTCOME})
_END = Shape(True, dict, fields={"outcome": Shape(True, pattern=_OUTCOME.pattern)})


class _Desk:
    def __init__(self, office: Office) -> None:
        self._office = office
        office.refunds.when_ended(self._tell_ended)

    def ask(self, call: Call) -> Reply:
        """Accept a refund."""
        amount = child(call.body, "amount")
        parts = children(amount, "from")
        if parts and sum(number(part, "amount") for part in parts) != number(amount, "refund"):
            raise parameter_error("/amount/from", "does not sum to refund")
        order = self._order(call)
        asked = Asked(
            refund_no=text(call.body, "out_refund_no"),
            amount_fen=number(amount, "refund"),
            total_fen=number(amount, "total"),
            asked_by=call.mchid,
            notify_url=text(call.body, "notify_url"),
            form=form_of(call.body),
        )
        return json_reply(200, refund_json(self._office.refunds.ask(asked, order), order))

    def query(self, call: Call) -> Reply:
        """Tell about a refund by the merchant's number."""
        refund = self._required(call.mchid, call.path["out_refund_no"])
        order = self._office.orders.by_id(refund.order_id)
        _check_sub(order, call.query.get("sub_mchid", ""))
        return json_reply(200, refund_json(refund, order))

    def retry(self, call: Call) -> Reply:
        """Send an abnormal refund to another account."""
        refund = self._required(call.mchid, text(call.body, "out_refund_no"))
        if refund.refund_id != call.path["refund_id"]:
            raise parameter_error("/out_refund_no", "is not that of the refund_id")
        order = self._office.orders.by_id(refund.order_id)
        _check_sub(order, text(call.body, "sub_mchid"))
        return json_reply(200, refund_json(self._office.refunds.retry(refund), order))

    def show(self, _: Call) -> Reply:
        """List the newest refunds and how those to come will go."""
        refunds = self._office.refunds
        listed = [asdict(one) for one in refunds.newest()]
        return json_reply(200, {"delay_ms": refunds.delay_ms, "outcome": refunds.outcome, "refunds": listed})

    def change(self, call: Call) -> Reply:
        """Say how the refunds to come will go."""
        refunds = self._office.refunds
        if "delay_ms" in call.body:
            refunds.delay_ms = number(call.body, "delay_ms")
        if "outcome" in call.body:
            refunds.outcome = Outcome(text(call.body, "outcome"))
        return self.show(call)

    def end(self, call: Call) -> Reply:
        """End a refund that is under way."""
        ended = self._office.refunds.end(call.path["refund_id"], Outcome(text(call.body, "outcome")))
        return json_reply(200, asdict(ended))

    def _required(self, mchid: str, refund_no: str) -> Refund:
        found = self._office.refunds.known(mchid, refund_no)
        if found is None:
            raise Refusal(404, "RESOURCE_NOT_EXISTS", "退款单不存在")
        return found

    def _order(self, call: Call) -> Order:
        """Return the paid order that the body names, by one number or by both."""
        order_no, transaction_id = text(call.body, "out_trade_no"), text(call.body, "transaction_id")
        if not order_no and not transaction_id:
            raise parameter_error("/transaction_id", "or out_trade_no is missing")
        where = (
            "? IN (mchid, (SELECT combine.mchid FROM combine"
            " WHERE combine.combine_id = pay_order.combine_id))"
        )
        found = self._office.orders.select(
            f"{where} AND ? IN ('', order_no) AND ? IN ('', transaction_id)",
            call.mchid, order_no, transaction_id,
        )  # fmt: skip
        if not found:
            raise Refusal(404, "RESOURCE_NOT_EXISTS", "订单不存在", "268512771")
        order = self._office.orders.by_id(found[-1].order_id)
        _check_sub(order, text(call.body, "sub_mchid"))
        return order

    def _tell_ended(self, refund: Refund, order: Order) -> None:
        told = refund_json(refund, order)
        amount = child(told, "amount")
        resource: Json = _parties(order) | {
            name: told[name]
            for name in (
                "out_trade_no", "transaction_id", "out_refund_no", "refund_id", "user_received_account",
                "success_time",
            )
            if name in told
        }  # fmt: skip
        resource["refund_status"] = refund.status
        resource["amount"] = {
            name: amount[name] for name in ("total", "refund", "payer_total", "payer_refund")
        }
        summary = {"SUCCESS": "退款成功", "ABNORMAL": "退款异常", "CLOSED": "退款关闭"}[refund.status]
        self._office.notices.tell(
            Notice(
                f"REFUND.{refund.status}",
                resource,
                refund.notify_url,
                summary,
                original_type="refund",
                order_no=order.charge.order_no,
            )
        )


def refund_json(refund: Refund, order: Order) -> Json:
    """Return a refund as its call and its query tell it."""
    total = order.charge.amount_fen
    value: Json = {
        "refund_id": refund.refund_id,
        "out_refund_no": refund.refund_no,
        "transaction_id": order.transaction_id,
        "out_trade_no": order.charge.order_no,
        "channel": "ORIGINAL",
        "user_received_account": "支付用户零钱",
        "create_time": rfc3339(refund.made_at),
        "status": refund.status,
        "funds_account": "UNSETTLED" if refund.account.startswith("frozen:") else "AVAILABLE",
        "amount": {
            "total": total,
            "refund": refund.amount_fen,
            "from": [],
            "payer_total": total,
            "payer_refund": refund.amount_fen,
            "settlement_refund": refund.amount_fen,
            "settlement_total": total,
            "discount_refund": 0,
            "currency": "CNY",
            "refund_fee": 0,
        },
        "promotion_detail": [],
    }
    if refund.success_at is not None:
        value["success_time"] = rfc3339(refund.success_at)
    return value


def _parties(order: Order) -> Json:
    charge = order.charge
    if charge.sub_mchid:
        return {"sp_mchid": charge.mchid, "sub_mchid": charge.sub_mchid}
    return {"mchid": charge.mchid}


def _check_sub(order: Order, sub_mchid: str) -> None:
    # A combined order's tenant may be named or not; a service provider has to name it.
    if sub_mchid != order.charge.sub_mchid and not (
        order.combine_id and sub_mchid in ("", order.charge.payee)
    ):
        raise parameter_error("/sub_mchid", "is not the order's", sub_mchid, "268447845")


def _endpoints(office: Office) -> Sequence[Endpoint]:
    desk = _Desk(office)
    base = "/v3/refund/domestic/refunds"
    return (
        Endpoint("refund", "POST", base, desk.ask, _ASK),
        Endpoint("query_refund", "GET", base + "/{out_refund_no}", desk.query, query={"sub_mchid": _SUB}),
        Endpoint("abnormal_refund", "POST", base + "/{refund_id}/apply-abnormal-refund", desk.retry, _RETRY),
        Endpoint("refunds", "GET", "/sim/refunds", desk.show, auth=Auth.TESTER),
        Endpoint("change_refunds", "POST", "/sim/refunds", desk.change, _TO_COME, auth=Auth.TESTER),
        Endpoint("end_refund", "POST", "/sim/refunds/{refund_id}", desk.end, _END, auth=Auth.TESTER),
    )


ROOM = Room("refunds", endpoints=_endpoints, tick=lambda office: office.refunds.tick())
