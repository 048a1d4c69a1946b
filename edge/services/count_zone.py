"""How many vehicles are in a zone, by the stays inside and what people corrected."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from edge.parking.facility import Zone
from edge.services.box import Box
from edge.services.passage_records import Correction
from edge.services.records import Unit

#: The longest span of hours that is counted at once: a month.
MAX_HOURS = 31 * 24
HOUR_MS = 3_600_000


@dataclass(frozen=True, slots=True)
class ZoneCount:
    """A zone and how full it is. free: None when its spaces are not counted. nameless: stays of vehicles that
    nobody could name."""

    zone: Zone
    inside: int
    corrected: int
    free: int | None
    nameless: int
    corrections: tuple[Correction, ...] = ()

    @property
    def count(self) -> int:
        """How many vehicles are taken to be inside, 0 at least."""
        return max(0, self.inside + self.corrected)


@dataclass(frozen=True, slots=True)
class HourCount:
    """One hour of a zone: what came, what left, and how many were inside at its end."""

    hour_at: int
    entered: int
    left: int
    inside: int


def count_zone(unit: Unit, zone: Zone, corrections: int = 0) -> ZoneCount:
    """Return how full a zone is, with so many of its newest corrections."""
    inside, corrected = unit.sessions.count_inside(zone.name), unit.occupancies.corrected(zone.name)
    free = max(0, zone.spaces - max(0, inside + corrected)) if zone.spaces else None
    nameless = sum(one.zone == zone.name and not one.ticket for one in unit.sessions.inside(""))
    newest = unit.occupancies.corrections(zone.name, corrections) if corrections else ()
    return ZoneCount(zone, inside, corrected, free, nameless, newest)


def is_full(unit: Unit, zone: Zone | None, kept: int = 0) -> bool:
    """Whether a zone has no space left beside those that are kept; one that is not counted never is full."""
    if zone is None or not zone.spaces:
        return False
    return unit.sessions.count_inside(zone.name) + unit.occupancies.corrected(zone.name) + kept >= zone.spaces


def count_hours(box: Box, zone: str, from_at: int, to_at: int) -> Sequence[HourCount]:
    """Return the hours of a zone from `from_at` to before `to_at`, `MAX_HOURS` at most, without
    corrections."""
    to_at = min(to_at, from_at + MAX_HOURS * HOUR_MS)

    def query(unit: Unit) -> list[HourCount]:
        inside = unit.occupancies.inside_at(zone, from_at)
        found = []
        for flow in unit.occupancies.flows(zone, from_at, to_at):
            inside += flow.entered - flow.left
            found.append(HourCount(flow.hour_at, flow.entered, flow.left, inside))
        return found

    return box.store.read(query)
