"""How far HQ is behind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

from flask import Blueprint

from edge.web.desk import Desk
from edge.web.staff.frame import Link, StaffPage, show
from edge.web.staff.plot import plot_depth


def page(desk: Desk) -> StaffPage:
    """Return the page /staff/outbox."""

    def add(routes: Blueprint) -> None:
        @routes.get("/outbox")
        def outbox() -> str:
            status = desk.status()
            history = cast("Mapping[str, Sequence[tuple[int, int]]]", status["outbox"])["history"]
            return show("outbox", status=status, plot=plot_depth(history))

    return StaffPage(add, lambda: [Link("/staff/outbox", "staff_outbox")])
