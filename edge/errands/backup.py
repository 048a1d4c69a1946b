"""Copies of the box's database, made beside a running service, and putting one back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from edge.app import DATABASE
from edge.clock import SystemClock, iso
from edge.config import Config
from edge.errands.handing_over import database
from edge.errors import Invalid
from edge.store.backup import Copy, back_up, look_at, prune, put_back

#: Copies that a folder may keep.
MAX_KEPT = 1_000


def make_backup(config: Config, target: Path, keep: int, progress: Callable[[int, int], None]) -> list[str]:
    """Copy the database to a file, or under a dated name into a folder of which `keep` copies stay."""
    source = database(config)
    if not target.is_dir():
        return [_told(back_up(source, target, progress))]
    if not 1 <= keep <= MAX_KEPT:
        raise Invalid(f"keep is 1 to {MAX_KEPT}, not {keep}")
    stem = f"{config.box.site}-{config.box.edge}"
    copy = back_up(source, target / f"{stem}-{_stamp()}.db", progress)
    gone = prune(target, stem, keep)
    return [_told(copy), *(f"deleted the old copy {path.name}" for path in gone)]


def restore_backup(config: Config, source: Path) -> list[str]:
    """Put a copy in the database's place while the service is stopped; what stood there is kept aside."""
    folder = config.box.data_dir
    aside = folder / f"before-{_stamp()}"
    copy = put_back(source, folder / DATABASE, aside)
    return [
        _told(copy, "put back"),
        f"what stood there is in {aside}; delete it when it is no longer wanted",
        "events are numbered on from where HQ may have heard of them; what it misses it counts as lost",
        "then compare the bills of the days since: python -m edge reconcile",
    ]


def look_at_backup(source: Path) -> list[str]:
    """Say whether a copy is sound and what it holds."""
    return [_told(look_at(source), "is sound")]


def _told(copy: Copy, done: str = "written") -> str:
    newest = f"the newest of {iso(copy.newest_at)}" if copy.newest_at else "none yet"
    return f"{copy.path} {done}: {copy.size:,} bytes, schema {copy.schema}, {copy.orders:,} orders, {newest}"


def _stamp() -> str:
    return f"{datetime.fromtimestamp(SystemClock().now().wall_at / 1000, UTC):%Y%m%dT%H%M%SZ}"
