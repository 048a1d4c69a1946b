"""HQ's page: what it knows, as HTML and JSON, commands to boxes, and the switches."""

from __future__ import annotations

import re
import threading
from pathlib import Path
from typing import Protocol, cast

from flask import Flask, Response, jsonify, render_template_string, request

from sim.clocks import unix_ms
from sim.commander import Commander, Wish
from sim.hq.behaviour import Behaviour
from sim.hq.books import Books
from sim.hq.reading import UNTRUSTED_MS, Word
from sim.hq.trace import for_page, trace
from sim.hq.trace_words import LANGUAGES, ZONE_NAME, kind_name, local_time

_PLACE = re.compile(r"[a-z0-9-]{1,32}", re.ASCII)
_PAGE, _TRACE = Path(__file__).with_name("page.html"), Path(__file__).with_name("trace.html")

#: Choosing to join is a tap on the page; a member is who then gave what it takes, as the box's funnel counts.
FUNNEL = ("order.paid", "landing.shown", "landing.opened", "landing.join", "member.joined", "landing.follow")

#: Boxes listed; of more, those that need a look come first. Holes are told for so many of them.
MAX_BOXES = 200

#: The longest word that a trace begins at.
MAX_WORD = 64

#: Events that one answer holds; ask again with `skip` for more.
MAX_EVENTS = 500

#: A worker that has not written down how it fares for this long is gone.
GONE_MS = 5_000

#: How long the page waits for a box's answer to a command, and how many wait at once: each holds a thread.
COMMAND_S = 10.0
COMMANDS_AT_ONCE = 2


class Hq(Protocol):
    """What the page needs of HQ."""

    behaviour: Behaviour
    broker: tuple[str, int]

    @property
    def ledger(self) -> Books:
        """The books."""


def make_app(hq: Hq) -> Flask:
    """Return the web application.

    `/`, `/state.json`, `/events.json`, `/trace` and `/trace.json` of one shopper, POST `/behaviour`, POST
    `/commands`.
    """
    app = Flask(__name__)

    @app.get("/")
    def page() -> Response:
        return Response(_PAGE.read_text(encoding="utf-8"), mimetype="text/html")

    @app.get("/state.json")
    def state() -> Response:
        return jsonify(state_of(hq))

    @app.get("/events.json")
    def events() -> Response:
        skip = max(0, request.args.get("skip", 0, type=int))
        return jsonify(hq.ledger.rows(_EVENTS, request.args.get("kind", ""), MAX_EVENTS, skip))

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

    _add_traces(app, hq)
    _add_commands(app, hq)
    return app


def wish_of(given: object) -> Wish:
    """Return the command that was asked for as JSON; raise ValueError naming what is wrong."""
    if not isinstance(given, dict):
        raise ValueError("send a JSON object of site, edge, kind, issued_by and arguments")
    arguments = given.get("arguments", {})
    if not isinstance(arguments, dict):
        raise ValueError("arguments must be an object of texts")
    named = {name: given.get(name) for name in ("site", "edge", "kind", "issued_by")}
    texts = {**named, **{f"arguments.{name}": value for name, value in arguments.items()}}
    for name, value in texts.items():
        if not isinstance(value, str) or not 0 < len(value) <= 200 or not value.isprintable():
            raise ValueError(f"{name} must be a text of 1 to 200 printable characters")
    for name in ("site", "edge"):
        if _PLACE.fullmatch(str(named[name])) is None:
            raise ValueError(f"{name} {named[name]!r} is no name of a {name}")
    site, edge, kind, issued_by = (str(value) for value in named.values())
    return Wish(site, edge, kind, arguments, issued_by, life_s=COMMAND_S)


def _add_traces(app: Flask, hq: Hq) -> None:
    @app.get("/trace.json")
    def traced() -> Response:
        return jsonify(trace(hq.ledger, request.args.get("of", "").strip()[:MAX_WORD]))

    @app.get("/trace")
    def trace_page() -> str:
        word = request.args.get("of", "").strip()[:MAX_WORD]
        found = for_page(trace(hq.ledger, word)) if word else None
        style = _PAGE.read_text(encoding="utf-8").partition("<style>")[2].partition("</style>")[0]
        template = _TRACE.read_text(encoding="utf-8")
        return render_template_string(template, found=found, word=word, style=style, zone=ZONE_NAME)


def _add_commands(app: Flask, hq: Hq) -> None:
    commanding = threading.BoundedSemaphore(COMMANDS_AT_ONCE)

    @app.post("/commands")
    def command() -> tuple[Response, int]:
        try:
            wish = wish_of(request.get_json(silent=True))
        except ValueError as error:
            return jsonify(error=str(error)), 400
        if not commanding.acquire(blocking=False):
            return jsonify(error="other commands wait for their boxes; try again in some seconds"), 503
        try:
            return _ordered(hq, wish)
        finally:
            commanding.release()


def _ordered(hq: Hq, wish: Wish) -> tuple[Response, int]:
    host, port = hq.broker
    try:
        with Commander(port, host) as commander:
            answer = commander.command(wish, COMMAND_S)
    except ConnectionError as error:
        return jsonify(error=str(error)), 503
    if answer is None:
        text = f"{wish.site}/{wish.edge} has not answered in {COMMAND_S:.0f} s; the command has expired"
        return jsonify(error=text), 504
    return jsonify(answer), 200


def state_of(hq: Hq) -> dict[str, object]:
    """Return all that the page shows, JSON-ready."""
    ledger = hq.ledger
    counted = {str(row["kind"]): int(str(row["count"])) for row in ledger.rows(_KINDS)}
    edges = ledger.rows(_EDGES, MAX_BOXES)
    words = ledger.words([(str(edge["site"]), str(edge["edge"])) for edge in edges])
    for edge in edges:
        word = words.get((str(edge["site"]), str(edge["edge"])), Word(0))
        edge |= {"through": word.through, "holes": list(word.holes)}
        edge["last_at"] = local_time(str(edge["last_time"]))
        edge["late_ms"] = None if edge["late_ms"] == UNTRUSTED_MS else edge["late_ms"]
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
        "recent": [_named(row) for row in ledger.rows(_RECENT)],
        "dead_letters": ledger.rows(_DEAD),
        "workers": workers,
    }


def _named(event: dict[str, object]) -> dict[str, object]:
    """Return an event with its name as {"zh", "en"} and its local time."""
    names = {each: kind_name(str(event["kind"]), each) for each in LANGUAGES}
    return event | {"name": names, "at": local_time(str(event["time"]))}


_KINDS = "SELECT kind, sum(count) AS count FROM kinds GROUP BY kind"
_EDGES = """
SELECT * FROM edges
ORDER BY CASE WHEN lost + conflicts > 0 THEN 0 WHEN presence <> 'online' THEN 1 ELSE 2 END, site, edge LIMIT ?
"""
_BOXES = """
SELECT count(*) AS known, count(CASE WHEN presence = 'online' THEN 1 END) AS online,
    cast(coalesce(sum(CASE WHEN newest > settled THEN newest - settled END), 0) AS bigint) AS backlog,
    cast(coalesce(sum(settled), 0) AS bigint) AS applied, cast(coalesce(sum(repeats), 0) AS bigint) AS repeats
FROM boxes
"""
_EVENTS = """
SELECT event_id, sequence, kind, subject, time, data FROM events
WHERE kind = ? ORDER BY sequence, event_id LIMIT ? OFFSET ?
"""
_RECENT = "SELECT site, edge, sequence, kind, subject, time FROM latest"
_DEAD = "SELECT site, edge, reason FROM dead_letters ORDER BY number DESC LIMIT 10"
_WORKERS = "SELECT * FROM workers WHERE seen_at >= ? ORDER BY name"
