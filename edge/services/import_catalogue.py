"""Bring in a catalogue file: all of it or nothing, while the tills go on selling.

The file is read and checked whole. Then it is staged in units of a few milliseconds under an import
number that nobody sees, and one last unit makes that number the active one. Whatever stops the import
before that unit leaves the old catalogue whole; the next import clears up what was staged.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import tzinfo
from itertools import islice
from typing import TypeVar

from edge.errors import Unavailable
from edge.retail.catalogue import PLU_PREFIX, Listing, Tenant
from edge.retail.catalogue_csv import (
    MAX_REPORTED,
    BadLine,
    FileRules,
    ParsedCatalogue,
    Progress,
    parse_catalogue,
)
from edge.services.catalogue_records import TIDY_TABLES, KeyChange, Staged
from edge.services.ports import Clock, Store

T = TypeVar("T")

#: Rows in one unit of work, so that a till waits for one of them only for some milliseconds.
STAGE_ROWS = 250
KEY_ROWS = 500
TIDY_ROWS = 1_000
READ_ROWS = 1_000
SORT_ROWS = 5_000


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """How to import.

    skip_bad: import the good lines although there are bad ones. dry_run: check and count only. replace:
    withdraw products that the file does not name (a bad line names its product too). only_tenant: every
    line must be of this tenant, and only its products are withdrawn. current: a price whose moment has
    passed is in force from now on, whatever price came after that moment.
    """

    skip_bad: bool = False
    dry_run: bool = False
    replace: bool = False
    only_tenant: str | None = None
    current: bool = False


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import did, or would do.

    applied: the catalogue is as the file says. lines: product lines. added, changed, unchanged,
    withdrawn: products. bad: problems by line, 1,000 at most; problem_count: all; bad_lines: lines that
    have any. took_ms: by boot time.
    """

    applied: bool
    lines: int
    added: int
    changed: int
    unchanged: int
    withdrawn: int
    bad: tuple[BadLine, ...]
    problem_count: int
    bad_lines: int
    encoding: str
    separator: str
    took_ms: int = 0


def import_catalogue(
    store: Store,
    clock: Clock,
    data: bytes,
    zone: tzinfo,
    options: ImportOptions | None = None,
    progress: Progress | None = None,
) -> ImportReport:
    """Import a catalogue file and report on it; `zone` is that of times without an offset.

    progress: called with (done, total) in steps of work; the last call has done == total. With a bad
    line and no `skip_bad` nothing is imported. Raises Invalid when the file as a whole cannot be read
    or a newer import took over, Unavailable when the store failed; the old catalogue is then whole.
    """
    options = options or ImportOptions()
    started = clock.now()
    steps = _Steps(progress)
    known = {tenant.tenant_id: tenant for tenant in store.read(lambda unit: unit.catalogue.intake.tenants())}
    parsed = parse_catalogue(data, FileRules(zone, known, options.only_tenant), steps.reading)
    if options.current:
        parsed = replace(parsed, listings=_current(parsed.listings, started.wall_at))
    plan = _plan(store, parsed, options)
    work = plan if plan.listings and (options.skip_bad or not plan.bad_lines) else None
    if work is None:
        staged, withdrawn = Staged(0, 0, 0), 0
    elif options.dry_run:
        staged, withdrawn = _preview(store, work, started.wall_at, steps), len(work.withdraw)
    else:
        staged, withdrawn = _apply(store, work, started.wall_at, steps), len(work.withdraw)
    steps.end()
    return ImportReport(
        applied=work is not None and not options.dry_run,
        lines=parsed.lines,
        added=staged.added,
        changed=staged.changed,
        unchanged=staged.unchanged,
        withdrawn=withdrawn,
        bad=plan.bad,
        problem_count=plan.problem_count,
        bad_lines=len(plan.bad_lines),
        encoding=parsed.encoding,
        separator=parsed.separator,
        took_ms=clock.now().since_ms(started),
    )


@dataclass(frozen=True, slots=True)
class _Plan:
    """What is to be done: listings in order of sku, skus to withdraw, tenants, and all problems."""

    listings: tuple[Listing, ...]
    withdraw: tuple[str, ...]
    tenants: tuple[Tenant, ...]
    bad: tuple[BadLine, ...]
    problem_count: int
    bad_lines: frozenset[int]


@dataclass(slots=True)
class _Claim:
    """A line that wants a key which the catalogue gives to another product."""

    line: int
    listing: Listing
    key: str
    owner: str


@dataclass(slots=True)
class _Steps:
    """Turns lines read and rows staged into one progress from 0 to total: two steps for each line."""

    progress: Progress | None
    lines: int = 0
    rows: int = 0
    planned: int = 1
    total: int = field(default=0)

    def reading(self, done: int, lines: int) -> None:
        self.lines, self.total = lines, 2 * lines
        self._show(done)

    def wrote(self, rows: int) -> None:
        self.rows += rows
        self._show(self.lines + self.lines * min(self.rows, self.planned) // self.planned)

    def end(self) -> None:
        self._show(self.total)

    def _show(self, done: int) -> None:
        if self.progress is not None:
            self.progress(done, self.total)


def _current(listings: Sequence[tuple[int, Listing]], at: int) -> tuple[tuple[int, Listing], ...]:
    """Let prices whose moment has passed hold from now on."""
    return tuple(
        (line, replace(one, valid_from=None) if one.valid_from is not None and one.valid_from <= at else one)
        for line, one in listings
    )


def _plan(store: Store, parsed: ParsedCatalogue, options: ImportOptions) -> _Plan:
    named = {listing.product.sku for _, listing in parsed.listings} | parsed.bad_skus
    withdraw = tuple(sku for sku in _live_skus(store, options) if sku not in named)
    problems = _contradictions(store, parsed, frozenset(withdraw), options)
    refused = {problem.line for problem in problems}
    listings = [listing for line, listing in parsed.listings if line not in refused]
    used = {listing.product.tenant_id for listing in listings}
    return _Plan(
        listings=tuple(_in_order(listings, lambda listing: listing.product.sku)),
        withdraw=withdraw,
        tenants=tuple(tenant for tenant in parsed.tenants if tenant.tenant_id in used),
        bad=tuple(sorted((*parsed.bad, *problems), key=lambda bad: bad.line)[:MAX_REPORTED]),
        problem_count=parsed.problem_count + len(problems),
        bad_lines=parsed.bad_lines | refused,
    )


def _live_skus(store: Store, options: ImportOptions) -> Iterator[str]:
    """Yield the skus that a replacing import may withdraw."""
    after = ""
    while options.replace:
        page = _read_skus(store, after, options.only_tenant)
        yield from page
        if len(page) < READ_ROWS:
            return
        after = page[-1]


def _read_skus(store: Store, after: str, tenant_id: str | None) -> tuple[str, ...]:
    return store.read(lambda unit: unit.catalogue.intake.live_skus(after, READ_ROWS, tenant_id))


def _contradictions(
    store: Store, parsed: ParsedCatalogue, withdraw: frozenset[str], options: ImportOptions
) -> list[BadLine]:
    """Return the problems of lines that contradict products which the file leaves as they are."""
    problems: list[BadLine] = []
    claims: list[_Claim] = []
    whole = options.replace and options.only_tenant is None
    for chunk in _chunks(parsed.listings, READ_ROWS):
        owners, tenants = _read_owners(store, chunk)
        claims += _claims(chunk, owners, withdraw)
        problems += [] if whole else _wrong_owners(chunk, tenants)
    return problems + _lost_claims(claims, parsed, problems)


def _read_owners(store: Store, chunk: Sequence[tuple[int, Listing]]) -> tuple[dict[str, str], dict[str, str]]:
    keys = [key for _, listing in chunk for key in listing.keys]
    skus = [listing.product.sku for _, listing in chunk]
    return store.read(
        lambda unit: (unit.catalogue.intake.owners(keys), unit.catalogue.intake.tenants_of(skus))
    )


def _wrong_owners(chunk: Sequence[tuple[int, Listing]], tenants: dict[str, str]) -> list[BadLine]:
    problems = []
    for line, listing in chunk:
        owner = tenants.get(listing.product.sku, listing.product.tenant_id)
        if owner != listing.product.tenant_id:
            text = f"{listing.product.sku} belongs to tenant {owner}"
            problems.append(BadLine(line, "tenant_id", text, "give the product a sku of its own"))
    return problems


def _claims(
    chunk: Sequence[tuple[int, Listing]], owners: dict[str, str], withdraw: frozenset[str]
) -> Iterator[_Claim]:
    for line, listing in chunk:
        for key in listing.keys:
            owner = owners.get(key, listing.product.sku)
            if owner != listing.product.sku and owner not in withdraw:
                yield _Claim(line, listing, key, owner)


def _lost_claims(claims: list[_Claim], parsed: ParsedCatalogue, refused: Sequence[BadLine]) -> list[BadLine]:
    """Return the claims whose owner keeps the key.

    An owner gives a key up only by a good line of its own. A line that loses its claim is not good any
    more, which may make others lose; every round refuses one line or more, so it ends.
    """
    lines = {bad.line for bad in refused}
    good = {listing.product.sku for line, listing in parsed.listings if line not in lines}
    lost: list[_Claim] = []
    while True:
        losing = [claim for claim in claims if claim.owner not in good]
        if not losing:
            return [_lost(claim) for claim in lost]
        lost += losing
        claims = [claim for claim in claims if claim.owner in good]
        good -= {claim.listing.product.sku for claim in losing}


def _lost(claim: _Claim) -> BadLine:
    column = "plu" if claim.key.startswith(PLU_PREFIX) else "barcodes"
    remedy = "take it out here, or list that product without it in the same file"
    return BadLine(
        claim.line, column, f"{claim.key} belongs to product {claim.owner} in the catalogue", remedy
    )


def _preview(store: Store, plan: _Plan, at: int, steps: _Steps) -> Staged:
    total = Staged(0, 0, 0)
    steps.planned = len(plan.listings)
    for chunk in _chunks(plan.listings, READ_ROWS):
        total = _sum(total, _preview_chunk(store, chunk, at))
        steps.wrote(len(chunk))
    return total


def _preview_chunk(store: Store, chunk: Sequence[Listing], at: int) -> Staged:
    return store.read(lambda unit: unit.catalogue.intake.preview(chunk, at))


def _apply(store: Store, plan: _Plan, at: int, steps: _Steps) -> Staged:
    """Stage everything, show it, and clear up behind it."""
    claims = {key: listing.product.sku for listing in plan.listings for key in listing.keys}
    steps.planned = len(plan.listings) + len(plan.withdraw) + len(claims)
    staging = _Staging(store, steps)
    total = staging.stage(plan.listings, at)
    staging.withdraw(plan.withdraw)
    staging.keys(_key_changes(claims, total.dropped))
    staging.finish(plan.tenants, untidy=bool(total.changed or plan.withdraw))
    return replace(total, dropped=())


def _key_changes(claims: dict[str, str], dropped: Sequence[tuple[str, str]]) -> Iterator[KeyChange]:
    """Yield, in order of the keys, what every key's row must say; a claim outweighs a drop."""
    drops: dict[str, list[str]] = {}
    for key, sku in dropped:
        if key not in claims:
            drops.setdefault(key, []).append(sku)
    for key in _in_order((*claims, *drops), str):
        if key in claims:
            yield KeyChange(key, claims[key])
        else:
            yield from (KeyChange(key, sku, dropped=True) for sku in drops[key])


class _Staging:
    """One import on its way into the store, unit by unit."""

    def __init__(self, store: Store, steps: _Steps) -> None:
        self._store = store
        self._steps = steps
        self._number, untidy = store.write(lambda unit: unit.catalogue.intake.begin())
        if untidy:
            self._tidy()

    def stage(self, listings: Sequence[Listing], at: int) -> Staged:
        """Write products and prices; return the sum of what changes."""
        total = Staged(0, 0, 0)
        for chunk in _chunks(listings, STAGE_ROWS):
            total = _sum(total, self._stage_chunk(chunk, at))
            self._steps.wrote(len(chunk))
        return total

    def withdraw(self, skus: Sequence[str]) -> None:
        """Mark products as no longer sold."""
        for chunk in _chunks(skus, STAGE_ROWS):
            self._withdraw_chunk(chunk)
            self._steps.wrote(len(chunk))

    def keys(self, changes: Iterable[KeyChange]) -> None:
        """Write look-up keys."""
        for chunk in _chunks(changes, KEY_ROWS):
            self._keys_chunk(chunk)
            self._steps.wrote(len(chunk))

    def finish(self, tenants: Sequence[Tenant], untidy: bool) -> None:
        """Show what was staged; from here on it has happened, so a tidy that fails waits for the next."""
        number = self._number
        self._store.write(lambda unit: unit.catalogue.intake.finish(number, tenants, untidy))
        if not untidy:
            return
        try:
            self._tidy()
            self._store.write(lambda unit: unit.catalogue.intake.tidied())
        except Unavailable:
            return

    def _stage_chunk(self, chunk: Sequence[Listing], at: int) -> Staged:
        return self._store.write(lambda unit: unit.catalogue.intake.stage(self._number, chunk, at))

    def _withdraw_chunk(self, chunk: Sequence[str]) -> int:
        return self._store.write(lambda unit: unit.catalogue.intake.stage_withdrawn(self._number, chunk))

    def _keys_chunk(self, chunk: Sequence[KeyChange]) -> None:
        self._store.write(lambda unit: unit.catalogue.intake.stage_keys(self._number, chunk))

    def _tidy(self) -> None:
        for table in TIDY_TABLES:
            after: str | None = ""
            while after is not None:
                after = self._tidy_range(table, after)

    def _tidy_range(self, table: str, after: str) -> str | None:
        return self._store.write(lambda unit: unit.catalogue.intake.tidy(table, after, TIDY_ROWS))


def _sum(a: Staged, b: Staged) -> Staged:
    return Staged(a.added + b.added, a.changed + b.changed, a.unchanged + b.unchanged, a.dropped + b.dropped)


def _chunks(rows: Iterable[T], size: int) -> Iterator[tuple[T, ...]]:
    each = iter(rows)
    while chunk := tuple(islice(each, size)):
        yield chunk


def _in_order(rows: Sequence[T], key: Callable[[T], str]) -> Iterator[T]:
    """Yield rows in order of `key`; sorted in pieces, as one long sort would stop every other thread."""
    pieces = [sorted(piece, key=key) for piece in _chunks(rows, SORT_ROWS)]
    return heapq.merge(*pieces, key=key)
