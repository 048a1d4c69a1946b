"""Snapshots of prices: what every product on sale costs from when on, without the rest of the catalogue."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from itertools import zip_longest

from edge.codes.sheet import BadCell, Columns, at_line, moment, pattern, read_rows, yuan
from edge.errors import Invalid
from edge.retail.catalogue import CatalogueEntry, Listing, Product
from edge.services.catalogue_records import TIDY_TABLES
from edge.services.ports import Clock, Store
from edge.services.snapshot_content import Content
from edge.services.snapshot_delta import split_lines
from edge.services.snapshot_kind import MIB, Done

MAX_LINE_BYTES = 1_024
MAX_PRICES = 300_000
MAX_FEN = 100_000_000

#: Prices in one unit of work, and skus in one query.
STAGE_ROWS = 250
READ_ROWS = 1_000

COLUMNS = Columns(("sku", "price"), ("valid_from",))

_SKU = re.compile(r"[0-9A-Za-z._/-]{1,32}", re.ASCII)


@dataclass(frozen=True, slots=True)
class PriceLine:
    """A line. valid_from: Unix milliseconds, 0 for at once."""

    line: int
    sku: str
    price_fen: int
    valid_from: int


@dataclass(frozen=True, slots=True)
class PricesKind:
    """The prices of all products on sale: sku, price, valid_from. zone: of times without an offset."""

    zone: tzinfo
    name: str = "prices"
    max_bytes: int = 32 * MIB

    def apply(self, store: Store, clock: Clock, content: Content, done: Done, returned: bool) -> str:
        """Stage the prices that differ and show them.

        Going back, products that have come since keep their prices and those that have gone are left out.
        """
        lines = tuple(read_prices(content, self.zone))
        live = _live(store)
        if not returned:
            _require_all(lines, live)
        at = clock.now().wall_at
        wanted = _in_force([one for one in lines if one.sku in live], at)
        number, untidy = store.write(lambda unit: unit.catalogue.intake.begin())
        _tidy(store, untidy)
        # A product's second price comes in another stretch than its first, as one stretch names each once.
        staged = [_stage(store, number, batch, at) for batch in _stretches(wanted)]
        changed = sum(staged)
        store.write(lambda unit: unit.catalogue.intake.finish(number, (), bool(changed)))
        store.write(done)
        _tidy(store, bool(changed))
        return f"{len(wanted)} prices, {changed} changed"


def read_prices(content: Content, zone: tzinfo) -> Iterator[PriceLine]:
    """Yield the lines of a table of prices; raise Invalid naming line and column."""
    seen: set[tuple[str, int]] = set()
    for count, (number, cells) in enumerate(
        read_rows(split_lines(content.blocks(), MAX_LINE_BYTES), COLUMNS), 1
    ):
        if count > MAX_PRICES:
            raise Invalid(f"line {number}: a box takes {MAX_PRICES} prices at most")
        try:
            sku = pattern("sku", cells[0], _SKU, "use 1 to 32 of 0-9 A-Z a-z . _ / -")
            price = PriceLine(number, sku, _price(cells[1]), moment("valid_from", cells[2], zone, 0))
            if (sku, price.valid_from) in seen:
                raise BadCell("sku", f"{sku} has a price from that moment above")
        except BadCell as error:
            raise at_line(number, error) from None
        seen.add((sku, price.valid_from))
        yield price


def _price(cell: str) -> int:
    fen = yuan("price", cell, MAX_FEN)
    if fen == 0:
        raise BadCell("price", "is zero; withdraw the product in the catalogue instead")
    return fen


def _live(store: Store) -> frozenset[str]:
    found: set[str] = set()
    after = ""
    while page := _page(store, after):
        found.update(page)
        after = page[-1]
    return frozenset(found)


def _page(store: Store, after: str) -> tuple[str, ...]:
    return store.read(lambda unit: unit.catalogue.intake.live_skus(after, READ_ROWS, None))


def _require_all(lines: Sequence[PriceLine], live: frozenset[str]) -> None:
    unknown = next((one for one in lines if one.sku not in live), None)
    if unknown is not None:
        raise Invalid(f"line {unknown.line}, sku: {unknown.sku} is not on sale; send the catalogue first")
    missing = live - {one.sku for one in lines}
    if missing:
        raise Invalid(
            f"{len(missing)} products on sale have no price here, for instance {min(missing)}; name all"
        )


def _in_force(lines: Sequence[PriceLine], at: int) -> list[PriceLine]:
    """Keep of each product the last price that has begun, from now on, and those to come; by sku."""
    begun: dict[str, PriceLine] = {}
    for one in sorted(lines, key=lambda one: one.valid_from):
        if one.valid_from <= at:
            begun[one.sku] = PriceLine(one.line, one.sku, one.price_fen, 0)
    later = [one for one in lines if one.valid_from > at]
    return sorted((*begun.values(), *later), key=lambda one: (one.sku, one.valid_from))


def _stretches(lines: Sequence[PriceLine]) -> Iterator[list[PriceLine]]:
    """Yield stretches of `STAGE_ROWS` at most, each with one price of a product at most."""
    by_sku: dict[str, list[PriceLine]] = {}
    for one in lines:
        by_sku.setdefault(one.sku, []).append(one)
    for turn in zip_longest(*by_sku.values()) if len(by_sku) < len(lines) else [tuple(lines)]:
        there = [one for one in turn if one is not None]
        for at in range(0, len(there), STAGE_ROWS):
            yield there[at : at + STAGE_ROWS]


def _stage(store: Store, number: int, batch: Sequence[PriceLine], at: int) -> int:
    """Stage prices and return how many differ from what is in force."""
    entries = store.read(lambda unit: [unit.catalogue.entry(one.sku) for one in batch])
    listings = [
        _listing(entry, line) for entry, line in zip(entries, batch, strict=True) if entry is not None
    ]
    staged = store.write(lambda unit: unit.catalogue.intake.stage(number, listings, at))
    return staged.added + staged.changed


def _listing(entry: CatalogueEntry, line: PriceLine) -> Listing:
    product = Product(
        entry.sku, entry.tenant_id, entry.name, line.price_fen, entry.name_en, entry.sold_by, entry.age_min
    )
    return Listing(product, entry.keys, line.valid_from or None)


def _tidy(store: Store, untidy: bool) -> None:
    for table in TIDY_TABLES if untidy else ():
        after: str | None = ""
        while after is not None:
            after = _tidy_range(store, table, after)
    store.write(lambda unit: unit.catalogue.intake.tidied())


def _tidy_range(store: Store, table: str, after: str) -> str | None:
    return store.write(lambda unit: unit.catalogue.intake.tidy(table, after, READ_ROWS))
