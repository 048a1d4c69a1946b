"""Give back money of an order: what may be given back, a request, a supervisor's word, another way.

What is approved is one unit of work: refund, legs, books, cash out of the drawer, slip and event. The gateway
is called afterwards by resolve_refunds, so that nothing a person does here waits for it or is lost with it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from edge.clock import Instant, iso
from edge.errors import Declined, Invalid
from edge.money import check_fen, format_yuan
from edge.retail.basket import BasketState, change_state
from edge.retail.ledger import post_refund
from edge.retail.order import Order, OrderState, Tender, cancel
from edge.retail.refund import (
    MAX_REASON,
    MAX_REFUNDS,
    LegState,
    Refund,
    Refundable,
    RefundLeg,
    RefundLine,
    RefundPhase,
    advance_leg,
    all_lines,
    need_requested,
    pick_lines,
    refundable,
    reject,
    share_amount,
    spread,
    with_leg,
)
from edge.retail.split import spread_back
from edge.services.attribute_sale import reverse_sale
from edge.services.box import Box
from edge.services.business_day import business_day
from edge.services.check_out import to_start
from edge.services.earn_points import reverse_for_refund
from edge.services.events import EventKind, order_cancelled, record_event
from edge.services.occasion_landing import offer_refund_page
from edge.services.open_shift import ensure_shift, need_cash_shift
from edge.services.payment_ports import RefundState
from edge.services.records import Unit
from edge.services.refund_slip import queue_slip
from edge.services.resolve_refunds import ask_gateway
from edge.services.settle_refund import find_leg, finish_leg, keep_refund, tell_refund
from edge.services.settle_stays import unsettle_stays
from edge.services.settle_tenants import resettle_tenants
from edge.services.settle_tickets import release_tickets, unsettle_tickets
from edge.services.staff import StaffMember
from edge.services.validate_purchase import revalidate_order
from edge.services.work_items import end_work
from edge.services.work_records import WorkKind
from edge.services.workstation import load

#: Who may say yes.
APPROVERS = frozenset({"supervisor"})

#: How a request of HQ names who asked.
HQ = "HQ"


@dataclass(frozen=True, slots=True)
class RefundAsk:
    """What somebody wants given back.

    refund_id: made by whoever asks; asking twice with the same one is one refund. workstation: whose
    drawer and printer serve it. quantities: pieces by line id; amount_fen: money over `line_ids`, or over
    the whole order when there are none, goods kept. Neither: everything that is left. expected_fen: what
    the person saw it come to; when it comes to something else by now, nothing is given back.
    """

    refund_id: str
    order_id: str
    workstation: str
    reason: str
    quantities: Mapping[str, int] = field(default_factory=dict)
    amount_fen: int | None = None
    line_ids: tuple[str, ...] = ()
    expected_fen: int | None = None


@dataclass(frozen=True, slots=True)
class RefundQuote:
    """What may be given back of an order now. refunds: all of it so far, oldest first."""

    order: Order
    left: Refundable
    refunds: tuple[Refund, ...]


@dataclass(frozen=True, slots=True)
class RefundPlan:
    """What an ask comes to: lines, and how much goes back on which tender."""

    lines: tuple[RefundLine, ...]
    parts: tuple[tuple[Tender, int], ...]

    @property
    def amount_fen(self) -> int:
        """What is given back in all."""
        return sum(part_fen for _, part_fen in self.parts)


def quote_refund(unit: Unit, order_id: str) -> RefundQuote:
    """Return what may be given back of an order; raise Invalid for an order that is not there."""
    order = unit.orders.get(order_id)
    if order is None:
        raise Invalid(f"there is no order {order_id} on this box; look for it by its number and day")
    refunds = unit.refunds.of_order(order_id)
    return RefundQuote(order, refundable(order, refunds), refunds)


def plan_refund(quote: RefundQuote, ask: RefundAsk) -> RefundPlan:
    """Return what `ask` comes to; raise Invalid for more than is left, and for what makes no sense.

    An order that was never completed is given back whole, and cancelled.
    """
    if quote.order.state is OrderState.AWAITING:
        return _whole_payment(quote, ask)
    lines = _lines(quote.left, ask)
    amount_fen = sum(line.amount_fen for line in lines)
    return RefundPlan(lines, spread(quote.left.tenders, amount_fen))


def refund_order(box: Box, ask: RefundAsk, requested_by: str, approver: StaffMember) -> Refund:
    """Give money back with a supervisor's approval; return the refund, the same one for the same refund_id.

    Raises Declined for somebody who may not approve, for cash where there is no drawer, and once an order
    has MAX_REFUNDS; Invalid for what cannot be given back.
    """
    _need_approver(approver)
    now = box.clock.now()

    def work(unit: Unit) -> Refund:
        known = unit.refunds.get(ask.refund_id)
        if known is not None:
            return known
        asked, plan = _request(unit, box, ask, requested_by, now)
        return _approve(unit, box, asked, plan, approver, now)

    refund = box.store.write(work)
    box.changed(refund.workstation)
    return refund


def request_refund(unit: Unit, box: Box, ask: RefundAsk, requested_by: str, now: Instant) -> Refund:
    """Write a request that waits for a supervisor on this box; no money moves. Raises as refund_order."""
    known = unit.refunds.get(ask.refund_id)
    if known is not None:
        return known
    asked, _ = _request(unit, box, ask, requested_by, now)
    unit.refunds.put(asked)
    tell_refund(unit, box, EventKind.REFUND_REQUESTED, asked, now)
    return asked


def approve_request(box: Box, refund_id: str, workstation: str, approver: StaffMember) -> Refund:
    """Give back what was requested, if it is still there; at this workstation. Raises as refund_order."""
    _need_approver(approver)
    now = box.clock.now()

    def work(unit: Unit) -> Refund:
        refund = _known(unit, refund_id)
        need_requested(refund)
        here = replace(refund, workstation=workstation, business_day=business_day(box, now))
        plan = _plan_again(quote_refund(unit, refund.order_id), here)
        return _approve(unit, box, here, plan, approver, now)

    return box.store.write(work)


def reject_request(box: Box, refund_id: str, approver: StaffMember) -> Refund:
    """Turn a request down; no money moves."""
    _need_approver(approver)
    now = box.clock.now()

    def work(unit: Unit) -> Refund:
        rejected = reject(_known(unit, refund_id), approver.name, now.wall_at)
        unit.refunds.put(rejected)
        tell_refund(unit, box, EventKind.REFUND_REJECTED, rejected, now)
        return rejected

    return box.store.write(work)


def replace_leg(
    box: Box, refund_id: str, leg_id: str, approver: StaffMember, cash_at: str | None = None
) -> Refund:
    """Go another way for a leg that came to nothing: cash at a till, or once more under a new number.

    The gateway is asked once more before anything else. Raises Declined when the money may still arrive
    or has arrived, and when the gateway cannot be asked; then nothing is changed.
    """
    _need_approver(approver)
    if cash_at is not None:
        box.store.read(lambda unit: _need_drawer(unit, box, cash_at))
    _ask_once_more(box, refund_id, leg_id, cash=cash_at is not None)
    now = box.clock.now()

    def work(unit: Unit) -> Refund:
        if cash_at is not None:
            _need_drawer(unit, box, cash_at)
        refund, leg = find_leg(unit, refund_id, leg_id)
        replaced = advance_leg(leg, LegState.REPLACED, now.wall_at, f"replaced by {approver.name}")
        here = replace(refund, workstation=cash_at or refund.workstation)
        kind = "cash" if cash_at else leg.kind
        new = _leg(box, leg.tender_id, kind, leg.amount_fen, now, leg.part_no)
        changed = _add_leg(unit, box, with_leg(here, replaced, now.wall_at), new, now)
        end_work(unit, now, WorkKind.REFUND_STUCK, leg.leg_id, approver.name, f"goes back as {kind}")
        queue_slip(unit, box, quote_refund(unit, changed.order_id).order, changed, now, opens=kind == "cash")
        keep_refund(unit, box, changed, now)
        return changed

    return box.store.write(work)


def describe_refund(refund: Refund) -> list[str]:
    """Return a refund and its legs in lines for people: state, amount, and the next step."""
    asked = f"{iso(refund.requested_at)}  {refund.number}  {format_yuan(refund.amount_fen)} yuan"
    decided = f"by {refund.decided_by}" if refund.decided_by else "a supervisor decides at /staff/refunds"
    lines = [f"{asked}  {refund.phase.value} {decided}  {refund.requested_by}: {refund.reason}"]
    for leg in refund.legs:
        if leg in refund.moving:
            step = f"asks at {iso(leg.next_step_at)}"
        else:
            step = "a supervisor must act at /staff/refunds" if leg in refund.stuck else "-"
        words = (leg.kind, format_yuan(leg.amount_fen), leg.state.value, step, leg.merchant_refund_no)
        lines.append("    " + "  ".join((*words, leg.trail)).rstrip())
    return lines


def _request(unit: Unit, box: Box, ask: RefundAsk, by: str, now: Instant) -> tuple[Refund, RefundPlan]:
    box.workstation(ask.workstation)
    reason = " ".join(ask.reason.split())
    if not 1 <= len(reason) <= MAX_REASON:
        raise Invalid(f"a refund needs a reason of 1 to {MAX_REASON} characters")
    quote = quote_refund(unit, ask.order_id)
    if len(quote.refunds) >= MAX_REFUNDS:
        raise Declined(f"order {quote.order.number} has {MAX_REFUNDS} refunds; call support for another one")
    plan = plan_refund(quote, ask)
    if ask.expected_fen not in (None, plan.amount_fen):
        raise Invalid(f"this comes to {format_yuan(plan.amount_fen)} yuan by now; look at the order again")
    refund = Refund(
        refund_id=ask.refund_id,
        order_id=ask.order_id,
        number=f"{quote.order.number}-R{len(quote.refunds) + 1}",
        workstation=ask.workstation,
        business_day=business_day(box, now),
        amount_fen=plan.amount_fen,
        reason=reason,
        requested_by=by,
        requested_at=now.wall_at,
        lines=plan.lines,
        cancels_order=quote.order.state is OrderState.AWAITING,
    )
    return refund, plan


def _approve(
    unit: Unit, box: Box, asked: Refund, plan: RefundPlan, approver: StaffMember, now: Instant
) -> Refund:
    if any(tender.kind == "cash" for tender, _ in plan.parts):
        _need_drawer(unit, box, asked.workstation)
    ensure_shift(unit, box, asked.workstation, now)
    order = quote_refund(unit, asked.order_id).order
    refund = replace(
        asked,
        phase=RefundPhase.APPROVED,
        decided_by=approver.name,
        decided_at=now.wall_at,
    )
    ensure_shift(unit, box, refund.workstation, now)
    if refund.cancels_order:
        _cancel_order(unit, box, order, refund, now)
    else:
        unit.ledger.post(post_refund(box.ids.new_id(), order, refund, now.wall_at))
        unsettle_stays(unit, box, order, refund, now)
        unsettle_tickets(unit, box, order, refund, now)
    for tender, part_no, part_fen in _by_part(unit, order, refund, plan):
        leg = _leg(box, tender.tender_id, tender.kind, part_fen, now, part_no)
        refund = _add_leg(unit, box, refund, leg, now)
    opens = any(tender.kind == "cash" for tender, _ in plan.parts)
    queue_slip(unit, box, order, refund, now, opens=opens)
    tell_refund(unit, box, EventKind.REFUND_APPROVED, refund, now)
    keep_refund(unit, box, refund, now)
    resettle_tenants(unit, box, order, refund, now)
    revalidate_order(unit, box, order.order_id, now)
    reverse_sale(unit, box, order, refund, now)
    reverse_for_refund(unit, box, refund, now)
    if not refund.cancels_order:
        offer_refund_page(unit, box, order, now)
    return refund


def _add_leg(unit: Unit, box: Box, refund: Refund, leg: RefundLeg, now: Instant) -> Refund:
    if leg.state is not LegState.DONE:
        return with_leg(refund, leg, now.wall_at)
    return finish_leg(unit, box, refund, leg, now)


def _by_part(unit: Unit, order: Order, refund: Refund, plan: RefundPlan) -> Iterator[tuple[Tender, str, int]]:
    """Yield what goes back on which tender, and where several merchants were paid, from which part."""
    tenants = {line.line_id: line.tenant_id for line in order.lines}
    wanted: Counter[str] = Counter()
    for line in refund.lines:
        wanted[tenants[line.line_id]] += line.amount_fen
    for tender, part_fen in plan.parts:
        attempt = unit.attempts.get(tender.attempt_id) if tender.attempt_id else None
        if attempt is None or not attempt.parts:
            yield tender, "", part_fen
            continue
        held: Counter[str] = Counter()
        for leg in (leg for one in unit.refunds.of_order(order.order_id) for leg in one.legs):
            if leg.tender_id == tender.tender_id and leg.state is not LegState.REPLACED:
                held[leg.part_no] += leg.amount_fen
        for part, fen in spread_back(attempt.parts, held, wanted, part_fen):
            yield tender, part.merchant_order_no, fen


def _leg(box: Box, tender_id: str, kind: str, amount_fen: int, now: Instant, part_no: str = "") -> RefundLeg:
    leg_id = box.ids.new_id()
    cash = kind == "cash"
    return RefundLeg(
        leg_id=leg_id,
        tender_id=tender_id,
        kind=kind,
        amount_fen=amount_fen,
        merchant_refund_no=leg_id.replace("-", ""),
        created_at=now.wall_at,
        next_step_at=now.wall_at,
        state=LegState.DONE if cash else LegState.INTENDED,
        closed_at=now.wall_at if cash else None,
        part_no=part_no,
    )


def _cancel_order(unit: Unit, box: Box, order: Order, refund: Refund, now: Instant) -> None:
    """Give an order up whose part payment goes back, and free the screen that waits for the rest."""
    if any(attempt.is_open for attempt in unit.attempts.of_order(order.order_id)):
        raise Invalid(f"a payment for order {order.number} is on its way; wait for its end")
    cancelled = cancel(order, now.wall_at, given_back_fen=refund.amount_fen)
    unit.orders.put(cancelled)
    data = order_cancelled(cancelled)
    record_event(unit, box.ids, now, box.origin, EventKind.ORDER_CANCELLED, order.order_id, data)
    release_tickets(unit, box, cancelled)
    basket = unit.baskets.get(order.basket_id)
    if basket is not None and basket.state is BasketState.ORDERED:
        opened = change_state(basket, BasketState.OPEN, now.wall_at)
        unit.baskets.put(change_state(opened, BasketState.ABANDONED, now.wall_at))
    if order.workstation in box.workstations:
        busy = load(unit, box, order.workstation)
        if busy.order is not None and busy.order.order_id == order.order_id:
            to_start(unit, box, busy, now)


def _whole_payment(quote: RefundQuote, ask: RefundAsk) -> RefundPlan:
    if ask.quantities or ask.amount_fen is not None:
        raise Invalid(
            f"order {quote.order.number} is not paid in full; give all of it back, or take the rest"
        )
    if not quote.left.amount_fen:
        raise Invalid(f"order {quote.order.number} has no money to give back; cancel it at its workstation")
    return RefundPlan((), spread(quote.left.tenders, quote.left.amount_fen))


def _lines(left: Refundable, ask: RefundAsk) -> tuple[RefundLine, ...]:
    if ask.quantities and ask.amount_fen is not None:
        raise Invalid("choose pieces or an amount, not both")
    if ask.quantities:
        return pick_lines(left, ask.quantities)
    if ask.amount_fen is not None:
        return share_amount(left, check_fen(ask.amount_fen), ask.line_ids or None)
    return all_lines(left)


def _plan_again(quote: RefundQuote, refund: Refund) -> RefundPlan:
    """Return the plan of a request as it was asked; raise Invalid when that is no longer left."""
    if refund.cancels_order is not (quote.order.state is OrderState.AWAITING):
        raise Invalid(f"order {quote.order.number} is {quote.order.state} by now; reject {refund.number}")
    there = {one.line.line_id: one for one in quote.left.lines}
    for line in refund.lines:
        left = there.get(line.line_id)
        if left is None or line.quantity > left.quantity or line.amount_fen > left.amount_fen:
            raise Invalid(f"other refunds took what {refund.number} asks for; reject it and ask anew")
    return RefundPlan(refund.lines, spread(quote.left.tenders, refund.amount_fen))


def _ask_once_more(box: Box, refund_id: str, leg_id: str, *, cash: bool) -> None:
    refund, leg = box.store.read(lambda unit: find_leg(unit, refund_id, leg_id))
    if leg not in refund.stuck:
        raise Declined(f"refund {refund.number} is {leg.state}; it needs no other way (any more)")
    if leg.state is LegState.ABNORMAL and not cash:
        raise Declined(f"refund {refund.number} is abnormal: settle it at the gateway, or give cash")
    said = ask_gateway(box, refund, leg)
    if said.state in (RefundState.DONE, RefundState.PROCESSING):
        raise Declined(f"the gateway says that refund {refund.number} is {said.state}; wait for it")


def _need_approver(approver: StaffMember) -> None:
    if approver.role not in APPROVERS:
        raise Declined(f"{approver.name} is a {approver.role}; a refund needs a supervisor's PIN")


def _need_drawer(unit: Unit, box: Box, workstation: str) -> None:
    if not box.workstation(workstation).cash:
        raise Declined(f"workstation {workstation} has no cash drawer; give cash back at a staffed till")
    need_cash_shift(unit, box, workstation)


def _known(unit: Unit, refund_id: str) -> Refund:
    refund = unit.refunds.get(refund_id)
    if refund is None:
        raise Invalid(f"there is no refund {refund_id}; look at the list again")
    return refund
