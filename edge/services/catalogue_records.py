"""The catalogue and how a new one comes in, as records."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from edge.retail.catalogue import CatalogueEntry, Listing, Price, Product, Tenant

TIDY_TABLES = ("products", "prices", "product_keys")


@dataclass(frozen=True, slots=True)
class Staged:
    """What one chunk of an import changes. dropped: keys that their products no longer have, with the sku."""

    added: int
    changed: int
    unchanged: int
    dropped: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class KeyChange:
    """`sku` claims a look-up key, or drops it."""

    key: str
    sku: str
    dropped: bool = False


class Catalogue(Protocol):
    """Products, found by any of their barcodes."""

    @property
    def intake(self) -> CatalogueIntake: ...

    def find(self, keys: Sequence[str], at: int) -> Product | None:
        """Return the product that has the first matching barcode key, with its price at `at`.

        None for a product that is withdrawn or whose first price lies in the future.
        """

    def by_sku(self, sku: str, at: int) -> Product | None:
        """Return a product by its own id, with its price at `at`; None as for `find`."""

    def tenant(self, tenant_id: str) -> Tenant | None:
        """Return a tenant."""

    def entry(self, sku: str) -> CatalogueEntry | None:
        """Return all that is known of a product, also when it is withdrawn or not sold yet."""

    def put_price(self, price: Price) -> None:
        """Write a price; another one from the same moment is replaced. Raises Invalid for no such sku."""


class CatalogueIntake(Protocol):
    """How a whole catalogue comes in: staged unseen in many small units, shown by one short one.

    begin, (tidy), stage, stage_withdrawn, stage_keys, finish, (tidy). Every write with the number of an
    import that is no longer the present one raises Invalid and keeps nothing.
    """

    def tenants(self) -> tuple[Tenant, ...]:
        """Return all tenants."""

    def live_skus(self, after: str, limit: int, tenant_id: str | None) -> tuple[str, ...]:
        """Return skus that are not withdrawn, in order, above `after`, of one tenant or of all."""

    def owners(self, keys: Sequence[str]) -> dict[str, str]:
        """Return the sku behind each key, for keys of products that are not withdrawn."""

    def tenants_of(self, skus: Sequence[str]) -> dict[str, str]:
        """Return the tenant_id of each sku that is not withdrawn."""

    def preview(self, listings: Sequence[Listing], at: int) -> Staged:
        """Return what `stage` would do, without doing it."""

    def begin(self) -> tuple[int, bool]:
        """Start an import and end any other; return its number and whether left-overs need `tidy` first."""

    def stage(self, import_no: int, listings: Sequence[Listing], at: int) -> Staged:
        """Write the listings' products and prices, unseen; `at`: the valid-from of those that give none."""

    def stage_withdrawn(self, import_no: int, skus: Sequence[str]) -> int:
        """Mark products as no longer sold, unseen; return how many were not so before."""

    def stage_keys(self, import_no: int, changes: Sequence[KeyChange]) -> None:
        """Write look-up keys, unseen."""

    def finish(self, import_no: int, tenants: Sequence[Tenant], untidy: bool) -> None:
        """Show everything that was staged, with these tenants; `untidy`: it leaves replaced rows."""

    def tidy(self, table: str, after: str, limit: int) -> str | None:
        """Delete unseen and replaced rows of one of `TIDY_TABLES`; return where to go on, None at the end."""

    def tidied(self) -> None:
        """Note that nothing is left to tidy, unless an import has begun since."""
