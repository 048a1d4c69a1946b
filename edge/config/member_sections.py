"""The sections of the configuration about members and points."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from edge.errors import Invalid

_MOST_DAYS = 3_660
_MOST_POINTS = 10_000_000


@dataclass(frozen=True, slots=True)
class MembersConfig:
    """[members]: identities, consent, how long members are kept, and how points live."""

    key_file: Path | None = None
    consent_version: str = "1"
    keep_days: int = 730
    points_life_days: int = 0
    points_kept_here: bool = False
    circle: bool = False
    late_days: int = 7


@dataclass(frozen=True, slots=True)
class PointsRuleConfig:
    """[[points_rule]]: what spending at a tenant earns."""

    points: int
    tenant: str = ""
    per_fen: int = 100
    most_per_order: int = 0
    most_per_day: int = 0


@dataclass(frozen=True, slots=True)
class PointsTierConfig:
    """[[points_tier]]: what members of a tier earn, of what others do."""

    tier: str
    percent: int


def check_members(
    members: MembersConfig, rules: Sequence[PointsRuleConfig], tiers: Sequence[PointsTierConfig], source: str
) -> None:
    """Raise Invalid for days, points and percents that cannot be, and for a tenant or tier named twice."""
    for name in ("keep_days", "points_life_days", "late_days"):
        _within(f"{source}: members.{name}", getattr(members, name), 0, _MOST_DAYS)
    for rule in rules:
        place = f"{source}: points_rule of {rule.tenant or 'all tenants'}"
        for name, least in (("points", 0), ("per_fen", 1), ("most_per_order", 0), ("most_per_day", 0)):
            _within(f"{place}: {name}", getattr(rule, name), least, _MOST_POINTS)
    for tier in tiers:
        _within(f"{source}: points_tier {tier.tier}: percent", tier.percent, 0, 1_000)
    _once(f"{source}: points_rule", [one.tenant or "all tenants" for one in rules])
    _once(f"{source}: points_tier", [one.tier for one in tiers])


def _within(what: str, value: int, least: int, most: int) -> None:
    if not least <= value <= most:
        raise Invalid(f"{what} is {least} to {most}, got {value}")


def _once(what: str, names: Sequence[str]) -> None:
    twice = sorted({one for one in names if names.count(one) > 1})
    if twice:
        raise Invalid(f"{what}: {twice[0]!r} stands twice")
