"""The price of a stay: what it costs now and why, what is due, when it rises, until when to drive out. Pure.

Money that was settled is taken off the price of the whole stay, so that a driver who stays on after paying is
charged the difference, never a first block again. The tariff in force at the entry prices all of the stay.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from edge.codes.sheet import MAX_AT
from edge.parking.benefit import Benefit, BenefitKind
from edge.parking.benefit_curve import Curve, Lowered, lower
from edge.parking.price_rise import HORIZON_MS, first_above, rises_at
from edge.parking.quote import Quote, Segment, SegmentKind, Settlement
from edge.parking.stay_charges import (
    CapKind,
    Meter,
    Stretch,
    charged_from,
    price_fen,
    rounded,
    stretches,
)
from edge.parking.tariff_document import RateLine, Tariff
from edge.parking.tariff_plan import MINUTE_MS, Plan

#: The time to drive out after payment where neither tariff nor box says one, in seconds.
GRACE_S = 900


@dataclass(frozen=True, slots=True)
class Stay:
    """What a quote is about. free: it has free time (see Tariff.reentry_min). clock_note: as in Session."""

    session_id: str
    entered_at: int
    free: bool = True
    clock_note: str = ""


def quote_stay(
    plan: Plan,
    stay: Stay,
    at: int,
    benefits: Sequence[Benefit] = (),
    settlements: Sequence[Settlement] = (),
    others: Mapping[str, Plan] = MappingProxyType({}),
    grace_s: int = GRACE_S,
) -> Quote:
    """Return what a stay costs at a moment; before its entry it costs nothing.

    plan: of the stay's tariff for its vehicle. others: plans of the tariffs that benefits name, by tariff_id.
    grace_s: unless the tariff says its own.
    """
    at = max(at, stay.entered_at)
    segments, gross_fen = _explain(plan, stay, at)
    lowered = lower(_curve(plan, stay), plan.tariff, stay.entered_at, benefits, _curves(others, stay))
    segments += _benefit_segments(lowered, stay.entered_at, at, gross_fen)
    total = lowered[-1].curve if lowered else _curve(plan, stay)
    own_s = plan.tariff.grace_s
    bill = _Bill(total, tuple(settlements), grace_s if own_s is None else own_s)
    total_fen = gross_fen + sum(one.amount_fen for one in segments if one.kind is SegmentKind.BENEFIT)
    due_fen = bill.due_fen(at, total_fen)
    raise_at, raise_fen = _rise_of_due(bill, at) if lowered else _rise(plan, stay, at, bill, total_fen)
    return Quote(
        stay.session_id,
        plan.tariff.tariff_id,
        stay.entered_at,
        at,
        tuple(segments),
        gross_fen,
        total_fen,
        bill.paid_fen,
        due_fen,
        raise_at,
        raise_fen,
        _allowed_exit(due_fen, raise_at),
        tuple(one.benefit_id for one in segments if one.benefit_id and one.amount_fen),
        stay.clock_note,
    )


class _Bill:
    """What of a price is due once settlements and the time to drive out are taken into account."""

    def __init__(self, total: Curve, settlements: tuple[Settlement, ...], grace_s: int) -> None:
        self._total = total
        self.paid_fen = sum(one.amount_fen for one in settlements)
        self.grace_until = max(
            (one.covers_until + grace_s * 1000 for one in settlements if self._covers(one)), default=-1
        )

    def due_fen(self, at: int, total_fen: int | None = None) -> int:
        """Return what is due at a moment; total_fen: the price then, where it is known already."""
        if at <= self.grace_until:
            return 0
        return max(0, (self._total(at) if total_fen is None else total_fen) - self.paid_fen)

    def _covers(self, settlement: Settlement) -> bool:
        """Return whether all was paid at the moment that a settlement was for."""
        return settlement.amount_fen > 0 and self._total(settlement.covers_until) <= self.paid_fen


def _allowed_exit(due_fen: int, raise_at: int | None) -> int | None:
    if due_fen:
        return None
    return MAX_AT if raise_at is None else raise_at - 1


def _rise_of_due(bill: _Bill, at: int) -> tuple[int | None, int | None]:
    """Return when more is due and how much then, whatever lowers the price."""
    found = rises_at(bill.due_fen, at)
    return (None, None) if found is None else (found, bill.due_fen(found))


def _rise(plan: Plan, stay: Stay, at: int, bill: _Bill, total_fen: int) -> tuple[int | None, int | None]:
    """Return when more is due and how much then, for a stay without benefits."""
    limit_fen = max(bill.paid_fen, total_fen if at > bill.grace_until else 0)
    found = first_above(plan, stay.entered_at, limit_fen, at + HORIZON_MS, stay.free)
    if found is None:
        return None, None
    above_at, above_fen = found
    if above_at > max(bill.grace_until, at):
        return above_at, above_fen - bill.paid_fen
    after = max(bill.grace_until, at) + 1
    return after, bill.due_fen(after)


def _curve(plan: Plan, stay: Stay) -> Curve:
    return lambda at: price_fen(plan, stay.entered_at, at, stay.free)


def _curves(plans: Mapping[str, Plan], stay: Stay) -> dict[str, Curve]:
    return {tariff_id: _curve(plan, stay) for tariff_id, plan in plans.items()}


def _explain(plan: Plan, stay: Stay, at: int) -> tuple[list[Segment], int]:
    """Return the segments before benefits, and their sum."""
    tariff = plan.tariff
    free_until = stay.entered_at + tariff.free_min * MINUTE_MS
    if stay.free and tariff.free_min and at <= free_until:
        return [_free(tariff, stay.entered_at, at)], 0
    start = charged_from(tariff, stay.entered_at, stay.free)
    segments = [_free(tariff, stay.entered_at, start)] if start > stay.entered_at else []
    meter, charged = Meter(tariff), _Charged()
    for stretch in stretches(plan, stay.entered_at, at, stay.free):
        fen = stretch.raw_fen(stretch.last)
        charged.add(stretch, fen)
        meter.add(stretch, fen)
        for kind, lost_fen in meter.lost:
            charged.lose(kind, stretch, lost_fen)
    segments += charged.segments(tariff)
    gross_fen = rounded(tariff, meter.sum_fen)
    if gross_fen != meter.sum_fen:
        rounding: dict[str, str | int] = {"unit_fen": tariff.round_fen, "rounding": tariff.rounding.value}
        less_fen = gross_fen - meter.sum_fen
        segments.append(Segment(SegmentKind.ROUNDING, stay.entered_at, at, less_fen, "rounding", rounding))
    return segments, gross_fen


def _free(tariff: Tariff, from_at: int, to_at: int) -> Segment:
    return Segment(SegmentKind.FREE, from_at, to_at, 0, "free_time", {"minutes": tariff.free_min})


class _Charged:
    """Stretches put together as people read them: one line for each rate in a row, one for each limit."""

    def __init__(self) -> None:
        self._rows: list[tuple[RateLine, int, int, int, int]] = []
        self._caps: dict[tuple[CapKind, int], tuple[int, int, int, int]] = {}

    def add(self, stretch: Stretch, fen: int) -> None:
        """Add the steps of a stretch, which cost so much."""
        steps, line = stretch.last - stretch.first, stretch.tier.line
        if self._rows and self._rows[-1][0] is line and self._rows[-1][2] == stretch.from_at:
            _, from_at, _, had, had_fen = self._rows[-1]
            self._rows[-1] = (line, from_at, stretch.to_at, had + steps, had_fen + fen)
        elif steps or fen:
            self._rows.append((line, stretch.from_at, stretch.to_at, steps, fen))

    def lose(self, kind: CapKind, stretch: Stretch, lost_fen: int) -> None:
        """Add what a limit took off the steps of a stretch."""
        bucket = {
            CapKind.WINDOW: stretch.occurrence,
            CapKind.CYCLE: stretch.cycle,
            CapKind.DATE: stretch.day,
            CapKind.VISIT: 0,
        }[kind]
        from_at, _, had_fen, _ = self._caps.get((kind, bucket), (stretch.from_at, 0, 0, 0))
        window_cap = stretch.window.cap_fen or 0
        self._caps[kind, bucket] = (from_at, stretch.to_at, had_fen + lost_fen, window_cap)

    def segments(self, tariff: Tariff) -> list[Segment]:
        """Return the charged segments, then those of limits."""
        rows = [
            Segment(SegmentKind.CHARGED, from_at, to_at, fen, _rate_words(line), _rate_params(line, steps))
            for line, from_at, to_at, steps, fen in self._rows
        ]
        caps = {
            CapKind.CYCLE: tariff.day_cap_fen,
            CapKind.DATE: tariff.date_cap_fen,
            CapKind.VISIT: tariff.visit_cap_fen,
        }
        return rows + [
            Segment(
                SegmentKind.CAP,
                from_at,
                to_at,
                -fen,
                f"cap_{kind}",
                {"cap_fen": caps.get(kind) or window_fen},
            )
            for (kind, _), (from_at, to_at, fen, window_fen) in self._caps.items()
        ]


def _rate_words(line: RateLine) -> str:
    if line.price_fen == 0:
        return "rate_free"
    return "rate_parts" if line.by_min else "rate_steps"


def _rate_params(line: RateLine, steps: int) -> dict[str, str | int]:
    said: dict[str, str | int] = {"step_min": line.step_min, "price_fen": line.price_fen, "steps": steps}
    return said | {"by_min": line.by_min} if line.by_min else said


def _benefit_segments(
    lowered: tuple[Lowered, ...], entered_at: int, at: int, gross_fen: int
) -> list[Segment]:
    segments, before_fen = [], gross_fen
    for one in lowered:
        fen = one.curve(at)
        from_at, to_at = _taken(one, entered_at, at)
        benefit = one.benefit
        said: dict[str, str | int] = {
            "value": benefit.value,
            "label": benefit.label,
            "label_en": benefit.label_en,
            "tariff_id": benefit.tariff_id,
        }
        words = f"benefit_{benefit.kind}"
        if benefit.kind is BenefitKind.MINUTES and one.from_start:
            words = "benefit_first_minutes"
        segments.append(
            Segment(SegmentKind.BENEFIT, from_at, to_at, fen - before_fen, words, said, benefit.benefit_id)
        )
        before_fen = fen
    return segments


def _taken(one: Lowered, entered_at: int, at: int) -> tuple[int, int]:
    """Return the part of the stay that a benefit is about."""
    if one.benefit.kind is not BenefitKind.MINUTES:
        return entered_at, at
    if one.from_start:
        return min(at, entered_at + one.from_ms), min(at, entered_at + one.to_ms)
    return max(entered_at, at - one.to_ms), max(entered_at, at - one.from_ms)
