"""Products as a till sees them: who owns them, what they cost and from when."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class SoldBy(StrEnum):
    """How a product is counted: by the piece, or by weight in grams at a price per kilogram."""

    PIECE = "piece"
    WEIGHT = "weight"


@dataclass(frozen=True, slots=True)
class Tenant:
    """A merchant (商户) of the mall who owns products. name: Chinese, name_en: English."""

    tenant_id: str
    name: str
    name_en: str = ""


@dataclass(frozen=True, slots=True)
class Product:
    """A product with the price in force when it was looked up.

    sku: unique per box. price_fen: per piece, or per kilogram when sold by weight. age_min: buyers
    must be at least this old, 0 for everybody.
    """

    sku: str
    tenant_id: str
    name: str
    price_fen: int
    name_en: str = ""
    sold_by: SoldBy = SoldBy.PIECE
    age_min: int = 0


@dataclass(frozen=True, slots=True)
class Price:
    """A price that holds from `valid_from` (Unix milliseconds) until the next one."""

    sku: str
    valid_from: int
    price_fen: int
