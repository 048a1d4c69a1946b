"""Pass on what belongs to tenants of payments to the mall, and take back what refunds took back."""

from __future__ import annotations

from edge.services.box import Box
from edge.services.resolve_splits import resolve_splits
from edge.workers import Worker

SHARE_EVERY_S = 5.0

#: A turn of resolve_splits and the longest calls of its last split, with a margin.
SHARE_LONGEST_S = 180.0


class Sharing:
    """The shares of all payments."""

    def __init__(self, box: Box) -> None:
        self._box = box
        self._worker = Worker("shares", self._resolve, SHARE_LONGEST_S)

    def workers(self) -> list[Worker]:
        """Return the one worker, if a gateway passes on money: a split is followed up by nobody else."""
        return [self._worker] if self._box.splitters else []

    def _resolve(self) -> float:
        resolve_splits(self._box)
        return SHARE_EVERY_S
