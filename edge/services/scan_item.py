"""Put what was scanned into the basket."""

from __future__ import annotations

from edge.clock import Instant
from edge.codes.gs1 import Gs1Message
from edge.codes.reading import CodeReading
from edge.codes.scale_label import ScaleLabel
from edge.retail.basket import LineItem, add_line, piece_line, weighed_line
from edge.retail.catalogue import Product, SoldBy, scan_keys
from edge.services.box import Box, WorkstationKind
from edge.services.call_help import raise_call
from edge.services.collected import collected_lines
from edge.services.record_conversion import touch_basket
from edge.services.records import Unit
from edge.services.workstation import Busy, Notice, NoticeCode, open_basket, save


def add_reading(
    unit: Unit, box: Box, busy: Busy, now: Instant, reading: CodeReading, notice_id: str
) -> str | None:
    """Add the article of `reading` to the open basket; return its line id, None when nobody sells it.

    Readings that lost are tried in their order when the catalogue does not know the first. A basket
    that is finished or absent is followed by a new one. At a kiosk, goods with an age limit call a cashier.
    """
    found = find_product(unit, reading, now.wall_at)
    if found is None:
        return None
    product, used = found
    line = line_of(box.ids.new_id(), product, used)
    basket = open_basket(box, busy, now)
    basket = add_line(basket, line, now.wall_at, collected_lines(unit, basket.basket_id))
    notice = _age_notice(notice_id, product, basket.age_needed)
    save(unit, busy, now, basket=basket, notice=notice)
    touch_basket(unit, box, basket.basket_id, basket.workstation, now)
    state = unit.workstations.get(busy.state.workstation)
    alone = box.workstation(busy.state.workstation).kind is WorkstationKind.KIOSK
    if notice is not None and state is not None and alone:
        raise_call(unit, box, state, now)
    return basket.lines[-1].line_id


def find_product(unit: Unit, reading: CodeReading, at: int) -> tuple[Product, CodeReading] | None:
    """Return the product of the first reading that the catalogue knows, with that reading."""
    for candidate in (reading, *(other.reading for other in reading.also)):
        product = unit.catalogue.find(scan_keys(candidate), at) if candidate.keys else None
        if product is not None:
            return product, candidate
    return None


def line_of(line_id: str, product: Product, reading: CodeReading) -> LineItem:
    """Return a basket's line of what was scanned; raise Invalid for a label that cannot be sold by."""
    payload = reading.payload
    if isinstance(payload, ScaleLabel):
        return weighed_line(line_id, product, reading.text, payload.weight_g, payload.amount_fen)
    if isinstance(payload, Gs1Message) and product.sold_by is SoldBy.WEIGHT:
        return weighed_line(line_id, product, reading.text, payload.weight_g, payload.amount_fen)
    return piece_line(line_id, product, reading.text)


def _age_notice(notice_id: str, product: Product, age_needed: int) -> Notice | None:
    if product.age_min and age_needed:
        return Notice(notice_id, "warn", NoticeCode.AGE_NEEDED, {"min_age": product.age_min})
    return None
