"""Have a person look at something, once; and note who closed it, and why."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace

from edge.clock import Instant
from edge.errors import Invalid
from edge.services.box import Box
from edge.services.records import Unit
from edge.services.work_records import WorkItem, WorkKind

#: Who closes what has settled itself.
SERVICE = "service"

#: The longest reason that is kept, and the shortest that says anything.
MAX_REASON = 200
MIN_REASON = 2


def raise_work(
    unit: Unit,
    box: Box,
    now: Instant,
    kind: WorkKind,
    reference: str,
    facts: Mapping[str, str | int],
    day: str = "",
) -> WorkItem:
    """Open a work item unless there is one about the same thing already, open or closed; return it."""
    known = unit.work_items.find(kind, reference)
    if known is not None:
        return known
    text = json.dumps(dict(facts), ensure_ascii=False)
    item = WorkItem(box.ids.new_id(), kind, reference, now.wall_at, text, day)
    unit.work_items.put(item)
    return item


def end_work(unit: Unit, now: Instant, kind: WorkKind, reference: str, by: str, reason: str) -> None:
    """Close the item about `reference`, if one is open, as it waits for nobody any more."""
    item = unit.work_items.find(kind, reference)
    if item is not None and item.is_open:
        unit.work_items.put(replace(item, closed_at=now.wall_at, closed_by=by, reason=reason))


def close_work(box: Box, item_id: str, by: str, reason: str) -> WorkItem:
    """Close a work item; closing it again changes nothing. Raise Invalid without a reason."""
    words = " ".join(reason.split())
    if not MIN_REASON <= len(words) <= MAX_REASON:
        raise Invalid(f"a work item is closed with a reason of {MIN_REASON} to {MAX_REASON} characters")
    now = box.clock.now()

    def work(unit: Unit) -> WorkItem:
        item = unit.work_items.get(item_id)
        if item is None:
            raise Invalid(f"there is no work item {item_id}; look at the list again")
        if not item.is_open:
            return item
        closed = replace(item, closed_at=now.wall_at, closed_by=by, reason=words)
        unit.work_items.put(closed)
        return closed

    return box.store.write(work)
