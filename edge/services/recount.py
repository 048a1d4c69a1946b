"""Put the count of a zone right, with a reason."""

from __future__ import annotations

from collections.abc import Callable

from edge.errors import Invalid
from edge.services.box import Box
from edge.services.count_zone import ZoneCount, count_zone
from edge.services.parking_events import tell_occupancy
from edge.services.passage_records import Correction, CorrectionReason
from edge.services.records import Unit

#: The most vehicles that one correction adds or takes, and the letters of a note.
MAX_DELTA = 10_000
MAX_NOTE = 200


def recount(box: Box, zone_name: str, counted: int, by: str, note: str = "") -> ZoneCount:
    """Take what somebody counted inside a zone; return how it counts then. Raises Invalid for what cannot
    be."""
    if not 0 <= counted <= MAX_DELTA:
        raise Invalid(f"{counted} vehicles cannot be inside; count 0 to {MAX_DELTA}")

    zone = box.parking.facility.zone(zone_name)
    if zone is not None and zone.spaces and counted > zone.spaces + zone.spaces // 10:
        raise Invalid(
            f"zone {zone.name} has {zone.spaces} spaces: {counted} vehicles cannot be inside; count again, "
            "or put its spaces right in the configuration"
        )

    def delta(count: ZoneCount) -> int:
        return counted - (count.inside + count.corrected)

    return _correct(box, zone_name, delta, CorrectionReason.RECOUNT, by, note, counted)


def correct_count(
    box: Box, zone_name: str, delta: int, reason: CorrectionReason, by: str, note: str = ""
) -> ZoneCount:
    """Add or take vehicles from a zone's count; return how it counts then. Raises Invalid for what cannot
    be."""
    if not 0 < abs(delta) <= MAX_DELTA:
        raise Invalid(f"a count is corrected by 1 to {MAX_DELTA} vehicles, not {delta}")
    return _correct(box, zone_name, lambda count: delta, reason, by, note, None)


def _correct(
    box: Box,
    zone_name: str,
    delta: Callable[[ZoneCount], int],
    reason: CorrectionReason,
    by: str,
    note: str,
    counted: int | None,
) -> ZoneCount:
    zone = box.parking.facility.zone(zone_name)
    if zone is None:
        known = ", ".join(one.name for one in box.parking.facility.zones) or "none"
        raise Invalid(f"this box has no zone {zone_name!r}; it has {known}")
    if not by:
        raise Invalid("say who corrects the count")
    now = box.clock.now()

    def work(unit: Unit) -> ZoneCount:
        before = count_zone(unit, zone)
        words = " ".join(note.split())[:MAX_NOTE]
        correction = Correction(
            box.ids.new_id(), zone.name, reason, delta(before), now.wall_at, by, words, counted
        )
        unit.occupancies.correct(correction)
        after = count_zone(unit, zone, corrections=1)
        tell_occupancy(unit, box, correction, after.count, zone.spaces, now)
        return after

    return box.store.write(work)
