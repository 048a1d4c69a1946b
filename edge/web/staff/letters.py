"""Events that HQ has rejected: read one, send it again, repaired or not, or drop it with a note."""

from __future__ import annotations

import json

import structlog
from flask import Blueprint, abort, redirect, request, url_for
from werkzeug.wrappers import Response

from edge.errors import Invalid
from edge.services.box import Box
from edge.services.dead_letters import LETTERS_SHOWN, MAX_NOTE, drop_letter, resend_letter
from edge.services.outbox_records import DeadLetter
from edge.web.desk import WebSettings
from edge.web.staff.frame import StaffPage, local_times, show, signed_in
from edge.web.staff_status import letter_row

#: What a form holds beside the data: its other fields and the marks between them.
_FORM_BYTES = 2_048

_log = structlog.get_logger("staff")


def page(box: Box, settings: WebSettings) -> StaffPage:
    """Return the page /staff/letters/<sequence>; the outbox page leads to it."""
    local_time = local_times(settings)
    most_bytes = settings.max_body_bytes - _FORM_BYTES

    def letter_page(sequence: int, error: str = "", data: str = "", note: str = "") -> str:
        letter = _letter(box, sequence)
        own = _data_text(letter)
        return show(
            "letter",
            letter=letter_row(letter),
            envelope=_pretty(letter),
            data=data or own,
            fits=len(own.encode()) <= most_bytes,
            note=note,
            most_note=MAX_NOTE,
            error=error,
            local_time=local_time,
        )

    def add(routes: Blueprint) -> None:
        _add_resend_all(routes, box)

        @routes.get("/letters/<int:sequence>")
        def letter(sequence: int) -> str:
            return letter_page(sequence)

        @routes.post("/letters/<int:sequence>/resend")
        def resend(sequence: int) -> Response | tuple[str, int]:
            found = _letter(box, sequence)
            data = request.form.get("data", "")
            try:
                again = resend_letter(box.store, box.clock, sequence, _changed(found, data), str(signed_in()))
            except Invalid as error:
                return letter_page(sequence, str(error), data=data), 400
            _log.warning("dead letter sent again", sequence=sequence, again=again, by=signed_in())
            return redirect(url_for("staff.outbox", sequence=sequence, again=again), 303)

        @routes.post("/letters/<int:sequence>/drop")
        def drop(sequence: int) -> Response | tuple[str, int]:
            _letter(box, sequence)
            note = request.form.get("note", "").strip()
            try:
                drop_letter(box.store, box.clock, sequence, note, str(signed_in()))
            except Invalid as error:
                return letter_page(sequence, str(error), note=note), 400
            _log.warning("dead letter dropped", sequence=sequence, note=note, by=signed_in())
            return redirect(url_for("staff.outbox", sequence=sequence), 303)

    return StaffPage(add, list)


def _add_resend_all(routes: Blueprint, box: Box) -> None:
    @routes.post("/letters/resend")
    def resend_all() -> Response:
        reason = request.form.get("reason", "")
        count = _resend_like(box, reason, str(signed_in()))
        _log.warning("dead letters sent again", reason=reason, count=count, by=signed_in())
        return redirect(url_for("staff.outbox", count=count), 303)


def _resend_like(box: Box, reason: str, by: str) -> int:
    """Send again what HQ rejected for one reason, as it is, LETTERS_SHOWN at most; return how many."""
    letters = box.store.read(lambda unit: unit.outbox.dead_letters(LETTERS_SHOWN))
    sequences = [one.message.sequence for one in letters if one.reason == reason]
    for sequence in sequences:
        resend_letter(box.store, box.clock, sequence, by=by)
    return len(sequences)


def _letter(box: Box, sequence: int) -> DeadLetter:
    letter = box.store.read(lambda unit: unit.outbox.dead_letter(min(sequence, (1 << 63) - 1)))
    if letter is None:
        abort(404, f"HQ has not rejected event {sequence}.")
    return letter


def _changed(letter: DeadLetter, data: str) -> str:
    """Return the data if somebody changed it, "" when it is what the event holds."""
    try:
        same = json.loads(data) == json.loads(letter.message.body)["data"]
    except (ValueError, RecursionError):
        return data.strip()
    return "" if same else data


def _data_text(letter: DeadLetter) -> str:
    return json.dumps(json.loads(letter.message.body)["data"], ensure_ascii=False, indent=2)


def _pretty(letter: DeadLetter) -> str:
    return json.dumps(json.loads(letter.message.body), ensure_ascii=False, indent=2)
