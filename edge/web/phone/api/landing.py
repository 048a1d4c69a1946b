"""The page after payment for a mini-program, and what is done on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

from flask import Blueprint, Response, jsonify

from edge.services.box import Box
from edge.services.show_receipt import record_touchpoint, show_receipt
from edge.web.desk import TOUCHPOINTS, WebSettings
from edge.web.phone.api.asking import PhoneProblem, body, text_in
from edge.web.phone.qr_picture import with_qr

_MAX_TOKEN = 64
_SHOWN = (
    "number",
    "total_fen",
    "refunded_fen",
    "issued_iso",
    "url",
    "landing",
    "parking",
    "stays",
    "tickets",
)


def add(routes: Blueprint, box: Box, settings: WebSettings) -> None:
    """Put /landing/<receipt> and its touches on the blueprint; the receipt's token is the right to see it."""

    @routes.get("/landing/<receipt>")
    def landing(receipt: str) -> Response:
        found = _receipt(box, receipt)
        shown = {name: found.get(name) for name in _SHOWN}
        page = landing_shown(cast("Mapping[str, object] | None", found.get("landing")))
        return jsonify({**shown, "landing": page, "c": found.get("way") or None})

    @routes.post("/landing/<receipt>/touch")
    def touch_landing(receipt: str) -> Response:
        found, given = _receipt(box, receipt), body()
        touchpoint = text_in(given, "touchpoint", 32)
        if touchpoint not in TOUCHPOINTS:
            raise PhoneProblem("invalid")
        record_touchpoint(box, receipt, touchpoint)
        url = _address(found, given.get("block"))
        return jsonify(url=url) if url else Response(status=204)


def landing_shown(page: Mapping[str, object] | None) -> Mapping[str, object] | None:
    """Return a landing page with its blocks' codes as pictures, None for none."""
    if page is None:
        return None
    blocks = cast("Sequence[Mapping[str, object]]", page["blocks"])
    return {**page, "blocks": [with_qr(block) for block in blocks]}


def _receipt(box: Box, token: str) -> Mapping[str, object]:
    found = show_receipt(box, token) if len(token) <= _MAX_TOKEN else None
    if found is None:
        raise PhoneProblem("not_found")
    return found


def _address(receipt: Mapping[str, object], block: object) -> str:
    """Return where a block's button leads, "" for nowhere."""
    shown = cast("Mapping[str, object] | None", receipt.get("landing"))
    blocks = cast("Sequence[Mapping[str, object]]", shown["blocks"] if shown else ())
    if not isinstance(block, int) or isinstance(block, bool) or not 0 <= block < len(blocks):
        return ""
    return str(blocks[block].get("url") or "")
