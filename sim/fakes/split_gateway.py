"""A gateway in memory that passes on money of payments, over the orders of a fake gateway."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from enum import StrEnum

from edge.errors import OutcomeUnknown, Unavailable
from edge.services.split_ports import (
    ReturnAsk,
    SharingAnswer,
    SharingAsk,
    SharingRefused,
    SharingState,
)


class SharingFault(StrEnum):
    """How a call fails. UNAVAILABLE: no effect. LOST: full effect, no answer. REFUSED: for good."""

    UNAVAILABLE = "unavailable"
    LOST = "lost"
    REFUSED = "refused"


@dataclass(slots=True)
class FakeSplitGateway:
    """Implements SplitGateway.

    slow_queries: how many queries still find it worked on. failing: receivers whose shares fail, and why.
    shared, returned: what was done, by sharing and return number.
    """

    name: str = "wechat_pay"
    most_permille: int = 300
    for_tenants: bool = False
    slow_queries: int = 0
    failing: dict[str, str] = field(default_factory=dict)
    receivers: dict[tuple[str, str], None] = field(default_factory=dict)
    shared: dict[str, SharingAsk] = field(default_factory=dict)
    returned: dict[str, ReturnAsk] = field(default_factory=dict)
    faults: deque[SharingFault] = field(default_factory=deque)
    _queries: dict[str, int] = field(default_factory=dict)

    def add_receiver(self, payee: str, merchant: str) -> None:
        """Allow a number to receive shares."""
        self.receivers[payee, merchant] = None

    def share(self, ask: SharingAsk) -> SharingAnswer:
        """Share a payment; see the port."""
        fault = self.faults.popleft() if self.faults else None
        self._fail_before(fault, ask.sharing_no)
        if any((ask.payee, merchant) not in self.receivers for merchant in ask.shares):
            raise SharingRefused(f"{ask.sharing_no}: no such receiver", detail="NO_RELATION")
        known = self.shared.setdefault(ask.sharing_no, ask)
        if known != ask:
            raise SharingRefused(f"{ask.sharing_no} came with other figures before", detail="INVALID_REQUEST")
        if fault is SharingFault.LOST:
            raise OutcomeUnknown(f"no answer about {ask.sharing_no}; query it")
        return self.query_share(ask)

    def query_share(self, ask: SharingAsk) -> SharingAnswer:
        """Return what became of a sharing."""
        known = self.shared.get(ask.sharing_no)
        if known is None:
            return SharingAnswer(SharingState.ABSENT)
        if self._slow(ask.sharing_no):
            return SharingAnswer(SharingState.PROCESSING)
        failed = {one: self.failing[one] for one in known.shares if one in self.failing}
        return SharingAnswer(SharingState.DONE, failed, "FINISHED")

    def give_back(self, ask: ReturnAsk) -> SharingAnswer:
        """Take a share back."""
        fault = self.faults.popleft() if self.faults else None
        self._fail_before(fault, ask.return_no)
        self.returned.setdefault(ask.return_no, ask)
        if fault is SharingFault.LOST:
            raise OutcomeUnknown(f"no answer about {ask.return_no}; query it")
        return self.query_return(ask)

    def query_return(self, ask: ReturnAsk) -> SharingAnswer:
        """Return what became of a return."""
        if ask.return_no not in self.returned:
            return SharingAnswer(SharingState.ABSENT)
        if self._slow(ask.return_no):
            return SharingAnswer(SharingState.PROCESSING)
        if ask.merchant in self.failing:
            return SharingAnswer(SharingState.FAILED, detail=self.failing[ask.merchant])
        return SharingAnswer(SharingState.DONE, detail="SUCCESS")

    def held_fen(self) -> dict[str, int]:
        """Return what each receiver has by shares, less what it gave back."""
        held: dict[str, int] = {}
        for ask in self.shared.values():
            for merchant, fen in ask.shares.items():
                if merchant not in self.failing:
                    held[merchant] = held.get(merchant, 0) + fen
        for back in self.returned.values():
            if back.merchant not in self.failing:
                held[back.merchant] = held.get(back.merchant, 0) - back.amount_fen
        return held

    def _slow(self, number: str) -> bool:
        asked = self._queries.get(number, 0)
        self._queries[number] = asked + 1
        return asked < self.slow_queries

    def _fail_before(self, fault: SharingFault | None, number: str) -> None:
        if fault is SharingFault.UNAVAILABLE:
            raise Unavailable(f"the fake gateway was not reached for {number}; try again")
        if fault is SharingFault.REFUSED:
            raise SharingRefused(f"the fake gateway refused {number}", detail="RULE_LIMIT")
