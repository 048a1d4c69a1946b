"""Find whose stay a vehicle at the exit is, with the evidence for each stay that it may be."""

from __future__ import annotations

from edge.parking.observation import PlateRead
from edge.parking.plate_match import Ranking, rank
from edge.services.box import Box
from edge.services.records import Unit

#: Stays that are looked at closely for one read.
MAX_CANDIDATES = 24


def find_session(unit: Unit, box: Box, read: PlateRead, now: int) -> Ranking:
    """Return the stays inside that a vehicle that was read may be, ranked; reads only.

    now: Unix milliseconds. `Ranking.clear` goes alone; without it a person is asked, with
    `Ranking.recommended` first.
    """
    near = {one.session_id: one for one in unit.plates.near(read.plate, MAX_CANDIDATES)}
    near |= {one.session_id: one for one in unit.sessions.inside(read.plate)}
    exact = any(one.plate == read.plate for one in near.values())
    known: set[str] = set()
    if read.plate and not exact and _was_here(unit, read.plate, 0):
        known = {read.plate} | {one.plate for one in near.values() if _was_here(unit, one.plate, 1)}
    confusions = unit.plates.confusions(read.camera, now)
    return rank(read, tuple(near.values()), confusions, now, unit.plates.count_inside(), known)


def _was_here(unit: Unit, plate: str, inside: int) -> bool:
    """Whether a plate is known: it has more stays than those `inside`, or a list or a pass names it."""
    stays = unit.sessions.last_of(plate, inside + 1)
    return bool(len(stays) > inside or unit.plate_lists.find(plate) or unit.passes.of_plate(plate))
