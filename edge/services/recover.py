"""What a start does before anything else: look at what the last stop left half done."""

from __future__ import annotations

from dataclasses import dataclass, replace

from edge.retail.receipt import PrintState
from edge.services.box import Box
from edge.services.records import Unit
from edge.services.settle_attempt import attempt_time
from edge.services.workstation import touched

#: Open attempts that a start looks at; more than this is not a till's day.
MAX_ATTEMPTS = 1_000


@dataclass(frozen=True, slots=True)
class Recovered:
    """What was found. attempts: open payments, now due at once. papers: receipts that may be half printed.

    refunds: refunds on their way, now due at once.
    """

    attempts: int
    papers: int
    refunds: int = 0


def recover(box: Box) -> Recovered:
    """Make open attempts due now and mark receipts that were on their way to paper as uncertain.

    The idle time of every screen begins anew: the shopper is given time to find the basket again.
    """
    now = box.clock.now()

    def work(unit: Unit) -> Recovered:
        attempts = unit.attempts.open(MAX_ATTEMPTS)
        for attempt in attempts:
            due_at = min(attempt.next_step_at, attempt_time(attempt, now))
            unit.attempts.put(replace(attempt, next_step_at=due_at))
        refunds = unit.refunds.moving(MAX_ATTEMPTS)
        for refund in refunds:
            legs = tuple(replace(leg, next_step_at=min(leg.next_step_at, now.wall_at)) for leg in refund.legs)
            unit.refunds.put(replace(refund, legs=legs))
        papers = unit.receipts.printing()
        for receipt in papers:
            problem = "the service stopped while this receipt was printing"
            unit.receipts.put(replace(receipt, print_state=PrintState.UNCERTAIN, print_problem=problem))
        for name in box.workstations:
            state = unit.workstations.get(name)
            if state is not None:
                unit.workstations.put(touched(state, now))
        return Recovered(len(attempts), len(papers), len(refunds))

    return box.store.write(work)
