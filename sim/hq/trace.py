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
from sim.hq.trace_words import LANGUAGES, ZONE_NAME, kind_name, local_time, mark_name, told_of

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
    return {"of": word, "events": events[:MAX_EVENTS], "chain": chain(events, word)}


def ask(url: str, word: str) -> Mapping[str, object]:
    """Return a trace from HQ's page at `url`; raises OSError when it does not answer."""
    with urlopen(f"{url.rstrip('/')}/trace.json?{urlencode({'of': word})}", timeout=15) as answer:
        return cast("Mapping[str, object]", json.load(answer))


def chain(events: Sequence[Found], word: str = "") -> Mapping[str, str]:
    """Return for each of CHAIN when it happened, "" for what did not, in the order of time, these last.

    word: where the trace begins. Of an order, the purchase, its points and its parking are that order's own,
    whatever else was bought on the way; the car drove out after it.
    """
    own = next((str(one["data"]["order_id"]) for one in events if _is_order(one, word)), "")
    bought_at = next((one["time"] for one in events if own and _is_order(one, own)), "")
    marks = {}
    for name in CHAIN:
        mine = (one for one in events if _IS[name](one) and _of_order(name, one, own, bought_at))
        marks[name] = next((str(one["time"]) for one in mine), "")
    return dict(sorted(marks.items(), key=lambda mark: (not mark[1], mark[1], CHAIN.index(mark[0]))))


def lines(found: Mapping[str, object]) -> list[str]:
    """Return a trace as lines for a terminal."""
    events = cast("Sequence[Found]", found["events"])
    if not events:
        return [f"HQ knows nothing of {found['of']}"]
    rows = [f"{local_time(one['time'])[11:]}  {one['kind']:<20} {one['words']}" for one in events]
    # JSON does not keep an order.
    marks = sorted(cast("Mapping[str, str]", found["chain"]).items(), key=lambda mark: (not mark[1], mark[1]))
    whole = "  ".join(f"{mark_name(name, 'en')} {local_time(at)[11:19] or '-'}" for name, at in marks)
    day = f"{local_time(events[0]['time'])[:10]} {ZONE_NAME}"
    return [f"{day}  {len(events)} events of {found['of']}", *rows, whole]


def for_page(found: Mapping[str, object]) -> Mapping[str, object]:
    """Return what the page shows of a trace: names and words as {"zh", "en"}, local times."""
    events = cast("Sequence[Found]", found["events"])
    shown = [
        {
            **one,
            "at": local_time(one["time"]),
            "name": {each: kind_name(one["kind"], each) for each in LANGUAGES},
            "said": {each: told_of(one["kind"], one["data"], each) for each in LANGUAGES},
        }
        for one in events
    ]
    marks = [
        ({each: mark_name(name, each) for each in LANGUAGES}, local_time(at)[:19])
        for name, at in cast("Mapping[str, str]", found["chain"]).items()
    ]
    return {"of": found["of"], "events": shown, "marks": marks}


def _look(books: Books, words: Sequence[str], limit: int) -> list[Found]:
    found = []
    for word in words:
        # What _has then looks at closely: LIKE takes % and _ for anything.
        for row in books.rows(_EVENTS, word, f'%"{word}"%', limit):
            data = json.loads(str(row["data"]))
            if row["subject"] == word or _has(data, word):
                found.append({**row, "data": data, "words": told_of(str(row["kind"]), data, "en")})
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


def _is_order(event: Found, word: str) -> bool:
    data = event["data"]
    return event["kind"] == "order.paid" and word in (data.get("order_id"), data.get("number"))


def _of_order(mark: str, event: Found, order: str, bought_at: str) -> bool:
    """Whether an event may stand for a mark of an order's trace; "" for a trace of something else."""
    if not order or mark in ("touched", "joined"):
        return True
    if mark == "left":
        return str(event["time"]) >= bought_at
    return order in (event["data"].get("order_id"), event["data"].get("source"))


def _key(event: Found) -> tuple[str, str, int, str]:
    return str(event["site"]), str(event["edge"]), int(event["sequence"]), str(event["kind"])


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
