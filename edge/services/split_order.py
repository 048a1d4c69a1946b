"""Whose number is paid for which part of an order, as the configuration has it at this moment."""

from __future__ import annotations

from edge.retail.order import Order
from edge.retail.split import MerchantShare, OrderPart, combine, split_lines
from edge.services.box import Box
from edge.services.records import Unit

#: A description is seen in the shopper's wallet, and in bills, which are split at commas.
MAX_DESCRIPTION = 40


def parts_of(unit: Unit, box: Box, order: Order, gateway: str = "wechat_pay") -> tuple[OrderPart, ...]:
    """Return the parts in which a phone pays what is due on an order, each with a new number.

    () stands for one payment to the mall's own number: nobody else is to be paid, part of the order was
    covered in another way, or the gateway does not take so many at once.
    """
    prepayer = box.prepayers.get(gateway)
    if prepayer is None or order.tenders:
        return ()
    merchants = {one.tenant_id: one.merchant for one in box.tenants.values() if one.merchant}
    shares = combine(split_lines(order.lines, merchants, order.due_fen), prepayer.part_counts)
    return tuple(
        OrderPart(
            merchant=share.merchant,
            merchant_order_no=box.ids.new_id().replace("-", ""),
            amount_fen=share.amount_fen,
            description=_description(box, share),
            tenants=share.tenants,
            frozen=_shares_commission(box, share, gateway),
        )
        for share in shares
    )


def _shares_commission(box: Box, share: MerchantShare, gateway: str) -> bool:
    """Return whether a tenant's part waits until the mall's commission was shared from it."""
    splitter = box.splitters.get(gateway)
    if splitter is None or not (splitter.for_tenants and splitter.most_permille and share.merchant):
        return False
    return any(box.tenant(tenant).commission_permille for tenant in share.tenants)


def _description(box: Box, share: MerchantShare) -> str:
    shop = box.rules.shop_name or box.origin.site
    names = [box.tenant(tenant).name for tenant in share.tenants] if share.merchant else []
    words = " ".join([shop, *names]).replace(",", " ").replace("`", " ")
    return words[:MAX_DESCRIPTION]
