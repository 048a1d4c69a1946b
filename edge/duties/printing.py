"""Bring receipts and other papers to paper."""

from __future__ import annotations

from collections.abc import Callable

from edge.retail.receipt import PrintState
from edge.services.box import Box
from edge.services.print_paper import print_next_paper
from edge.services.print_receipt import print_next
from edge.workers import Worker

PRINT_RETRY_S = 3.0
PRINT_LOOK_S = 10.0
PRINT_LONGEST_S = 180.0


class Printing:
    """The receipt printers of all workstations."""

    def __init__(self, box: Box) -> None:
        """box: its `changed` must not wake the printers, or one without paper would try without a pause."""
        self._workers = {
            place: Worker(f"print-{place}", _printing(box, place), PRINT_LONGEST_S) for place in box.printers
        }

    def workers(self) -> list[Worker]:
        """Return one worker for each printer."""
        return list(self._workers.values())

    def wake(self, workstation: str) -> None:
        """Look for paper work there now."""
        worker = self._workers.get(workstation)
        if worker is not None:
            worker.wake()


def _printing(box: Box, place: str) -> Callable[[], float]:
    def step() -> float:
        state = print_next(box, place)
        if state is None:
            state = print_next_paper(box, place)
        if state is None:
            box.printers[place].printer_status()
            return PRINT_LOOK_S
        return PRINT_RETRY_S if state is PrintState.QUEUED else 0.0

    return step
