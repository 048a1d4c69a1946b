"""A refund: goods or money of one order given back, leg by leg, on the ways by which it was paid.

    intended -> submitted -> done                  closed, abnormal -> replaced
                    |-> processing -> done | abnormal | closed
                    |-> unknown -> processing | done | abnormal | closed
                    |-> abnormal -> done | closed
                    '-> closed

INTENDED is committed before the gateway is called, SUBMITTED is the last thing written before the call. A
leg keeps its refund number for life, so that asking again never gives back twice. Cash is DONE at once.

Rules. Lines: pieces cost their share of what is left of the line, rounded down, and the last piece takes the
rest; an amount of money is spread over the lines by what is left of each, by largest remainder. Tenders: the
latest one first. So every line, tenant and tender closes to zero, to the fen.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from edge.errors import Invalid
from edge.money import allocate, format_yuan
from edge.retail.basket import LineItem
from edge.retail.order import Order, OrderState, Tender

#: Refunds of one order; WeChat Pay takes 50 for one payment.
MAX_REFUNDS = 50

#: The longest reason, in characters; gateways take 80 bytes of UTF-8.
MAX_REASON = 80


class LegState(StrEnum):
    """Where a leg stands; see the module's drawing. ABNORMAL and CLOSED wait for a person."""

    INTENDED = "intended"
    SUBMITTED = "submitted"
    PROCESSING = "processing"
    UNKNOWN = "unknown"
    DONE = "done"
    ABNORMAL = "abnormal"
    CLOSED = "closed"
    REPLACED = "replaced"


_ANSWERS = frozenset({LegState.PROCESSING, LegState.DONE, LegState.ABNORMAL, LegState.CLOSED})

LEG_TRANSITIONS: dict[LegState, frozenset[LegState]] = {
    LegState.INTENDED: frozenset({LegState.SUBMITTED}),
    LegState.SUBMITTED: _ANSWERS | {LegState.UNKNOWN},
    LegState.UNKNOWN: _ANSWERS,
    LegState.PROCESSING: _ANSWERS - {LegState.PROCESSING},
    LegState.ABNORMAL: frozenset({LegState.DONE, LegState.CLOSED, LegState.REPLACED}),
    LegState.CLOSED: frozenset({LegState.REPLACED}),
    LegState.DONE: frozenset(),
    LegState.REPLACED: frozenset(),
}

#: States in which the service itself goes on, and those in which a person must.
MOVING = frozenset({LegState.INTENDED, LegState.SUBMITTED, LegState.UNKNOWN, LegState.PROCESSING})
STUCK = frozenset({LegState.ABNORMAL, LegState.CLOSED})


class RefundPhase(StrEnum):
    """REQUESTED by somebody, APPROVED by a supervisor and on its way, DONE, or REJECTED."""

    REQUESTED = "requested"
    APPROVED = "approved"
    DONE = "done"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class RefundLine:
    """Part of an order's line that is given back. quantity 0: money alone, the goods are kept."""

    line_id: str
    quantity: int
    amount_fen: int


@dataclass(frozen=True, slots=True)
class RefundLeg:
    """The part of a refund that goes back on one tender.

    kind: "cash" or the gateway's name; cash for a tender of a gateway replaces a leg that came to nothing.
    merchant_refund_no: our key at the gateway, unique for life. next_step_at: when it is looked at again.
    polls: how often it was. trail: the last word of the gateway or of the person. part_no: the order number
    of the part that it takes back, where several merchants were paid at once.
    """

    leg_id: str
    tender_id: str
    kind: str
    amount_fen: int
    merchant_refund_no: str
    created_at: int
    next_step_at: int
    state: LegState = LegState.INTENDED
    polls: int = 0
    gateway_refund_id: str | None = None
    trail: str = ""
    closed_at: int | None = None
    part_no: str = ""


@dataclass(frozen=True, slots=True)
class Refund:
    """One refund. number: for people. workstation: whose drawer and printer serve it.

    amount_fen: the sum of lines and of legs that were not replaced; the legs exist once it is approved.
    business_day: ISO date of the day on which it was approved or asked for. cancels_order: the order was
    never completed, and the part that was paid goes back; it has no lines.
    """

    refund_id: str
    order_id: str
    number: str
    workstation: str
    business_day: str
    amount_fen: int
    reason: str
    requested_by: str
    requested_at: int
    lines: tuple[RefundLine, ...] = ()
    legs: tuple[RefundLeg, ...] = ()
    phase: RefundPhase = RefundPhase.REQUESTED
    decided_by: str = ""
    decided_at: int | None = None
    closed_at: int | None = None
    cancels_order: bool = False

    @property
    def holds_money(self) -> bool:
        """Whether its amount is no longer there for another refund."""
        return self.phase in (RefundPhase.APPROVED, RefundPhase.DONE)

    @property
    def moving(self) -> tuple[RefundLeg, ...]:
        """The legs that the service follows up."""
        return tuple(leg for leg in self.legs if leg.state in MOVING)

    @property
    def stuck(self) -> tuple[RefundLeg, ...]:
        """The legs that wait for a person."""
        return tuple(leg for leg in self.legs if leg.state in STUCK)


@dataclass(frozen=True, slots=True)
class LineLeft:
    """What may still be given back of a line: pieces and money."""

    line: LineItem
    quantity: int
    amount_fen: int


@dataclass(frozen=True, slots=True)
class TenderLeft:
    """What may still be given back of a tender."""

    tender: Tender
    amount_fen: int


@dataclass(frozen=True, slots=True)
class Refundable:
    """What may still be given back of an order; what other refunds hold is taken off."""

    lines: tuple[LineLeft, ...]
    tenders: tuple[TenderLeft, ...]

    @property
    def amount_fen(self) -> int:
        """All that may still be given back."""
        return sum(left.amount_fen for left in self.tenders)


def refundable(order: Order, refunds: Sequence[Refund]) -> Refundable:
    """Return what may still be given back of `order`; `refunds` are all of its refunds."""
    holding = [refund for refund in refunds if refund.holds_money]
    legs = [leg for refund in holding for leg in refund.legs if leg.state is not LegState.REPLACED]
    given = [line for refund in holding for line in refund.lines]
    lines = tuple(_line_left(line, given) for line in order.lines)
    tenders = tuple(_tender_left(tender, legs) for tender in order.tenders)
    return Refundable(lines if order.state is OrderState.PAID else (), tenders)


def refunded_fen(refunds: Sequence[Refund]) -> int:
    """Return what is held or was given back by these refunds."""
    return sum(refund.amount_fen for refund in refunds if refund.holds_money)


def all_lines(left: Refundable) -> tuple[RefundLine, ...]:
    """Return everything that is left of an order."""
    lines = (RefundLine(one.line.line_id, one.quantity, one.amount_fen) for one in left.lines)
    return _need_some(tuple(line for line in lines if line.quantity or line.amount_fen))


def pick_lines(left: Refundable, quantities: Mapping[str, int]) -> tuple[RefundLine, ...]:
    """Return so many pieces of each line (by line id); a weighed article is one piece.

    Raises Invalid for a line that is not there and for more pieces than are left.
    """
    unknown = sorted(set(quantities) - {one.line.line_id for one in left.lines})
    if unknown:
        raise Invalid(f"line {unknown[0]} is not in this order; look at it again")
    wanted = ((one, quantities.get(one.line.line_id, 0)) for one in left.lines)
    return _need_some(tuple(_pieces(one, quantity) for one, quantity in wanted if quantity))


def share_amount(
    left: Refundable, amount_fen: int, line_ids: Sequence[str] | None = None
) -> tuple[RefundLine, ...]:
    """Return an amount of money spread over the lines (all of them without `line_ids`), goods kept.

    Raises Invalid for an amount that is not positive or more than is left of them.
    """
    lines = [one for one in left.lines if line_ids is None or one.line.line_id in line_ids]
    there_fen = sum(one.amount_fen for one in lines)
    if not 0 < amount_fen <= there_fen:
        raise Invalid(
            f"{format_yuan(amount_fen)} yuan cannot be given back: {format_yuan(there_fen)} are left here"
        )
    parts = allocate(amount_fen, [one.amount_fen for one in lines])
    return tuple(
        RefundLine(one.line.line_id, 0, part) for one, part in zip(lines, parts, strict=True) if part
    )


def spread(tenders: Sequence[TenderLeft], amount_fen: int) -> tuple[tuple[Tender, int], ...]:
    """Return how much of `amount_fen` goes back on each tender: the latest tender first.

    tenders: in the order of tendering. Raises Invalid for more than is left on them.
    """
    missing_fen, parts = amount_fen, []
    for left in reversed(tenders):
        part_fen = min(left.amount_fen, missing_fen)
        if part_fen:
            parts.append((left.tender, part_fen))
            missing_fen -= part_fen
    if missing_fen:
        raise Invalid(f"{format_yuan(missing_fen)} yuan more than is left on the tenders; look again")
    return tuple(parts)


def advance_leg(leg: RefundLeg, state: LegState, at: int, trail: str = "") -> RefundLeg:
    """Return the leg in `state`; raise Invalid for a transition that is not in the drawing."""
    if state not in LEG_TRANSITIONS[leg.state]:
        raise Invalid(f"refund leg {leg.merchant_refund_no} is {leg.state}; it cannot become {state}")
    closed_at = None if state in MOVING else at
    return replace(leg, state=state, trail=trail or leg.trail, closed_at=closed_at)


def with_leg(refund: Refund, leg: RefundLeg, at: int) -> Refund:
    """Return the refund with this leg added or changed: DONE while every leg is done or replaced."""
    others = {one.leg_id: one for one in refund.legs}
    legs = tuple({**others, leg.leg_id: leg}.values())
    changed = replace(refund, legs=legs)
    if all(one.state in (LegState.DONE, LegState.REPLACED) for one in legs):
        return replace(changed, phase=RefundPhase.DONE, closed_at=at)
    return replace(changed, phase=RefundPhase.APPROVED, closed_at=None)


def reject(refund: Refund, by: str, at: int) -> Refund:
    """Return a requested refund as turned down; raise Invalid once it was decided."""
    need_requested(refund)
    return replace(refund, phase=RefundPhase.REJECTED, decided_by=by, decided_at=at, closed_at=at)


def need_requested(refund: Refund) -> None:
    """Raise Invalid unless the refund waits for a decision."""
    if refund.phase is not RefundPhase.REQUESTED:
        raise Invalid(f"refund {refund.number} is {refund.phase} already; look at it again")


def _line_left(line: LineItem, given: Sequence[RefundLine]) -> LineLeft:
    mine = [one for one in given if one.line_id == line.line_id]
    quantity = line.quantity - sum(one.quantity for one in mine)
    return LineLeft(line, quantity, line.amount_fen - sum(one.amount_fen for one in mine))


def _tender_left(tender: Tender, legs: Sequence[RefundLeg]) -> TenderLeft:
    held_fen = sum(leg.amount_fen for leg in legs if leg.tender_id == tender.tender_id)
    return TenderLeft(tender, tender.amount_fen - held_fen)


def _pieces(left: LineLeft, quantity: int) -> RefundLine:
    if not 0 < quantity <= left.quantity:
        raise Invalid(f"{left.line.name}: {quantity} pieces asked for, {left.quantity} may still come back")
    amount_fen = left.amount_fen if quantity == left.quantity else left.amount_fen * quantity // left.quantity
    return RefundLine(left.line.line_id, quantity, amount_fen)


def _need_some(lines: tuple[RefundLine, ...]) -> tuple[RefundLine, ...]:
    if not sum(line.amount_fen for line in lines):
        raise Invalid("nothing is left to give back for this choice; look at the order's refunds")
    return lines
