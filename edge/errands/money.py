"""Refunds, shifts, payments and bills for people."""

from __future__ import annotations

import sqlite3

from edge.app import (
    DATABASE,
    build_rules,
)
from edge.clock import SystemClock
from edge.config import Config
from edge.errands.handing_over import (
    database,
)
from edge.errors import Unavailable
from edge.services.business_day import day_of
from edge.services.refund_order import describe_refund
from edge.services.show_shifts import describe_shifts
from edge.store.database import open_reader
from edge.store.sqlite_store import SqliteUnit


def refund_lines(config: Config, limit: int) -> list[str]:
    """Return the refunds under way and the newest ones; reads beside a running service."""
    connection = open_reader(database(config))
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
    connection = open_reader(database(config))
    try:
        return describe_shifts(SqliteUnit(connection), wanted, rules, at)
    except sqlite3.Error as error:
        raise Unavailable(f"{DATABASE} cannot be read: {error}; start the service once") from error
    finally:
        connection.close()
