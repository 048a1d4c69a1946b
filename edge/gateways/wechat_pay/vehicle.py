"""Parking paid by plate (支付分停车), behind the port AutopayGateway.

Source: pay.weixin.qq.com, vehicle/parking: create-parking, create-transaction, query-transaction.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote

from edge.errors import Invalid
from edge.gateways.line import Unreadable
from edge.gateways.wechat_pay import answers
from edge.gateways.wechat_pay.channel import Channel, Refused, useless
from edge.gateways.wechat_pay.fields import Fields
from edge.gateways.wechat_pay.prepay import need_notify_url, rfc3339
from edge.services.payment_ports import (
    AutopayCharge,
    AutopayEntry,
    DeclineReason,
    GatewayAnswer,
    ParkedVehicle,
    PaymentDeclined,
    PaymentState,
)

_COLOURS: Mapping[str, str] = {
    "blue": "BLUE",
    "yellow": "YELLOW",
    "green": "GREEN",
    "green_yellow": "LIMEGREEN",
    "white": "WHITE",
    "black": "BLACK",
}
_STATES: Mapping[str, PaymentState] = {
    "ACCEPTED": PaymentState.PENDING,
    "SUCCESS": PaymentState.APPROVED,
    "PAY_FAIL": PaymentState.DECLINED,
    "REFUND": PaymentState.REFUNDED,
}
_ENTRIES = "/v3/vehicle/parking/parkings"
_CHARGES = "/v3/vehicle/transactions/parking"


class VehicleParking:
    """The vehicle service of one merchant; safe for use by several threads."""

    name = "wechat_pay"

    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    def enter(self, vehicle: ParkedVehicle) -> AutopayEntry:
        """Tell that a vehicle came in; see the port."""
        body = {
            **self._merchant(),
            "out_parking_no": vehicle.parking_no,
            "plate_number": vehicle.plate,
            "plate_color": _colour(vehicle),
            "notify_url": need_notify_url(self._channel),
            "start_time": rfc3339(vehicle.entered_at),
            "parking_name": vehicle.place,
            "free_duration": vehicle.free_s,
        }
        call = self._channel.post("parking entry", vehicle.parking_no, _ENTRIES, body)
        fields = self._channel.ask(call)
        try:
            usable = fields.need_text("state", 32) == "NORMAL"
            return AutopayEntry(fields.need_text("id", 64), usable, fields.text("block_reason", 64) or "")
        except Unreadable as unreadable:
            raise useless(call, unreadable) from None

    def charge(self, charge: AutopayCharge) -> GatewayAnswer:
        """Charge the owner of a vehicle; see the port."""
        number, vehicle = answers.check_order_no(charge.merchant_order_no), charge.vehicle
        body: dict[str, object] = {
            **self._merchant(),
            "appid": self._channel.who.appid,
            "description": answers.bill_safe(charge.description),
            "out_trade_no": number,
            "trade_scene": "PARKING",
            "notify_url": need_notify_url(self._channel),
            "profit_sharing": "N",
            "amount": {"total": charge.amount_fen, "currency": "CNY"},
            "parking_info": {
                "parking_id": charge.parking_id,
                "plate_number": vehicle.plate,
                "plate_color": _colour(vehicle),
                "start_time": rfc3339(vehicle.entered_at),
                "end_time": rfc3339(charge.left_at),
                "parking_name": vehicle.place,
                "charging_duration": max(0, charge.left_at - vehicle.entered_at) // 1000,
                "device_id": charge.device,
            },
        }
        if charge.attach:
            body["attach"] = answers.bill_safe(charge.attach, 128)
        call = self._channel.post("parking charge", number, _CHARGES, body)
        try:
            return _answer(self._channel.act(call))
        except Unreadable as unreadable:
            raise useless(call, unreadable) from None
        except Refused as refusal:
            detail = str(refusal.error)
        raise PaymentDeclined(
            f"WeChat Pay refused {number}: {detail}", reason=DeclineReason.ACCOUNT, detail=detail
        )

    def query_charge(self, merchant_order_no: str) -> GatewayAnswer:
        """Return the state of one of our charges; see the port."""
        number = answers.check_order_no(merchant_order_no)
        path = f"/v3/vehicle/transactions/out-trade-no/{quote(number, safe='')}"
        call = self._channel.get("parking query", number, path, self._merchant())
        try:
            return _answer(self._channel.ask(call))
        except Unreadable as unreadable:
            raise useless(call, unreadable) from None
        except Refused as refusal:
            if refusal.error.is_absent:
                return GatewayAnswer(PaymentState.ABSENT, detail=refusal.error.code)
            raise useless(call, Unreadable(str(refusal.error))) from None

    def _merchant(self) -> dict[str, str]:
        sub = self._channel.settings.sub_mchid
        return {"sub_mchid": sub} if sub else {}


def _colour(vehicle: ParkedVehicle) -> str:
    try:
        return _COLOURS[vehicle.colour]
    except KeyError:
        raise Invalid(
            f"{vehicle.plate}: the colour of its plate is not known, nobody can be charged"
        ) from None


def _answer(fields: Fields) -> GatewayAnswer:
    word = fields.need_text("trade_state", 32)
    state = _STATES.get(word)
    if state is None:
        raise Unreadable(f"its trade_state {word} is unknown to this version")
    return GatewayAnswer(
        state=state,
        transaction_id=fields.text("transaction_id", 64),
        amount_fen=fields.within("amount").need_fen("total"),
        payer=fields.within("payer").text("openid"),
        paid_at=fields.instant("success_time"),
        detail=word,
    )
