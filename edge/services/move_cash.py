"""Cash that moves without a sale: a pay-in, a pick-up, or a drawer that is opened; each with a reason."""

from __future__ import annotations

from edge.errors import Declined
from edge.retail.shift import CashKind, CashMovement, Shift
from edge.retail.shift import move_cash as with_movement
from edge.services.box import Box
from edge.services.close_shift import need_shift
from edge.services.paper_records import PaperKind
from edge.services.print_paper import queue_paper
from edge.services.records import Unit
from edge.services.shift_paper import slip_blocks

_TITLES = {
    CashKind.PAY_IN: "存入 PAY-IN",
    CashKind.PICK_UP: "中途提款 PICK-UP",
    CashKind.NO_SALE: "非销售开钱箱 NO SALE",
}


def move_cash(box: Box, workstation: str, kind: CashKind, amount_fen: int, reason: str, by: str) -> Shift:
    """Write the movement, open the drawer and print a slip to sign; raise Declined where there is no drawer.

    amount_fen: positive; 0 for NO_SALE.
    """
    if not box.workstation(workstation).cash:
        raise Declined(f"workstation {workstation} has no cash drawer")
    now = box.clock.now()

    def work(unit: Unit) -> Shift:
        movement = CashMovement(box.ids.new_id(), kind, amount_fen, reason, by, now.wall_at)
        shift = with_movement(need_shift(unit, workstation), movement)
        unit.shifts.put(shift)
        blocks = slip_blocks(_TITLES[kind], shift, amount_fen, reason, by, now.wall_at, box.rules)
        queue_paper(unit, box, workstation, PaperKind.CASH_SLIP, shift.shift_id, blocks, now)
        return shift

    shift = box.store.write(work)
    box.changed(workstation)
    return shift
