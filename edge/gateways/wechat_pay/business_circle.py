"""The mall as a WeChat business circle (智慧商圈): points for payments at its tenants, parking presence.

Source: pay.weixin.qq.com, smart-business-circle: points/notify, user-authorizations, commit_status, parkings,
and its callbacks MALL_AUTH.ACTIVATE_CARD, MALL_TRANSACTION.SUCCESS, MALL_REFUND.SUCCESS.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import quote

from edge.errors import Invalid
from edge.gateways.line import Unreadable
from edge.gateways.wechat_pay.answers import Json, bill_safe
from edge.gateways.wechat_pay.channel import Channel, useless
from edge.gateways.wechat_pay.fields import Fields
from edge.gateways.wechat_pay.prepay import rfc3339

_PATH = "/v3/businesscircle"
_MAX_REMARK_BYTES = 128
_MAX_POINTS = 1 << 40


class AuthorizeState(StrEnum):
    """Whether a shopper lets the mall see payments at its tenants."""

    UNAUTHORIZED = "UNAUTHORIZED"
    AUTHORIZED = "AUTHORIZED"
    DEAUTHORIZED = "DEAUTHORIZED"


@dataclass(frozen=True, slots=True)
class PointsNotice:
    """What a payment earned. points 0 with earned False is said too, with the reason in remark.

    updated_at: Unix milliseconds. total_points: the member's balance afterwards, None to keep it quiet.
    """

    transaction_id: str
    openid: str
    earned: bool
    points: int
    updated_at: int
    remark: str = ""
    total_points: int | None = None


@dataclass(frozen=True, slots=True)
class Authorization:
    """A shopper's consent; instants are Unix milliseconds."""

    state: AuthorizeState
    authorized_at: int | None
    deauthorized_at: int | None


@dataclass(frozen=True, slots=True)
class ParkingPresence:
    """A member's car came or went; while it is here, payments earn points by themselves."""

    brand_id: int
    openid: str
    plate: str
    is_in: bool
    at: int


@dataclass(frozen=True, slots=True)
class MallPayment:
    """A payment at one of the mall's tenants, told by callback (MALL_TRANSACTION.SUCCESS)."""

    merchant: str
    merchant_name: str
    shop_name: str
    shop_number: str
    appid: str
    openid: str
    paid_at: int | None
    amount_fen: int
    transaction_id: str
    is_by_hand: bool


@dataclass(frozen=True, slots=True)
class MallRefund:
    """A refund of such a payment (MALL_REFUND.SUCCESS), told for 30 days if its points were notified."""

    merchant: str
    openid: str
    refunded_at: int | None
    paid_fen: int
    refunded_fen: int
    transaction_id: str
    refund_id: str


class BusinessCircle:
    """Tells WeChat what its shoppers earned at the mall, and where their cars are."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    def notify_points(self, notice: PointsNotice) -> None:
        """Tell what a payment earned; the same again is taken as the same.

        Raises Invalid before sending, Refused, Unavailable or OutcomeUnknown (send the same again).
        """
        if not 0 <= notice.points <= _MAX_POINTS:
            raise Invalid(f"points of {notice.transaction_id}: {notice.points} cannot be told")
        value: dict[str, object] = {
            **self._channel.who.sub_merchant(),
            "transaction_id": notice.transaction_id,
            "appid": self._channel.who.payer_appid,
            "openid": notice.openid,
            "earn_points": notice.earned,
            "increased_points": notice.points,
            "points_update_time": rfc3339(notice.updated_at),
        }
        if notice.remark:
            value["no_points_remarks"] = bill_safe(notice.remark, _MAX_REMARK_BYTES)
        if notice.total_points is not None:
            value["total_points"] = notice.total_points
        self._channel.act(
            self._channel.post("points", notice.transaction_id, f"{_PATH}/points/notify", value)
        )

    def authorization(self, openid: str) -> Authorization:
        """Return a shopper's consent; raises Refused, Unavailable."""
        path = f"{_PATH}/user-authorizations/{quote(openid, safe='')}"
        query = {"appid": self._channel.who.payer_appid} | self._channel.who.sub_merchant()
        call = self._channel.get("authorization", "-", path, query)
        try:
            fields = self._channel.ask(call)
            return Authorization(
                state=AuthorizeState(fields.need_text("authorize_state", 32)),
                authorized_at=fields.instant("authorize_time"),
                deauthorized_at=fields.instant("deauthorize_time"),
            )
        except (Unreadable, ValueError) as error:
            raise useless(call, Unreadable(str(error))) from None

    def commit_status(self, openid: str, brand_id: int) -> str:
        """Return the gateway's word on whether today's payments still wait for points.

        Raises Refused, Unavailable.
        """
        path = f"{_PATH}/users/{quote(openid, safe='')}/points/commit_status"
        query = {"brandid": str(brand_id), "appid": self._channel.who.payer_appid}
        call = self._channel.get("commit status", "-", path, query | self._channel.who.sub_merchant())
        try:
            return self._channel.ask(call).need_text("points_commit_status", 64)
        except Unreadable as unreadable:
            raise useless(call, unreadable) from None

    def report_parking(self, presence: ParkingPresence) -> None:
        """Tell that a member's car came or went; the same again does no harm. Raises Refused, Unavailable."""
        value: dict[str, object] = {
            **self._channel.who.sub_merchant(),
            "brandid": presence.brand_id,
            "appid": self._channel.who.payer_appid,
            "openid": presence.openid,
            "plate_number": presence.plate,
            "state": "IN" if presence.is_in else "OUT",
            "time": rfc3339(presence.at),
        }
        self._channel.ask(self._channel.post("parking presence", "-", f"{_PATH}/parkings", value))


def read_mall_payment(content: Json) -> MallPayment:
    """Return what a MALL_TRANSACTION.SUCCESS callback tells; raise Unreadable. Pure."""
    fields = Fields(content)
    return MallPayment(
        merchant=fields.need_text("mchid", 32),
        merchant_name=fields.text("merchant_name") or "",
        shop_name=fields.text("shop_name") or "",
        shop_number=fields.text("shop_number") or "",
        appid=fields.need_text("appid", 64),
        openid=fields.need_text("openid", 128),
        paid_at=fields.instant("time_end"),
        amount_fen=fields.need_fen("amount"),
        transaction_id=fields.need_text("transaction_id", 64),
        is_by_hand=fields.has("commit_tag"),
    )


def read_mall_refund(content: Json) -> MallRefund:
    """Return what a MALL_REFUND.SUCCESS callback tells; raise Unreadable. Pure."""
    fields = Fields(content)
    return MallRefund(
        merchant=fields.need_text("mchid", 32),
        openid=fields.need_text("openid", 128),
        refunded_at=fields.instant("refund_time"),
        paid_fen=fields.need_fen("pay_amount"),
        refunded_fen=fields.need_fen("refund_amount"),
        transaction_id=fields.need_text("transaction_id", 64),
        refund_id=fields.need_text("refund_id", 64),
    )
