"""A receipt and its landing page on a shopper's phone; also served through HQ's relay."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import cast
from zoneinfo import ZoneInfo

import segno
from flask import Blueprint, Response, abort, redirect, render_template, request, send_from_directory
from werkzeug.wrappers import Response as AnyResponse

from edge.clock import local
from edge.errors import Declined, Invalid
from edge.web.desk import LANGUAGES, TOUCHPOINTS, Desk, Json, WebSettings
from edge.web.phone import landing
from edge.web.phone.go import with_way
from edge.web.texts import load_texts

#: Where a block's button may lead.
_SCHEMES = ("https://", "weixin://", "/phone/")
_PICTURES = (".jpg", ".jpeg", ".png", ".webp")


def blueprint(desk: Desk, settings: WebSettings) -> Blueprint:
    """Return the routes under /phone."""
    routes = Blueprint("phone", __name__, url_prefix="/phone")
    _add_receipt(routes, desk, settings)
    _add_touch(routes, desk)
    _add_pictures(routes, desk, settings)
    landing.add(routes, desk)
    _add_parking(routes, desk)
    _add_coupon(routes, desk, settings)
    return routes


def _add_receipt(routes: Blueprint, desk: Desk, settings: WebSettings) -> None:
    @routes.get("/r/<token>")
    def receipt(token: str) -> str:
        language = _language()
        found = _receipt(desk, token)
        issued = local(cast("int", found["issued_at"]), ZoneInfo(settings.zone))
        return render_template(
            "phone.html",
            receipt=found,
            issued=f"{issued:%Y-%m-%d %H:%M}",
            clock=lambda at: f"{local(at, ZoneInfo(settings.zone)):%H:%M}",
            texts=load_texts(language),
            language=language,
            settings=settings,
            leads=_leads,
            reachable=_reachable(str(found["url"])),
            problem=_problem(request.args.get("problem", "")),
        )


def _add_touch(routes: Blueprint, desk: Desk) -> None:
    @routes.post("/r/<token>/touch")
    def touch(token: str) -> AnyResponse:
        found = _receipt(desk, token)
        asked = request.get_json(silent=True) if request.is_json else request.form
        touchpoint, target = _touched(found, asked)
        if touchpoint == "join" and target is None and not request.is_json:
            page = with_way(f"/phone/me?r={token}&language={_language()}", str(found.get("way") or ""))
            target = request.script_root + page
        desk.touch(token, touchpoint)
        return redirect(target, 303) if target else Response(status=204)


def _add_pictures(routes: Blueprint, desk: Desk, settings: WebSettings) -> None:
    @routes.get("/r/<token>/qr.svg")
    def qr(token: str) -> Response:
        url = str(_receipt(desk, token)["url"])
        if not _reachable(url):
            abort(404, "This box has no public address (public_url), so no phone could open the code.")
        svg = io.BytesIO()
        code = segno.make(url, error="m", micro=False)
        code.save(svg, kind="svg", xmldecl=False, omitsize=True, border=2, svgclass=None, lineclass=None)
        return Response(svg.getvalue(), mimetype="image/svg+xml")

    @routes.get("/pictures/<name>")
    def picture(name: str) -> Response:
        if settings.pictures is None or not name.lower().endswith(_PICTURES):
            abort(404)
        return send_from_directory(settings.pictures.absolute(), name, max_age=300)


def _add_coupon(routes: Blueprint, desk: Desk, settings: WebSettings) -> None:
    @routes.get("/c/<code>")
    def coupon(code: str) -> str:
        language = _language()
        found = desk.coupon(code) if len(code) <= 40 else None
        if found is None:
            abort(404, "There is no such coupon here. Scan its QR code again, or ask who gave it to you.")
        ends = local(cast("int", found["expires_at"]), ZoneInfo(settings.zone))
        return render_template(
            "phone_coupon.html",
            coupon=found,
            ends=f"{ends:%Y-%m-%d %H:%M}",
            texts=load_texts(language),
            language=language,
            settings=settings,
            problem=_problem(request.args.get("problem", "")),
        )

    @routes.post("/c/<code>")
    def redeem(code: str) -> AnyResponse:
        problem = ""
        try:
            desk.redeem_coupon(code[:40], request.form.get("plate", "")[:32])
        except Invalid:
            problem = "&problem=invalid"
        except Declined:
            problem = "&problem=declined"
        return redirect(f"{request.script_root}/phone/c/{code}?language={_language()}{problem}", 303)


def _add_parking(routes: Blueprint, desk: Desk) -> None:
    @routes.post("/r/<token>/parking")
    def parking(token: str) -> AnyResponse:
        _receipt(desk, token)
        problem = ""
        try:
            desk.validate_parking(token, request.form.get("plate", "")[:32])
        except Invalid:
            problem = "invalid"
        except Declined:
            problem = "declined"
        to = f"{request.script_root}/phone/r/{token}?language={_language()}"
        return redirect(f"{to}&problem={problem}#parking" if problem else f"{to}#parking", 303)


def _receipt(desk: Desk, token: str) -> Json:
    found = desk.receipt(token) if len(token) <= 64 else None
    if found is None:
        abort(404, "There is no such receipt here. Scan its QR code again, or ask a cashier.")
    return found


def _language() -> str:
    asked = request.args.get("language", "")
    return asked if asked in LANGUAGES else request.accept_languages.best_match(LANGUAGES) or LANGUAGES[0]


def _problem(asked: str) -> str:
    return asked if asked in ("invalid", "declined") else ""


def _touched(receipt: Json, asked: object) -> tuple[str, str | None]:
    """Return the touchpoint and, for a block's button, where it leads."""
    values = asked if hasattr(asked, "get") else {}
    touchpoint = str(values.get("touchpoint", ""))
    if touchpoint not in TOUCHPOINTS:
        raise Invalid(f"touchpoint must be one of {', '.join(TOUCHPOINTS)}")
    block = str(values.get("block", ""))
    blocks = _blocks(receipt)
    if block.isascii() and block.isdigit() and len(block) < 4 and int(block) < len(blocks):
        target = _leads(str(blocks[int(block)].get("url") or ""))
        if target.startswith("/"):
            # Another of our pages goes on with the order's way.
            target = request.script_root + with_way(target, str(receipt.get("way") or ""))
        return touchpoint, target or None
    return touchpoint, None


def _blocks(receipt: Json) -> Sequence[Json]:
    landing = receipt.get("landing")
    return cast("Json", landing)["blocks"] if landing else ()  # type: ignore[return-value]


def _reachable(url: str) -> bool:
    """Return whether a phone can open this address of a receipt."""
    return url.startswith(("https://", "http://"))


def _leads(url: str) -> str:
    """Return the address if a button may lead there, else an empty string."""
    return url if url.startswith(_SCHEMES) else ""
