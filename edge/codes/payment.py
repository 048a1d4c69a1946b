"""Payment codes (付款码): the numbers that a shopper's wallet shows for about a minute.

Such a code is a bearer secret: it is never logged or stored, and shown by its last four digits at most.
Source: WeChat Pay code payment, Alipay trade.pay (auth_code), UnionPay QR C2B; see docs/protocols/codes.md.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum


class Wallet(StrEnum):
    """Who issued a payment code."""

    WECHAT = "wechat"
    ALIPAY = "alipay"
    UNIONPAY = "unionpay"


@dataclass(frozen=True, slots=True)
class PaymentCode:
    """A payment code and whose it is; its repr hides the code."""

    wallet: Wallet
    code: str

    @property
    def masked(self) -> str:
        """The only form that may be shown, stored or logged: two dots and the last four digits."""
        return mask(self.code)

    def __repr__(self) -> str:
        """Hide the code, so that no log or traceback can show it."""
        return f"PaymentCode({self.wallet.value}, {self.masked})"


#: What each wallet's codes look like, in words for `explain`.
WALLET_SHAPES = {
    Wallet.WECHAT: "18 digits that begin with 10 to 15",
    Wallet.ALIPAY: "16 to 24 digits that begin with 25 to 30",
    Wallet.UNIONPAY: "19 digits that begin with 62",
}

#: How codes begin that take money *from* whoever scans them, which shoppers show by mistake.
_COLLECT_CODES = (
    ("wxp://", "a WeChat receive-money code (收款码)"),
    ("https://wx.tenpay.com/", "a WeChat receive-money code (收款码)"),
    ("https://qr.alipay.com/", "an Alipay receive-money code (收款码)"),
    ("https://qr.95516.com/", "a UnionPay merchant code"),
    ("https://u.wechat.com/", "a WeChat friend code (名片码)"),
    ("weixin://", "a WeChat address for the phone to open"),
    ("alipays://", "an Alipay address for the phone to open"),
)

_SHAPE = re.compile(r"(1[0-5]\d{16})|((?:2[5-9]|30)\d{14,22})|(62\d{17})", re.ASCII)
_PART = re.compile(r"(?:1[0-5]|2[5-9]|30|62)\d{14,}", re.ASCII)
_WALLETS = (Wallet.WECHAT, Wallet.ALIPAY, Wallet.UNIONPAY)


def parse_payment_code(text: str) -> PaymentCode | None:
    """Return the payment code that `text` has the shape of, or None; payment codes have no check digit."""
    match = _SHAPE.fullmatch(text)
    if match is None or match.lastindex is None:
        return None
    return PaymentCode(_WALLETS[match.lastindex - 1], text)


def may_hold_payment_code(text: str) -> bool:
    """Return whether `text` could be a payment code cut short or two read as one, so should be masked."""
    return _PART.fullmatch(text) is not None


def not_a_payment_code(text: str) -> str | None:
    """Return what a wallet's address is that shoppers show in place of the payment code, or None."""
    lowered = text[:64].lower()
    for beginning, what in _COLLECT_CODES:
        if lowered.startswith(beginning):
            return f"{what}, not a payment code: ask the shopper to open 收付款 / 付钱"
    return None


def mask(code: str) -> str:
    """Return the masked form of a secret number: ".." and the last four characters."""
    return f"..{code[-4:]}"
