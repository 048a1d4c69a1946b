"""Put receipts on paper, each once: mark it printing, commit, print, write what the printer proved."""

from __future__ import annotations

from dataclasses import replace

from devices.types import PrintOutcome, PrintResult
from edge.errors import Corrupt, Invalid
from edge.retail.order import Order
from edge.retail.receipt import PrintState, Receipt
from edge.services.box import Box
from edge.services.receipt_paper import receipt_job
from edge.services.records import Unit

_STATES = {
    PrintOutcome.PRINTED: PrintState.PRINTED,
    PrintOutcome.NOT_STARTED: PrintState.QUEUED,
    PrintOutcome.UNCERTAIN: PrintState.UNCERTAIN,
}


def print_next(box: Box, workstation: str) -> PrintState | None:
    """Print the workstation's oldest queued receipt; return where its paper stands, None without one.

    A receipt whose printing cannot be proved becomes "uncertain" and is left to a person.
    """
    if workstation not in box.printers:
        return None
    taken = box.store.write(lambda unit: _take(unit, workstation))
    if taken is None:
        return None
    receipt, order = taken
    box.changed(workstation)
    result = box.printers[workstation].print_job(receipt_job(receipt, order, box.rules))
    state = box.store.write(lambda unit: _finish(unit, receipt.receipt_id, result))
    box.changed(workstation)
    return state


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


def _take(unit: Unit, workstation: str) -> tuple[Receipt, Order] | None:
    receipt = unit.receipts.to_print(workstation)
    if receipt is None:
        return None
    order = unit.orders.get(receipt.order_id)
    if order is None:
        raise Corrupt(f"receipt {receipt.receipt_id} has no order {receipt.order_id}")
    printing = replace(receipt, print_state=PrintState.PRINTING)
    unit.receipts.put(printing)
    return printing, order


def _finish(unit: Unit, receipt_id: str, result: PrintResult) -> PrintState:
    receipt = unit.receipts.get(receipt_id)
    if receipt is None:
        raise Corrupt(f"receipt {receipt_id} vanished while it was printed")
    state = _STATES[result.outcome]
    unit.receipts.put(replace(receipt, print_state=state, print_problem=result.reason))
    return state
