"""Products: import, look up, price."""

from __future__ import annotations

from collections.abc import Callable

from edge.app import (
    INCOMING,
    build_code_rules,
    build_rules,
)
from edge.clock import SystemClock
from edge.codes.classify import classify
from edge.codes.reading import Context
from edge.config import Config
from edge.errands.handing_over import (
    await_report,
    database,
    new_id,
    own_store,
    plain,
)
from edge.errors import Invalid
from edge.money import format_yuan
from edge.retail.catalogue import SoldBy
from edge.services.import_catalogue import ImportOptions
from edge.services.scan_item import find_product
from edge.services.take_intake import (
    CatalogueFile,
    IntakeReport,
    PriceRequest,
    import_now,
    price_now,
)
from edge.store.database import open_reader
from edge.store.intake_folder import MAX_BYTES, IntakeFolder
from edge.store.sqlite_store import SqliteUnit


def import_products(
    config: Config, name: str, data: bytes, options: ImportOptions, progress: Callable[[int, int], None]
) -> IntakeReport:
    """Import a catalogue file, or have a running service do it; raises Unavailable when none takes it.

    name: of the file, for people. progress: called with (done, total).
    """
    if len(data) > MAX_BYTES:
        raise Invalid(f"{name} has more than {MAX_BYTES >> 20} MiB; split it")
    job = CatalogueFile(f"{plain(name)}-{new_id()[-12:]}.csv", data, options)
    with own_store(config) as store:
        if store is not None:
            return import_now(store, SystemClock(), build_rules(config).zone, job, progress)
    folder = IntakeFolder(config.box.data_dir / INCOMING)
    folder.put_catalogue(job.name, data, options)
    return await_report(folder, job.name, progress)


def set_price(config: Config, sku: str, yuan: str, valid_from: str) -> IntakeReport:
    """Set a price, or have a running service do it; raises Unavailable when none takes it."""
    job = PriceRequest(f"{plain(sku)}-{new_id()[-12:]}.price.json", sku, yuan, valid_from)
    with own_store(config) as store:
        if store is not None:
            return price_now(store, SystemClock(), build_rules(config).zone, job)
    folder = IntakeFolder(config.box.data_dir / INCOMING)
    folder.put_price(job)
    return await_report(folder, job.name, lambda done, total: None)


def find_product_lines(config: Config, code: str) -> list[str]:
    """Return what a barcode or sku sells as, in lines for people; reads beside a running service."""
    connection = open_reader(database(config))
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
