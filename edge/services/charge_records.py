"""Fees that are being asked for, and fees that are owed, as records."""

from __future__ import annotations

from typing import Protocol

from edge.parking.autopay import Autopay
from edge.parking.debt import Debt, DebtState
from edge.parking.stay_charge import StayCharge


class StayCharges(Protocol):
    """Lines of baskets and orders that ask for the fee of a stay."""

    def get(self, line_id: str) -> StayCharge | None:
        """Return what a line asks for."""

    def put(self, charge: StayCharge) -> None:
        """Write what a line asks for; a line keeps its stay."""

    def of_session(self, session_id: str) -> tuple[StayCharge, ...]:
        """Return the lines that ask or asked for a stay's fee, oldest first."""


class Debts(Protocol):
    """Fees that vehicles left without paying."""

    def get(self, debt_id: str) -> Debt | None:
        """Return a debt."""

    def put(self, debt: Debt) -> None:
        """Write a debt, new or changed."""

    def of_plate(self, plate: str, limit: int) -> tuple[Debt, ...]:
        """Return the open debts of exactly that plate, oldest first; none for a plate of ""."""

    def of_session(self, session_id: str) -> tuple[Debt, ...]:
        """Return the debts of a stay in any state, oldest first."""

    def recent(self, state: DebtState | None, limit: int) -> tuple[Debt, ...]:
        """Return debts, those recorded last first; of one state where given."""

    def owed_fen(self) -> int:
        """Return what all open debts sum to."""


class Autopays(Protocol):
    """What a gateway says of charging the owners of vehicles that are inside."""

    def get(self, session_id: str) -> Autopay | None:
        """Return what is known of a stay."""

    def put(self, autopay: Autopay) -> None:
        """Write what is known of a stay."""

    def untold(self, entered_from: int, limit: int) -> tuple[str, ...]:
        """Return the ids of stays inside with a plate, begun since then, of which nothing is known.

        The oldest first.
        """
