"""A gateway that charges the owners of plates after they have left, in memory."""

from __future__ import annotations

from collections import deque

from edge.errors import OutcomeUnknown, Unavailable
from edge.services.payment_ports import (
    AutopayCharge,
    AutopayEntry,
    DeclineReason,
    GatewayAnswer,
    ParkedVehicle,
    PaymentDeclined,
    PaymentState,
)
from sim.fakes.gateway import FakeFault


class FakeAutopayGateway:
    """Implements AutopayGateway. owners: plates whose owners agreed. slow: whether charges wait for `settle`.

    taken_fen: by merchant_order_no. told: the vehicles that came in.
    """

    name = "fake"

    def __init__(self, *owners: str, slow: bool = False) -> None:
        self.owners = set(owners)
        self.slow = slow
        self.taken_fen: dict[str, int] = {}
        self.told: list[str] = []
        self._charges: dict[str, tuple[AutopayCharge, PaymentState]] = {}
        self._faults: deque[FakeFault] = deque()

    def fail_next(self, fault: FakeFault) -> None:
        """Have the next call fail; several wait in line."""
        self._faults.append(fault)

    def settle(self, *, pays: bool) -> None:
        """Let every charge that waits be paid or fail."""
        for number, (charge, state) in self._charges.items():
            if state is PaymentState.PENDING:
                ended = PaymentState.APPROVED if pays else PaymentState.DECLINED
                self._charges[number] = (charge, ended)
                if pays:
                    self.taken_fen[number] = charge.amount_fen

    def enter(self, vehicle: ParkedVehicle) -> AutopayEntry:
        """Tell that a vehicle came in."""
        if self._faults:
            self._faults.popleft()
            raise Unavailable("no answer to the entry; tell it again")
        self.told.append(vehicle.plate)
        usable = vehicle.plate in self.owners
        return AutopayEntry(f"5K-{vehicle.parking_no}", usable, "" if usable else "OUT_SERVICE")

    def charge(self, charge: AutopayCharge) -> GatewayAnswer:
        """Charge the owner."""
        fault = self._faults.popleft() if self._faults else None
        if fault is FakeFault.UNAVAILABLE:
            raise Unavailable("not reached; try again")
        if fault is not FakeFault.NEVER:
            self._take(charge)
        if fault is not None:
            raise OutcomeUnknown("no answer to the charge; query it")
        return self.query_charge(charge.merchant_order_no)

    def query_charge(self, merchant_order_no: str) -> GatewayAnswer:
        """Return the state of a charge."""
        known = self._charges.get(merchant_order_no)
        if known is None:
            return GatewayAnswer(PaymentState.ABSENT, detail="ORDER_NOT_EXIST")
        charge, state = known
        return GatewayAnswer(state, f"t-{merchant_order_no}", charge.amount_fen, detail=state.value)

    def _take(self, charge: AutopayCharge) -> None:
        number = charge.merchant_order_no
        if charge.vehicle.plate not in self.owners:
            raise PaymentDeclined(f"{number}: no such owner", reason=DeclineReason.ACCOUNT, detail="NO_AUTH")
        if number not in self._charges:
            self._charges[number] = (charge, PaymentState.PENDING)
            if not self.slow:
                self.settle(pays=True)
