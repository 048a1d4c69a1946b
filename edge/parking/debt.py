"""A fee that a vehicle left without paying (欠费), and how it ends. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from edge.errors import Invalid

#: The longest reason that is kept.
MAX_REASON = 100


class DebtState(StrEnum):
    """OPEN until it is SETTLED by money, or WRITTEN_OFF by a supervisor."""

    OPEN = "open"
    SETTLED = "settled"
    WRITTEN_OFF = "written_off"


class DebtCause(StrEnum):
    """Why the vehicle left without paying.

    UNCONFIRMED: nobody could say whether the fee was paid. GUARD: a guard let it out. AUTOPAY: the deduction
    after leaving came to nothing.
    """

    UNCONFIRMED = "unconfirmed"
    GUARD = "guard"
    AUTOPAY = "autopay"


@dataclass(frozen=True, slots=True)
class Debt:
    """What is still owed for one stay. plate: normalised, "" for a vehicle without one.

    lane: where it left. recorded_by: who let it out, "" for the lane's own rule. order_id: the order that
    settled it. closed_by, reason: of a debt that was written off.
    """

    debt_id: str
    session_id: str
    plate: str
    amount_fen: int
    cause: DebtCause
    recorded_at: int
    lane: str = ""
    recorded_by: str = ""
    state: DebtState = DebtState.OPEN
    order_id: str = ""
    closed_at: int | None = None
    closed_by: str = ""
    reason: str = ""

    def __post_init__(self) -> None:
        """Refuse a debt of nothing."""
        if self.amount_fen <= 0:
            raise Invalid(f"a debt of {self.amount_fen} fen is none; it must be more than 0")


def settle_debt(debt: Debt, order_id: str, at: int) -> Debt:
    """Return the debt settled by an order; raise Invalid when it is not open."""
    _require_open(debt)
    return replace(debt, state=DebtState.SETTLED, order_id=order_id, closed_at=at)


def write_off(debt: Debt, by: str, reason: str, at: int) -> Debt:
    """Return the debt written off; raise Invalid when it is not open, or without a reason or a name."""
    _require_open(debt)
    words = " ".join(reason.split())[:MAX_REASON]
    if not words or not by:
        raise Invalid("write a debt off with a name and a reason, such as: misread plate, another car's stay")
    return replace(debt, state=DebtState.WRITTEN_OFF, closed_at=at, closed_by=by, reason=words)


def _require_open(debt: Debt) -> None:
    if debt.state is not DebtState.OPEN:
        raise Invalid(f"debt {debt.debt_id} is {debt.state}; look at the list again")
