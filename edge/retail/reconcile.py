"""Does a gateway's bill agree with the books? Every movement of money, one at a time.

Payments are matched by our order number, refunds by our refund number. A reversal has no number of its own:
in a bill it is a refund of the order with an empty refund number, so that a payment and what came back of it
are judged together. The bill's day ends at midnight where the gateway is, and our clock is not its clock:
what lies near an edge may stand in the neighbouring bill and is carried over to it, once.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from edge.retail.attempt import OPEN_STATES, AttemptState
from edge.retail.bill import BillKind, BillRow
from edge.retail.refund import LegState

#: How near to midnight a payment may stand in the neighbouring bill, in milliseconds.
EDGE_MS = 30 * 60_000


class DifferenceKind(StrEnum):
    """How the bill and the books disagree.

    CHANNEL_ONLY: the bill has money that no book knows. LOCAL_ONLY: the books have money that the bill does
    not. AMOUNT: both have it, in different amounts. STATUS: both have it, and one of them gave it back.
    """

    CHANNEL_ONLY = "channel_only"
    LOCAL_ONLY = "local_only"
    AMOUNT = "amount"
    STATUS = "status"


@dataclass(frozen=True, slots=True)
class LocalPayment:
    """A payment attempt as the books have it. number: of its order. billed_on: ISO date, "" for none yet."""

    merchant_order_no: str
    number: str
    amount_fen: int
    state: AttemptState
    created_at: int
    closed_at: int | None
    billed_on: str = ""


@dataclass(frozen=True, slots=True)
class LocalRefund:
    """A leg of a refund as the books have it; see LocalPayment."""

    merchant_order_no: str
    merchant_refund_no: str
    number: str
    amount_fen: int
    state: LegState
    closed_at: int | None
    billed_on: str = ""


@dataclass(frozen=True, slots=True)
class ChannelMoney:
    """What bills say of one of our orders: taken and given back by reversal, so far.

    state: the channel's word of the last row. happened_at: Unix milliseconds of the last row.
    """

    merchant_order_no: str
    paid_fen: int = 0
    returned_fen: int = 0
    state: str = ""
    happened_at: int = 0


@dataclass(frozen=True, slots=True)
class Difference:
    """One disagreement. reference: our order number, or our refund number. number: of the order, "" unknown.

    channel_fen, local_fen: what each side holds; channel_state, local_state: each side's own word.
    """

    kind: DifferenceKind
    reference: str
    number: str
    channel_fen: int
    local_fen: int
    channel_state: str
    local_state: str
    happened_at: int


@dataclass(frozen=True, slots=True)
class Carried:
    """Money whose other half must stand in the next bill; `money` is what bills have said so far."""

    money: ChannelMoney


Verdict = Difference | Carried | None


def add_row(money: ChannelMoney, row: BillRow) -> ChannelMoney:
    """Return what bills say once `row` is counted; only for payments and reversals."""
    if row.kind is BillKind.PAYMENT:
        money = replace(money, paid_fen=money.paid_fen + row.amount_fen)
    else:
        money = replace(money, returned_fen=money.returned_fen + row.amount_fen)
    return replace(money, state=row.state, happened_at=row.happened_at)


def judge_payment(money: ChannelMoney, local: LocalPayment | None, ends_at: int) -> Verdict:
    """Say whether a payment that is in bills agrees with the books. ends_at: of the bill's day, Unix ms."""
    held_fen = money.paid_fen - money.returned_fen
    if local is None:
        return _differs(DifferenceKind.CHANNEL_ONLY, money, None) if held_fen else None
    if money.paid_fen not in (0, local.amount_fen) or held_fen < 0:
        return _differs(DifferenceKind.AMOUNT, money, local)
    if local.state is AttemptState.APPROVED:
        return None if held_fen == local.amount_fen else _differs(DifferenceKind.STATUS, money, local)
    if held_fen == 0:
        return None
    # The reversal came on a later day: it must stand in the next bill.
    if local.state not in OPEN_STATES and (local.closed_at or 0) >= ends_at - EDGE_MS:
        return Carried(money)
    return _differs(DifferenceKind.STATUS, money, local)


def judge_refund(row: BillRow, local: LocalRefund | None) -> Difference | None:
    """Say whether a refund that is in the bill agrees with the books."""
    if local is None:
        kind, number, local_fen, state = DifferenceKind.CHANNEL_ONLY, "", 0, ""
    elif local.amount_fen != row.amount_fen:
        kind, number, local_fen, state = DifferenceKind.AMOUNT, local.number, local.amount_fen, local.state
    elif local.state in (LegState.DONE, LegState.PROCESSING):
        return None
    else:
        kind, number, local_fen, state = DifferenceKind.STATUS, local.number, 0, local.state
    return Difference(
        kind, row.merchant_refund_no, number, -row.amount_fen, -local_fen, row.state, state, row.happened_at
    )


def missing_payment(local: LocalPayment, day: str) -> Difference | None:
    """Say whether a payment that the bill of `day` does not have, and no other has, should be in it."""
    if local.state is not AttemptState.APPROVED or local.billed_on not in ("", day):
        return None
    return _differs(DifferenceKind.LOCAL_ONLY, ChannelMoney(local.merchant_order_no), local)


def missing_refund(local: LocalRefund, day: str) -> Difference | None:
    """Say whether a refund that the bill of `day` does not have, and no other has, should be in it."""
    if local.state is not LegState.DONE or local.billed_on not in ("", day):
        return None
    return Difference(
        DifferenceKind.LOCAL_ONLY,
        local.merchant_refund_no,
        local.number,
        0,
        -local.amount_fen,
        "",
        local.state,
        local.closed_at or 0,
    )


def _differs(kind: DifferenceKind, money: ChannelMoney, local: LocalPayment | None) -> Difference:
    held = local is not None and local.state is AttemptState.APPROVED
    return Difference(
        kind=kind,
        reference=money.merchant_order_no,
        number=local.number if local else "",
        channel_fen=money.paid_fen - money.returned_fen,
        local_fen=local.amount_fen if local is not None and held else 0,
        channel_state=money.state,
        local_state=local.state if local else "",
        happened_at=money.happened_at or (local.created_at if local else 0),
    )
