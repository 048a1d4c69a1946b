"""The way out after scan and go: the exit code of an order, the guard's look at it, and the ledger of both.

All of it is decided by this box alone, so that it works without network. A code is good once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from edge.clock import Instant
from edge.codes.signed_token import TokenKind, read_token, sign_token
from edge.errors import Corrupt, Declined, Invalid
from edge.parking.stay_charge import PARKING_SKU
from edge.retail.basket import LineItem
from edge.retail.exit_pass import (
    MAX_EXTRA,
    ExitCheck,
    ExitPass,
    ExitState,
    ExitVerdict,
    chosen_for_recheck,
    count_goods,
    goods_to_find,
    judge,
)
from edge.retail.order import Order
from edge.retail.refund import refunded_fen
from edge.services.box import Box
from edge.services.cart_events import exit_checked
from edge.services.events import EventKind, record_event
from edge.services.records import Unit
from edge.services.scan_and_go_rules import DAY_MS, MINUTE_MS

#: Looks that a guard's page shows.
CHECKS_SHOWN = 20

IDENT_CHARS = 15


@dataclass(frozen=True, slots=True)
class ExitShown:
    """What is known of an order's way out. code: what its QR code says. goods: what should be in the bag.

    expires_at: Unix milliseconds, None before it is paid. before: the look that used it, None without.
    refunded_fen: what went back, or is on its way.
    """

    one: ExitPass
    order: Order
    code: str
    verdict: ExitVerdict
    goods: tuple[tuple[LineItem, int], ...]
    expires_at: int | None
    before: ExitCheck | None = None
    refunded_fen: int = 0


@dataclass(frozen=True, slots=True)
class ExitLook:
    """What a guard is told of one code. shown: None for an unknown one."""

    check: ExitCheck
    shown: ExitShown | None


def prepare_exit(unit: Unit, box: Box, order: Order, now: Instant) -> None:
    """Make the pass of an order that a phone is about to pay; who is looked at is decided here."""
    if not box.phone.key or not goods_to_find(_goods_alone(order), ()):
        return
    chosen = chosen_for_recheck(order.order_id, box.scan_and_go.recheck_permille, box.phone.key)
    unit.exits.put(ExitPass(order.order_id, box.ids.new_token()[-IDENT_CHARS:], chosen, now.wall_at))


def show_exit(unit: Unit, box: Box, order_id: str, now: Instant) -> ExitShown | None:
    """Return an order's way out, None for an order that has none."""
    one = unit.exits.get(order_id)
    return None if one is None else _shown(unit, box, one, now)


def check_exit(box: Box, text: str, place: str, by: str = "") -> ExitLook:
    """Look at a code that was shown at a place, and use it if it is good; every look is in the ledger.

    The same code at the same place within the repeat window is one look, as a scanner may read twice.
    """
    now = box.clock.now()
    return box.store.write(lambda unit: take_exit_code(unit, box, text, place, by, now))


def take_exit_code(unit: Unit, box: Box, text: str, place: str, by: str, now: Instant) -> ExitLook:
    """Do what `check_exit` does, in the caller's unit."""
    shown = _find(unit, box, text, now)
    if shown is None:
        return ExitLook(_note(unit, box, "", place, by, ExitVerdict.UNKNOWN, now), None)
    repeated = _repeated(unit, box, shown.one, place, now)
    if repeated is not None:
        return ExitLook(repeated, replace(shown, verdict=repeated.verdict))
    if shown.verdict is ExitVerdict.PASS:
        unit.exits.put(_used(shown.one, ExitState.PASSED, place, by, now))
    elif shown.verdict in (ExitVerdict.RECHECK, ExitVerdict.EXPIRED):
        # An expired one is no good by itself; a guard who looks into the bag may let it go.
        unit.exits.put(_used(shown.one, ExitState.RECHECK, place, by, now))
    check = _note(unit, box, shown.order.order_id, place, by, shown.verdict, now)
    _tell(unit, box, shown, check, now)
    return ExitLook(check, shown)


def end_recheck(
    box: Box, order_id: str, place: str, by: str, found: Mapping[str, int], extra: str = ""
) -> ExitLook:
    """Write what a guard found in the bag; the pass is used with it, whatever it was.

    found: pieces that were there by line id. extra: goods that were not paid, in words. Raises Invalid for an
    order that is not being looked at and for more pieces than were paid, Declined when it was ended before.
    """
    now = box.clock.now()
    words = " ".join(extra.split())[:MAX_EXTRA]

    def work(unit: Unit) -> ExitLook:
        one = unit.exits.get(order_id)
        if one is None or one.state is ExitState.UNUSED:
            raise Invalid(f"order {order_id} is not being looked at; scan its exit code first")
        if one.state is ExitState.PASSED:
            raise Declined(f"order {order_id} has left already; this look is not written")
        shown = _shown(unit, box, one, now)
        if shown is None:
            raise Corrupt(f"exit pass {one.ident} is of order {order_id}, which is not here; call support")
        outcome, missing = count_goods(shown.goods, found, words)
        used = _used(one, ExitState.PASSED, place, by, now)
        unit.exits.put(used)
        check = ExitCheck(
            *(box.ids.new_id(), order_id, place, by, now.wall_at, ExitVerdict.RECHECK),
            *(outcome, missing, words),
        )
        unit.exits.add_check(check)
        _tell(unit, box, shown, check, now)
        return ExitLook(check, replace(shown, one=used))

    return box.store.write(work)


def last_look(unit: Unit, box: Box, place: str, now: Instant) -> ExitLook | None:
    """Return the latest look at a place with what it was about, None before the first."""
    found = unit.exits.recent(place, 1)
    if not found:
        return None
    shown = show_exit(unit, box, found[0].order_id, now) if found[0].order_id else None
    return ExitLook(found[0], shown)


def waits_for_look(look: ExitLook) -> bool:
    """Return whether a guard has still to look into the bag of it."""
    return look.shown is not None and look.shown.one.state is ExitState.RECHECK


def _find(unit: Unit, box: Box, text: str, now: Instant) -> ExitShown | None:
    if not box.phone.key:
        return None
    try:
        ident = read_token(TokenKind.EXIT, "".join(text.split()), box.phone.key)
    except Invalid:
        return None
    one = unit.exits.by_ident(ident)
    return None if one is None else _shown(unit, box, one, now)


def _shown(unit: Unit, box: Box, one: ExitPass, now: Instant) -> ExitShown | None:
    order = unit.orders.get(one.order_id)
    if order is None:
        return None
    refunds = unit.refunds.of_order(order.order_id)
    valid_ms = box.scan_and_go.exit_minutes * MINUTE_MS
    return ExitShown(
        one=one,
        order=order,
        code=sign_token(TokenKind.EXIT, one.ident, box.phone.key),
        verdict=judge(one, order, refunds, now.wall_at, valid_ms),
        goods=goods_to_find(_goods_alone(order), refunds),
        expires_at=None if order.closed_at is None else order.closed_at + valid_ms,
        before=_who_used(unit.exits.checks_of(order.order_id)),
        refunded_fen=refunded_fen(refunds),
    )


def _who_used(checks: Sequence[ExitCheck]) -> ExitCheck | None:
    used = (one for one in checks if one.verdict is ExitVerdict.PASS or one.outcome is not None)
    return next(used, None)


def _repeated(unit: Unit, box: Box, one: ExitPass, place: str, now: Instant) -> ExitCheck | None:
    last = next(iter(unit.exits.recent(place, 1)), None)
    if last is None or last.order_id != one.order_id or last.outcome is not None:
        return None
    return last if 0 <= now.wall_at - last.at <= box.rules.repeat_window_ms else None


def _used(one: ExitPass, state: ExitState, place: str, by: str, now: Instant) -> ExitPass:
    return replace(one, state=state, checked_at=now.wall_at, place=place, by=by)


def _note(
    unit: Unit, box: Box, order_id: str, place: str, by: str, verdict: ExitVerdict, now: Instant
) -> ExitCheck:
    check = ExitCheck(box.ids.new_id(), order_id, place, by, now.wall_at, verdict)
    unit.exits.add_check(check)
    return check


def _tell(unit: Unit, box: Box, shown: ExitShown, check: ExitCheck, now: Instant) -> None:
    data = exit_checked(check, shown.order, chosen=shown.one.recheck)
    record_event(unit, box.ids, now, box.origin, EventKind.EXIT_CHECKED, check.check_id, data, check.order_id)


def _goods_alone(order: Order) -> Order:
    """Return the order without parking fees, which nobody carries out."""
    return replace(order, lines=tuple(line for line in order.lines if line.sku != PARKING_SKU))


def keep_exits(box: Box) -> int:
    """Delete passes and looks that are older than they are kept; return how many passes."""
    before = box.clock.now().wall_at - box.scan_and_go.keep_days * DAY_MS
    return box.store.write(lambda unit: unit.exits.tidy(before))
