"""Charge payment codes, and follow up what came of charges until their money stands still."""

from __future__ import annotations

import queue

import structlog

from edge.errors import Invalid
from edge.services.autopay import tell_entries
from edge.services.box import Box
from edge.services.follow_unconfirmed import follow_unconfirmed
from edge.services.resolve_attempts import resolve_attempts
from edge.services.settle_attempt import void_unsent
from edge.services.take_payment import submit
from edge.workers import Worker

#: Charges that may wait for a free payment worker.
MAX_CHARGES = 64

#: How many charges go on at once: one for each workstation, within these limits. A wallet may take seconds to
#: answer; with fewer workers the last of many shoppers would wait for all the others.
FEWEST_WORKERS = 4
PAYMENT_WORKERS = 20

#: The longest that a payment worker may take: a charge's read time-out and a query after it, with a margin.
PAYMENT_LONGEST_S = 120.0

CHARGE_TURN_S = 1.0
RESOLVE_EVERY_S = 1.0

_log = structlog.get_logger("service")


class Paying:
    """The charges of all workstations."""

    def __init__(self, box: Box) -> None:
        self._box = box
        self._charges: queue.Queue[tuple[str, str]] = queue.Queue(MAX_CHARGES)

    def workers(self) -> list[Worker]:
        """Return the workers that charge, and those that follow up payments and exits."""
        many = min(max(FEWEST_WORKERS, len(self._box.workstations)), PAYMENT_WORKERS)
        paying = [Worker(f"pay-{index}", self._pay, PAYMENT_LONGEST_S) for index in range(many)]
        following = [Worker("resolve", self._resolve, PAYMENT_LONGEST_S)]
        if self._box.parking.facility.lanes:
            following.append(Worker("unconfirmed", self._follow_exits))
        if self._box.autopayers:
            following.append(Worker("autopay", self._tell_entries, PAYMENT_LONGEST_S))
        return [*paying, *following]

    def charge(self, attempt_id: str, code: str) -> None:
        """Have an intended attempt charged by the next free worker; void it when too many wait."""
        try:
            self._charges.put_nowait((attempt_id, code))
        except queue.Full:
            # Only when every worker hangs in a gateway call; the shopper may try again at once.
            _log.error("too many charges wait", attempt=attempt_id)
            void_unsent(self._box, attempt_id)

    def _pay(self) -> float:
        try:
            attempt_id, code = self._charges.get(timeout=CHARGE_TURN_S)
        except queue.Empty:
            return 0.0
        try:
            state = submit(self._box, attempt_id, code)
        except Invalid as error:
            # It waited so long that it was voided; that is no reason to keep the next shopper waiting.
            _log.warning("charge not sent", attempt=attempt_id, why=str(error))
            return 0.0
        _log.info("payment", attempt=attempt_id, state=state.value)
        return 0.0

    def _resolve(self) -> float:
        resolve_attempts(self._box)
        return RESOLVE_EVERY_S

    def _tell_entries(self) -> float:
        tell_entries(self._box)
        return RESOLVE_EVERY_S

    def _follow_exits(self) -> float:
        follow_unconfirmed(self._box)
        return RESOLVE_EVERY_S
