"""What somebody remembers of the cash that they handed over at tills, whatever the books say of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from edge.errors import EdgeError
from edge.services.box import Box
from edge.services.take_cash import take_cash


@dataclass(frozen=True, slots=True)
class Offer:
    """Cash that was put down while the till said that so much was due. before: cash tenders on its screen."""

    order_id: str
    received_fen: int
    due_fen: int
    before: int


@dataclass(slots=True)
class Purse:
    """Cash that tills have of one person, by what their answers and screens told of change.

    kept_fen: handed over, less the change. offer: put down, and the till went dark before it answered.
    unsure_fen: of offers that no screen told of any more; the tills have it or not.
    """

    kept_fen: int = 0
    unsure_fen: int = 0
    offer: Offer | None = None

    def hand_over(
        self, box: Box, workstation: str, received_fen: int, screen: Mapping[str, Any], taps: int = 1
    ) -> None:
        """Pay what this screen says is due, with so much in hand; raise what the till refuses.

        taps: how often the button is tapped; only the first tap is for money.
        """
        order = screen["order"]
        offer = Offer(order["id"], received_fen, order["due_fen"], len(_cash(order)))
        self.offer = offer
        try:
            change_fen = take_cash(box, workstation, received_fen, offer.due_fen)
        except EdgeError:
            self.offer = None
            raise
        self.offer, self.kept_fen = None, self.kept_fen + received_fen - change_fen
        for _ in range(taps - 1):
            _tap_again(box, workstation, offer)

    def recall(self, screen: Mapping[str, Any]) -> None:
        """Learn from a screen what became of cash that was put down before the till went dark."""
        offer, order = self.offer, screen["order"]
        self.offer = None
        if offer is None:
            return
        if order is None or order["id"] != offer.order_id:
            self.unsure_fen += min(offer.received_fen, offer.due_fen)
            return
        for tender in _cash(order)[offer.before :][:1]:
            self.kept_fen += offer.received_fen - tender["change_fen"]


def _tap_again(box: Box, workstation: str, offer: Offer) -> None:
    try:
        take_cash(box, workstation, offer.received_fen, offer.due_fen)
    except EdgeError:
        # As it should be: something else is due by now.
        return


def _cash(order: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [one for one in order["tenders"] if one["kind"] == "cash"]
