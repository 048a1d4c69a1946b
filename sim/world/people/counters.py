"""A counter, its guide and shoppers' phones; what must hold of tickets: paid once, handed over once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from edge.retail.order import OrderState
from edge.retail.ticket import Ticket, TicketState
from edge.services.box import PHONE, Workstation, WorkstationKind
from edge.services.hand_over_ticket import hand_over_ticket
from edge.services.issue_ticket import give_up_ticket, issue_ticket, ticket_token
from edge.services.paper_records import PaperKind
from edge.services.pay_ticket import begin_ticket_payment, meet_ticket
from edge.services.phone_records import PhoneSession
from edge.services.phone_rules import PhoneRules
from edge.services.phone_session import log_in, open_session, session_of
from edge.services.refund_order import RefundAsk, quote_refund, refund_order
from edge.services.settle_tickets import paid_here
from edge.services.write_ticket import lower_price, open_ticket
from sim.fakes.box import COLA, TILL
from sim.fakes.gateway import FakeFault
from sim.fakes.refund_gateway import RefundFault
from sim.world.people.person import Person, Place
from sim.world.people.staff import SUPERVISOR, give_cash
from sim.world.scenario import Scenario
from sim.world.world import World

COUNTER, GUIDE = "C01", "li"
PLACES = {COUNTER: Workstation(COUNTER, WorkstationKind.COUNTER, tenant_id="t-drinks")}
RULES = PhoneRules(key=bytes(range(32)), appid="wx-demo")
OPENID = "openid-counter"

#: The business day on which every world begins.
DAY = "2026-11-22"

#: Of 3.50 or more: what a guide may take off alone.
OFF_FEN = 30

Event = dict[str, Any]


@dataclass(slots=True)
class CounterSale(Person):
    """A guide writes a ticket, and shoppers pay it: by phones that take turns, or by a payment code.

    phones: how many have opened it; the first one is signed in. codes: shown at the counter. gives_up: the
    guide cancels it once somebody has begun to pay, who pays then all the same what the phone still shows.
    gives_back: the goods come back to the till. The phones remember their sessions over the deaths of the
    box.
    """

    phones: int = 1
    codes: list[str] = field(default_factory=list)
    gives_up: bool = False
    gives_back: bool = False
    ticket_id: str = ""
    tokens: dict[int, str] = field(default_factory=dict)
    wallet: list[str] = field(default_factory=list)
    begun: bool = False
    late: dict[str, str] = field(default_factory=dict)
    logins: int = 0
    turn: int = 0

    def act(self, place: Place) -> None:
        """Do the next thing, by what the ticket says."""
        ticket = place.box.store.read(lambda unit: unit.tickets.get(self.ticket_id))
        if ticket is None:
            self.ticket_id = open_ticket(place.box, COUNTER, GUIDE).ticket_id
        elif ticket.state is TicketState.OPEN:
            self._write(place, ticket)
        elif ticket.state is TicketState.ISSUED:
            self._pay(place, ticket)
        elif ticket.state is TicketState.PAID:
            self._take(place, ticket)
        else:
            self._leave(place, ticket)

    def _write(self, place: Place, ticket: Ticket) -> None:
        if not ticket.lines:
            place.scan(COUNTER, COLA)
        elif not ticket.overrides:
            line = ticket.lines[0]
            price_fen = line.amount_fen - OFF_FEN
            lower_price(place.box, COUNTER, ticket.ticket_id, line.line_id, price_fen, "members' day", GUIDE)
        else:
            issue_ticket(place.box, COUNTER, ticket.ticket_id)

    def _pay(self, place: Place, ticket: Ticket) -> None:
        # By the box's clock, wrong as that may be: the shopper is told so, and the guide.
        over = ticket.expired(place.garage.clock.now().wall_at)
        if self.codes and place.look(COUNTER)["screen"] in ("attract", "checkout"):
            place.scan(COUNTER, self.codes.pop(0))
        elif (self.gives_up and self.begun) or over or not (self.phones or self.codes):
            # Refused while money may move; a code that the scanner lost with the box is not shown again.
            give_up_ticket(place.box, COUNTER, ticket.ticket_id, GUIDE)
        elif self.phones:
            self.turn = (self.turn + 1) % self.phones
            self._by_phone(place, ticket)

    def _by_phone(self, place: Place, ticket: Ticket) -> None:
        box, token = place.box, ticket_token(place.box, ticket)
        session = session_of(box, self.tokens.get(self.turn, ""))
        if session is None:
            self._come_in(place)
            return
        meet_ticket(box, token, session)
        shown = begin_ticket_payment(box, token, session)
        self.begun = True
        if self.gives_up and shown.pay is not None:
            self.late = dict(shown.pay)
        if self.gives_up or shown.state != "open":
            return
        what = shown.pay["package"] if shown.pay is not None else shown.code_url or ""
        if what in self.wallet:
            return
        if place.pay_inside(shown.pay, OPENID) if shown.pay is not None else place.pay_url(what):
            self.wallet.append(what)

    def _come_in(self, place: Place) -> None:
        if self.turn:
            self.tokens[self.turn] = open_session(place.box)[0]
            return
        self.logins += 1
        code = place.login_code(f"counter-{self.logins}", OPENID)
        self.tokens[0] = log_in(place.box, code)[0]

    def _take(self, place: Place, ticket: Ticket) -> None:
        """Say the release code that the payer's phone shows; who paid here needs none."""
        self.has_paid = True
        if place.box.store.read(lambda unit: paid_here(unit, ticket)):
            hand_over_ticket(place.box, COUNTER, ticket.ticket_id, "", GUIDE)
        elif any(self._shows(place, ticket, token) for token in self.tokens.values()):
            hand_over_ticket(place.box, COUNTER, ticket.ticket_id, ticket.release_code, GUIDE)

    def _shows(self, place: Place, ticket: Ticket, token: str) -> bool:
        session: PhoneSession | None = session_of(place.box, token)
        if session is None:
            return False
        return place.box.store.read(lambda unit: unit.phones.has_order(session, ticket.order_id))

    def _leave(self, place: Place, ticket: Ticket) -> None:
        if self.late:
            late, self.late = self.late, {}
            place.pay_inside(late, OPENID)
            return
        self.has_paid = bool(ticket.paid_at)
        if not (self.has_paid and self.gives_back):
            self.done = True
        elif ticket.refunded_fen:
            self.done = self._has_all_back(place, ticket.order_id)
        else:
            ask = RefundAsk(f"refund-{ticket.order_id}", ticket.order_id, TILL, "broken")
            refund_order(place.box, ask, "cashier", SUPERVISOR)

    def _has_all_back(self, place: Place, order_id: str) -> bool:
        """Take cash for what the gateway cannot bring; return whether nothing is on its way any more."""
        quote = place.box.store.read(lambda unit: quote_refund(unit, order_id))
        return not give_cash(place, quote, TILL) and not any(one.moving for one in quote.refunds)


def ticket_violations(world: World, events: list[Event]) -> Iterator[str]:
    """Each ticket is paid by one order or by none, handed over once if it is paid, and has one slip then."""
    sales = [person for person in world.people if isinstance(person, CounterSale)]
    if not sales:
        return
    paid = {one["data"]["order_id"]: one["data"] for one in events if _is(one, "order.paid")}
    handed = Counter(one["data"]["ticket_id"] for one in events if _is(one, "ticket.handed_over"))
    lowered = Counter(one["data"]["ticket_id"] for one in events if _is(one, "ticket.price_overridden"))
    tickets = world.store.read(lambda unit: unit.tickets.of_day(COUNTER, DAY, 99))
    for ticket in tickets:
        yield from _ticket_wrongs(world, ticket, paid, handed)
        if lowered[ticket.ticket_id] != len(ticket.overrides):
            yield f"ticket {ticket.number}: {lowered[ticket.ticket_id]} lowered prices were told"
    bought = [one for one in tickets if one.paid_at]
    alone = len(sales) == len(world.people)
    mine = {number for number, data in paid.items() if alone or data["workstation"] == COUNTER}
    if not mine <= {one.order_id for one in bought} <= set(paid):
        yield f"paid tickets belong to {[one.order_id for one in bought]}, paid are {sorted(paid)}"
    yield from _told(world, bought)


def _ticket_wrongs(
    world: World, ticket: Ticket, paid: dict[str, Event], handed: Counter[str]
) -> Iterator[str]:
    gone = ticket.state is TicketState.HANDED_OVER
    if handed[ticket.ticket_id] != int(gone):
        yield f"ticket {ticket.number} is {ticket.state}, handed over {handed[ticket.ticket_id]} times"
    papers = world.store.read(lambda unit: unit.papers.of(ticket.ticket_id))
    slips = [one for one in papers if one.kind is PaperKind.TICKET_SLIP]
    if len(slips) != int(bool(ticket.paid_at)):
        yield f"ticket {ticket.number} is {ticket.state} and has {len(slips)} slips"
    order = world.store.read(lambda unit: unit.orders.get(ticket.order_id)) if ticket.order_id else None
    told_fen = paid[ticket.order_id]["total_fen"] if ticket.order_id in paid else None
    if ticket.paid_at and told_fen != ticket.total_fen:
        yield f"ticket {ticket.number} is of {ticket.total_fen} fen, its order was told with {told_fen}"
    if ticket.state is TicketState.ISSUED and order is not None and order.state is not OrderState.AWAITING:
        yield f"ticket {ticket.number} waits for an order that is {order.state}"
    if gone and ticket.release_code:
        yield f"ticket {ticket.number} is handed over and its release code still holds"


def _told(world: World, bought: list[Ticket]) -> Iterator[str]:
    """WeChat is told of each hand-over that was paid inside the mini-program, once."""
    inside = []
    for ticket in bought:
        attempts = world.store.read(lambda unit, one=ticket: unit.attempts.of_order(one.order_id))  # type: ignore[misc]
        order = world.store.read(lambda unit, one=ticket: unit.orders.get(one.order_id))  # type: ignore[misc]
        if order.workstation == PHONE and ticket.state is TicketState.HANDED_OVER:
            inside += [one.transaction_id for one in attempts if one.openid and one.transaction_id]
    mine = [number for number, one in world.program.hand_overs.items() if one.openid == OPENID]
    if sorted(mine) != sorted(inside):
        yield f"WeChat was told of {world.program.hand_overs}, paid inside and handed over were {inside}"


def _is(event: Event, kind: str) -> bool:
    return bool(event["type"] == f"cn.mall.{kind}.v1")


def counter_scenarios() -> tuple[Scenario, ...]:
    """Return what is crashed at every step: wallet, two phones, a code at the counter, goods given back."""

    def sale(name: str, *, lost: bool = False, closed: bool = False, **habits: Any) -> Scenario:
        def prepare(world: World) -> list[Person]:
            if lost:
                world.phones.fail_next("native", FakeFault.LOST)
            if closed:
                world.refunds.fail_next("refund", RefundFault.CLOSED)
            codes = [world.code()] if habits.get("phones") == 0 else []
            return [CounterSale(codes=codes, **habits)]

        return Scenario(f"counter ticket, {name}", prepare, phone=RULES, places=PLACES)

    return (
        sale("paid in the wallet, given back", gives_back=True),
        sale("two phones at once, an answer lost", phones=2, lost=True),
        sale("by a code at the counter", phones=0),
        sale("given up while a phone has begun", gives_up=True),
        sale("given back in cash, as the gateway closed the refund", closed=True, gives_back=True),
    )
