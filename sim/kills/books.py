"""The box's books and HQ's, held together once all is quiet: each event has one effect, money balances."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from sim.clocks import monotonic_s

#: Seconds within which all that happened must be known at HQ.
SETTLE_S = 60.0
_LOOK_S = 0.02


def waiting(folder: Path) -> int:
    """Return how many events of the box in `folder` HQ has not acknowledged."""
    return int(_one(folder / "state" / "edge.db", "SELECT waiting FROM outbox_head"))


def newest(folder: Path) -> int:
    """Return the sequence of the newest event that the box has committed."""
    return int(_one(folder / "state" / "edge.db", "SELECT last_sequence FROM outbox_head"))


def settled(folder: Path, stop: threading.Event, within_s: float = SETTLE_S) -> bool:
    """Wait until HQ has acknowledged everything; return whether it has."""
    end_s = monotonic_s() + within_s
    while waiting(folder):
        if monotonic_s() > end_s or stop.wait(_LOOK_S):
            return False
    return True


def compare_at_rest(folder: Path, stop: threading.Event, taken_fen: Callable[[], int]) -> list[str]:
    """Return what does not hold once HQ has acknowledged everything.

    What the box commits of its own accord in the middle of the look is no fault: then it is looked at anew.
    """
    end_s = monotonic_s() + SETTLE_S
    while True:
        last = newest(folder)
        late = [] if settled(folder, stop) else ["the outbox does not empty"]
        found = [*late, *compare(folder, taken_fen)]
        if not found or late or newest(folder) == last or monotonic_s() > end_s:
            return found


def compare(folder: Path, taken_fen: Callable[[], int] | None = None) -> list[str]:
    """Return what does not hold between box and HQ; wait with `settled` before.

    taken_fen: what the gateway kept in all, None leaves it out.
    """
    with closing(_open(folder / "state" / "edge.db")) as box, closing(_open(folder / "hq" / "hq.db")) as hq:
        found = [*_events(box, hq), *_orders(box, hq), *_money(box)]
        if taken_fen is not None:
            found += _taken(box, taken_fen())
    return found


def _events(box: sqlite3.Connection, hq: sqlite3.Connection) -> Iterator[str]:
    last, left = box.execute("SELECT last_sequence, waiting FROM outbox_head").fetchone()
    told = Counter(row[0] for row in hq.execute("SELECT sequence FROM events"))
    lost = sorted(set(range(1, last + 1)) - set(told))
    twice = sorted(sequence for sequence, count in told.items() if count > 1)
    if left:
        yield f"{left} events still wait in the outbox"
    if lost:
        yield f"{len(lost)} of {last} committed events are not at HQ, the first is {lost[0]}"
    if twice:
        yield f"{len(twice)} events took effect at HQ more than once, the first is {twice[0]}"
    beyond = sorted(set(told) - set(range(1, last + 1)))
    if beyond:
        yield f"HQ has {len(beyond)} events that the box never committed, the first is {beyond[0]}"
    conflicts, missed = hq.execute("SELECT total(conflicts), total(lost) FROM edges").fetchone()
    if conflicts or missed:
        yield f"HQ counted {conflicts:.0f} conflicts and {missed:.0f} lost events"


def _orders(box: sqlite3.Connection, hq: sqlite3.Connection) -> Iterator[str]:
    ours: Mapping[str, int] = dict(box.execute("SELECT order_id, total_fen FROM orders WHERE state = 'paid'"))
    told: list[Any] = [
        json.loads(row[0]) for row in hq.execute("SELECT data FROM events WHERE kind = 'order.paid'")
    ]
    theirs = {one["order_id"]: one["total_fen"] for one in told}
    if theirs != ours or len(told) != len(theirs):
        odd = sorted(set(ours.items()) ^ set(theirs.items()))
        yield f"the box has {len(ours)} paid orders, HQ was told of {len(told)}: {odd[:3]}"
    sales = int(hq.execute("SELECT total(amount_fen) FROM sales").fetchone()[0])
    if sales != sum(ours.values()):
        yield f"HQ's turnover is {sales} fen, the box's {sum(ours.values())}"


def _money(box: sqlite3.Connection) -> Iterator[str]:
    odd = box.execute(
        "SELECT posting_id, sum(amount_fen) FROM entries GROUP BY posting_id HAVING sum(amount_fen) <> 0"
    ).fetchall()
    if odd:
        yield f"{len(odd)} postings do not balance, the first is {odd[0][0]} by {odd[0][1]} fen"
    short = box.execute(
        "SELECT order_id FROM orders JOIN tenders USING (order_id) WHERE state = 'paid'"
        " GROUP BY order_id HAVING sum(tenders.amount_fen) <> max(total_fen)"
    ).fetchall()
    if short:
        yield f"order {short[0][0]} is paid by tenders of another sum"


def _taken(box: sqlite3.Connection, taken_fen: int) -> Iterator[str]:
    tendered = int(box.execute("SELECT total(amount_fen) FROM tenders WHERE kind <> 'cash'").fetchone()[0])
    back = int(box.execute(_BACK).fetchone()[0])
    if tendered - back != taken_fen:
        yield f"the gateway kept {taken_fen} fen, the box's books say {tendered - back}"


_BACK = "SELECT total(amount_fen) FROM refund_legs WHERE state = 'done'"


def _one(path: Path, query: str) -> int:
    with closing(_open(path)) as db:
        return int(db.execute(query).fetchone()[0])


def _open(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)
