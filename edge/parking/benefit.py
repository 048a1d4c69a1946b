"""What lowers the fee of a stay, whatever granted it: validation, coupon, points, tier or pass. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class BenefitKind(StrEnum):
    """How it lowers the fee: minutes, fen, thousandths of the fee, another tariff, or all of it."""

    MINUTES = "minutes"
    AMOUNT = "amount"
    PERMILLE = "permille"
    TARIFF = "tariff"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class Benefit:
    """One reduction. benefit_id: of the validation, coupon or pass behind it.

    value: minutes, fen or thousandths taken off; 0 for TARIFF and ALL. tariff_id: for TARIFF. label,
    label_en: for people ("满300减2小时"). order: lower is taken first; equal ones by the kind's own order.
    """

    benefit_id: str
    kind: BenefitKind
    value: int = 0
    tariff_id: str = ""
    label: str = ""
    label_en: str = ""
    order: int = 0
