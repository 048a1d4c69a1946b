"""Double entry: every posting's entries sum to zero.

Accounts are paths: "tender/cash", "tender/wechat_pay" (what we hold, debit positive),
"sales/{tenant}" (what the tenant has earned, credit negative), "due/{order}" (what an order still owes).
"""

from __future__ import annotations

from dataclasses import dataclass

from edge.errors import Invalid
from edge.retail.order import Order, Tender
from edge.retail.refund import Refund, RefundLeg


@dataclass(frozen=True, slots=True)
class Entry:
    """One side of a posting: debit positive, credit negative."""

    account: str
    amount_fen: int


@dataclass(frozen=True, slots=True)
class Posting:
    """What one event did to the books. reference: the order, tender, refund or leg that caused it."""

    posting_id: str
    kind: str
    reference: str
    posted_at: int
    entries: tuple[Entry, ...]
    workstation: str = ""
    order_id: str = ""

    def __post_init__(self) -> None:
        """Refuse a posting that does not sum to zero."""
        total = sum(entry.amount_fen for entry in self.entries)
        if total != 0 or len(self.entries) < 2:
            raise Invalid(f"posting {self.posting_id} sums to {total} fen over {len(self.entries)} entries")


def post_tender(posting_id: str, order: Order, tender: Tender) -> Posting:
    """Return the posting of money received for an order."""
    entries = (
        Entry(f"tender/{tender.kind}", tender.amount_fen),
        Entry(f"due/{order.order_id}", -tender.amount_fen),
    )
    where = (order.workstation, order.order_id)
    return Posting(posting_id, "tender", tender.tender_id, tender.tendered_at, entries, *where)


def post_sale(posting_id: str, order: Order, at: int) -> Posting:
    """Return the posting of a paid order: what was due becomes its tenants' sales."""
    by_tenant: dict[str, int] = {}
    for line in order.lines:
        by_tenant[line.tenant_id] = by_tenant.get(line.tenant_id, 0) + line.amount_fen
    sales = tuple(Entry(f"sales/{tenant}", -amount) for tenant, amount in sorted(by_tenant.items()))
    entries = (Entry(f"due/{order.order_id}", order.total_fen), *sales)
    return Posting(posting_id, "sale", order.order_id, at, entries, order.workstation, order.order_id)


def post_refund(posting_id: str, order: Order, refund: Refund, at: int) -> Posting:
    """Return the mirror of a sale: what its tenants earned for these lines is due to the shopper."""
    tenants = {line.line_id: line.tenant_id for line in order.lines}
    by_tenant: dict[str, int] = {}
    for line in refund.lines:
        tenant = tenants[line.line_id]
        by_tenant[tenant] = by_tenant.get(tenant, 0) + line.amount_fen
    sales = tuple(Entry(f"sales/{tenant}", amount) for tenant, amount in sorted(by_tenant.items()))
    due = Entry(f"due/{order.order_id}", -refund.amount_fen)
    where = (refund.workstation, order.order_id)
    return Posting(posting_id, "refund", refund.refund_id, at, (*sales, due), *where)


def post_refund_leg(posting_id: str, refund: Refund, leg: RefundLeg, at: int) -> Posting:
    """Return the mirror of a tender: money that left us for the shopper."""
    entries = (
        Entry(f"due/{refund.order_id}", leg.amount_fen),
        Entry(f"tender/{leg.kind}", -leg.amount_fen),
    )
    where = (refund.workstation, refund.order_id)
    return Posting(posting_id, "refund_tender", leg.leg_id, at, entries, *where)
