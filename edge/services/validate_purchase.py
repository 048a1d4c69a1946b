"""What was spent pays the parking: a paid order validates its shopper's stay, and a refund takes that back.

Everything here is in the unit of work that closes or refunds the order, and asks nobody outside this box.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from edge.clock import Instant
from edge.errors import Declined, Invalid
from edge.parking.plate import mask_plate
from edge.parking.stay_charge import PARKING_SKU
from edge.parking.validation import (
    SERVICE,
    Holder,
    Purchase,
    SourceKind,
    Validation,
    ValidationState,
    counted,
    regrant,
    revoke,
    tidy_plate,
)
from edge.parking.validation_rule import (
    AtLimit,
    Earned,
    Recount,
    ValidationRule,
    decide,
    over_quota,
    quota_of,
    source_of,
)
from edge.retail.order import Order, OrderState
from edge.services.box import Box
from edge.services.records import Unit
from edge.services.validation_events import tell_validation
from edge.services.validation_records import Claim


@dataclass(frozen=True, slots=True)
class Validated:
    """What came of trying to validate: what holds now for an order, and in words why not more."""

    validations: tuple[Validation, ...] = ()
    reasons: tuple[str, ...] = ()


def validate_purchase(unit: Unit, box: Box, order: Order, now: Instant) -> Validated:
    """Validate the stay that the order's basket named, in the unit that paid the order; once for all."""
    claim = unit.validations.claim(order.basket_id)
    if claim is None or claim.no_car:
        return Validated()
    return _count(unit, box, order, claim, SourceKind.SPEND, now)


def validate_by_receipt(box: Box, token: str, plate: str) -> Validated:
    """Validate a plate by a receipt's page or its paid screen; the same as if it had been given at the till.

    Raises Invalid for what is no plate and for an unknown receipt; Declined when the receipt has validated
    another plate, or was issued so long ago that its parking would be over.
    """
    tidy = tidy_plate(plate)
    now = box.clock.now()

    def work(unit: Unit) -> Validated:
        receipt = unit.receipts.by_token(token)
        order = unit.orders.get(receipt.order_id) if receipt else None
        if order is None or order.state is not OrderState.PAID:
            raise Invalid("there is no such receipt; scan the code on the paper again")
        return count_paid(unit, box, order, Holder(plate=tidy), now)

    return box.store.write(work)


def count_paid(unit: Unit, box: Box, order: Order, holder: Holder, now: Instant, tier: str = "") -> Validated:
    """Validate by an order that is paid already; raise Declined when it was counted for somebody else."""
    known = unit.validations.purchase(order.order_id)
    if known is not None and known.holder.key != holder.key:
        shown = mask_plate(known.holder.plate) or "a member's car"
        raise Declined(f"receipt {order.number} has validated {shown} already")
    claim = Claim(order.basket_id, holder, now.wall_at, tier=tier)
    unit.validations.put_claim(claim)
    return _count(unit, box, order, claim, SourceKind.RECEIPT, now)


def revalidate_order(unit: Unit, box: Box, order_id: str, now: Instant) -> Validated:
    """Count an order again after a refund: what it no longer reaches is revoked unless it is used.

    The fee follows, as it is quoted anew each time; of a fee paid on its strength the rest is due again.
    """
    purchase = unit.validations.purchase(order_id)
    order = unit.orders.get(order_id)
    if purchase is None or order is None:
        return Validated()
    unit.validations.put_purchase(replace(purchase, spent_fen=spent_by_tenant(unit, order)))
    return _recount(unit, box, purchase, now)


def count_order(unit: Unit, box: Box, order: Order, claim: Claim, way: SourceKind, now: Instant) -> Validated:
    """Count a paid order for the stay that a claim names; counting it again changes nothing."""
    return _count(unit, box, order, claim, way, now)


def put_granted(
    unit: Unit, box: Box, validation: Validation, now: Instant
) -> tuple[Validation | None, tuple[str, ...]]:
    """Write a grant within its merchant's quotas; return it, or None with why nothing was granted.

    At a quota's limit it is refused, or borne by the mall, as the quota says.
    """
    plan = box.parking.validation
    minutes, fen = counted(validation.grant, plan.worth)
    one = replace(validation, minutes_counted=minutes, fen_counted=fen)
    reasons: list[str] = []
    for quota in quota_of(plan, one.merchant):
        tally = unit.validations.tally(one.merchant, quota.period, one.day)
        if not over_quota(quota, tally, one.grant, plan.worth):
            continue
        words = f"{one.merchant}: {quota.limit} {quota.unit} a {quota.period} are given away"
        if quota.at_limit is AtLimit.REFUSE:
            return None, (*reasons, words)
        reasons.append(f"{words}; the mall bears it")
        one = replace(one, merchant="")
        break
    unit.validations.put(one)
    tell_validation(unit, box, one, now)
    return one, tuple(reasons)


def _count(unit: Unit, box: Box, order: Order, claim: Claim, way: SourceKind, now: Instant) -> Validated:
    purchase = unit.validations.purchase(order.order_id)
    if purchase is None:
        purchase = Purchase(
            order.order_id,
            order.number,
            claim.holder,
            order.business_day,
            order.closed_at or now.wall_at,
            spent_by_tenant(unit, order),
            claim.tier,
            way,
        )
        unit.validations.put_purchase(purchase)
    return _recount(unit, box, purchase, now)


def _recount(unit: Unit, box: Box, purchase: Purchase, now: Instant) -> Validated:
    """Bring all validations of one shopper's day in line with what was spent."""
    key, day = purchase.holder.key, purchase.day
    purchases = unit.validations.purchases(key, day)
    known = unit.validations.of_shopper(key, day)
    reasons: list[str] = []
    for rule in box.parking.validation.rules:
        if not rule.steps[0].from_fen:
            continue
        mine = [one for one in known if one.rule_id == rule.rule_id]
        reasons += _apply(unit, box, rule, decide(rule, purchases, mine), now)
    held = unit.validations.of_shopper(key, day)
    counting = tuple(one for one in held if one.state in (ValidationState.GRANTED, ValidationState.USED))
    return Validated(counting, tuple(reasons))


def _apply(unit: Unit, box: Box, rule: ValidationRule, decision: Recount, now: Instant) -> list[str]:
    reasons = list(decision.reasons)
    for one, why in decision.revoke:
        taken = revoke(one, SERVICE, why, now.wall_at)
        unit.validations.put(taken)
        tell_validation(unit, box, taken, now)
    for one in decision.regrant:
        reasons += _give(unit, box, regrant(one), now)
    for owed in decision.grant:
        reasons += _give(unit, box, _validation(box, rule, owed, now), now)
    return reasons


def _give(unit: Unit, box: Box, one: Validation, now: Instant) -> Sequence[str]:
    if one.expires_at <= now.wall_at:
        return [f"{one.reference}: it is too late for this receipt"]
    return put_granted(unit, box, one, now)[1]


def _validation(box: Box, rule: ValidationRule, owed: Earned, now: Instant) -> Validation:
    purchase = owed.purchase
    return Validation(
        validation_id=box.ids.new_id(),
        holder=purchase.holder,
        grant=owed.grant,
        merchant=rule.merchant,
        source=source_of(purchase, rule),
        source_ref=owed.source_ref,
        granted_at=now.wall_at,
        expires_at=owed.expires_at,
        day=purchase.day,
        reference=purchase.number,
        order_id=purchase.order_id,
        shopper=purchase.holder.key,
        rule_id=rule.rule_id,
        order=rule.order,
    )


def spent_by_tenant(unit: Unit, order: Order) -> dict[str, int]:
    """Return what an order spent by tenant, after what was given back of it; parking fees are no purchase."""
    goods = [line for line in order.lines if line.sku != PARKING_SKU]
    tenants = {line.line_id: line.tenant_id for line in goods}
    spent: dict[str, int] = {}
    for line in goods:
        spent[line.tenant_id] = spent.get(line.tenant_id, 0) + line.amount_fen
    for refund in unit.refunds.of_order(order.order_id):
        for part in refund.lines if refund.holds_money else ():
            if part.line_id in tenants:
                spent[tenants[part.line_id]] -= part.amount_fen
    return spent
