"""A confirmed settlement lets a vehicle that waits at an exit go."""

from __future__ import annotations

from edge.clock import Instant
from edge.services.box import Box
from edge.services.records import Unit


def note_settled(unit: Unit, box: Box, session_id: str, now: Instant) -> None:
    """Let the passage of this stay that waits at an exit go on; called where money was confirmed."""
