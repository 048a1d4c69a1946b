"""Credit a paid order to the touches that led to it, and take that back with refunds.

Everything here is in the unit of work that completes or refunds the order: a sale is credited exactly when it
is paid, once, and HQ is told with its whole chain.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

from edge.clock import Instant
from edge.members.attribution import DAY_MS, Attribution, Touch, credit, explain, rescale, touches_of
from edge.members.commission import CommissionEntry, commission_due, taken_back
from edge.members.conversion import ConversionStep
from edge.members.guide_task import LifeCycle, meet_task
from edge.members.landing import LandingPage
from edge.members.touchpoint import TouchpointKind, touchpoint_id
from edge.parking.stay_charge import PARKING_SKU
from edge.retail.order import Order
from edge.retail.refund import Refund
from edge.services.box import Box
from edge.services.business_day import business_day, day_of
from edge.services.conversion_events import guide_task_told, sale_attributed, sale_reversed
from edge.services.credit_tickets import credit_tickets, ticket_steps
from edge.services.events import EventKind, record_event
from edge.services.identify_member import order_member
from edge.services.record_conversion import Details, record_conversion, way_of_order
from edge.services.records import Unit
from edge.services.touch_rules import TouchRules


def note_sale(
    unit: Unit,
    box: Box,
    order: Order,
    now: Instant,
    landing: LandingPage | None = None,
    *,
    parked: bool = False,
) -> None:
    """Record what a paid order is on its way, credit it, earn its commission and meet its member's tasks.

    landing: the page that is shown after it. parked: it validated parking. A second call for the
    same order changes nothing.
    """
    rules = box.touch
    if rules is None or unit.credits.get(order.order_id) is not None:
        return
    way = way_of_order(unit, box, order, now)
    member_id, tenant = order_member(unit, order.order_id), _tenant(order)
    place = _place(unit, order)
    step = partial(record_conversion, unit, box, correlation=way, now=now)
    if member_id:
        step(ConversionStep.IDENTIFIED, touchpoint=place, details=Details(member_id=member_id))
    sale, touches = _credited(unit, rules, order, way, member_id, now)
    details = Details(tenant_id=tenant, member_id=member_id, order_id=order.order_id)
    for what in _came_to(unit, box, order, sale, parked):
        goods_fen = sale.amount_fen if what is ConversionStep.BOUGHT else 0
        step(what, touchpoint=place, details=replace(details, amount_fen=goods_fen))
    if landing is not None:
        _show(unit, order, landing, step)
    _write(unit, box, rules, sale, touches, now)
    if member_id:
        _live(unit, box, sale, tenant, now)


def reverse_sale(unit: Unit, box: Box, order: Order, refund: Refund, now: Instant) -> None:
    """Take out of a credited sale what a refund gave back of its goods, with the commission on it."""
    sale = unit.credits.get(order.order_id)
    if box.touch is None or sale is None:
        return
    goods = {line.line_id for line in order.lines if line.sku != PARKING_SKU}
    back_fen = sum(line.amount_fen for line in refund.lines if line.line_id in goods)
    if not back_fen:
        return
    left = replace(sale, left_fen=max(0, sale.left_fen - back_fen))
    unit.credits.put(left)
    credits = rescale(left.credits, left.left_fen)
    posted = []
    for due, fen in taken_back(credits, unit.credits.entries(order.order_id)):
        entry = CommissionEntry(
            *(box.ids.new_id(), due.guide, business_day(box, now), order.order_id, refund.refund_id),
            *(due.base_fen, due.permille, fen, now.wall_at),
        )
        unit.credits.post(entry)
        posted.append(entry)
    data = sale_reversed(left, refund.refund_id, credits, posted)
    record_event(
        unit, box.ids, now, box.origin, EventKind.SALE_REVERSED, order.order_id, data, sale.correlation
    )


def note_buyer(
    unit: Unit, box: Box, order: Order, member_id: str, now: Instant, *, parked: bool = False
) -> None:
    """Record whose a credited sale turned out to be after it was paid, and whether it then paid parking.

    Their purchases count from it, tasks that waited for it are met; again it changes nothing. The credit
    itself stays as it was given.
    """
    sale = unit.credits.get(order.order_id)
    if box.touch is None or sale is None:
        return
    place = touchpoint_id(TouchpointKind.RECEIPT, order.workstation)
    step = partial(record_conversion, unit, box, correlation=sale.correlation, touchpoint=place, now=now)
    tenant = _tenant(order)
    if not sale.member_id:
        bought = replace(sale, member_id=member_id)
        unit.credits.put(bought)
        step(ConversionStep.IDENTIFIED, details=Details(member_id=member_id))
        _live(unit, box, bought, tenant, now)
    if parked:
        step(ConversionStep.PARKED, details=Details(tenant, member_id=member_id, order_id=order.order_id))


def touch_name(rules: TouchRules, wanted: str, language: str) -> str:
    """Return a touchpoint or guide in people's words, the id when it is not known (any more)."""
    guide = rules.book.guides.get(wanted)
    if guide is not None:
        return (guide.name_en if language == "en" else guide.name) or guide.name
    known = rules.book.find(wanted)
    return wanted if known is None else known.shown(language)


def explain_sale(rules: TouchRules, sale: Attribution, language: str) -> str:
    """Return in a sentence why a sale is credited so."""
    return explain(sale, lambda wanted: touch_name(rules, wanted, language), language)


def _place(unit: Unit, order: Order) -> str:
    """Return the touchpoint at which an order was sold: its guide's for a ticket, wherever it was paid."""
    guides = {one.guide_id for one in unit.tickets.of_order(order.order_id)}
    if len(guides) == 1:
        return touchpoint_id(TouchpointKind.GUIDE, guides.pop())
    return touchpoint_id(TouchpointKind.WORKSTATION, order.workstation)


def _credited(
    unit: Unit, rules: TouchRules, order: Order, way: str, member_id: str, now: Instant
) -> tuple[Attribution, tuple[Touch, ...]]:
    since = now.wall_at - rules.attribution.window_days * DAY_MS
    steps = {one.conversion_id: one for one in unit.journeys.steps(way)} | ticket_steps(unit, order)
    if member_id:
        steps |= {one.conversion_id: one for one in unit.journeys.of_member(member_id, since)}
    touches = touches_of(steps.values(), rules.attribution, now.wall_at)
    goods_fen = sum(line.amount_fen for line in order.lines if line.sku != PARKING_SKU)
    shared = credit_tickets(unit, rules.attribution, order, steps, goods_fen, now)
    sale = Attribution(
        order_id=order.order_id,
        number=order.number,
        correlation=way,
        rule=rules.attribution,
        day=order.business_day,
        at=now.wall_at,
        amount_fen=goods_fen,
        left_fen=goods_fen,
        credits=credit(rules.attribution, touches, goods_fen) if shared is None else shared,
        member_id=member_id,
    )
    return sale, touches


def _came_to(unit: Unit, box: Box, order: Order, sale: Attribution, parked: bool) -> Iterator[ConversionStep]:
    if _has_goods(order):
        yield ConversionStep.BOUGHT
    if parked or any(line.sku == PARKING_SKU for line in order.lines):
        yield ConversionStep.PARKED
    if sale.member_id and _came_again(unit, box, sale.member_id, sale):
        yield ConversionStep.RETURNED


def _show(unit: Unit, order: Order, landing: LandingPage, step: Callable[..., object]) -> None:
    shown = touchpoint_id(TouchpointKind.LANDING, landing.tenant_id or "mall")
    kept = unit.landings.shown_of(order.order_id)
    seen = Details(tenant_id=landing.tenant_id, variant=kept.label if kept else "")
    step(ConversionStep.SHOWN, touchpoint=shown, details=seen)


def _write(
    unit: Unit, box: Box, rules: TouchRules, sale: Attribution, touches: tuple[Touch, ...], now: Instant
) -> None:
    unit.credits.put(sale)
    entries = [
        CommissionEntry(
            *(box.ids.new_id(), due.guide, sale.day, sale.order_id, ""),
            *(due.base_fen, due.permille, due.amount_fen, now.wall_at),
        )
        for due in commission_due(sale.credits, rules.book.guides)
    ]
    for entry in entries:
        unit.credits.post(entry)
    words = (explain_sale(rules, sale, "zh"), explain_sale(rules, sale, "en"))
    data = sale_attributed(sale, touches, entries, words)
    record_event(
        unit, box.ids, now, box.origin, EventKind.SALE_ATTRIBUTED, sale.order_id, data, sale.correlation
    )


def _live(unit: Unit, box: Box, sale: Attribution, tenant: str, now: Instant) -> None:
    """Note a member's purchase, and meet the tasks that waited for it."""
    known = unit.guide_tasks.life(sale.member_id)
    guide = next((one.guide for one in reversed(sale.credits) if one.guide), "")
    life = LifeCycle(
        member_id=sale.member_id,
        purchases=1 + (known.purchases if known else 0),
        first_at=known.first_at if known else sale.at,
        last_at=sale.at,
        last_order=sale.order_id,
        guide=guide or (known.guide if known else ""),
        tenant_id=tenant,
    )
    unit.guide_tasks.put_life(life)
    for task in unit.guide_tasks.waiting_of(sale.member_id):
        met = meet_task(task, sale.order_id, now.wall_at)
        unit.guide_tasks.put(met)
        record_event(
            unit,
            box.ids,
            now,
            box.origin,
            EventKind.GUIDE_TASK,
            met.task_id,
            guide_task_told(met),
            sale.order_id,
        )


def _came_again(unit: Unit, box: Box, member_id: str, sale: Attribution) -> bool:
    """Return whether the member's last purchase was on an earlier business day."""
    life = unit.guide_tasks.life(member_id)
    return life is not None and day_of(life.last_at, box.rules) < sale.day


def _has_goods(order: Order) -> bool:
    return any(line.sku != PARKING_SKU for line in order.lines)


def _tenant(order: Order) -> str:
    """Return the tenant with the largest share; of equal ones the smaller id."""
    spent: dict[str, int] = {}
    for line in order.lines:
        spent[line.tenant_id] = spent.get(line.tenant_id, 0) + line.amount_fen
    return min(spent, key=lambda tenant: (-spent[tenant], tenant), default="")
