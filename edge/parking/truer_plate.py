"""Which of two reads of one vehicle is its plate: the one at the entry, or the one at the exit. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from edge.parking.plate import why_not
from edge.parking.vehicle import PlateColour

#: By how much a camera must be surer of a character than the other one was.
MARGIN = 0.05


def truer_plate(
    stored: str,
    stored_sure: Sequence[float],
    read: str,
    read_sure: Sequence[float],
    colour: PlateColour = PlateColour.UNKNOWN,
) -> str:
    """Return the likelier of two plates that were read off the same vehicle.

    stored_sure, read_sure: of each character, 0-1; empty when the camera did not say, or a person did. What
    can be a plate outweighs what cannot; of two that can, the one whose differing characters were surer.
    """
    if stored == read or not read:
        return stored
    doubted, doubtful = why_not(stored, colour), why_not(read, colour)
    if (doubted is None) is not (doubtful is None):
        return stored if doubted is None else read
    if len(stored) != len(read):
        return stored
    if len(stored_sure) != len(stored) or len(read_sure) != len(read):
        return stored
    places = [at for at, (one, other) in enumerate(zip(stored, read, strict=True)) if one != other]
    gain = sum(read_sure[at] - stored_sure[at] for at in places)
    return read if gain > MARGIN * len(places) else stored
