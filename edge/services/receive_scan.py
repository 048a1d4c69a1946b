"""A scan came in: keep it, say what it is, and route it by class and by what the workstation is doing."""

from __future__ import annotations

import re
from collections.abc import Mapping
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


@dataclass(frozen=True, slots=True)
class _Scanned:
    """A scan at its workstation, with what is known of it. Each way of ending it writes it to the history."""

    unit: Unit
    box: Box
    busy: Busy
    now: Instant
    scan: Scan
    reading: CodeReading
    record: ScanRecord

    @property
    def kind(self) -> WorkstationKind:
        """Return what kind of place it was scanned at."""
        return self.box.workstation(self.busy.state.workstation).kind

    @property
    def token(self) -> str:
        """Return the token of a code of ours, "" for any other."""
        return self.reading.payload.token if isinstance(self.reading.payload, HouseCode) else ""

    def anew(self) -> _Scanned:
        """Return it with the workstation as it is now, after something was written."""
        return replace(self, busy=load(self.unit, self.box, self.busy.state.workstation))

    def taken(self, outcome: str, line_id: str = "") -> ScanOutcome:
        """End it as `outcome`, with nothing to complain of."""
        self.unit.scans.append(replace(self.record, outcome=outcome, line_id=line_id))
        return ScanOutcome(self.record.scan_id, outcome)

    def refused(
        self,
        code: NoticeCode,
        params: Mapping[str, str | int],
        choices: tuple[str, ...] = ("dismiss",),
    ) -> ScanOutcome:
        """End it with a notice on the screen."""
        level = "info" if code in TOLD else "warn"
        notice = Notice(self.record.scan_id, level, code, dict(params), choices)
        show_notice(self.unit, self.busy, self.now, notice)
        return self.taken(code.value)


def _take(unit: Unit, box: Box, busy: Busy, now: Instant, scan: Scan) -> ScanOutcome:
    kind = box.workstation(busy.state.workstation).kind
    if kind is WorkstationKind.EXIT:
        return _leave(unit, box, busy, now, scan)
    context = Context.PARKING if kind is WorkstationKind.LANE else context_of(busy)
    if kind is WorkstationKind.COUNTER:
        context = counter_context(unit, busy)
    reading = classify(scan.text, scan.aim, box.rules.codes, context)
    one = _Scanned(unit, box, busy, now, scan, reading, _record(box, busy, now, scan, reading))
    try:
        return _at_counter(one) if kind is WorkstationKind.COUNTER else _route(one)
    except (Invalid, Declined) as error:
        # A label or basket that cannot take it is said on the screen; the scan is never lost. What was
        # written before the error stays, so the banner belongs to the state as it is now.
        return one.anew().refused(NoticeCode.CANNOT_ADD, {"problem": str(error)[:200]})


def context_of(busy: Busy) -> Context:
    """Return what a scan on this workstation is most likely meant for."""
    by_screen = {"checkout": Context.PAYING, "waiting": Context.PAYING, "basket": Context.BASKET}
    return by_screen.get(busy.screen, Context.IDLE)


def _leave(unit: Unit, box: Box, busy: Busy, now: Instant, scan: Scan) -> ScanOutcome:
    """Look at what was shown at a guarded way out; nothing else is done there, whatever was scanned."""
    look = take_exit_code(
        unit, box, scan.text if scan.problem is None else "", busy.state.workstation, "", now
    )
    return ScanOutcome(look.check.check_id, look.check.verdict.value)


def _route(one: _Scanned) -> ScanOutcome:
    """Take a scan at a kiosk, a till or a lane: the first that knows what to do with it ends it."""
    known = (_unfit, _cart, _payment, _lane_ticket, _counter_ticket, _parking, _goods)
    for take in known:
        outcome = take(one)
        if outcome is not None:
            return outcome
    return one.refused(NoticeCode.NOT_HERE, {"kind": one.reading.kind.value})


def _at_counter(one: _Scanned) -> ScanOutcome:
    """Take a scan at a counter: it is for the ticket on the tablet there."""
    unfit = _unfit(one)
    if unfit is not None:
        return unfit
    if isinstance(one.reading.payload, PaymentCode):
        ready = ready_to_pay(one.unit, one.box, one.busy, one.now)
        if isinstance(ready, NoticeCode):
            return one.refused(ready, {"tail": one.reading.payload.code[-4:]})
        return _pay(replace(one, busy=ready), one.reading.payload)
    said = take_counter_scan(one.unit, one.box, one.reading, one.record, one.now)
    if said.secret:
        hidden = replace(one.record, text=RELEASE_PREFIX, raw=RELEASE_PREFIX.encode())
        one = replace(one, record=hidden)
    if said.notice is not None:
        return one.refused(said.notice, said.params)
    show_notice(one.unit, one.busy, one.now, None)
    return one.taken(said.outcome, said.line_id)


def _unfit(one: _Scanned) -> ScanOutcome | None:
    """Refuse what broke off on its way, and what was scanned long ago."""
    if one.scan.problem is not None:
        return one.refused(NoticeCode.UNREADABLE, {"problem": one.scan.problem}, _choices(one))
    age_ms = (one.now.boottime_ns - one.scan.read_ns) // 1_000_000
    if age_ms <= one.box.rules.stale_scan_ms:
        return None
    params: dict[str, str | int] = {"text": one.record.text, "age_s": age_ms // 1000}
    return one.refused(NoticeCode.STALE, params, _choices(one))


def _choices(one: _Scanned) -> tuple[str, ...]:
    """Return what somebody may do with a scan that is too old: goods can still be added."""
    late = one.kind is not WorkstationKind.COUNTER and one.scan.problem is None
    return ("add", "dismiss") if late and one.reading.kind in GOODS else ("dismiss",)


def _cart(one: _Scanned) -> ScanOutcome | None:
    """Take the basket that a phone shows."""
    ident = cart_code(one.box, one.scan.text)
    if not ident:
        return None
    if one.kind not in (WorkstationKind.KIOSK, WorkstationKind.TILL):
        return one.refused(NoticeCode.NOT_HERE, {"kind": "cart"})
    said = receive_cart(one.unit, one.box, one.busy, ident, one.record.scan_id, one.now)
    return one.taken(said.value) if said is NoticeCode.CART_TAKEN else one.refused(said, {})


def _payment(one: _Scanned) -> ScanOutcome | None:
    """Charge a payment code."""
    return _pay(one, one.reading.payload) if isinstance(one.reading.payload, PaymentCode) else None


def _lane_ticket(one: _Scanned) -> ScanOutcome | None:
    """Show the fee of the stay that a ticket of the car park is for."""
    if one.reading.kind is not CodeKind.PARKING:
        return None
    asked = ask_fee_of_ticket(one.unit, one.box, one.busy, one.token, one.now)
    return one.taken("ticket") if asked else None


def _counter_ticket(one: _Scanned) -> ScanOutcome | None:
    """Collect a counter's ticket for payment, at a till."""
    if one.reading.kind is not CodeKind.TICKET or one.kind is not WorkstationKind.TILL:
        return None
    said = scan_ticket(one.unit, one.box, one.busy, one.now, one.token)
    return one.taken(said.value if said is not None else "collected")


def _parking(one: _Scanned) -> ScanOutcome | None:
    """Claim or validate parking."""
    noticed = take_parking_code(one.unit, one.box, one.busy, one.now, one.reading, one.scan.text)
    # The screen may have changed with it.
    return None if noticed is None else one.anew().refused(*noticed)


def _goods(one: _Scanned) -> ScanOutcome | None:
    """Put goods into the basket, everywhere but at a lane."""
    if one.reading.kind not in GOODS or one.kind is WorkstationKind.LANE:
        return None
    if find_product(one.unit, one.reading, one.now.wall_at) is None:
        known = one.reading.kind is not CodeKind.UNKNOWN
        code = NoticeCode.UNKNOWN_CODE if known else NoticeCode.NOT_A_CODE
        return one.refused(code, {"text": one.record.text})
    order = one.busy.order
    if order is not None and order.state is OrderState.AWAITING:
        if one.busy.money_in_flight or order.tenders:
            return one.refused(NoticeCode.NOT_NOW, {"text": one.record.text})
        one = replace(one, busy=reopen(one.unit, one.box, one.busy, one.now))
    return _add(one)


def _add(one: _Scanned) -> ScanOutcome:
    """Add to a basket that can take more; the same code again within a moment is asked about."""
    if one.box.closed() and _begins_sale(one.busy):
        # The screen says so already; a banner would outlive the reason.
        return one.taken("closed")
    last = _repeated(one)
    if last is not None:
        return _ask_again(one, last)
    added = add_reading(one.unit, one.box, one.busy, one.now, one.reading, one.record.scan_id)
    return one.taken("added", added or "")


def _begins_sale(busy: Busy) -> bool:
    return busy.basket is None or busy.basket.state is not BasketState.OPEN


def _repeated(one: _Scanned) -> ScanRecord | None:
    """Return the scan that this one repeats within the window, if its line is still there."""
    last = one.unit.scans.last_added(one.busy.state.workstation, one.record.text)
    if last is None or last.boot_id != one.now.boot_id or one.busy.basket is None:
        return None
    if (one.record.read_ns - last.read_ns) // 1_000_000 > one.box.rules.repeat_window_ms:
        return None
    return last if any(line.line_id == last.line_id for line in one.busy.basket.lines) else None


def _ask_again(one: _Scanned, last: ScanRecord) -> ScanOutcome:
    assert one.busy.basket is not None
    line = find_line(one.busy.basket, last.line_id)
    params: dict[str, str | int] = {"name": line.name, "name_en": line.name_en, "quantity": line.quantity}
    return one.refused(NoticeCode.DUPLICATE, params, ("one_more", "dismiss"))


def _pay(one: _Scanned, payment: PaymentCode) -> ScanOutcome:
    if one.busy.screen != "checkout" or one.busy.order is None:
        return one.refused(_why_not_now(one), {"tail": payment.code[-4:]})
    gateway = one.box.rules.wallets.get(payment.wallet.value, "")
    if gateway not in one.box.gateways:
        return one.refused(NoticeCode.WALLET_UNKNOWN, {"wallet": payment.wallet.value})
    attempt = intend(one.unit, one.box, one.busy, one.now, gateway, payment.code[-4:])
    return replace(one.taken("payment"), attempt_id=attempt.attempt_id, code=payment.code)


def _why_not_now(one: _Scanned) -> NoticeCode:
    """Return what to tell somebody whose code cannot be charged; a phone's own order makes way for it."""
    attempt = one.busy.attempt
    if one.busy.screen != "waiting" or attempt is None:
        return NoticeCode.PAY_FIRST
    if attempt.way is PayWay.CODE:
        return NoticeCode.PAYMENT_RUNNING
    hurry_closing(one.unit, attempt, one.now)
    return NoticeCode.PHONE_CLOSING


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
