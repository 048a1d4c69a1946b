"""What a counter's tablet shows, as one JSON-able value; its shape is in docs/operations/counter.md."""

from __future__ import annotations

from edge.clock import Instant
from edge.retail.attempt import AttemptState
from edge.retail.ticket import TicketState
from edge.services.box import Box
from edge.services.business_day import business_day
from edge.services.issue_ticket import ticket_url
from edge.services.records import Unit
from edge.services.show_ticket import show_counter_ticket, show_row
from edge.services.workstation import Busy, decode_notice, load
from edge.services.write_ticket import need_counter

Json = dict[str, object]

#: Tickets of the day that the list shows.
MAX_ROWS = 100


def show_counter(box: Box, counter: str) -> Json:
    """Return what the tablet of a counter shows to a guide who is signed in; raise Invalid for no counter."""
    place = need_counter(box, counter)
    now = box.clock.now()
    tenant = box.tenant(place.tenant_id)

    def query(unit: Unit) -> Json:
        busy, desk = load(unit, box, counter), unit.tickets.desk(counter)
        shown = unit.tickets.get(desk.ticket_id) if desk.ticket_id else None
        return {
            "workstation": counter,
            "tenant": tenant.name,
            "tenant_en": tenant.name_en or tenant.name,
            "language": busy.state.language,
            "closed": box.closed() or None,
            "now": now.wall_at,
            "tickets": _rows(unit, box, counter, now),
            "ticket": show_counter_ticket(unit, box, shown, now) if shown else None,
            "url": ticket_url(box, shown) if shown and shown.state is TicketState.ISSUED else None,
            "notice": _notice(busy),
            "paying": _paying(busy),
            "limits": {
                "guide_permille": box.counter.guide_override_permille,
                "supervisor_permille": box.counter.supervisor_override_permille,
            },
            "wallets": [wallet for wallet, name in box.rules.wallets.items() if name in box.gateways],
        }

    return box.store.read(query)


def show_entry(box: Box, counter: str) -> Json:
    """Return what the tablet shows while nobody is signed in: whose counter it is, and who may."""
    tenant = box.tenant(need_counter(box, counter).tenant_id)
    return {
        "workstation": counter,
        "tenant": tenant.name,
        "tenant_en": tenant.name_en or tenant.name,
        "language": box.store.read(lambda unit: load(unit, box, counter)).state.language,
        "guides": guides_of(box, counter),
        "tickets": [],
    }


def guides_of(box: Box, counter: str) -> list[Json]:
    """Return the guides who may sign in at a counter, by name: its tenant's and those of no tenant."""
    tenant = need_counter(box, counter).tenant_id
    guides = box.touch.book.guides.values() if box.touch else ()
    mine = [one for one in guides if one.tenant_id in ("", tenant) and one.guide_id in box.counter.pins]
    return [
        {"id": one.guide_id, "name": one.name, "name_en": one.name_en or one.name}
        for one in sorted(mine, key=lambda one: one.name)
    ]


def sign_in(box: Box, counter: str, guide_id: str, pin: str) -> bool:
    """Return whether this guide may work here with this PIN; five wrong ones lock it for a while."""
    if guide_id not in {one["id"] for one in guides_of(box, counter)}:
        return False
    return box.counter.pins[guide_id].check(pin) is not None


def _rows(unit: Unit, box: Box, counter: str, now: Instant) -> list[Json]:
    """Return the day's tickets, and those of other days that are still in work, the newest first."""
    day = business_day(box, now)
    there = {one.ticket_id: one for one in unit.tickets.of_day(counter, day, MAX_ROWS)}
    there |= {one.ticket_id: one for one in unit.tickets.open_of(counter)}
    newest = sorted(there.values(), key=lambda one: one.ticket_id, reverse=True)
    return [show_row(unit, box, one, now) for one in newest[: 2 * MAX_ROWS]]


def _notice(busy: Busy) -> Json | None:
    notice = decode_notice(busy.state.notice)
    if notice is None:
        return None
    params = dict(notice.params)
    return {"id": notice.notice_id, "level": notice.level, "code": notice.code.value, "params": params}


def _paying(busy: Busy) -> Json | None:
    """Return the order on the counter's own screen: it waits for a code, or is being charged."""
    order = busy.order
    if order is None or busy.screen == "paid":
        return None
    attempt = busy.attempt
    state = "waiting" if busy.money_in_flight else "code"
    if attempt is not None and attempt.state is AttemptState.UNKNOWN:
        state = "unknown"
    return {"order": order.number, "order_id": order.order_id, "due_fen": order.due_fen, "state": state}
