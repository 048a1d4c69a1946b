"""HQ's page: what it knows, as HTML and JSON, and the switches."""

from __future__ import annotations

from pathlib import Path
from typing import cast

from flask import Flask, Response, jsonify, request

from sim.hq.consumer import Consumer
from sim.hq.ledger import Ledger

_PAGE = Path(__file__).with_name("page.html")

FUNNEL = ("order.paid", "landing.shown", "landing.opened", "landing.join", "landing.follow")


def make_app(ledger: Ledger, consumer: Consumer) -> Flask:
    """Return the web application: `/`, `/state.json` and POST `/behaviour`."""
    app = Flask(__name__)

    @app.get("/")
    def page() -> Response:
        return Response(_PAGE.read_text(encoding="utf-8"), mimetype="text/html")

    @app.get("/state.json")
    def state() -> Response:
        return jsonify(state_of(ledger, consumer))

    @app.post("/behaviour")
    def behave() -> tuple[Response, int]:
        wanted = request.get_json(silent=True)
        if not isinstance(wanted, dict):
            return jsonify(error="send a JSON object of switches"), 400
        try:
            consumer.behaviour = consumer.behaviour.changed(cast("dict[str, object]", wanted))
        except ValueError as error:
            return jsonify(error=str(error)), 400
        return jsonify(consumer.behaviour.as_json()), 200

    return app


def state_of(ledger: Ledger, consumer: Consumer) -> dict[str, object]:
    """Return all that the page shows, JSON-ready."""
    counted = {str(row["kind"]): row["count"] for row in ledger.rows(_KINDS)}
    edges = ledger.rows("SELECT * FROM edges ORDER BY site, edge")
    for edge in edges:
        word = ledger.word(str(edge["site"]), str(edge["edge"]))
        edge |= {"through": word.through, "holes": list(word.holes)}
    tally = consumer.tally
    return {
        "connected": consumer.connected,
        "behaviour": consumer.behaviour.as_json(),
        "edges": edges,
        "sales": ledger.rows("SELECT * FROM sales ORDER BY amount_fen DESC LIMIT 50"),
        "tenders": ledger.rows("SELECT * FROM tenders ORDER BY amount_fen DESC LIMIT 20"),
        "kinds": counted,
        "funnel": [{"kind": kind, "count": counted.get(kind, 0)} for kind in FUNNEL],
        "recent": ledger.rows(_RECENT),
        "dead_letters": ledger.rows(_DEAD),
        "tally": {name: getattr(tally, name) for name in tally.__slots__},
    }


_KINDS = "SELECT kind, sum(count) AS count FROM kinds GROUP BY kind"
_RECENT = """
SELECT site, edge, sequence, kind, subject, time FROM events ORDER BY rowid DESC LIMIT 30
"""
_DEAD = "SELECT site, edge, reason FROM dead_letters ORDER BY rowid DESC LIMIT 10"
