"""Money for stays in memory, with the rules that the tables enforce."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from edge.errors import Corrupt
from edge.parking.autopay import Autopay
from edge.parking.debt import Debt, DebtState
from edge.parking.quote import Settlement
from edge.parking.session import Session, SessionState
from edge.parking.stay_charge import StayCharge


@dataclass(slots=True)
class StayMoneyRows:
    """What is kept, by id."""

    settlements: dict[str, Settlement] = field(default_factory=dict)
    charges: dict[str, StayCharge] = field(default_factory=dict)
    debts: dict[str, Debt] = field(default_factory=dict)
    autopays: dict[str, Autopay] = field(default_factory=dict)

    def copy(self) -> StayMoneyRows:
        """Return rows that can be changed without changing these."""
        return StayMoneyRows(
            dict(self.settlements), dict(self.charges), dict(self.debts), dict(self.autopays)
        )


class FakeSettlements:
    """Implements parking_records.Settlements."""

    def __init__(self, rows: dict[str, Settlement], writing: Callable[[], None]) -> None:
        self._rows = rows
        self._writing = writing

    def put(self, settlement: Settlement) -> None:
        """Write one; refuse a second of the same order, stay and refund."""
        self._writing()
        keys = {(one.order_id, one.session_id, one.refund_id) for one in self._rows.values()}
        key = (settlement.order_id, settlement.session_id, settlement.refund_id)
        if key in keys or settlement.settlement_id in self._rows:
            raise Corrupt(f"order {settlement.order_id} has settled stay {settlement.session_id} already")
        self._rows[settlement.settlement_id] = settlement

    def of_session(self, session_id: str) -> tuple[Settlement, ...]:
        """Return what was settled for a stay, in order."""
        return tuple(one for _, one in sorted(self._rows.items()) if one.session_id == session_id)

    def of_order(self, order_id: str) -> tuple[Settlement, ...]:
        """Return what an order settled."""
        return tuple(one for _, one in sorted(self._rows.items()) if one.order_id == order_id)

    def between(self, from_at: int, to_at: int, limit: int) -> tuple[Settlement, ...]:
        """Return what was settled within [from_at, to_at), in order of time."""
        found = [one for one in self._rows.values() if from_at <= one.settled_at < to_at]
        return tuple(sorted(found, key=lambda one: (one.settled_at, one.settlement_id))[:limit])


class FakeStayCharges:
    """Implements charge_records.StayCharges."""

    def __init__(self, rows: dict[str, StayCharge], writing: Callable[[], None]) -> None:
        self._rows = rows
        self._writing = writing

    def get(self, line_id: str) -> StayCharge | None:
        """Return what a line asks for."""
        return self._rows.get(line_id)

    def put(self, charge: StayCharge) -> None:
        """Write what a line asks for; a line keeps its stay."""
        self._writing()
        known = self._rows.get(charge.line_id, charge)
        kept = replace(charge, session_id=known.session_id, debt_id=known.debt_id)
        self._rows[charge.line_id] = kept

    def of_session(self, session_id: str) -> tuple[StayCharge, ...]:
        """Return the lines that ask or asked for a stay's fee, oldest first."""
        return tuple(one for _, one in sorted(self._rows.items()) if one.session_id == session_id)


class FakeDebts:
    """Implements charge_records.Debts."""

    def __init__(self, rows: dict[str, Debt], writing: Callable[[], None]) -> None:
        self._rows = rows
        self._writing = writing

    def get(self, debt_id: str) -> Debt | None:
        """Return a debt."""
        return self._rows.get(debt_id)

    def put(self, debt: Debt) -> None:
        """Write a debt, new or changed."""
        self._writing()
        known = self._rows.get(debt.debt_id, debt)
        self._rows[debt.debt_id] = replace(
            known,
            amount_fen=debt.amount_fen,
            state=debt.state,
            order_id=debt.order_id,
            closed_at=debt.closed_at,
            closed_by=debt.closed_by,
            reason=debt.reason,
        )

    def of_plate(self, plate: str, limit: int) -> tuple[Debt, ...]:
        """Return the open debts of exactly that plate, oldest first; none for a plate of ""."""
        mine = [one for _, one in sorted(self._rows.items()) if plate and one.plate == plate]
        return tuple(one for one in mine if one.state is DebtState.OPEN)[:limit]

    def of_session(self, session_id: str) -> tuple[Debt, ...]:
        """Return the debts of a stay in any state, oldest first."""
        return tuple(one for _, one in sorted(self._rows.items()) if one.session_id == session_id)

    def recent(self, state: DebtState | None, limit: int) -> tuple[Debt, ...]:
        """Return debts, those recorded last first."""
        wanted = [one for one in self._rows.values() if state in (None, one.state)]
        return tuple(sorted(wanted, key=lambda one: (one.recorded_at, one.debt_id), reverse=True)[:limit])

    def owed_fen(self) -> int:
        """Return what all open debts sum to."""
        return sum(one.amount_fen for one in self._rows.values() if one.state is DebtState.OPEN)


class FakeAutopays:
    """Implements charge_records.Autopays."""

    def __init__(
        self, rows: dict[str, Autopay], stays: Mapping[str, Session], writing: Callable[[], None]
    ) -> None:
        self._rows = rows
        self._stays = stays
        self._writing = writing

    def untold(self, entered_from: int, limit: int) -> tuple[str, ...]:
        """Return stays inside of which nothing is known, the oldest first."""
        inside = (one for one in self._stays.values() if one.state is SessionState.INSIDE and one.plate)
        fresh = [one for one in inside if one.entered_at >= entered_from and one.session_id not in self._rows]
        fresh.sort(key=lambda one: (one.entered_at, one.session_id))
        return tuple(one.session_id for one in fresh[:limit])

    def get(self, session_id: str) -> Autopay | None:
        """Return what is known of a stay."""
        return self._rows.get(session_id)

    def put(self, autopay: Autopay) -> None:
        """Write what is known of a stay."""
        self._writing()
        self._rows[autopay.session_id] = autopay
