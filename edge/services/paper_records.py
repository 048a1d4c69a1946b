"""Papers that are no receipts, such as reports and cash slips, on their way to a workstation's printer."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from edge.retail.receipt import PrintState


class PaperKind(StrEnum):
    """What a paper is. DRAWER: nothing is printed, the drawer opens."""

    X_REPORT = "x_report"
    Z_REPORT = "z_report"
    DAY_REPORT = "day_report"
    CASH_SLIP = "cash_slip"
    REFUND_SLIP = "refund_slip"
    TICKET_SLIP = "ticket_slip"
    DRAWER = "drawer"


@dataclass(frozen=True, slots=True)
class Paper:
    """One paper with its content frozen when it was asked for.

    blocks: the printer's blocks as JSON (services/paper_blocks). drawer_until: the drawer opens only until
    then (wall), as a drawer that opens hours later opens for anybody; None for a paper that opens none.
    """

    paper_id: str
    workstation: str
    kind: PaperKind
    reference: str
    blocks: str
    queued_at: int
    drawer_until: int | None = None
    print_state: PrintState = PrintState.QUEUED
    print_problem: str = ""


class Papers(Protocol):
    """The queue of papers; it survives a restart."""

    def get(self, paper_id: str) -> Paper | None:
        """Return a paper."""

    def put(self, paper: Paper) -> None:
        """Write a paper; only its state on paper changes. The oldest printed ones go when many are kept."""

    def next(self, workstation: str) -> Paper | None:
        """Return what that printer broke off, else the oldest queued one."""

    def of(self, reference: str) -> tuple[Paper, ...]:
        """Return the papers of a shift or day, oldest first."""
