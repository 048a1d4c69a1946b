"""What the command line does beside serving: check, import, price, look up, report."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from edge.app import (
    DATABASE,
    build_code_rules,
    build_devices,
    build_gateways,
    build_link,
    build_rules,
    given_file,
    web_settings,
)
from edge.clock import SystemClock
from edge.codes.classify import classify
from edge.codes.reading import Context
from edge.config import Config
from edge.errors import Invalid
from edge.ids import TimeOrderedIds
from edge.money import format_yuan
from edge.retail.catalogue import SoldBy
from edge.services.change_price import change_price, describe_change, parse_valid_from
from edge.services.import_catalogue import ImportOptions, ImportReport, import_catalogue
from edge.services.ports import Clock
from edge.services.records import OutboxDepth
from edge.services.scan_item import find_product
from edge.store.database import open_reader
from edge.store.outbox import OutboxTable
from edge.store.sqlite_store import SqliteStore, SqliteUnit


def check_config(config: Config) -> list[str]:
    """Return what is doubtful about a configuration that could be read; raise Invalid for what is wrong."""
    clock = SystemClock()
    build_rules(config)
    build_devices(config)
    build_gateways(config, clock, TimeOrderedIds(lambda: clock.now().wall_at))
    web_settings(config)
    build_link(config, clock).close()
    doubts = []
    if not config.workstation:
        doubts.append("no [[workstation]] is configured; there is no screen to sell on")
    if config.wechat_pay is None:
        doubts.append("no [wechat_pay] is configured; only tills with cash can take money")
    secrets = [config.wechat_pay.private_key_file if config.wechat_pay else None, config.hq.password_file]
    for path in [given_file(one) for one in secrets if one is not None]:
        if path.stat().st_mode & 0o077:
            doubts.append(f"{path} can be read by others; run: chmod 600 {path}")
    if not config.staff:
        doubts.append("no [[staff]] is configured; nobody can check an age or end a call for help")
    return doubts


def read_outbox(config: Config) -> tuple[OutboxDepth, int]:
    """Return how far HQ is behind, and now; reads beside a running service."""
    connection = open_reader(_database(config))
    try:
        return OutboxTable(connection).depth(), SystemClock().now().wall_at
    finally:
        connection.close()


def import_products(
    config: Config, data: bytes, options: ImportOptions, progress: Callable[[int, int], None]
) -> ImportReport:
    """Import a catalogue file into the box's store; raises Unavailable while the service runs."""
    clock, zone = SystemClock(), build_rules(config).zone
    with _own_store(config, clock) as store:
        return import_catalogue(store, clock, data, zone, options, progress)


def report_lines(report: ImportReport) -> list[str]:
    """Return an import's report as lines for people: bad lines first, then what was done."""
    lines = [f"line {bad.line}, {bad.column}: {bad.problem}; {bad.remedy}" for bad in report.bad]
    if report.problem_count > len(report.bad):
        lines.append(f"... and {report.problem_count - len(report.bad)} problems more")
    if not report.applied:
        lines.append(f"nothing was imported: {report.bad_lines} of {report.lines} lines are bad")
    lines.append(
        f"{report.added} added, {report.changed} changed, {report.unchanged} unchanged, "
        f"{report.withdrawn} withdrawn in {report.took_ms / 1000:.1f} s"
    )
    return lines


def set_price(config: Config, sku: str, yuan: str, valid_from: str) -> str:
    """Set a price and return one line that says so; raises Unavailable while the service runs."""
    clock, zone = SystemClock(), build_rules(config).zone
    with _own_store(config, clock) as store:
        return describe_change(change_price(store, clock, sku, yuan, parse_valid_from(valid_from, zone)))


def find_product_lines(config: Config, code: str) -> list[str]:
    """Return what a barcode or sku sells as, in lines for people; reads beside a running service."""
    connection = open_reader(_database(config))
    now_at = SystemClock().now().wall_at
    try:
        unit = SqliteUnit(connection)
        found = find_product(unit, classify(code, None, build_code_rules(config), Context.BASKET), now_at)
        product = found[0] if found else unit.catalogue.by_sku(code, now_at)
    finally:
        connection.close()
    if product is None:
        raise Invalid(f"nothing is sold as {code!r}; explain it with: python -m edge explain {code!r}")
    measure = "kg" if product.sold_by is SoldBy.WEIGHT else "piece"
    lines = [f"{product.sku}  {product.name}  {product.name_en}", f"tenant {product.tenant_id}"]
    lines.append(f"{format_yuan(product.price_fen)} yuan per {measure}")
    return [*lines, f"age {product.age_min}+"] if product.age_min else lines


def _database(config: Config) -> Path:
    path = config.box.data_dir / DATABASE
    if not path.exists():
        raise Invalid(f"{path} does not exist; start the service once, or import a catalogue")
    return path


@contextmanager
def _own_store(config: Config, clock: Clock) -> Iterator[SqliteStore]:
    config.box.data_dir.mkdir(parents=True, exist_ok=True)
    store = SqliteStore(config.box.data_dir / DATABASE, clock.now().wall_at)
    try:
        yield store
    finally:
        store.close()
