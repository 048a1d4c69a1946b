"""Pages after payment: the list of slots, the editor with its live preview, pictures, versions, figures."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

import structlog
from flask import Blueprint, g, jsonify, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from edge.clock import local
from edge.errors import EdgeError, Invalid
from edge.members.bandit import seed_of, states
from edge.members.landing import BlockKind
from edge.members.landing_version import (
    MAX_BLOCKS,
    MAX_VARIANTS,
    LandingSlot,
    LandingVersion,
    Occasion,
    check_version,
    given_version,
    in_force,
)
from edge.services.box import Box
from edge.services.landing_records import MAX_LISTED
from edge.services.offer_landing import arms_of
from edge.services.publish_landing import (
    LandingDraft,
    publish_landing,
    read_rule,
    read_slot,
    read_variants,
    return_landing,
    withdraw_landing,
    write_variants,
)
from edge.services.records import Unit
from edge.services.show_landing import show_landing
from edge.web.desk import WebSettings
from edge.web.staff.frame import Link, StaffPage, local_times, show, signed_in
from edge.web.staff.landing_pictures import MAX_UPLOAD, keep_picture, list_pictures
from edge.web.staff.landing_plot import WIDTH, explain, plot_bandit
from edge.web.texts import load_texts

#: Bytes of an editor's form, and pictures that it offers.
MAX_FORM = 512 * 1024
PICTURES_SHOWN = 60
#: What blocks of these kinds would say of an order, for the preview.
_SAMPLES = {
    BlockKind.PARKING: (("已减免停车 2小时 粤B·**345", "Parking validated: 2 h"),),
    BlockKind.GUIDE: (("为您服务：李雷", "Served by Li Lei"),),
}

_log = structlog.get_logger("staff")


class _Pages:
    """What the routes below do; one for each blueprint."""

    def __init__(self, box: Box, settings: WebSettings) -> None:
        self._box = box
        self._settings = settings
        self._zone = ZoneInfo(settings.zone)
        self._local_time = local_times(settings)

    def overview(self) -> str:
        """Return all slots with what is in force there, and the form for a new one."""
        now = self._box.clock.now().wall_at

        def query(unit: Unit) -> dict[str, object]:
            given = {LandingSlot(page.tenant_id): given_version(page) for page in unit.landings.pages()}
            slots = sorted({*given, *unit.landings.slots()}, key=_order)
            return {
                "rows": [_overview_row(unit, slot, given.get(slot), now) for slot in slots],
                "tenants": unit.catalogue.intake.tenants(),
                "names": {one.tenant_id: one for one in unit.catalogue.intake.tenants()},
            }

        return show("landing", **self._box.store.read(query), occasions=list(Occasion))

    def edit(self, error: str = "", status: int = 200, given: str = "") -> tuple[str, int]:
        """Return the editor of a slot, begun with what is in force or with an older version asked for."""
        slot = read_slot(request.values)
        now = self._box.clock.now().wall_at
        wanted = request.args.get("version", "")

        def query(unit: Unit) -> dict[str, object]:
            versions = unit.landings.versions(slot, MAX_LISTED)
            held = in_force(versions, now)
            base = _base(unit, slot)
            begun = _begun(versions, wanted) or (held if held and held.variants else None) or base
            return {
                "versions": versions,
                "held": held,
                "base": base,
                "begun": begun,
                "state": _state(unit, held if held and held.variants else base),
                "tenant": unit.catalogue.tenant(slot.tenant_id),
            }

        found = self._box.store.read(query)
        draft = given or json.dumps(self._draft(slot, found, now), ensure_ascii=False)
        page = show(
            "landing_edit",
            **found,
            slot=slot,
            error=error,
            draft=draft.replace("<", "\\u003c"),
            limits={"variants": MAX_VARIANTS, "blocks": MAX_BLOCKS, "upload": MAX_UPLOAD},
            kinds=list(BlockKind),
            pictures=list_pictures(self._settings.pictures)[:PICTURES_SHOWN],
            keeps=self._settings.pictures is not None,
            plot_width=WIDTH,
            now=now,
            local_time=self._local_time,
        )
        return page, status

    def publish(self) -> Response | tuple[str, int]:
        """Publish what the editor holds as a new version."""
        request.max_content_length = request.max_form_memory_size = MAX_FORM
        text = request.form.get("content", "")
        slot = read_slot(request.values)
        try:
            made = publish_landing(self._box, self._read(slot, text), signed_in())
        except EdgeError as refusal:
            return self.edit(str(refusal), 400, text)
        _log.warning("landing published", page=slot.landing_id, number=made.number, by=signed_in())
        return self._back(slot)

    def act(self) -> Response | tuple[str, int]:
        """Return to an old version, or withdraw what was published."""
        slot, number = read_slot(request.values), request.form.get("number", "")
        try:
            if request.form.get("do") == "withdraw":
                withdraw_landing(self._box, slot, signed_in())
            elif number.isascii() and number.isdigit() and len(number) < 9:
                return_landing(self._box, slot, int(number), signed_in())
            else:
                raise Invalid("say which version to return to")
        except EdgeError as refusal:
            return self.edit(str(refusal), 400)
        _log.warning("landing changed", page=slot.landing_id, what=request.form.get("do"), by=signed_in())
        return self._back(slot)

    def preview(self) -> str | tuple[str, int]:
        """Return one variant of the editor as the phone's page draws it; 422 with why it may not be shown."""
        request.max_content_length = MAX_FORM
        said = request.get_json(silent=True)
        said = said if isinstance(said, dict) else {}
        language = "en" if said.get("language") == "en" else "zh"
        slot, problem = LandingSlot(""), ""
        variants = read_variants([said.get("variant")], slot)
        try:
            check_version(LandingVersion(slot, 1, variants))
        except Invalid as refusal:
            problem = str(refusal)
        return render_template(
            "landing_preview.html",
            landing=show_landing(variants[0].page, _SAMPLES),
            texts=load_texts(language),
            words=load_texts(str(g.language)),
            language=language,
            problem=problem,
        )

    def upload(self) -> Response:
        """Keep a picture and answer {"name", "url"}."""
        request.max_content_length = MAX_UPLOAD + 4_096
        file = request.files.get("picture")
        try:
            if file is None:
                raise Invalid("choose a picture first")
            name = keep_picture(self._settings.pictures, file.stream.read(MAX_UPLOAD + 1))
        except EdgeError as refusal:
            return make_response(jsonify(message=str(refusal)), 400)
        _log.warning("picture kept", name=name, by=signed_in())
        return jsonify(name=name, url=f"/phone/pictures/{name}")

    def _read(self, slot: LandingSlot, text: str) -> LandingDraft:
        try:
            said = json.loads(text)
        except (ValueError, RecursionError):
            said = None
        if not isinstance(said, dict):
            raise Invalid("the form is empty; JavaScript must be on in this browser")
        based_on = said.get("based_on")
        if type(based_on) is not int:
            raise Invalid("the form has lost its version; open the page again")
        begin, end = self._at(said, "valid_from"), self._at(said, "valid_to")
        variants = read_variants(said.get("variants"), slot)
        return LandingDraft(slot, based_on, variants, begin or 0, end, read_rule(said))

    def _at(self, said: Mapping[str, object], name: str) -> int | None:
        text = said.get(name)
        if not isinstance(text, str) or not text:
            return None
        try:
            return int(datetime.fromisoformat(text).replace(tzinfo=self._zone).timestamp()) * 1_000
        except (ValueError, OverflowError):
            raise Invalid("give day and time, such as 2026-11-22 18:00, or leave it empty") from None

    def _draft(self, slot: LandingSlot, found: Mapping[str, object], now: int) -> Mapping[str, object]:
        begun, versions = found["begun"], found["versions"]
        assert isinstance(begun, LandingVersion)
        assert isinstance(versions, tuple)
        end = begun.valid_to if begun.valid_to is not None and begun.valid_to > now else None
        return {
            "based_on": versions[0].number if versions else 0,
            "valid_from": "",
            "valid_to": f"{local(end, self._zone):%Y-%m-%dT%H:%M}" if end is not None else "",
            "learning": begun.rule.learning,
            "floor": begun.rule.floor_permille // 10,
            "trial": begun.rule.trial_shown,
            "variants": write_variants(begun),
        }

    def _back(self, slot: LandingSlot) -> Response:
        occasion = slot.occasion.value
        where = url_for(
            "staff.edit_landing", tenant=slot.tenant_id, occasion=occasion, campaign=slot.campaign
        )
        return redirect(where, 303)


def page(box: Box, settings: WebSettings) -> StaffPage:
    """Return the pages /staff/landing and /staff/landing/edit."""
    pages = _Pages(box, settings)

    def add(routes: Blueprint) -> None:
        routes.add_url_rule("/landing", "landing", pages.overview)
        routes.add_url_rule("/landing/edit", "edit_landing", pages.edit)
        routes.add_url_rule("/landing/edit", "publish_landing", pages.publish, methods=["POST"])
        routes.add_url_rule("/landing/return", "return_landing", pages.act, methods=["POST"])
        routes.add_url_rule("/landing/preview", "preview_landing", pages.preview, methods=["POST"])
        routes.add_url_rule("/landing/pictures", "upload_picture", pages.upload, methods=["POST"])

    return StaffPage(add, lambda: [Link("/staff/landing", "landing")])


def _order(slot: LandingSlot) -> tuple[str, str, str]:
    return slot.tenant_id, slot.occasion.value if slot.occasion is not Occasion.ANY else "", slot.campaign


def _overview_row(unit: Unit, slot: LandingSlot, given: LandingVersion | None, now: int) -> dict[str, object]:
    versions = unit.landings.versions(slot, MAX_LISTED)
    held = in_force(versions, now)
    shown = held if held and held.variants else given
    counts = unit.landings.counts(slot, shown.number) if shown else ()
    return {
        "slot": slot,
        "held": shown,
        "waiting": sum(one.valid_from > now for one in versions),
        "shown": sum(one.shown for one in counts),
        "acted": sum(one.acted for one in counts),
    }


def _base(unit: Unit, slot: LandingSlot) -> LandingVersion:
    """What a new page begins with: the given page of the tenant, else the mall's, else an empty one."""
    given = {page.tenant_id: page for page in unit.landings.pages()}
    page = given.get(slot.tenant_id) or given.get("")
    if page is None:
        variants = read_variants([{"name": "A", "title": "谢谢光临", "title_en": "Thank you"}], slot)
        return LandingVersion(slot, 0, variants)
    return LandingVersion(slot, 0, given_version(page).variants)


def _begun(versions: tuple[LandingVersion, ...], wanted: str) -> LandingVersion | None:
    return next((one for one in versions if str(one.number) == wanted and one.variants), None)


def _state(unit: Unit, version: LandingVersion) -> dict[str, object]:
    found = states(arms_of(unit, version), version.rule, seed_of("page", version.slot.landing_id))
    return {
        "version": version,
        "plot": plot_bandit(found, version.rule),
        "why": explain(found, version.rule, load_texts(str(g.language))),
    }
