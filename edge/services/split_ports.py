"""What the use cases need from a gateway that passes money of a payment on to others; see payment_ports."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol, runtime_checkable

from edge.errors import Declined


class SharingState(StrEnum):
    """What a gateway says of a sharing or of a return. FAILED: a return that came to nothing."""

    PROCESSING = "processing"
    DONE = "done"
    FAILED = "failed"
    ABSENT = "absent"


class SharingRefused(Declined):
    """A gateway refused for good, and nothing was shared or returned. detail: its own code."""

    def __init__(self, message: str, *, detail: str) -> None:
        super().__init__(message)
        self.detail = detail


@dataclass(frozen=True, slots=True)
class SharingAsk:
    """Shares of one payment; what is left goes free to whom it was paid, and with no shares all of it.

    payee: the number that was paid, "" for our own. sharing_no: ours, unique for life; a repeat carries the
    same one. shares: fen by the receiver's number, "" for our own. description: seen in bills.
    """

    payee: str
    transaction_id: str
    sharing_no: str
    shares: Mapping[str, int]
    description: str


@dataclass(frozen=True, slots=True)
class ReturnAsk:
    """A share, or part of one, that its receiver gives back. return_no: ours, unique for life."""

    payee: str
    sharing_no: str
    return_no: str
    merchant: str
    amount_fen: int
    description: str


@dataclass(frozen=True, slots=True)
class SharingAnswer:
    """What a gateway answered, verified. failed: by receiver's number, why its share came to nothing."""

    state: SharingState
    failed: Mapping[str, str] = field(default_factory=dict)
    detail: str = ""


@runtime_checkable
class SplitGateway(Protocol):
    """A payment provider that passes on money of payments that were made to wait for it (frozen).

    most_permille: the most of one payment that may go on. for_tenants: whether payments to others' numbers
    can be shared, too (service providers). Every call ends within its own time-out and raises Unavailable
    (surely not taken in), OutcomeUnknown (ask, or send the same again), SharingRefused, or Invalid before
    anything is sent.
    """

    name: str
    most_permille: int
    for_tenants: bool

    def add_receiver(self, payee: str, merchant: str) -> None:
        """Allow a number to receive shares of what was paid to `payee`; safe to repeat."""

    def share(self, ask: SharingAsk) -> SharingAnswer:
        """Share a payment, a minute after it or later; safe to repeat under its number."""

    def query_share(self, ask: SharingAsk) -> SharingAnswer:
        """Return what became of a sharing; ABSENT when the gateway does not know it."""

    def give_back(self, ask: ReturnAsk) -> SharingAnswer:
        """Take a share back; safe to repeat under its number."""

    def query_return(self, ask: ReturnAsk) -> SharingAnswer:
        """Return what became of a return; ABSENT when the gateway does not know it."""
