"""A row of a gateway's bill: what the channel says it moved."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class BillKind(StrEnum):
    """A payment that came in, or a refund or reversal that went out."""

    PAYMENT = "payment"
    REFUND = "refund"


@dataclass(frozen=True, slots=True)
class BillRow:
    """One movement of money in a bill.

    merchant_order_no: ours. merchant_refund_no: ours, "" for payments and reversals. transaction_id,
    refund_id: the channel's. amount_fen: positive, what the order was made for or what was refunded.
    fee_fen: what the channel keeps (a refund's is negative), rounded half up to the fen. happened_at: Unix
    milliseconds. state: the channel's own word, e.g. "SUCCESS". attach: what we wrote into the order, which
    names the box; "" where the bill has none.
    """

    kind: BillKind
    merchant_order_no: str
    merchant_refund_no: str
    transaction_id: str
    refund_id: str
    amount_fen: int
    fee_fen: int
    happened_at: int
    state: str
    attach: str = ""
