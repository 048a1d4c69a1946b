"""A driver asks for the fee at a kiosk or counter: alone it is paid at once, with goods it joins them."""

from __future__ import annotations

from dataclasses import replace

from edge.clock import Instant
from edge.parking.quote import Quote
from edge.parking.quote_words import explain
from edge.parking.session import Session
from edge.parking.stay_charge import StayCharge
from edge.services.box import Box, WorkstationKind
from edge.services.charge_stay import put_charge, put_into_basket
from edge.services.events import Json
from edge.services.lane_ticket import exit_of, meet_ticket
from edge.services.quote_session import quote_session
from edge.services.records import Unit
from edge.services.stay_lines import kept_quote
from edge.services.workstation import Busy, load


def ask_fee(box: Box, workstation: str, session_id: str) -> None:
    """Put a stay's fee on the screen. Raises as charge_stay.charge_stay and charge_stay.add_stay."""
    box.workstation(workstation)
    now = box.clock.now()

    def work(unit: Unit) -> None:
        _ask(unit, box, load(unit, box, workstation), session_id, now)

    box.store.write(work)
    box.changed(workstation)


def ask_fee_of_ticket(unit: Unit, box: Box, busy: Busy, ticket: str, now: Instant) -> bool:
    """Put the fee of a ticket's stay on the screen; return False for a ticket that is not known.

    At an exit the ticket also says whose stay the vehicle there has; with nothing due it goes at once. Raises
    as `ask_fee` and `lane_ticket.show_ticket`.
    """
    session = unit.sessions.by_ticket(ticket)
    if session is None:
        return False
    lane = exit_of(box, busy.state.workstation)
    if lane is not None and unit.passages.current(lane.name) is not None:
        passage = meet_ticket(unit, box, lane, session, now)
        if passage.opening:
            return True
    _ask(unit, box, busy, session.session_id, now)
    return True


def show_stays(unit: Unit, box: Box, busy: Busy, now: Instant) -> list[dict[str, Json]]:
    """Return the stays in the order on the screen as JSON: why they cost that, or until when to leave."""
    if busy.order is None:
        return []
    shown: list[dict[str, Json]] = []
    for line in busy.order.lines:
        charge = unit.stay_charges.get(line.line_id)
        session = unit.sessions.get(charge.session_id) if charge is not None else None
        if charge is None or session is None or charge.debt_id:
            continue
        quote = _quote(unit, box, session, charge, None if busy.screen != "paid" else now)
        zone = box.rules.zone
        leave_by = None if quote.due_fen else quote.allowed_exit_at
        shown.append(
            {
                "plate": session.plate,
                "lines": list(explain(quote, zone, "zh")),
                "lines_en": list(explain(quote, zone, "en")),
                "leave_by": leave_by if busy.screen == "paid" else None,
            }
        )
    return shown


def _quote(unit: Unit, box: Box, session: Session, charge: StayCharge, now: Instant | None) -> Quote:
    """Return the quote of now, or without it the one that a charge was made from."""
    if now is not None:
        return quote_session(unit, box, session, now)
    kept = kept_quote(charge)
    entered_at, note = kept.get("entered_at"), kept.get("clock_note")
    if isinstance(entered_at, int) and isinstance(note, str):
        session = replace(session, entered_at=entered_at, clock_note=note)
    return quote_session(unit, box, session, charge.covers_until)


def _ask(unit: Unit, box: Box, busy: Busy, session_id: str, now: Instant) -> None:
    place = busy.state.workstation
    lane = box.workstation(place).kind is WorkstationKind.LANE
    if busy.screen == "basket" and busy.basket is not None and busy.basket.lines and not lane:
        put_into_basket(unit, box, session_id, place, now)
    else:
        put_charge(unit, box, session_id, place, now)
