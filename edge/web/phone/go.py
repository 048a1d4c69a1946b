"""A touchpoint's code: it records that it was scanned and leads on with the correlation id of the way.

Served through HQ's relay as well. However many codes are scanned, only so many new ways are begun in a
minute; beyond that a code still leads on.
"""

from __future__ import annotations

from collections import deque
from urllib.parse import urlencode, urlsplit, urlunsplit

from flask import Blueprint, Response, abort, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from edge.clock import boottime_ns
from edge.members.conversion import ConversionStep, is_correlation
from edge.members.touchpoint import MAX_TOUCHPOINT_ID
from edge.services.attribute_sale import touch_name
from edge.services.box import Box
from edge.services.record_conversion import record_step, scan_touchpoint
from edge.web.desk import WebSettings
from edge.web.phone.api.asking import asked_language
from edge.web.phone.page import other_language
from edge.web.phone.qr_picture import qr_picture
from edge.web.texts import load_texts

MINUTE_NS = 60_000_000_000


def blueprint(box: Box, settings: WebSettings) -> Blueprint:
    """Return the routes /phone/go/<touchpoint>, its code, and /phone/hello/<touchpoint>."""
    pages, routes = _Pages(box, settings), Blueprint("go", __name__, url_prefix="/phone")
    routes.add_url_rule("/go/<touchpoint>", view_func=pages.go)
    routes.add_url_rule("/go/<touchpoint>/code.svg", view_func=pages.code)
    routes.add_url_rule("/hello/<touchpoint>", view_func=pages.hello)
    return routes


def code_address(box: Box, touchpoint: str) -> str:
    """Return what a touchpoint's code says: its address, or its path on a box without a public one."""
    return f"{box.rules.public_url.rstrip('/')}/phone/go/{touchpoint}"


class _Pages:
    def __init__(self, box: Box, settings: WebSettings) -> None:
        self._box = box
        self._settings = settings
        self._begun: deque[int] = deque()

    def go(self, touchpoint: str) -> AnyResponse:
        """Record the scan and lead on."""
        correlation = request.args.get("c", "")
        record = request.method == "GET" and (is_correlation(correlation) or self._may_begin())
        scanned = scan_touchpoint(self._box, touchpoint[:MAX_TOUCHPOINT_ID], correlation, record=record)
        if scanned is None:
            abort(404, "This code is not known here (any more). Ask somebody of the mall.")
        target = scanned.touchpoint.leads_to
        if target.startswith("/phone/"):
            target = f"{request.script_root}{target}"
        elif not target:
            target = f"{request.script_root}/phone/hello/{scanned.touchpoint.touchpoint_id}"
        return redirect(with_way(target, scanned.correlation), 303)

    def hello(self, touchpoint: str) -> str:
        """Return the page of a code that leads nowhere else; it says where one is and who serves there."""
        rules = self._box.touch
        found = rules.book.find(touchpoint) if rules else None
        if rules is None or found is None:
            abort(404, "This code is not known here (any more). Ask somebody of the mall.")
        record_step(self._box, ConversionStep.OPENED, request.args.get("c", ""), found.touchpoint_id)
        language = asked_language()
        return render_template(
            "phone_hello.html",
            name=found.shown(language),
            guide=touch_name(rules, found.guide, language) if found.guide else "",
            texts=load_texts(language),
            language=language,
            other=other_language(),
            settings=self._settings,
        )

    def code(self, touchpoint: str) -> Response:
        """Return a touchpoint's QR code to print."""
        if self._box.touch is None or self._box.touch.book.find(touchpoint) is None:
            abort(404, "There is no such touchpoint.")
        if not self._box.rules.public_url:
            abort(404, "This box has no public address (public_url), so no phone could open the code.")
        return qr_picture(code_address(self._box, touchpoint))

    def _may_begin(self) -> bool:
        """Return whether another way may begin in this minute, and count it."""
        limit = self._box.touch.new_per_minute if self._box.touch else 0
        now = boottime_ns()
        while self._begun and self._begun[0] < now - MINUTE_NS:
            self._begun.popleft()
        if len(self._begun) >= limit:
            return False
        self._begun.append(now)
        return True


def with_way(address: str, correlation: str) -> str:
    """Return the address with the way's id as `c`; an app's own scheme is left as it is."""
    parts = urlsplit(address)
    if not correlation or parts.scheme == "weixin":
        return address
    query = "&".join(part for part in (parts.query, urlencode({"c": correlation})) if part)
    return urlunsplit(parts._replace(query=query))
