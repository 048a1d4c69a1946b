"""The way out after scan and go (扫码购): one exit code for each paid order, good once, sometimes re-checked.

Whether an order is re-checked follows from its own id by a keyed hash: the same after a restart, unknown to
the shopper, and not to be tried again for another result. Pure.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from edge.errors import Invalid
from edge.retail.basket import LineItem
from edge.retail.order import Order, OrderState
from edge.retail.refund import Refund, RefundPhase

#: The longest words of a guard about goods that were not paid.
MAX_EXTRA = 200


class ExitState(StrEnum):
    """Where an exit pass stands: UNUSED, RECHECK while a guard looks into the bag, PASSED."""

    UNUSED = "unused"
    RECHECK = "recheck"
    PASSED = "passed"


class ExitVerdict(StrEnum):
    """What a guard is told of a code; UNKNOWN is one that this box did not sign or does not know."""

    PASS = "pass"
    RECHECK = "recheck"
    USED = "used"
    EXPIRED = "expired"
    UNPAID = "unpaid"
    REFUNDED = "refunded"
    UNKNOWN = "unknown"


class CheckOutcome(StrEnum):
    """What a guard found in the bag. EXTRA: goods that were not paid, whatever else was missing."""

    COMPLETE = "complete"
    MISSING = "missing"
    EXTRA = "extra"


@dataclass(frozen=True, slots=True)
class ExitPass:
    """The right to leave with the goods of one order.

    ident: what its signed code carries. recheck: whether it was chosen for a look into the bag. checked_at,
    place, by: when, where and by whom it was used, or is being re-checked.
    """

    order_id: str
    ident: str
    recheck: bool
    made_at: int
    state: ExitState = ExitState.UNUSED
    checked_at: int | None = None
    place: str = ""
    by: str = ""


@dataclass(frozen=True, slots=True)
class Miscount:
    """Goods of an order that were not in the bag. quantity: pieces that were not there."""

    line_id: str
    name: str
    quantity: int


@dataclass(frozen=True, slots=True)
class ExitCheck:
    """One look at one code, as the ledger keeps it. order_id: "" for an unknown code.

    outcome: None but for a finished re-check. extra: goods that were not paid, in the guard's words.
    """

    check_id: str
    order_id: str
    place: str
    by: str
    at: int
    verdict: ExitVerdict
    outcome: CheckOutcome | None = None
    missing: tuple[Miscount, ...] = ()
    extra: str = ""


def chosen_for_recheck(order_id: str, permille: int, key: bytes) -> bool:
    """Return whether an order's goods are looked at, for so many of a thousand orders."""
    digest = hmac.digest(key, f"recheck/{order_id}".encode(), hashlib.sha256)
    return int.from_bytes(digest[:8], "big") % 1_000 < permille


def judge(one: ExitPass, order: Order, refunds: Sequence[Refund], at: int, valid_ms: int) -> ExitVerdict:
    """Return what a guard is told of a pass now. at: Unix milliseconds. valid_ms: counted from payment.

    A pass that was used stays USED whatever became of its order since.
    """
    if one.state is ExitState.PASSED:
        return ExitVerdict.USED
    if order.state is not OrderState.PAID or order.closed_at is None:
        return ExitVerdict.UNPAID
    given_back_fen = sum(refund.amount_fen for refund in refunds if _counts(refund))
    if given_back_fen and given_back_fen >= order.total_fen:
        return ExitVerdict.REFUNDED
    if one.state is ExitState.RECHECK or given_back_fen:
        return ExitVerdict.RECHECK
    if at - order.closed_at > valid_ms:
        return ExitVerdict.EXPIRED
    return ExitVerdict.RECHECK if one.recheck else ExitVerdict.PASS


def goods_to_find(order: Order, refunds: Sequence[Refund]) -> tuple[tuple[LineItem, int], ...]:
    """Return the lines that should be in the bag with their pieces, without what was given back."""
    back: dict[str, int] = {}
    for refund in refunds:
        for part in refund.lines if _counts(refund) else ():
            back[part.line_id] = back.get(part.line_id, 0) + part.quantity
    left = ((line, line.quantity - back.get(line.line_id, 0)) for line in order.lines)
    return tuple((line, pieces) for line, pieces in left if pieces > 0)


def count_goods(
    expected: Sequence[tuple[LineItem, int]], found: Mapping[str, int], extra: str
) -> tuple[CheckOutcome, tuple[Miscount, ...]]:
    """Return how a bag compares with what was paid. found: pieces by line id, absent for none.

    Raises Invalid for more pieces than were paid: they belong into the words about goods that were not.
    """
    missing = []
    for line, pieces in expected:
        there = found.get(line.line_id, 0)
        if not 0 <= there <= pieces:
            raise Invalid(
                f"{line.name}: {there} found, {pieces} paid; write what is too much under goods not paid"
            )
        if there < pieces:
            missing.append(Miscount(line.line_id, line.name, pieces - there))
    if extra:
        return CheckOutcome.EXTRA, tuple(missing)
    return (CheckOutcome.MISSING if missing else CheckOutcome.COMPLETE), tuple(missing)


def _counts(refund: Refund) -> bool:
    return refund.phase is not RefundPhase.REJECTED
