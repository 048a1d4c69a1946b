"""Those who work at the mall: clerk, merchant, accountant; a crash does not make them forget."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Protocol

from edge.services.payment_desk import Choice, give_back, open_payments
from edge.services.reconcile import reconcile
from edge.services.refund_order import RefundQuote, replace_leg
from edge.services.staff import StaffMember
from sim.world.people.person import Person, Place

#: Who approves refunds; people here do not forget their PIN.
SUPERVISOR = StaffMember("supervisor", "supervisor", "")


class Refunds(Protocol):
    """What a merchant can do on the gateway's page."""

    def settle_abnormal(self) -> None:
        """Have what could not reach a shopper arrive by another way."""


def give_cash(place: Place, quote: RefundQuote, till: str) -> bool:
    """Give cash for one part of a refund that its gateway cannot bring; return whether there was any."""
    stuck = [(refund, leg) for refund in quote.refunds for leg in refund.stuck]
    for refund, leg in stuck[:1]:
        replace_leg(place.box, refund.refund_id, leg.leg_id, SUPERVISOR, cash_at=till)
    return bool(stuck)


@dataclass(slots=True)
class DeskClerk(Person):
    """Has every payment given back that waits for a password, as long as `guest` is there."""

    guest: Person = field(repr=False)
    hurried: list[str] = field(default_factory=list)

    def act(self, place: Place) -> None:
        """Do the next thing."""
        self.done = self.guest.done
        for shown in open_payments(place.box):
            attempt_id = shown.attempt.attempt_id
            if Choice.GIVE_BACK in shown.choices and attempt_id not in self.hurried:
                give_back(place.box, attempt_id, "clerk", "no password comes")
                self.hurried.append(attempt_id)


@dataclass(slots=True)
class Merchant(Person):
    """Sends money that could not reach a shopper another way, on the gateway's own page."""

    guest: Person = field(repr=False)
    refunds: Refunds = field(repr=False)

    def act(self, place: Place) -> None:
        """Do the next thing."""
        self.done = self.guest.done
        self.refunds.settle_abnormal()


@dataclass(slots=True)
class Accountant(Person):
    """Compares the day's bill with the books when everybody has gone, `times` over."""

    day: date
    times: int = 1
    compared: int = 0

    def act(self, place: Place) -> None:
        """Do the next thing."""
        if self.compared == self.times:
            self.done = True
        elif place.rests_but_for(self):
            reconcile(place.box, place.read_bill(), self.day)
            self.compared += 1
