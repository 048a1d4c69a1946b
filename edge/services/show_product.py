"""Show what the catalogue holds behind a scanned code or a sku, whether it can be sold or not."""

from __future__ import annotations

from dataclasses import dataclass

from edge.codes.classify import classify
from edge.codes.reading import CodeReading, CodeRules
from edge.retail.catalogue import CatalogueEntry, Price, Tenant, price_at, scan_keys
from edge.services.ports import Clock, Store
from edge.services.records import Unit


@dataclass(frozen=True, slots=True)
class ShownProduct:
    """A catalogue entry with its tenant and what holds now. price: None before the first price.

    key: the look-up key that found it, "" when it was found by its sku.
    """

    entry: CatalogueEntry
    tenant: Tenant | None
    price: Price | None
    key: str

    @property
    def sellable(self) -> bool:
        """Whether a scan would put it into a basket now."""
        return self.price is not None and not self.entry.withdrawn


def show_product(store: Store, clock: Clock, code: str, rules: CodeRules) -> ShownProduct | None:
    """Return the product behind a code as a scanner reads it, or with that sku; None for nobody's code."""
    reading = classify(code, None, rules)
    at = clock.now().wall_at
    return store.read(lambda unit: _look_up(unit, code, reading, at))


def _look_up(unit: Unit, code: str, reading: CodeReading, at: int) -> ShownProduct | None:
    readings = (reading, *(other.reading for other in reading.also))
    keys = tuple(dict.fromkeys(key for each in readings for key in scan_keys(each)))
    owners = unit.catalogue.intake.owners(keys)
    key = next((key for key in keys if key in owners), "")
    entry = unit.catalogue.entry(owners.get(key, code))
    if entry is None:
        return None
    return ShownProduct(entry, unit.catalogue.tenant(entry.tenant_id), price_at(entry.prices, at), key)
