"""A page after payment as JSON, for kiosk, receipt, mini-program and slip; docs/protocols/kiosk-api.md."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from edge.members.landing import BlockKind, LandingBlock, LandingPage
from edge.retail.order import Order
from edge.services.box import Box
from edge.services.claim_parking import parking_lines
from edge.services.offer_landing import landing_of, way_of
from edge.services.records import Unit

#: Where the pages find the landing pages' pictures.
PICTURES = "/phone/pictures/"

#: A JSON-able dictionary on its way to a screen.
Json = Mapping[str, object]

#: Sentences in Chinese and English.
Lines = Sequence[tuple[str, str]]


def order_landing(unit: Unit, box: Box, order: Order) -> Json | None:
    """Return the page that an order ended on, with its parking and its guide said; None without one."""
    page = landing_of(unit, order)
    if page is None:
        return None
    said = {
        BlockKind.PARKING: parking_lines(unit, box, order.order_id),
        BlockKind.GUIDE: _guide_lines(unit, box, order),
    }
    return show_landing(page, said)


def show_landing(page: LandingPage, said: Mapping[BlockKind, Lines] | None = None) -> Json:
    """Return a page as JSON. said: what blocks of a kind tell about this order alone."""
    return {
        "id": page.landing_id,
        "title": page.title,
        "title_en": page.title_en,
        "picture": _picture(page.picture),
        "blocks": [_block(block, (said or {}).get(block.kind, ())) for block in page.blocks],
    }


def _block(block: LandingBlock, lines: Lines) -> Json:
    return {
        "kind": block.kind.value,
        "title": block.title,
        "title_en": block.title_en,
        "body": block.body,
        "body_en": block.body_en,
        "url": block.url,
        "picture": _picture(block.picture),
        "code": block.code,
        "lines": [{"words": words, "words_en": words_en} for words, words_en in lines],
    }


def _guide_lines(unit: Unit, box: Box, order: Order) -> Lines:
    """Say who served, where the shopper's way knows it."""
    way = way_of(unit, order)
    journey = unit.journeys.get(way) if way else None
    guide = box.touch.book.guides.get(journey.guide) if box.touch and journey else None
    return ((f"为您服务：{guide.name}", f"Served by {guide.name_en or guide.name}"),) if guide else ()


def _picture(name: str) -> str | None:
    return f"{PICTURES}{name}" if name else None
