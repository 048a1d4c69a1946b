"""The settings by which counters write, price and hand over tickets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from edge.services.staff import StaffBook

MINUTE_MS = 60_000
HOUR_MS = 3_600_000


@dataclass(frozen=True, slots=True)
class CounterRules:
    """expire_minutes: how long an issued ticket can be paid.

    guide_override_permille, supervisor_override_permille: how much of a price a guide may take off alone, and
    with a supervisor's PIN, in thousandths. foreign_goods: whether other tenants' goods may be on a ticket.
    pins: by guide, whose PIN signs in at a tablet; guides without one cannot. hand_over_hours: a person is
    told of a ticket that was paid so long ago and is not handed over.
    """

    expire_minutes: int = 120
    guide_override_permille: int = 100
    supervisor_override_permille: int = 500
    foreign_goods: bool = False
    pins: Mapping[str, StaffBook] = field(default_factory=dict)
    hand_over_hours: int = 24

    @property
    def expire_ms(self) -> int:
        """How long an issued ticket can be paid, in milliseconds."""
        return self.expire_minutes * MINUTE_MS

    @property
    def hand_over_ms(self) -> int:
        """After how long a paid ticket should have been handed over, in milliseconds."""
        return self.hand_over_hours * HOUR_MS
