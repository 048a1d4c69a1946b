"""Payment by the code on a phone (付款码): charge and reverse, for direct merchants and service providers."""

from __future__ import annotations

from collections.abc import Sequence

from sim.gateway.endpoints import Call, Endpoint, Room
from sim.gateway.messages import Refusal, Reply, json_reply
from sim.gateway.office import Office
from sim.gateway.shapes import AMOUNT_FEN, CURRENCY, ORDER_NO, Shape, child, text
from sim.gateway.terms import DIRECT, PARTNER, charge_of, parties_of, transaction_json

_STORE = Shape(True, dict, fields={"id": Shape(), "out_id": Shape()})
GOODS = Shape(
    kind=dict,
    fields={
        "cost_price": Shape(kind=int),
        "invoice_id": Shape(pattern=r"[\s\S]{1,32}"),
        "goods_detail": Shape(
            kind=list,
            least=1,
            most=6000,
            item=Shape(
                kind=dict,
                fields={
                    "merchant_goods_id": Shape(True, pattern=r"[0-9A-Za-z_\-]{1,32}"),
                    "wechatpay_goods_id": Shape(pattern=r"[\s\S]{1,32}"),
                    "goods_name": Shape(),
                    "quantity": Shape(True, int, least=1),
                    "unit_price": Shape(True, int),
                },
            ),
        ),
    },
)
_FIELDS = {
    "description": Shape(True, pattern=r"[\s\S]{1,127}"),
    "out_trade_no": ORDER_NO,
    "payer": Shape(True, dict, fields={"auth_code": Shape(True, pattern=r"\d{18}")}),
    "amount": Shape(True, dict, fields={"total": AMOUNT_FEN, "currency": CURRENCY}),
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
    "detail": GOODS,
    "settle_info": Shape(kind=dict, fields={"profit_sharing": Shape(kind=bool)}),
}


def _endpoints(office: Office) -> Sequence[Endpoint]:
    def codepay(call: Call) -> Reply:
        parties = parties_of(call, office)
        code = text(child(call.body, "payer"), "auth_code")
        order = office.books.charge(charge_of(call, parties, "MICROPAY"), code)
        if order.state == "USERPAYING" and office.settings.pending_as_error:
            raise Refusal(400, "USERPAYING", "需要用户输入支付密码")
        return json_reply(200, transaction_json(order))

    def reverse(call: Call) -> Reply:
        parties = parties_of(call, office)
        order_no = call.path["out_trade_no"]
        office.books.reverse(order_no, parties.mchid)
        return json_reply(200, {**call.body, "out_trade_no": order_no})

    charge_path, order_path = (
        "{}/transactions/codepay",
        "{}/transactions/out-trade-no/{{out_trade_no}}/reverse",
    )
    direct, partner = "/v3/pay", "/v3/pay/partner"
    return (
        Endpoint(
            "codepay",
            "POST",
            charge_path.format(direct),
            codepay,
            Shape(True, dict, fields={**DIRECT, **_FIELDS}),
        ),
        Endpoint(
            "partner_codepay",
            "POST",
            charge_path.format(partner),
            codepay,
            Shape(True, dict, fields={**PARTNER, **_FIELDS}),
        ),
        Endpoint("reverse", "POST", order_path.format(direct), reverse, Shape(True, dict, fields=DIRECT)),
        Endpoint(
            "partner_reverse", "POST", order_path.format(partner), reverse, Shape(True, dict, fields=PARTNER)
        ),
    )


ROOM = Room("codepay", endpoints=_endpoints)
