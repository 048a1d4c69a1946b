"""What snapshots can hold, one small class for each kind: how its content is checked and put in force."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from datetime import tzinfo

from edge.errors import Invalid
from edge.members.landing import BlockKind, LandingBlock, LandingPage
from edge.services.import_catalogue import ImportOptions, import_catalogue
from edge.services.ports import Clock, Store
from edge.services.records import Unit
from edge.services.snapshot_content import Content
from edge.services.snapshot_kind import MIB, Done, SnapshotKind
from edge.services.snapshot_lists import CalendarKind, ListsKind, TariffsKind
from edge.services.snapshot_members import MembersKind
from edge.services.snapshot_passes import PassesKind
from edge.services.snapshot_prices import PricesKind

#: Landing pages in one snapshot, blocks on a page, and letters in one text.
MAX_PAGES = 2_000
MAX_BLOCKS = 20
MAX_TEXT = 2_000

_BLOCK_TEXTS = ("title", "title_en", "body", "body_en", "url", "picture", "code")


@dataclass(frozen=True, slots=True)
class CatalogueKind:
    """The whole catalogue with its prices, as a file of docs/operations/catalogue.md."""

    zone: tzinfo
    name: str = "catalogue"
    max_bytes: int = 64 * MIB

    def apply(self, store: Store, clock: Clock, content: Content, done: Done, returned: bool) -> str:
        """Import the file; what it does not name is withdrawn."""
        options = ImportOptions(replace=True, current=True)
        report = import_catalogue(store, clock, content.whole(), self.zone, options)
        if not report.applied:
            first = report.bad[0] if report.bad else None
            why = f"line {first.line}, {first.column}: {first.problem}" if first else "it has no products"
            raise Invalid(f"{report.bad_lines} of {report.lines} lines are bad: {why}")
        store.write(done)
        return (
            f"{report.added} added, {report.changed} changed, {report.unchanged} unchanged, "
            f"{report.withdrawn} withdrawn in {report.took_ms / 1000:.1f} s"
        )


@dataclass(frozen=True, slots=True)
class LandingPagesKind:
    """All pages after payment: JSON {"pages": [{"landing_id", "tenant_id", "title", "blocks": [...]}]}."""

    name: str = "landing-pages"
    max_bytes: int = 4 * MIB

    def apply(self, store: Store, clock: Clock, content: Content, done: Done, returned: bool) -> str:
        """Replace all pages in one unit."""
        pages = read_pages(content.whole())

        def work(unit: Unit) -> None:
            unit.landings.clear()
            for page in pages:
                unit.landings.put(page)
            done(unit)

        store.write(work)
        return f"{len(pages)} pages"


def snapshot_kinds(zone: tzinfo) -> dict[str, SnapshotKind]:
    """Return what this box takes, by name; `zone` is that of times without an offset."""
    kinds: tuple[SnapshotKind, ...] = (
        CatalogueKind(zone),
        PricesKind(zone),
        LandingPagesKind(),
        MembersKind(),
        ListsKind(zone),
        TariffsKind(zone),
        CalendarKind(),
        PassesKind(zone),
    )
    return {kind.name: kind for kind in kinds}


def read_pages(content: bytes) -> tuple[LandingPage, ...]:
    """Return the landing pages of a snapshot; raise Invalid naming the page and what is wrong."""
    try:
        said = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise Invalid(f"landing pages are not JSON: {error}") from error
    listed = said.get("pages") if isinstance(said, dict) else None
    if not isinstance(listed, list) or len(listed) > MAX_PAGES:
        raise Invalid(f'landing pages must be {{"pages": [...]}} with {MAX_PAGES} pages at most')
    pages = tuple(_page(one, f"page {number}") for number, one in enumerate(listed, 1))
    for tenant, count in Counter(page.tenant_id for page in pages).items():
        if count > 1:
            raise Invalid(f"tenant {tenant!r} has more than one landing page")
    return pages


def _page(value: object, where: str) -> LandingPage:
    said = _object(value, where)
    blocks = said.get("blocks", [])
    if not isinstance(blocks, list) or len(blocks) > MAX_BLOCKS:
        raise Invalid(f"{where}: blocks must be a list of {MAX_BLOCKS} at most")
    landing_id, title = _text(said, "landing_id", where), _text(said, "title", where)
    if not landing_id or not title:
        raise Invalid(f"{where} needs a landing_id and a title")
    return LandingPage(
        landing_id,
        _text(said, "tenant_id", where),
        title,
        _text(said, "title_en", where),
        _text(said, "picture", where),
        tuple(_block(one, f"{where}, block {number}") for number, one in enumerate(blocks, 1)),
    )


def _block(value: object, where: str) -> LandingBlock:
    said = _object(value, where)
    kind = said.get("kind")
    if not isinstance(kind, str) or kind not in set(BlockKind):
        raise Invalid(f"{where}: kind {kind!r:.40} is not one of {', '.join(BlockKind)}")
    texts = {name: _text(said, name, where) for name in _BLOCK_TEXTS}
    if texts["url"] and not texts["url"].startswith(("https://", "/")):
        raise Invalid(f"{where}: url {texts['url']!r:.60} must begin with https:// or /")
    return LandingBlock(BlockKind(kind), **texts)


def _object(value: object, where: str) -> dict[str, object]:
    if not isinstance(value, dict):
        raise Invalid(f"{where} must be an object, got {type(value).__name__}")
    return value


def _text(said: dict[str, object], name: str, where: str) -> str:
    value = said.get(name, "")
    if not isinstance(value, str) or len(value) > MAX_TEXT:
        raise Invalid(f"{where}: {name} must be a text of {MAX_TEXT} letters at most")
    return value
