"""A mall for the simulated phone: who stands at its counters, what its till finds and what HQ heard."""

from __future__ import annotations

import json
import threading
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

from sim.crowd.calls import Calls, Meter
from sim.crowd.counter import GuideAtCounter
from sim.crowd.desk import Desk
from sim.mall import Mall
from sim.mall_config import DEMO_PIN

Guides = Mapping[str, GuideAtCounter]
Event = Mapping[str, Any]


@contextmanager
def stand_at_counters(mall: Mall) -> Iterator[Guides]:
    """Have a guide signed in at each counter; by tenant."""
    meter, stop = Meter(), threading.Event()
    with ExitStack() as kept:

        def stand(counter: str, guide: str, tenant: str) -> GuideAtCounter:
            calls = kept.enter_context(Calls(mall.url, meter, stop))
            return GuideAtCounter(calls, counter, guide, DEMO_PIN, tenant, stop)

        yield {"bakery": stand("C01", "chen", "bakery"), "books": stand("C02", "lin", "books")}


@contextmanager
def supervisor(mall: Mall) -> Iterator[Desk]:
    """Sit down at the staff's pages."""
    with Calls(mall.url, Meter(), threading.Event()) as calls:
        yield Desk(calls, DEMO_PIN)


def waiting_tickets(mall: Mall) -> list[str]:
    """Return the ids of the tickets that the till can collect."""
    with urllib.request.urlopen(f"{mall.url}/api/kiosk/T01/tickets?text=") as answer:
        return [one["id"] for one in json.load(answer) if not one["problem"]]


def at_hq(mall: Mall, kind: str, **wanted: object) -> list[Event]:
    """Return the data of the events of a kind that HQ has, whose fields are as wanted."""
    with urllib.request.urlopen(f"{mall.hq_url}/events.json?kind={kind}") as answer:
        told = [json.loads(one["data"]) for one in json.load(answer)]
    return [one for one in told if all(one[name] == value for name, value in wanted.items())]


def steps_of(mall: Mall, order_id: str) -> set[str]:
    """Return the steps at HQ of the way that led to an order, from its first touch on."""
    ways = {one["correlation"] for one in at_hq(mall, "conversion.step", order_id=order_id)}
    return {one["step"] for one in at_hq(mall, "conversion.step") if one["correlation"] in ways}


def points_left(mall: Mall, member_id: str) -> int:
    """Return what HQ counts of a member's points."""
    told = at_hq(mall, "points.changed", member_id=member_id)
    return sum(int(entry["points"]) for one in told for entry in one["entries"])


def credited_to(mall: Mall, touchpoint: str) -> list[Event]:
    """Return the sales at HQ whose way went by a touchpoint."""
    sales = at_hq(mall, "sale.attributed")
    return [one for one in sales if touchpoint in {touch["touchpoint"] for touch in one["touches"]}]
