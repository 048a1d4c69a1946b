"""A phone pays by itself: intent, commit, order at the gateway, commit, then ask about it.

The order at the gateway charges nothing by itself; what it has become is known from queries alone, which
`resolve_attempts` makes until it is paid or closed. An order that nobody pays in time is closed there first,
and only then given up here. Whoever has the code may pay a NATIVE order; a JSAPI one is for one openid.

What a phone opens is shown only once it is kept here. Until then nobody can pay, so that an order whose
answer was lost is asked for again unchanged for a moment, and after that closed.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace

from edge.clock import Instant
from edge.errors import Declined, Invalid, OutcomeUnknown, Unavailable
from edge.retail.attempt import AttemptState, PaymentAttempt, PayWay, advance
from edge.retail.order import Order, OrderState
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
from edge.services.describe_order import describe_order
from edge.services.payment_ports import GatewayAnswer, PaymentState, PhoneOrder, PrepayGateway
from edge.services.phone_order import cancel_phone_order
from edge.services.records import Unit
from edge.services.resolve_attempts import resolve
from edge.services.settle_attempt import attempt_time, close_attempt, settle
from edge.services.settle_tenants import waits_to_be_shared
from edge.services.split_order import parts_of
from edge.services.stay_lines import asks_for_stays

#: The ways in which a phone pays by itself.
PHONE_WAYS = (PayWay.NATIVE, PayWay.JSAPI)

#: The name of the gateway whose orders phones pay unless another is asked for.
GATEWAY = "wechat_pay"


@dataclass(frozen=True, slots=True)
class PaymentShown:
    """How the payment of an order stands, for a phone; see docs/protocols/phone-api.md.

    state: "open", "unsure", "paid" or "closed". way: "jsapi" or "native" while it is open, else "". pay: the
    parameters of wx.requestPayment. receipt: the token of the page after payment. problem: why it is closed:
    "closed", "declined", "voided" or "returned"; "" for no reason.
    """

    order_id: str
    number: str
    amount_fen: int
    state: str
    way: str = ""
    pay: dict[str, str] | None = None
    code_url: str | None = None
    expires_at: int | None = None
    receipt: str | None = None
    problem: str = ""

    def as_json(self) -> dict[str, object]:
        """Return it as the calls of phones answer it."""
        return {
            "order_id": self.order_id,
            "number": self.number,
            "amount_fen": self.amount_fen,
            "state": self.state,
            "way": self.way or None,
            "pay": self.pay,
            "code_url": self.code_url,
            "expires_at": self.expires_at,
            "receipt": self.receipt,
            "problem": self.problem or None,
        }


def begin_order_payment(box: Box, order_id: str, gateway: str = GATEWAY, openid: str = "") -> PaymentAttempt:
    """Make an order at the gateway for all that is due on an order that waits; return its attempt.

    openid: of the shopper who pays on a page inside the wallet (JSAPI); "" for a code that any phone may scan
    (NATIVE). Asking again returns the same one while it can be paid; one without pay_url is being made by
    another call. A code that was shown before is closed first when its shopper goes on in the wallet. Raises
    Declined when nothing is due or it is being paid in another way; Unavailable when the gateway cannot be
    reached (nothing was charged, ask again); Invalid for an unknown order.
    """
    _need_gateway(box, gateway)
    if openid:
        _close_code(box, order_id)
    now = box.clock.now()
    attempt = box.store.write(lambda unit: _intend(unit, box, order_id, gateway, openid, now))
    return _make(box, attempt)


def begin_phone_payment(
    box: Box, session_id: str, gateway: str = GATEWAY, openid: str = ""
) -> PaymentAttempt:
    """Make an order at the gateway for all that is due on a stay; return its attempt with what to open.

    Raises as begin_order_payment does.
    """
    _need_gateway(box, gateway)
    if openid:
        return begin_order_payment(box, order_for_stay(box, session_id).order_id, gateway, openid)
    now = box.clock.now()

    def work(unit: Unit) -> PaymentAttempt:
        order = _order_for_stay(unit, box, session_id, now)
        return _intend(unit, box, order.order_id, gateway, openid, now)

    attempt = box.store.write(work)
    box.changed(attempt.workstation)
    return _make(box, attempt)


def order_for_stay(box: Box, session_id: str) -> Order:
    """Return the order with which a phone pays a stay, made where there is none for what is due now.

    Raises Declined when nothing is due, while it is paid in another way, or among other goods.
    """
    now = box.clock.now()
    order = box.store.write(lambda unit: _order_for_stay(unit, box, session_id, now))
    box.changed(order.workstation)
    return order


def hurry_closing(unit: Unit, attempt: PaymentAttempt, now: Instant) -> None:
    """Have an order that a phone was to pay closed at once, as the money is to come in another way."""
    at = attempt_time(attempt, now)
    give_up_at = min(attempt.give_up_at, at)
    unit.attempts.put(replace(attempt, give_up_at=give_up_at, next_step_at=min(attempt.next_step_at, at)))


def close_phone_payment(box: Box, order_id: str) -> bool:
    """Close what a phone was to pay of an order, at the gateway and here, so that another way may charge.

    Returns whether nothing waits for a phone any more; the shopper may have been faster, so look at the
    order. False means that it is still being closed: ask again in a moment.
    """
    attempt = box.store.read(lambda unit: open_phone_attempt(unit, order_id))
    if attempt is None:
        return True
    now = box.clock.now()
    hurried = box.store.write(lambda unit: _hurried(unit, attempt.attempt_id, now))
    if hurried is not None:
        resolve(box, hurried, now)
    return box.store.read(lambda unit: open_phone_attempt(unit, order_id)) is None


def give_up_order(box: Box, order_id: str) -> None:
    """Close what a phone was to pay and cancel the phone's order, unless it is paid.

    An order of a workstation's screen stays there. Raises Unavailable while it cannot be closed for sure.
    """
    if not close_phone_payment(box, order_id):
        raise Unavailable(f"the payment of order {order_id} is still being closed; try again in a moment")
    now = box.clock.now()

    def work(unit: Unit) -> None:
        order = unit.orders.get(order_id)
        if order is None:
            raise Invalid(f"there is no order {order_id}; look again")
        moves = order.tenders or any(one.is_open for one in unit.attempts.of_order(order_id))
        if order.state is OrderState.AWAITING and order.workstation == PHONE and not moves:
            cancel_phone_order(unit, box, order, now)

    box.store.write(work)
    box.changed(PHONE)


def open_phone_attempt(unit: Unit, order_id: str) -> PaymentAttempt | None:
    """Return what a phone is to pay of an order, None while nothing is."""
    attempts = unit.attempts.of_order(order_id)
    return next((one for one in attempts if one.is_open and one.way in PHONE_WAYS), None)


def phone_payment(unit: Unit, box: Box, order: Order) -> PaymentShown:
    """Return how the payment of an order stands, in a unit that only reads."""
    shown = PaymentShown(order.order_id, order.number, order.total_fen, "closed")
    if order.state is OrderState.PAID:
        receipt = unit.receipts.of_order(order.order_id)
        return replace(shown, state="paid", receipt=receipt.token if receipt else None)
    attempts = unit.attempts.of_order(order.order_id)
    moving = next((one for one in attempts if one.is_open), None)
    if moving is not None:
        return _moving(box, replace(shown, amount_fen=moving.amount_fen), moving)
    if order.state is not OrderState.AWAITING:
        return replace(shown, problem=_PROBLEMS.get(attempts[-1].state, "closed") if attempts else "closed")
    return replace(shown, problem=_PROBLEMS.get(attempts[-1].state, "") if attempts else "")


_PROBLEMS = {
    AttemptState.DECLINED: "declined",
    AttemptState.VOIDED: "voided",
    AttemptState.REFUNDED: "returned",
}


def _moving(box: Box, shown: PaymentShown, attempt: PaymentAttempt) -> PaymentShown:
    over = attempt_time(attempt, box.clock.now()) >= attempt.give_up_at
    if attempt.state is not AttemptState.SUBMITTED or not attempt.pay_url or over:
        return replace(shown, state="unsure")
    ready = replace(shown, state="open", way=attempt.way.value, expires_at=attempt.give_up_at)
    if attempt.way is PayWay.NATIVE:
        return replace(ready, code_url=attempt.pay_url)
    if attempt.way is PayWay.JSAPI:
        params = {str(name): str(value) for name, value in json.loads(attempt.pay_url).items()}
        return replace(ready, pay={"appId": box.phone.appid, **params})
    return replace(shown, state="unsure")


def _need_gateway(box: Box, gateway: str) -> None:
    if gateway not in box.prepayers:
        raise Declined("phones cannot pay here by themselves; pay at a kiosk, at the counter or at the exit")


def _close_code(box: Box, order_id: str) -> None:
    """Close a code that anybody may scan, when a shopper goes on to pay in the wallet."""
    attempt = box.store.read(lambda unit: open_phone_attempt(unit, order_id))
    if attempt is not None and attempt.way is PayWay.NATIVE and not close_phone_payment(box, order_id):
        raise Unavailable(f"the code of order {order_id} is still being closed; try again in a moment")


def _intend(unit: Unit, box: Box, order_id: str, gateway: str, openid: str, now: Instant) -> PaymentAttempt:
    order = unit.orders.get(order_id)
    if order is None:
        raise Invalid(f"there is no order {order_id}; look again")
    way = PayWay.JSAPI if openid else PayWay.NATIVE
    moving = next((one for one in unit.attempts.of_order(order_id) if one.is_open), None)
    if moving is not None:
        if (moving.way, moving.gateway, moving.openid) == (way, gateway, openid):
            return _made_anew(unit, box, moving, now)
        raise Declined(f"order {order.number} is being paid already; wait for its end")
    if order.state is not OrderState.AWAITING:
        raise Declined(f"order {order.number} is {order.state}; nothing is to be paid for it")
    if order.tenders:
        raise Declined(f"order {order.number} was paid in part at {order.workstation}; pay the rest there")
    attempt_id = box.ids.new_id()
    parts = parts_of(unit, box, order, gateway)
    attempt = PaymentAttempt(
        attempt_id=attempt_id,
        order_id=order_id,
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
        way=way,
        openid=openid,
        parts=parts,
        frozen=not parts and waits_to_be_shared(box, order.lines, gateway),
    )
    unit.attempts.put(attempt)
    return attempt


def _made_anew(unit: Unit, box: Box, attempt: PaymentAttempt, now: Instant) -> PaymentAttempt:
    """Return an attempt whose answer was lost with its whole time again; others are returned as they are."""
    if attempt.pay_url or attempt.state is AttemptState.UNKNOWN:
        return attempt
    later = replace(attempt, give_up_at=attempt.created_at + box.rules.phone_deadline_ms)
    if later != attempt:
        unit.attempts.put(later)
    return later


def _make(box: Box, attempt: PaymentAttempt) -> PaymentAttempt:
    """Have the gateway make the order of an attempt, unless it is made or another call is at it."""
    if attempt.pay_url:
        return attempt
    now = box.clock.now()
    mine, attempt = box.store.write(lambda unit: _submit(unit, box, attempt.attempt_id, now))
    if not mine:
        return attempt
    box.changed(attempt.workstation)
    what = box.store.read(lambda unit: describe_order(unit, box, unit.orders.get(attempt.order_id)))
    opened = _ask_gateway(box, box.prepayers[attempt.gateway], attempt, what)
    shown = box.store.write(lambda unit: _keep(unit, box, attempt.attempt_id, opened, now))
    box.changed(attempt.workstation)
    return shown


def _submit(unit: Unit, box: Box, attempt_id: str, now: Instant) -> tuple[bool, PaymentAttempt]:
    """Return whether this call is to ask the gateway, and the attempt, which no other call asks then."""
    attempt = unit.attempts.get(attempt_id)
    if attempt is None or not attempt.is_open:
        raise Declined("this payment is over; look at what is due again")
    at = attempt_time(attempt, now)
    if attempt.pay_url or attempt.state is AttemptState.UNKNOWN:
        return False, attempt
    if attempt.state is AttemptState.SUBMITTED and attempt.next_step_at > at + box.rules.poll_ms:
        return False, attempt
    if attempt.state is AttemptState.INTENDED:
        attempt = advance(attempt, AttemptState.SUBMITTED, now.wall_at)
    asked = replace(attempt, next_step_at=at + box.rules.call_ms)
    unit.attempts.put(asked)
    return True, asked


def _ask_gateway(box: Box, gateway: PrepayGateway, attempt: PaymentAttempt, what: str) -> str:
    asked = PhoneOrder(
        merchant_order_no=attempt.merchant_order_no,
        amount_fen=attempt.amount_fen,
        description=what,
        expires_at=attempt.created_at + 2 * box.rules.phone_deadline_ms,
        attach=box.origin.attachment,
        parts=attempt.parts,
        frozen=attempt.frozen,
    )
    try:
        if attempt.way is PayWay.JSAPI:
            return json.dumps(dict(gateway.jsapi(asked, attempt.openid)))
        return gateway.native(asked)
    except OutcomeUnknown as doubt:
        settle(box, attempt.attempt_id, GatewayAnswer(PaymentState.PENDING, detail=str(doubt)))
        raise
    except Unavailable as failure:
        _note_lost(box, attempt.attempt_id, str(failure))
        raise
    except (Declined, Invalid) as refusal:
        close_attempt(box, attempt.attempt_id, AttemptState.VOIDED, str(refusal))
        raise


def _note_lost(box: Box, attempt_id: str, why: str) -> None:
    """Keep an order whose answer was lost to be asked for again, and have it closed unless it soon is."""
    now = box.clock.now()

    def work(unit: Unit) -> None:
        attempt = unit.attempts.get(attempt_id)
        if attempt is not None and attempt.is_open and not attempt.pay_url:
            soon = attempt_time(attempt, now) + box.rules.poll_ms
            unit.attempts.put(replace(attempt, give_up_at=soon, next_step_at=soon, trail=why))

    box.store.write(work)


def _keep(unit: Unit, box: Box, attempt_id: str, opened: str, now: Instant) -> PaymentAttempt:
    attempt = unit.attempts.get(attempt_id)
    if attempt is None or not attempt.is_open:
        raise Declined("this payment is over; look at what is due again")
    shown = replace(attempt, pay_url=opened, next_step_at=attempt_time(attempt, now) + box.rules.poll_ms)
    unit.attempts.put(shown)
    return shown


def _hurried(unit: Unit, attempt_id: str, now: Instant) -> PaymentAttempt | None:
    attempt = unit.attempts.get(attempt_id)
    if attempt is None or not attempt.is_open:
        return None
    hurry_closing(unit, attempt, now)
    return unit.attempts.get(attempt_id)


def _order_for_stay(unit: Unit, box: Box, session_id: str, now: Instant) -> Order:
    due = due_of_stay(unit, box, session_id, now)
    for order in open_orders(unit, due):
        moving = next((one for one in unit.attempts.of_order(order.order_id) if one.is_open), None)
        if moving is not None and moving.way in PHONE_WAYS:
            return order
        if moving is not None or order.tenders:
            raise Declined(f"order {order.number} is being paid already; wait for its end")
        if not asks_for_stays(order.lines):
            raise Declined(f"this fee is on the screen of {order.workstation} with other goods; pay there")
    return _order(unit, box, due, now)


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
