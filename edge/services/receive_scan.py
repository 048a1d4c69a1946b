"""A scan came in: keep it, say what it is, and route it by class and by what the workstation is doing."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from devices.types import Scan
from edge.clock import Instant
from edge.codes.classify import classify
from edge.codes.house import HouseCode
from edge.codes.payment import PaymentCode
from edge.codes.reading import CodeKind, CodeReading, Context
from edge.errors import Declined, Invalid
from edge.retail.attempt import PayWay
from edge.retail.basket import BasketState, find_line
from edge.retail.order import OrderState
from edge.services.ask_fee import ask_fee_of_ticket
from edge.services.box import Box, WorkstationKind
from edge.services.check_out import reopen
from edge.services.collect_tickets import scan_ticket
from edge.services.counter_scan import counter_context, ready_to_pay, take_counter_scan
from edge.services.hand_over_basket import cart_code, receive_cart
from edge.services.hand_over_ticket import RELEASE_PREFIX
from edge.services.pass_exit import take_exit_code
from edge.services.pay_by_phone import hurry_closing
from edge.services.records import ScanRecord, Unit
from edge.services.scan_item import add_reading, find_product
from edge.services.scan_parking import take_parking_code
from edge.services.take_payment import intend
from edge.services.workstation import Busy, Notice, NoticeCode, act, load, show_notice

#: Kinds that are goods.
GOODS = frozenset({CodeKind.ITEM, CodeKind.SCALE_LABEL, CodeKind.GS1, CodeKind.UNKNOWN})

#: Notices that are no complaint.
TOLD = frozenset(
    {
        NoticeCode.DUPLICATE,
        NoticeCode.STALE,
        NoticeCode.PARKING_CLAIMED,
        NoticeCode.PARKING_VALIDATED,
        NoticeCode.RELEASED,
    }
)

#: How much of a code a notice or the history shows.
SHOWN_CHARACTERS = 64

_LONG_NUMBER = re.compile(r"[0-9]{8,}(?=[0-9]{4})")
_LONG_NUMBER_BYTES = re.compile(rb"[0-9]{8,}(?=[0-9]{4})")


@dataclass(frozen=True, slots=True)
class ScanOutcome:
    """What became of a scan. charge: the attempt to submit now with `code`, when it was a payment."""

    scan_id: str
    outcome: str
    attempt_id: str = ""
    code: str = ""

    def __repr__(self) -> str:
        """Hide the payment code."""
        return f"ScanOutcome({self.scan_id}, {self.outcome}, {self.attempt_id})"


def receive_scan(box: Box, workstation: str, scan: Scan) -> ScanOutcome:
    """Take one scan of one workstation; whatever it is, it is kept and its effect is on the screen.

    A payment code makes an attempt in the state "intended"; the caller then calls
    `take_payment.submit` with the code, which is never stored.
    """
    return act(box, workstation, lambda unit, busy, now: _take(unit, box, busy, now, scan))


def _take(unit: Unit, box: Box, busy: Busy, now: Instant, scan: Scan) -> ScanOutcome:
    kind = box.workstation(busy.state.workstation).kind
    if kind is WorkstationKind.EXIT:
        return _leave(unit, box, busy, now, scan)
    lane = kind is WorkstationKind.LANE
    counter = box.workstation(busy.state.workstation).kind is WorkstationKind.COUNTER
    context = counter_context(unit, busy) if counter else context_of(busy)
    context = Context.PARKING if lane else context
    reading = classify(scan.text, scan.aim, box.rules.codes, context)
    record = _record(box, busy, now, scan, reading)
    try:
        if counter:
            return _at_counter(unit, box, busy, now, scan, reading, record)
        return _route(unit, box, busy, now, scan, reading, record)
    except (Invalid, Declined) as error:
        # A label or basket that cannot take it is said on the screen; the scan is never lost. What was
        # written before the error stays, so the banner belongs to the state as it is now.
        busy = load(unit, box, busy.state.workstation)
        return _refuse(unit, box, busy, now, record, NoticeCode.CANNOT_ADD, {"problem": str(error)[:200]})


def context_of(busy: Busy) -> Context:
    """Return what a scan on this workstation is most likely meant for."""
    by_screen = {"checkout": Context.PAYING, "waiting": Context.PAYING, "basket": Context.BASKET}
    return by_screen.get(busy.screen, Context.IDLE)


def _route(
    unit: Unit, box: Box, busy: Busy, now: Instant, scan: Scan, reading: CodeReading, record: ScanRecord
) -> ScanOutcome:
    choices = ("add", "dismiss") if reading.kind in GOODS else ("dismiss",)
    unfit = _unfit(unit, box, busy, now, scan, record, choices)
    if unfit is not None:
        return unfit
    cart = cart_code(box, scan.text)
    if cart:
        return _take_cart(unit, box, busy, now, cart, record)
    if isinstance(reading.payload, PaymentCode):
        return _pay(unit, box, busy, now, reading.payload, record)
    ticket = reading.payload.token if isinstance(reading.payload, HouseCode) else ""
    if reading.kind is CodeKind.PARKING and ask_fee_of_ticket(unit, box, busy, ticket, now):
        unit.scans.append(replace(record, outcome="ticket"))
        return ScanOutcome(record.scan_id, "ticket")
    if reading.kind is CodeKind.TICKET and box.workstation(record.workstation).kind is WorkstationKind.TILL:
        said = scan_ticket(unit, box, busy, now, ticket)
        outcome = said.value if said is not None else "collected"
        unit.scans.append(replace(record, outcome=outcome))
        return ScanOutcome(record.scan_id, outcome)
    noticed = take_parking_code(unit, box, busy, now, reading, scan.text)
    if noticed is not None:
        code, words = noticed
        # The screen may have changed with it.
        busy = load(unit, box, busy.state.workstation)
        return _refuse(unit, box, busy, now, record, code, words)
    if reading.kind in GOODS and box.workstation(busy.state.workstation).kind is not WorkstationKind.LANE:
        return _add(unit, box, busy, now, reading, record)
    return _refuse(unit, box, busy, now, record, NoticeCode.NOT_HERE, {"kind": reading.kind.value})


def _leave(unit: Unit, box: Box, busy: Busy, now: Instant, scan: Scan) -> ScanOutcome:
    """Look at what was shown at a guarded way out; nothing else is done there, whatever was scanned."""
    look = take_exit_code(
        unit, box, scan.text if scan.problem is None else "", busy.state.workstation, "", now
    )
    return ScanOutcome(look.check.check_id, look.check.verdict.value)


def _take_cart(unit: Unit, box: Box, busy: Busy, now: Instant, ident: str, record: ScanRecord) -> ScanOutcome:
    kind = box.workstation(busy.state.workstation).kind
    if kind not in (WorkstationKind.KIOSK, WorkstationKind.TILL):
        return _refuse(unit, box, busy, now, record, NoticeCode.NOT_HERE, {"kind": "cart"})
    said = receive_cart(unit, box, busy, ident, record.scan_id, now)
    if said is not NoticeCode.CART_TAKEN:
        return _refuse(unit, box, busy, now, record, said, {})
    unit.scans.append(replace(record, outcome=said.value))
    return ScanOutcome(record.scan_id, said.value)


def _unfit(
    unit: Unit,
    box: Box,
    busy: Busy,
    now: Instant,
    scan: Scan,
    record: ScanRecord,
    choices: tuple[str, ...] = ("dismiss",),
) -> ScanOutcome | None:
    """Refuse what broke off on its way, and what was scanned long ago; None for a scan to go on with."""
    if scan.problem is not None:
        return _refuse(unit, box, busy, now, record, NoticeCode.UNREADABLE, {"problem": scan.problem})
    age_ms = (now.boottime_ns - scan.read_ns) // 1_000_000
    if age_ms <= box.rules.stale_scan_ms:
        return None
    params: dict[str, str | int] = {"text": record.text, "age_s": age_ms // 1000}
    return _refuse(unit, box, busy, now, record, NoticeCode.STALE, params, choices)


def _at_counter(
    unit: Unit, box: Box, busy: Busy, now: Instant, scan: Scan, reading: CodeReading, record: ScanRecord
) -> ScanOutcome:
    """Route a scan at a counter: it is for the ticket on the tablet there."""
    unfit = _unfit(unit, box, busy, now, scan, record)
    if unfit is not None:
        return unfit
    if isinstance(reading.payload, PaymentCode):
        ready = ready_to_pay(unit, box, busy, now)
        if isinstance(ready, NoticeCode):
            return _refuse(unit, box, busy, now, record, ready, {"tail": reading.payload.code[-4:]})
        return _pay(unit, box, ready, now, reading.payload, record)
    said = take_counter_scan(unit, box, reading, record, now)
    if said.secret:
        record = replace(record, text=RELEASE_PREFIX, raw=RELEASE_PREFIX.encode())
    if said.notice is not None:
        return _refuse(unit, box, busy, now, record, said.notice, dict(said.params))
    unit.scans.append(replace(record, outcome=said.outcome, line_id=said.line_id))
    show_notice(unit, busy, now, None)
    return ScanOutcome(record.scan_id, said.outcome)


def _add(
    unit: Unit, box: Box, busy: Busy, now: Instant, reading: CodeReading, record: ScanRecord
) -> ScanOutcome:
    if find_product(unit, reading, now.wall_at) is None:
        known = reading.kind is not CodeKind.UNKNOWN
        code = NoticeCode.UNKNOWN_CODE if known else NoticeCode.NOT_A_CODE
        return _refuse(unit, box, busy, now, record, code, {"text": record.text})
    if busy.order is not None and busy.order.state is OrderState.AWAITING:
        if busy.money_in_flight or busy.order.tenders:
            return _refuse(unit, box, busy, now, record, NoticeCode.NOT_NOW, {"text": record.text})
        busy = reopen(unit, box, busy, now)
    if box.closed() and _begins_sale(busy):
        # The screen says so already; a banner would outlive the reason.
        unit.scans.append(replace(record, outcome="closed"))
        return ScanOutcome(record.scan_id, "closed")
    repeated = _repeated(unit, box, busy, now, record)
    if repeated is not None:
        return _ask_again(unit, box, busy, now, record, repeated)
    added = add_reading(unit, box, busy, now, reading, record.scan_id)
    unit.scans.append(replace(record, outcome="added", line_id=added or ""))
    return ScanOutcome(record.scan_id, "added")


def _begins_sale(busy: Busy) -> bool:
    return busy.basket is None or busy.basket.state is not BasketState.OPEN


def _repeated(unit: Unit, box: Box, busy: Busy, now: Instant, record: ScanRecord) -> ScanRecord | None:
    """Return the scan that this one repeats within the window, if its line is still there."""
    last = unit.scans.last_added(busy.state.workstation, record.text)
    if last is None or last.boot_id != now.boot_id or busy.basket is None:
        return None
    if (record.read_ns - last.read_ns) // 1_000_000 > box.rules.repeat_window_ms:
        return None
    return last if any(line.line_id == last.line_id for line in busy.basket.lines) else None


def _ask_again(
    unit: Unit, box: Box, busy: Busy, now: Instant, record: ScanRecord, last: ScanRecord
) -> ScanOutcome:
    assert busy.basket is not None
    line = find_line(busy.basket, last.line_id)
    params: dict[str, str | int] = {"name": line.name, "name_en": line.name_en, "quantity": line.quantity}
    return _refuse(unit, box, busy, now, record, NoticeCode.DUPLICATE, params, ("one_more", "dismiss"))


def _pay(
    unit: Unit, box: Box, busy: Busy, now: Instant, payment: PaymentCode, record: ScanRecord
) -> ScanOutcome:
    if busy.screen != "checkout" or busy.order is None:
        code = _why_not_now(unit, busy, now)
        return _refuse(unit, box, busy, now, record, code, {"tail": payment.code[-4:]})
    gateway = box.rules.wallets.get(payment.wallet.value, "")
    if gateway not in box.gateways:
        return _refuse(
            unit, box, busy, now, record, NoticeCode.WALLET_UNKNOWN, {"wallet": payment.wallet.value}
        )
    attempt = intend(unit, box, busy, now, gateway, payment.code[-4:])
    unit.scans.append(replace(record, outcome="payment"))
    return ScanOutcome(record.scan_id, "payment", attempt.attempt_id, payment.code)


def _why_not_now(unit: Unit, busy: Busy, now: Instant) -> NoticeCode:
    """Return what to tell somebody whose code cannot be charged; a phone's own order makes way for it."""
    if busy.screen != "waiting" or busy.attempt is None:
        return NoticeCode.PAY_FIRST
    if busy.attempt.way is PayWay.CODE:
        return NoticeCode.PAYMENT_RUNNING
    hurry_closing(unit, busy.attempt, now)
    return NoticeCode.PHONE_CLOSING


def _refuse(
    unit: Unit,
    box: Box,
    busy: Busy,
    now: Instant,
    record: ScanRecord,
    code: NoticeCode,
    params: dict[str, str | int],
    choices: tuple[str, ...] = ("dismiss",),
) -> ScanOutcome:
    unit.scans.append(replace(record, outcome=code.value))
    level = "info" if code in TOLD else "warn"
    show_notice(unit, busy, now, Notice(record.scan_id, level, code, params, choices))
    return ScanOutcome(record.scan_id, code.value)


def _record(box: Box, busy: Busy, now: Instant, scan: Scan, reading: CodeReading) -> ScanRecord:
    """Return the history's record; what could be a payment code is kept by its last four digits only.

    Of a scan that broke off or ran over nobody can say what it was: all its long numbers are cut.
    """
    secret = reading.text != scan.text
    raw = reading.text.encode() if secret else scan.raw
    if scan.problem is not None:
        scan = replace(scan, text=_LONG_NUMBER.sub("..", scan.text))
        raw = _LONG_NUMBER_BYTES.sub(b"..", raw)
    return ScanRecord(
        scan_id=box.ids.new_id(),
        workstation=busy.state.workstation,
        device=scan.device,
        raw=raw[:1024],
        text=reading.text[:SHOWN_CHARACTERS] if secret else scan.text[: 4 * SHOWN_CHARACTERS],
        aim=scan.aim or "",
        kind=reading.kind.value,
        outcome="",
        scanned_at=now.wall_at,
        boot_id=now.boot_id,
        read_ns=scan.read_ns,
    )
