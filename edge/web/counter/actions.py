"""What a touch on a counter's tablet does: from the JSON of a call to the use case."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from flask import request

from edge.errors import Declined, Invalid
from edge.services import change_basket, check_out, issue_ticket, write_ticket
from edge.services.box import Box
from edge.services.hand_over_ticket import force_hand_over, hand_over_ticket
from edge.services.pay_ticket import take_ticket_here
from edge.services.staff import StaffBook, StaffMember
from edge.services.ticket_paper import reprint_ticket

Arguments = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Act:
    """One touch: at which counter, by which guide, with what, and who may approve it."""

    box: Box
    counter: str
    guide: str
    given: Arguments
    staff: StaffBook

    @property
    def ticket(self) -> str:
        """The ticket that it is about."""
        return text(self.given, "ticket")

    def approver(self) -> StaffMember:
        """Return whose PIN was given; raise Declined for nobody's."""
        found = self.staff.check(text(self.given, "pin")[:32])
        if found is None:
            raise Declined("this PIN is not known; after five wrong ones wait a minute")
        return found


def arguments() -> Arguments:
    """Return the JSON object of this request, {} without a body; raise Invalid for anything else."""
    if not request.get_data():
        return {}
    given = request.get_json(silent=True)
    if not isinstance(given, dict):
        raise Invalid("the body must be a JSON object sent as application/json")
    return given


def text(given: Arguments, name: str, default: str | None = None) -> str:
    """Return a text; raise Invalid when it is missing or none."""
    value = given.get(name, default)
    if not isinstance(value, str) or (not value and default is None):
        raise Invalid(f"{name} is missing or not a text")
    return value


def number(given: Arguments, name: str) -> int:
    """Return a whole number; raise Invalid when it is missing or none."""
    value = given.get(name)
    if type(value) is not int:
        raise Invalid(f"{name} is missing or not a whole number")
    return value


def _open(act: Act) -> None:
    write_ticket.open_ticket(act.box, act.counter, act.guide)


def _pick(act: Act) -> None:
    write_ticket.pick_ticket(act.box, act.counter, act.guide, text(act.given, "ticket", ""))


def _amount(act: Act) -> None:
    price_fen, quantity = number(act.given, "price_fen"), number(act.given, "quantity")
    name = text(act.given, "name")
    write_ticket.add_amount(act.box, act.counter, act.ticket, name, price_fen, quantity)


def _quantity(act: Act) -> None:
    line, quantity = text(act.given, "line"), number(act.given, "quantity")
    write_ticket.change_quantity(act.box, act.counter, act.ticket, line, quantity)


def _price(act: Act) -> None:
    approver = act.approver() if act.given.get("pin") else None
    write_ticket.lower_price(
        *(act.box, act.counter, act.ticket, text(act.given, "line"), number(act.given, "price_fen")),
        *(text(act.given, "reason"), act.guide, approver),
    )


def _issue(act: Act) -> None:
    checked = act.given.get("age_checked") is True
    issue_ticket.issue_ticket(act.box, act.counter, act.ticket, age_checked=checked)


def _take_back(act: Act) -> None:
    issue_ticket.take_back_ticket(act.box, act.counter, act.ticket)


def _cancel(act: Act) -> None:
    issue_ticket.give_up_ticket(act.box, act.counter, act.ticket, act.guide)


def _pay_here(act: Act) -> None:
    take_ticket_here(act.box, act.counter, act.ticket)


def _pay_back(act: Act) -> None:
    check_out.cancel_sale(act.box, act.counter)


def _hand_over(act: Act) -> None:
    hand_over_ticket(act.box, act.counter, act.ticket, text(act.given, "code", ""), act.guide)


def _force(act: Act) -> None:
    reason = text(act.given, "reason")
    force_hand_over(act.box, act.counter, act.ticket, act.approver(), act.guide, reason)


def _reprint(act: Act) -> None:
    reprint_ticket(act.box, act.counter, act.ticket)


def _dismiss(act: Act) -> None:
    change_basket.dismiss(act.box, act.counter, text(act.given, "notice"))


def _language(act: Act) -> None:
    change_basket.choose_language(act.box, act.counter, text(act.given, "language"))


#: By the last part of the call's address.
ACTIONS: Mapping[str, Callable[[Act], None]] = {
    "open": _open,
    "pick": _pick,
    "amount": _amount,
    "quantity": _quantity,
    "price": _price,
    "issue": _issue,
    "take-back": _take_back,
    "cancel": _cancel,
    "pay-here": _pay_here,
    "pay-back": _pay_back,
    "hand-over": _hand_over,
    "force": _force,
    "reprint": _reprint,
    "dismiss": _dismiss,
    "language": _language,
}
