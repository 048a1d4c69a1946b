"""The member on their own phone: see, join, phone number, cars, consents, points, export and erasure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

from flask import Blueprint, Response, jsonify, request

from edge.errors import Invalid
from edge.members.consent import ConsentPurpose
from edge.services.box import Box
from edge.services.change_consent import give_consent, withdraw_consent
from edge.services.erase_member import MEMBER, export_member
from edge.services.occasion_landing import join_page
from edge.services.own_membership import (
    JoinForm,
    add_phone,
    bind_own_plate,
    check_texts,
    erase_self,
    join_own,
    need_member,
    unbind_own_plate,
)
from edge.services.phone_records import PhoneSession
from edge.services.records import Unit
from edge.services.show_me import show_me, show_points
from edge.web.desk import WebSettings
from edge.web.phone.api.asking import PhoneProblem, asked_language, body, check_plate, session, text_in
from edge.web.phone.api.landing import landing_shown
from edge.web.phone.qr_picture import with_qr
from edge.web.texts import load_texts

_MAX_WORD = 64
_MAX_CODE = 512


def add(routes: Blueprint, box: Box, settings: WebSettings) -> None:
    """Put /me and what is below it on the blueprint."""

    @routes.get("/me")
    def me() -> Response:
        return _me(box, session(box))

    @routes.post("/me/join")
    def join_membership() -> Response:
        asked, given = session(box), body()
        form = JoinForm(
            consent_version=text_in(given, "consent_version", 24),
            touchpoint=text_in(given, "touchpoint", _MAX_WORD, ""),
            order_id=text_in(given, "order_id", _MAX_WORD, ""),
            receipt=text_in(given, "receipt", _MAX_WORD, ""),
            phone_code=text_in(given, "phone_code", _MAX_CODE, ""),
            link=text_in(given, "link", _MAX_WORD, ""),
        )
        _same_texts(box, form.consent_version)
        joined = join_own(box, asked, form)
        page = box.store.read(lambda unit: join_page(unit, joined.member.member_id))
        points, parked = joined.claimed.points, joined.claimed.parked
        brought = {"points": points, "parked": parked, "landing": landing_shown(page)}
        return jsonify({**_shown(box, asked), "joined": brought})

    @routes.post("/me/phone")
    def own_phone() -> Response:
        asked = session(box)
        add_phone(box, asked, text_in(body(), "code", _MAX_CODE))
        return _me(box, asked)

    _add_plates(routes, box)
    _add_rest(routes, box)


def _add_plates(routes: Blueprint, box: Box) -> None:
    @routes.post("/me/plates")
    def bind_car() -> Response:
        asked, given = session(box), body()
        plate, version = text_in(given, "plate", 32), text_in(given, "consent_version", 24)
        key, receipt = text_in(given, "key", 40), text_in(given, "receipt", _MAX_WORD, "")
        _same_texts(box, version)
        check_plate(plate)
        bind_own_plate(box, asked, plate, version, key, receipt)
        return _me(box, asked)

    @routes.post("/me/plates/<plate_id>/remove")
    def unbind_car(plate_id: str) -> Response:
        asked = session(box)
        unbind_own_plate(box, asked, plate_id)
        return _me(box, asked)


def _add_rest(routes: Blueprint, box: Box) -> None:
    @routes.post("/me/consent")
    def own_consent() -> Response:
        asked = session(box)
        _change_consent(box, asked, body())
        return _me(box, asked)

    @routes.get("/me/points")
    def own_points() -> Response:
        before = request.args.get("before", "0")
        if not (before.isascii() and before.isdigit() and len(before) <= 15):
            raise Invalid("before must be Unix milliseconds")
        language = asked_language()
        return jsonify(show_points(box, session(box), language, load_texts(language), int(before)))

    @routes.get("/me/export")
    def own_export() -> Response:
        return jsonify(export_own(box, session(box)))

    @routes.post("/me/erase")
    def own_erasure() -> Response:
        if body().get("confirm") is not True:
            raise Invalid("say confirm: true; what is erased cannot be brought back")
        erase_self(box, session(box))
        return Response(status=204)


def _change_consent(box: Box, asked: PhoneSession, given: Mapping[str, object]) -> None:
    purpose, version = text_in(given, "purpose", 24), text_in(given, "version", 24, "")
    wanted = given.get("given") is True
    if wanted:
        _same_texts(box, version)
    if purpose == ConsentPurpose.MEMBERSHIP and not wanted:
        raise PhoneProblem("declined", "me_leave_by_erasing")
    change_own_consent(box, asked, purpose, version, wanted=wanted)


def _same_texts(box: Box, version: str) -> None:
    if version != box.members.consent_version:
        raise PhoneProblem("invalid", "me_texts_changed")


def change_own_consent(box: Box, asked: PhoneSession, purpose: str, version: str, *, wanted: bool) -> None:
    """Give or withdraw the consent of whose phone it is. Raises Invalid and Declined as the use cases do."""
    if purpose not in set(ConsentPurpose):
        raise Invalid(f"purpose must be one of {', '.join(ConsentPurpose)}")
    if wanted:
        check_texts(box, version)
    now = box.clock.now()

    def work(unit: Unit) -> None:
        member = need_member(unit, box, asked, now)
        kind, channel = ConsentPurpose(purpose), "mini_program" if asked.signed_in else "browser"
        if wanted:
            give_consent(unit, box, member.member_id, kind, version, channel, now)
        else:
            withdraw_consent(unit, box, member.member_id, kind, now)

    box.store.write(work)


def export_own(box: Box, asked: PhoneSession) -> dict[str, object]:
    """Return all that this box has of whose phone it is; raise Declined for nobody's."""
    now = box.clock.now()
    member = box.store.read(lambda unit: need_member(unit, box, asked, now))
    return export_member(box, member.member_id, MEMBER)


def _me(box: Box, asked: PhoneSession) -> Response:
    return jsonify(_shown(box, asked))


def _shown(box: Box, asked: PhoneSession) -> dict[str, object]:
    language = asked_language()
    texts = load_texts(language)
    said = {"membership": texts["me_text_membership"], "plate": texts["me_text_plate"]}
    shown = show_me(box, asked, language)
    coupons = [with_qr(one) for one in cast("Sequence[Mapping[str, object]]", shown["coupons"])]
    return {**shown, "coupons": coupons, "texts": said}
