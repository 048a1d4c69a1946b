"""What was scanned at a workstation, and what came of it."""

from __future__ import annotations

from flask import Blueprint, abort, redirect, request, url_for
from werkzeug.wrappers import Response

from edge.web.desk import Desk, Json, WebSettings
from edge.web.staff.frame import Link, StaffPage, local_times, show


def page(desk: Desk, settings: WebSettings) -> StaffPage:
    """Return the pages /staff/scans/<workstation>; /staff/scans leads to the first."""
    to_second = local_times(settings)

    def local_time(at: int) -> str:
        return f"{to_second(at)}.{at % 1000:03d}"

    def add(routes: Blueprint) -> None:
        @routes.get("/scans")
        def all_scans() -> Response:
            first = next(iter(desk.workstations()), "")
            return redirect(url_for("staff.scans", workstation=first or "none"), 303)

        @routes.get("/scans/<workstation>")
        def scans(workstation: str) -> str:
            if workstation not in desk.workstations():
                abort(404, f"There is no workstation {workstation}.")
            found = desk.scans(workstation)
            return show(
                "scans",
                scans=[scan for scan in found if _wanted(scan)],
                all=len(found),
                asked={name: request.args.get(name, "") for name in ("class", "outcome", "text")},
                classes=sorted({str(scan["class"]) for scan in found}),
                outcomes=sorted({str(scan["outcome"]) for scan in found}),
                local_time=local_time,
                workstation=workstation,
                workstations=desk.workstations(),
            )

    def links() -> list[Link]:
        return [Link("/staff/scans", "staff_scans")] if desk.workstations() else []

    return StaffPage(add, links)


def _wanted(scan: Json) -> bool:
    """Return whether a scan passes the filters in the address."""
    asked = request.args
    return (
        asked.get("class", "") in ("", scan["class"])
        and asked.get("outcome", "") in ("", scan["outcome"])
        and asked.get("text", "").strip() in str(scan["text"])
    )
