"""What of a payment goes on to whom (分账): planned with the sale, sent later, taken back by refunds.

    planned -> submitted -> done          a share is then DONE, or FAILED and owed in another way

A payment to the mall's own number is shared with its tenants; a part that was paid to a tenant's number is
shared with the mall, for its commission. Whatever cannot be shared is settled by the daily report.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from edge.money import allocate
from edge.retail.order import Order
from edge.retail.refund import Refund, refundable


class SplitState(StrEnum):
    """PLANNED with the sale; SUBMITTED is written last before the gateway is called; DONE is final."""

    PLANNED = "planned"
    SUBMITTED = "submitted"
    DONE = "done"


class ShareState(StrEnum):
    """What became of one share, or of one return of it. DROPPED: there was nothing to take back."""

    PLANNED = "planned"
    SUBMITTED = "submitted"
    DONE = "done"
    FAILED = "failed"
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True)
class TenantTerms:
    """How a tenant is paid. merchant: its own number or "". commission_permille: what the mall keeps."""

    merchant: str
    commission_permille: int


@dataclass(frozen=True, slots=True)
class MoneyShare:
    """One share. tenant_id: whose money it is. merchant: who receives it, "" for the mall."""

    tenant_id: str
    merchant: str
    amount_fen: int
    state: ShareState = ShareState.PLANNED
    why: str = ""


@dataclass(frozen=True, slots=True)
class PaymentSplit:
    """What goes on of one payment, or of one part of it; what is left goes free to its merchant.

    payee: the number that was paid, "" for the mall's. tender_id: what it covered. tenants: whose lines it
    paid, () for everybody's. sharing_no: our key at the gateway. next_step_at, polls, trail: as of a refund's
    leg.
    """

    split_id: str
    order_id: str
    tender_id: str
    gateway: str
    payee: str
    transaction_id: str
    amount_fen: int
    sharing_no: str
    created_at: int
    next_step_at: int
    tenants: tuple[str, ...] = ()
    shares: tuple[MoneyShare, ...] = ()
    state: SplitState = SplitState.PLANNED
    polls: int = 0
    trail: str = ""
    closed_at: int | None = None


@dataclass(frozen=True, slots=True)
class ShareReturn:
    """A share that its receiver gives back, because a refund took back what it was for."""

    return_id: str
    split_id: str
    refund_id: str
    tenant_id: str
    merchant: str
    amount_fen: int
    return_no: str
    created_at: int
    next_step_at: int
    state: ShareState = ShareState.PLANNED
    polls: int = 0
    trail: str = ""
    closed_at: int | None = None


def commission_of(amount_fen: int, permille: int) -> int:
    """Return the mall's commission, rounded down to the fen."""
    return amount_fen * permille // 1_000


def left_of_tender(order: Order, refunds: Sequence[Refund], tender_id: str) -> dict[str, int]:
    """Return what each tenant's lines still hold of a tender, refunds taken off; it sums to what is left."""
    left = refundable(order, refunds)
    tender_fen = next((one.amount_fen for one in left.tenders if one.tender.tender_id == tender_id), 0)
    amounts: dict[str, int] = {}
    for one in left.lines:
        amounts[one.line.tenant_id] = amounts.get(one.line.tenant_id, 0) + one.amount_fen
    if not sum(amounts.values()):
        return {}
    return dict(zip(amounts, allocate(tender_fen, list(amounts.values())), strict=True))


def plan_shares(
    amounts: Mapping[str, int], terms: Mapping[str, TenantTerms], most_permille: int, payee: str = ""
) -> tuple[MoneyShare, ...]:
    """Return who gets what of a payment. amounts: by tenant. most_permille: what the gateway lets go on.

    Paid to the mall: each tenant with a number gets its sales less commission. Paid to a tenant: the mall
    gets the commission. Beyond what may go on everybody gets less, in proportion.
    """
    wanted = []
    for tenant, fen in amounts.items():
        known = terms.get(tenant)
        if known is None or not known.merchant:
            continue
        kept = commission_of(fen, known.commission_permille)
        wanted.append((tenant, "" if payee else known.merchant, kept if payee else fen - kept))
    total_fen = sum(fen for _, _, fen in wanted)
    most_fen = sum(amounts.values()) * most_permille // 1_000
    if not total_fen:
        return ()
    shares = allocate(min(total_fen, most_fen), [fen for _, _, fen in wanted])
    return tuple(
        MoneyShare(tenant, merchant, fen)
        for (tenant, merchant, _), fen in zip(wanted, shares, strict=True)
        if fen
    )


def to_return(
    split: PaymentSplit, returns: Sequence[ShareReturn], planned: Sequence[MoneyShare]
) -> tuple[MoneyShare, ...]:
    """Return what receivers must give back, so that each is left with what is planned for it by now."""
    back: dict[str, int] = {}
    for one in returns:
        if one.state not in (ShareState.FAILED, ShareState.DROPPED):
            back[one.tenant_id] = back.get(one.tenant_id, 0) + one.amount_fen
    stays = {one.tenant_id: one.amount_fen for one in planned}
    found = []
    for share in split.shares:
        over_fen = share.amount_fen - back.get(share.tenant_id, 0) - stays.get(share.tenant_id, 0)
        if share.state is not ShareState.FAILED and over_fen > 0:
            found.append(replace(share, amount_fen=over_fen, state=ShareState.PLANNED))
    return tuple(found)


def finish_shares(split: PaymentSplit, failed: Mapping[str, str], at: int) -> PaymentSplit:
    """Return a split that the gateway has finished. failed: by tenant, why its share did not arrive."""
    shares = tuple(
        replace(
            one,
            state=ShareState.FAILED if one.tenant_id in failed else ShareState.DONE,
            why=failed.get(one.tenant_id, ""),
        )
        for one in split.shares
    )
    return replace(split, shares=shares, state=SplitState.DONE, closed_at=at)
