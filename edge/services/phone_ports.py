"""What the use cases need from the mini-program's own server side, as a protocol; see ports."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from edge.errors import Declined


@dataclass(frozen=True, slots=True)
class ShopperLogin:
    """Who logged in. unionid: the same person across the owner's programs, "" where it is not bound."""

    openid: str
    unionid: str = ""


class LoginRefused(Declined):
    """A log-in code is no good any more: it was used, it ended, or it is another program's. Log in again."""


class NoticeRefused(Declined):
    """WeChat will never take this notice: its shopper said no, or it is not of this program.

    detail: WeChat's own number, for the record.
    """

    def __init__(self, message: str, *, detail: str) -> None:
        super().__init__(message)
        self.detail = detail


class MiniProgram(Protocol):
    """One mini-program (小程序). Every call ends within its own time-out (13 s at most)."""

    name: str

    def log_in(self, code: str) -> ShopperLogin:
        """Return who a code of wx.login stands for; it works once, within five minutes.

        Raises LoginRefused (have the phone log in again), Unavailable (as well: the code may be used up) or
        Invalid for what is no code.
        """

    def phone_number(self, code: str) -> str:
        """Return the number (digits) behind a code of getPhoneNumber; it works once and costs money.

        Raises Declined (none to be had), Unavailable or Invalid. Nothing may wait for it.
        """

    def tell_hand_over(
        self, transaction_id: str, openid: str, description: str, at: int, *, carried: bool = True
    ) -> None:
        """Tell that what a payment bought was handed over (发货信息管理); the same again does no harm.

        Until then the money of a mini-program's order stays frozen. at: Unix milliseconds. carried: goods
        that the shopper took (自提), False for what nobody carries, such as parking. Raises NoticeRefused
        (never), Unavailable (tell it again).
        """

    def send_message(self, openid: str, template_id: str, page: str, fields: Mapping[str, str]) -> None:
        """Send a subscribe message (订阅消息) to a shopper who has accepted one.

        Raises NoticeRefused (never), Unavailable (send it again; it may then come twice).
        """

    def close(self) -> None:
        """Close all connections."""
