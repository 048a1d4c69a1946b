"""Lay a receipt out for paper: pure, from the order to the printer's blocks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from devices.types import Align, Columns, Drawer, PrintBlock, PrintJob, QrCode, Rule, TextLine
from edge.clock import local
from edge.money import format_yuan
from edge.retail.basket import LineItem
from edge.retail.order import Order, Tender
from edge.retail.receipt import Receipt
from edge.services.box import Rules

#: How a tender is called on paper, Chinese and English.
TENDER_NAMES = {
    "cash": "现金 Cash",
    "wechat_pay": "微信支付 WeChat Pay",
    "alipay": "支付宝 Alipay",
    "unionpay": "银联 UnionPay",
}


@dataclass(frozen=True, slots=True)
class TicketOnPaper:
    """A counter's ticket on a central cashier's receipt. release_code: "" once the goods are gone."""

    number: str
    tenant: str
    counter: str
    total_fen: int
    release_code: str


def receipt_job(
    receipt: Receipt,
    order: Order,
    rules: Rules,
    parking: Sequence[tuple[str, str]] = (),
    tickets: Sequence[TicketOnPaper] = (),
) -> PrintJob:
    """Return the print job of a receipt; its id differs for each copy.

    parking: what was validated, in Chinese and English. tickets: those that a till collected. The first copy
    of a receipt with cash on it opens the drawer before anything is printed.
    """
    blocks = [
        *_drawer(receipt, order),
        *_head(receipt, order, rules),
        *_goods(order),
        *_money(order),
        *_parking(parking),
        *_tickets(tickets),
        *_foot(receipt, rules),
    ]
    return PrintJob(f"{receipt.receipt_id}-{receipt.copies}", tuple(blocks))


def receipt_url(receipt: Receipt, rules: Rules) -> str:
    """Return the address of the receipt's page, "" when no public address is configured."""
    return f"{rules.public_url.rstrip('/')}/phone/r/{receipt.token}" if rules.public_url else ""


def _drawer(receipt: Receipt, order: Order) -> list[PrintBlock]:
    cash = any(tender.kind == "cash" for tender in order.tenders)
    return [Drawer()] if cash and not receipt.copies else []


def _head(receipt: Receipt, order: Order, rules: Rules) -> list[PrintBlock]:
    paid_at = local(order.closed_at or receipt.issued_at, rules.zone)
    blocks: list[PrintBlock] = []
    if receipt.copies:
        blocks.append(TextLine("补打 COPY", Align.CENTER, bold=True))
    blocks += [
        TextLine(rules.shop_name or "mall-edge", Align.CENTER, bold=True, scale=2),
        Columns(f"单号 No. {order.number}", f"{paid_at:%Y-%m-%d %H:%M}"),
        Rule(),
    ]
    return blocks


def _goods(order: Order) -> list[PrintBlock]:
    blocks: list[PrintBlock] = []
    for line in order.lines:
        blocks.append(Columns(line.name, format_yuan(line.amount_fen)))
        blocks.append(TextLine(f"  {_measure(line)}"))
    return [*blocks, Rule()]


def _measure(line: LineItem) -> str:
    if line.weight_g is not None:
        return f"{line.weight_g / 1000:.3f} kg x {format_yuan(line.unit_price_fen)}/kg"
    return f"{line.quantity} x {format_yuan(line.unit_price_fen)}"


def _money(order: Order) -> list[PrintBlock]:
    total = Columns("合计 Total", format_yuan(order.total_fen), bold=True)
    return [total, *(block for tender in order.tenders for block in _tender(tender)), Rule()]


def _tender(tender: Tender) -> list[PrintBlock]:
    name = TENDER_NAMES.get(tender.kind, tender.kind)
    if tender.kind != "cash":
        return [Columns(name, format_yuan(tender.amount_fen))]
    return [
        Columns(name, format_yuan(tender.received_fen)),
        Columns("找零 Change", format_yuan(tender.change_fen)),
    ]


def _parking(lines: Sequence[tuple[str, str]]) -> list[PrintBlock]:
    texts: list[PrintBlock] = [TextLine(text) for pair in lines for text in pair]
    return [*texts, Rule()] if texts else []


def _tickets(tickets: Sequence[TicketOnPaper]) -> list[PrintBlock]:
    """Return where the goods are and what releases them."""
    if not tickets:
        return []
    blocks: list[PrintBlock] = [TextLine("提货码 Release codes", Align.CENTER, bold=True)]
    for one in tickets:
        blocks.append(Columns(f"{one.tenant} {one.number}", format_yuan(one.total_fen)))
        blocks.append(Columns(f"  提货 Collect at {one.counter}", one.release_code or "-", bold=True))
    return [*blocks, Rule()]


def _foot(receipt: Receipt, rules: Rules) -> list[PrintBlock]:
    url = receipt_url(receipt, rules)
    thanks = TextLine("谢谢惠顾 Thank you", Align.CENTER)
    if not url:
        return [thanks]
    return [
        QrCode(url),
        TextLine("扫码查看小票、入会、停车优惠", Align.CENTER),
        TextLine("Scan for receipt, membership, parking", Align.CENTER),
        thanks,
    ]
