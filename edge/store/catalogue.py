"""The catalogue's tables: look-up by any barcode, prices by their valid-from time.

Rows are versions: each carries the number of the import that wrote it and is seen once that number is
active (see schema/0002.sql). Single price changes are written under the active number.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence

from edge.errors import Invalid
from edge.retail.catalogue import CatalogueEntry, Price, Product, SoldBy, Tenant
from edge.store.catalogue_intake import CatalogueIntakeTable

#: Keys that one look-up may name; one code has about ten written forms.
MAX_KEYS = 64

_VERSION = """
p.import_no = (SELECT max(v.import_no) FROM products AS v WHERE v.sku = p.sku AND v.import_no <= h.active)
"""
_PRICE = """
(SELECT r.price_fen FROM prices AS r WHERE r.sku = p.sku AND r.valid_from <= :at AND r.import_no <= h.active
 ORDER BY r.valid_from DESC, r.import_no DESC LIMIT 1)
"""
_COLUMNS = f"p.sku, p.tenant_id, p.name, {_PRICE} AS price_fen, p.name_en, p.sold_by, p.age_min"

_FIND = f"""
SELECT {_COLUMNS}
FROM catalogue_head AS h
CROSS JOIN json_each(:keys) AS wanted
CROSS JOIN product_keys AS k ON k.key = wanted.value AND k.import_no = (
    SELECT max(n.import_no) FROM product_keys AS n WHERE n.key = wanted.value AND n.import_no <= h.active)
CROSS JOIN products AS p ON p.sku = k.sku AND {_VERSION}
WHERE p.withdrawn = 0 AND price_fen IS NOT NULL
ORDER BY wanted.key LIMIT 1
"""
_BY_SKU = f"""
SELECT {_COLUMNS}
FROM catalogue_head AS h CROSS JOIN products AS p ON p.sku = :sku AND {_VERSION}
WHERE p.withdrawn = 0 AND price_fen IS NOT NULL
"""
_ENTRY = f"""
SELECT p.sku, p.tenant_id, p.name, p.name_en, p.sold_by, p.age_min, p.keys, p.withdrawn
FROM catalogue_head AS h CROSS JOIN products AS p ON p.sku = ? AND {_VERSION}
"""
_PRICES = """
SELECT r.valid_from, r.price_fen
FROM catalogue_head AS h CROSS JOIN prices AS r ON r.sku = ? AND r.import_no = (
    SELECT max(v.import_no) FROM prices AS v
    WHERE v.sku = r.sku AND v.valid_from = r.valid_from AND v.import_no <= h.active)
ORDER BY r.valid_from
"""
_PUT_PRICE = """
INSERT INTO prices (sku, valid_from, import_no, price_fen)
SELECT :sku, :valid_from, active, :price_fen FROM catalogue_head WHERE true
ON CONFLICT DO UPDATE SET price_fen = excluded.price_fen
"""


class CatalogueTable:
    """Implements records.Catalogue."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self.intake = CatalogueIntakeTable(connection)

    def find(self, keys: Sequence[str], at: int) -> Product | None:
        """Return the sellable product that has the first matching key, with its price at `at`."""
        if len(keys) > MAX_KEYS:
            raise Invalid(f"{len(keys)} keys for one look-up; {MAX_KEYS} at most")
        row = self._connection.execute(_FIND, {"keys": json.dumps(list(keys)), "at": at}).fetchone()
        return None if row is None else _product(row)

    def by_sku(self, sku: str, at: int) -> Product | None:
        """Return a sellable product by its own id, with its price at `at`."""
        row = self._connection.execute(_BY_SKU, {"sku": sku, "at": at}).fetchone()
        return None if row is None else _product(row)

    def tenant(self, tenant_id: str) -> Tenant | None:
        """Return a tenant."""
        row = self._connection.execute(
            "SELECT tenant_id, name, name_en FROM tenants WHERE tenant_id = ?", (tenant_id,)
        ).fetchone()
        return None if row is None else Tenant(*row)

    def entry(self, sku: str) -> CatalogueEntry | None:
        """Return all that is known of a product, also when it is withdrawn or not sold yet."""
        row = self._connection.execute(_ENTRY, (sku,)).fetchone()
        if row is None:
            return None
        prices = tuple(Price(sku, *price) for price in self._connection.execute(_PRICES, (sku,)))
        owner, name, name_en, sold_by, age_min, keys, withdrawn = row[1:]
        how = SoldBy(sold_by)
        return CatalogueEntry(
            sku, owner, name, name_en, how, age_min, tuple(keys.split()), prices, withdrawn != 0
        )

    def put_price(self, price: Price) -> None:
        """Write a price; another one from the same moment is replaced. Raises Invalid for no such sku."""
        if self.entry(price.sku) is None:
            raise Invalid(f"no product {price.sku}; look the sku up in the catalogue")
        self._connection.execute(
            _PUT_PRICE, {"sku": price.sku, "valid_from": price.valid_from, "price_fen": price.price_fen}
        )


def _product(row: tuple[str, str, str, int, str, str, int]) -> Product:
    sku, tenant_id, name, price_fen, name_en, sold_by, age_min = row
    return Product(sku, tenant_id, name, price_fen, name_en, SoldBy(sold_by), age_min)
