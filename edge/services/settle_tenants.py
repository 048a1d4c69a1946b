"""Whose money an order's is: commission, what reached the tenants, and what is to go on.

Everything here is written in the unit of work that completes an order, approves a refund or hears that money
has moved, so that the books between mall and tenants close with every step.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial

from edge.clock import Instant
from edge.money import allocate
from edge.retail.attempt import AttemptState, PaymentAttempt
from edge.retail.basket import LineItem
from edge.retail.money_share import (
    MoneyShare,
    PaymentSplit,
    ShareReturn,
    ShareState,
    SplitState,
    TenantTerms,
    commission_of,
    left_of_tender,
    plan_shares,
    to_return,
)
from edge.retail.order import Order, Tender
from edge.retail.refund import Refund, RefundLeg, refundable
from edge.retail.split import OrderPart, amounts_by_tenant
from edge.retail.tenant_ledger import post_commission, post_reached
from edge.services.box import Box
from edge.services.events import EventKind, record_event
from edge.services.records import Unit
from edge.services.split_events import order_split, tickets_merged

#: Sharing begins so long after the payment; gateways take it from a minute on.
SHARE_AFTER_MS = 90_000


def waits_to_be_shared(box: Box, lines: Iterable[LineItem], gateway: str) -> bool:
    """Return whether a payment of these lines to the mall's number is to wait, as part of it goes on."""
    splitter = box.splitters.get(gateway)
    if splitter is None or not splitter.most_permille:
        return False
    return any(box.tenant(line.tenant_id).merchant for line in lines)


def settle_tenants(unit: Unit, box: Box, order: Order, now: Instant) -> None:
    """Book a paid order between the mall and its tenants, and plan what goes on of its payments."""
    terms = _terms(box, order)
    unit.splits.put_terms(order.order_id, terms)
    commission = {
        tenant: commission_of(fen, terms[tenant].commission_permille)
        for tenant, fen in amounts_by_tenant(order.lines).items()
        if tenant in terms
    }
    where = (now.wall_at, order.order_id)
    posting = post_commission(box.ids.new_id(), "commission", order.order_id, commission, *where)
    if posting is not None:
        unit.ledger.post(posting)
    for tender in order.tenders:
        attempt = unit.attempts.get(tender.attempt_id) if tender.attempt_id else None
        if attempt is not None:
            _settle_payment(unit, box, order, tender, attempt, terms, now)
    _tell(unit, box, order, terms, commission, now)


def resettle_tenants(unit: Unit, box: Box, order: Order, refund: Refund, now: Instant) -> None:
    """Take back commission and shares of what an approved refund, written already, gives back."""
    if refund.cancels_order:
        return
    terms = unit.splits.terms(order.order_id)
    refunds = unit.refunds.of_order(order.order_id)
    before = _left(order, [one for one in refunds if one.refund_id != refund.refund_id])
    after = _left(order, refunds)
    back = {
        tenant: commission_of(after.get(tenant, 0), one.commission_permille)
        - commission_of(before.get(tenant, 0), one.commission_permille)
        for tenant, one in terms.items()
    }
    where = (now.wall_at, order.order_id)
    posting = post_commission(box.ids.new_id(), "commission_back", refund.refund_id, back, *where)
    if posting is not None:
        unit.ledger.post(posting)
    for split in unit.splits.of_order(order.order_id):
        _replan(unit, box, order, refunds, split, refund, terms, now)


def unreach(unit: Unit, box: Box, refund: Refund, leg: RefundLeg, now: Instant) -> None:
    """Book that a part of a combined payment went back from its tenants' number; cash is the mall's own."""
    order = unit.orders.get(refund.order_id)
    if not leg.part_no or leg.kind == "cash" or order is None:
        return
    tender = next((one for one in order.tenders if one.tender_id == leg.tender_id), None)
    attempt = unit.attempts.get(tender.attempt_id) if tender and tender.attempt_id else None
    parts = attempt.parts if attempt else ()
    part = next((one for one in parts if one.merchant_order_no == leg.part_no), None)
    if part is None or not part.merchant:
        return
    tenants = {line.line_id: line.tenant_id for line in order.lines}
    wanted: dict[str, int] = dict.fromkeys(part.tenants, 0)
    for line in refund.lines:
        if tenants[line.line_id] in wanted:
            wanted[tenants[line.line_id]] += line.amount_fen
    amounts = _spread(-leg.amount_fen, wanted, amounts_by_tenant(order.lines))
    _reached(unit, box, "reached_back", leg.leg_id, leg.kind, amounts, order.order_id, now)


def book_shares(unit: Unit, box: Box, split: PaymentSplit, now: Instant) -> None:
    """Book the shares of a finished split that arrived."""
    amounts: dict[str, int] = {}
    for one in split.shares:
        if one.state is ShareState.DONE:
            fen = one.amount_fen if not split.payee else -one.amount_fen
            amounts[one.tenant_id] = amounts.get(one.tenant_id, 0) + fen
    _reached(unit, box, "share", split.split_id, split.gateway, amounts, split.order_id, now)


def book_return(unit: Unit, box: Box, split: PaymentSplit, returned: ShareReturn, now: Instant) -> None:
    """Book a share that came back."""
    fen = -returned.amount_fen if not split.payee else returned.amount_fen
    amounts = {returned.tenant_id: fen}
    _reached(unit, box, "share_back", returned.return_id, split.gateway, amounts, split.order_id, now)


def _tell(
    unit: Unit,
    box: Box,
    order: Order,
    terms: dict[str, TenantTerms],
    commission: dict[str, int],
    now: Instant,
) -> None:
    tell = partial(record_event, unit, box.ids, now, box.origin)
    attempts = [one for one in unit.attempts.of_order(order.order_id) if one.state is AttemptState.APPROVED]
    splits = unit.splits.of_order(order.order_id)
    if splits or any(commission.values()) or any(one.parts for one in attempts):
        data = order_split(order, attempts, splits, terms, commission)
        tell(EventKind.ORDER_SPLIT, order.order_id, data)
    if unit.collections.of_basket(order.basket_id):
        data = tickets_merged(order, unit.tickets.of_order(order.order_id))
        tell(EventKind.TICKETS_MERGED, order.order_id, data)


def _settle_payment(
    unit: Unit,
    box: Box,
    order: Order,
    tender: Tender,
    attempt: PaymentAttempt,
    terms: Mapping[str, TenantTerms],
    now: Instant,
) -> None:
    lines = amounts_by_tenant(order.lines)
    for part in attempt.parts:
        amounts = _spread(part.amount_fen, {one: lines.get(one, 0) for one in part.tenants}, lines)
        if part.merchant:
            number = part.merchant_order_no
            _reached(unit, box, "reached", number, attempt.gateway, amounts, order.order_id, now)
        if part.frozen:
            _plan(unit, box, order, tender, attempt, terms, now, amounts, part)
    if attempt.frozen and not attempt.parts:
        amounts = _spread(tender.amount_fen, lines, lines)
        _plan(unit, box, order, tender, attempt, terms, now, amounts, None)


def _plan(
    unit: Unit,
    box: Box,
    order: Order,
    tender: Tender,
    attempt: PaymentAttempt,
    terms: Mapping[str, TenantTerms],
    now: Instant,
    amounts: Mapping[str, int],
    part: OrderPart | None,
) -> None:
    split_id = box.ids.new_id()
    payee = part.merchant if part else ""
    unit.splits.put(
        PaymentSplit(
            split_id=split_id,
            order_id=order.order_id,
            tender_id=tender.tender_id,
            gateway=attempt.gateway,
            payee=payee,
            transaction_id=(part.transaction_id if part else attempt.transaction_id) or "",
            amount_fen=part.amount_fen if part else tender.amount_fen,
            sharing_no=split_id.replace("-", ""),
            created_at=now.wall_at,
            next_step_at=now.wall_at + SHARE_AFTER_MS,
            tenants=part.tenants if part else (),
            shares=plan_shares(amounts, terms, _most(box, attempt.gateway), payee),
        )
    )


def _replan(
    unit: Unit,
    box: Box,
    order: Order,
    refunds: Sequence[Refund],
    split: PaymentSplit,
    refund: Refund,
    terms: Mapping[str, TenantTerms],
    now: Instant,
) -> None:
    left = left_of_tender(order, refunds, split.tender_id)
    mine = {one: fen for one, fen in left.items() if not split.tenants or one in split.tenants}
    planned = plan_shares(mine, terms, _most(box, split.gateway), split.payee) if sum(mine.values()) else ()
    if split.state is SplitState.PLANNED and all(one.state is ShareState.PLANNED for one in split.shares):
        unit.splits.put(replace(split, shares=_never_more(planned, split.shares)))
        return
    for one in to_return(split, unit.splits.returns_of(split.split_id), planned):
        return_id = box.ids.new_id()
        unit.splits.put_return(
            ShareReturn(
                *(return_id, split.split_id, refund.refund_id, one.tenant_id, one.merchant, one.amount_fen),
                *(return_id.replace("-", ""), now.wall_at, now.wall_at),
            )
        )


def _never_more(planned: Sequence[MoneyShare], before: Sequence[MoneyShare]) -> tuple[MoneyShare, ...]:
    """Return the plan without anybody getting more by a refund, as rounding could have it."""
    had = {one.tenant_id: one.amount_fen for one in before}
    less = (replace(one, amount_fen=min(one.amount_fen, had.get(one.tenant_id, 0))) for one in planned)
    return tuple(one for one in less if one.amount_fen)


def _terms(box: Box, order: Order) -> dict[str, TenantTerms]:
    tenants = (box.tenant(one) for one in amounts_by_tenant(order.lines))
    return {
        one.tenant_id: TenantTerms(one.merchant, one.commission_permille)
        for one in tenants
        if one.merchant or one.commission_permille
    }


def _left(order: Order, refunds: Sequence[Refund]) -> dict[str, int]:
    amounts: dict[str, int] = {}
    for one in refundable(order, refunds).lines:
        amounts[one.line.tenant_id] = amounts.get(one.line.tenant_id, 0) + one.amount_fen
    return amounts


def _most(box: Box, gateway: str) -> int:
    splitter = box.splitters.get(gateway)
    return splitter.most_permille if splitter is not None else 0


def _spread(amount_fen: int, wanted: Mapping[str, int], lines: Mapping[str, int]) -> dict[str, int]:
    """Return an amount by tenant: as wanted, else as their lines were, else all to the first."""
    weights = list(wanted.values())
    if not sum(weights):
        weights = [lines.get(tenant, 0) for tenant in wanted]
    if not sum(weights):
        weights = [1] + [0] * (len(wanted) - 1)
    return dict(zip(wanted, allocate(amount_fen, weights), strict=True))


def _reached(
    unit: Unit,
    box: Box,
    kind: str,
    reference: str,
    gateway: str,
    amounts: Mapping[str, int],
    order_id: str,
    now: Instant,
) -> None:
    posting = post_reached(box.ids.new_id(), kind, reference, gateway, amounts, now.wall_at, order_id)
    if posting is not None:
        unit.ledger.post(posting)
