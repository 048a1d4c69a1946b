"""Double entry: every posting's entries sum to zero.

Accounts are paths: "tender/cash", "tender/wechat_pay" (what we hold, debit positive),
"sales/{tenant}" (what the tenant has earned, credit negative), "due/{order}" (what an order still owes).
"""

from __future__ import annotations

from dataclasses import dataclass

from edge.errors import Invalid
from edge.retail.order import Order, Tender


@dataclass(frozen=True, slots=True)
class Entry:
    """One side of a posting: debit positive, credit negative."""

    account: str
    amount_fen: int


@dataclass(frozen=True, slots=True)
class Posting:
    """What one event did to the books. reference: the order or tender that caused it."""

    posting_id: str
    kind: str
    reference: str
    posted_at: int
    entries: tuple[Entry, ...]

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
    return Posting(posting_id, "tender", tender.tender_id, tender.tendered_at, entries)


def post_sale(posting_id: str, order: Order, at: int) -> Posting:
    """Return the posting of a paid order: what was due becomes its tenants' sales."""
    by_tenant: dict[str, int] = {}
    for line in order.lines:
        by_tenant[line.tenant_id] = by_tenant.get(line.tenant_id, 0) + line.amount_fen
    sales = tuple(Entry(f"sales/{tenant}", -amount) for tenant, amount in sorted(by_tenant.items()))
    return Posting(
        posting_id, "sale", order.order_id, at, (Entry(f"due/{order.order_id}", order.total_fen), *sales)
    )
