"""One order, several stores: which merchant number is paid for which lines, to the fen.

A tenant without a number of its own, and parking, are paid to the mall's number, written "". The parts of
a payment sum to it exactly, and a refund takes back from each part what its tenants' lines gave.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from edge.errors import Invalid
from edge.money import allocate
from edge.retail.basket import LineItem


@dataclass(frozen=True, slots=True)
class OrderPart:
    """One merchant's part of a payment.

    merchant: the number that is paid, "" for the mall's own. merchant_order_no: this part's own, unique for
    life. tenants: whose lines it pays. transaction_id: the gateway's own, once it is paid. frozen: it
    waits at the gateway until it is shared.
    """

    merchant: str
    merchant_order_no: str
    amount_fen: int
    description: str
    tenants: tuple[str, ...] = ()
    transaction_id: str = ""
    frozen: bool = False


@dataclass(frozen=True, slots=True)
class MerchantShare:
    """What one merchant number gets of an order, and for which tenants, in the order of the lines."""

    merchant: str
    amount_fen: int
    tenants: tuple[str, ...]


def amounts_by_tenant(lines: Iterable[LineItem]) -> dict[str, int]:
    """Return what each tenant's lines cost together, in the order of the lines."""
    amounts: dict[str, int] = {}
    for line in lines:
        amounts[line.tenant_id] = amounts.get(line.tenant_id, 0) + line.amount_fen
    return amounts


def split_lines(
    lines: Sequence[LineItem], merchants: Mapping[str, str], amount_fen: int
) -> tuple[MerchantShare, ...]:
    """Return what each merchant number gets of `amount_fen`, in proportion to its tenants' lines.

    merchants: by tenant_id, without those that are paid to the mall. amount_fen: what is still due; what
    was covered in another way is taken off everybody alike. Merchants with nothing to get are left out.
    """
    amounts: dict[str, int] = {}
    tenants: dict[str, list[str]] = {}
    for tenant, fen in amounts_by_tenant(lines).items():
        merchant = merchants.get(tenant, "")
        amounts[merchant] = amounts.get(merchant, 0) + fen
        tenants.setdefault(merchant, []).append(tenant)
    if not sum(amounts.values()):
        return ()
    shares = allocate(amount_fen, list(amounts.values()))
    return tuple(
        MerchantShare(merchant, fen, tuple(tenants[merchant]))
        for merchant, fen in zip(amounts, shares, strict=True)
        if fen
    )


def combine(shares: Sequence[MerchantShare], counts: range) -> tuple[MerchantShare, ...]:
    """Return the parts of one combined payment, () where one payment to the mall's number is to be made.

    counts: of parts that the gateway takes (2-10 direct merchants, 1-50 service providers).
    """
    if len(shares) not in counts or all(not share.merchant for share in shares):
        return ()
    return tuple(shares)


def spread_back(
    parts: Sequence[OrderPart], held_fen: Mapping[str, int], wanted_fen: Mapping[str, int], amount_fen: int
) -> tuple[tuple[OrderPart, int], ...]:
    """Return how much of `amount_fen` goes back from each part of a payment.

    held_fen: by merchant_order_no, what earlier refunds hold. wanted_fen: by tenant, what the lines that are
    given back cost; what a tenant's part cannot give, because the order was paid in other ways too, comes
    from the others in turn. Raises Invalid for more than is left of all of them.
    """
    left = {
        part.merchant_order_no: part.amount_fen - held_fen.get(part.merchant_order_no, 0) for part in parts
    }
    if sum(left.values()) < amount_fen:
        raise Invalid(f"{amount_fen} fen are more than is left of this payment; look again")
    weights = [sum(wanted_fen.get(tenant, 0) for tenant in part.tenants) for part in parts]
    shares = allocate(amount_fen, weights) if sum(weights) else (0,) * len(parts)
    given = [min(share, left[part.merchant_order_no]) for part, share in zip(parts, shares, strict=True)]
    missing_fen = amount_fen - sum(given)
    for at, part in enumerate(parts):
        more = min(missing_fen, left[part.merchant_order_no] - given[at])
        given[at] += more
        missing_fen -= more
    return tuple((part, fen) for part, fen in zip(parts, given, strict=True) if fen)
