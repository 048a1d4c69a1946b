"""A phone pays the fee of a stay by itself: intent, commit, order at the gateway, commit, then ask about it.

The order at the gateway charges nothing by itself; what it has become is known from queries alone, which
`resolve_attempts` makes until it is paid or closed. An order that nobody pays in time is closed there first,
and only then given up here.
"""

from __future__ import annotations

from dataclasses import replace

from edge.clock import Instant
from edge.errors import Declined, Invalid, OutcomeUnknown, Unavailable
from edge.retail.attempt import AttemptState, PaymentAttempt, PayWay, advance
from edge.retail.order import Order
from edge.services.box import PHONE, Box
from edge.services.charge_stay import (
    StayDue,
    due_of_stay,
    forget_order,
    open_orders,
    order_of_stay,
    put_charge,
    shown_at,
)
from edge.services.payment_ports import GatewayAnswer, PaymentState, PhoneOrder, PrepayGateway
from edge.services.records import Unit
from edge.services.settle_attempt import attempt_time, close_attempt, settle
from edge.services.stay_lines import asks_for_stays


def begin_phone_payment(box: Box, session_id: str, gateway: str = "wechat_pay") -> PaymentAttempt:
    """Make an order at the gateway for all that is due on a stay; return its attempt with what to open.

    Asking again returns the same one while it can be paid. Raises Declined when nothing is due, or while it
    is being paid elsewhere; Unavailable when the gateway cannot be reached, and nothing was charged.
    """
    if gateway not in box.prepayers:
        raise Declined("phones cannot pay here by themselves; pay at a kiosk, at the counter or at the exit")
    now = box.clock.now()
    attempt, place = box.store.write(lambda unit: _intend(unit, box, session_id, gateway, now))
    box.changed(place)
    if attempt.pay_url:
        return attempt
    attempt = box.store.write(lambda unit: _submitted(unit, attempt.attempt_id, now))
    url = _ask_gateway(box, box.prepayers[gateway], attempt)
    shown = box.store.write(lambda unit: _keep_url(unit, box, attempt.attempt_id, url, now))
    box.changed(place)
    return shown


def hurry_closing(unit: Unit, attempt: PaymentAttempt, now: Instant) -> None:
    """Have an order that a phone was to pay closed at once, as the money is to come in another way."""
    at = attempt_time(attempt, now)
    give_up_at = min(attempt.give_up_at, at)
    unit.attempts.put(replace(attempt, give_up_at=give_up_at, next_step_at=min(attempt.next_step_at, at)))


def _intend(unit: Unit, box: Box, session_id: str, gateway: str, now: Instant) -> tuple[PaymentAttempt, str]:
    due = due_of_stay(unit, box, session_id, now)
    for order in open_orders(unit, due):
        moving = next((one for one in unit.attempts.of_order(order.order_id) if one.is_open), None)
        if moving is not None and moving.way is PayWay.NATIVE and moving.gateway == gateway:
            return moving, order.workstation
        if moving is not None or order.tenders:
            raise Declined(f"order {order.number} is being paid already; wait for its end")
        if not asks_for_stays(order.lines):
            raise Declined(f"this fee is on the screen of {order.workstation} with other goods; pay there")
    order = _order(unit, box, due, now)
    attempt_id = box.ids.new_id()
    attempt = PaymentAttempt(
        attempt_id=attempt_id,
        order_id=order.order_id,
        workstation=order.workstation,
        gateway=gateway,
        merchant_order_no=attempt_id.replace("-", ""),
        amount_fen=order.due_fen,
        code_tail="",
        created_at=now.wall_at,
        give_up_at=now.wall_at + box.rules.phone_deadline_ms,
        next_step_at=now.wall_at + box.rules.call_ms,
        created_boot=now.boot_id,
        created_ns=now.boottime_ns,
        way=PayWay.NATIVE,
    )
    unit.attempts.put(attempt)
    return attempt, order.workstation


def _order(unit: Unit, box: Box, due: StayDue, now: Instant) -> Order:
    """Return the order to pay: one that waits on a screen for the same, or a new one that no screen shows."""
    for order in open_orders(unit, due):
        if order.total_fen == due.due_fen:
            return order
        shown = shown_at(unit, box, order)
        if shown is not None:
            return put_charge(unit, box, due.session.session_id, shown.state.workstation, now)
        forget_order(unit, box, order, now)
    return order_of_stay(unit, box, due, PHONE, now)


def _submitted(unit: Unit, attempt_id: str, now: Instant) -> PaymentAttempt:
    attempt = unit.attempts.get(attempt_id)
    if attempt is None or not attempt.is_open:
        raise Declined("this payment is over; look at the fee again")
    if attempt.state is AttemptState.INTENDED:
        attempt = advance(attempt, AttemptState.SUBMITTED, now.wall_at)
        unit.attempts.put(attempt)
    return attempt


def _ask_gateway(box: Box, gateway: PrepayGateway, attempt: PaymentAttempt) -> str:
    name = (box.rules.shop_name or box.origin.site).replace(",", " ").replace("`", " ")
    order = PhoneOrder(
        merchant_order_no=attempt.merchant_order_no,
        amount_fen=attempt.amount_fen,
        description=f"{name} 停车费"[:40],
        expires_at=attempt.created_at + 2 * box.rules.phone_deadline_ms,
        attach=box.origin.attachment,
    )
    try:
        return gateway.native(order)
    except OutcomeUnknown as doubt:
        settle(box, attempt.attempt_id, GatewayAnswer(PaymentState.PENDING, detail=str(doubt)))
        raise
    except (Declined, Unavailable, Invalid) as failure:
        # Nobody has what a phone would open, so nobody can pay it.
        close_attempt(box, attempt.attempt_id, AttemptState.VOIDED, str(failure))
        raise


def _keep_url(unit: Unit, box: Box, attempt_id: str, url: str, now: Instant) -> PaymentAttempt:
    attempt = unit.attempts.get(attempt_id)
    if attempt is None or not attempt.is_open:
        raise Declined("this payment is over; look at the fee again")
    shown = replace(attempt, pay_url=url, next_step_at=attempt_time(attempt, now) + box.rules.poll_ms)
    unit.attempts.put(shown)
    return shown
