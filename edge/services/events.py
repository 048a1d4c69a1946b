"""What HQ is told: one CloudEvents 1.0 envelope per event, written with the state that it tells of.

The stored bytes are the bytes on the wire. A kind is `subject.what_happened`, e.g. "order.paid"; the
CloudEvents type is "cn.mall.{kind}.v1" and the number rises only when old readers could not read the
data. Money is integer fen, instants (`_at`) are Unix milliseconds UTC, as everywhere in this service.
What is a secret or a shopper's identity (payment code, receipt token, openid) is never in an event.
Source: CloudEvents 1.0.2 (JSON format; extensions "sequence", "correlation").
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from edge.clock import Instant, iso
from edge.errors import Invalid
from edge.members.landing import BlockKind, LandingPage
from edge.retail.attempt import AttemptState, PaymentAttempt
from edge.retail.basket import LineItem
from edge.retail.order import Order, OrderState, Tender
from edge.retail.receipt import Receipt
from edge.retail.refund import Refund, RefundLeg, RefundLine
from edge.services.command_records import CommandRecord, CommandState
from edge.services.outbox_records import OutboxMessage
from edge.services.ports import IdSource
from edge.services.records import Unit

Json: TypeAlias = str | int | bool | Sequence["Json"] | Mapping[str, "Json"] | None
Data: TypeAlias = Mapping[str, Json]

#: The largest envelope. A full basket (200 lines) with the longest names needs about 112 KiB.
MAX_EVENT_BYTES = 128 * 1024

#: The largest sequence: what fits in the envelope's fixed width.
MAX_SEQUENCE = 10**16 - 1

#: Longest texts taken into an event; longer ones are clipped, as names are not keys.
MAX_NAME = 60
MAX_BARCODE = 90
MAX_DETAIL = 200

_PART = re.compile(r"[a-z0-9][a-z0-9-]{0,31}", re.ASCII)


class EventKind(StrEnum):
    """What can be told to HQ; docs/protocols/hq-events.md has a line and a schema for each."""

    ORDER_PAID = "order.paid"
    ORDER_CANCELLED = "order.cancelled"
    PAYMENT_APPROVED = "payment.approved"
    PAYMENT_DECLINED = "payment.declined"
    PAYMENT_UNKNOWN = "payment.unknown"
    PAYMENT_VOIDED = "payment.voided"
    PAYMENT_REFUNDED = "payment.refunded"
    REFUND_REQUESTED = "refund.requested"
    REFUND_APPROVED = "refund.approved"
    REFUND_REJECTED = "refund.rejected"
    REFUND_STUCK = "refund.stuck"
    REFUND_DONE = "refund.done"
    RECEIPT_ISSUED = "receipt.issued"
    LANDING_SHOWN = "landing.shown"
    LANDING_OPENED = "landing.opened"
    LANDING_JOIN = "landing.join"
    LANDING_FOLLOW = "landing.follow"
    HELP_CALLED = "help.called"
    ALARM_RAISED = "alarm.raised"
    ALARM_CLEARED = "alarm.cleared"
    CLOCK_STEPPED = "clock.stepped"
    SNAPSHOT_APPLIED = "snapshot.applied"
    SNAPSHOT_REFUSED = "snapshot.refused"
    COMMAND_DONE = "command.done"
    COMMAND_REFUSED = "command.refused"
    COMMAND_UNKNOWN = "command.unknown"
    SHIFT_OPENED = "shift.opened"
    SHIFT_CLOSED = "shift.closed"
    DAY_CLOSED = "day.closed"
    PARKING_ENTERED = "parking.entered"
    PARKING_LEFT = "parking.left"
    PARKING_NEVER_ENTERED = "parking.never_entered"
    PARKING_GATE = "parking.gate"
    PARKING_TAILGATED = "parking.tailgated"
    PARKING_OCCUPANCY = "parking.occupancy"
    PARKING_PAID = "parking.paid"
    DEBT_RECORDED = "debt.recorded"
    DEBT_SETTLED = "debt.settled"
    PARKING_CORRECTED = "parking.corrected"
    PASS_CHANGED = "pass.changed"
    PASS_USED = "pass.used"
    VALIDATION_GRANTED = "validation.granted"
    VALIDATION_REVOKED = "validation.revoked"
    VALIDATION_USED = "validation.used"
    CONVERSION_STEP = "conversion.step"
    SALE_ATTRIBUTED = "sale.attributed"
    SALE_REVERSED = "sale.reversed"
    GUIDE_TASK = "guide.task"
    MEMBER_JOINED = "member.joined"
    MEMBER_MERGED = "member.merged"
    MEMBER_ERASED = "member.erased"
    MEMBER_CONSENT = "member.consent"
    MEMBER_PLATE = "member.plate"
    POINTS_CHANGED = "points.changed"
    POINTS_LEASE = "points.lease"
    EXIT_CHECKED = "exit.checked"
    BASKET_HANDED_OVER = "basket.handed_over"
    TICKET_ISSUED = "ticket.issued"
    TICKET_PRICE_OVERRIDDEN = "ticket.price_overridden"
    TICKET_HANDED_OVER = "ticket.handed_over"
    TICKETS_MERGED = "tickets.merged"
    ORDER_SPLIT = "order.split"
    PAYMENT_SHARED = "payment.shared"


#: Kinds that somebody waits for: they are sent before what has waited longer.
URGENT = frozenset(
    {
        EventKind.HELP_CALLED,
        EventKind.REFUND_STUCK,
        EventKind.ALARM_RAISED,
        EventKind.PARKING_GATE,
        EventKind.ALARM_CLEARED,
        EventKind.COMMAND_DONE,
        EventKind.COMMAND_REFUSED,
        EventKind.COMMAND_UNKNOWN,
    }
)


class Surface(StrEnum):
    """Where a shopper met a landing page: on the kiosk's screen, on paper, or on the phone."""

    KIOSK = "kiosk"
    PAPER = "paper"
    PHONE = "phone"


@dataclass(frozen=True, slots=True)
class Origin:
    """Which box speaks. site, edge: 1-32 of [a-z0-9-], as they stand in MQTT topics."""

    site: str
    edge: str

    def __post_init__(self) -> None:
        """Refuse names that could not stand in a topic or a URI."""
        for name, value in (("site", self.site), ("edge", self.edge)):
            if _PART.fullmatch(value) is None:
                raise Invalid(f"{name} {value!r} must be 1-32 of a-z, 0-9 and -, beginning with no dash")

    @property
    def attachment(self) -> str:
        """What this box writes into every payment, by which a bill tells its payments from other boxes'."""
        return f"{self.site}/{self.edge}"

    @property
    def source(self) -> str:
        """The CloudEvents source of every event of this box."""
        return f"/mall/{self.site}/edge/{self.edge}"


def record_event(
    unit: Unit,
    ids: IdSource,
    instant: Instant,
    origin: Origin,
    kind: EventKind | str,
    subject: str,
    data: Data,
    correlation: str = "",
) -> OutboxMessage:
    """Append one event to the unit's outbox, in the transaction of the state that it tells of.

    subject: the id of what it happened to. correlation: what ties the events of one purchase together,
    the order id as a rule; the subject when empty. Raises Invalid for an unknown kind, an empty subject
    or more than MAX_EVENT_BYTES; then nothing was appended.
    """
    known = _known_kind(kind)
    if not subject:
        raise Invalid(f"event {known} needs a subject, the id of what it happened to")
    sequence = unit.outbox.next_sequence()
    event_id = ids.new_id()
    body = _encode(_envelope(event_id, sequence, instant, origin, known, subject, correlation, data))
    urgent = known in URGENT
    message = OutboxMessage(sequence, event_id, known.value, origin.source, body, instant.wall_at, urgent)
    unit.outbox.append(message)
    return message


def event_type(kind: EventKind) -> str:
    """Return the CloudEvents type of a kind, e.g. "cn.mall.order.paid.v1"."""
    return f"cn.mall.{kind.value}.v1"


def event_schema(kind: EventKind) -> str:
    """Return the URI of the JSON Schema of a kind's data; the schema carries it as its $id."""
    return f"urn:mall-edge:event:{kind.value}:v1"


def order_paid(order: Order) -> Data:
    """Return the data of "order.paid": goods, what each tenant earned, and how it was paid."""
    if order.state is not OrderState.PAID or order.closed_at is None:
        raise Invalid(f"order {order.order_id} is {order.state}, not paid; there is nothing to tell")
    return {
        **_order_head(order),
        "paid_at": order.closed_at,
        "tenants": _by_tenant(order.lines),
        "lines": [_line(line) for line in order.lines],
        "tenders": [_tender(tender) for tender in order.tenders],
    }


def order_cancelled(order: Order) -> Data:
    """Return the data of "order.cancelled"; the order carries the moment in `closed_at`."""
    if order.state is OrderState.PAID or order.closed_at is None:
        raise Invalid(f"order {order.order_id} is {order.state}, not cancelled; there is nothing to tell")
    return {**_order_head(order), "cancelled_at": order.closed_at}


PAYMENT_KINDS: dict[AttemptState, EventKind] = {
    AttemptState.APPROVED: EventKind.PAYMENT_APPROVED,
    AttemptState.DECLINED: EventKind.PAYMENT_DECLINED,
    AttemptState.UNKNOWN: EventKind.PAYMENT_UNKNOWN,
    AttemptState.VOIDED: EventKind.PAYMENT_VOIDED,
    AttemptState.REFUNDED: EventKind.PAYMENT_REFUNDED,
}


def payment_kind(attempt: PaymentAttempt) -> EventKind:
    """Return the kind that tells of the attempt's state; raise Invalid before it was sent anywhere."""
    kind = PAYMENT_KINDS.get(attempt.state)
    if kind is None:
        raise Invalid(f"attempt {attempt.attempt_id} is {attempt.state}; HQ is told of outcomes only")
    return kind


def payment_step(attempt: PaymentAttempt) -> Data:
    """Return the data of the five payment kinds; the attempt's own state chooses among them."""
    return {
        "attempt_id": attempt.attempt_id,
        "order_id": attempt.order_id,
        "workstation": attempt.workstation,
        "gateway": attempt.gateway,
        "merchant_order_no": attempt.merchant_order_no,
        "amount_fen": attempt.amount_fen,
        "state": payment_kind(attempt).value.removeprefix("payment."),
        "transaction_id": attempt.transaction_id,
        "created_at": attempt.created_at,
        "closed_at": attempt.closed_at,
    }


def refund_step(refund: Refund, order: Order) -> Data:
    """Return the data of the five refund kinds: goods, what each tenant gives back, and on which ways."""
    tenants = {line.line_id: line for line in order.lines}
    return {
        "refund_id": refund.refund_id,
        "number": refund.number,
        "order_id": order.order_id,
        "order_number": order.number,
        "workstation": refund.workstation,
        "business_day": refund.business_day,
        "currency": "CNY",
        "amount_fen": refund.amount_fen,
        "phase": refund.phase.value,
        "cancels_order": refund.cancels_order,
        "reason": refund.reason,
        "requested_by": refund.requested_by,
        "requested_at": refund.requested_at,
        "decided_by": refund.decided_by,
        "decided_at": refund.decided_at,
        "closed_at": refund.closed_at,
        "tenants": _refunded_by_tenant(refund, tenants),
        "lines": [_refund_line(line, tenants[line.line_id]) for line in refund.lines],
        "legs": [_refund_leg(leg) for leg in refund.legs],
    }


def receipt_issued(receipt: Receipt, order: Order) -> Data:
    """Return the data of "receipt.issued", without the token that opens its page."""
    return {
        "receipt_id": receipt.receipt_id,
        "order_id": order.order_id,
        "number": order.number,
        "business_day": order.business_day,
        "total_fen": order.total_fen,
        "workstation": receipt.workstation,
        "issued_at": receipt.issued_at,
    }


def landing_step(
    page: LandingPage, order: Order, surface: Surface | str, block: BlockKind | None = None
) -> Data:
    """Return the data of the four landing kinds: which page, after which order, seen where.

    block: what was chosen on the page, for "landing.join" and "landing.follow".
    """
    if surface not in set(Surface):
        raise Invalid(f"surface {surface!r} is not one of {', '.join(Surface)}")
    return {
        "landing_id": page.landing_id,
        "tenant_id": page.tenant_id,
        "order_id": order.order_id,
        "workstation": order.workstation,
        "surface": str(surface),
        "block": None if block is None else block.value,
    }


def help_called(workstation: str, basket_id: str | None = None, order_id: str | None = None) -> Data:
    """Return the data of "help.called": where, and what the shopper was busy with."""
    return {"workstation": workstation, "basket_id": basket_id, "order_id": order_id}


def alarm(name: str, level: str, detail: str) -> Data:
    """Return the data of the two alarm kinds: what it is about, how bad it is, and a sentence for people."""
    return {"alarm": name, "level": level, "detail": detail[:MAX_DETAIL]}


def snapshot_applied(name: str, version: int, before: int | None, sha256: str, returned: bool) -> Data:
    """Return the data of "snapshot.applied". before: the version that was in force. returned: by a person."""
    return {
        "name": name,
        "version": version,
        "before": before,
        "sha256": sha256,
        "returned": returned,
    }


def snapshot_refused(name: str, version: int, reason: str, detail: str) -> Data:
    """Return the data of "snapshot.refused"; version 0 when the manifest could not be read."""
    return {"name": name, "version": version, "reason": reason, "detail": detail[:MAX_DETAIL]}


COMMAND_KINDS: dict[CommandState, EventKind] = {
    CommandState.DONE: EventKind.COMMAND_DONE,
    CommandState.REFUSED: EventKind.COMMAND_REFUSED,
    CommandState.UNKNOWN: EventKind.COMMAND_UNKNOWN,
}


def command_ended(record: CommandRecord) -> Data:
    """Return the data of the three command kinds; raise Invalid while it is only begun."""
    if record.finished_at is None:
        raise Invalid(f"command {record.command_id} has not ended; there is nothing to tell")
    return {
        "command_id": record.command_id,
        "command": record.kind,
        "issued_by": record.issued_by,
        "reason": record.reason,
        "detail": record.detail[:MAX_DETAIL],
        "result": json.loads(record.result),
        "received_at": record.received_at,
        "finished_at": record.finished_at,
    }


def _known_kind(kind: EventKind | str) -> EventKind:
    try:
        return EventKind(kind)
    except ValueError:
        raise Invalid(f"event kind {kind!r} is not one that HQ knows; add it to EventKind first") from None


def _envelope(
    event_id: str,
    sequence: int,
    instant: Instant,
    origin: Origin,
    kind: EventKind,
    subject: str,
    correlation: str,
    data: Data,
) -> Data:
    if not 1 <= sequence <= MAX_SEQUENCE:
        raise Invalid(f"sequence {sequence} is outside 1-{MAX_SEQUENCE}")
    return {
        "specversion": "1.0",
        "id": event_id,
        "source": origin.source,
        "type": event_type(kind),
        "subject": subject,
        "time": iso(instant.wall_at),
        "datacontenttype": "application/json",
        "dataschema": event_schema(kind),
        # A CloudEvents integer has 32 bits and the sequence extension wants text that sorts.
        "sequence": f"{sequence:016d}",
        "correlationid": correlation or subject,
        "bootid": instant.boot_id,
        "boottimems": str(instant.boottime_ns // 1_000_000),
        "clocktrusted": instant.trusted,
        "data": data,
    }


def _encode(envelope: Data) -> bytes:
    try:
        body = json.dumps(envelope, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()
    except (TypeError, ValueError) as error:
        raise Invalid(f"event {envelope['id']} ({envelope['type']}) cannot be written: {error}") from error
    if len(body) > MAX_EVENT_BYTES:
        raise Invalid(f"event {envelope['type']} has {len(body)} bytes, {MAX_EVENT_BYTES} at most")
    return body


def _order_head(order: Order) -> dict[str, Json]:
    return {
        "order_id": order.order_id,
        "number": order.number,
        "workstation": order.workstation,
        "business_day": order.business_day,
        "ordered_at": order.ordered_at,
        "currency": "CNY",
        "total_fen": order.total_fen,
    }


def _by_tenant(lines: Sequence[LineItem]) -> list[Json]:
    amounts: dict[str, int] = {}
    for line in lines:
        amounts[line.tenant_id] = amounts.get(line.tenant_id, 0) + line.amount_fen
    return [{"tenant_id": tenant, "amount_fen": amount} for tenant, amount in sorted(amounts.items())]


def _line(line: LineItem) -> Json:
    return {
        "sku": line.sku,
        "tenant_id": line.tenant_id,
        "name": line.name[:MAX_NAME],
        "barcode": line.barcode[:MAX_BARCODE],
        "quantity": line.quantity,
        "weight_g": line.weight_g,
        "unit_price_fen": line.unit_price_fen,
        "amount_fen": line.amount_fen,
    }


def _tender(tender: Tender) -> Json:
    return {
        "tender_id": tender.tender_id,
        "kind": tender.kind,
        "amount_fen": tender.amount_fen,
        "received_fen": tender.received_fen,
        "change_fen": tender.change_fen,
        "attempt_id": tender.attempt_id,
    }


def _refunded_by_tenant(refund: Refund, lines: Mapping[str, LineItem]) -> list[Json]:
    amounts: dict[str, int] = {}
    for line in refund.lines:
        tenant = lines[line.line_id].tenant_id
        amounts[tenant] = amounts.get(tenant, 0) + line.amount_fen
    return [{"tenant_id": tenant, "amount_fen": amount} for tenant, amount in sorted(amounts.items())]


def _refund_line(part: RefundLine, line: LineItem) -> Json:
    return {
        "sku": line.sku,
        "tenant_id": line.tenant_id,
        "name": line.name[:MAX_NAME],
        "quantity": part.quantity,
        "amount_fen": part.amount_fen,
    }


def _refund_leg(leg: RefundLeg) -> Json:
    return {
        "leg_id": leg.leg_id,
        "tender_id": leg.tender_id,
        "kind": leg.kind,
        "amount_fen": leg.amount_fen,
        "merchant_refund_no": leg.merchant_refund_no,
        "state": leg.state.value,
        "closed_at": leg.closed_at,
    }
