"""No wire to HQ, for whoever works on the books without one."""

from __future__ import annotations

from collections.abc import Sequence

from edge.services.outbox_records import OutboxMessage
from edge.services.ports import HqAck, LinkStatus


class Unlinked:
    """Implements ports.HqLink: nothing is sent, nothing comes; what is written waits for the service."""

    def send(self, messages: Sequence[OutboxMessage], oldest: int, newest: int = 0) -> int:
        """Take nothing."""
        return 0

    def acks(self) -> tuple[HqAck, ...]:
        """Return nothing."""
        return ()

    def status(self) -> LinkStatus:
        """Say that there is no link here."""
        return LinkStatus(False, "no link to HQ in this process", 0)
