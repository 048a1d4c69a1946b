"""Which variant of a page a shopper sees: by weights at first, then by Thompson sampling, each with a floor.

Of a variant that was shown s times and led to an act a times we believe Beta(1 + a, 1 + s - a). Each new
shopper draws once from every variant's belief and sees the highest, so that traffic shifts as fast as the
evidence does and no faster. Every random number comes from a seed that is handed in. Pure.
Source: Thompson 1933; Marsaglia and Tsang 2000 (gamma variates); Steele et al. 2014 (SplitMix64).
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass

from edge.errors import Invalid

#: Draws behind the shares that a page explains; their error is two points of a hundred or less.
SHARE_DRAWS = 2_000
#: What a normal variable stays within nine times of ten, in standard deviations.
_NINE_OF_TEN = 1.645
_MASK = (1 << 64) - 1
#: A normal or gamma variate is found in one try of two at worst; beyond this the mean stands in.
_MAX_TRIES = 64


@dataclass(frozen=True, slots=True)
class VariantArm:
    """One variant as the choice sees it. weight: its part of the trial, 1 to 1000. shown, acted: orders."""

    name: str
    weight: int = 100
    shown: int = 0
    acted: int = 0

    def __post_init__(self) -> None:
        """Refuse counts that cannot be."""
        if not 1 <= self.weight <= 1_000:
            raise Invalid(f"variant {self.name}: weight {self.weight} must be 1 to 1000")
        if not 0 <= self.acted <= self.shown:
            raise Invalid(f"variant {self.name}: {self.acted} of {self.shown} shown cannot have acted")

    @property
    def mean(self) -> float:
        """The expected rate of acts, 0 to 1."""
        return (1 + self.acted) / (2 + self.shown)

    @property
    def spread(self) -> float:
        """The standard deviation of the belief about that rate."""
        return math.sqrt(self.mean * (1 - self.mean) / (3 + self.shown))


@dataclass(frozen=True, slots=True)
class BanditRule:
    """How variants are shared out. learning: whether acts shift traffic, else weights stay in force.

    floor_permille: the least share of every variant. trial_shown: how often each is shown by weight first.
    """

    learning: bool = True
    floor_permille: int = 100
    trial_shown: int = 30

    def __post_init__(self) -> None:
        """Refuse a floor that leaves nothing to learn with, and a trial without end."""
        if not 0 <= self.floor_permille <= 500:
            raise Invalid(f"the least share {self.floor_permille} must be 0 to 500 of a thousand")
        if not 0 <= self.trial_shown <= 100_000:
            raise Invalid(f"a trial of {self.trial_shown} shown must be 0 to 100000")

    def floor_of(self, arms: int) -> int:
        """Return the least share of each of so many variants, in thousandths."""
        return min(self.floor_permille, 1_000 // arms)

    def trying(self, arms: Sequence[VariantArm]) -> bool:
        """Return whether weights still decide."""
        return not self.learning or any(arm.shown < self.trial_shown for arm in arms)


@dataclass(frozen=True, slots=True)
class ArmState:
    """One variant's state for people, in thousandths: rate, where it lies nine times of ten, and share."""

    arm: VariantArm
    mean_permille: int
    low_permille: int
    high_permille: int
    share_permille: int


class Draws:
    """Random numbers from a seed (SplitMix64); the same seed gives the same numbers on every machine."""

    def __init__(self, seed: int) -> None:
        self._state = seed & _MASK

    def unit(self) -> float:
        """Return a number in [0, 1)."""
        self._state = (self._state + 0x9E3779B97F4A7C15) & _MASK
        mixed = self._state
        mixed = ((mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & _MASK
        return ((mixed ^ (mixed >> 31)) >> 11) / (1 << 53)

    def beta(self, one: float, other: float) -> float:
        """Return a number of Beta(one, other); both at least 1."""
        left, right = self._gamma(one), self._gamma(other)
        return left / (left + right)

    def _normal(self) -> float:
        return math.sqrt(-2 * math.log(1 - self.unit())) * math.cos(2 * math.pi * self.unit())

    def _gamma(self, shape: float) -> float:
        about = shape - 1 / 3
        scale = 1 / math.sqrt(9 * about)
        for _ in range(_MAX_TRIES):
            normal = self._normal()
            cube = (1 + scale * normal) ** 3
            limit = (
                0.5 * normal * normal + about - about * cube + about * math.log(cube) if cube > 0 else -1e9
            )
            if cube > 0 and math.log(1 - self.unit()) < limit:
                return about * cube
        return about


def seed_of(*parts: str) -> int:
    """Return a seed of 64 bits that the same parts always give."""
    text = "\x1f".join(parts)
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")


def choose_variant(arms: Sequence[VariantArm], rule: BanditRule, seed: int) -> str:
    """Return the name of the variant for a new shopper; raise Invalid without any."""
    if not arms:
        raise Invalid("a page without variants cannot be shown")
    if len(arms) == 1:
        return arms[0].name
    draws = Draws(seed)
    floors = rule.floor_of(len(arms)) * len(arms) / 1_000
    if draws.unit() < floors:
        return arms[int(draws.unit() * len(arms))].name
    return _weighted(arms, draws) if rule.trying(arms) else _thompson(arms, draws)


def shares(
    arms: Sequence[VariantArm], rule: BanditRule, seed: int, draws: int = SHARE_DRAWS
) -> tuple[int, ...]:
    """Return each variant's share of new shoppers in thousandths; they sum to 1000, none below the floor."""
    if not arms:
        return ()
    if rule.trying(arms):
        parts = [float(arm.weight) for arm in arms]
    else:
        drawn = Draws(seed)
        names = [_thompson(arms, drawn) for _ in range(draws)]
        parts = [float(names.count(arm.name)) for arm in arms]
    floor = rule.floor_of(len(arms))
    free = 1_000 - floor * len(arms)
    exact = [part * free / sum(parts) for part in parts]
    whole = [math.floor(one) for one in exact]
    behind = sorted(range(len(arms)), key=lambda at: (whole[at] - exact[at], at))
    for at in behind[: free - sum(whole)]:
        whole[at] += 1
    return tuple(floor + one for one in whole)


def states(arms: Sequence[VariantArm], rule: BanditRule, seed: int) -> tuple[ArmState, ...]:
    """Return what a page explains of each variant, in their order."""
    return tuple(_state(arm, share) for arm, share in zip(arms, shares(arms, rule, seed), strict=True))


def _state(arm: VariantArm, share: int) -> ArmState:
    low = max(0.0, arm.mean - _NINE_OF_TEN * arm.spread)
    high = min(1.0, arm.mean + _NINE_OF_TEN * arm.spread)
    return ArmState(arm, round(arm.mean * 1_000), round(low * 1_000), round(high * 1_000), share)


def _weighted(arms: Sequence[VariantArm], draws: Draws) -> str:
    left = draws.unit() * sum(arm.weight for arm in arms)
    for arm in arms[:-1]:
        left -= arm.weight
        if left < 0:
            return arm.name
    return arms[-1].name


def _thompson(arms: Sequence[VariantArm], draws: Draws) -> str:
    drawn = [(draws.beta(1 + arm.acted, 1 + arm.shown - arm.acted), -at) for at, arm in enumerate(arms)]
    return arms[-max(drawn)[1]].name
