"""A touchpoint's code that was scanned inside the mini-program."""

from __future__ import annotations

from dataclasses import replace

from flask import Blueprint, Response, jsonify

from edge.members.touchpoint import MAX_TOUCHPOINT_ID
from edge.services.box import Box
from edge.services.phone_records import PhoneSession
from edge.services.phone_session import MAX_SCENE, note_identified
from edge.services.record_conversion import scan_touchpoint
from edge.services.records import Unit
from edge.web.desk import WebSettings
from edge.web.phone.api.asking import PhoneProblem, body, number_in, session, text_in

_MAX_WAY = 64


def add(routes: Blueprint, box: Box, settings: WebSettings) -> None:
    """Put /touch on the blueprint."""

    @routes.post("/touch")
    def scan_code() -> Response:
        asked, given = session(box), body()
        touchpoint = text_in(given, "touchpoint", MAX_TOUCHPOINT_ID)
        way = text_in(given, "c", _MAX_WAY, "") or asked.correlation
        scene = number_in(given, "scene", 0, MAX_SCENE, 0)
        scanned = scan_touchpoint(box, touchpoint, way)
        if scanned is None:
            raise PhoneProblem("not_found")
        go_on(box, asked, scanned.correlation, scene)
        found = scanned.touchpoint
        leads_to = found.leads_to or f"/phone/hello/{found.touchpoint_id}"
        return jsonify(c=scanned.correlation, leads_to=leads_to)


def go_on(box: Box, asked: PhoneSession, way: str, scene: int = 0) -> None:
    """Have a phone's session go on with another way, where it was on another one."""
    if way in ("", asked.correlation) and scene in (0, asked.scene):
        return

    def work(unit: Unit) -> None:
        present = unit.phones.get(asked.session_id) or asked
        changed = replace(present, correlation=way or present.correlation, scene=scene or present.scene)
        unit.phones.put(changed)
        note_identified(unit, box, changed, now)

    now = box.clock.now()
    box.store.write(work)
