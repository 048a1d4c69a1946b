"""The slip of a refund: what goes back, on which ways, who asked and who approved; it is signed for cash."""

from __future__ import annotations

from devices.types import Align, Columns, Drawer, PrintBlock, Rule, TextLine
from edge.clock import Instant, local
from edge.errors import Invalid
from edge.money import format_yuan
from edge.retail.order import Order
from edge.retail.refund import LegState, Refund, RefundLeg
from edge.services.box import Box, Rules
from edge.services.paper_records import PaperKind
from edge.services.print_paper import queue_paper
from edge.services.receipt_paper import TENDER_NAMES
from edge.services.records import Unit


def queue_slip(unit: Unit, box: Box, order: Order, refund: Refund, now: Instant, *, opens: bool) -> None:
    """Queue a refund's slip at its workstation's printer; opens: the drawer opens with it."""
    blocks = slip_blocks(order, refund, box.rules)
    drawer: list[PrintBlock] = [Drawer()] if opens else []
    kind, place = PaperKind.REFUND_SLIP, refund.workstation
    queue_paper(unit, box, place, kind, refund.refund_id, [*drawer, *blocks], now)


def reprint_slip(box: Box, refund_id: str) -> None:
    """Queue another copy of a refund's slip as it stands now; the drawer stays shut."""
    now = box.clock.now()

    def work(unit: Unit) -> None:
        refund = unit.refunds.get(refund_id)
        order = unit.orders.get(refund.order_id) if refund else None
        if refund is None or order is None or not refund.holds_money:
            raise Invalid(f"refund {refund_id} has no slip; it is not approved")
        queue_slip(unit, box, order, refund, now, opens=False)

    box.store.write(work)


def slip_blocks(order: Order, refund: Refund, rules: Rules) -> list[PrintBlock]:
    """Return the blocks of a refund's slip."""
    at = local(refund.decided_at or refund.requested_at, rules.zone)
    blocks: list[PrintBlock] = [
        TextLine("退款单 REFUND", Align.CENTER, bold=True, scale=2),
        TextLine(rules.shop_name or "mall-edge", Align.CENTER),
        Columns(f"退款 No. {refund.number}", f"{at:%Y-%m-%d %H:%M}"),
        Columns("原单 Order", f"{order.business_day} {order.number}"),
        Rule(),
        *_goods(order, refund),
        Columns("退款合计 Refund", format_yuan(refund.amount_fen), bold=True),
    ]
    for leg in refund.legs:
        if leg.state is not LegState.REPLACED:
            blocks += _leg(leg)
    blocks += [
        Rule(),
        TextLine(f"原因 Reason: {refund.reason}"),
        Columns("经办 By", refund.requested_by),
        Columns("审批 Approved by", refund.decided_by),
    ]
    if any(leg.kind == "cash" and leg.state is LegState.DONE for leg in refund.legs):
        blocks += [TextLine(""), TextLine("顾客签名 Signature: ______________")]
    return blocks


def _goods(order: Order, refund: Refund) -> list[PrintBlock]:
    lines = {line.line_id: line for line in order.lines}
    blocks: list[PrintBlock] = []
    for part in refund.lines:
        pieces = f" x{part.quantity}" if part.quantity else "（部分退款 partial）"
        blocks.append(Columns(f"{lines[part.line_id].name}{pieces}", format_yuan(-part.amount_fen)))
    if refund.cancels_order:
        blocks.append(TextLine("未完成订单，已付款退回 Order given up"))
    return [*blocks, Rule()]


def _leg(leg: RefundLeg) -> list[PrintBlock]:
    name = TENDER_NAMES.get(leg.kind, leg.kind)
    way = Columns(f"退回 To {name}", format_yuan(leg.amount_fen))
    if leg.state is LegState.DONE:
        return [way]
    return [way, TextLine("  原路退回，以到账通知为准 On its way; the wallet will tell")]
