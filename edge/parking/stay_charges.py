"""What a stay costs by a plan, step by step and limit by limit, before benefits and payments. Pure.

A step counts in the window, the 24 hours and the date in which it begins. It is due once its beginning has
passed: a stay of exactly one step costs one step.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from edge.parking.tariff_document import Boundary, FreeTime, Restart, Rounding, Tariff
from edge.parking.tariff_plan import DAY_MS, MAX_STAY_MS, MINUTE_MS, Plan, Span, Tier, Window


class CapKind(StrEnum):
    """Which limit took something off: of a window, of 24 hours, of a date, of the visit."""

    WINDOW = "window"
    CYCLE = "cycle"
    DATE = "date"
    VISIT = "visit"


class Stretch(NamedTuple):
    """Steps of one rate within one window, 24 hours and date.

    The step of number n, from 0, begins at `grid_at + n * tier.inc_ms`; those from `first` to before `last`
    begin within [from_at, to_at).
    """

    from_at: int
    to_at: int
    tier: Tier
    window: Window
    grid_at: int
    first: int
    last: int
    occurrence: int
    cycle: int
    day: int

    def raw_fen(self, last: int) -> int:
        """Return what the steps up to before `last` cost."""
        tier = self.tier
        return last * tier.price_fen // tier.parts - self.first * tier.price_fen // tier.parts

    def steps_before(self, at: int) -> int:
        """Return the number of the first step that is not yet due at `at`."""
        return max(self.first, min(self.last, -((self.grid_at - at) // self.tier.inc_ms)))


class Meter:
    """The sum of a stay under its limits; stretches are added in order of time."""

    __slots__ = ("_cycle", "_date", "_tariff", "_windows", "lost", "sum_fen")

    def __init__(self, tariff: Tariff) -> None:
        self._tariff = tariff
        self._windows: dict[int, int] = {}
        self._cycle = (-1, 0)
        self._date = (-1, 0)
        self.sum_fen = 0
        self.lost: list[tuple[CapKind, int]] = []

    def room_fen(self, stretch: Stretch, fen: int) -> int:
        """Return how much of `fen` more the limits let through."""
        tariff = self._tariff
        if stretch.window.cap_fen is not None:
            fen = min(fen, stretch.window.cap_fen - self._windows.get(stretch.occurrence, 0))
        if tariff.day_cap_fen is not None and self._cycle[0] == stretch.cycle:
            fen = min(fen, tariff.day_cap_fen - self._cycle[1])
        elif tariff.day_cap_fen is not None:
            fen = min(fen, tariff.day_cap_fen)
        if tariff.date_cap_fen is not None:
            used = self._date[1] if self._date[0] == stretch.day else 0
            fen = min(fen, tariff.date_cap_fen - used)
        if tariff.visit_cap_fen is not None:
            fen = min(fen, tariff.visit_cap_fen - self.sum_fen)
        return fen

    def add(self, stretch: Stretch, fen: int) -> None:
        """Add what steps of a stretch cost; `lost` then tells which limits took how much off it."""
        tariff = self._tariff
        self.lost = []
        cap = stretch.window.cap_fen
        if cap is not None:
            used = self._windows.get(stretch.occurrence, 0)
            fen = self._under(CapKind.WINDOW, cap - used, fen)
            self._windows[stretch.occurrence] = used + fen
        if tariff.day_cap_fen is not None:
            used = self._cycle[1] if self._cycle[0] == stretch.cycle else 0
            fen = self._under(CapKind.CYCLE, tariff.day_cap_fen - used, fen)
            self._cycle = (stretch.cycle, used + fen)
        if tariff.date_cap_fen is not None:
            used = self._date[1] if self._date[0] == stretch.day else 0
            fen = self._under(CapKind.DATE, tariff.date_cap_fen - used, fen)
            self._date = (stretch.day, used + fen)
        if tariff.visit_cap_fen is not None:
            fen = self._under(CapKind.VISIT, tariff.visit_cap_fen - self.sum_fen, fen)
        self.sum_fen += fen

    def _under(self, kind: CapKind, room_fen: int, fen: int) -> int:
        if fen <= room_fen:
            return fen
        self.lost.append((kind, fen - room_fen))
        return room_fen


def price_fen(plan: Plan, entered_at: int, at: int, free: bool = True) -> int:
    """Return what a stay costs at `at`, before benefits. free: whether it has free time at all."""
    tariff = plan.tariff
    if free and at - entered_at <= tariff.free_min * MINUTE_MS:
        return 0
    meter = Meter(tariff)
    for stretch in stretches(plan, entered_at, at, free):
        meter.add(stretch, stretch.raw_fen(stretch.last))
    return rounded(tariff, meter.sum_fen)


def rounded(tariff: Tariff, fen: int) -> int:
    """Return an amount as the tariff rounds it."""
    unit = tariff.round_fen
    if unit < 2:
        return fen
    if tariff.rounding is Rounding.UP:
        return -(-fen // unit) * unit
    if tariff.rounding is Rounding.NEAREST:
        return (fen + unit // 2) // unit * unit
    return fen // unit * unit


def charged_from(tariff: Tariff, entered_at: int, free: bool) -> int:
    """Return from when on a stay that is longer than its free time is charged."""
    kept = free and tariff.free is FreeTime.KEPT
    return entered_at + tariff.free_min * MINUTE_MS if kept else entered_at


def stretches(plan: Plan, entered_at: int, at: int, free: bool = True) -> Iterator[Stretch]:
    """Yield the stretches of a stay up to `at`, in order; times without a rate have none."""
    tariff = plan.tariff
    start = charged_from(tariff, entered_at, free)
    run = _Run(plan, entered_at, start)
    for span in plan.spans(start, min(at, entered_at + MAX_STAY_MS)):
        yield from run.through(span)


@dataclass(slots=True)
class _Run:
    """Where the steps of a stay are: which rate counts, and since when."""

    plan: Plan
    entered_at: int
    base_at: int
    window: Window | None = None
    tier: Tier | None = None
    grid_at: int = 0
    busy_until: int = 0
    cycle: int = 0
    day: int = -1
    restarts_cycle: bool = field(init=False)
    restarts_date: bool = field(init=False)
    finishes: bool = field(init=False)

    def __post_init__(self) -> None:
        tariff = self.plan.tariff
        self.restarts_cycle = tariff.restart is Restart.CYCLE
        self.restarts_date = tariff.restart is Restart.DATE
        self.finishes = tariff.boundary is Boundary.FINISH

    def through(self, span: Span) -> Iterator[Stretch]:
        """Yield the stretches of one span."""
        if self.restarts_date and self.day not in (-1, span.day):
            self._restart(span.from_at)
        self.day = span.day
        at = span.from_at
        while at < span.to_at:
            cycle = (at - self.entered_at) // DAY_MS
            if cycle != self.cycle:
                self.cycle = cycle
                if self.restarts_cycle:
                    self._restart(self.entered_at + cycle * DAY_MS)
            end = min(span.to_at, self.entered_at + (cycle + 1) * DAY_MS)
            tier, end = self._tier_at(span.window, at, end)
            if tier is None or span.window is None:
                self.window, self.tier = span.window, None
            else:
                yield self._stretch(span, span.window, tier, at, end)
            at = end

    def _stretch(self, span: Span, window: Window, tier: Tier, at: int, end: int) -> Stretch:
        if tier is not self.tier or window is not self.window:
            self.window, self.tier = window, tier
            self.grid_at = max(at, self.busy_until) if self.finishes else at
        inc = tier.inc_ms
        first = max(0, -((self.grid_at - at) // inc))
        last = max(first, -((self.grid_at - end) // inc))
        if self.finishes and last > first:
            self.busy_until = self.grid_at + last * inc
        return Stretch(
            at, end, tier, window, self.grid_at, first, last, span.occurrence, self.cycle, span.day
        )

    def _tier_at(self, window: Window | None, at: int, end: int) -> tuple[Tier | None, int]:
        """Return the rate at a moment and until when it is the rate."""
        if window is None:
            return None, end
        elapsed = at - self.base_at
        for tier in window.tiers:
            if elapsed < tier.after_ms:
                return None, min(end, self.base_at + tier.after_ms)
            if elapsed < tier.until_ms:
                return tier, min(end, self.base_at + tier.until_ms)
        return None, end

    def _restart(self, at: int) -> None:
        self.base_at = at
        self.tier = None
