"""A mini-program's server side behind the port MiniProgram.

Source: developers.weixin.qq.com, code2Session, getPhoneNumber, uploadShippingInfo (发货信息管理: 1006xxxx),
subscribeMessage.send.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

from edge.errors import Declined, OutcomeUnknown, Unavailable
from edge.gateways.wechat_pay.weixin_api import Logistics, Shipping, WeixinApi, WeixinRefused
from edge.services.phone_ports import LoginRefused, NoticeRefused, ShopperLogin

#: Refusals that end when our own set-up is put right: a wrong token or secret, a missing right; and those
#: that end by themselves: the order is not known there yet, or the interface had an error of its own.
_SET_UP = frozenset({40001, 40013, 40014, 40125, 40164, 41002, 41004, 42001, 48001, 50002})
_LATER = frozenset({10060001, 10060012, 10060019}) | _SET_UP

Found = TypeVar("Found")


class WeixinMiniProgram:
    """Implements MiniProgram."""

    name = "weixin"

    def __init__(self, api: WeixinApi) -> None:
        self._api = api

    def log_in(self, code: str) -> ShopperLogin:
        """Return who a code of wx.login stands for; see the port."""
        try:
            session = _known(lambda: self._api.session(code))
        except WeixinRefused as refusal:
            _check_set_up(refusal, _SET_UP)
            raise LoginRefused(str(refusal)) from None
        return ShopperLogin(session.openid, session.unionid or "")

    def phone_number(self, code: str) -> str:
        """Return the number behind a code of getPhoneNumber; see the port."""
        try:
            return _known(lambda: self._api.phone_number(code)).number
        except WeixinRefused as refusal:
            _check_set_up(refusal, _SET_UP)
            raise Declined(str(refusal)) from None

    def tell_hand_over(
        self, transaction_id: str, openid: str, description: str, at: int, *, carried: bool = True
    ) -> None:
        """Tell that what a payment bought was handed over; see the port."""
        logistics = Logistics.PICK_UP if carried else Logistics.VIRTUAL
        shipping = Shipping(transaction_id, openid, description, at, logistics)
        _told(lambda: self._api.upload_shipping(shipping))

    def send_message(self, openid: str, template_id: str, page: str, fields: Mapping[str, str]) -> None:
        """Send a subscribe message; see the port."""
        _told(lambda: self._api.send_message(openid, template_id, page, fields))

    def check(self) -> None:
        """Return when appid and AppSecret fit; raise Declined or Unavailable."""
        _known(self._api.check)

    def close(self) -> None:
        """Close all connections."""
        self._api.close()


def _known(ask: Callable[[], Found]) -> Found:
    """Return an answer; a code whose answer was lost is used up, so nothing is left in doubt."""
    try:
        return ask()
    except OutcomeUnknown as doubt:
        raise Unavailable(str(doubt)) from doubt


def _told(tell: Callable[[], None]) -> None:
    try:
        _known(tell)
    except WeixinRefused as refusal:
        _check_set_up(refusal, _LATER)
        raise NoticeRefused(str(refusal), detail=str(refusal.errcode)) from None


def _check_set_up(refusal: WeixinRefused, passing: frozenset[int]) -> None:
    if refusal.errcode in passing:
        raise Unavailable(f"{refusal}; check [mini_program] if it goes on") from refusal
