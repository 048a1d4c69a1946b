"""The section of the configuration about passes and reservations."""

from __future__ import annotations

from dataclasses import dataclass

from edge.errors import Invalid
from edge.parking.plate import PlateKind

#: Plates that never pay unless the configuration says otherwise.
FREE_KINDS = ("emergency", "police", "armed_police", "military")

_MOST = {
    "grace_days": 60,
    "warn_days": 60,
    "renew_within_days": 366,
    "reserve_early_min": 24 * 60,
    "reserve_hold_min": 24 * 60,
}


@dataclass(frozen=True, slots=True)
class PassesConfig:
    """[passes]: the rules of passes and reservations."""

    grace_days: int = 0
    warn_days: int = 6
    renew_within_days: int = 30
    free_kinds: tuple[str, ...] = FREE_KINDS
    reserve_early_min: int = 30
    reserve_hold_min: int = 60


def check_passes(passes: PassesConfig, source: str) -> None:
    """Raise Invalid for days and minutes that cannot be, and for kinds of plates that there are not."""
    for name, most in _MOST.items():
        value = getattr(passes, name)
        if not 0 <= value <= most:
            raise Invalid(f"{source}: passes.{name} is 0 to {most}, got {value}")
    unknown = sorted(set(passes.free_kinds) - set(PlateKind))
    if unknown:
        raise Invalid(f"{source}: passes.free_kinds has {unknown[0]!r}; known: {', '.join(PlateKind)}")
