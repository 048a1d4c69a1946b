"""How far HQ is behind, and what it has rejected."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import cast

from flask import Blueprint, request

from edge.web.desk import Desk, Json, WebSettings
from edge.web.staff.frame import Link, StaffPage, local_times, show
from edge.web.staff.plot import plot_depth, short, trend_of


def page(desk: Desk, settings: WebSettings) -> StaffPage:
    """Return the page /staff/outbox."""
    local_time = local_times(settings)

    def add(routes: Blueprint) -> None:
        @routes.get("/outbox")
        def outbox() -> str:
            status = desk.status()
            history = cast("Mapping[str, Sequence[tuple[int, int]]]", status["outbox"])["history"]
            return show(
                "outbox",
                status=status,
                plot=plot_depth(history),
                trend=trend_of(history),
                short=short,
                local_time=local_time,
                done=_done(),
                reasons=_reasons(cast("Mapping[str, Sequence[Json]]", status["outbox"]).get("letters", ())),
            )

    return StaffPage(add, lambda: [Link("/staff/outbox", "staff_outbox")])


def _reasons(letters: Sequence[Json]) -> list[tuple[str, int]]:
    """Return the reasons for which HQ rejected several, with how many are shown, most first."""
    counted = Counter(str(letter["reason"]) for letter in letters)
    return [(reason, count) for reason, count in counted.most_common() if count > 1]


def _done() -> dict[str, int] | None:
    """Return what was just done with a dead letter, as the address tells it."""
    asked = request.args
    numbers = {name: max(0, asked.get(name, 0, int)) for name in ("sequence", "again", "count")}
    return numbers if "count" in asked or numbers["sequence"] else None
