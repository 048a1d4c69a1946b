"""What must hold after a crowd: nothing paid twice, and at HQ each paid order once with a whole chain."""

from __future__ import annotations

import json
import threading
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any

import httpx

from sim.clocks import monotonic_s
from sim.crowd.phone import Phone

#: Seconds until HQ must have heard of everything that was paid.
SETTLE_S = 60.0
_LOOK_S = 0.5
_START_FEN = 1_000_000

Event = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Audited:
    """What was looked at, and what did not hold."""

    paid: int
    at_hq: int
    whole_chains: int
    steps: int
    violations: tuple[str, ...]


def audit(phones: Sequence[Phone], hq_url: str, stop: threading.Event) -> Audited:
    """Hold the phones' own memories against their wallets and HQ's books."""
    paid = {one.order_id: one.amount_fen for phone in phones for one in phone.paid}
    with httpx.Client(base_url=hq_url, timeout=20.0, trust_env=False) as hq:
        orders, sales, steps = _await_hq(hq, set(paid), stop)
    violations = [*_await_wallets(phones, stop), *_orders(paid, orders), *_chains(paid, sales, steps)]
    whole = sum(1 for one in paid if not any(one in said for said in violations))
    return Audited(
        len(paid), len(set(paid) & {one["order_id"] for one in orders}), whole, len(steps), tuple(violations)
    )


def _await_hq(
    hq: httpx.Client, wanted: set[str], stop: threading.Event
) -> tuple[list[Event], list[Event], list[Event]]:
    """Return what HQ knows of orders, credits and steps, as soon as it knows all orders, or late."""
    end_s = monotonic_s() + SETTLE_S
    while True:
        orders, sales = _events(hq, "order.paid"), _events(hq, "sale.attributed")
        known = {one["order_id"] for one in orders} & {one["order_id"] for one in sales}
        if wanted <= known or monotonic_s() > end_s or stop.wait(_LOOK_S):
            return orders, sales, _events(hq, "conversion.step")


def _await_wallets(phones: Sequence[Phone], stop: threading.Event) -> list[str]:
    """Return what is wrong with the wallets once money that goes back had time to arrive."""
    end_s = monotonic_s() + SETTLE_S
    while True:
        wrong = list(_wallets(phones))
        if not wrong or monotonic_s() > end_s or stop.wait(_LOOK_S):
            return wrong


def _events(hq: httpx.Client, kind: str) -> list[Event]:
    found: list[Event] = []
    while True:
        rows = hq.get("/events.json", params={"kind": kind, "skip": len(found)}).json()
        found += [json.loads(row["data"]) if isinstance(row["data"], str) else row["data"] for row in rows]
        if not rows:
            return found


def _wallets(phones: Sequence[Phone]) -> Iterator[str]:
    for phone in phones:
        if not phone.wallet_id:
            continue
        state = phone.office.get("wallet state", f"/sim/phone/{phone.wallet_id}/state")
        wallet: Any = state["wallet"]
        spent = _START_FEN - int(wallet["balance_fen"])
        owed = sum(one.amount_fen for one in phone.paid) - phone.back_fen
        if spent != owed:
            yield f"wallet {phone.wallet_id} is {spent} fen lighter, and its phone paid {owed} fen"


def _orders(paid: Mapping[str, int], orders: Sequence[Event]) -> Iterator[str]:
    told = Counter(one["order_id"] for one in orders)
    totals = {one["order_id"]: one["total_fen"] for one in orders}
    for order_id, amount_fen in paid.items():
        if told[order_id] != 1:
            yield f"order {order_id} was told to HQ {told[order_id]} times as paid"
        elif totals[order_id] != amount_fen:
            yield f"order {order_id} cost {amount_fen} fen on the phone and {totals[order_id]} at HQ"


def _chains(paid: Mapping[str, int], sales: Sequence[Event], steps: Sequence[Event]) -> Iterator[str]:
    ends = Counter((one["order_id"], one["step"]) for one in steps)
    seen = {(one["correlation"], one["touchpoint"]) for one in steps}
    credits: defaultdict[str, list[Event]] = defaultdict(list)
    for sale in sales:
        credits[sale["order_id"]].append(sale)
    for order_id in paid:
        if len(credits[order_id]) != 1:
            yield f"order {order_id} was credited {len(credits[order_id])} times"
            continue
        # A stay is paid and nothing bought; goods may bring parking, and are bought once.
        if (ends[order_id, "bought"] or ends[order_id, "parked"]) != 1:
            yield f"order {order_id} was told as bought {ends[order_id, 'bought']} times"
        yield from _touches(credits[order_id][0], seen)


def _touches(sale: Event, seen: Set[tuple[str, str]]) -> Iterator[str]:
    missing = [one for one in sale["touches"] if (sale["correlation"], one["touchpoint"]) not in seen]
    if missing or not sale["touches"]:
        yield f"order {sale['order_id']}'s chain is not whole: {missing or 'no touch at all'}"
