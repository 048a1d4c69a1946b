"""Put receipts on paper, each once: mark it printing, commit, print, write what the printer proved."""

from __future__ import annotations

from dataclasses import replace

from devices.types import PrintOutcome, PrintResult
from edge.errors import Corrupt, Invalid
from edge.retail.order import Order
from edge.retail.receipt import PrintState, Receipt
from edge.services.box import Box, WorkstationKind
from edge.services.claim_parking import parking_lines
from edge.services.paid_stays import doubts_of
from edge.services.receipt_paper import TicketOnPaper, receipt_job
from edge.services.records import Unit

#: What a printer proved, and where the paper stands then.
STATES = {
    PrintOutcome.PRINTED: PrintState.PRINTED,
    PrintOutcome.NOT_STARTED: PrintState.QUEUED,
    PrintOutcome.UNCERTAIN: PrintState.UNCERTAIN,
}


#: A first copy that could not be printed for so long is left to a person: its shopper has gone, and a printer
#: that is back after hours, or new, must not empty itself of strangers' receipts.
LATEST_PAPER_MS = 30 * 60_000

#: Scans of a workstation among which those of a sale in cash are looked for, to tell by them how old it is.
MOST_SCANS = 200


def print_next(box: Box, workstation: str) -> PrintState | None:
    """Print the workstation's oldest queued receipt; return where its paper stands, None without one.

    A receipt whose printing cannot be proved becomes "uncertain" and is left to a person. While a printer
    that refused is not ready, nothing is written: it may be without paper all night. One caller for each
    workstation.
    """
    if workstation not in box.printers:
        return None
    receipt = box.store.read(lambda unit: _next(unit, workstation))
    if receipt is None:
        return None
    if receipt.print_state is PrintState.PRINTING:
        return _note(box, receipt, PrintState.UNCERTAIN, "its printing broke off; look at the paper")
    if not receipt.copies and _waited_ms(box, receipt) > LATEST_PAPER_MS:
        return _note(box, receipt, PrintState.UNCERTAIN, "it waited too long for paper; print it if asked")
    if receipt.print_problem:
        status = box.printers[workstation].printer_status()
        if not status.ready:
            return _note(box, receipt, PrintState.QUEUED, status.detail)
    return _print(box, workstation, receipt.receipt_id)


def reprint(box: Box, workstation: str, order_id: str) -> None:
    """Queue another copy, marked as such, after a person has looked at the paper."""

    def work(unit: Unit) -> None:
        receipt = unit.receipts.of_order(order_id)
        if receipt is None:
            raise Invalid(f"order {order_id} has no receipt; is it paid?")
        if receipt.print_state in {PrintState.QUEUED, PrintState.PRINTING}:
            raise Invalid(f"the receipt of order {order_id} is still being printed; wait for it")
        queued = replace(receipt, print_state=PrintState.QUEUED, print_problem="", copies=receipt.copies + 1)
        unit.receipts.put(queued)

    box.store.write(work)
    box.changed(workstation)


def _waited_ms(box: Box, receipt: Receipt) -> int:
    """Return how long a receipt has waited; one of this run of the machine by boot time."""
    now = box.clock.now()
    by_wall = now.wall_at - receipt.issued_at
    if by_wall <= LATEST_PAPER_MS:
        return by_wall
    begun = box.store.read(lambda unit: _begun_ns(unit, receipt, now.boot_id))
    return by_wall if begun is None else (now.boottime_ns - begun) // 1_000_000


def _begun_ns(unit: Unit, receipt: Receipt, boot_id: str) -> int | None:
    """Return the boot time of the last payment or scan of a receipt's order, None without any in this run."""
    order = unit.orders.get(receipt.order_id)
    lines = {line.line_id for line in order.lines} if order is not None else set()
    attempts = unit.attempts.of_order(receipt.order_id)
    begun = [one.created_ns for one in attempts if one.created_boot == boot_id]
    scans = unit.scans.recent(receipt.workstation, MOST_SCANS)
    begun += [one.read_ns for one in scans if one.line_id in lines and one.boot_id == boot_id]
    return max(begun, default=None)


def _next(unit: Unit, workstation: str) -> Receipt | None:
    """Return a receipt whose printing broke off, as nobody prints it now, else the oldest queued one."""
    broken = (one for one in unit.receipts.printing() if one.workstation == workstation)
    return next(broken, None) or unit.receipts.to_print(workstation)


def _print(box: Box, workstation: str, receipt_id: str) -> PrintState:
    receipt, order = box.store.write(lambda unit: _take(unit, receipt_id))
    box.changed(workstation)
    parking = box.store.read(
        lambda unit: (*parking_lines(unit, box, order.order_id), *doubts_of(unit, order))
    )
    tickets = box.store.read(lambda unit: _tickets(unit, box, order))
    job = receipt_job(receipt, order, box.rules, parking, tickets)
    result = box.printers[workstation].print_job(job)
    state = box.store.write(lambda unit: _finish(unit, receipt.receipt_id, result))
    box.changed(workstation)
    return state


def _tickets(unit: Unit, box: Box, order: Order) -> tuple[TicketOnPaper, ...]:
    """Return the tickets of an order that a till has collected; a counter's own receipt has no code on it."""
    if box.workstation(order.workstation).kind is not WorkstationKind.TILL:
        return ()
    return tuple(
        TicketOnPaper(
            one.number, box.tenant(one.tenant_id).name, one.counter, one.total_fen, one.release_code
        )
        for one in unit.tickets.of_order(order.order_id)
    )


def _note(box: Box, receipt: Receipt, state: PrintState, problem: str) -> PrintState:
    if (receipt.print_state, receipt.print_problem) != (state, problem):
        noted = replace(receipt, print_state=state, print_problem=problem)
        box.store.write(lambda unit: unit.receipts.put(noted))
        box.changed(receipt.workstation)
    return state


def _take(unit: Unit, receipt_id: str) -> tuple[Receipt, Order]:
    receipt = unit.receipts.get(receipt_id)
    order = None if receipt is None else unit.orders.get(receipt.order_id)
    if receipt is None or order is None:
        raise Corrupt(f"receipt {receipt_id} or its order vanished before it was printed")
    printing = replace(receipt, print_state=PrintState.PRINTING)
    unit.receipts.put(printing)
    return printing, order


def _finish(unit: Unit, receipt_id: str, result: PrintResult) -> PrintState:
    receipt = unit.receipts.get(receipt_id)
    if receipt is None:
        raise Corrupt(f"receipt {receipt_id} vanished while it was printed")
    state = STATES[result.outcome]
    unit.receipts.put(replace(receipt, print_state=state, print_problem=result.reason))
    return state
