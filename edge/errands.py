"""What the command line does beside serving: check, import, price, look up, report."""

from __future__ import annotations

import re
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from edge.app import (
    DATABASE,
    INCOMING,
    build_code_rules,
    build_devices,
    build_gateways,
    build_link,
    build_marks,
    build_rules,
    given_file,
    link_doubts,
    web_settings,
)
from edge.clock import SystemClock, boottime_ns, iso, wait
from edge.codes.classify import classify
from edge.codes.reading import Context
from edge.config import Config
from edge.errors import Invalid, Unavailable
from edge.ids import TimeOrderedIds
from edge.money import format_yuan
from edge.retail.catalogue import SoldBy
from edge.services.business_day import day_of
from edge.services.dead_letters import (
    LETTERS_SHOWN,
    LetterAction,
    LetterRequest,
    describe_letter,
    settle_letter,
)
from edge.services.events import Origin
from edge.services.import_catalogue import ImportOptions
from edge.services.obey_command import describe_command
from edge.services.outbox_figures import figure_lines, outbox_figures
from edge.services.outbox_records import OutboxDepth
from edge.services.refund_order import describe_refund
from edge.services.scan_item import find_product
from edge.services.show_shifts import describe_shifts
from edge.services.snapshot_kinds import snapshot_kinds
from edge.services.take_intake import (
    CatalogueFile,
    IntakeReport,
    PriceRequest,
    ReturnRequest,
    import_now,
    price_now,
    return_now,
)
from edge.services.take_snapshot import Shelf, describe_snapshots
from edge.services.watch_disk import spare_bytes
from edge.store.database import open_reader
from edge.store.disk import space_of
from edge.store.intake_folder import MAX_BYTES, IntakeFolder
from edge.store.outbox import OutboxTable
from edge.store.sqlite_store import SqliteStore, SqliteUnit

#: How often a file that was handed over is looked at, and how long it may stand still, in seconds.
LOOK_EVERY_S = 0.1
PATIENCE_S = 60.0
#: A large catalogue that goes back shows no progress.
RETURN_PATIENCE_S = 900.0


def check_config(config: Config) -> list[str]:
    """Return what is doubtful about a configuration that could be read; raise Invalid for what is wrong."""
    clock = SystemClock()
    build_rules(config)
    build_devices(config)
    build_gateways(config, clock, TimeOrderedIds(lambda: clock.now().wall_at))
    web_settings(config)
    build_link(config, clock).close()
    return [*_missing(config), *link_doubts(config.hq, clock), *_open_secrets(config)]


def _missing(config: Config) -> list[str]:
    """Return what a box can run without and would miss."""
    box = config.box
    missing = {
        "no [[workstation]] is configured; there is no screen to sell on": not config.workstation,
        "no [wechat_pay] or [alipay] is configured; only tills with cash can take money": (
            config.wechat_pay is None and config.alipay is None
        ),
        "no [[staff]] is configured; nobody can check an age or end a call for help": not config.staff,
        "box.public_url is empty; receipts carry no QR code, as no phone could open it": not box.public_url,
    }
    examples = [
        f"{member.name} has the example's pin_hash, which fits no PIN; run: hash-pin"
        for member in config.staff
        if not member.pin_hash.strip("0$")
    ]
    return [doubt for doubt, applies in missing.items() if applies] + examples


def _open_secrets(config: Config) -> list[str]:
    wallets = [one.private_key_file for one in (config.wechat_pay, config.alipay) if one is not None]
    api_key = config.wechat_pay.api_v3_key_file if config.wechat_pay else None
    secrets = [*wallets, api_key, config.hq.password_file, config.hq.key_file]
    paths = [given_file(one) for one in secrets if one is not None]
    # A key that is missing is a doubt of its own.
    return [
        f"{path} can be read by others; run: chmod 600 {path}"
        for path in paths
        if path.exists() and path.stat().st_mode & 0o077
    ]


def read_outbox(config: Config) -> tuple[OutboxDepth, int]:
    """Return how far HQ is behind, and now; reads beside a running service."""
    with _reading(config) as outbox:
        return outbox.depth(), SystemClock().now().wall_at


def outbox_lines(config: Config) -> list[str]:
    """Return how far HQ is behind, in lines for people; reads beside a running service."""
    marks, now_at = build_marks(config), SystemClock().now().wall_at
    with _reading(config) as outbox:
        spare = spare_bytes(space_of(config.box.data_dir), marks)
        return figure_lines(outbox_figures(outbox.depth(), outbox.pace(), spare, now_at))


def letter_lines(config: Config) -> list[str]:
    """Return the events that HQ rejected and nobody has dealt with; reads beside a running service."""
    with _reading(config) as outbox:
        letters = outbox.dead_letters(LETTERS_SHOWN)
    if not letters:
        return ["HQ has rejected nothing that is still open"]
    return [describe_letter(letter) for letter in letters]


def event_lines(config: Config, sequence: int) -> list[str]:
    """Return an event that waits or was rejected, in lines; raise Invalid for one that is not here."""
    with _reading(config) as outbox:
        letter = outbox.dead_letter(sequence)
        waiting = [one for one in outbox.window(sequence - 1, 1) if one.sequence == sequence]
    if letter is not None:
        return [describe_letter(letter), letter.message.body.decode()]
    if waiting:
        return [f"event {sequence} waits for HQ", waiting[0].body.decode()]
    raise Invalid(f"event {sequence} is not here: HQ has it, or it was never written")


def command_lines(config: Config, limit: int) -> list[str]:
    """Return whether HQ has frozen sales and its newest commands; reads beside a running service."""
    connection = open_reader(_database(config))
    try:
        unit = SqliteUnit(connection)
        freeze, records = unit.commands.freeze(), unit.commands.recent(limit)
    except sqlite3.Error as error:
        raise Unavailable(f"{DATABASE} cannot be read: {error}; start the service once") from error
    finally:
        connection.close()
    frozen = f"HQ has frozen sales since {iso(freeze.since_at)}: {freeze.note}" if freeze else ""
    found = [describe_command(one) for one in records] or ["HQ has told this box nothing"]
    return [frozen, *found] if frozen else found


def refund_lines(config: Config, limit: int) -> list[str]:
    """Return the refunds under way and the newest ones; reads beside a running service."""
    connection = open_reader(_database(config))
    try:
        unit = SqliteUnit(connection)
        under_way, newest = unit.refunds.open(limit), unit.refunds.recent(limit)
    except sqlite3.Error as error:
        raise Unavailable(f"{DATABASE} cannot be read: {error}; start the service once") from error
    finally:
        connection.close()
    others = [one for one in newest if one.closed_at is not None]
    lines = [line for refund in (*under_way, *others) for line in describe_refund(refund)]
    return [f"{len(under_way)} refunds are under way", *lines]


def shift_lines(config: Config, day: str) -> list[str]:
    """Return a business day's totals and shifts, today's when `day` is empty; reads beside a service."""
    rules, at = build_rules(config), SystemClock().now().wall_at
    wanted = day or day_of(at, rules)
    connection = open_reader(_database(config))
    try:
        return describe_shifts(SqliteUnit(connection), wanted, rules, at)
    except sqlite3.Error as error:
        raise Unavailable(f"{DATABASE} cannot be read: {error}; start the service once") from error
    finally:
        connection.close()


def deal_with_letter(
    config: Config, sequence: int, action: LetterAction, data: str = "", note: str = ""
) -> IntakeReport:
    """Send a dead letter again or drop it, or have a running service do it."""
    wish = LetterRequest(
        f"{action.value}-{sequence}-{_new_id()[-12:]}.letter.json", sequence, action, data, note
    )
    with _own_store(config) as store:
        if store is not None:
            return IntakeReport(True, (settle_letter(store, SystemClock(), wish),))
    folder = IntakeFolder(config.box.data_dir / INCOMING)
    folder.put_letter(wish)
    return _await_report(folder, wish.name, lambda done, total: None)


def import_products(
    config: Config, name: str, data: bytes, options: ImportOptions, progress: Callable[[int, int], None]
) -> IntakeReport:
    """Import a catalogue file, or have a running service do it; raises Unavailable when none takes it.

    name: of the file, for people. progress: called with (done, total).
    """
    if len(data) > MAX_BYTES:
        raise Invalid(f"{name} has more than {MAX_BYTES >> 20} MiB; split it")
    job = CatalogueFile(f"{_plain(name)}-{_new_id()[-12:]}.csv", data, options)
    with _own_store(config) as store:
        if store is not None:
            return import_now(store, SystemClock(), build_rules(config).zone, job, progress)
    folder = IntakeFolder(config.box.data_dir / INCOMING)
    folder.put_catalogue(job.name, data, options)
    return _await_report(folder, job.name, progress)


def set_price(config: Config, sku: str, yuan: str, valid_from: str) -> IntakeReport:
    """Set a price, or have a running service do it; raises Unavailable when none takes it."""
    job = PriceRequest(f"{_plain(sku)}-{_new_id()[-12:]}.price.json", sku, yuan, valid_from)
    with _own_store(config) as store:
        if store is not None:
            return price_now(store, SystemClock(), build_rules(config).zone, job)
    folder = IntakeFolder(config.box.data_dir / INCOMING)
    folder.put_price(job)
    return _await_report(folder, job.name, lambda done, total: None)


def snapshot_lines(config: Config) -> list[str]:
    """Return the snapshots of HQ that are here and the last refusals; reads beside a running service."""
    connection = open_reader(_database(config))
    try:
        lines = list(describe_snapshots(SqliteUnit(connection)))
    except sqlite3.Error as error:
        raise Unavailable(f"{DATABASE} cannot be read: {error}; start the service once") from error
    finally:
        connection.close()
    return lines or ["HQ has sent no snapshot yet"]


def go_back(config: Config, snapshot: str) -> IntakeReport:
    """Put a snapshot's previous version in force, or have a running service do it."""
    job = ReturnRequest(f"{_plain(snapshot)}-{_new_id()[-12:]}.return.json", snapshot)
    with _own_store(config) as store:
        if store is not None:
            ids, clock = TimeOrderedIds(lambda: SystemClock().now().wall_at), SystemClock()
            origin = Origin(config.box.site, config.box.edge)
            return return_now(Shelf(store, clock, ids, origin, snapshot_kinds(build_rules(config).zone)), job)
    folder = IntakeFolder(config.box.data_dir / INCOMING)
    folder.put_return(job)
    return _await_report(folder, job.name, lambda done, total: None, RETURN_PATIENCE_S)


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
def _reading(config: Config) -> Iterator[OutboxTable]:
    connection = open_reader(_database(config))
    try:
        yield OutboxTable(connection)
    except sqlite3.Error as error:
        raise Unavailable(f"{DATABASE} cannot be read: {error}; start the service once") from error
    finally:
        connection.close()


def _plain(name: str) -> str:
    """Return what of a name can stand in a file name, at most 40 characters."""
    return re.sub(r"[^0-9A-Za-z_-]+", "-", Path(name).stem).strip("-")[:40] or "file"


def _new_id() -> str:
    return TimeOrderedIds(lambda: SystemClock().now().wall_at).new_id()


@contextmanager
def _own_store(config: Config) -> Iterator[SqliteStore | None]:
    """Open the store for writing; None while another process has it."""
    config.box.data_dir.mkdir(parents=True, exist_ok=True)
    try:
        store = SqliteStore(config.box.data_dir / DATABASE, SystemClock().now().wall_at)
    except Unavailable:
        yield None
        return
    try:
        yield store
    finally:
        store.close()


def _await_report(
    folder: IntakeFolder, name: str, progress: Callable[[int, int], None], patience_s: float = PATIENCE_S
) -> IntakeReport:
    """Follow a file that was handed over until its report is there; raises Unavailable when nothing moves."""
    pause, last, moved_ns = threading.Event(), None, boottime_ns()
    while boottime_ns() - moved_ns < patience_s * 1e9:
        seen = folder.seen(name)
        if isinstance(seen, IntakeReport):
            return seen
        if seen is not None and seen != last:
            last, moved_ns = seen, boottime_ns()
            progress(*seen)
        wait(pause, LOOK_EVERY_S)
    raise Unavailable(
        f"the database is in use, and {folder.folder / name} was not taken within {patience_s:.0f} s. "
        "It stays there until the service takes it; its report will be in done/ or refused/ beside it"
    )
