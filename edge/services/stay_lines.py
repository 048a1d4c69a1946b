"""Lines of a basket or order that ask for parking fees, and the quotes that they keep."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import tzinfo

from edge.clock import Instant, local
from edge.errors import Corrupt
from edge.parking.debt import Debt
from edge.parking.quote import Quote
from edge.parking.session import Session
from edge.parking.stay_charge import PARKING_SKU, PARKING_TENANT, StayCharge
from edge.retail.basket import LineItem
from edge.services.events import Json

#: The longest explanation that is kept with a line; a longer one loses its segments.
MAX_QUOTE = 20_000


def charge_line(
    line_id: str, session: Session, quote: Quote, now: Instant, zone: tzinfo
) -> tuple[LineItem, StayCharge]:
    """Return the line that asks for what a quote has due, and what is kept with it."""
    who, who_en = session.plate or "无牌车", session.plate or "no plate"
    stayed_min = max(0, quote.at - quote.entered_at) // 60_000
    hours, minutes = divmod(stayed_min, 60)
    text = json.dumps(quote_json(quote), ensure_ascii=False, separators=(",", ":"))
    if len(text) > MAX_QUOTE:
        text = json.dumps({**quote_json(quote), "segments": []}, ensure_ascii=False, separators=(",", ":"))
    charge = StayCharge(
        line_id,
        session.session_id,
        quote.due_fen,
        quote.at,
        now.wall_at,
        text,
        covers_boot=now.boot_id,
        covers_ns=now.boottime_ns,
    )
    name = f"停车费 {who} {hours}小时{minutes}分"
    return _line(line_id, name, f"Parking {who_en} {hours} h {minutes} min", quote.due_fen), charge


def debt_line(line_id: str, debt: Debt, at: int, zone: tzinfo) -> tuple[LineItem, StayCharge]:
    """Return the line that collects a debt, and what is kept with it."""
    day = f"{local(debt.recorded_at, zone):%m-%d}"
    charge = StayCharge(
        line_id, debt.session_id, debt.amount_fen, debt.recorded_at, at, "{}", "", debt.debt_id
    )
    who, who_en = debt.plate or "无牌车", debt.plate or "no plate"
    return _line(line_id, f"停车欠费 {who} {day}", f"Parking arrears {who_en} {day}", debt.amount_fen), charge


def asks_for_stays(lines: Iterable[LineItem]) -> bool:
    """Return whether all lines ask for parking fees."""
    return all(line.sku == PARKING_SKU for line in lines)


def quote_json(quote: Quote) -> dict[str, Json]:
    """Return a quote as JSON, for screens and for the line that asks for it."""
    return {
        "session_id": quote.session_id,
        "tariff_id": quote.tariff_id,
        "entered_at": quote.entered_at,
        "at": quote.at,
        "gross_fen": quote.gross_fen,
        "total_fen": quote.total_fen,
        "paid_fen": quote.paid_fen,
        "due_fen": quote.due_fen,
        "next_raise_at": quote.next_raise_at,
        "next_raise_fen": quote.next_raise_fen,
        "allowed_exit_at": quote.allowed_exit_at,
        "used": list(quote.used),
        "clock_note": quote.clock_note,
        "segments": [
            {
                "kind": segment.kind.value,
                "from_at": segment.from_at,
                "to_at": segment.to_at,
                "amount_fen": segment.amount_fen,
                "words": segment.words,
                "params": dict(segment.params),
                "benefit_id": segment.benefit_id,
            }
            for segment in quote.segments
        ],
    }


def kept_quote(charge: StayCharge) -> dict[str, object]:
    """Return the quote that a charge keeps, as JSON; raise Corrupt when it cannot be read."""
    try:
        quote = json.loads(charge.quote)
    except ValueError as error:
        raise Corrupt(f"the quote of line {charge.line_id} cannot be read; call support") from error
    return dict(quote)


def _line(line_id: str, name: str, name_en: str, amount_fen: int) -> LineItem:
    return LineItem(
        line_id=line_id,
        sku=PARKING_SKU,
        tenant_id=PARKING_TENANT,
        name=name,
        name_en=name_en,
        barcode="",
        quantity=1,
        unit_price_fen=amount_fen,
        amount_fen=amount_fen,
    )
