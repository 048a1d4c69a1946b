"""Have the guard asked about a vehicle at an exit whose fee nobody can confirm."""

from __future__ import annotations

from edge.clock import Instant
from edge.parking.facility import Lane
from edge.services.box import Box
from edge.services.call_help import raise_call
from edge.services.records import Unit
from edge.services.workstation import load


def ask_about_fee(unit: Unit, box: Box, lane: Lane, session_id: str, now: Instant) -> None:
    """Call the guard to this exit; asking again while the call is open is one call."""
    raise_call(unit, box, load(unit, box, lane.workstation).state, now)
