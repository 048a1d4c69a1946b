"""How old a payment attempt is for certain, whatever became of the wall clock."""

from __future__ import annotations

from edge.clock import Instant
from edge.elapsed import ran_ms
from edge.retail.attempt import PaymentAttempt
from edge.services.records import Unit
from edge.services.stay_time import MAX_BOOTS


def least_age_ms(unit: Unit, attempt: PaymentAttempt, now: Instant) -> int:
    """Return how old an attempt is for certain: for what must not be done too early.

    settle_attempt.attempt_time goes by the wall clock over a restart, which may have been set to anything.
    """
    created = Instant(attempt.created_at, attempt.created_boot, attempt.created_ns, trusted=False)
    return ran_ms(unit.boots.recent(MAX_BOOTS), created, now)
