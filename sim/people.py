"""People who look at a screen and do what it asks for; a crash of the service does not make them forget.

Each keeps one aim: to buy some goods once. They act on what they see, so they get on after any restart.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from edge.services.box import Box
from edge.services.change_basket import dismiss
from edge.services.check_out import cancel_sale, check_out, leave
from edge.services.take_cash import take_cash


class Place(Protocol):
    """What a person can see and touch at one workstation."""

    @property
    def box(self) -> Box:
        """The running service."""

    def look(self, workstation: str) -> Mapping[str, Any]:
        """Return what the screen shows."""

    def scan(self, workstation: str, text: str) -> None:
        """Hold a code before the scanner."""


@dataclass(slots=True)
class Buyer:
    """Buys `goods` (code, sku) at a workstation, by payment codes shown one after another, or with cash.

    cash_fen: handed over before any code, as often as something is due. shown: codes that the scanner
    has seen. done: gone, with `has_paid` or without.
    """

    workstation: str
    goods: Sequence[tuple[str, str]]
    codes: list[str] = field(default_factory=list)
    cash_fen: list[int] = field(default_factory=list)
    shown: list[str] = field(default_factory=list)
    has_paid: bool = False
    done: bool = False

    def act(self, place: Place) -> None:
        """Do the next thing."""
        screen = place.look(self.workstation)
        kind = screen["screen"]
        if kind == "paid":
            self.has_paid = True
            leave(place.box, self.workstation)
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
        if handed is not None:
            take_cash(place.box, self.workstation, self.cash_fen[handed])
        elif self.codes:
            code = self.codes.pop(0)
            self.shown.append(code)
            place.scan(self.workstation, code)
        else:
            cancel_sale(place.box, self.workstation)
            self.done = True
