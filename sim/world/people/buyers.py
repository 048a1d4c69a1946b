"""Shoppers who look at a screen and do what it asks for; a crash of the service does not make them forget.

Each keeps one aim: to buy some goods once. They act on what they see, so they get on after any restart.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from edge.services.change_basket import dismiss
from edge.services.check_out import cancel_sale, check_out, leave
from edge.services.claim_parking import claim_plate
from edge.services.refund_order import RefundAsk, quote_refund, refund_order
from sim.world.people.person import Person, Place
from sim.world.people.staff import SUPERVISOR, give_cash


@dataclass(slots=True)
class Buyer(Person):
    """Buys `goods` (code, sku) at a workstation, by payment codes shown one after another, or with cash.

    cash_fen: handed over before any code, as often as something is due; with `codes_first` once all codes
    were shown. shown: codes that the scanner has seen. impatient: hands cash over while a payment waits.
    taps: how often the cashier taps the button when cash is put down.
    """

    workstation: str
    goods: Sequence[tuple[str, str]]
    codes: list[str] = field(default_factory=list)
    cash_fen: list[int] = field(default_factory=list)
    shown: list[str] = field(default_factory=list)
    codes_first: bool = False
    impatient: bool = False
    taps: int = 1

    def act(self, place: Place) -> None:
        """Do the next thing."""
        screen = place.look(self.workstation)
        self.purse.recall(screen)
        kind = screen["screen"]
        if kind == "paid":
            self.has_paid = True
            leave(place.box, self.workstation)
        elif kind == "waiting" and self.impatient:
            # Refused as long as the money of a payment may still move.
            self.purse.hand_over(place.box, self.workstation, self.cash_fen[0], screen)
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
            self.purse.hand_over(place.box, self.workstation, self.cash_fen[handed], screen, self.taps)
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
        self.purse.recall(screen)
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
        stuck = give_cash(place, quote, self.till)
        moving = any(refund.moving for refund in quote.refunds)
        return stuck or (moving and self.asked == len(self.asks))


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
