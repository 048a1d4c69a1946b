"""The bill of one tenant's number, fetched by its service provider or under its own signature."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from edge.gateways.wechat_pay.client import WeChatPayGateway
from edge.retail.bill import BillRow


class TenantBill:
    """Implements BillSource for a tenant: its parts of combined payments stand there."""

    name = "wechat_pay"

    def __init__(self, gateway: WeChatPayGateway, merchant: str) -> None:
        self.merchant = merchant
        self._gateway = gateway

    def trade_bill(self, day: date) -> Iterator[BillRow]:
        """Yield the rows of one day; see the port."""
        return self._gateway.bill_of(self.merchant, day)
