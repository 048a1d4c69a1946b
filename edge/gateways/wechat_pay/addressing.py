"""As whom we speak to the gateway: a direct merchant, or a service provider for a sub-merchant. Pure.

Source: pay.weixin.qq.com, merchant and partner (服务商) API lists: the partner variants have a path of
their own, and sp_/sub_ pairs where the direct ones have appid and mchid.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote, urlencode


@dataclass(frozen=True, slots=True)
class Addressing:
    """Who pays whom. sub_mchid "": direct merchant. sub_appid: the sub-merchant's own mini-program, or ""."""

    appid: str
    mchid: str
    sub_mchid: str = ""
    sub_appid: str = ""

    @property
    def is_partner(self) -> bool:
        """Whether we are a service provider."""
        return bool(self.sub_mchid)

    @property
    def transactions(self) -> str:
        """The path that calls about payments begin with."""
        return "/v3/pay/partner/transactions" if self.is_partner else "/v3/pay/transactions"

    @property
    def payer_appid(self) -> str:
        """The mini-program that invokes the payment, and that openids belong to."""
        return self.sub_appid or self.appid

    def identity(self) -> dict[str, str]:
        """Return the fields that say who is paid, for a body."""
        if not self.is_partner:
            return {"appid": self.appid, "mchid": self.mchid}
        own = {"sub_appid": self.sub_appid} if self.sub_appid else {}
        return {"sp_appid": self.appid, "sp_mchid": self.mchid, **own, "sub_mchid": self.sub_mchid}

    def merchants(self) -> dict[str, str]:
        """Return the merchant numbers alone, for queries, closing, and what an answer must repeat."""
        if not self.is_partner:
            return {"mchid": self.mchid}
        return {"sp_mchid": self.mchid, "sub_mchid": self.sub_mchid}

    def payer(self, openid: str) -> dict[str, str]:
        """Return the payer's fields for a body."""
        if not self.is_partner:
            return {"openid": openid}
        return {"sub_openid" if self.sub_appid else "sp_openid": openid}

    def sub_merchant(self) -> dict[str, str]:
        """Return the field that names the sub-merchant where the path does not tell, {} for direct ones."""
        return {"sub_mchid": self.sub_mchid} if self.is_partner else {}

    def order_target(self, order_no: str, action: str = "") -> str:
        """Return path and query about one of our orders; `action` "close" or "reverse" go without query."""
        path = f"{self.transactions}/out-trade-no/{quote(order_no, safe='*')}"
        return f"{path}/{action}" if action else f"{path}?{urlencode(self.merchants())}"
