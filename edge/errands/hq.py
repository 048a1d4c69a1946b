"""What HQ ordered and sent, for people."""

from __future__ import annotations

import sqlite3

from edge.app import (
    DATABASE,
    INCOMING,
    build_rules,
)
from edge.clock import SystemClock, iso
from edge.config import Config
from edge.errands.handing_over import (
    RETURN_PATIENCE_S,
    await_report,
    database,
    new_id,
    own_store,
    plain,
)
from edge.errors import Unavailable
from edge.ids import TimeOrderedIds
from edge.services.events import Origin
from edge.services.obey_command import describe_command
from edge.services.snapshot_kinds import snapshot_kinds
from edge.services.take_intake import (
    IntakeReport,
    ReturnRequest,
    return_now,
)
from edge.services.take_snapshot import Shelf, describe_snapshots
from edge.store.database import open_reader
from edge.store.intake_folder import IntakeFolder
from edge.store.sqlite_store import SqliteUnit


def command_lines(config: Config, limit: int) -> list[str]:
    """Return whether HQ has frozen sales and its newest commands; reads beside a running service."""
    connection = open_reader(database(config))
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


def snapshot_lines(config: Config) -> list[str]:
    """Return the snapshots of HQ that are here and the last refusals; reads beside a running service."""
    connection = open_reader(database(config))
    try:
        lines = list(describe_snapshots(SqliteUnit(connection)))
    except sqlite3.Error as error:
        raise Unavailable(f"{DATABASE} cannot be read: {error}; start the service once") from error
    finally:
        connection.close()
    return lines or ["HQ has sent no snapshot yet"]


def go_back(config: Config, snapshot: str) -> IntakeReport:
    """Put a snapshot's previous version in force, or have a running service do it."""
    job = ReturnRequest(f"{plain(snapshot)}-{new_id()[-12:]}.return.json", snapshot)
    with own_store(config) as store:
        if store is not None:
            ids, clock = TimeOrderedIds(lambda: SystemClock().now().wall_at), SystemClock()
            origin = Origin(config.box.site, config.box.edge)
            return return_now(Shelf(store, clock, ids, origin, snapshot_kinds(build_rules(config).zone)), job)
    folder = IntakeFolder(config.box.data_dir / INCOMING)
    folder.put_return(job)
    return await_report(folder, job.name, lambda done, total: None, RETURN_PATIENCE_S)
