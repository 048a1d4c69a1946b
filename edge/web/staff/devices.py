"""The devices of this box and how they are."""

from __future__ import annotations

from flask import Blueprint

from edge.web.desk import Desk
from edge.web.staff.frame import Link, StaffPage, show


def page(desk: Desk) -> StaffPage:
    """Return the page /staff/devices."""

    def add(routes: Blueprint) -> None:
        @routes.get("/devices")
        def devices() -> str:
            return show("devices", status=desk.status())

    return StaffPage(add, lambda: [Link("/staff/devices", "staff_devices")])
