"""Carts of phones that nobody touched for hours are given up; one that waits for money is none of them."""

from __future__ import annotations

from edge.clock import Instant
from edge.retail.basket import BasketState, change_state
from edge.services.box import Box
from edge.services.records import Unit
from edge.services.scan_and_go_rules import HOUR_MS

#: Carts that are looked at in one go.
MAX_CARTS = 50


def forsake_carts(box: Box) -> int:
    """Give up carts that were not changed for the rules' hours; return how many."""
    now = box.clock.now()
    before = now.wall_at - box.scan_and_go.forsaken_hours * HOUR_MS
    found = box.store.read(lambda unit: unit.carts.forsaken(before, MAX_CARTS))
    return sum(_given_up(box, basket_id, before, now) for basket_id in found)


def tidy_codes(box: Box) -> int:
    """Delete codes of carts that ended long ago; return how many."""
    before = box.clock.now().wall_at - HOUR_MS
    return box.store.write(lambda unit: unit.carts.tidy(before))


def _given_up(box: Box, basket_id: str, before: int, now: Instant) -> bool:
    def work(unit: Unit) -> bool:
        basket = unit.baskets.get(basket_id)
        if basket is None or basket.changed_at >= before:
            return False
        if basket.state not in (BasketState.OPEN, BasketState.HELD):
            return False
        unit.baskets.put(change_state(basket, BasketState.ABANDONED, now.wall_at))
        return True

    return box.store.write(work)
