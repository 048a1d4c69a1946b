"""One shopper event by event, from what HQ was told alone: first touch, sale, points, parking, and back.

Begins at an order's id or number, a way's correlation id, a member's, receipt's or stay's id, and follows
what the events found name in turn.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast
from urllib.parse import urlencode
from urllib.request import urlopen

from sim.hq.books import Books

#: Fields that lead on from an event, and those whose events are taken in without leading any further: what a
#: member, a stay or a ticket has to do with other purchases is no part of this one.
LEADING = ("order_id", "correlation", "refund_id", "validation_id", "receipt_id")
NAMED = ("member_id", "absorbed_id", "session_id", "ticket_id", "lease_id")

#: Events of one trace, and steps from where it begins.
MAX_EVENTS = 400
MAX_HOPS = 6

#: By what a chain is whole, in order.
CHAIN = ("touched", "bought", "joined", "points", "parked", "left")

Found = dict[str, Any]


def trace(books: Books, word: str) -> Mapping[str, object]:
    """Return {"of", "chain", "events"} of a word; an event has time, box, sequence, kind, words and data."""
    found: dict[tuple[str, str, int, str], Found] = {}
    asked: set[str] = set()
    waiting, named = {word}, set[str]()
    for _ in range(MAX_HOPS):
        fresh = sorted(waiting - asked)
        if not fresh or len(found) >= MAX_EVENTS:
            break
        asked |= set(fresh)
        for event in _look(books, fresh, MAX_EVENTS - len(found)):
            found[_key(event)] = event
            waiting |= _fields(event["data"], LEADING)
            named |= _fields(event["data"], NAMED)
    of_way = {one for one in asked if one != word}
    for event in _look(books, sorted(named - asked), MAX_EVENTS):
        if _belongs(event, asked | of_way):
            found.setdefault(_key(event), event)
    events = sorted(found.values(), key=lambda one: (one["time"], one["edge"], one["sequence"]))
    return {"of": word, "events": events[:MAX_EVENTS], "chain": chain(events)}


def ask(url: str, word: str) -> Mapping[str, object]:
    """Return a trace from HQ's page at `url`; raises OSError when it does not answer."""
    with urlopen(f"{url.rstrip('/')}/trace.json?{urlencode({'of': word})}", timeout=15) as answer:
        return cast("Mapping[str, object]", json.load(answer))


def chain(events: Sequence[Found]) -> Mapping[str, str]:
    """Return for each of CHAIN when it happened, "" for what did not."""
    return {name: next((one["time"] for one in events if _IS[name](one)), "") for name in CHAIN}


def lines(found: Mapping[str, object]) -> list[str]:
    """Return a trace as lines for a terminal."""
    events = cast("Sequence[Found]", found["events"])
    if not events:
        return [f"HQ knows nothing of {found['of']}"]
    rows = [f"{one['time'][11:23]}  {one['kind']:<20} {one['words']}" for one in events]
    marks = cast("Mapping[str, str]", found["chain"])
    whole = "  ".join(f"{name} {marks[name][11:19] or '-'}" for name in CHAIN)
    return [f"{events[0]['time'][:10]}  {len(events)} events of {found['of']}", *rows, whole]


def _look(books: Books, words: Sequence[str], limit: int) -> list[Found]:
    found = []
    for word in words:
        # What _has then looks at closely: LIKE takes % and _ for anything.
        for row in books.rows(_EVENTS, word, f'%"{word}"%', limit):
            data = json.loads(str(row["data"]))
            if row["subject"] == word or _has(data, word):
                found.append({**row, "data": data, "words": _words(str(row["kind"]), data)})
    return found


def _has(data: object, word: str) -> bool:
    if isinstance(data, dict):
        return any(_has(one, word) for one in data.values())
    if isinstance(data, list):
        return any(_has(one, word) for one in data)
    return data == word


def _fields(data: Mapping[str, object], names: Sequence[str]) -> set[str]:
    return {str(data[name]) for name in names if data.get(name)}


def _belongs(event: Found, strong: set[str]) -> bool:
    """Whether an event of a member, stay or ticket is of this purchase: none that names another one."""
    named = _fields(event["data"], ("order_id", "correlation")) | _fields(event["data"], ("source",))
    others = {one for one in named if not one.startswith("points:")}
    return not others or bool(others & strong)


def _key(event: Found) -> tuple[str, str, int, str]:
    return str(event["site"]), str(event["edge"]), int(event["sequence"]), str(event["kind"])


def _words(kind: str, data: Mapping[str, Any]) -> str:
    said = _SAID.get(kind)
    if said is not None:
        return said(data)
    plain = ((name, value) for name, value in data.items() if value and isinstance(value, (str, int, bool)))
    shown = [f"{name} {value}" for name, value in plain if not name.endswith(("_id", "_hmac", "_at"))]
    return ", ".join(shown[:5])


def _yuan(fen: object) -> str:
    return f"{int(str(fen or 0)) / 100:.2f}"


def _step(data: Mapping[str, Any]) -> str:
    more = [f"{name} {data[name]}" for name in ("guide", "campaign", "variant") if data.get(name)]
    return ", ".join([f"{data['step']} at {data['touchpoint']}", *more])


def _points(data: Mapping[str, Any]) -> str:
    parts = [f"{one['kind']} {one['points']:+d}" for one in data["entries"]]
    return f"{', '.join(parts)} for {data['source'] or data['reason'] or data['by']}"


def _validation(data: Mapping[str, Any]) -> str:
    benefit = data["benefit"]
    return f"{benefit['kind']} {benefit['value']} by {data['source']} {data['reference']}, {data['state']}"


def _landing(data: Mapping[str, Any]) -> str:
    version = f"{data.get('version', '')}{data.get('variant', '')}"
    return f"{data['landing_id']} {version} for {data.get('occasion', 'any')} on {data['surface']}"


def _sale(data: Mapping[str, Any]) -> str:
    return f"{_yuan(data['amount_fen'])} yuan: {data['explained_en']}"


_SAID: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "conversion.step": _step,
    "order.paid": lambda data: f"{data['number']}: {_yuan(data['total_fen'])} yuan",
    "points.changed": _points,
    "validation.granted": _validation,
    "validation.revoked": _validation,
    "validation.used": _validation,
    "landing.shown": _landing,
    "landing.opened": _landing,
    "landing.join": _landing,
    "landing.follow": _landing,
    "sale.attributed": _sale,
    "sale.reversed": lambda data: f"{_yuan(data.get('left_fen'))} yuan of it are left",
    "member.joined": lambda data: (
        f"at {data['touchpoint']}" + (" provisional" if data["provisional"] else "")
    ),
    "member.merged": lambda data: f"{data['absorbed_id']} is {data['member_id']} by {data['why']}",
}

_IS: Mapping[str, Callable[[Found], bool]] = {
    "touched": lambda one: one["kind"] == "conversion.step",
    "bought": lambda one: one["kind"] == "order.paid",
    "joined": lambda one: one["kind"] == "member.joined",
    "points": lambda one: one["kind"] == "points.changed",
    "parked": lambda one: one["kind"] == "validation.granted",
    "left": lambda one: one["kind"] == "parking.left",
}

_EVENTS = """
SELECT site, edge, sequence, kind, subject, time, data FROM events
WHERE subject = ? OR data LIKE ? ORDER BY time, sequence LIMIT ?
"""
