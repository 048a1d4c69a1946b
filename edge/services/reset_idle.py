"""A forsaken screen goes back to the start; a payment in flight or money taken never does."""

from __future__ import annotations

from dataclasses import replace

from edge.clock import Instant
from edge.parking.stay_charge import PARKING_SKU
from edge.retail.attempt import AttemptState
from edge.retail.basket import BasketState, change_state
from edge.services.box import Box, WorkstationKind
from edge.services.check_out import reopen, to_start
from edge.services.records import Unit
from edge.services.show_tickets import shows_codes
from edge.services.workstation import Busy, act, load, touched_instant

#: How long at least a till shows release codes: those who paid write them down or have them printed.
CODES_MS = 120_000


def reset_idle(box: Box, workstation: str) -> bool:
    """Return the workstation to the start if nobody has touched it for long; say whether it was.

    Goods in the basket are held, so that they can be recalled.
    """
    now = box.clock.now()
    busy, left_ms = box.store.read(lambda unit: _looked(unit, box, workstation, now))
    if _tells_nobody(box, busy, now):
        act(box, workstation, _fall_silent)
        return False
    if left_ms != 0:
        return False
    return act(box, workstation, lambda unit, busy, now: _reset(unit, box, busy, now))


def idle_left_ms(unit: Unit, box: Box, busy: Busy, now: Instant) -> int | None:
    """Return the milliseconds until the screen goes back to the start, None when it will not."""
    if busy.screen == "attract" or not _may_reset(busy) or _waits_for_help(busy):
        return None
    if busy.screen != "paid" and box.workstation(busy.state.workstation).kind is WorkstationKind.LANE:
        # The fee stays there as long as the vehicle does.
        return None
    limit_ms = _paid_ms(unit, box, busy) if busy.screen == "paid" else box.rules.idle_ms
    return max(0, limit_ms - now.since_ms(touched_instant(busy.state)))


def _looked(unit: Unit, box: Box, workstation: str, now: Instant) -> tuple[Busy, int | None]:
    busy = load(unit, box, workstation)
    return busy, idle_left_ms(unit, box, busy, now)


def _paid_ms(unit: Unit, box: Box, busy: Busy) -> int:
    if busy.order is not None and shows_codes(unit, box, busy.order):
        return max(box.rules.paid_idle_ms, CODES_MS)
    return box.rules.paid_idle_ms


def _tells_nobody(box: Box, busy: Busy, now: Instant) -> bool:
    """Return whether the start screen still has a banner for somebody who is gone by now."""
    old = now.since_ms(touched_instant(busy.state)) >= box.rules.paid_idle_ms
    return busy.screen == "attract" and bool(busy.state.notice) and old


def _fall_silent(unit: Unit, busy: Busy, now: Instant) -> None:
    if busy.screen == "attract":
        unit.workstations.put(replace(busy.state, notice=""))


def _may_reset(busy: Busy) -> bool:
    """Return whether nothing holds the screen; an unknown payment is followed up without it."""
    if busy.screen != "paid" and busy.order is not None and busy.order.tenders:
        return False
    if busy.screen == "waiting":
        return busy.attempt is not None and busy.attempt.state is AttemptState.UNKNOWN
    return True


def _waits_for_help(busy: Busy) -> bool:
    """Return whether whoever this screen belongs to waits for a cashier.

    A call that is older than the sale was for somebody who is gone; it stays open and holds nobody's screen.
    """
    began_at = busy.basket.opened_at if busy.basket is not None else 0
    return busy.state.help_at is not None and busy.state.help_at >= began_at


def _reset(unit: Unit, box: Box, busy: Busy, now: Instant) -> bool:
    if idle_left_ms(unit, box, busy, now) != 0:
        return False
    if busy.screen == "checkout":
        busy = reopen(unit, box, busy, now)
    if busy.screen == "basket" and busy.basket is not None:
        goods = any(line.sku != PARKING_SKU for line in busy.basket.lines)
        gone = BasketState.HELD if goods else BasketState.ABANDONED
        unit.baskets.put(change_state(busy.basket, gone, now.wall_at))
    to_start(unit, box, replace(busy, state=replace(busy.state, notice="")), now)
    return True
