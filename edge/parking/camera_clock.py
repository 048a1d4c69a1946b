"""How old a camera's read is, when the camera has a clock of its own that nobody trusts. Pure.

A read that came late and a camera whose clock is behind look alike. Two live reads tell them apart: as much
time lies between their arrivals as between the moments that the camera gave them, or it does not.
"""

from __future__ import annotations

from dataclasses import dataclass

#: A difference of clocks that is no error; and by how much the gaps of two live reads may disagree.
TOLERANCE_MS = 2_000

#: Reads that came in closer together say nothing: a queue that is emptied comes all at once.
SHORTEST_GAP_MS = 3_000

#: Clocks drift: what is known of an error is given up this much a read, in the camera's favour.
CREEP_MS = 5


@dataclass(frozen=True, slots=True)
class LastRead:
    """What is known of a camera's clock. error_ms: our clock less the camera's, None before it is known.

    last_error_ms: the same of its last live read, its way here included. gap_ms: how long ago that came, by
    boot time; None when nobody can say.
    """

    error_ms: int | None
    last_error_ms: int
    gap_ms: int | None


@dataclass(frozen=True, slots=True)
class Age:
    """How old a read is, and what is known of the camera's clock from now on."""

    age_ms: int
    error_ms: int | None


def age_of(received_at: int, camera_at: int | None, known: LastRead | None, backfill: bool) -> Age:
    """Return the age of a read that came at `received_at` and was made at `camera_at` by its camera's clock.

    A live read is never made in the future: a camera ahead of us shows its error at once. A camera behind us
    is believed late until two live reads agree on the error. A backfilled read teaches nothing.
    """
    if camera_at is None:
        return Age(0, None if known is None else known.error_ms)
    seems_ms = received_at - camera_at
    error_ms = _learned(seems_ms, known) if not backfill else None if known is None else known.error_ms
    assumed_ms = error_ms if error_ms is not None else 0
    return Age(max(0, seems_ms - assumed_ms), error_ms)


def _learned(seems_ms: int, known: LastRead | None) -> int | None:
    if known is None:
        return seems_ms if seems_ms <= TOLERANCE_MS else None
    if known.error_ms is not None and seems_ms <= known.error_ms + TOLERANCE_MS:
        return min(known.error_ms + CREEP_MS, seems_ms)
    if known.error_ms is None and seems_ms <= TOLERANCE_MS:
        return seems_ms
    apart = known.gap_ms is not None and known.gap_ms >= SHORTEST_GAP_MS
    if apart and abs(seems_ms - known.last_error_ms) <= TOLERANCE_MS:
        return min(seems_ms, known.last_error_ms)
    return known.error_ms
