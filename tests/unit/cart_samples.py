"""What HQ is told of scan and go, one sample of each kind."""

from __future__ import annotations

from edge.retail.basket import Basket, LineItem
from edge.retail.exit_pass import CheckOutcome, ExitCheck, ExitVerdict, Miscount
from edge.retail.order import Order, OrderState
from edge.services import cart_events
from edge.services.events import Data, EventKind

AT = 1_795_300_000_123
COLA = LineItem("l-1", "cola", "t-drinks", "可乐", "Cola", "6901234567892", 2, 350, 700)
CHECK = ExitCheck(
    *("c-1", "order-1", "exit-1", "王芳", AT, ExitVerdict.RECHECK),
    *(CheckOutcome.EXTRA, (Miscount("l-1", "可乐", 1),), "一瓶红酒"),
)


def cart_data() -> dict[EventKind, Data]:
    order = Order(
        *("order-1", "phone-0001", "b-1", "phone", "2026-11-22", AT, (COLA,)),
        OrderState.PAID,
        closed_at=AT,
    )
    basket = Basket("b-1", "phone", AT, lines=(COLA,))
    return {
        EventKind.EXIT_CHECKED: cart_events.exit_checked(CHECK, order, chosen=True),
        EventKind.BASKET_HANDED_OVER: cart_events.basket_handed_over(basket, "kiosk-1", "phone", AT),
    }
