"""A mall with a tea counter whose guides write tickets; for the tests of counters."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from edge.members.attribution import AttributionKind, AttributionRule
from edge.members.touchpoint import Guide, build_book
from edge.retail.catalogue import Listing, Product, barcode_key
from edge.retail.order import Order
from edge.retail.ticket import Ticket
from edge.services.box import Box, Tenant, Workstation, WorkstationKind
from edge.services.counter_rules import CounterRules
from edge.services.issue_ticket import issue_ticket, ticket_token
from edge.services.pay_by_phone import PaymentShown
from edge.services.pay_ticket import begin_ticket_payment, meet_ticket
from edge.services.phone_records import PhoneSession
from edge.services.phone_rules import PhoneRules
from edge.services.phone_session import open_session
from edge.services.print_paper import print_next_paper
from edge.services.recover import recover
from edge.services.staff import StaffMember
from edge.services.touch_rules import TouchRules
from edge.services.write_ticket import open_ticket
from sim.fakes.box import COLA, GATEWAY, KIOSK, SHELF, fake_box, stock
from sim.fakes.prepay_gateway import FakePrepayGateway
from sim.fakes.printer import FakePrinter
from tests.unit.shop import Shop

COUNTER = "C01"
TEA = "6905678901234"
KEY = b"k" * 32
CHEN = "g-chen"
BOSS = StaffMember("王敏", "supervisor", "")
CASHIER = StaffMember("李强", "cashier", "")
GUIDES = [
    Guide(CHEN, "陈静", "Chen Jing", "t-tea", 50),
    Guide("g-wu", "吴", "Wu", "t-tea"),
]
PLACES = {
    COUNTER: Workstation(COUNTER, WorkstationKind.COUNTER, tenant_id="t-tea"),
    "C02": Workstation("C02", WorkstationKind.COUNTER, tenant_id="t-bakery"),
}
TEA_SHELF = Listing(Product("tea", "t-tea", "龙井", 10_000, "Longjing"), (barcode_key(TEA),))
RULES = TouchRules(build_book([], GUIDES, [KIOSK, *PLACES]), AttributionRule(AttributionKind.LAST, 30, 600))


@dataclass
class CounterShop(Shop):
    """A Shop with two counters, and phones that pay tickets."""

    counter: CounterRules = field(default_factory=CounterRules)

    def __post_init__(self) -> None:
        self.ports.printers[COUNTER] = FakePrinter(COUNTER)
        stock(self.ports.store, (*SHELF, TEA_SHELF))
        self.phones = FakePrepayGateway(self.ports.gateway)
        self._equip()

    def _equip(self) -> None:
        plain = fake_box(self.ports, self.drawn.append, self.rules)
        self.box: Box = replace(
            plain,
            prepayers={GATEWAY: self.phones},
            phone=PhoneRules(key=KEY),
            counter=self.counter,
            touch=RULES,
            tenants={"t-tea": Tenant("t-tea", "云上茶", "Cloud Tea")},
            workstations={**plain.workstations, **PLACES},
        )

    def restart(self) -> None:
        self._equip()
        recover(self.box)

    def opened(self, *goods: str, guide: str = CHEN, counter: str = COUNTER) -> Ticket:
        """Open a ticket and scan goods into it."""
        ticket = open_ticket(self.box, counter, guide)
        for text in goods:
            self.scan(text, counter)
            self.wait(2_000)
        return self.ticket(ticket)

    def issued(self, *goods: str) -> Ticket:
        return issue_ticket(self.box, COUNTER, self.opened(*(goods or (TEA,))).ticket_id)

    def ticket(self, known: Ticket) -> Ticket:
        """Return the ticket as it is now."""
        found = self.box.store.read(lambda unit: unit.tickets.get(known.ticket_id))
        assert found is not None
        return found

    def phone(self, correlation: str = "") -> PhoneSession:
        return open_session(self.box, correlation=correlation)[1]

    def meets(self, ticket: Ticket, phone: PhoneSession) -> Ticket:
        return meet_ticket(self.box, ticket_token(self.box, ticket), phone)

    def begins(self, ticket: Ticket, phone: PhoneSession) -> PaymentShown:
        return begin_ticket_payment(self.box, ticket_token(self.box, ticket), phone)

    def paid(self, *goods: str) -> Ticket:
        """Return a ticket that a phone has paid."""
        ticket, phone = self.issued(*goods), self.phone()
        self.meets(ticket, phone)
        self.begins(ticket, phone)
        self.pays(ticket)
        return self.ticket(ticket)

    def pays(self, ticket: Ticket, openid: str = "openid-phone") -> None:
        """Have the phone pay what it was shown for the ticket, then ask the gateway."""
        order = self.paying(ticket)
        moving = [one for one in self.attempts(order.order_id) if one.is_open]
        assert self.phones.pay(moving[0].pay_url)
        self.resolve(10_000)

    def paying(self, ticket: Ticket) -> Order:
        return self.stored_order(self.ticket(ticket).order_id)

    def slips(self) -> list[str]:
        """Print what waits at the counter and return all its papers."""
        while print_next_paper(self.box, COUNTER) is not None:
            pass
        return self.papers(COUNTER)

    def shown(self) -> str | None:
        """Return the banner on the counter's tablet."""
        return self.notice(COUNTER)


__all__ = ["BOSS", "CASHIER", "CHEN", "COLA", "COUNTER", "TEA", "CounterShop"]
