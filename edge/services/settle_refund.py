"""Write what a gateway said of one leg of a refund: leg, books, refund and event in one transaction.

Answers may come twice or late: a leg that is done or replaced is left as it is. A leg that comes to nothing
or cannot reach the shopper becomes a work item, which is closed once the money is there after all.
"""

from __future__ import annotations

from dataclasses import replace

from edge.clock import Instant
from edge.errors import Corrupt
from edge.money import format_yuan
from edge.retail.ledger import post_refund_leg
from edge.retail.refund import (
    MOVING,
    LegState,
    Refund,
    RefundLeg,
    RefundPhase,
    advance_leg,
    with_leg,
)
from edge.services.box import Box
from edge.services.events import EventKind, record_event, refund_step
from edge.services.open_shift import ensure_shift, need_cash_shift
from edge.services.payment_ports import RefundAnswer, RefundState
from edge.services.records import Unit
from edge.services.settle_tenants import unreach
from edge.services.work_items import SERVICE, end_work, raise_work
from edge.services.work_records import WorkKind

#: The longest pause between two looks at a leg; each pause is twice the one before.
LONGEST_PAUSE_MS = 300_000
MAX_DOUBLINGS = 8

_REACHED = {
    RefundState.PROCESSING: LegState.PROCESSING,
    RefundState.DONE: LegState.DONE,
    RefundState.ABNORMAL: LegState.ABNORMAL,
    RefundState.CLOSED: LegState.CLOSED,
    RefundState.ABSENT: LegState.UNKNOWN,
}


def settle_leg(
    box: Box, refund_id: str, leg_id: str, answer: RefundAnswer, *, person: bool = False
) -> Refund:
    """Apply a gateway's answer to one leg; ABSENT says that nobody knows, and the leg is asked about again.

    person: somebody must act before it can go on.
    """
    now = box.clock.now()

    def work(unit: Unit) -> Refund:
        refund, leg = find_leg(unit, refund_id, leg_id)
        if leg.state is LegState.REPLACED and answer.state is RefundState.DONE:
            _call_person(unit, box, WorkKind.MONEY_ADRIFT, refund, leg, now)
        if leg.state not in MOVING and leg.state is not LegState.ABNORMAL:
            return refund
        applied = _apply(unit, box, refund, leg, answer, now)
        if person:
            _call_person(unit, box, WorkKind.REFUND_STUCK, applied, replace(leg, trail=answer.detail), now)
        return applied

    refund = box.store.write(work)
    box.changed(refund.workstation)
    return refund


def finish_leg(unit: Unit, box: Box, refund: Refund, leg: RefundLeg, now: Instant) -> Refund:
    """Book a leg that is done, in the caller's unit; return the refund with it.

    Raises Declined for cash where no drawer is open: no shift, or one that is being counted.
    """
    ensure_shift(unit, box, refund.workstation, now)
    if leg.kind == "cash":
        need_cash_shift(unit, box, refund.workstation)
    ensure_shift(unit, box, refund.workstation, now)
    unit.ledger.post(post_refund_leg(box.ids.new_id(), refund, leg, now.wall_at))
    unreach(unit, box, refund, leg, now)
    return with_leg(refund, leg, now.wall_at)


def keep_refund(unit: Unit, box: Box, refund: Refund, now: Instant) -> None:
    """Write a refund, and tell HQ once it is done."""
    unit.refunds.put(refund)
    if refund.phase is RefundPhase.DONE:
        tell_refund(unit, box, EventKind.REFUND_DONE, refund, now)


def tell_refund(unit: Unit, box: Box, kind: EventKind, refund: Refund, now: Instant) -> None:
    """Record one event of a refund, tied to its order."""
    order = unit.orders.get(refund.order_id)
    if order is None:
        raise Corrupt(f"refund {refund.number} has no order {refund.order_id}; call support")
    data = refund_step(refund, order)
    record_event(unit, box.ids, now, box.origin, kind, refund.refund_id, data, refund.order_id)


def find_leg(unit: Unit, refund_id: str, leg_id: str) -> tuple[Refund, RefundLeg]:
    """Return a refund and one of its legs; raise Corrupt when they are not in the store."""
    refund = unit.refunds.get(refund_id)
    for leg in refund.legs if refund else ():
        if refund is not None and leg.leg_id == leg_id:
            return refund, leg
    raise Corrupt(f"leg {leg_id} of refund {refund_id} is not in the store; call support")


def _apply(
    unit: Unit, box: Box, refund: Refund, leg: RefundLeg, answer: RefundAnswer, now: Instant
) -> Refund:
    state = _REACHED[answer.state]
    if state is LegState.DONE and answer.amount_fen not in (None, leg.amount_fen):
        given = format_yuan(answer.amount_fen or 0)
        answer = replace(answer, detail=f"the gateway gave back {given} yuan instead; call support")
        state = LegState.ABNORMAL
    if state is leg.state or (state in MOVING and leg.state not in (LegState.SUBMITTED, LegState.UNKNOWN)):
        changed = with_leg(refund, _later(box, leg, answer, now), now.wall_at)
        unit.refunds.put(changed)
        return changed
    moved = _later(box, advance_leg(leg, state, now.wall_at), answer, now)
    if state is LegState.DONE:
        arrived = "the gateway gave it back after all"
        end_work(unit, now, WorkKind.REFUND_STUCK, leg.leg_id, SERVICE, arrived)
        done = finish_leg(unit, box, refund, moved, now)
        keep_refund(unit, box, done, now)
        return done
    changed = with_leg(refund, moved, now.wall_at)
    unit.refunds.put(changed)
    if state not in MOVING:
        _call_person(unit, box, WorkKind.REFUND_STUCK, changed, moved, now)
    return changed


def _later(box: Box, leg: RefundLeg, answer: RefundAnswer, now: Instant) -> RefundLeg:
    """Return the leg with the answer noted and its next look planned, ever more slowly."""
    pause_ms = min(box.rules.poll_ms << min(leg.polls, MAX_DOUBLINGS), LONGEST_PAUSE_MS)
    return replace(
        leg,
        polls=leg.polls + 1,
        next_step_at=now.wall_at + pause_ms,
        gateway_refund_id=answer.refund_id or leg.gateway_refund_id,
        trail=(answer.detail or leg.trail)[:200],
    )


def _call_person(unit: Unit, box: Box, kind: WorkKind, refund: Refund, leg: RefundLeg, now: Instant) -> None:
    facts: dict[str, str | int] = {
        "refund_id": refund.refund_id,
        "number": refund.number,
        "amount_fen": leg.amount_fen,
        "kind": leg.kind,
        "state": leg.state.value,
        "trail": leg.trail,
    }
    if unit.work_items.find(kind, leg.leg_id) is not None:
        return
    raise_work(unit, box, now, kind, leg.leg_id, facts, refund.business_day)
    tell_refund(unit, box, EventKind.REFUND_STUCK, refund, now)
