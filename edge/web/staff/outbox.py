"""How far HQ is behind, and what it has rejected."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

from flask import Blueprint, request

from edge.web.desk import Desk, WebSettings
from edge.web.staff.frame import Link, StaffPage, local_times, show
from edge.web.staff.plot import plot_depth, short, trend_of


def page(desk: Desk, settings: WebSettings) -> StaffPage:
    """Return the page /staff/outbox."""
    local_time = local_times(settings)

    def add(routes: Blueprint) -> None:
        @routes.get("/outbox")
        def outbox() -> str:
            status = desk.status()
            history = cast("Mapping[str, Sequence[tuple[int, int]]]", status["outbox"])["history"]
            return show(
                "outbox",
                status=status,
                plot=plot_depth(history),
                trend=trend_of(history),
                short=short,
                local_time=local_time,
                done=_done(),
            )

    return StaffPage(add, lambda: [Link("/staff/outbox", "staff_outbox")])


def _done() -> dict[str, int] | None:
    """Return what was just done with a dead letter, as the address tells it."""
    asked = request.args
    sequence, again = asked.get("sequence", 0, int), asked.get("again", 0, int)
    return {"sequence": sequence, "again": again} if sequence > 0 else None
