"""What a person does to the basket on the screen."""

from __future__ import annotations

from dataclasses import replace

from edge.clock import Instant
from edge.codes.classify import classify
from edge.errors import Invalid
from edge.parking.stay_charge import PARKING_SKU
from edge.retail.basket import (
    BasketState,
    change_state,
    clear_age,
    drop_restricted,
    find_line,
    set_quantity,
)
from edge.services.box import Box
from edge.services.collected import collected_lines
from edge.services.receive_scan import GOODS, context_of
from edge.services.record_conversion import touch_basket
from edge.services.records import Unit
from edge.services.scan_item import add_reading
from edge.services.workstation import (
    Busy,
    Notice,
    NoticeCode,
    act,
    decode_notice,
    need_basket,
    open_basket,
    save,
    show_notice,
    touched,
)

#: How many held baskets a workstation offers for recall.
HELD_SHOWN = 20

#: Choices of a notice that add the article it is about.
ADDING = frozenset({"one_more", "add"})


def start(box: Box, workstation: str) -> None:
    """Leave the attract screen with an empty basket."""

    def step(unit: Unit, busy: Busy, now: Instant) -> None:
        if busy.screen in {"attract", "paid"}:
            basket = open_basket(box, busy, now)
            save(unit, busy, now, basket=basket)
            touch_basket(unit, box, basket.basket_id, workstation, now)

    act(box, workstation, step)


def change_quantity(box: Box, workstation: str, line_id: str, quantity: int) -> None:
    """Set a line's quantity; 0 removes the line."""

    def step(unit: Unit, busy: Busy, now: Instant) -> None:
        basket = need_basket(busy)
        if quantity > 1 and find_line(basket, line_id).sku == PARKING_SKU:
            raise Invalid("a parking fee is paid once; take it out of the basket or leave it")
        if line_id in collected_lines(unit, basket.basket_id):
            raise Invalid("this line belongs to a counter's ticket; take the whole ticket out or leave it")
        basket = set_quantity(basket, line_id, quantity, now.wall_at)
        save(unit, busy, now, basket=basket)

    act(box, workstation, step)


def confirm_scan(box: Box, workstation: str, scan_id: str) -> None:
    """Add what a notice asks about: one more of a repeated scan, or a scan that came late."""

    def step(unit: Unit, busy: Busy, now: Instant) -> None:
        notice = decode_notice(busy.state.notice)
        record = unit.scans.get(scan_id)
        asked = notice is not None and notice.notice_id == scan_id and ADDING & set(notice.choices)
        if not asked or record is None:
            raise Invalid(f"the question about scan {scan_id} is gone; scan the article again")
        reading = classify(record.text, record.aim or None, box.rules.codes, context_of(busy))
        if reading.kind not in GOODS or busy.screen not in {"basket", "attract", "paid"}:
            raise Invalid(f"scan {scan_id} cannot be added now; scan the article again")
        if add_reading(unit, box, busy, now, reading, scan_id) is None:
            unknown = Notice(scan_id, "warn", NoticeCode.UNKNOWN_CODE, {"text": record.text})
            show_notice(unit, busy, now, unknown)

    act(box, workstation, step)


def dismiss(box: Box, workstation: str, notice_id: str) -> None:
    """Take a banner away; another one that came since stays."""

    def step(unit: Unit, busy: Busy, now: Instant) -> None:
        notice = decode_notice(busy.state.notice)
        if notice is not None and notice.notice_id == notice_id:
            show_notice(unit, busy, now, None)

    act(box, workstation, step)


def hold(box: Box, workstation: str) -> None:
    """Put the basket aside (挂单)."""

    def step(unit: Unit, busy: Busy, now: Instant) -> None:
        basket = need_basket(busy)
        if not basket.lines:
            raise Invalid(f"basket {basket.basket_id} is empty; there is nothing to hold")
        unit.baskets.put(change_state(basket, BasketState.HELD, now.wall_at))
        save(unit, busy, now, basket=None, notice=Notice(basket.basket_id, "info", NoticeCode.HELD))

    act(box, workstation, step)


def recall(box: Box, workstation: str, basket_id: str) -> None:
    """Bring a held basket back (取单); an open one with goods in it must be held or paid first."""

    def step(unit: Unit, busy: Busy, now: Instant) -> None:
        if busy.screen not in {"attract", "basket", "paid"}:
            raise Invalid("finish this payment before recalling a basket")
        if busy.screen == "basket" and busy.basket is not None and busy.basket.lines:
            raise Invalid("hold or pay the present basket before recalling another")
        held = unit.baskets.get(basket_id)
        if held is None or held.workstation != workstation:
            raise Invalid(f"basket {basket_id} is not held here; look at the list again")
        if busy.screen == "basket" and busy.basket is not None:
            unit.baskets.put(change_state(busy.basket, BasketState.ABANDONED, now.wall_at))
        save(unit, busy, now, basket=change_state(held, BasketState.OPEN, now.wall_at))

    act(box, workstation, step)


def approve_age(box: Box, workstation: str, staff: str) -> None:
    """A cashier has checked the shopper's age."""

    def step(unit: Unit, busy: Busy, now: Instant) -> None:
        save(unit, _attended(busy), now, basket=clear_age(need_basket(busy), now.wall_at))

    act(box, workstation, step)


def refuse_age(box: Box, workstation: str) -> None:
    """Take the goods that wait for an age check out of the basket."""

    def step(unit: Unit, busy: Busy, now: Instant) -> None:
        save(unit, _attended(busy), now, basket=drop_restricted(need_basket(busy), now.wall_at))

    act(box, workstation, step)


def choose_language(box: Box, workstation: str, language: str) -> None:
    """Show this workstation in "zh" or "en" until the next shopper."""
    if language not in {"zh", "en"}:
        raise Invalid(f"language {language!r} is not spoken here; use zh or en")

    def step(unit: Unit, busy: Busy, now: Instant) -> None:
        unit.workstations.put(touched(replace(busy.state, language=language), now))

    act(box, workstation, step)


def touch(box: Box, workstation: str) -> None:
    """Someone is there: the idle time starts anew."""

    def step(unit: Unit, busy: Busy, now: Instant) -> None:
        unit.workstations.put(touched(busy.state, now))

    act(box, workstation, step)


def _attended(busy: Busy) -> Busy:
    """Return the workstation with its call for help ended: the reason for it is gone."""
    return replace(busy, state=replace(busy.state, help_at=None))
