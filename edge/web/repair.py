"""The only page while the database is damaged: the box is being repaired, whom to call, what to do meanwhile.

Nothing is recorded, nothing is promised and no gate is opened from here: without its books the box would only
say what is not so. Every address answers 503, so that whoever asks (a camera, a gateway's callback, a
balancer) tries again later.
"""

from __future__ import annotations

from flask import Flask, Response, jsonify, render_template, request

from edge.web.desk import WebSettings
from edge.web.guard import install_guard
from edge.web.texts import load_texts

#: How often the page loads itself again, and what a client is told to wait, in seconds.
AGAIN_S = 5

#: Where programs ask, which are answered in JSON.
FOR_PROGRAMS = ("api/", "health/", "metrics", "camera/", "notify/", "phone/api/")


def repair_app(settings: WebSettings, why: str) -> Flask:
    """Return the WSGI application. why: for the technician, as the log has it."""
    app = Flask("edge.web")
    app.json.ensure_ascii = False  # type: ignore[attr-defined]
    install_guard(app, settings)
    both = (load_texts("zh"), load_texts("en"))

    @app.route("/", defaults={"path": ""}, methods=["GET", "POST"])
    @app.route("/<path:path>", methods=["GET", "POST"])
    def any_page(path: str) -> tuple[Response | str, int, dict[str, str]]:
        headers = {"Retry-After": str(AGAIN_S), "Cache-Control": "no-store"}
        if request.method == "GET" and not path.startswith(FOR_PROGRAMS):
            # Phones may come from anywhere; what is inside the box is none of their business.
            told = "" if path.startswith("phone") else why
            html = render_template("repair.html", both=both, why=told, shop=settings, again_s=AGAIN_S)
            return html, 503, headers
        return jsonify(ready=False, error="repair", store=why, message=why), 503, headers

    return app
