"""What a workstation's screen shows, as one JSON-able value; its shape is in docs/protocols/kiosk-api.md."""

from __future__ import annotations

from collections.abc import Mapping

from edge.clock import Instant
from edge.members.landing import LandingPage
from edge.retail.attempt import AttemptState, PaymentAttempt
from edge.retail.basket import Basket, LineItem
from edge.retail.order import Order
from edge.retail.receipt import Receipt
from edge.services.box import Box
from edge.services.change_basket import HELD_SHOWN
from edge.services.complete_order import landing_of
from edge.services.receipt_paper import receipt_url
from edge.services.records import Unit
from edge.services.reset_idle import idle_left_ms
from edge.services.workstation import Busy, decode_notice, load

#: Where the pages find the landing pages' pictures.
PICTURES = "/phone/pictures/"

#: A JSON-able dictionary on its way to a screen.
Json = Mapping[str, object]


def show_screen(box: Box, workstation: str) -> dict[str, object]:
    """Return what the workstation's screen shows now; raise Invalid for an unknown workstation."""
    settings = box.workstation(workstation)
    now = box.clock.now()

    def query(unit: Unit) -> dict[str, object]:
        busy = load(unit, box, workstation)
        paid = busy.order if busy.screen == "paid" else None
        receipt = unit.receipts.of_order(paid.order_id) if paid else None
        landing = landing_of(unit, paid) if paid else None
        held = (
            ()
            if settings.kind.value == "kiosk" and busy.order
            else unit.baskets.held(workstation, HELD_SHOWN)
        )
        return {
            "workstation": workstation,
            "kind": settings.kind.value,
            "cash": settings.cash,
            "shop": box.rules.shop_name,
            "screen": busy.screen,
            "language": busy.state.language,
            "basket": _basket(busy.basket) if busy.basket and busy.screen == "basket" else None,
            "held": [_held(basket) for basket in held],
            "order": _order(busy.order) if busy.order else None,
            "attempt": _attempt(busy.attempt, now) if busy.attempt and busy.attempt.is_open else None,
            "notice": _notice(busy),
            "age": _age(busy),
            "help": {"called_at": busy.state.help_at} if busy.state.help_at is not None else None,
            "receipt": _receipt(box, receipt, busy.order) if receipt else None,
            "landing": show_landing(landing),
            "idle_s_left": _idle_s(box, busy, now),
            "outbox_depth": unit.outbox.depth().count,
        }

    return box.store.read(query)


def show_landing(landing: LandingPage | None) -> Json | None:
    """Return a landing page as JSON, None for none."""
    if landing is None:
        return None
    return {
        "id": landing.landing_id,
        "title": landing.title,
        "title_en": landing.title_en,
        "picture": f"{PICTURES}{landing.picture}" if landing.picture else None,
        "blocks": [
            {
                "kind": block.kind.value,
                "title": block.title,
                "title_en": block.title_en,
                "body": block.body,
                "body_en": block.body_en,
                "url": block.url,
            }
            for block in landing.blocks
        ],
    }


def show_line(line: LineItem) -> Json:
    """Return a line as JSON."""
    return {
        "id": line.line_id,
        "sku": line.sku,
        "name": line.name,
        "name_en": line.name_en or line.name,
        "tenant": line.tenant_id,
        "quantity": line.quantity,
        "weight_g": line.weight_g,
        "unit_price_fen": line.unit_price_fen,
        "amount_fen": line.amount_fen,
        "age_min": line.age_min,
    }


def show_tenders(order: Order) -> list[Json]:
    """Return an order's tenders as JSON."""
    return [
        {
            "kind": tender.kind,
            "amount_fen": tender.amount_fen,
            "received_fen": tender.received_fen,
            "change_fen": tender.change_fen,
        }
        for tender in order.tenders
    ]


def _basket(basket: Basket) -> Json:
    return {
        "id": basket.basket_id,
        "lines": [show_line(line) for line in basket.lines],
        "count": basket.count,
        "total_fen": basket.total_fen,
    }


def _held(basket: Basket) -> Json:
    return {
        "id": basket.basket_id,
        "count": basket.count,
        "total_fen": basket.total_fen,
        "held_at": basket.changed_at,
    }


def _order(order: Order) -> Json:
    return {
        "id": order.order_id,
        "number": order.number,
        "total_fen": order.total_fen,
        "paid_fen": order.paid_fen,
        "due_fen": order.due_fen,
        "tenders": show_tenders(order),
    }


def _attempt(attempt: PaymentAttempt, now: Instant) -> Json:
    left_ms = max(0, attempt.give_up_at - now.wall_at)
    return {
        "id": attempt.attempt_id,
        "gateway": attempt.gateway,
        "state": attempt.state.value,
        "amount_fen": attempt.amount_fen,
        "seconds_left": None if attempt.state is AttemptState.UNKNOWN else left_ms // 1000,
        "code_tail": attempt.code_tail,
    }


def _notice(busy: Busy) -> Json | None:
    notice = decode_notice(busy.state.notice)
    if notice is None:
        return None
    return {
        "id": notice.notice_id,
        "level": notice.level,
        "code": notice.code.value,
        "params": dict(notice.params),
        "choices": list(notice.choices),
    }


def _age(busy: Busy) -> Json | None:
    if busy.screen != "basket" or busy.basket is None or not busy.basket.age_needed:
        return None
    return {"min_age": busy.basket.age_needed}


def _receipt(box: Box, receipt: Receipt, order: Order | None) -> Json:
    return {
        "number": order.number if order else "",
        "token": receipt.token,
        "url": receipt_url(receipt, box.rules) or f"/phone/r/{receipt.token}",
        "printing": receipt.print_state.value if receipt.workstation in box.printers else "none",
        "problem": receipt.print_problem,
    }


def _idle_s(box: Box, busy: Busy, now: Instant) -> int | None:
    left_ms = idle_left_ms(box, busy, now)
    return None if left_ms is None else left_ms // 1000
