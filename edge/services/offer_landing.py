"""Which page after payment an order ends on: chosen once, kept with the order, counted with its events."""

from __future__ import annotations

from dataclasses import replace

from edge.clock import Instant
from edge.members.bandit import VariantArm, choose_variant, seed_of
from edge.members.landing import LandingPage, choose_landing, tenants_by_share
from edge.members.landing_version import (
    LandingSlot,
    LandingVersion,
    Occasion,
    choose_version,
    given_version,
)
from edge.retail.order import Order
from edge.services.box import Box, WorkstationKind
from edge.services.events import EventKind, Surface, record_event
from edge.services.journey_records import LinkKind
from edge.services.landing_events import landing_data
from edge.services.landing_records import ShownLanding
from edge.services.records import Unit
from edge.services.stay_lines import asks_for_stays

_OCCASIONS = {
    WorkstationKind.KIOSK: Occasion.KIOSK,
    WorkstationKind.TILL: Occasion.COUNTER,
    WorkstationKind.COUNTER: Occasion.COUNTER,
    WorkstationKind.LANE: Occasion.PARKING,
    WorkstationKind.PHONE: Occasion.PHONE,
}
_SURFACES = {WorkstationKind.PHONE: Surface.PHONE}


def offer_landing(unit: Unit, box: Box, order: Order, now: Instant) -> ShownLanding | None:
    """Choose, keep and count the page of an order that was just paid, and tell HQ; None without any page.

    Call it in the transaction that completed the order; a second call for an order changes nothing.
    """
    known = unit.landings.shown_of(order.order_id)
    if known is not None:
        return known
    place = box.workstations.get(order.workstation)
    kind = place.kind if place else WorkstationKind.PHONE
    occasion = Occasion.PARKING if order.lines and asks_for_stays(order.lines) else _OCCASIONS[kind]
    version = find_version(unit, _spent(order), occasion, _campaign_of(unit, order), now.wall_at)
    if version is None:
        return None
    shopper = _shopper_of(unit, order)
    variant = assign_variant(unit, version, shopper)
    shown = ShownLanding(order.order_id, version.slot, version.number, variant, shopper, now.wall_at)
    unit.landings.put_shown(shown)
    page = _named(version, variant)
    data = landing_data(page, order, _SURFACES.get(kind, Surface.KIOSK), shown)
    record_event(unit, box.ids, now, box.origin, EventKind.LANDING_SHOWN, order.order_id, data)
    return shown


def find_version(
    unit: Unit, spent_fen: dict[str, int], occasion: Occasion, campaign: str, at: int
) -> LandingVersion | None:
    """Return what is in force for an occasion; a published version goes before a given page of its tenant."""
    return choose_version(current_versions(unit, spent_fen, at), spent_fen, occasion, campaign)


def current_versions(unit: Unit, spent_fen: dict[str, int], at: int) -> list[LandingVersion]:
    """Return what is in force of an order's tenants and of the mall, one for each slot."""
    given = {page.tenant_id: given_version(page) for page in unit.landings.pages()}
    held: list[LandingVersion] = []
    for tenant in tenants_by_share(spent_fen):
        current = [one for one in unit.landings.current(tenant, at) if one.variants]
        plain = any(one.slot == LandingSlot(tenant) for one in current)
        held += current if plain or tenant not in given else [*current, given[tenant]]
    return held


def assign_variant(unit: Unit, version: LandingVersion, shopper: str) -> str:
    """Return the variant that this shopper sees: the one of their last visit, or a new choice."""
    known = unit.landings.assigned(version.slot, version.number, shopper)
    if known in {one.name for one in version.variants}:
        return known
    seed = seed_of(version.slot.landing_id, str(version.number), shopper)
    return choose_variant(arms_of(unit, version), version.rule, seed)


def arms_of(unit: Unit, version: LandingVersion) -> tuple[VariantArm, ...]:
    """Return a version's variants with their counts."""
    counts = {one.variant: one for one in unit.landings.counts(version.slot, version.number)}
    return tuple(
        VariantArm(one.name, one.weight, counts[one.name].shown, counts[one.name].acted)
        if one.name in counts
        else VariantArm(one.name, one.weight)
        for one in version.variants
    )


def landing_of(unit: Unit, order: Order) -> LandingPage | None:
    """Return the page that an order ended on, after a refund the refund's, where there is one.

    Of an order from before such were kept it is its tenants' page.
    """
    shown = shown_now(unit, order.order_id)
    page = page_of(unit, shown) if shown else None
    if page is not None or (shown is not None and shown.number):
        return page
    return choose_landing(unit.landings.pages(), _spent(order))


def shown_now(unit: Unit, order_id: str) -> ShownLanding | None:
    """Return what an order's receipt shows by now."""
    return unit.landings.shown_of(refund_key(order_id)) or unit.landings.shown_of(order_id)


def refund_key(order_id: str) -> str:
    """Return by what the page is kept that a refunded order's receipt shows."""
    return f"{order_id}.refund"


def page_of(unit: Unit, shown: ShownLanding) -> LandingPage | None:
    """Return what was shown; None when it was a given page that is there no more."""
    if shown.number == 0:
        given = {page.tenant_id: page for page in unit.landings.pages()}
        return given.get(shown.slot.tenant_id)
    version = unit.landings.version(shown.slot, shown.number)
    return None if version is None else _named(version, shown.variant)


def shopper_key(kind: str, value: str) -> str:
    """Return by what a shopper's variants are kept. kind: "member", "payer" or "way"."""
    return f"{kind}:{seed_of('shopper', kind, value):016x}"


def way_of(unit: Unit, order: Order) -> str:
    """Return the correlation id of the shopper's way that an order belongs to, "" without one."""
    known = unit.journeys.linked(LinkKind.ORDER, order.order_id)
    return known or unit.journeys.linked(LinkKind.BASKET, order.basket_id)


def _named(version: LandingVersion, variant: str) -> LandingPage:
    page = version.page_of(variant)
    if version.number == 0:
        return page
    return replace(page, landing_id=version.slot.landing_id, tenant_id=version.slot.tenant_id)


def _spent(order: Order) -> dict[str, int]:
    spent: dict[str, int] = {}
    for line in order.lines:
        spent[line.tenant_id] = spent.get(line.tenant_id, 0) + line.amount_fen
    return spent


def _shopper_of(unit: Unit, order: Order) -> str:
    """Return a key that is the same at a shopper's next visit: member, payer, or way; else the order's id.

    Identities are kept as hashes; they serve no other end than to see the same page again.
    """
    claim = unit.validations.claim(order.basket_id)
    if claim is not None and claim.holder.member_id:
        return shopper_key("member", claim.holder.member_id)
    payers = [one.payer for one in unit.attempts.of_order(order.order_id) if one.payer]
    if payers:
        return shopper_key("payer", str(payers[-1]))
    way = way_of(unit, order)
    return shopper_key("way", way) if way else order.order_id


def _campaign_of(unit: Unit, order: Order) -> str:
    way = way_of(unit, order)
    journey = unit.journeys.get(way) if way else None
    return journey.campaign if journey else ""
