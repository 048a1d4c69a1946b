"""Ask for the fee of a stay: a line of an ordinary order, so that there is one path for money.

The line holds the quote of the moment at which it was made. What is paid later than that counts as what it
is; the remainder is due on the same stay. A stay is asked for in one place at a time: an order of it
elsewhere that nobody has begun to pay is cancelled, and one whose money moves is shown where it is asked for
next.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from edge.clock import Instant
from edge.errors import Declined, Invalid
from edge.parking.debt import Debt
from edge.parking.quote import Quote
from edge.parking.session import Session
from edge.parking.stay_charge import PARKING_SKU, StayCharge
from edge.retail.basket import Basket, BasketState, LineItem, change_state
from edge.retail.order import Order, OrderState, cancel, freeze
from edge.services.box import Box, WorkstationKind
from edge.services.business_day import business_day
from edge.services.events import EventKind, order_cancelled, record_event
from edge.services.quote_session import quote_session
from edge.services.records import Unit
from edge.services.stay_lines import asks_for_stays, charge_line, debt_line
from edge.services.workstation import Busy, load, open_basket, save

#: Debts of a plate that are collected with the next fee.
MAX_DEBTS = 20


@dataclass(frozen=True, slots=True)
class StayDue:
    """What a stay and the open debts of its plate come to now. quote: None for a stay that is over."""

    session: Session
    quote: Quote | None
    debts: tuple[Debt, ...]

    @property
    def due_fen(self) -> int:
        """Fee and debts together."""
        fee_fen = self.quote.due_fen if self.quote is not None else 0
        return fee_fen + sum(debt.amount_fen for debt in self.debts)


def charge_stay(box: Box, session_id: str, workstation: str) -> Order:
    """Put the fee of a stay, and the debts of its plate, on a workstation's screen; return the order.

    Asking twice is one order. Raises Invalid for a stay that is not known or a workstation that is busy with
    another order, Declined when nothing is due.
    """
    box.workstation(workstation)
    now = box.clock.now()
    order = box.store.write(lambda unit: put_charge(unit, box, session_id, workstation, now))
    box.changed(workstation)
    return order


def put_charge(unit: Unit, box: Box, session_id: str, workstation: str, now: Instant) -> Order:
    """Do what `charge_stay` does, in the caller's unit."""
    due = due_of_stay(unit, box, session_id, now)
    busy = load(unit, box, workstation)
    present = open_orders(unit, due)
    for order in present:
        if _moves(unit, order):
            return _show_here(unit, box, busy, order, now)
    here = next(
        (one for one in present if busy.order is not None and one.order_id == busy.order.order_id), None
    )
    if here is not None and here.total_fen == due.due_fen:
        return here
    if not due.due_fen:
        raise Declined(f"nothing is due for {_who(due.session)}; it may leave")
    for order in present:
        forget_order(unit, box, order, now)
    busy = _make_room(unit, box, load(unit, box, workstation), now)
    order = order_of_stay(unit, box, due, workstation, now)
    save(unit, busy, now, basket=unit.baskets.get(order.basket_id), order=order)
    return order


def add_stay(box: Box, session_id: str, workstation: str) -> None:
    """Put the fee of a stay into the open basket, to be paid with the goods in it. Raises as charge_stay."""
    box.workstation(workstation)
    now = box.clock.now()
    box.store.write(lambda unit: put_into_basket(unit, box, session_id, workstation, now))
    box.changed(workstation)


def put_into_basket(unit: Unit, box: Box, session_id: str, workstation: str, now: Instant) -> None:
    """Do what `add_stay` does, in the caller's unit."""
    due = due_of_stay(unit, box, session_id, now)
    if not due.due_fen:
        raise Declined(f"nothing is due for {_who(due.session)}; it may leave")
    present = open_orders(unit, due)
    if any(_moves(unit, order) for order in present):
        raise Declined(f"the fee of {_who(due.session)} is being paid elsewhere; wait for its end")
    for order in present:
        forget_order(unit, box, order, now)
    busy = load(unit, box, workstation)
    if busy.screen not in {"attract", "basket", "paid"}:
        raise Invalid(f"workstation {workstation} is busy with an order; pay or cancel it first")
    basket = open_basket(box, busy, now)
    if session_id not in {charge.session_id for charge in _charges(unit, basket.lines)}:
        lines = (*basket.lines, *_lines(unit, box, due, "", now))
        basket = replace(basket, lines=lines, changed_at=now.wall_at)
    save(unit, busy, now, basket=basket)


def refresh_stays(unit: Unit, box: Box, basket: Basket, order_id: str, now: Instant) -> Basket:
    """Return a basket that is about to become an order with the fees in it as they are now.

    What has nothing due any more is left out; an order never begins with an old quote.
    """
    charges = {charge.line_id: charge for charge in _charges(unit, basket.lines)}
    kept: list[LineItem] = []
    for line in basket.lines:
        charge = charges.get(line.line_id)
        if charge is None:
            kept.append(line)
        elif charge.debt_id:
            debt = unit.debts.get(charge.debt_id)
            if debt is not None and debt.closed_at is None:
                unit.stay_charges.put(replace(charge, order_id=order_id))
                kept.append(line)
        else:
            kept += _renewed(unit, box, line, order_id, now)
    return replace(basket, lines=tuple(kept))


def due_of_stay(unit: Unit, box: Box, session_id: str, now: Instant) -> StayDue:
    """Return what a stay comes to now; raise Invalid for one that is not known."""
    session = unit.sessions.get(session_id)
    if session is None:
        raise Invalid(f"there is no stay {session_id}; look for the vehicle again")
    debts = {debt.debt_id: debt for debt in unit.debts.of_session(session_id) if debt.closed_at is None}
    debts |= {debt.debt_id: debt for debt in unit.debts.of_plate(session.plate, MAX_DEBTS)}
    owed = any(debt.session_id == session_id for debt in debts.values())
    quote = None if owed or session.left_at is not None else quote_session(unit, box, session, now)
    return StayDue(session, quote, tuple(debts.values()))


def forget_order(unit: Unit, box: Box, order: Order, now: Instant) -> None:
    """Cancel an order that asks for a stay and that nobody has begun to pay; its goods stay on the screen."""
    cancelled = cancel(order, now.wall_at)
    unit.orders.put(cancelled)
    data = order_cancelled(cancelled)
    record_event(unit, box.ids, now, box.origin, EventKind.ORDER_CANCELLED, order.order_id, data)
    basket = unit.baskets.get(order.basket_id)
    if basket is None or basket.state is not BasketState.ORDERED:
        return
    opened = change_state(basket, BasketState.OPEN, now.wall_at)
    goods = tuple(line for line in opened.lines if line.sku != PARKING_SKU)
    left = replace(opened, lines=goods)
    if not goods:
        left = change_state(opened, BasketState.ABANDONED, now.wall_at)
    busy = shown_at(unit, box, order)
    if busy is None:
        unit.baskets.put(change_state(left, BasketState.HELD, now.wall_at) if goods else left)
        return
    unit.baskets.put(left)
    save(unit, busy, now, basket=left if goods else None)


def shown_at(unit: Unit, box: Box, order: Order) -> Busy | None:
    """Return the workstation whose screen has the order; of a parking fee it may be another than its own."""
    busy = load(unit, box, order.workstation)
    if busy.order is not None and busy.order.order_id == order.order_id:
        return busy
    if not asks_for_stays(order.lines):
        return None
    states = (unit.workstations.get(name) for name in box.workstations)
    shown = (one.workstation for one in states if one is not None and one.order_id == order.order_id)
    return next((load(unit, box, name) for name in shown), None)


def open_orders(unit: Unit, due: StayDue) -> tuple[Order, ...]:
    """Return the orders that wait for money for this stay, or for one of the debts."""
    stays = {due.session.session_id, *(debt.session_id for debt in due.debts)}
    ids = {
        charge.order_id
        for session_id in sorted(stays)
        for charge in unit.stay_charges.of_session(session_id)
        if charge.order_id
    }
    orders = (unit.orders.get(order_id) for order_id in sorted(ids))
    return tuple(one for one in orders if one is not None and one.state is OrderState.AWAITING)


def order_of_stay(unit: Unit, box: Box, due: StayDue, place: str, now: Instant) -> Order:
    """Write an order that asks for a stay and return it; nothing shows it yet, and others are left alone.

    Raises Declined when nothing is due.
    """
    if not due.due_fen:
        raise Declined(f"nothing is due for {_who(due.session)}; it may leave")
    order_id = box.ids.new_id()
    basket = Basket(
        basket_id=box.ids.new_id(),
        workstation=place,
        opened_at=now.wall_at,
        lines=_lines(unit, box, due, order_id, now),
        changed_at=now.wall_at,
    )
    day = business_day(box, now)
    order = freeze(basket, order_id, f"{place}-{unit.orders.take_number(day):04d}", day, now.wall_at)
    unit.baskets.put(change_state(basket, BasketState.ORDERED, now.wall_at))
    unit.orders.put(order)
    return order


def _moves(unit: Unit, order: Order) -> bool:
    """Return whether money of an order was taken or may still move."""
    return bool(order.tenders) or any(one.is_open for one in unit.attempts.of_order(order.order_id))


def _show_here(unit: Unit, box: Box, busy: Busy, order: Order, now: Instant) -> Order:
    """Show an order whose money moves where it is asked for next; nothing else may be charged meanwhile."""
    if busy.order is None or busy.order.order_id != order.order_id:
        busy = _make_room(unit, box, busy, now)
        basket = unit.baskets.get(order.basket_id)
        save(unit, busy, now, basket=basket, order=order)
    return order


def _make_room(unit: Unit, box: Box, busy: Busy, now: Instant) -> Busy:
    """Take what nobody pays off the screen; raise Invalid when money moves there or goods are in a basket."""
    order = busy.order
    if order is not None and order.state is OrderState.AWAITING:
        moves, own = _moves(unit, order), asks_for_stays(order.lines)
        if (
            moves
            and own
            and box.workstation(order.workstation).kind in (WorkstationKind.LANE, WorkstationKind.PHONE)
        ):
            # The vehicle in front was let out; its payment is followed up without a screen.
            save(unit, busy, now, basket=None)
            return load(unit, box, busy.state.workstation)
        if moves or not own:
            raise Invalid(
                f"workstation {busy.state.workstation} is busy with order {order.number}; finish it first"
            )
        forget_order(unit, box, order, now)
    elif busy.screen == "basket" and busy.basket is not None:
        if busy.basket.lines:
            raise Invalid(
                f"workstation {busy.state.workstation} has goods in its basket; finish or hold it first"
            )
        unit.baskets.put(change_state(busy.basket, BasketState.ABANDONED, now.wall_at))
    return load(unit, box, busy.state.workstation)


def _lines(unit: Unit, box: Box, due: StayDue, order_id: str, now: Instant) -> tuple[LineItem, ...]:
    lines = []
    if due.quote is not None and due.quote.due_fen:
        line, charge = charge_line(box.ids.new_id(), due.session, due.quote, now, box.rules.zone)
        unit.stay_charges.put(replace(charge, order_id=order_id))
        lines.append(line)
    for debt in due.debts:
        line, charge = debt_line(box.ids.new_id(), debt, now.wall_at, box.rules.zone)
        unit.stay_charges.put(replace(charge, order_id=order_id))
        lines.append(line)
    return tuple(lines)


def _renewed(unit: Unit, box: Box, line: LineItem, order_id: str, now: Instant) -> list[LineItem]:
    charge = unit.stay_charges.get(line.line_id)
    session = None if charge is None else unit.sessions.get(charge.session_id)
    if session is None:
        return []
    quote = quote_session(unit, box, session, now)
    if not quote.due_fen:
        return []
    renewed, again = charge_line(line.line_id, session, quote, now, box.rules.zone)
    unit.stay_charges.put(replace(again, order_id=order_id))
    return [renewed]


def _charges(unit: Unit, lines: tuple[LineItem, ...]) -> tuple[StayCharge, ...]:
    found = (unit.stay_charges.get(line.line_id) for line in lines if line.sku == PARKING_SKU)
    return tuple(one for one in found if one is not None)


def _who(session: Session) -> str:
    return session.plate or f"ticket {session.ticket}"
