"""Attribution: which touchpoints and guides a sale is credited to, by a written rule, to the fen.

A sale's touches are those of its own way, and of its member's other ways, within the rule's window before the
sale. The same touchpoint with the same guide is one touch. Fen that do not divide go one each to the earliest
touches, so that the credits of a sale sum to the sale. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from edge.errors import Invalid
from edge.members.conversion import Conversion, ConversionStep
from edge.money import format_yuan

DAY_MS = 86_400_000

#: Touches that one sale is credited over; of more the latest count.
MAX_TOUCHES = 50

#: Steps that lead to a sale; what comes of it (bought, parked, returned) is no touch.
LEADING = frozenset(
    {
        ConversionStep.SHOWN,
        ConversionStep.SCANNED,
        ConversionStep.OPENED,
        ConversionStep.IDENTIFIED,
        ConversionStep.JOINED,
    }
)


class AttributionKind(StrEnum):
    """FIRST and LAST give one touch all, LINEAR all the same, GUIDE the last guide a fixed share."""

    FIRST = "first"
    LAST = "last"
    LINEAR = "linear"
    GUIDE = "guide"


@dataclass(frozen=True, slots=True)
class AttributionRule:
    """How sales are credited. window_days: how long before a sale a touch counts.

    guide_permille: under GUIDE, the share of the guide who served last; the rest goes to the other touches
    in equal parts, and all to the guide when there are none. Without a guide, the last touch has all.
    """

    kind: AttributionKind = AttributionKind.LAST
    window_days: int = 30
    guide_permille: int = 500

    def __post_init__(self) -> None:
        """Refuse a window or a share that makes no sense."""
        if not 1 <= self.window_days <= 365:
            raise Invalid(f"window_days {self.window_days} must be 1 to 365")
        if not 0 <= self.guide_permille <= 1_000:
            raise Invalid(f"guide_permille {self.guide_permille} must be 0 to 1000")


@dataclass(frozen=True, slots=True)
class Touch:
    """One touchpoint, with the guide there, that a shopper met before a sale; when first and last."""

    touchpoint: str
    guide: str
    campaign: str
    first_at: int
    last_at: int


@dataclass(frozen=True, slots=True)
class Credit:
    """What one touch is credited with."""

    touchpoint: str
    guide: str
    campaign: str
    amount_fen: int


@dataclass(frozen=True, slots=True)
class Attribution:
    """One sale credited. amount_fen: goods without parking fees, what was given back taken off (left_fen).

    credits: over the whole sale as it was paid, earliest touch first; they sum to amount_fen.
    """

    order_id: str
    number: str
    correlation: str
    rule: AttributionRule
    day: str
    at: int
    amount_fen: int
    left_fen: int
    credits: tuple[Credit, ...]
    member_id: str = ""


def touches_of(steps: Iterable[Conversion], rule: AttributionRule, sold_at: int) -> tuple[Touch, ...]:
    """Return the touches that a sale is credited over, the earliest first, MAX_TOUCHES at most.

    steps: those known when it is sold. One that seems to be later was written before the clock was set back,
    and counts as of the sale's moment.
    """
    found: dict[tuple[str, str], Touch] = {}
    since = sold_at - rule.window_days * DAY_MS
    for one in sorted(steps, key=lambda one: (one.at, one.conversion_id)):
        if one.step not in LEADING or one.at < since:
            continue
        at = min(one.at, sold_at)
        guide = one.guide if one.served else ""
        known = found.get((one.touchpoint, guide))
        first_at = at if known is None else known.first_at
        found[one.touchpoint, guide] = Touch(one.touchpoint, guide, one.campaign, first_at, at)
    return tuple(found.values())[-MAX_TOUCHES:]


def credit(rule: AttributionRule, touches: Sequence[Touch], amount_fen: int) -> tuple[Credit, ...]:
    """Return the credits of a sale over its touches; they sum to amount_fen. None without touches."""
    if not touches:
        return ()
    weights = _WEIGHTS[rule.kind](rule, touches)
    shares = split_fen(amount_fen, weights)
    return tuple(
        Credit(touch.touchpoint, touch.guide, touch.campaign, share)
        for touch, weight, share in zip(touches, weights, shares, strict=True)
        if weight
    )


def rescale(credits: Sequence[Credit], left_fen: int) -> tuple[Credit, ...]:
    """Return the credits as they are after a refund left so much of the sale, in the same proportions."""
    shares = split_fen(left_fen, [one.amount_fen for one in credits])
    return tuple(
        Credit(one.touchpoint, one.guide, one.campaign, share)
        for one, share in zip(credits, shares, strict=True)
    )


def split_fen(amount_fen: int, weights: Sequence[int]) -> tuple[int, ...]:
    """Split fen by weights, rounded down; what remains goes one fen each to the first that have weight."""
    whole = sum(weights)
    if not whole:
        return tuple(0 for _ in weights)
    shares = [amount_fen * weight // whole for weight in weights]
    rest = amount_fen - sum(shares)
    for place in [place for place, weight in enumerate(weights) if weight][:rest]:
        shares[place] += 1
    return tuple(shares)


def explain(one: Attribution, name: Callable[[str], str], language: str) -> str:
    """Return in a sentence why a sale is credited so. name: a touchpoint or guide in people's words."""
    zh = language != "en"
    whom = [_credited(each, name, zh) for each in one.credits]
    if not whom:
        return "成交前没有触点" if zh else "There was no touch before the sale."
    reason = _REASONS[one.rule.kind][0 if zh else 1].format(
        days=one.rule.window_days, share=_percent(one.rule.guide_permille)
    )
    back = ""
    if one.left_fen != one.amount_fen:
        left = format_yuan(one.left_fen)
        back = (
            f"；退款后余 {left} 元，按同一比例扣回"
            if zh
            else f"; {left} yuan are left after refunds, in the same parts"
        )
    return f"{reason}：{'、'.join(whom)}{back}。" if zh else f"{reason}: {', '.join(whom)}{back}."


def _credited(one: Credit, name: Callable[[str], str], zh: bool) -> str:
    where, money = name(one.touchpoint), format_yuan(one.amount_fen)
    guide = name(one.guide) if one.guide else ""
    # A guide's own code is named after the guide already.
    by = (f"（{guide}）" if zh else f" ({guide})") if guide not in where else ""
    return f"{where}{by} {money} {'元' if zh else 'yuan'}"


def _percent(permille: int) -> str:
    return f"{permille / 10:g}%"


def _first(rule: AttributionRule, touches: Sequence[Touch]) -> list[int]:
    return [1, *(0 for _ in touches[1:])]


def _last(rule: AttributionRule, touches: Sequence[Touch]) -> list[int]:
    latest = max(range(len(touches)), key=lambda place: (touches[place].last_at, place))
    return [int(place == latest) for place in range(len(touches))]


def _linear(rule: AttributionRule, touches: Sequence[Touch]) -> list[int]:
    return [1 for _ in touches]


def _guide(rule: AttributionRule, touches: Sequence[Touch]) -> list[int]:
    served = [place for place, touch in enumerate(touches) if touch.guide]
    if not served:
        return _last(rule, touches)
    who = max(served, key=lambda place: (touches[place].last_at, place))
    others = len(touches) - 1
    if not others:
        return [1]
    mine = rule.guide_permille * others
    return [mine if place == who else 1_000 - rule.guide_permille for place in range(len(touches))]


_WEIGHTS: dict[AttributionKind, Callable[[AttributionRule, Sequence[Touch]], list[int]]] = {
    AttributionKind.FIRST: _first,
    AttributionKind.LAST: _last,
    AttributionKind.LINEAR: _linear,
    AttributionKind.GUIDE: _guide,
}

_REASONS = {
    AttributionKind.FIRST: ("{days} 天内首个触点得全部", "The first touch within {days} days has all of it"),
    AttributionKind.LAST: ("{days} 天内最后触点得全部", "The last touch within {days} days has all of it"),
    AttributionKind.LINEAR: ("{days} 天内各触点均分", "The touches within {days} days share equally"),
    AttributionKind.GUIDE: (
        "{days} 天内最后服务的导购得 {share}，其余触点均分；没有导购则归最后触点",
        "The guide who served last within {days} days has {share}, the other touches share the rest;"
        " without a guide the last touch has all",
    ),
}
