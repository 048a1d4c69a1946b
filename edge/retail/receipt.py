"""A receipt: what the shopper keeps of a paid order, on paper and as a page."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class PrintState(StrEnum):
    """Where the paper stands.

    UNCERTAIN: only a person may print again, as bytes went to the printer and no proof came back, or as it
    waited so long that nobody stands there any more.
    """

    QUEUED = "queued"
    PRINTING = "printing"
    PRINTED = "printed"
    UNCERTAIN = "uncertain"


@dataclass(frozen=True, slots=True)
class Receipt:
    """One receipt. token: unguessable, in the page's address. copies: how often it was put on paper."""

    receipt_id: str
    order_id: str
    workstation: str
    token: str
    issued_at: int
    print_state: PrintState = PrintState.QUEUED
    print_problem: str = ""
    copies: int = 0
