"""Products as a till sees them: who owns them, what they cost and from when."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from edge.codes.gtin import canonical_key
from edge.codes.reading import CodeReading
from edge.codes.scale_label import ScaleLabel

#: What the look-up key of a scale's item number (PLU) begins with; no other key may.
PLU_PREFIX = "plu:"
_PLU_DIGITS = 5


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


@dataclass(frozen=True, slots=True)
class Listing:
    """A product as a catalogue file lists it.

    product.price_fen holds from `valid_from` (Unix milliseconds; None: from the moment of the import).
    keys: every look-up key, as `barcode_key` and `plu_key` make them, without repeats.
    """

    product: Product
    keys: tuple[str, ...] = ()
    valid_from: int | None = None


@dataclass(frozen=True, slots=True)
class CatalogueEntry:
    """All that the catalogue holds of one product.

    keys: every look-up key. prices: past, present and future, oldest first. withdrawn: no longer sold,
    kept for old receipts.
    """

    sku: str
    tenant_id: str
    name: str
    name_en: str
    sold_by: SoldBy
    age_min: int
    keys: tuple[str, ...]
    prices: tuple[Price, ...]
    withdrawn: bool


def barcode_key(barcode: str) -> str:
    """Return the key that the catalogue stores for a barcode: GTIN-14, or a house code as it is."""
    return canonical_key(barcode)


def plu_key(item: str) -> str:
    """Return the key of a scale's item number (digits): without needless zeros, at least five digits.

    A label of six item digits and a catalogue of four meet in the same key: "001234", "1234" and
    "01234" all give "plu:01234".
    """
    return PLU_PREFIX + item.lstrip("0").zfill(_PLU_DIGITS)


def scan_keys(reading: CodeReading) -> tuple[str, ...]:
    """Return what to look up for a reading, best first: its own keys, after the item number of a scale."""
    if isinstance(reading.payload, ScaleLabel):
        return (plu_key(reading.payload.item), *reading.keys)
    return reading.keys


def price_at(prices: Iterable[Price], at: int) -> Price | None:
    """Return the price in force at `at` (Unix milliseconds), None before the first one."""
    begun = [price for price in prices if price.valid_from <= at]
    return max(begun, key=lambda price: price.valid_from, default=None)
