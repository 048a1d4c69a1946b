"""The data of what HQ is told of scan and go: looks at exits, and baskets that moved to or from a phone."""

from __future__ import annotations

from edge.retail.basket import Basket
from edge.retail.exit_pass import ExitCheck
from edge.retail.order import Order
from edge.services.events import MAX_NAME, Data


def exit_checked(check: ExitCheck, order: Order, *, chosen: bool) -> Data:
    """Return the data of "exit.checked". chosen: the order was among those that are looked at by chance."""
    return {
        "check_id": check.check_id,
        "order_id": order.order_id,
        "number": order.number,
        "place": check.place,
        "by": check.by,
        "checked_at": check.at,
        "verdict": check.verdict.value,
        "chosen": chosen,
        "outcome": None if check.outcome is None else check.outcome.value,
        "missing": [
            {"line_id": one.line_id, "name": one.name[:MAX_NAME], "quantity": one.quantity}
            for one in check.missing
        ],
        "extra": check.extra,
        "count": sum(line.quantity for line in order.lines),
        "currency": "CNY",
        "total_fen": order.total_fen,
    }


def basket_handed_over(basket: Basket, came_from: str, goes_to: str, at: int) -> Data:
    """Return the data of "basket.handed_over". came_from, goes_to: a workstation, or "phone"."""
    return {
        "basket_id": basket.basket_id,
        "from": came_from,
        "to": goes_to,
        "handed_over_at": at,
        "lines": len(basket.lines),
        "count": basket.count,
        "currency": "CNY",
        "total_fen": basket.total_fen,
    }
