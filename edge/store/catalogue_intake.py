"""How a whole catalogue comes in: rows staged under an unseen import number, then one number changes.

Every chunk is one short unit of work, so tills wait for milliseconds, not for the import. Rows are
written only where they differ from what is seen, and in key order, which keeps the log small.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from edge.errors import Invalid
from edge.retail.catalogue import Listing, Tenant
from edge.services.catalogue_records import TIDY_TABLES, KeyChange, Staged

_VISIBLE_PRODUCTS = """
SELECT p.sku, p.tenant_id, p.name, p.name_en, p.sold_by, p.age_min, p.keys, p.withdrawn
FROM catalogue_head AS h
CROSS JOIN json_each(?) AS wanted
CROSS JOIN products AS p ON p.sku = wanted.value AND p.import_no = (
    SELECT max(v.import_no) FROM products AS v WHERE v.sku = wanted.value AND v.import_no <= h.active)
"""
_VISIBLE_PRICES = """
SELECT json_extract(wanted.value, '$[0]'), r.valid_from, r.price_fen
FROM catalogue_head AS h
CROSS JOIN json_each(?) AS wanted
CROSS JOIN prices AS r ON (r.sku, r.valid_from, r.import_no) = (
    SELECT v.sku, v.valid_from, v.import_no FROM prices AS v
    WHERE v.sku = json_extract(wanted.value, '$[0]') AND v.valid_from <= json_extract(wanted.value, '$[1]')
      AND v.import_no <= h.active
    ORDER BY v.valid_from DESC, v.import_no DESC LIMIT 1)
"""
_VISIBLE_KEYS = """
SELECT k.key, k.sku
FROM catalogue_head AS h
CROSS JOIN json_each(?) AS wanted
CROSS JOIN product_keys AS k ON k.key = wanted.value AND k.import_no = (
    SELECT max(n.import_no) FROM product_keys AS n WHERE n.key = wanted.value AND n.import_no <= h.active)
"""
_LIVE_SKUS = """
SELECT p.sku
FROM catalogue_head AS h CROSS JOIN products AS p
WHERE p.sku > :after AND p.withdrawn = 0 AND (:tenant IS NULL OR p.tenant_id = :tenant) AND p.import_no = (
    SELECT max(v.import_no) FROM products AS v WHERE v.sku = p.sku AND v.import_no <= h.active)
ORDER BY p.sku LIMIT :limit
"""
_PUT_PRODUCT = """
INSERT OR REPLACE INTO products (sku, tenant_id, name, name_en, sold_by, age_min, keys, withdrawn, import_no)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_PUT_PRICE = "INSERT OR REPLACE INTO prices (sku, valid_from, price_fen, import_no) VALUES (?, ?, ?, ?)"
_PUT_KEY = "INSERT OR REPLACE INTO product_keys (key, sku, import_no) VALUES (?, ?, ?)"
_PUT_TENANT = """
INSERT INTO tenants (tenant_id, name, name_en) VALUES (?, ?, ?)
ON CONFLICT DO UPDATE SET name = excluded.name, name_en = excluded.name_en
"""
_BEGIN = """
UPDATE catalogue_head SET last_import = last_import + 1, importing = last_import + 1, untidy = 1
"""
_TIDIED = "UPDATE catalogue_head SET untidy = 0 WHERE importing IS NULL"

# Left-overs of a cut-off import lie above `active`; replaced rows have a newer one that is seen.
_TIDY_RANGE = """
DELETE FROM {table} WHERE {key} > :after AND (:last IS NULL OR {key} <= :last) AND (
    (import_no > (SELECT active FROM catalogue_head)
     AND import_no IS NOT (SELECT importing FROM catalogue_head))
    OR import_no < (SELECT max(n.import_no) FROM {table} AS n
                    WHERE {same} AND n.import_no <= (SELECT active FROM catalogue_head))
    {dead})
"""
# A key that nobody has needs no row once the rows that it hides are gone; they go in the same statement.
_DEAD_KEY = "OR (sku = '' AND import_no <= (SELECT active FROM catalogue_head))"
_RANGE_END = "SELECT {key} FROM {table} WHERE {key} > :after ORDER BY {key} LIMIT 1 OFFSET :limit - 1"
_TIDY_PARTS = {
    "products": {"key": "sku", "same": "n.sku = products.sku", "dead": ""},
    "prices": {
        "key": "sku",
        "same": "n.sku = prices.sku AND n.valid_from = prices.valid_from",
        "dead": "",
    },
    "product_keys": {"key": "key", "same": "n.key = product_keys.key", "dead": _DEAD_KEY},
}

_ProductRow = tuple[str, str, str, str, str, int, str, int]
_PriceRow = tuple[str, int, int]


@dataclass(slots=True)
class _Difference:
    """What a chunk of listings has that the catalogue has not."""

    products: list[_ProductRow] = field(default_factory=list)
    prices: list[_PriceRow] = field(default_factory=list)
    added: int = 0
    changed: int = 0
    dropped: list[tuple[str, str]] = field(default_factory=list)

    def staged(self, count: int) -> Staged:
        """Return the figures of a chunk of `count` listings."""
        return Staged(self.added, self.changed, count - self.added - self.changed, tuple(self.dropped))


class CatalogueIntakeTable:
    """Implements records.CatalogueIntake."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def tenants(self) -> tuple[Tenant, ...]:
        """Return all tenants."""
        rows = self._connection.execute("SELECT tenant_id, name, name_en FROM tenants ORDER BY tenant_id")
        return tuple(Tenant(*row) for row in rows)

    def live_skus(self, after: str, limit: int, tenant_id: str | None) -> tuple[str, ...]:
        """Return skus that are not withdrawn, in order, above `after`, of one tenant or of all."""
        values = {"after": after, "limit": limit, "tenant": tenant_id}
        return tuple(row[0] for row in self._connection.execute(_LIVE_SKUS, values))

    def owners(self, keys: Sequence[str]) -> dict[str, str]:
        """Return the sku behind each key, for keys of products that are not withdrawn."""
        owners = dict(self._connection.execute(_VISIBLE_KEYS, (json.dumps(list(keys)),)).fetchall())
        live = self.tenants_of(sorted(set(owners.values())))
        return {key: sku for key, sku in owners.items() if sku in live}

    def tenants_of(self, skus: Sequence[str]) -> dict[str, str]:
        """Return the tenant_id of each sku that is not withdrawn."""
        return {sku: row[1] for sku, row in self._visible_products(skus).items() if not row[7]}

    def preview(self, listings: Sequence[Listing], at: int) -> Staged:
        """Return what `stage` would do, without doing it."""
        return self._difference(listings, at).staged(len(listings))

    def begin(self) -> tuple[int, bool]:
        """Start an import and end any other; return its number and whether left-overs need `tidy` first."""
        untidy = self._connection.execute("SELECT untidy FROM catalogue_head").fetchone()[0]
        self._connection.execute(_BEGIN)
        number = self._connection.execute("SELECT importing FROM catalogue_head").fetchone()[0]
        return int(number), bool(untidy)

    def stage(self, import_no: int, listings: Sequence[Listing], at: int) -> Staged:
        """Write the listings' products and prices, unseen; `at`: the valid-from of those that give none."""
        self._require_present(import_no)
        difference = self._difference(listings, at)
        self._connection.executemany(_PUT_PRODUCT, ((*row, import_no) for row in difference.products))
        self._connection.executemany(_PUT_PRICE, ((*row, import_no) for row in difference.prices))
        return difference.staged(len(listings))

    def stage_withdrawn(self, import_no: int, skus: Sequence[str]) -> int:
        """Mark products as no longer sold, unseen; return how many were not so before."""
        self._require_present(import_no)
        live = [row for row in self._visible_products(skus).values() if not row[7]]
        self._connection.executemany(_PUT_PRODUCT, ((*row[:7], 1, import_no) for row in live))
        return len(live)

    def stage_keys(self, import_no: int, changes: Sequence[KeyChange]) -> None:
        """Write look-up keys, unseen."""
        self._require_present(import_no)
        keys = json.dumps([change.key for change in changes])
        seen = dict(self._connection.execute(_VISIBLE_KEYS, (keys,)).fetchall())
        rows = [
            (change.key, "" if change.dropped else change.sku, import_no)
            for change in changes
            if (seen.get(change.key, "") == change.sku) is change.dropped
        ]
        self._connection.executemany(_PUT_KEY, rows)

    def finish(self, import_no: int, tenants: Sequence[Tenant], untidy: bool) -> None:
        """Show everything that was staged, with these tenants; `untidy`: it leaves replaced rows."""
        self._require_present(import_no)
        self._connection.executemany(_PUT_TENANT, ((t.tenant_id, t.name, t.name_en) for t in tenants))
        self._connection.execute(
            "UPDATE catalogue_head SET active = importing, importing = NULL, untidy = ?", (int(untidy),)
        )

    def tidy(self, table: str, after: str, limit: int) -> str | None:
        """Delete unseen and replaced rows of one of `TIDY_TABLES`; return where to go on, None at the end."""
        if table not in TIDY_TABLES:
            raise Invalid(f"{table} is no table of the catalogue; one of {', '.join(TIDY_TABLES)}")
        parts = _TIDY_PARTS[table]
        end = _RANGE_END.format(table=table, key=parts["key"])
        row = self._connection.execute(end, {"after": after, "limit": limit}).fetchone()
        last: str | None = None if row is None else row[0]
        self._connection.execute(_TIDY_RANGE.format(table=table, **parts), {"after": after, "last": last})
        return last

    def tidied(self) -> None:
        """Note that nothing is left to tidy, unless an import has begun since."""
        self._connection.execute(_TIDIED)

    def _require_present(self, import_no: int) -> None:
        present = self._connection.execute("SELECT importing FROM catalogue_head").fetchone()[0]
        if present != import_no:
            raise Invalid(
                f"catalogue import {import_no} was ended by a newer one; start it again if still wanted"
            )

    def _visible_products(self, skus: Sequence[str]) -> dict[str, _ProductRow]:
        rows = self._connection.execute(_VISIBLE_PRODUCTS, (json.dumps(list(skus)),))
        return {row[0]: row for row in rows}

    def _difference(self, listings: Sequence[Listing], at: int) -> _Difference:
        old_products = self._visible_products([listing.product.sku for listing in listings])
        old_prices = self._prices_in_force(listings, at)
        found = _Difference()
        for listing in listings:
            old = old_products.get(listing.product.sku)
            row, in_force = _product_row(listing), old_prices.get(listing.product.sku)
            price = _price_row(listing, at, in_force)
            product_differs = old != row
            price_differs = not _same_price(price, in_force)
            found.products += [row] * product_differs
            found.prices += [price] * price_differs
            found.added += old is None
            found.changed += old is not None and (product_differs or price_differs)
            found.dropped += _dropped(old, listing)
        return found

    def _prices_in_force(self, listings: Sequence[Listing], at: int) -> dict[str, tuple[int, int]]:
        wanted = [[sku, valid_from] for sku, valid_from, _ in (_price_row(each, at) for each in listings)]
        rows = self._connection.execute(_VISIBLE_PRICES, (json.dumps(wanted),))
        return {sku: (valid_from, price_fen) for sku, valid_from, price_fen in rows}


def _product_row(listing: Listing) -> _ProductRow:
    p = listing.product
    return p.sku, p.tenant_id, p.name, p.name_en, p.sold_by.value, p.age_min, " ".join(listing.keys), 0


def _price_row(listing: Listing, at: int, in_force: tuple[int, int] | None = None) -> _PriceRow:
    """Return the row of a price. One for at once takes the place, and the moment, of the one in force.

    So it depends on no clock: one that came while the clock was ahead does not come back later.
    """
    moment = at if in_force is None else in_force[0]
    valid_from = moment if listing.valid_from is None else listing.valid_from
    return listing.product.sku, valid_from, listing.product.price_fen


def _same_price(row: _PriceRow, in_force: tuple[int, int] | None) -> bool:
    """Return whether the row says nothing new."""
    return in_force == row[1:]


def _dropped(old: _ProductRow | None, listing: Listing) -> Iterable[tuple[str, str]]:
    if old is None:
        return ()
    kept = set(listing.keys)
    return ((key, old[0]) for key in old[6].split() if key not in kept)
