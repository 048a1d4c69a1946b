"""How far HQ is behind, how fast events come, and how long the disk lasts: for pages, metrics and people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from edge.services.outbox_records import OutboxDepth, OutboxPace

DAY_MS = 86_400_000

#: No pace is told from less than this; a minute's rush says nothing of a day.
SHORTEST_MS = 10 * 60_000

#: The pace is that of the last day, as far as it is known.
LONGEST_MS = DAY_MS

#: What an event needs on disk beside its body, and what the records that it tells of need, in bytes.
#: Measured over 400 sales of three articles by wallet at a kiosk, four events each: 2,102 bytes an event, of
#: which 867 are its body and 893 stay when HQ has acknowledged it.
ROW_BYTES = 340
RECORD_BYTES = 900

#: An event's body, while none waits to be measured.
USUAL_BODY_BYTES = 900


@dataclass(frozen=True, slots=True)
class OutboxFigures:
    """Ages in seconds, None when there is nothing to tell.

    events_per_day: at the present pace. days_left: until new sales are refused, if HQ acknowledges nothing
    from now on and everything goes on as now.
    """

    depth: OutboxDepth
    oldest_age_s: int | None
    last_ack_age_s: int | None
    events_per_day: float | None
    days_left: float | None


def outbox_figures(
    depth: OutboxDepth, notes: Sequence[OutboxPace], spare_bytes: int | None, now_at: int
) -> OutboxFigures:
    """Return the figures. spare_bytes: what may be written before sales are refused, None when unknown."""
    pace = events_per_day(depth, notes, now_at)
    left = None
    if pace and spare_bytes is not None:
        left = max(0, spare_bytes) / (pace * bytes_per_event(depth))
    return OutboxFigures(
        depth,
        _age_s(depth.oldest_created_at, now_at),
        _age_s(depth.last_ack_at, now_at),
        pace,
        left,
    )


def events_per_day(depth: OutboxDepth, notes: Sequence[OutboxPace], now_at: int) -> float | None:
    """Return the pace over the last day or what is known of it; None while less than ten minutes are."""
    known = [one for one in notes if now_at - one.noted_at >= SHORTEST_MS]
    if not known:
        return None
    recent = [one for one in known if now_at - one.noted_at <= LONGEST_MS]
    since = recent[0] if recent else known[-1]
    return (depth.last_sequence - since.last_sequence) * DAY_MS / (now_at - since.noted_at)


def bytes_per_event(depth: OutboxDepth) -> int:
    """Return what one more event takes on disk, with the records that it tells of."""
    body = depth.waiting_bytes // depth.count if depth.count else USUAL_BODY_BYTES
    return body + ROW_BYTES + RECORD_BYTES


def figure_lines(figures: OutboxFigures) -> list[str]:
    """Return the figures in lines for people."""
    depth, pace, left = figures.depth, figures.events_per_day, figures.days_left
    lines = [
        f"waiting        {depth.count} events, {depth.waiting_bytes / 1024:.0f} KiB",
        f"oldest         {_ago(figures.oldest_age_s)}",
        f"last ack       {_ago(figures.last_ack_age_s)}",
        f"acknowledged   through {depth.acked_through} of {depth.last_sequence}",
        f"rejected       {depth.dead}" + (", list them with: outbox dead" if depth.dead else ""),
        f"pace           {'not known yet' if pace is None else f'{pace:,.0f} events a day'}",
    ]
    if left is not None:
        lines.append(f"disk lasts     {left:,.1f} days without HQ at this pace")
    return lines


def _age_s(at: int | None, now_at: int) -> int | None:
    return None if at is None else max(0, now_at - at) // 1000


def _ago(age_s: int | None) -> str:
    if age_s is None:
        return "never"
    for name, seconds in (("days", 172_800), ("hours", 7_200), ("minutes", 120)):
        if age_s >= seconds:
            unit = {"days": 86_400, "hours": 3_600, "minutes": 60}[name]
            return f"{age_s // unit} {name} ago"
    return f"{age_s} s ago"
