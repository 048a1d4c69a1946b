"""A version's variants as a picture: where each one's rate lies, and its share of new shoppers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from edge.members.bandit import ArmState, BanditRule

#: The picture's width, and the height of one variant's row, in its own units.
WIDTH, ROW = 720, 56
_LEFT, _RIGHT, _SHARE = 60, 430, 470


@dataclass(frozen=True, slots=True)
class PlotRow:
    """One variant: x of its rate and of the ends of what it lies within, and its share's bar."""

    state: ArmState
    y: int
    low: float
    mean: float
    high: float
    bar: float
    floor: float


@dataclass(frozen=True, slots=True)
class BanditPlot:
    """rows: in WIDTH x height. top_percent: the rate at the right edge of the left half."""

    rows: tuple[PlotRow, ...]
    height: int
    top_percent: int
    left: int = _LEFT
    right: int = _RIGHT
    share: int = _SHARE


def plot_bandit(states: Sequence[ArmState], rule: BanditRule) -> BanditPlot:
    """Return the plot of a version's variants."""
    highest = max((one.high_permille for one in states), default=0)
    top = next((one for one in (5, 10, 20, 50) if highest <= one * 10), 100)
    floor = rule.floor_of(len(states)) if states else 0
    rows = tuple(_row(one, at, top, floor) for at, one in enumerate(states))
    return BanditPlot(rows, ROW * len(rows), top)


def explain(states: Sequence[ArmState], rule: BanditRule, texts: dict[str, str]) -> str:
    """Return in words why new shoppers are shared out as they are."""
    arms = [one.arm for one in states]
    floor = _percent(rule.floor_of(len(arms))) if arms else ""
    if len(arms) < 2:
        return texts["landing_why_one"]
    if not rule.learning:
        return texts["landing_why_fixed"].format(floor=floor)
    if rule.trying(arms):
        least = min(arms, key=lambda arm: arm.shown)
        return texts["landing_why_trial"].format(
            trial=rule.trial_shown, name=least.name, shown=least.shown, floor=floor
        )
    first, second = sorted(states, key=lambda one: -one.mean_permille)[:2]
    key = "landing_why_sure" if first.low_permille > second.high_permille else "landing_why_learning"
    return texts[key].format(
        name=first.arm.name,
        mean=_percent(first.mean_permille),
        other=second.arm.name,
        other_mean=_percent(second.mean_permille),
        share=_percent(first.share_permille),
        floor=floor,
    )


def _row(state: ArmState, at: int, top: int, floor: int) -> PlotRow:
    def x(permille: int) -> float:
        return round(_LEFT + (_RIGHT - _LEFT) * permille / (top * 10), 1)

    width = WIDTH - _SHARE - 60
    return PlotRow(
        state,
        at * ROW,
        x(state.low_permille),
        x(state.mean_permille),
        x(state.high_permille),
        round(width * state.share_permille / 1_000, 1),
        round(width * floor / 1_000, 1),
    )


def _percent(permille: int) -> str:
    return f"{permille / 10:.1f}".removesuffix(".0") + " %"
