"""What the use cases need from payment gateways, as protocols; see ports."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Protocol, runtime_checkable

from edge.errors import Declined, Unavailable
from edge.retail.bill import BillRow
from edge.retail.split import OrderPart


class PaymentState(StrEnum):
    """What a gateway says of one of our orders."""

    PENDING = "pending"
    APPROVED = "approved"
    DECLINED = "declined"
    VOIDED = "voided"
    REFUNDED = "refunded"
    ABSENT = "absent"


class DeclineReason(StrEnum):
    """Why a payment was refused, as far as the shopper or cashier can act on it.

    CODE_INVALID: not a payment code, or used before. CODE_EXPIRED: refresh it. NOT_ENOUGH: another card.
    NOT_CONFIRMED: cancelled or no password. ACCOUNT: the wallet or card cannot pay. LIMIT: a limit was
    reached. ORDER_CLOSED: start a new attempt. MERCHANT: our own set-up or request is at fault.
    """

    CODE_INVALID = "code_invalid"
    CODE_EXPIRED = "code_expired"
    NOT_ENOUGH = "not_enough"
    NOT_CONFIRMED = "not_confirmed"
    ACCOUNT = "account"
    LIMIT = "limit"
    ORDER_CLOSED = "order_closed"
    MERCHANT = "merchant"


class PaymentDeclined(Declined):
    """A gateway refused a payment for good. detail: the gateway's own code, for the trail."""

    def __init__(self, message: str, *, reason: DeclineReason, detail: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.detail = detail


@dataclass(frozen=True, slots=True)
class CodePayment:
    """A request to charge a payment code (付款码).

    merchant_order_no: ours, 6-32 of [0-9A-Za-z_-*], unique for life. code: the shopper's secret of
    about a minute; it is never logged or stored. description: no commas or backticks (bills). attach:
    which box asks, at most 127 ASCII characters; it comes back in the bill.
    frozen: the money waits until it is shared (split_ports).
    """

    merchant_order_no: str
    amount_fen: int
    description: str
    code: str
    device: str
    attach: str = ""
    frozen: bool = False

    def __repr__(self) -> str:
        """Hide the code, so that no log or traceback can show it."""
        return f"CodePayment({self.merchant_order_no}, {self.amount_fen} fen, code ..{self.code[-4:]})"


@dataclass(frozen=True, slots=True)
class GatewayAnswer:
    """What a gateway answered, verified.

    amount_fen: what the order was made for (None where the answer carries none). payer: the shopper's
    identity at the gateway (openid) where given. paid_at: Unix milliseconds. detail: the gateway's own
    state or code, for the trail. part_ids: for a combined payment, each part's transaction_id in the order
    of its parts.
    """

    state: PaymentState
    transaction_id: str | None = None
    amount_fen: int | None = None
    payer: str | None = None
    paid_at: int | None = None
    detail: str = ""
    part_ids: tuple[str, ...] = ()


class RefundState(StrEnum):
    """What a gateway says of one of our refunds.

    PROCESSING: on its way. DONE: the shopper has it. ABNORMAL: it cannot reach the shopper, a person must
    act at the gateway. CLOSED: it came to nothing. ABSENT: the gateway does not know it.
    """

    PROCESSING = "processing"
    DONE = "done"
    ABNORMAL = "abnormal"
    CLOSED = "closed"
    ABSENT = "absent"


class RefundRefused(Declined):
    """A gateway refused a refund for good. detail: the gateway's own code, for the trail."""

    def __init__(self, message: str, *, detail: str) -> None:
        super().__init__(message)
        self.detail = detail


class RefundNeedsFunds(Unavailable):
    """The merchant's balance is too low: a person must top it up, then the same number goes."""


@dataclass(frozen=True, slots=True)
class RefundRequest:
    """A request to give back part or all of an order's money on its original way.

    merchant_refund_no: ours, unique for life; a retry carries the same one. total_fen: what the order was
    made for. reason: shown to the shopper, at most 80 bytes of UTF-8. merchant: the number that a part of a
    combined payment was paid to, "" for the gateway's own; merchant_order_no is then the part's.
    """

    merchant_order_no: str
    merchant_refund_no: str
    amount_fen: int
    total_fen: int
    reason: str = ""
    merchant: str = ""


@dataclass(frozen=True, slots=True)
class RefundAnswer:
    """What a gateway answered about a refund, verified. refunded_at: Unix milliseconds.

    amount_fen: None where the answer carries none. detail: the gateway's own state or code.
    """

    state: RefundState
    refund_id: str | None = None
    amount_fen: int | None = None
    refunded_at: int | None = None
    detail: str = ""


class PaymentGateway(Protocol):
    """One payment provider. Every call ends within its own time-out (connect 3 s, read 30 s at most)."""

    name: str

    def pay_by_code(self, payment: CodePayment) -> GatewayAnswer:
        """Charge a payment code; returns APPROVED, or PENDING while the shopper is typing a password.

        Repeating it with the same number and code never charges twice. Raises PaymentDeclined (surely not
        charged), Unavailable (surely not accepted, e.g. no connection was made), OutcomeUnknown (time-out,
        broken or unverified answer, server error: query by our number) or, before anything is sent,
        Invalid.
        """

    def query(self, merchant_order_no: str) -> GatewayAnswer:
        """Return the state of one of our orders; ABSENT when the gateway does not know it.

        Raises Unavailable when no verified answer came.
        """

    def reverse(self, merchant_order_no: str) -> GatewayAnswer:
        """Undo: void an unpaid order, refund a paid one. Safe to repeat.

        Returns VOIDED when it is final, PENDING when it must be called again, ABSENT when the gateway has
        no such order: final only once the charge cannot arrive any more (5 minutes after it was sent).
        Raises Unavailable when no verified answer came; then query and try again.
        """

    def close(self) -> None:
        """Close all connections."""


@runtime_checkable
class RefundGateway(Protocol):
    """A payment provider that can give money back. Every call ends within its own time-out."""

    def refund(self, request: RefundRequest) -> RefundAnswer:
        """Give money back; repeating it with the same refund number never gives it twice.

        Raises RefundRefused (surely not given, and never will be under this number), RefundNeedsFunds (not
        given until a person acts), Unavailable (surely not accepted), OutcomeUnknown (query_refund by our
        number, then send the same again) or, before anything is sent, Invalid.
        """

    def query_refund(
        self, merchant_order_no: str, merchant_refund_no: str, merchant: str = ""
    ) -> RefundAnswer:
        """Return the state of one of our refunds; ABSENT when the gateway does not know it.

        merchant: as in RefundRequest.

        Raises Unavailable when no verified answer came.
        """


@dataclass(frozen=True, slots=True)
class PhoneOrder:
    """An order that the shopper's phone pays by itself.

    merchant_order_no, amount_fen, description, attach: as in CodePayment. expires_at: Unix milliseconds,
    after which the gateway takes no money for it. parts: sum to amount_fen; a combined payment, all paid or
    none, as many as part_counts says; () for one payment to the gateway's own merchant number. frozen: such
    a payment waits until it is shared; of parts each says so itself.
    """

    merchant_order_no: str
    amount_fen: int
    description: str
    expires_at: int
    attach: str = ""
    parts: tuple[OrderPart, ...] = ()
    frozen: bool = False


@runtime_checkable
class PrepayGateway(Protocol):
    """A payment provider whose orders a phone can pay by itself. Every call ends within its own time-out.

    What became of an order is asked for by PaymentGateway.query, of one in parts by query_parts; it is never
    reversed, but closed. part_counts: how many parts one payment may have, empty where none may.
    """

    part_counts: range

    def native(self, order: PhoneOrder) -> str:
        """Return what a phone opens to pay, to be shown as a QR code; a new one ends the one before.

        Nothing is charged by this call. Raises Declined (surely not made), Unavailable (send the same again),
        OutcomeUnknown when it may be paid already (query it) or, before anything is sent, Invalid.
        """

    def jsapi(self, order: PhoneOrder, openid: str) -> Mapping[str, str]:
        """Return the signed parameters with which a page inside the wallet lets that shopper pay.

        Raises as `native` does.
        """

    def close_order(self, merchant_order_no: str) -> GatewayAnswer:
        """End an order that is not paid; safe to repeat.

        Returns VOIDED when nobody can pay it any more, APPROVED when the shopper was faster, PENDING when it
        must be called again, ABSENT when there is none. Raises Unavailable when no verified answer came.
        """

    def query_parts(self, merchant_order_no: str, parts: Sequence[OrderPart]) -> GatewayAnswer:
        """Return the state of an order in parts, amount_fen being their sum; ABSENT when there is none.

        Raises Unavailable when no verified answer came, or one about other parts.
        """

    def close_parts(self, merchant_order_no: str, parts: Sequence[OrderPart]) -> GatewayAnswer:
        """End an order in parts that is not paid; as close_order."""


@dataclass(frozen=True, slots=True)
class ParkedVehicle:
    """A vehicle that came in. parking_no: ours, 1-32 of [0-9A-Za-z_-], unique for life.

    colour: of its plate, as edge.parking.vehicle.PlateColour. entered_at: Unix milliseconds.
    """

    parking_no: str
    plate: str
    colour: str
    entered_at: int
    place: str
    free_s: int = 0


@dataclass(frozen=True, slots=True)
class AutopayEntry:
    """What a gateway says of a vehicle that came in. usable: its owner may be charged after it has left.

    parking_id: the gateway's own. reason: why not usable, the gateway's own word.
    """

    parking_id: str
    usable: bool
    reason: str = ""


@dataclass(frozen=True, slots=True)
class AutopayCharge:
    """A request to charge the owner of a vehicle; sending it again unchanged charges nothing twice."""

    merchant_order_no: str
    amount_fen: int
    description: str
    parking_id: str
    vehicle: ParkedVehicle
    left_at: int
    device: str
    attach: str = ""


class AutopayGateway(Protocol):
    """A payment provider that charges the owners of plates after they have left (先出后扣)."""

    def enter(self, vehicle: ParkedVehicle) -> AutopayEntry:
        """Tell that a vehicle came in, and return whether its owner may be charged; safe to repeat.

        Raises Declined (never for this vehicle), Unavailable, or Invalid before anything is sent.
        """

    def charge(self, charge: AutopayCharge) -> GatewayAnswer:
        """Charge the owner; PENDING while it is worked on, APPROVED when it was quick.

        Raises PaymentDeclined (surely not charged), Unavailable (surely not accepted), OutcomeUnknown (ask),
        or Invalid before anything is sent.
        """

    def query_charge(self, merchant_order_no: str) -> GatewayAnswer:
        """Return the state of one of our charges; ABSENT when the gateway does not know it.

        Raises Unavailable when no verified answer came.
        """


class CallbackRefused(Declined):
    """A callback that is not believed or not ours. status, body: what to answer; tells a stranger nothing."""

    def __init__(self, message: str, *, status: int, body: bytes) -> None:
        super().__init__(message)
        self.status = status
        self.body = body


class CallbackReader(Protocol):
    """Reads what a gateway sends by itself. Callbacks make things faster; the truth comes from queries."""

    def hear(self, headers: Mapping[str, str], body: bytes) -> str:
        """Return the merchant_order_no of the payment that it tells of, "" when it tells of something else.

        Asks nobody. Raises CallbackRefused for what is not the gateway's own, or not for this merchant.
        """


class BillNotReady(Declined):
    """The gateway has no bill for that day: not made yet, or nothing was traded."""


@runtime_checkable
class BillSource(Protocol):
    """Where the bills of one merchant number come from.

    name: the gateway's name, as in tenders. merchant: its merchant number.
    """

    name: str
    merchant: str

    def trade_bill(self, day: date) -> Iterator[BillRow]:
        """Yield the rows of the bill of one calendar day (Asia/Shanghai), its hash and totals checked.

        Memory stays flat whatever the bill's size. Raises BillNotReady, Unavailable (fetch again) or
        Corrupt (the hash, the totals or a row is wrong; nothing of this bill may be used).
        """
