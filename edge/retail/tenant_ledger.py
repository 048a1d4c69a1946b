"""The books between the mall and its tenants; every posting sums to zero.

"sales/{tenant}" is what the tenant has earned (see edge.retail.ledger). Of it "commission/{tenant}" is the
mall's (against "income/commission"), and "reached/{tenant}" has reached the tenant's own number (against
"passed/{gateway}"). The mall still owes a tenant -(sales + commission + reached); below zero the tenant owes
the mall.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from edge.retail.ledger import Entry, Posting


@dataclass(frozen=True, slots=True)
class TenantSums:
    """What a tenant's accounts moved by in some time; all positive but owed_fen, which may be either.

    sold_fen, returned_fen: sales and what refunds took back. commission_fen: the mall's. reached_fen: what
    came to the tenant's own number. owed_fen: what the mall owes for that time.
    """

    tenant_id: str
    sold_fen: int = 0
    returned_fen: int = 0
    commission_fen: int = 0
    reached_fen: int = 0

    @property
    def owed_fen(self) -> int:
        """What the mall owes; below zero the tenant owes it."""
        return self.sold_fen - self.returned_fen - self.commission_fen - self.reached_fen


def post_commission(
    posting_id: str, kind: str, reference: str, amounts: Mapping[str, int], at: int, order_id: str
) -> Posting | None:
    """Return the posting of commission by tenant, below zero where it goes back; None when nothing moves."""
    entries = [Entry(f"commission/{tenant}", fen) for tenant, fen in sorted(amounts.items()) if fen]
    total = sum(entry.amount_fen for entry in entries)
    if not entries:
        return None
    entries.append(Entry("income/commission", -total))
    return Posting(posting_id, kind, reference, at, tuple(entries), order_id=order_id)


def post_reached(
    posting_id: str,
    kind: str,
    reference: str,
    gateway: str,
    amounts: Mapping[str, int],
    at: int,
    order_id: str,
) -> Posting | None:
    """Return the posting of money that reached tenants' own numbers, below zero where it left them."""
    entries = [Entry(f"reached/{tenant}", fen) for tenant, fen in sorted(amounts.items()) if fen]
    total = sum(entry.amount_fen for entry in entries)
    if not entries:
        return None
    entries.append(Entry(f"passed/{gateway}", -total))
    return Posting(posting_id, kind, reference, at, tuple(entries), order_id=order_id)


def tenant_sums(moved: Mapping[tuple[str, str], int]) -> tuple[TenantSums, ...]:
    """Return each tenant's sums. moved: by (kind of posting, account), the sum of its entries."""
    found: dict[str, dict[str, int]] = {}
    for (kind, account), fen in moved.items():
        what, _, tenant = account.partition("/")
        field = _FIELDS.get((what, kind)) or _FIELDS.get((what, ""))
        if field is None:
            continue
        sums = found.setdefault(tenant, {})
        sums[field] = sums.get(field, 0) + (-fen if field == "sold_fen" else fen)
    return tuple(TenantSums(tenant, **sums) for tenant, sums in sorted(found.items()))


_FIELDS = {
    ("sales", "sale"): "sold_fen",
    ("sales", "refund"): "returned_fen",
    ("commission", ""): "commission_fen",
    ("reached", ""): "reached_fen",
}
