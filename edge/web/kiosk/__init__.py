"""The page on a kiosk's or a till's own screen, and the list of such pages."""

from __future__ import annotations

from flask import Blueprint, abort, render_template

from edge.web.desk import LANGUAGES, Desk, WebSettings
from edge.web.texts import load_texts


def blueprint(desk: Desk, settings: WebSettings) -> Blueprint:
    """Return /, /kiosk/<workstation> and /till/<workstation>."""
    routes = Blueprint("kiosk", __name__)

    @routes.get("/")
    def links() -> str:
        kinds = {name: str(desk.view(name, "")["kind"]) for name in desk.workstations()}
        # The place to pay of an exit has a display of its own and no page.
        kinds = {name: kind for name, kind in kinds.items() if kind in ("kiosk", "till", "counter")}
        words = {language: load_texts(language) for language in LANGUAGES}
        return render_template("links.html", kinds=kinds, settings=settings, **words)

    @routes.get("/<any(kiosk, till):kind>/<workstation>")
    def page(kind: str, workstation: str) -> str:
        if workstation not in desk.workstations():
            abort(404, f"There is no workstation {workstation}.")
        if desk.view(workstation, "")["kind"] != kind:
            abort(404, f"{workstation} is not a {kind}.")
        texts = {language: load_texts(language) for language in LANGUAGES}
        return render_template(
            "kiosk.html", workstation=workstation, kind=kind, settings=settings, texts=texts
        )

    return routes
