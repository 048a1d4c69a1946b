"""What a workstation is busy with: loaded, changed and told of as one step."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TypeVar

from edge.clock import Instant
from edge.errors import Corrupt, Declined, Invalid
from edge.retail.attempt import PaymentAttempt
from edge.retail.basket import Basket, BasketState
from edge.retail.order import Order, OrderState
from edge.services.box import Box
from edge.services.records import Unit, WorkstationState

T = TypeVar("T")


class NoticeCode(StrEnum):
    """What a banner says; the pages have a text for each in both languages."""

    DUPLICATE = "duplicate"
    STALE = "stale"
    UNREADABLE = "unreadable"
    UNKNOWN_CODE = "unknown_code"
    NOT_A_CODE = "not_a_code"
    NOT_HERE = "not_here"
    NOT_NOW = "not_now"
    CANNOT_ADD = "cannot_add"
    AGE_NEEDED = "age_needed"
    HELD = "held"
    PAY_FIRST = "pay_first"
    PAYMENT_RUNNING = "payment_running"
    PHONE_CLOSING = "phone_closing"
    PHONE_ENDING = "phone_ending"
    PHONE_CLOSED = "phone_closed"
    WALLET_UNKNOWN = "wallet_unknown"
    PAYMENT_DECLINED = "payment_declined"
    PAYMENT_VOIDED = "payment_voided"
    PAYMENT_UNKNOWN = "payment_unknown"
    PARKING_CLAIMED = "parking_claimed"
    PARKING_VALIDATED = "parking_validated"
    PARKING_WHOSE = "parking_whose"
    PARKING_REFUSED = "parking_refused"
    NO_TICKET = "no_ticket"
    NO_GUIDE = "no_guide"
    FOREIGN_GOODS = "foreign_goods"
    RELEASED = "released"
    WRONG_RELEASE = "wrong_release"
    TICKET_UNKNOWN = "ticket_unknown"
    TICKET_HERE = "ticket_here"
    TICKET_EXPIRED = "ticket_expired"
    TICKET_PAID = "ticket_paid"
    TICKET_NOT_READY = "ticket_not_ready"
    TICKET_ELSEWHERE = "ticket_elsewhere"
    TICKETS_CHANGED = "tickets_changed"
    TAKEN_OVER = "taken_over"
    CART_TAKEN = "cart_taken"
    CART_GONE = "cart_gone"
    CART_BUSY = "cart_busy"


@dataclass(frozen=True, slots=True)
class Notice:
    """A banner on a screen. code: which text; params: what fills it; choices: what may be tapped."""

    notice_id: str
    level: str
    code: NoticeCode
    params: Mapping[str, str | int] = field(default_factory=dict)
    choices: tuple[str, ...] = ("dismiss",)


@dataclass(frozen=True, slots=True)
class Busy:
    """A workstation's state with the records that it points to."""

    state: WorkstationState
    basket: Basket | None
    order: Order | None
    attempt: PaymentAttempt | None

    @property
    def screen(self) -> str:
        """Return which screen a person should see."""
        if self.order is not None and self.order.state is OrderState.PAID:
            return "paid"
        if self.order is not None:
            waiting = self.attempt is not None and self.attempt.is_open
            return "waiting" if waiting else "checkout"
        return "attract" if self.basket is None else "basket"

    @property
    def money_in_flight(self) -> bool:
        """Whether a payment of this order may still move."""
        return self.attempt is not None and self.attempt.is_open


def act(box: Box, workstation: str, step: Callable[[Unit, Busy, Instant], T]) -> T:
    """Run one step of a workstation in one unit of work, then have its screen drawn anew."""
    box.workstation(workstation)
    now = box.clock.now()
    result = box.store.write(lambda unit: step(unit, load(unit, box, workstation), now))
    box.changed(workstation)
    return result


def load(unit: Unit, box: Box, workstation: str) -> Busy:
    """Return what a workstation is busy with; a new one is at the start."""
    state = unit.workstations.get(workstation)
    if state is None:
        state = WorkstationState(workstation, box.workstation(workstation).language)
    basket = unit.baskets.get(state.basket_id) if state.basket_id else None
    order = unit.orders.get(state.order_id) if state.order_id else None
    attempts = unit.attempts.of_order(order.order_id) if order else ()
    # The newest id need not be the newest attempt when the clock was set back over a restart.
    moving = next((attempt for attempt in attempts if attempt.is_open), None)
    return Busy(state, basket, order, moving or (attempts[-1] if attempts else None))


def save(
    unit: Unit,
    busy: Busy,
    now: Instant,
    *,
    basket: Basket | None,
    order: Order | None = None,
    notice: Notice | None = None,
) -> None:
    """Write what a workstation is busy with from now on, as a person's doing."""
    if basket is not None:
        unit.baskets.put(basket)
    if order is not None:
        unit.orders.put(order)
    state = replace(
        busy.state,
        basket_id=basket.basket_id if basket else None,
        order_id=order.order_id if order else None,
        notice=encode_notice(notice),
    )
    unit.workstations.put(touched(state, now))


def touched(state: WorkstationState, now: Instant) -> WorkstationState:
    """Return the state with `now` as the last sign of a person."""
    return replace(state, touched_at=now.wall_at, touched_boot=now.boot_id, touched_ns=now.boottime_ns)


def touched_instant(state: WorkstationState) -> Instant:
    """Return when a person last did something there."""
    return Instant(state.touched_at, state.touched_boot, state.touched_ns, trusted=False)


def show_notice(unit: Unit, busy: Busy, now: Instant, notice: Notice | None) -> None:
    """Put a banner on the screen, or take it away; nothing else changes."""
    unit.workstations.put(touched(replace(busy.state, notice=encode_notice(notice)), now))


def open_basket(box: Box, busy: Busy, now: Instant) -> Basket:
    """Return the basket to add to: the present one, or a new one when none is open.

    Raises Declined while no new sale is begun.
    """
    if busy.basket is not None and busy.basket.state is BasketState.OPEN:
        return busy.basket
    reason = box.closed()
    if reason:
        raise Declined(f"no new sale is begun on {busy.state.workstation}: {reason}; what has begun goes on")
    return Basket(
        basket_id=box.ids.new_id(),
        workstation=busy.state.workstation,
        opened_at=now.wall_at,
        changed_at=now.wall_at,
    )


def need_basket(busy: Busy) -> Basket:
    """Return the open basket; raise Invalid when there is none to work on."""
    if busy.basket is None or busy.screen != "basket":
        raise Invalid(f"workstation {busy.state.workstation} has no open basket; scan something first")
    return busy.basket


def need_order(busy: Busy) -> Order:
    """Return the order that waits for payment; raise Invalid when there is none."""
    if busy.order is None or busy.order.state is not OrderState.AWAITING:
        raise Invalid(f"workstation {busy.state.workstation} has no order to pay; finish the basket first")
    return busy.order


def encode_notice(notice: Notice | None) -> str:
    """Return a notice as JSON, "" for none."""
    if notice is None:
        return ""
    return json.dumps(
        {
            "id": notice.notice_id,
            "level": notice.level,
            "code": notice.code.value,
            "params": dict(notice.params),
            "choices": list(notice.choices),
        },
        ensure_ascii=False,
    )


def decode_notice(text: str) -> Notice | None:
    """Return the notice behind its JSON; raise Corrupt for anything else."""
    if not text:
        return None
    try:
        raw = json.loads(text)
        return Notice(raw["id"], raw["level"], NoticeCode(raw["code"]), raw["params"], tuple(raw["choices"]))
    except (ValueError, KeyError, TypeError) as error:
        raise Corrupt(f"a stored notice cannot be read: {text[:80]!r}") from error
