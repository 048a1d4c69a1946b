"""The catalogue in memory; one part of sim.fakes.store."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from edge.errors import Invalid
from edge.retail.catalogue import CatalogueEntry, Listing, Price, Product, Tenant, price_at
from edge.services.catalogue_records import TIDY_TABLES, KeyChange, Staged


@dataclass(slots=True)
class CatalogueRows:
    """What the catalogue holds; `seen` is what tills see, `staged` what an import has brought so far."""

    tenants: dict[str, Tenant] = field(default_factory=dict)
    seen: dict[str, CatalogueEntry] = field(default_factory=dict)
    owners: dict[str, str] = field(default_factory=dict)
    staged: dict[str, CatalogueEntry] = field(default_factory=dict)
    staged_owners: dict[str, str] = field(default_factory=dict)
    last_import: int = 0
    importing: int | None = None
    untidy: bool = False

    def copy(self) -> CatalogueRows:
        """Return rows that can be changed without changing these; the values themselves are frozen."""
        return replace(
            self,
            tenants=dict(self.tenants),
            seen=dict(self.seen),
            owners=dict(self.owners),
            staged=dict(self.staged),
            staged_owners=dict(self.staged_owners),
        )


class FakeCatalogue:
    """Implements records.Catalogue and, as its own `intake`, records.CatalogueIntake."""

    def __init__(self, rows: CatalogueRows, writing: Callable[[], None]) -> None:
        """writing: called before every change; raises where nothing may be written."""
        self._rows = rows
        self._writing = writing

    @property
    def intake(self) -> FakeCatalogue:
        """The way in for whole catalogues."""
        return self

    def find(self, keys: Sequence[str], at: int) -> Product | None:
        """Return the sellable product that has the first matching key, with its price at `at`."""
        found = (self.by_sku(self._rows.owners.get(key, ""), at) for key in keys)
        return next((product for product in found if product is not None), None)

    def by_sku(self, sku: str, at: int) -> Product | None:
        """Return a sellable product by its own id, with its price at `at`."""
        entry = self._rows.seen.get(sku)
        price = price_at(entry.prices, at) if entry else None
        if entry is None or price is None or entry.withdrawn:
            return None
        return Product(
            sku, entry.tenant_id, entry.name, price.price_fen, entry.name_en, entry.sold_by, entry.age_min
        )

    def tenant(self, tenant_id: str) -> Tenant | None:
        """Return a tenant."""
        return self._rows.tenants.get(tenant_id)

    def entry(self, sku: str) -> CatalogueEntry | None:
        """Return all that is known of a product."""
        return self._rows.seen.get(sku)

    def put_price(self, price: Price) -> None:
        """Write a price; another one from the same moment is replaced."""
        self._writing()
        entry = self._rows.seen.get(price.sku)
        if entry is None:
            raise Invalid(f"no product {price.sku}; look the sku up in the catalogue")
        self._rows.seen[price.sku] = _priced(entry, price)

    def tenants(self) -> tuple[Tenant, ...]:
        """Return all tenants."""
        return tuple(self._rows.tenants[one] for one in sorted(self._rows.tenants))

    def live_skus(self, after: str, limit: int, tenant_id: str | None) -> tuple[str, ...]:
        """Return skus that are not withdrawn, in order, above `after`."""
        live = (sku for sku, entry in self._rows.seen.items() if _is_live(entry, tenant_id) and sku > after)
        return tuple(sorted(live)[:limit])

    def owners(self, keys: Sequence[str]) -> dict[str, str]:
        """Return the sku behind each key, for keys of products that are not withdrawn."""
        found = {key: self._rows.owners.get(key, "") for key in keys}
        return {key: sku for key, sku in found.items() if sku in self.tenants_of([sku])}

    def tenants_of(self, skus: Sequence[str]) -> dict[str, str]:
        """Return the tenant_id of each sku that is not withdrawn."""
        entries = {sku: self._rows.seen[sku] for sku in skus if sku in self._rows.seen}
        return {sku: entry.tenant_id for sku, entry in entries.items() if not entry.withdrawn}

    def preview(self, listings: Sequence[Listing], at: int) -> Staged:
        """Return what `stage` would do."""
        merged = [self._merged(listing, at) for listing in listings]
        known = [self._rows.seen.get(entry.sku) for entry in merged]
        added = sum(old is None for old in known)
        unchanged = sum(old == new for old, new in zip(known, merged, strict=True))
        dropped = tuple(
            (key, old.sku)
            for old, new in zip(known, merged, strict=True)
            if old is not None
            for key in old.keys
            if key not in new.keys
        )
        return Staged(added, len(merged) - added - unchanged, unchanged, dropped)

    def begin(self) -> tuple[int, bool]:
        """Start an import and end any other."""
        self._writing()
        was_untidy, rows = self._rows.untidy, self._rows
        rows.last_import += 1
        rows.importing, rows.untidy = rows.last_import, True
        rows.staged.clear()
        rows.staged_owners.clear()
        return rows.last_import, was_untidy

    def stage(self, import_no: int, listings: Sequence[Listing], at: int) -> Staged:
        """Write listings, unseen."""
        self._require_present(import_no)
        staged = self.preview(listings, at)
        for one in listings:
            before = self._rows.staged.get(one.product.sku)
            self._rows.staged[one.product.sku] = self._merged(one, at, before)
        return staged

    def stage_withdrawn(self, import_no: int, skus: Sequence[str]) -> int:
        """Mark products as no longer sold, unseen."""
        self._require_present(import_no)
        live = self.tenants_of(skus)
        self._rows.staged.update({sku: replace(self._rows.seen[sku], withdrawn=True) for sku in live})
        return len(live)

    def stage_keys(self, import_no: int, changes: Sequence[KeyChange]) -> None:
        """Write look-up keys, unseen."""
        self._require_present(import_no)
        for change in changes:
            if not change.dropped:
                self._rows.staged_owners[change.key] = change.sku
            elif self._rows.owners.get(change.key) == change.sku:
                self._rows.staged_owners[change.key] = ""

    def finish(self, import_no: int, tenants: Sequence[Tenant], untidy: bool) -> None:
        """Show everything that was staged."""
        self._require_present(import_no)
        self._rows.tenants.update({tenant.tenant_id: tenant for tenant in tenants})
        self._rows.seen.update(self._rows.staged)
        self._rows.owners.update(self._rows.staged_owners)
        self._rows.importing, self._rows.untidy = None, untidy

    def tidy(self, table: str, after: str, limit: int) -> str | None:
        """Nothing is left over in memory."""
        self._writing()
        if table not in TIDY_TABLES:
            raise Invalid(f"{table} is no table of the catalogue; one of {', '.join(TIDY_TABLES)}")
        return None

    def tidied(self) -> None:
        """Note that nothing is left to tidy, unless an import has begun since."""
        self._writing()
        self._rows.untidy = self._rows.importing is not None

    def _require_present(self, import_no: int) -> None:
        self._writing()
        if self._rows.importing != import_no:
            raise Invalid(
                f"catalogue import {import_no} was ended by a newer one; start it again if still wanted"
            )

    def _merged(self, listing: Listing, at: int, staged: CatalogueEntry | None = None) -> CatalogueEntry:
        product, old = listing.product, staged or self._rows.seen.get(listing.product.sku)
        prices = old.prices if old else ()
        valid_from = at if listing.valid_from is None else listing.valid_from
        entry = CatalogueEntry(
            product.sku,
            product.tenant_id,
            product.name,
            product.name_en,
            product.sold_by,
            product.age_min,
            listing.keys,
            prices,
            withdrawn=False,
        )
        present = price_at(prices, valid_from)
        if listing.valid_from is None and present is not None:
            # One for at once takes the place, and the moment, of the one in force.
            valid_from = present.valid_from
        return _priced(entry, Price(product.sku, valid_from, product.price_fen))


def _is_live(entry: CatalogueEntry, tenant_id: str | None) -> bool:
    return not entry.withdrawn and tenant_id in (None, entry.tenant_id)


def _priced(entry: CatalogueEntry, price: Price) -> CatalogueEntry:
    others = [one for one in entry.prices if one.valid_from != price.valid_from]
    prices = sorted([*others, price], key=lambda one: one.valid_from)
    return replace(entry, prices=tuple(prices))
