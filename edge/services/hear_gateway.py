"""A gateway tells of a payment by itself: its attempt is asked about at once instead of later.

What it tells is written before it is answered, as an attempt that is due; whether money came is still known
from a query alone, so a callback that is forged, repeated or late moves nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise

from edge.clock import Instant
from edge.retail.attempt import PaymentAttempt, StepKind
from edge.services.box import Box
from edge.services.payment_ports import CallbackReader, CallbackRefused
from edge.services.records import Unit
from edge.services.settle_attempt import attempt_time, note_step


def hear_gateway(box: Box, reader: CallbackReader, headers: Mapping[str, str], body: bytes) -> bool:
    """Take one callback; return whether it hurried a payment. Raises CallbackRefused, see the port."""
    number = reader.hear(headers, body)
    if not number:
        return False
    now = box.clock.now()
    return box.store.write(lambda unit: _hurry(unit, number, now))


def _hurry(unit: Unit, number: str, now: Instant) -> bool:
    attempt = _attempt_of(unit, number)
    if attempt is None:
        # Of another box of the same merchant: it must not be told that somebody has taken it in.
        raise CallbackRefused(f"no payment {number} here", status=404, body=b"")
    if not attempt.is_open:
        return False
    unit.attempts.put(replace(attempt, next_step_at=min(attempt.next_step_at, attempt_time(attempt, now))))
    note_step(unit, attempt, StepKind.QUERIED, "the gateway called", now)
    return True


def _attempt_of(unit: Unit, number: str) -> PaymentAttempt | None:
    """Return the attempt behind one of our numbers, which is its id without dashes."""
    cut = (0, 8, 12, 16, 20, 32)
    dashed = "-".join(number[begin:end] for begin, end in pairwise(cut))
    attempt = unit.attempts.get(dashed)
    return attempt if attempt is not None and attempt.merchant_order_no == number else None
