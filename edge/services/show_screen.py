"""What a workstation's screen shows, as one JSON-able value; its shape is in docs/protocols/kiosk-api.md."""

from __future__ import annotations

from collections.abc import Mapping

from edge.clock import Instant
from edge.retail.attempt import AttemptState, PaymentAttempt, PayWay
from edge.retail.basket import Basket, LineItem
from edge.retail.order import Order
from edge.retail.receipt import Receipt
from edge.services.ask_fee import show_stays
from edge.services.box import Box, WorkstationKind
from edge.services.change_basket import HELD_SHOWN
from edge.services.claim_parking import show_parking
from edge.services.hand_over_basket import kiosk_link
from edge.services.open_shift import cash_closed
from edge.services.receipt_paper import receipt_url
from edge.services.records import Unit
from edge.services.reset_idle import idle_left_ms
from edge.services.settle_attempt import attempt_time
from edge.services.show_landing import order_landing
from edge.services.show_tickets import screen_tickets
from edge.services.workstation import Busy, decode_notice, load

#: A JSON-able dictionary on its way to a screen.
Json = Mapping[str, object]


def show_screen(box: Box, workstation: str) -> dict[str, object]:
    """Return what the workstation's screen shows now; raise Invalid for an unknown workstation."""
    settings = box.workstation(workstation)
    now = box.clock.now()

    def query(unit: Unit) -> dict[str, object]:
        busy = load(unit, box, workstation)
        # A screen with something on it is not taken away: what has begun goes on to its end.
        closed = box.closed() if busy.screen == "attract" else ""
        return {
            "workstation": workstation,
            "kind": settings.kind.value,
            "cash": settings.cash,
            "cash_closed": cash_closed(unit, box, workstation) if settings.cash else "",
            "shop": box.rules.shop_name,
            "screen": "closed" if closed else busy.screen,
            "closed": closed or None,
            "language": busy.state.language,
            "basket": _basket(busy),
            "held": [_held(basket) for basket in unit.baskets.held(workstation, HELD_SHOWN)],
            "order": _order(busy.order),
            "attempt": _attempt(busy.attempt, now),
            "notice": _notice(busy),
            "age": _age(busy),
            "help": _help(busy),
            **_after_payment(unit, box, busy),
            "parking": _parking(unit, box, busy),
            "phone": _phone(box, busy),
            "tickets": screen_tickets(unit, box, busy),
            "phone_pay": settings.kind is WorkstationKind.TILL and bool(box.prepayers),
            "fees": bool(box.parking.facility.lanes),
            "stays": show_stays(unit, box, busy, now),
            "idle_s_left": _idle_s(unit, box, busy, now),
            "outbox_depth": unit.outbox.depth().count,
        }

    return box.store.read(query)


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


def _basket(busy: Busy) -> Json | None:
    basket = busy.basket
    if basket is None or busy.screen != "basket":
        return None
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


def _order(order: Order | None) -> Json | None:
    if order is None:
        return None
    return {
        "id": order.order_id,
        "number": order.number,
        "total_fen": order.total_fen,
        "paid_fen": order.paid_fen,
        "due_fen": order.due_fen,
        "tenders": show_tenders(order),
    }


def _attempt(attempt: PaymentAttempt | None, now: Instant) -> Json | None:
    if attempt is None or not attempt.is_open:
        return None
    left_ms = max(0, attempt.give_up_at - attempt_time(attempt, now))
    return {
        "id": attempt.attempt_id,
        "gateway": attempt.gateway,
        "state": attempt.state.value,
        "amount_fen": attempt.amount_fen,
        "seconds_left": None if attempt.state is AttemptState.UNKNOWN else left_ms // 1000,
        "code_tail": attempt.code_tail,
        "way": attempt.way.value,
        "scannable": attempt.way is PayWay.NATIVE and bool(attempt.pay_url),
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


def _help(busy: Busy) -> Json | None:
    return None if busy.state.help_at is None else {"called_at": busy.state.help_at}


def _after_payment(unit: Unit, box: Box, busy: Busy) -> Json:
    """Return the receipt and the landing page, both only once the order is paid."""
    order = busy.order
    if order is None or busy.screen != "paid":
        return {"receipt": None, "landing": None}
    receipt = unit.receipts.of_order(order.order_id)
    return {
        "receipt": _receipt(box, receipt, order) if receipt else None,
        "landing": order_landing(unit, box, order),
    }


def _phone(box: Box, busy: Busy) -> Json | None:
    """Return the address by which a phone takes the basket over or pays it, None while there is none."""
    url = kiosk_link(box, busy)
    return {"url": url, "token": url.rpartition("/")[2]} if url else None


def _parking(unit: Unit, box: Box, busy: Busy) -> Json | None:
    order = busy.order
    basket_id = order.basket_id if order else busy.basket.basket_id if busy.basket else ""
    return show_parking(unit, box, basket_id, order.order_id if order else "")


def _receipt(box: Box, receipt: Receipt, order: Order) -> Json:
    return {
        "number": order.number,
        "token": receipt.token,
        "url": receipt_url(receipt, box.rules) or f"/phone/r/{receipt.token}",
        "printing": receipt.print_state.value if receipt.workstation in box.printers else "none",
        "problem": receipt.print_problem,
    }


def _idle_s(unit: Unit, box: Box, busy: Busy, now: Instant) -> int | None:
    left_ms = idle_left_ms(unit, box, busy, now)
    return None if left_ms is None else left_ms // 1000
