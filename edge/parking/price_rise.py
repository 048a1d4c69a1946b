"""When a price rises next, exact to the millisecond. Pure."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable

from edge.parking.stay_charges import Meter, Stretch, price_fen, rounded, stretches
from edge.parking.tariff_document import Tariff
from edge.parking.tariff_plan import DAY_MS, MINUTE_MS, Plan

#: How far ahead a rise is looked for.
HORIZON_MS = 31 * DAY_MS


def first_above(
    plan: Plan, entered_at: int, limit_fen: int, until_at: int, free: bool = True
) -> tuple[int, int] | None:
    """Return the first moment up to `until_at` at which a stay costs more than a limit, and what then."""
    tariff = plan.tariff
    if tariff.visit_cap_fen is not None and tariff.visit_cap_fen <= limit_fen:
        return None
    meter = Meter(tariff)
    for stretch in stretches(plan, entered_at, until_at, free):
        before_fen = meter.sum_fen
        raw_fen = stretch.raw_fen(stretch.last)
        if rounded(tariff, before_fen + meter.room_fen(stretch, raw_fen)) > limit_fen:
            begins_at, fen = _step_above(tariff, meter, stretch, limit_fen)
            free_until = entered_at + (tariff.free_min * MINUTE_MS if free else 0)
            if begins_at < free_until:
                begins_at, fen = free_until, price_fen(plan, entered_at, free_until + 1, free)
            return (begins_at + 1, fen) if begins_at < until_at else None
        meter.add(stretch, raw_fen)
    return None


def rises_at(due_fen: Callable[[int], int], at: int) -> int | None:
    """Return the first moment after `at`, within the horizon, at which a due that never falls is higher."""
    now_fen, low, wide = due_fen(at), at, MINUTE_MS
    while due_fen(at + wide) <= now_fen:
        low = at + wide
        if wide >= HORIZON_MS:
            return None
        wide = min(wide * 2, HORIZON_MS)
    high = at + wide
    while high - low > 1:
        middle = (low + high) // 2
        if due_fen(middle) > now_fen:
            high = middle
        else:
            low = middle
    return high


def _step_above(tariff: Tariff, meter: Meter, stretch: Stretch, limit_fen: int) -> tuple[int, int]:
    """Return when the step of the stretch begins that lifts the sum above the limit, and to what."""

    def sum_fen(last: int) -> int:
        return rounded(tariff, meter.sum_fen + meter.room_fen(stretch, stretch.raw_fen(last)))

    lasts = range(stretch.first, stretch.last + 1)
    last = lasts[bisect_right(lasts, limit_fen, key=sum_fen)]
    return stretch.grid_at + (last - 1) * stretch.tier.inc_ms, sum_fen(last)
