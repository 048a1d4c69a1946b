"""The day's ports: the fakes of the deterministic world, which fail by lot and keep books of their own."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from devices.types import DeviceAbsent, DeviceSilent, PaperState, PrintJob, PrintResult
from edge.errors import Unavailable
from edge.services.outbox_records import OutboxMessage
from edge.services.payment_ports import (
    AutopayCharge,
    AutopayEntry,
    CodePayment,
    GatewayAnswer,
    ParkedVehicle,
    RefundState,
)
from edge.services.ports import Clock, HqAck, Store
from edge.services.records import Unit
from sim.fakes.display import FakeDisplay
from sim.fakes.gateway import FakeFault, FakeGateway, _Order
from sim.fakes.hq import MAX_HOLES, FakeHq, Fate
from sim.fakes.prepay_gateway import FakePrepayGateway
from sim.fakes.printer import FakePrinter
from sim.fakes.refund_gateway import FakeRefundGateway, RefundFault, _Refund
from sim.mall_day.faults import Faults
from sim.world.air import SnapshotAir
from sim.world.garage.motorists import Motorist
from sim.world.garage.site import Boom, Eye, EyeHabits, Owners

T = TypeVar("T")

_CALLS = (FakeFault.UNAVAILABLE, FakeFault.LOST, FakeFault.NEVER)
_REFUNDS = (RefundFault.UNAVAILABLE, RefundFault.LOST, RefundFault.NEVER, RefundFault.POOR)
_FATES = (Fate.LOSE, Fate.REPEAT, Fate.DELAY)


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the gateway's own ledger. at: true milliseconds of the day. refund_no: of a refund."""

    at: int
    order_no: str
    amount_fen: int
    refund_no: str = ""


class DayGateway(FakeGateway):
    """A gateway that writes a ledger of its own.

    when_late: told of a charge that is still on its way. refunding: the number of the refund being done.
    """

    def __init__(self, faults: Faults, now_ms: Callable[[], int]) -> None:
        """An empty ledger."""
        super().__init__()
        self.ledger: list[Entry] = []
        self.when_late: Callable[[], None] = lambda: None
        self.refunding = ""
        self._dice, self._now_ms = faults, now_ms

    def pay_by_code(self, payment: CodePayment) -> GatewayAnswer:
        """Charge a payment code."""
        waits = len(self._late)
        try:
            return super().pay_by_code(payment)
        finally:
            if len(self._late) > waits:
                self.when_late()

    def give_back(self, merchant_order_no: str, amount_fen: int) -> None:
        """Take a refund off what an order has taken."""
        self._write(merchant_order_no, -amount_fen, self.refunding)
        super().give_back(merchant_order_no, amount_fen)

    def attached(self, merchant_order_no: str) -> str:
        """Return what was written into an order."""
        return self._orders[merchant_order_no].payment.attach

    def _fault(self, call: str) -> FakeFault | None:
        kinds = (*_CALLS, FakeFault.LATE) if call == "pay" else _CALLS
        return self._dice.draw("gateway", kinds)

    def _finish(self, order: _Order, pays: bool) -> _Order:
        if pays:
            self._write(order.payment.merchant_order_no, order.payment.amount_fen)
        return super()._finish(order, pays)

    def _undo(self, order: _Order) -> _Order:
        number = order.payment.merchant_order_no
        if self.charged_fen(number):
            self._write(number, -self.charged_fen(number))
        return super()._undo(order)

    def _write(self, number: str, amount_fen: int, refund_no: str = "") -> None:
        self.ledger.append(Entry(self._now_ms(), number, amount_fen, refund_no))


class DayPhones(FakePrepayGateway):
    """Orders that phones pay by themselves; calls fail by lot."""

    def __init__(self, orders: DayGateway, faults: Faults) -> None:
        """Over the same orders."""
        super().__init__(orders)
        self._dice = faults

    def _fault(self, call: str) -> FakeFault | None:
        return self._dice.draw("phone payments", _CALLS)


class DayRefunds(FakeRefundGateway):
    """The refunding side; calls fail by lot, and some refunds come to nothing."""

    def __init__(self, orders: DayGateway, faults: Faults) -> None:
        """Over the same orders."""
        super().__init__(orders)
        self._dice, self._gateway = faults, orders

    def _end(self, refund: _Refund, state: RefundState) -> _Refund:
        self._gateway.refunding = refund.request.merchant_refund_no
        return super()._end(refund, state)

    def _fault(self, call: str) -> RefundFault | None:
        more = (RefundFault.ABNORMAL, RefundFault.CLOSED) if call == "refund" else ()
        return self._dice.draw("refunds", (*_REFUNDS, *more) if call == "refund" else _REFUNDS[:1])


class DayOwners(Owners):
    """Owners who agreed to be charged after leaving; calls fail by lot."""

    def __init__(self, queues: Mapping[str, deque[Motorist]], faults: Faults) -> None:
        """Nobody has agreed yet. queues: who stands at the lanes."""
        super().__init__(queues)
        self._dice = faults

    def enter(self, vehicle: ParkedVehicle) -> AutopayEntry:
        """Tell that a vehicle came in."""
        self._maybe()
        return super().enter(vehicle)

    def charge(self, charge: AutopayCharge) -> GatewayAnswer:
        """Charge the owner."""
        self._maybe()
        return super().charge(charge)

    def _maybe(self) -> None:
        fault = self._dice.draw("owners", _CALLS)
        if fault is not None:
            self.fail_next(fault)


class DayHq(FakeHq):
    """HQ at the end of a faulty wire, for a day's events: what it acknowledges is kept up, not searched.

    heard_at: true moments at which each event took effect, in that order.
    """

    def __init__(self, clock: Clock, faults: Faults) -> None:
        """Connected."""
        super().__init__(clock, window=100, fates=self._draw(faults), ack_fates=self._draw(faults))
        self._through = 0
        self._above: set[int] = set()

    def word(self) -> HqAck:
        """Return what HQ would acknowledge now."""
        last = self._through
        holes: list[int] = []
        for sequence in sorted(self._above):
            gap = sequence - last - 1
            if len(holes) + gap > MAX_HOLES:
                break
            holes += range(last + 1, sequence)
            last = sequence
        also = tuple(sorted(one for one in self._above if one > last))[:MAX_HOLES]
        return HqAck(last, tuple(holes), also)

    def _apply(self, message: OutboxMessage) -> None:
        if message.sequence > self._through:
            self._above.add(message.sequence)
        while self._through + 1 in self._above:
            self._through += 1
            self._above.discard(self._through)
        if message.event_id in self._ids:
            self.repeats += 1
            return
        self._ids.add(message.event_id)
        self.applied.append(message)

    @staticmethod
    def _draw(faults: Faults) -> Iterator[Fate]:
        while True:
            yield draw_fate(faults, "HQ link")


class DayAir(SnapshotAir):
    """The way of HQ's pushes, on which chunks get lost, doubled and late by lot."""

    def __init__(self, faults: Faults) -> None:
        """Nothing was pushed yet."""
        super().__init__(lambda: draw_fate(faults, "snapshots"))

    @property
    def has_news(self) -> bool:
        """Whether anything is on its way to the box."""
        return bool(self._told or self._coming or self._late)


def draw_fate(faults: Faults, port: str) -> Fate:
    """Return what becomes of the next message on a wire."""
    return faults.draw(port, _FATES) or Fate.DELIVER


class DayPrinter(FakePrinter):
    """A printer that runs out of paper, loses its proof or is unplugged for one look, by lot."""

    def __init__(self, name: str, faults: Faults) -> None:
        """Full of paper."""
        super().__init__(name)
        self._dice = faults

    def print_job(self, job: PrintJob) -> PrintResult:
        """Print once, or not."""
        fault = self._dice.draw("printers", ("no paper", "no proof", "unplugged"))
        self.paper = PaperState.OUT if fault == "no paper" else PaperState.ENOUGH
        self.absent, self.loses_proof = fault == "unplugged", fault == "no proof"
        try:
            return super().print_job(job)
        finally:
            self.paper, self.absent, self.loses_proof = PaperState.ENOUGH, False, False

    def restart(self) -> None:
        """Forget which jobs were begun; the paper stays."""
        self._outcomes.clear()


class DayDisplay(FakeDisplay):
    """A board that does not answer, or is not there, by lot."""

    def __init__(self, name: str, faults: Faults) -> None:
        """Dark."""
        super().__init__(name)
        self._dice = faults

    def show(self, lines: Sequence[str]) -> None:
        """Keep the lines."""
        fault = self._dice.draw("displays", ("absent", "silent"))
        self.absent, self.silent = fault == "absent", fault == "silent"
        super().show(lines)

    def say(self, text: str) -> None:
        """Say it; nobody counts what was said."""
        self._refuse()


@dataclass(slots=True)
class DayBoom(Boom):
    """A boom whose board does not answer, is not there, or which sticks, by lot."""

    faults: Faults = field(kw_only=True, repr=False)

    def pulse(self) -> None:
        """Open, or not."""
        fault = self.faults.draw("gates", ("not there", "no echo", "stuck"))
        if fault == "not there":
            raise DeviceAbsent(f"gate {self.name} is not there")
        if fault == "stuck":
            self.stuck += 1
        Boom.pulse(self)
        if fault == "no echo":
            raise DeviceSilent(f"gate {self.name} did not echo")


@dataclass(slots=True)
class DayEye(Eye):
    """A camera whose reads come late, twice or out of order by lot."""

    faults: Faults = field(kw_only=True, repr=False)

    def see(self, text: str, confidences: tuple[float, ...] = (), colour: str = "blue") -> None:
        """Make a read of a vehicle that is there now."""
        fault = self.faults.draw("cameras", ("late", "doubled", "overtaken"))
        sure = {"late": 0.0, "doubled": 0.0, "overtaken": 0.0} | ({fault: 1.0} if fault else {})
        self.habits = EyeHabits(late_ms=8_000, **sure)
        Eye.see(self, text, confidences, colour)


class TroubledStore:
    """A store that now and then refuses a unit of work or a query."""

    def __init__(self, store: Store, faults: Faults) -> None:
        """Over the real one."""
        self._store, self._dice = store, faults

    def write(self, work: Callable[[Unit], T]) -> T:
        """Run `work` in one transaction, or raise Unavailable with nothing of it kept."""
        if self._dice.draw("store", ("not written",)):
            raise Unavailable("the disk did not take it; try again")
        return self._store.write(work)

    def read(self, query: Callable[[Unit], T]) -> T:
        """Run `query` on committed state, or raise Unavailable."""
        if self._dice.draw("store", ("not read",)):
            raise Unavailable("the disk did not give it; try again")
        return self._store.read(query)
