"""A paid order settles the stays that it asked for; money that goes back leaves the stay again.

Settlements are written in the transaction that completes the order, never before: they alone open a gate.
A refund takes its money out of the stay while the vehicle is inside, so that it is due again; of a vehicle
that has left only the money moves, its stay is over and becomes no debt by that.
"""

from __future__ import annotations

from functools import partial

from edge.clock import Instant
from edge.errors import Corrupt
from edge.parking.debt import DebtState, settle_debt
from edge.parking.quote import Settlement
from edge.parking.session import SessionState
from edge.parking.stay_charge import PARKING_SKU, StayCharge
from edge.retail.order import Order
from edge.retail.refund import Refund
from edge.services.box import Box
from edge.services.events import EventKind, record_event
from edge.services.parking_money_events import debt_changed, parking_paid
from edge.services.records import Unit
from edge.services.release_lane import note_settled
from edge.services.stay_lines import kept_quote


def settle_stays(unit: Unit, box: Box, order: Order, now: Instant) -> None:
    """Write what a paid order has settled, close the debts that it paid, and let waiting vehicles go."""
    stays: dict[str, list[StayCharge]] = {}
    for charge in _charges(unit, order):
        stays.setdefault(charge.session_id, []).append(charge)
    for session_id, charges in stays.items():
        last = max(charges, key=lambda charge: charge.covers_until)
        settled = Settlement(
            settlement_id=box.ids.new_id(),
            session_id=session_id,
            order_id=order.order_id,
            amount_fen=sum(charge.amount_fen for charge in charges),
            covers_until=last.covers_until,
            settled_at=now.wall_at,
            at_place=order.workstation,
            covers_boot=last.covers_boot,
            covers_ns=last.covers_ns,
        )
        unit.settlements.put(settled)
        note = str(kept_quote(last).get("clock_note", ""))
        _tell_paid(unit, box, order, settled, note, now)
        _settle_debts(unit, box, order, settled, now)
        note_settled(unit, box, session_id, now)


def unsettle_stays(unit: Unit, box: Box, order: Order, refund: Refund, now: Instant) -> None:
    """Take refunded money out of the stays of vehicles that are still inside."""
    charges = {charge.line_id: charge for charge in _charges(unit, order)}
    back: dict[str, int] = {}
    for part in refund.lines:
        charge = charges.get(part.line_id)
        if charge is not None:
            back[charge.session_id] = back.get(charge.session_id, 0) + part.amount_fen
    for session_id, amount_fen in back.items():
        session = unit.sessions.get(session_id)
        if session is None or session.state is not SessionState.INSIDE or not amount_fen:
            continue
        mine = (one for one in charges.values() if one.session_id == session_id)
        last = max(mine, key=lambda charge: charge.covers_until)
        unit.settlements.put(
            Settlement(
                settlement_id=box.ids.new_id(),
                session_id=session_id,
                order_id=order.order_id,
                amount_fen=-amount_fen,
                covers_until=last.covers_until,
                settled_at=now.wall_at,
                at_place=refund.workstation,
                refund_id=refund.refund_id,
                covers_boot=last.covers_boot,
                covers_ns=last.covers_ns,
            )
        )


def _charges(unit: Unit, order: Order) -> list[StayCharge]:
    found = []
    for line in order.lines:
        if line.sku != PARKING_SKU:
            continue
        charge = unit.stay_charges.get(line.line_id)
        if charge is None:
            raise Corrupt(f"line {line.line_id} of order {order.number} asks for no stay; call support")
        found.append(charge)
    return found


def _settle_debts(unit: Unit, box: Box, order: Order, settled: Settlement, now: Instant) -> None:
    """Close the debts of a stay, oldest first, as far as the money goes."""
    left_fen = settled.amount_fen
    for debt in unit.debts.of_session(settled.session_id):
        if debt.state is not DebtState.OPEN or debt.amount_fen > left_fen:
            continue
        left_fen -= debt.amount_fen
        closed = settle_debt(debt, order.order_id, now.wall_at)
        unit.debts.put(closed)
        tell = partial(record_event, unit, box.ids, now, box.origin)
        tell(EventKind.DEBT_SETTLED, debt.debt_id, debt_changed(closed), order.order_id)


def _tell_paid(
    unit: Unit, box: Box, order: Order, settled: Settlement, clock_note: str, now: Instant
) -> None:
    session = unit.sessions.get(settled.session_id)
    data = parking_paid(settled, order, session, clock_note)
    record_event(
        unit, box.ids, now, box.origin, EventKind.PARKING_PAID, settled.session_id, data, order.order_id
    )
