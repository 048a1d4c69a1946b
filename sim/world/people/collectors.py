"""Shoppers who take several counters' tickets to the till and pay once; what must hold of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from edge.retail.basket import LineItem
from edge.retail.money_share import ShareState
from edge.retail.tenant_ledger import tenant_sums
from edge.retail.ticket import Ticket, TicketState
from edge.services import pay_at_till
from edge.services.box import Tenant, Workstation, WorkstationKind
from edge.services.change_basket import dismiss
from edge.services.check_out import cancel_sale, check_out, leave
from edge.services.collect_tickets import collect_ticket
from edge.services.records import Unit
from edge.services.refund_order import RefundAsk, refund_order
from sim.fakes.box import TILL
from sim.fakes.split_gateway import SharingFault
from sim.world.people.person import Person, Place
from sim.world.people.staff import SUPERVISOR
from sim.world.scenario import Scenario
from sim.world.world import World

TENANTS = {
    "t-drinks": Tenant("t-drinks", "饮料店", "Drinks", "1900000011", 100),
    "t-bakery": Tenant("t-bakery", "面包房", "Bakery", "1900000012", 50),
}
PLACES = {
    "C01": Workstation("C01", WorkstationKind.COUNTER, tenant_id="t-drinks"),
    "C02": Workstation("C02", WorkstationKind.COUNTER, tenant_id="t-bakery"),
}

#: Until when the tickets can be paid: longer than any world lasts.
LATER = 10**15

#: After so long a payment's shares are on their way.
IN_DOUBT_MS = 95_000

Event = dict[str, Any]


@dataclass(slots=True)
class Collector(Person):
    """Has the tickets merged at the till, pays by phone or by a code, brings everything back in two parts.

    patient: comes back only when the money has gone on to the tenants. after_ms: comes back so long after
    paying. wallet: what the phone has paid.
    """

    tickets: Sequence[str]
    phone: bool = False
    codes: list[str] = field(default_factory=list)
    patient: bool = False
    after_ms: int = 0
    paid_ms: int = 0
    wallet: list[str] = field(default_factory=list)
    order_id: str = ""
    went: bool = False
    asked: int = 0

    def act(self, place: Place) -> None:
        """Do the next thing."""
        if self.went:
            self._return(place)
            return
        screen = place.look(TILL)
        kind = screen["screen"]
        if screen["order"] is not None:
            self.order_id = screen["order"]["id"]
        if kind == "paid":
            leave(place.box, TILL)
            self.has_paid = self.went = True
        elif kind == "checkout":
            self._pay(place)
        elif kind == "waiting" and self.phone:
            self._scan_to_pay(place)
        elif kind in {"attract", "basket"}:
            self._collect(place, screen)

    def _collect(self, place: Place, screen: Mapping[str, Any]) -> None:
        known = place.box.store.read(lambda unit: unit.tickets.get(self.tickets[0]))
        if known is not None and known.paid_at is not None:
            # It was paid while the screen was away.
            self.order_id, self.has_paid, self.went = known.order_id, True, True
            return
        if screen["notice"] is not None:
            dismiss(place.box, TILL, screen["notice"]["id"])
        there = {one["id"] for one in screen["tickets"] or ()}
        missing = [one for one in self.tickets if one not in there]
        if missing:
            collect_ticket(place.box, TILL, missing[0])
        else:
            check_out(place.box, TILL)

    def _pay(self, place: Place) -> None:
        if self.phone:
            pay_at_till.begin(place.box, TILL)
        elif self.codes:
            place.scan(TILL, self.codes.pop(0))
        else:
            cancel_sale(place.box, TILL)
            self.done = True

    def _scan_to_pay(self, place: Place) -> None:
        attempts = place.box.store.read(lambda unit: unit.attempts.of_order(self.order_id))
        for one in attempts:
            if one.is_open and one.pay_url and one.pay_url not in self.wallet and place.pay_url(one.pay_url):
                self.wallet.append(one.pay_url)

    def _return(self, place: Place) -> None:
        if self.patient and place.box.store.read(lambda unit: unit.splits.moving(1)):
            return
        self.paid_ms = self.paid_ms or place.garage.clock.passed_ms
        if place.garage.clock.passed_ms - self.paid_ms < self.after_ms:
            return
        wishes: list[dict[str, Any]] = [{"amount_fen": 333}, {}]
        if self.asked == len(wishes):
            self.done = True
            return
        number = f"refund-{self.order_id}-{self.asked}"
        ask = RefundAsk(number, self.order_id, TILL, "broken", **wishes[self.asked])
        refund_order(place.box, ask, "cashier", SUPERVISOR)
        self.asked += 1


def collector_violations(world: World, events: list[Event]) -> Iterator[str]:
    """Merged tickets are paid once, together, or stay payable; every fen comes to its owner, and back."""
    collectors = [person for person in world.people if isinstance(person, Collector)]
    if not collectors:
        return
    paid = {one["data"]["order_id"] for one in events if _is(one, "order.paid")}
    for collector in collectors:
        yield from _tickets(world, collector, paid)
    for kind in ("order.split", "tickets.merged"):
        told = Counter(one["data"]["order_id"] for one in events if _is(one, kind))
        if told != Counter(paid):
            yield f"{kind} was told of {dict(told)}, paid are {sorted(paid)}"
    yield from _tenants(world)


def _tickets(world: World, collector: Collector, paid: set[str]) -> Iterator[str]:
    found = [world.store.read(lambda unit, one=one: unit.tickets.get(one)) for one in collector.tickets]  # type: ignore[misc]
    orders = {one.order_id for one in found}
    if len(orders) != 1:
        yield f"tickets {collector.tickets} are bound to {sorted(orders)}"
    for one in found:
        if one.order_id in paid:
            if one.paid_at is None or one.state is TicketState.ISSUED:
                yield f"ticket {one.number} is {one.state}, its order is paid"
        elif one.state is not TicketState.ISSUED or one.order_id:
            yield f"ticket {one.number} is {one.state} for {one.order_id!r} and nobody paid"


def _tenants(world: World) -> Iterator[str]:
    """All was brought back: nothing is sold, kept, or left with anybody but what cannot be moved."""
    orders = [person.order_id for person in world.people if isinstance(person, Collector)]
    moved, stuck_fen = world.store.read(lambda unit: (unit.ledger.moved(0, LATER), _stuck_fen(unit, orders)))
    sums = tenant_sums(moved)
    for one in sums:
        if one.commission_fen or one.sold_fen != one.returned_fen:
            yield f"{one.tenant_id} sold {one.sold_fen}, returned {one.returned_fen}: {one.commission_fen}"
    if stuck_fen:
        return
    for one in sums:
        if one.reached_fen:
            yield f"{one.tenant_id} has {one.reached_fen} fen of what was brought back"
    held = {merchant: fen for merchant, fen in world.splits.held_fen().items() if fen}
    if held:
        yield f"the gateway left shares with {held}"


def _stuck_fen(unit: Unit, orders: Sequence[str]) -> int:
    """Return what tenants do not give back of these orders."""
    splits = [split for order in orders if order for split in unit.splits.of_order(order)]
    returns = [one for split in splits for one in unit.splits.returns_of(split.split_id)]
    return sum(one.amount_fen for one in returns if one.state is ShareState.FAILED)


def _is(event: Event, kind: str) -> bool:
    return bool(event["type"] == f"cn.mall.{kind}.v1")


def _write_tickets(world: World) -> tuple[str, ...]:
    """Have two counters' tickets wait: 12.00 and 3.50 of drinks, 8.88 of the bakery."""

    def line(number: int, tenant: str, fen: int) -> LineItem:
        return LineItem(f"line-{number}", f"sku-{number}", tenant, "货", "goods", "", 1, fen, fen)

    def ticket(number: int, tenant: str, *lines: LineItem) -> Ticket:
        counter = f"C0{number}"
        return Ticket(
            *(f"ticket-{number}", f"code{number}", f"{counter}-0001", counter, tenant, "li", "2026-11-22", 1),
            *(TicketState.ISSUED, lines),
            issued_at=1,
            expires_at=LATER,
        )

    tickets = (
        ticket(1, "t-drinks", line(1, "t-drinks", 1_200), line(2, "t-drinks", 350)),
        ticket(2, "t-bakery", line(3, "t-bakery", 888)),
    )

    def work(unit: Unit) -> None:
        for one in tickets:
            unit.tickets.put(one)

    world.store.write(work)
    return tuple(one.ticket_id for one in tickets)


def collector_scenarios() -> tuple[Scenario, ...]:
    """Return what is crashed at every step: combined by phone, shared by code before and after a return."""

    def merged(name: str, *faults: SharingFault, by_code: bool = False, **habits: Any) -> Scenario:
        def prepare(world: World) -> list[Person]:
            world.splits.slow_queries = 1
            world.splits.faults.extend(faults)
            codes = [world.code()] if by_code else []
            return [Collector(_write_tickets(world), codes=codes, phone=not by_code, **habits)]

        return Scenario(f"merged tickets, {name}", prepare, places=PLACES, tenants=TENANTS)

    return (
        merged("combined by phone, given back"),
        merged("by code, given back before it is shared", by_code=True),
        merged("by code, shared and given back", by_code=True, patient=True),
        merged("by code, a share's answer lost", SharingFault.LOST, by_code=True, patient=True),
        merged("by code, a share refused", SharingFault.REFUSED, by_code=True, patient=True),
        merged(
            "by code, given back while a share is in doubt",
            SharingFault.LOST,
            by_code=True,
            after_ms=IN_DOUBT_MS,
        ),
    )
