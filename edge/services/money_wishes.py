"""What the command line may ask of the books, whether it has them itself or a running service has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from edge.errors import Invalid
from edge.money import format_yuan
from edge.retail.catalogue_csv import Progress
from edge.services.bill_records import BillDay
from edge.services.box import Box
from edge.services.payment_desk import ask_now, give_back
from edge.services.payment_ports import BillSource
from edge.services.reconcile import Progress as BillProgress
from edge.services.reconcile_days import compare_day
from edge.services.take_intake import IntakeReport, WishHandler, wished
from edge.services.work_items import close_work

#: Rows of a bill that progress is told against, as nobody knows how long it is before its end.
ROWS_GUESSED = 100_000


def money_wishes(box: Box, sources: Sequence[BillSource]) -> Mapping[str, WishHandler]:
    """Return by kind what is done for a wish about money."""

    def compare(arguments: Mapping[str, str], progress: Progress) -> IntakeReport:
        (text,) = wished(arguments, "day")
        try:
            day = date.fromisoformat(text)
        except ValueError:
            raise Invalid(f"{text!r} is no day; write it like 2026-11-21") from None
        return _compare(box, sources, day, progress)

    def ask(arguments: Mapping[str, str], progress: Progress) -> IntakeReport:
        attempt, by = wished(arguments, "attempt", "by")
        ask_now(box, attempt, by)
        return IntakeReport(True, (f"the gateway is asked about {attempt} at the next turn",))

    def back(arguments: Mapping[str, str], progress: Progress) -> IntakeReport:
        attempt, by, reason = wished(arguments, "attempt", "by", "reason")
        give_back(box, attempt, by, reason)
        return IntakeReport(True, (f"payment {attempt} is given back as soon as the gateway takes it",))

    def close(arguments: Mapping[str, str], progress: Progress) -> IntakeReport:
        item, by, reason = wished(arguments, "item", "by", "reason")
        closed = close_work(box, item, by, reason)
        return IntakeReport(True, (f"{closed.kind} {closed.reference} is closed: {closed.reason}",))

    return {"reconcile": compare, "ask-now": ask, "give-back": back, "close-work": close}


def _compare(box: Box, sources: Sequence[BillSource], day: date, progress: Progress) -> IntakeReport:
    if not sources:
        raise Invalid("no gateway with bills is configured; there is nothing to compare")

    def tell(seen: BillProgress) -> None:
        progress(seen.rows, max(ROWS_GUESSED, seen.rows))

    lines, all_there = [], True
    for source in sources:
        done = compare_day(box, source, day, tell)
        missing = f"{source.name} {source.merchant} {day}: there is no bill yet, our books have money for it"
        lines.append(missing if done is None else describe_bill(done))
        all_there = all_there and done is not None
    return IntakeReport(all_there, tuple(lines))


def describe_bill(done: BillDay) -> str:
    """Return one line about a bill that was compared."""
    return (
        f"{done.gateway} {done.merchant} {done.day}: {done.rows} rows, "
        f"{format_yuan(done.payments_fen)} in, {format_yuan(done.refunds_fen)} back, "
        f"{format_yuan(done.fees_fen)} fees; {done.matched} movements agree, {done.differences} differ, "
        f"{done.carried} carried over, {done.elsewhere} of other boxes"
    )
