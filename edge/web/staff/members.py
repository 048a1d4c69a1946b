"""Members: found by card or phone, seen masked, with points and consents; export and erasure."""

from __future__ import annotations

import json

import structlog
from flask import Blueprint, redirect, request
from flask import Response as FlaskResponse
from werkzeug.wrappers import Response

from edge.errors import Declined, EdgeError
from edge.services.box import Box
from edge.services.erase_member import erase_member, export_member
from edge.services.find_members import find_members, show_member
from edge.services.staff import StaffBook, StaffMember
from edge.web.desk import WebSettings
from edge.web.staff.frame import Link, StaffPage, local_times, show, signed_in

MAX_TEXT = 40

_log = structlog.get_logger("staff")


class _Pages:
    def __init__(self, box: Box, staff: StaffBook, settings: WebSettings) -> None:
        self._box = box
        self._staff = staff
        self._local_time = local_times(settings)

    def search(self) -> tuple[str, int]:
        """Return what was found; what was typed comes in the body, so that no log of addresses has it."""
        return self._search(request.form.get("text", "")[:MAX_TEXT])

    def start(self) -> tuple[str, int]:
        """Return the empty page."""
        return self._search("")

    def member(self, member_id: str, error: str = "", status: int = 200) -> tuple[str, int]:
        """Return one member's page."""
        now = self._box.clock.now()
        found = self._box.store.read(lambda unit: show_member(unit, self._box, member_id, now))
        if found is None:
            return self._search("", error or "-", 404)
        page = show("member", one=found, error=error, local_time=self._local_time)
        return page, status

    def export(self, member_id: str) -> Response | tuple[str, int]:
        """Return all that is kept of a member as a JSON file, with a supervisor's PIN."""
        try:
            by = self._supervisor()
            data = export_member(self._box, member_id, by.name)
        except EdgeError as refusal:
            return self.member(member_id, str(refusal), 400)
        _log.warning("member exported", member=member_id, by=by.name, asked_by=signed_in())
        body = json.dumps(data, ensure_ascii=False, indent=2)
        name = f'attachment; filename="member-{member_id[-8:]}.json"'
        headers = {"Content-Disposition": name, "Cache-Control": "no-store"}
        return FlaskResponse(body, mimetype="application/json", headers=headers)

    def erase(self, member_id: str) -> Response | tuple[str, int]:
        """Erase a member, with a supervisor's PIN and a reason."""
        try:
            by = self._supervisor()
            erase_member(self._box, member_id, by, request.form.get("reason", ""))
        except EdgeError as refusal:
            return self.member(member_id, str(refusal), 400)
        _log.warning("member erased", member=member_id, by=by.name, asked_by=signed_in())
        return redirect("/staff/members?erased=1", 303)

    def _search(self, text: str, error: str = "", status: int = 200) -> tuple[str, int]:
        found = self._box.store.read(lambda unit: find_members(unit, self._box, text))
        waiting, refused = self._box.store.read(lambda unit: unit.points.waiting_notices())
        page = show(
            "members",
            found=found,
            searched=bool(text.strip()),
            error=error,
            erased="erased" in request.args,
            circle=bool(self._box.members.circle_gateway),
            waiting=waiting,
            refused=refused,
        )
        return page, status

    def _supervisor(self) -> StaffMember:
        member = self._staff.check(request.form.get("pin", "")[:32])
        if member is None:
            raise Declined("this PIN is not known; after five wrong ones wait a minute")
        if member.role != "supervisor":
            raise Declined(f"{member.name} is a {member.role}; members' data needs a supervisor's PIN")
        return member


def page(box: Box, staff: StaffBook, settings: WebSettings) -> StaffPage:
    """Return the pages /staff/members."""
    pages = _Pages(box, staff, settings)

    def add(routes: Blueprint) -> None:
        routes.get("/members", endpoint="members")(pages.start)
        routes.post("/members", endpoint="find_members")(pages.search)
        routes.get("/members/<member_id>", endpoint="member")(pages.member)
        routes.post("/members/<member_id>/export", endpoint="export_member")(pages.export)
        routes.post("/members/<member_id>/erase", endpoint="erase_member")(pages.erase)

    return StaffPage(add, lambda: [Link("/staff/members", "members_tab")])
