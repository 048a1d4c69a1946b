"""HQ's page: what it knows, as HTML and JSON, and the switches."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol, cast

from flask import Flask, Response, jsonify, request

from sim.clocks import unix_ms
from sim.hq.behaviour import Behaviour
from sim.hq.books import Books
from sim.hq.reading import Word

_PAGE = Path(__file__).with_name("page.html")

FUNNEL = ("order.paid", "landing.shown", "landing.opened", "landing.join", "landing.follow")

#: Boxes listed; of more, those that need a look come first. Holes are told for so many of them.
MAX_BOXES = 200

#: A worker that has not written down how it fares for this long is gone.
GONE_MS = 5_000


class Hq(Protocol):
    """What the page needs of HQ."""

    behaviour: Behaviour

    @property
    def ledger(self) -> Books:
        """The books."""


def make_app(hq: Hq) -> Flask:
    """Return the web application: `/`, `/state.json` and POST `/behaviour`."""
    app = Flask(__name__)

    @app.get("/")
    def page() -> Response:
        return Response(_PAGE.read_text(encoding="utf-8"), mimetype="text/html")

    @app.get("/state.json")
    def state() -> Response:
        return jsonify(state_of(hq))

    @app.post("/behaviour")
    def behave() -> tuple[Response, int]:
        wanted = request.get_json(silent=True)
        if not isinstance(wanted, dict):
            return jsonify(error="send a JSON object of switches"), 400
        try:
            hq.behaviour = hq.behaviour.changed(cast("dict[str, object]", wanted))
        except ValueError as error:
            return jsonify(error=str(error)), 400
        return jsonify(hq.behaviour.as_json()), 200

    return app


def state_of(hq: Hq) -> dict[str, object]:
    """Return all that the page shows, JSON-ready."""
    ledger = hq.ledger
    counted = {str(row["kind"]): int(str(row["count"])) for row in ledger.rows(_KINDS)}
    edges = ledger.rows(_EDGES, MAX_BOXES)
    words = ledger.words([(str(edge["site"]), str(edge["edge"])) for edge in edges])
    for edge in edges:
        word = words.get((str(edge["site"]), str(edge["edge"])), Word(0))
        edge |= {"through": word.through, "holes": list(word.holes)}
    workers = ledger.rows(_WORKERS, unix_ms() - GONE_MS)
    return {
        "connected": any(worker["connected"] for worker in workers),
        "behaviour": hq.behaviour.as_json(),
        "edges": edges,
        "boxes": ledger.rows(_BOXES)[0],
        "sales": ledger.rows("SELECT * FROM sales ORDER BY amount_fen DESC LIMIT 50"),
        "tenders": ledger.rows("SELECT * FROM tenders ORDER BY amount_fen DESC LIMIT 20"),
        "kinds": counted,
        "funnel": [{"kind": kind, "count": counted.get(kind, 0)} for kind in FUNNEL],
        "recent": ledger.rows(_RECENT),
        "dead_letters": ledger.rows(_DEAD),
        "workers": workers,
    }


_KINDS = "SELECT kind, sum(count) AS count FROM kinds GROUP BY kind"
_EDGES = """
SELECT * FROM edges
ORDER BY CASE WHEN lost + conflicts > 0 THEN 0 WHEN presence <> 'online' THEN 1 ELSE 2 END, site, edge LIMIT ?
"""
_BOXES = """
SELECT count(*) AS known, count(CASE WHEN presence = 'online' THEN 1 END) AS online,
    cast(coalesce(sum(settled), 0) AS bigint) AS applied, cast(coalesce(sum(repeats), 0) AS bigint) AS repeats
FROM boxes
"""
_RECENT = "SELECT site, edge, sequence, kind, subject, time FROM latest"
_DEAD = "SELECT site, edge, reason FROM dead_letters ORDER BY number DESC LIMIT 10"
_WORKERS = "SELECT * FROM workers WHERE seen_at >= ? ORDER BY name"
