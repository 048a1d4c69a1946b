"""One payment for the tickets of several guides: each ticket's money is credited over its own way."""

from __future__ import annotations

from collections.abc import Mapping

from edge.clock import Instant
from edge.members.attribution import AttributionRule, Credit, credit, touches_of
from edge.members.conversion import Conversion
from edge.members.touchpoint import TouchpointKind, touchpoint_id
from edge.retail.order import Order
from edge.services.journey_records import LinkKind
from edge.services.records import Unit

Steps = Mapping[str, Conversion]


def ticket_steps(unit: Unit, order: Order) -> dict[str, Conversion]:
    """Return the steps of the ways of all tickets that an order pays, by their ids."""
    ways = (
        unit.journeys.linked(LinkKind.TICKET, one.ticket_id) for one in unit.tickets.of_order(order.order_id)
    )
    steps = (step for way in ways if way for step in unit.journeys.steps(way))
    return {one.conversion_id: one for one in steps}


def credit_tickets(
    unit: Unit, rule: AttributionRule, order: Order, steps: Steps, goods_fen: int, now: Instant
) -> tuple[Credit, ...] | None:
    """Return the credits of an order that pays tickets of several guides; None for any other.

    What is no ticket's is credited over all steps. The till that took the money has sold no ticket: it is no
    touch of them. The credits sum to `goods_fen`.
    """
    tickets = unit.tickets.of_order(order.order_id)
    if len({one.guide_id for one in tickets}) < 2:
        return None
    till = touchpoint_id(TouchpointKind.WORKSTATION, order.workstation)
    found: list[Credit] = []
    rest_fen = goods_fen
    for ticket in tickets:
        way = unit.journeys.linked(LinkKind.TICKET, ticket.ticket_id)
        own = [one for one in unit.journeys.steps(way) if one.touchpoint != till] if way else []
        credits = credit(rule, touches_of(own, rule, now.wall_at), ticket.total_fen)
        found += credits
        rest_fen -= ticket.total_fen if credits else 0
    found += credit(rule, touches_of(steps.values(), rule, now.wall_at), rest_fen) if rest_fen else ()
    return _joined(found)


def _joined(credits: list[Credit]) -> tuple[Credit, ...]:
    """Return the credits with those of the same touch as one."""
    sums: dict[tuple[str, str, str], int] = {}
    for one in credits:
        key = (one.touchpoint, one.guide, one.campaign)
        sums[key] = sums.get(key, 0) + one.amount_fen
    return tuple(Credit(*key, fen) for key, fen in sums.items())
