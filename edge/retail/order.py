"""An order: a basket that was priced, frozen and numbered; tenders cover what is due."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from edge.errors import Invalid
from edge.money import check_fen
from edge.retail.basket import Basket, LineItem


class OrderState(StrEnum):
    """AWAITING payment, PAID in full, or CANCELLED: no money was kept."""

    AWAITING = "awaiting"
    PAID = "paid"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Tender:
    """Money that covers part of an order.

    kind: "cash" or the gateway's name. amount_fen: what it covers. received_fen and change_fen: for
    cash, what was handed over and given back. attempt_id: the payment attempt behind it, if any.
    """

    tender_id: str
    kind: str
    amount_fen: int
    tendered_at: int
    received_fen: int = 0
    change_fen: int = 0
    attempt_id: str | None = None


@dataclass(frozen=True, slots=True)
class Order:
    """Frozen goods with their tenders. number: for people, unique per box and business day.

    business_day: ISO date of the mall's trading day.
    """

    order_id: str
    number: str
    basket_id: str
    workstation: str
    business_day: str
    ordered_at: int
    lines: tuple[LineItem, ...]
    state: OrderState = OrderState.AWAITING
    tenders: tuple[Tender, ...] = ()
    closed_at: int | None = None

    @property
    def total_fen(self) -> int:
        """What the goods cost."""
        return sum(line.amount_fen for line in self.lines)

    @property
    def paid_fen(self) -> int:
        """What the tenders cover."""
        return sum(tender.amount_fen for tender in self.tenders)

    @property
    def due_fen(self) -> int:
        """What is still to be paid."""
        return self.total_fen - self.paid_fen


def freeze(basket: Basket, order_id: str, number: str, business_day: str, at: int) -> Order:
    """Return the order of `basket`; raise Invalid when it is empty or waits for an age check."""
    if not basket.lines:
        raise Invalid(f"basket {basket.basket_id} is empty; scan something first")
    if basket.age_needed:
        raise Invalid(f"basket {basket.basket_id} waits for a cashier to check age {basket.age_needed}")
    return Order(
        order_id=order_id,
        number=number,
        basket_id=basket.basket_id,
        workstation=basket.workstation,
        business_day=business_day,
        ordered_at=at,
        lines=basket.lines,
    )


def cash_tender(order: Order, tender_id: str, received_fen: int, at: int) -> Tender:
    """Return a cash tender with its change; less than what is due pays a part."""
    check_fen(received_fen, "received_fen")
    if received_fen <= 0:
        raise Invalid(f"cash received must be more than 0, got {received_fen} fen")
    amount_fen = min(received_fen, order.due_fen)
    return Tender(
        tender_id=tender_id,
        kind="cash",
        amount_fen=amount_fen,
        tendered_at=at,
        received_fen=received_fen,
        change_fen=received_fen - amount_fen,
    )


def add_tender(order: Order, tender: Tender) -> Order:
    """Return the order with `tender`, PAID once nothing is due; raise Invalid when it covers too much."""
    if order.state is not OrderState.AWAITING:
        raise Invalid(f"order {order.number} is {order.state}; it takes no further money")
    if not 0 <= tender.amount_fen <= order.due_fen:
        raise Invalid(f"order {order.number}: {tender.amount_fen} fen offered, {order.due_fen} fen due")
    covered = replace(order, tenders=(*order.tenders, tender))
    if covered.due_fen:
        return covered
    return replace(covered, state=OrderState.PAID, closed_at=tender.tendered_at)


def cancel(order: Order, at: int, given_back_fen: int = 0) -> Order:
    """Return the order cancelled; raise Invalid when money was taken for it and is not given back."""
    if order.state is not OrderState.AWAITING:
        raise Invalid(f"order {order.number} is {order.state}; it cannot be cancelled")
    if order.paid_fen != given_back_fen:
        raise Invalid(f"order {order.number} has {order.paid_fen} fen paid; a cashier must refund it first")
    return replace(order, state=OrderState.CANCELLED, closed_at=at)
