"""Send refunds to their gateways and follow them up until the money is with the shopper."""

from __future__ import annotations

from edge.services.box import Box
from edge.services.resolve_refunds import resolve_refunds
from edge.workers import Worker

REFUND_EVERY_S = 1.0

#: A turn of resolve_refunds and the longest calls of its last leg, with a margin.
REFUND_LONGEST_S = 120.0


class Refunding:
    """The refunds of all workstations."""

    def __init__(self, box: Box) -> None:
        self._box = box
        self._worker = Worker("refunds", self._resolve, REFUND_LONGEST_S)

    def workers(self) -> list[Worker]:
        """Return the one worker: a leg is followed up by nobody else."""
        return [self._worker]

    def _resolve(self) -> float:
        resolve_refunds(self._box)
        return REFUND_EVERY_S
