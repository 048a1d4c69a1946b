"""What benefits make of a fee: each turns the price over time into a lower one that still never falls. Pure.

They are taken in the order that each says, equal ones as `_KINDS` has them. As each works on the whole curve
that the ones before it left, a stay that goes on never becomes cheaper, whatever is stacked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from edge.money import scale_fen
from edge.parking.benefit import Benefit, BenefitKind
from edge.parking.stay_charges import rounded
from edge.parking.tariff_document import MinutesFrom, Tariff
from edge.parking.tariff_plan import MINUTE_MS

#: What a stay costs at a moment, in fen.
Curve = Callable[[int], int]

PERMILLE = 1_000

#: Another tariff first, then time, then a share, then an amount: each does the most for the driver there.
_KINDS = (
    BenefitKind.TARIFF,
    BenefitKind.MINUTES,
    BenefitKind.PERMILLE,
    BenefitKind.AMOUNT,
    BenefitKind.ALL,
)


@dataclass(frozen=True, slots=True)
class Lowered:
    """The price once a benefit is taken. from_ms, to_ms: of the minutes it takes, counted from its end.

    from_start: they are counted from the entry instead.
    """

    benefit: Benefit
    curve: Curve
    from_ms: int = 0
    to_ms: int = 0
    from_start: bool = False


def lower(
    curve: Curve,
    tariff: Tariff,
    entered_at: int,
    benefits: Sequence[Benefit],
    others: Mapping[str, Curve],
) -> tuple[Lowered, ...]:
    """Return the price after each benefit, in the order in which they are taken.

    others: what the stay costs by other tariffs, by tariff_id; one that is missing takes nothing off.
    """
    lowered: list[Lowered] = []
    from_start_ms = from_end_ms = 0
    for benefit in sorted(benefits, key=_order):
        length_ms = max(0, benefit.value) * MINUTE_MS
        if benefit.kind is not BenefitKind.MINUTES:
            curve = _other_kind(curve, tariff, benefit, others)
            lowered.append(Lowered(benefit, curve))
        elif tariff.minutes_from is MinutesFrom.START:
            end_ms = from_start_ms + length_ms
            curve = _without_start(curve, entered_at + end_ms)
            lowered.append(Lowered(benefit, curve, from_start_ms, end_ms, from_start=True))
            from_start_ms = end_ms
        else:
            curve = _left_earlier(curve, entered_at, length_ms)
            lowered.append(Lowered(benefit, curve, from_end_ms, from_end_ms + length_ms))
            from_end_ms += length_ms
    return tuple(lowered)


def _order(benefit: Benefit) -> tuple[int, int, str]:
    return benefit.order, _KINDS.index(benefit.kind), benefit.benefit_id


def _other_kind(curve: Curve, tariff: Tariff, benefit: Benefit, others: Mapping[str, Curve]) -> Curve:
    value = max(0, benefit.value)
    if benefit.kind is BenefitKind.ALL:
        return lambda at: 0
    if benefit.kind is BenefitKind.AMOUNT:
        return lambda at: max(0, curve(at) - value)
    if benefit.kind is BenefitKind.PERMILLE:
        return _share(curve, tariff, max(0, PERMILLE - value))
    other = others.get(benefit.tariff_id)
    return curve if other is None else _cheaper(curve, other)


def _left_earlier(curve: Curve, entered_at: int, length_ms: int) -> Curve:
    return lambda at: curve(max(entered_at, at - length_ms))


def _without_start(curve: Curve, until_at: int) -> Curve:
    return lambda at: curve(at) - curve(min(at, until_at))


def _share(curve: Curve, tariff: Tariff, permille: int) -> Curve:
    def lowered(at: int) -> int:
        fen = curve(at)
        return min(fen, rounded(tariff, scale_fen(fen, permille, PERMILLE)))

    return lowered


def _cheaper(curve: Curve, other: Curve) -> Curve:
    return lambda at: min(curve(at), other(at))
