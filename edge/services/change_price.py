"""Give a product another price, now or from a later moment.

A basket keeps the prices at which its lines were added; only look-ups from `valid_from` on see the new one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import tzinfo

from edge.clock import iso
from edge.errors import Invalid
from edge.money import format_yuan
from edge.retail.catalogue import CatalogueEntry, Price, price_at
from edge.retail.catalogue_cells import CellProblem, read_price, read_valid_from
from edge.services.ports import Clock, Store
from edge.services.records import Unit


@dataclass(frozen=True, slots=True)
class PriceChange:
    """A price that was set. before_fen: what would have held from then on, None before the first price."""

    entry: CatalogueEntry
    price: Price
    before_fen: int | None


def change_price(
    store: Store, clock: Clock, sku: str, price_text: str, valid_from: int | None = None
) -> PriceChange:
    """Set the price of `sku` from `valid_from` (Unix milliseconds; None: now) and return what changed.

    price_text: yuan, such as "12.50". A price already set for the same moment is replaced. Raises
    Invalid for an unknown or withdrawn product, a price that is none, or a moment in the past.
    """
    try:
        price_fen = read_price(price_text)
    except CellProblem as problem:
        raise Invalid(f"price {problem.problem}; {problem.remedy}") from None
    now_at = clock.now().wall_at
    if valid_from is not None and valid_from < now_at:
        raise Invalid(f"a price cannot begin in the past ({iso(valid_from)}); leave the time out for now")
    price = Price(sku, now_at if valid_from is None else valid_from, price_fen)
    return store.write(lambda unit: _write(unit, price, at_once=valid_from is None))


def parse_valid_from(text: str, zone: tzinfo) -> int | None:
    """Return "2026-12-01" or "2026-12-01T08:00" in `zone` as Unix milliseconds, None if empty.

    Raises Invalid for anything else.
    """
    try:
        return read_valid_from(text, zone)
    except CellProblem as problem:
        raise Invalid(f"valid-from {problem.problem}; {problem.remedy}") from None


def describe_change(change: PriceChange) -> str:
    """Return one line for people, e.g. "B-001 蛋挞: 5.00 -> 6.50 from 2026-12-01T00:00:00.000Z"."""
    before = "no price" if change.before_fen is None else format_yuan(change.before_fen)
    after = format_yuan(change.price.price_fen)
    return f"{change.entry.sku} {change.entry.name}: {before} -> {after} from {iso(change.price.valid_from)}"


def _write(unit: Unit, price: Price, *, at_once: bool) -> PriceChange:
    entry = unit.catalogue.entry(price.sku)
    if entry is None:
        raise Invalid(f"no product {price.sku}; look the sku up in the catalogue")
    if entry.withdrawn:
        raise Invalid(f"product {price.sku} is withdrawn; bring it back with an import first")
    before = price_at(entry.prices, price.valid_from)
    # As with a file's: one for at once takes the place of the one in force, and so depends on no clock.
    unit.catalogue.put_price(replace(price, valid_from=before.valid_from) if at_once and before else price)
    return PriceChange(entry, price, None if before is None else before.price_fen)
