"""The devices of this box and how they are, and what needs somebody."""

from __future__ import annotations

from flask import Blueprint

from edge.web.desk import Desk, WebSettings
from edge.web.staff.frame import Link, StaffPage, local_times, show


def page(desk: Desk, settings: WebSettings) -> StaffPage:
    """Return the page /staff/devices; open alarms are counted behind its name wherever staff look."""
    local_time = local_times(settings)

    def add(routes: Blueprint) -> None:
        @routes.get("/devices")
        def devices() -> str:
            return show("devices", status=desk.status(), alarms=desk.alarms(), local_time=local_time)

    def links() -> list[Link]:
        count = len(desk.alarms())
        return [Link("/staff/devices", "staff_devices", f"({count})" if count else "")]

    return StaffPage(add, links)
