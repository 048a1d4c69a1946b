"""Refunds, shifts, payments in doubt, work for people and bills, for the command line."""

from __future__ import annotations

import getpass
import json
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from datetime import date, timedelta

from edge.app import INCOMING, bill_sources, build_books, build_rules
from edge.clock import SystemClock, iso, local
from edge.config import Config
from edge.errands.handing_over import await_report, database, new_id, own_store, reading_unit
from edge.ids import TimeOrderedIds
from edge.money import format_yuan
from edge.services.business_day import day_of
from edge.services.money_wishes import describe_bill, money_wishes
from edge.services.payment_desk import DoubtfulPayment, describe_payment, open_of, past_of
from edge.services.reconcile import BILL_ZONE
from edge.services.refund_order import describe_refund
from edge.services.show_phones import describe_phones, show_phones
from edge.services.show_shifts import describe_shifts
from edge.services.take_intake import IntakeReport, Wish
from edge.services.work_records import WorkItem, WorkKind
from edge.store.intake_folder import IntakeFolder

#: Work items and bills that a list shows.
MOST_LISTED = 500

#: A large bill over a slow line, in seconds without any progress.
BILL_PATIENCE_S = 300.0


def refund_lines(config: Config, limit: int) -> list[str]:
    """Return the refunds under way and the newest ones; reads beside a running service."""
    with reading_unit(config) as unit:
        under_way, newest = unit.refunds.open(limit), unit.refunds.recent(limit)
    others = [one for one in newest if one.closed_at is not None]
    lines = [line for refund in (*under_way, *others) for line in describe_refund(refund)]
    return [f"{len(under_way)} refunds are under way", *lines]


def shift_lines(config: Config, day: str) -> list[str]:
    """Return a business day's totals and shifts, today's when `day` is empty; reads beside a service."""
    rules, at = build_rules(config), SystemClock().now().wall_at
    wanted = day or day_of(at, rules)
    with reading_unit(config) as unit:
        return describe_shifts(unit, wanted, rules, at)


def payment_lines(config: Config, past: bool) -> list[str]:
    """Return the payments whose money may still move, or those that were in doubt, each with its trail."""
    rules, now = build_rules(config), SystemClock().now()
    with reading_unit(config) as unit:
        shown: tuple[DoubtfulPayment, ...] = (past_of if past else open_of)(unit, rules, now)
    what = "were in doubt and are settled" if past else "are on their way"
    return [f"{len(shown)} payments {what}", *(line for one in shown for line in describe_payment(one))]


def phone_lines(config: Config) -> list[str]:
    """Return how phones are served and what WeChat is still to be told; reads beside a running service."""
    with reading_unit(config) as unit:
        return describe_phones(show_phones(unit))


def work_lines(config: Config) -> list[str]:
    """Return what waits for a person."""
    with reading_unit(config) as unit:
        items = unit.work_items.open(MOST_LISTED)
    return [f"{len(items)} things wait for a person", *map(describe_work, items)]


def difference_lines(config: Config, day: date | None) -> list[str]:
    """Return the open differences between bills and books, of one day or of all."""
    wanted = day.isoformat() if day else ""
    with reading_unit(config) as unit:
        return [
            describe_work(item)
            for item in unit.work_items.open(MOST_LISTED, WorkKind.BILL_DIFFERENCE, wanted)
        ]


def bill_lines(config: Config) -> list[str]:
    """Return the bills that were compared, newest first."""
    with reading_unit(config) as unit:
        return [describe_bill(one) for one in unit.bills.days(MOST_LISTED)] or ["no bill was compared yet"]


def do_wish(
    config: Config, kind: str, arguments: Mapping[str, str], progress: Callable[[int, int], None]
) -> IntakeReport:
    """Do something with the books, or have a running service do it; see services.money_wishes.

    progress: called with (done, total).
    """
    database(config)
    with own_store(config) as store:
        if store is not None:
            clock = SystemClock()
            ids = TimeOrderedIds(lambda: clock.now().wall_at)
            box = build_books(config, store, clock, ids)
            with ExitStack() as open_lines:
                for gateway in box.gateways.values():
                    open_lines.callback(gateway.close)
                return money_wishes(box, bill_sources(box.gateways))[kind](arguments, progress)
    folder = IntakeFolder(config.box.data_dir / INCOMING)
    wish = Wish(f"{kind}-{new_id()[-12:]}.wish.json", kind, arguments)
    folder.put_wish(wish)
    return await_report(folder, wish.name, progress, BILL_PATIENCE_S)


def describe_work(item: WorkItem) -> str:
    """Return one line about a work item."""
    facts = json.loads(item.facts)
    told = ", ".join(
        f"{name.removesuffix('_fen')} {format_yuan(value) if name.endswith('_fen') else value}"
        for name, value in facts.items()
        if value not in ("", None)
    )
    return f"{item.item_id} {iso(item.opened_at)} {item.kind}: {told}"


def yesterday() -> date:
    """Return yesterday's date where bills are made."""
    return local(SystemClock().now().wall_at, BILL_ZONE).date() - timedelta(days=1)


def who() -> str:
    """Return who sits at the command line, as it is noted in trails."""
    return f"console {getpass.getuser()}"
