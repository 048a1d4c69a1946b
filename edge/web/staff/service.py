"""Open payments, baskets put aside and workers."""

from __future__ import annotations

from flask import Blueprint

from edge.web.desk import Desk
from edge.web.staff.frame import Link, StaffPage, show


def page(desk: Desk) -> StaffPage:
    """Return the page /staff/service."""

    def add(routes: Blueprint) -> None:
        @routes.get("/service")
        def service() -> str:
            return show("service", status=desk.status())

    return StaffPage(add, lambda: [Link("/staff/service", "staff_service")])
