"""The sections of the configuration file about what pays for parking."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from edge.parking.benefit import BenefitKind
from edge.parking.validation_rule import Counting, Stacking


@dataclass(frozen=True, slots=True)
class ValidationConfig:
    """[validation]: how validations work together, and the keys of codes and members' plates."""

    stacking: Stacking = Stacking.BEST
    at_most: int = 3
    hour_fen: int = 1_000
    stay_fen: int = 6_000
    plate_key_file: Path | None = None
    qr_key_file: Path | None = None
    points: int = 0
    points_min: int = 60


@dataclass(frozen=True, slots=True)
class ValidationStepConfig:
    """[[validation_rule.step]]: what is given from an amount on."""

    from_fen: int
    benefit: BenefitKind
    value: int = 0
    tariff: str = ""
    label: str = ""
    label_en: str = ""


@dataclass(frozen=True, slots=True)
class ValidationRuleConfig:
    """[[validation_rule]]: what spending earns at the barrier."""

    id: str
    step: tuple[ValidationStepConfig, ...]
    tenants: tuple[str, ...] = ()
    merchant: str = ""
    counting: Counting = Counting.RECEIPT
    tiers: tuple[str, ...] = ()
    per_day: int = 1
    per_stay: int = 1
    valid_h: int = 24
    order: int = 0


@dataclass(frozen=True, slots=True)
class ValidationKeyConfig:
    """[[validation_key]]: another box whose signed codes are redeemed here."""

    box: str
    file: Path
