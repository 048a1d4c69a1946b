"""Follow up the legs of refunds until the money is with the shopper: send, query, send the same again.

A leg keeps its refund number, so that a repeat after a crash or a time-out gives nothing back twice. What the
gateway cannot bring to the shopper is asked about ever more slowly until a person has replaced it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from edge.clock import Instant
from edge.errors import Corrupt, EdgeError, Invalid, OutcomeUnknown, Unavailable
from edge.retail.refund import MOVING, LegState, Refund, RefundLeg, advance_leg, with_leg
from edge.services.box import Box
from edge.services.payment_ports import (
    RefundAnswer,
    RefundGateway,
    RefundNeedsFunds,
    RefundRefused,
    RefundRequest,
    RefundState,
)
from edge.services.records import Unit
from edge.services.settle_refund import LONGEST_PAUSE_MS, find_leg, settle_leg

#: Refunds looked at in one go; no further leg is begun after TURN_MS, see resolve_attempts.
MAX_REFUNDS = 20
TURN_MS = 30_000

#: The longest reason at a gateway, in bytes of UTF-8.
MAX_REASON_BYTES = 80

_FOLLOWED = MOVING | {LegState.ABNORMAL}


def resolve_refunds(box: Box) -> int:
    """Take one step with every leg that is due, as far as TURN_MS goes; return how many were looked at.

    One that raises is put off and the others are looked at before its error is raised.
    """
    began = box.clock.now()
    refunds = box.store.read(lambda unit: unit.refunds.moving(MAX_REFUNDS))
    first: EdgeError | None = None
    looked_at = 0
    for refund, leg in _due_legs(refunds, began):
        if box.clock.now().since_ms(began) >= TURN_MS:
            break
        looked_at += 1
        try:
            resolve_leg(box, refund, leg)
        except EdgeError as error:
            first = first or error
            doubt = RefundAnswer(RefundState.ABSENT, detail=str(error))
            # One that cannot even be put off must not keep the others waiting.
            with contextlib.suppress(EdgeError):
                settle_leg(box, refund.refund_id, leg.leg_id, doubt)
    if first is not None:
        raise first
    return looked_at


def resolve_leg(box: Box, refund: Refund, leg: RefundLeg) -> Refund:
    """Take one step with one leg: send what was never sent, else ask, and send again what never arrived.

    Raises Corrupt when the payment behind its tender is not in the store.
    """
    request = box.store.read(lambda unit: _request(unit, refund, leg))
    try:
        gateway = _gateway(box, leg)
        answer = _step(box, gateway, refund, leg, request)
    except RefundRefused as refusal:
        answer = RefundAnswer(RefundState.CLOSED, detail=f"{refusal.detail}: {refusal}")
    except RefundNeedsFunds as empty:
        answer = RefundAnswer(RefundState.ABSENT, detail=str(empty))
        return settle_leg(box, refund.refund_id, leg.leg_id, answer, person=True)
    except (OutcomeUnknown, Unavailable) as doubt:
        answer = RefundAnswer(RefundState.ABSENT, detail=str(doubt))
    except Invalid as error:
        answer = RefundAnswer(RefundState.CLOSED, detail=str(error))
    return settle_leg(box, refund.refund_id, leg.leg_id, answer)


def ask_gateway(box: Box, refund: Refund, leg: RefundLeg) -> RefundAnswer:
    """Ask what became of a leg, and write it; raise Unavailable when no answer came."""
    request = box.store.read(lambda unit: _request(unit, refund, leg))
    gateway = _gateway(box, leg)
    answer = gateway.query_refund(request.merchant_order_no, request.merchant_refund_no, request.merchant)
    settle_leg(box, refund.refund_id, leg.leg_id, answer)
    return answer


def _step(
    box: Box, gateway: RefundGateway, refund: Refund, leg: RefundLeg, request: RefundRequest
) -> RefundAnswer:
    if leg.state is LegState.INTENDED:
        box.store.write(lambda unit: _mark_submitted(unit, refund, leg, box.clock.now()))
        return gateway.refund(request)
    answer = gateway.query_refund(request.merchant_order_no, request.merchant_refund_no, request.merchant)
    if answer.state is RefundState.ABSENT and leg.state in (LegState.SUBMITTED, LegState.UNKNOWN):
        return gateway.refund(request)
    return answer


def _mark_submitted(unit: Unit, refund: Refund, leg: RefundLeg, now: Instant) -> None:
    current, found = find_leg(unit, refund.refund_id, leg.leg_id)
    if found.state is not LegState.INTENDED:
        raise Corrupt(f"refund leg {leg.merchant_refund_no} is {found.state} already; two workers follow it")
    submitted = advance_leg(found, LegState.SUBMITTED, now.wall_at)
    unit.refunds.put(with_leg(current, submitted, now.wall_at))


def _request(unit: Unit, refund: Refund, leg: RefundLeg) -> RefundRequest:
    order = unit.orders.get(refund.order_id)
    tenders = order.tenders if order else ()
    tender = next((one for one in tenders if one.tender_id == leg.tender_id), None)
    attempt = unit.attempts.get(tender.attempt_id) if tender and tender.attempt_id else None
    if attempt is None:
        raise Corrupt(f"refund {refund.number} has no payment behind tender {leg.tender_id}; call support")
    part = next((one for one in attempt.parts if one.merchant_order_no == leg.part_no), None)
    if leg.part_no and part is None:
        raise Corrupt(f"refund {refund.number}: no part {leg.part_no} was paid; call support")
    return RefundRequest(
        merchant_order_no=part.merchant_order_no if part else attempt.merchant_order_no,
        merchant_refund_no=leg.merchant_refund_no,
        amount_fen=leg.amount_fen,
        total_fen=part.amount_fen if part else attempt.amount_fen,
        reason=refund.reason.encode()[:MAX_REASON_BYTES].decode(errors="ignore"),
        merchant=part.merchant if part else "",
    )


def _gateway(box: Box, leg: RefundLeg) -> RefundGateway:
    try:
        return box.refunders[leg.kind]
    except KeyError:
        raise Unavailable(f"refunds wait for gateway {leg.kind}; configure it again") from None


def _due_legs(refunds: tuple[Refund, ...], now: Instant) -> Iterator[tuple[Refund, RefundLeg]]:
    """Yield what is due; a step planned impossibly far ahead means that the clock was set back."""
    for refund in refunds:
        for leg in refund.legs:
            ahead_ms = leg.next_step_at - now.wall_at
            if leg.state in _FOLLOWED and not 0 < ahead_ms <= 2 * LONGEST_PAUSE_MS:
                yield refund, leg
