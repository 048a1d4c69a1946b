"""People who look at a screen and do what it asks for; a crash of the service does not make them forget.

Each keeps one aim: to buy some goods once. They act on what they see, so they get on after any restart.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from edge.retail.shift import ShiftState
from edge.services.box import Box
from edge.services.change_basket import dismiss
from edge.services.check_out import cancel_sale, check_out, leave
from edge.services.claim_parking import claim_plate
from edge.services.close_shift import begin_count, give_count
from edge.services.open_shift import open_shift
from edge.services.payment_desk import Choice, give_back, open_payments
from edge.services.payment_ports import BillSource
from edge.services.reconcile import reconcile
from edge.services.records import Unit
from edge.services.refund_order import RefundAsk, quote_refund, refund_order, replace_leg
from edge.services.staff import StaffMember
from edge.services.take_cash import take_cash

if TYPE_CHECKING:
    from sim.garage.site import Garage

T = TypeVar("T")

#: Who approves refunds; people here do not forget their PIN.
SUPERVISOR = StaffMember("supervisor", "supervisor", "")


class Place(Protocol):
    """What a person can see and touch at one workstation."""

    @property
    def box(self) -> Box:
        """The running service."""

    def look(self, workstation: str) -> Mapping[str, Any]:
        """Return what the screen shows."""

    def scan(self, workstation: str, text: str) -> None:
        """Hold a code before the scanner."""

    def pay_url(self, url: str) -> bool:
        """Have a phone open this and pay; return whether it could."""

    @property
    def garage(self) -> Garage:
        """The car park, as it stands there."""

    def login_code(self, code: str, openid: str) -> str:
        """Have a shopper's phone be given this code by wx.login; return it."""

    def pay_inside(self, params: Mapping[str, str], openid: str) -> bool:
        """Have a shopper's wallet pay what the mini-program shows; return whether it could."""

    def read_bill(self) -> BillSource:
        """Return the gateway's bill as the service fetches it."""

    def wired(self, port: T, name: str) -> T:
        """Return a port as the service calls it: with the steps of this world."""

    def rests_but_for(self, watcher: Person) -> bool:
        """Return whether nothing moves any more, whatever this person still does."""


class Refunds(Protocol):
    """What a merchant can do on the gateway's page."""

    def settle_abnormal(self) -> None:
        """Have what could not reach a shopper arrive by another way."""


@dataclass(slots=True)
class Person:
    """Somebody at this box. done: gone, with `has_paid` or without."""

    has_paid: bool = field(default=False, kw_only=True)
    done: bool = field(default=False, kw_only=True)

    @property
    def company(self) -> tuple[Person, ...]:
        """Whoever came along."""
        return ()

    def act(self, place: Place) -> None:
        """Do the next thing."""
        raise NotImplementedError


@dataclass(slots=True)
class Buyer(Person):
    """Buys `goods` (code, sku) at a workstation, by payment codes shown one after another, or with cash.

    cash_fen: handed over before any code, as often as something is due; with `codes_first` once all codes
    were shown. shown: codes that the scanner has seen. impatient: hands cash over while a payment waits.
    """

    workstation: str
    goods: Sequence[tuple[str, str]]
    codes: list[str] = field(default_factory=list)
    cash_fen: list[int] = field(default_factory=list)
    shown: list[str] = field(default_factory=list)
    codes_first: bool = False
    impatient: bool = False

    def act(self, place: Place) -> None:
        """Do the next thing."""
        screen = place.look(self.workstation)
        kind = screen["screen"]
        if kind == "paid":
            self.has_paid = True
            leave(place.box, self.workstation)
        elif kind == "waiting" and self.impatient:
            # Refused as long as the money of a payment may still move.
            take_cash(place.box, self.workstation, self.cash_fen[0])
        elif kind == "checkout":
            self._pay(place, screen)
        elif kind in {"attract", "basket"}:
            self._fill(place, screen)

    def _fill(self, place: Place, screen: Mapping[str, Any]) -> None:
        if self.has_paid or (self.shown and screen["screen"] == "attract"):
            # A screen at its start after a code was shown: the phone will tell what became of it.
            self.done = True
            return
        notice = screen["notice"]
        if notice is not None:
            dismiss(place.box, self.workstation, notice["id"])
        basket = screen["basket"] or {"lines": []}
        there = {line["sku"] for line in basket["lines"]}
        missing = [code for code, sku in self.goods if sku not in there]
        if missing:
            place.scan(self.workstation, missing[0])
        else:
            check_out(place.box, self.workstation)

    def _pay(self, place: Place, screen: Mapping[str, Any]) -> None:
        paid_fen = screen["order"]["paid_fen"]
        coins = [sum(self.cash_fen[: index + 1]) for index in range(len(self.cash_fen))]
        handed = next((index for index, total in enumerate(coins) if total > paid_fen), None)
        if handed is not None and not (self.codes_first and self.codes):
            take_cash(place.box, self.workstation, self.cash_fen[handed])
            # Who has the change in hand has bought, whatever somebody scans at this till next.
            self.has_paid = place.look(self.workstation)["screen"] == "paid"
        elif self.codes:
            code = self.codes.pop(0)
            self.shown.append(code)
            place.scan(self.workstation, code)
        else:
            cancel_sale(place.box, self.workstation)
            self.done = True


@dataclass(slots=True)
class Returner(Buyer):
    """Buys, and then has goods or money given back, one ask after another; never twice the same.

    asks: what each refund is for, given to RefundAsk; empty: all that is left. gives_up: comes to the
    supervisor with an order that is paid in part. till: where the supervisor stands.
    """

    asks: Sequence[Mapping[str, Any]] = ()
    gives_up: bool = False
    till: str = "till-1"
    order_id: str = ""
    asked: int = 0
    went: bool = False

    def act(self, place: Place) -> None:
        """Do the next thing."""
        if not self.went:
            self._shop(place)
        elif not self._has_stuck(place):
            self._return(place)

    def _shop(self, place: Place) -> None:
        screen = place.look(self.workstation)
        if screen["order"] is not None:
            self.order_id = screen["order"]["id"]
        if self.gives_up and screen["screen"] == "checkout" and screen["order"]["paid_fen"]:
            self.went = True
            return
        # Named, as super() does not work in a class with slots.
        Buyer.act(self, place)
        if self.done:
            self.went, self.done = True, not self.has_paid

    def _return(self, place: Place) -> None:
        if self.asked == len(self.asks):
            self.done = True
            return
        wish = self.asks[self.asked]
        # The form that was sent carries its own number, so that sending it again is no second refund.
        number = f"refund-{self.order_id}-{self.asked}"
        ask = RefundAsk(number, self.order_id, self.till, "broken", **wish)
        refund_order(place.box, ask, "cashier", SUPERVISOR)
        self.asked += 1

    def _has_stuck(self, place: Place) -> bool:
        """Have cash given for what the gateway cannot bring; return whether there was any."""
        quote = place.box.store.read(lambda unit: quote_refund(unit, self.order_id))
        stuck = [(refund, leg) for refund in quote.refunds for leg in refund.stuck]
        for refund, leg in stuck[:1]:
            replace_leg(place.box, refund.refund_id, leg.leg_id, SUPERVISOR, cash_at=self.till)
        moving = any(refund.moving for refund in quote.refunds)
        return bool(stuck) or (moving and self.asked == len(self.asks))


@dataclass(slots=True)
class Cashier(Returner):
    """Opens a shift with a float, sells, gives back, and counts what lies in the drawer."""

    float_fen: int = 10_000
    served: bool = False

    def act(self, place: Place) -> None:
        """Do the next thing."""
        shift, last = place.box.store.read(lambda unit: (unit.shifts.current(self.till), self._last(unit)))
        if shift is None and last == 0:
            open_shift(place.box, self.till, "cashier", self.float_fen)
        elif not self.served:
            Returner.act(self, place)
            self.served, self.done = self.done, False
        elif shift is None:
            self.done = True
        elif shift.state is ShiftState.OPEN:
            begin_count(place.box, self.till)
        else:
            give_count(place.box, self.till, {}, self.float_fen + self._in_drawer(place), "cashier")

    def _last(self, unit: Unit) -> int:
        last = unit.shifts.last(self.till)
        return 0 if last is None else last.number or 0

    def _in_drawer(self, place: Place) -> int:
        """Return what was handed in and not handed out again."""
        if not self.order_id:
            return 0
        quote = place.box.store.read(lambda unit: quote_refund(unit, self.order_id))
        taken_fen = sum(tender.amount_fen for tender in quote.order.tenders if tender.kind == "cash")
        legs = [leg for refund in quote.refunds for leg in refund.legs if leg.kind == "cash"]
        return taken_fen - sum(leg.amount_fen for leg in legs)


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


@dataclass(slots=True)
class Driver(Returner):
    """A Returner who names a car whose parking the purchase pays: before payment, or on the paid screen."""

    plate: str = "粤B12345"
    after_payment: bool = False

    def act(self, place: Place) -> None:
        """Do the next thing."""
        screen = place.look(self.workstation)
        here = not self.went and screen["screen"] == ("paid" if self.after_payment else "checkout")
        if here and not screen["parking"]["plate"]:
            claim_plate(place.box, self.workstation, self.plate)
        else:
            Returner.act(self, place)
