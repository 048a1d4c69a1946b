"""The event that all of them store: a paid order of two lines, as HQ is sent it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from edge.services.events import Json, Origin, order_paid, record_event
from tests.bench.queues.contenders import BLANK
from tests.unit.hq_samples import CountingIds, ManualClock, MemoryOutbox, paid_order

ORIGIN = Origin("demo-mall", "till-1")


def paid() -> dict[str, Json]:
    """Return the data of the event."""
    return dict(order_paid(paid_order()))


def template() -> str:
    """Return the event's own bytes as text, with BLANK where the number belongs."""
    unit: Any = SimpleNamespace(outbox=MemoryOutbox())
    data = {**paid(), "order_id": BLANK}
    message = record_event(unit, CountingIds(), ManualClock().now(), ORIGIN, "order.paid", BLANK, data)
    return message.body.decode()
