"""What a phone sees of its cart, a kiosk's basket and its way out; shapes in docs/protocols/phone-api.md."""

from __future__ import annotations

from collections.abc import Iterable

from edge.clock import Instant
from edge.retail.basket import LineItem
from edge.retail.exit_pass import ExitState, ExitVerdict
from edge.services.box import Box
from edge.services.cart_notices import CartNotice, CartWord
from edge.services.hand_over_basket import KioskBasket, given_lately
from edge.services.pass_exit import ExitShown
from edge.services.phone_cart import load_cart
from edge.services.records import Unit

Json = dict[str, object]


def show_cart(unit: Unit, box: Box, session_id: str, language: str, now: Instant) -> Json:
    """Return a phone's cart without a notice."""
    cart = load_cart(unit, session_id)
    basket = cart.basket
    lines = basket.lines if basket is not None else ()
    return {
        "lines": show_lines(lines, language),
        "count": sum(line.quantity for line in lines),
        "total_fen": sum(line.amount_fen for line in lines),
        "order_id": cart.order.order_id if cart.order is not None else None,
        "age_needed": basket.age_needed if basket is not None else 0,
    }


def word_of_cart(unit: Unit, box: Box, session_id: str, now: Instant) -> CartWord | None:
    """Return what a phone is told of a cart that is empty because a kiosk has taken it over."""
    if load_cart(unit, session_id).basket is not None:
        return None
    place = given_lately(unit, box, session_id, now)
    return CartWord(CartNotice.HANDED_OVER, {"place": place}) if place else None


def show_lines(lines: Iterable[LineItem], language: str) -> list[Json]:
    """Return lines as a phone shows them."""
    return [
        {
            "line_id": line.line_id,
            "name": line.name_en if language == "en" and line.name_en else line.name,
            "quantity": line.quantity,
            "unit_price_fen": line.unit_price_fen,
            "amount_fen": line.amount_fen,
            "by_piece": line.weight_g is None and line.amount_fen == line.unit_price_fen * line.quantity,
        }
        for line in lines
    ]


def show_kiosk_basket(seen: KioskBasket, language: str) -> Json:
    """Return what a kiosk's code leads to."""
    return {
        "workstation": seen.workstation or None,
        "state": seen.state.value,
        "lines": show_lines(seen.lines, language),
        "total_fen": seen.total_fen,
        "order_id": seen.order.order_id if seen.order is not None and seen.mine else None,
        "on_phone": seen.on_phone,
        "elsewhere": seen.elsewhere,
    }


def show_pass(shown: ExitShown) -> Json:
    """Return an order's way out; the code only once it is paid and as long as it is good.

    Who was chosen for a look into the bag is told by the guard alone, after the code was shown.
    """
    over = shown.one.state is ExitState.PASSED or shown.verdict is ExitVerdict.REFUNDED
    ready = not over and shown.expires_at is not None
    secret = shown.one.state is ExitState.UNUSED and shown.verdict is ExitVerdict.RECHECK
    verdict = ExitVerdict.PASS if secret else shown.verdict
    return {
        "code": shown.code if ready else None,
        "state": shown.one.state.value,
        "verdict": verdict.value,
        "number": shown.order.number,
        "count": sum(pieces for _, pieces in shown.goods),
        "total_fen": shown.order.total_fen,
        "refunded_fen": shown.refunded_fen,
        "expires_at": shown.expires_at,
    }
