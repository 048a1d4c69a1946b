"""The guard's page at a way out: what the last exit code was worth, and the look into a bag that was chosen.

A hardware scanner of the exit's workstation and one that types like a keyboard into this page do the same.
"""

from __future__ import annotations

import structlog
from flask import Blueprint, redirect, request
from werkzeug.wrappers import Response

from edge.errors import Declined, Invalid
from edge.retail.exit_pass import MAX_EXTRA, ExitCheck, ExitVerdict
from edge.retail.order import Order
from edge.services.box import Box, WorkstationKind
from edge.services.pass_exit import (
    CHECKS_SHOWN,
    ExitLook,
    check_exit,
    end_recheck,
    last_look,
    waits_for_look,
)
from edge.services.records import Unit
from edge.web.desk import WebSettings
from edge.web.staff.frame import Link, StaffPage, local_times, show, signed_in

#: How often the page asks for news, and how long the last code stays large.
EVERY_MS = 600
SHOWN_MS = 45_000

#: The place of codes that are checked on a page of a box without a workstation of kind "exit".
DOOR = "exit"

#: What a guard may not let go by the code alone.
_STOPS = frozenset(
    {
        ExitVerdict.USED,
        ExitVerdict.EXPIRED,
        ExitVerdict.UNPAID,
        ExitVerdict.REFUNDED,
        ExitVerdict.UNKNOWN,
    }
)

_log = structlog.get_logger("staff")


def page(box: Box, settings: WebSettings) -> StaffPage:
    """Return the pages under /staff/exit; without scan and go the box has none."""
    pages = _Pages(box, settings)

    def add(routes: Blueprint) -> None:
        routes.add_url_rule("/exit", view_func=pages.first, endpoint="exit")
        routes.add_url_rule("/exit/<place>", view_func=pages.show, endpoint="exit_place")
        routes.add_url_rule(
            "/exit/<place>/check", view_func=pages.check, methods=["POST"], endpoint="exit_check"
        )
        routes.add_url_rule(
            "/exit/<place>/outcome", view_func=pages.end, methods=["POST"], endpoint="exit_end"
        )

    links = tuple(Link(f"/staff/exit/{place}", "exits_link", place) for place in pages.places())
    return StaffPage(add, lambda: links if box.scan_and_go.is_open else ())


class _Pages:
    def __init__(self, box: Box, settings: WebSettings) -> None:
        self._box = box
        self._local_time = local_times(settings)

    def places(self) -> tuple[str, ...]:
        """Return the ways out that have a page."""
        found = (name for name, one in self._box.workstations.items() if one.kind is WorkstationKind.EXIT)
        return tuple(found) or (DOOR,)

    def first(self) -> Response:
        """Lead to the first way out."""
        return redirect(f"/staff/exit/{self.places()[0]}", 303)

    def show(self, place: str, error: str = "", status: int = 200) -> tuple[str, int]:
        """Show what the last code at a way out was worth."""
        self._known(place)
        now = self._box.clock.now()

        def query(unit: Unit) -> tuple[ExitLook | None, list[tuple[ExitCheck, Order | None]]]:
            looks = unit.exits.recent(place, CHECKS_SHOWN)
            named = [(one, unit.orders.get(one.order_id) if one.order_id else None) for one in looks]
            return last_look(unit, self._box, place, now), named

        look, looks = self._box.store.read(query)
        waits = look is not None and waits_for_look(look)
        fresh = look is not None and (waits or 0 <= now.wall_at - look.check.at <= SHOWN_MS)
        html = show(
            "exit",
            place=place,
            look=look if fresh else None,
            waits=waits,
            stops=_STOPS,
            looks=looks,
            most_extra=MAX_EXTRA,
            local_time=self._local_time,
            every=EVERY_MS,
            address=f"/staff/exit/{place}",
            error=error,
        )
        return html, status

    def check(self, place: str) -> Response | tuple[str, int]:
        """Look at a code that was scanned into the page's field."""
        self._known(place)
        look = check_exit(self._box, request.form.get("code", "")[:256], place, signed_in())
        _log.info("exit code", place=place, verdict=look.check.verdict.value, by=signed_in())
        return redirect(f"/staff/exit/{place}", 303)

    def end(self, place: str) -> Response | tuple[str, int]:
        """Write what was found in the bag."""
        self._known(place)
        form = request.form
        try:
            look = end_recheck(
                self._box,
                form.get("order", "")[:64],
                place,
                signed_in(),
                _found(),
                form.get("extra", "")[: 2 * MAX_EXTRA],
            )
        except (Invalid, Declined) as error:
            return self.show(place, str(error), 400)
        _log.info("bag looked into", place=place, outcome=look.check.outcome, by=signed_in())
        return redirect(f"/staff/exit/{place}", 303)

    def _known(self, place: str) -> None:
        if place not in self.places():
            raise Invalid(f"this box has no way out {place!r}; it has {', '.join(self.places())}")


def _found() -> dict[str, int]:
    """Return the pieces that were there by line id: ticked lines whole, others as counted."""
    found: dict[str, int] = {}
    for name, value in request.form.items():
        kind, _, line = name.partition(":")
        if kind == "count" and value.isascii() and value.isdigit() and len(value) <= 4:
            found[line] = int(value)
    for name in request.form:
        kind, _, line = name.partition(":")
        if kind == "all":
            found[line] = int(request.form[name]) if request.form[name].isdigit() else 0
    return found
