"""Passes and reservations: find, issue, renew, top up, share, block; keep a space for a plate."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

import structlog
from flask import Blueprint, abort, redirect, request, url_for
from werkzeug.wrappers import Response

from edge.codes.sheet import MAX_AT
from edge.errors import EdgeError, Invalid
from edge.money import parse_yuan
from edge.parking.parking_pass import ParkingPass, PassKind, PassState
from edge.parking.reservation import ReservationState
from edge.services.box import Box
from edge.services.issue_pass import PassAsk, change_state, edit_pass, issue_pass, renew_pass, top_up_pass
from edge.services.records import Unit
from edge.services.reserve_space import cancel_reservation, reserve_space
from edge.web.desk import WebSettings
from edge.web.staff.frame import Link, StaffPage, local_times, show, signed_in

#: Passes, lines of a ledger and reservations that one page lists.
MOST_SHOWN = 50

_STATES = {"block": PassState.BLOCKED, "lift": PassState.ACTIVE, "cancel": PassState.CANCELLED}

_log = structlog.get_logger("staff")


class _Pages:
    """What the routes below do; one for each blueprint."""

    def __init__(self, box: Box, settings: WebSettings) -> None:
        self._box = box
        self._local_time = local_times(settings)
        self._zone = ZoneInfo(settings.zone)

    def overview(self, error: str = "", status: int = 200) -> tuple[str, int]:
        """Return passes that fit what was searched, the form for a new one, and reservations to come."""
        text, after = request.args.get("text", "").strip(), request.args.get("after", "")
        now = self._box.clock.now().wall_at

        def query(unit: Unit) -> dict[str, object]:
            found = unit.passes.search(text.upper() if text.isascii() else text, after, MOST_SHOWN)
            return {
                "passes": [(one, _balance(unit, one)) for one in found],
                "reservations": unit.passes.reservations(ReservationState.BOOKED, now, MOST_SHOWN),
            }

        page = show(
            "passes",
            **self._box.store.read(query),
            text=text,
            more=MOST_SHOWN,
            error=error,
            values=request.form,
            key=request.form.get("key", "") or self._box.ids.new_id(),
            zones=self._box.parking.facility.zones,
            now=now,
            no_end=MAX_AT,
            **self._words(),
        )
        return page, status

    def issue(self) -> Response | tuple[str, int]:
        """Issue the pass of the form."""
        values = request.form
        try:
            one = issue_pass(self._box, _ask(values), signed_in())
        except EdgeError as refusal:
            return self.overview(str(refusal), 400)
        _log.warning("pass issued", kind=one.kind.value, pass_id=one.pass_id, by=signed_in())
        return redirect(url_for("staff.one_pass", pass_id=one.pass_id), 303)

    def one(self, pass_id: str, error: str = "", status: int = 200) -> tuple[str, int]:
        """Return one pass with its ledger and what can be done with it."""

        def query(unit: Unit) -> dict[str, object]:
            found = unit.passes.get(pass_id)
            if found is None:
                abort(404, f"There is no pass {pass_id}.")
            lines = unit.passes.entries(pass_id, MOST_SHOWN)
            inside = [stay for plate in found.plates for stay in unit.sessions.inside(plate)]
            return {"one": found, "balance": _balance(unit, found), "lines": lines, "inside": inside}

        page = show(
            "pass",
            **self._box.store.read(query),
            error=error,
            key=request.form.get("key", "") or self._box.ids.new_id(),
            no_end=MAX_AT,
            now=self._box.clock.now().wall_at,
            **self._words(),
        )
        return page, status

    def act(self, pass_id: str) -> Response | tuple[str, int]:
        """Renew, top up, edit, block, lift or cancel a pass."""
        values = request.form
        try:
            self._do(pass_id, values.get("do", ""), values)
        except EdgeError as refusal:
            return self.one(pass_id, str(refusal), 400)
        _log.warning("pass changed", what=values.get("do"), pass_id=pass_id, by=signed_in())
        return redirect(url_for("staff.one_pass", pass_id=pass_id), 303)

    def reserve(self) -> Response | tuple[str, int]:
        """Keep a space, or cancel a reservation."""
        values = request.form
        try:
            if values.get("do") == "cancel":
                cancel_reservation(self._box, values.get("reservation", ""))
            else:
                from_at, to_at = self._at(values.get("from", "")), self._at(values.get("to", ""))
                key, plate, zone = values.get("key", ""), values.get("plate", ""), values.get("zone", "")
                note = values.get("note", "")
                reserve_space(self._box, _key(key), plate, zone, from_at, to_at, signed_in(), note)
        except EdgeError as refusal:
            return self.overview(str(refusal), 400)
        return redirect(url_for("staff.passes"), 303)

    def _do(self, pass_id: str, what: str, values: Mapping[str, str]) -> None:
        by, key = signed_in(), _key(values.get("key", ""))
        if what == "renew":
            renew_pass(self._box, pass_id, _whole(values, "terms"), _fen(values), by, key)
        elif what == "top_up":
            kind = PassKind(values.get("kind", PassKind.STORED_TIMES))
            top_up_pass(self._box, pass_id, _amount(values, kind), _fen(values), by, key)
        elif what == "edit":
            edit_pass(self._box, pass_id, _plates(values), _whole(values, "spaces"), by)
        elif what in _STATES:
            change_state(self._box, pass_id, _STATES[what], by, values.get("reason", ""))
        else:
            raise Invalid(f"{what!r:.20} cannot be done with a pass")

    def _at(self, text: str) -> int:
        try:
            return int(datetime.fromisoformat(text).replace(tzinfo=self._zone).timestamp()) * 1000
        except ValueError:
            raise Invalid("give the day and time, such as 2026-11-22 18:00") from None

    def _words(self) -> dict[str, object]:
        def day(at: int) -> str:
            return f"{datetime.fromtimestamp(at / 1000, self._zone):%Y-%m-%d}"

        return {"local_time": self._local_time, "day": day, "kinds": list(PassKind)}


def page(box: Box, settings: WebSettings) -> StaffPage:
    """Return the pages /staff/passes and /staff/passes/<pass>."""
    pages = _Pages(box, settings)

    def add(routes: Blueprint) -> None:
        routes.add_url_rule("/passes", "passes", pages.overview)
        routes.add_url_rule("/passes", "issue_pass", pages.issue, methods=["POST"])
        routes.add_url_rule("/passes/reservations", "reserve", pages.reserve, methods=["POST"])
        routes.add_url_rule("/passes/<pass_id>", "one_pass", pages.one)
        routes.add_url_rule("/passes/<pass_id>", "change_pass", pages.act, methods=["POST"])

    return StaffPage(add, lambda: [Link("/staff/passes", "passes")])


def _ask(values: Mapping[str, str]) -> PassAsk:
    try:
        kind = PassKind(values.get("kind", ""))
    except ValueError:
        raise Invalid("choose a kind of pass") from None
    return PassAsk(
        _key(values.get("key", "")),
        kind,
        values.get("holder", ""),
        _plates(values),
        _whole(values, "spaces"),
        1 if kind.stored else _whole(values, "terms"),
        _amount(values, kind) if kind.stored else 0,
        _fen(values),
        tuple(one for one in (values.get("zone", ""),) if one),
        note=values.get("note", ""),
    )


def _balance(unit: Unit, one: ParkingPass) -> int:
    return unit.passes.balance(one.pass_id) if one.kind.stored else 0


def _plates(values: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(values.get("plates", "")[:1_000].replace(",", " ").replace("，", " ").split())


def _amount(values: Mapping[str, str], kind: PassKind) -> int:
    """What is put in: yuan for a stored value, visits or days otherwise."""
    text = values.get("amount", "").strip()
    return parse_yuan(text or "0") if kind is PassKind.STORED_VALUE else _whole(values, "amount", 0)


def _fen(values: Mapping[str, str]) -> int:
    return parse_yuan(values.get("price", "").strip() or "0")


def _whole(values: Mapping[str, str], name: str, empty: int = 1) -> int:
    text = values.get(name, "").strip()
    if text and not (text.isascii() and text.isdigit() and len(text) <= 6):
        raise Invalid(f"{text!r:.20} is no whole number")
    return int(text) if text else empty


def _key(text: str) -> str:
    if not (8 <= len(text) <= 64 and text.replace("-", "").isalnum() and text.isascii()):
        raise Invalid("the form has lost its number; open the page again")
    return text
