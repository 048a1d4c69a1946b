"""Lay reports and cash slips out for paper: pure, from the figures to the printer's blocks."""

from __future__ import annotations

from devices.types import Align, Columns, Drawer, PrintBlock, Rule, TextLine
from edge.clock import local
from edge.money import format_yuan
from edge.retail.shift import DENOMINATIONS, CashKind, Shift
from edge.retail.shift_report import DayReport, ShiftReport, TenantTotal, TenderTotal
from edge.services.box import Rules
from edge.services.receipt_paper import TENDER_NAMES

_ATTEMPTS = {"declined": "被拒 Declined", "voided": "已撤销 Voided", "refunded": "已退回 Returned"}


def report_blocks(report: ShiftReport, rules: Rules, *, copy: bool = False) -> list[PrintBlock]:
    """Return an X or Z report; the X of a drawer that is not counted tells nothing of what is expected."""
    return [
        *_head(report, rules, copy),
        *_orders(report),
        *money_blocks(report.tenders, report.tenants, report.taken_fen),
        *_drawer(report),
        *_loose_ends(report, rules),
        *([] if report.shift.automatic else _sign()),
    ]


def day_blocks(report: DayReport, rules: Rules) -> list[PrintBlock]:
    """Return the totals of a business day."""
    numbers = [Columns(f"{place}", f"Z {number}") for place, number in report.z_numbers]
    return [
        TextLine("营业日结 DAY REPORT", Align.CENTER, bold=True),
        TextLine(rules.shop_name or "mall-edge", Align.CENTER),
        Columns("营业日 Business day", report.day),
        Columns("单数 Orders", str(report.orders)),
        *money_blocks(report.tenders, report.tenants, report.taken_fen),
        Columns("找零 Change", format_yuan(report.change_fen)),
        Columns("长短款 Over/short", signed_yuan(report.over_short_fen), bold=True),
        Rule(),
        *numbers,
    ]


def slip_blocks(
    title: str, shift: Shift, amount_fen: int, reason: str, by: str, at: int, rules: Rules
) -> list[PrintBlock]:
    """Return a cash slip to be signed; the drawer opens with it."""
    blocks: list[PrintBlock] = [
        Drawer(),
        TextLine(title, Align.CENTER, bold=True),
        Columns(shift.workstation, _moment(at, rules)),
    ]
    if amount_fen:
        blocks.append(Columns("金额 Amount", format_yuan(amount_fen), bold=True))
    if reason:
        blocks.append(TextLine(f"事由 Reason: {reason.strip()}"))
    return [*blocks, Columns("经办 By", by), *_sign()]


def money_blocks(
    tenders: tuple[TenderTotal, ...], tenants: tuple[TenantTotal, ...], taken_fen: int
) -> list[PrintBlock]:
    """Return what each tender brought and each tenant earned."""
    blocks: list[PrintBlock] = [Rule()]
    for one in tenders:
        name = TENDER_NAMES.get(one.kind, one.kind)
        blocks.append(Columns(f"{name} x{one.payments}", format_yuan(one.taken_fen)))
        if one.refunds:
            blocks.append(Columns(f"  退款 Refunds x{one.refunds}", format_yuan(-one.refunded_fen)))
    blocks += [Columns("收款净额 Net takings", format_yuan(taken_fen), bold=True), Rule()]
    blocks += [Columns(f"商户 {one.tenant_id}", format_yuan(one.net_fen)) for one in tenants]
    return [*blocks, Rule()]


def signed_yuan(amount_fen: int) -> str:
    """Return fen as yuan with its sign, e.g. "+1.50"."""
    return f"+{format_yuan(amount_fen)}" if amount_fen > 0 else format_yuan(amount_fen)


def _head(report: ShiftReport, rules: Rules, copy: bool) -> list[PrintBlock]:
    shift = report.shift
    title = "班结单 Z REPORT" if report.final else "班中小结 X REPORT"
    number = f"Z {shift.number}" if report.final else "未结 not closed"
    copied = [TextLine("补打 COPY", Align.CENTER, bold=True)] if copy else []
    return [
        *copied,
        TextLine(title, Align.CENTER, bold=True, scale=2),
        TextLine(rules.shop_name or "mall-edge", Align.CENTER),
        Columns(shift.workstation, number, bold=True),
        Columns("营业日 Business day", shift.business_day),
        Columns("收银员 Cashier", shift.cashier or "自助 self-service"),
        Columns("开班 Opened", _moment(shift.opened_at, rules)),
        Columns("打印 As of" if shift.closed_at is None else "结班 Closed", _moment(report.made_at, rules)),
        Rule(),
    ]


def _orders(report: ShiftReport) -> list[PrintBlock]:
    blocks: list[PrintBlock] = [Columns("单数 Orders", str(report.orders))]
    if report.orders:
        blocks.append(Columns(report.first_order, report.last_order))
    return blocks


def _drawer(report: ShiftReport) -> list[PrintBlock]:
    shift = report.shift
    if shift.automatic and not shift.counts:
        return []
    opened = sum(one.kind is CashKind.NO_SALE for one in shift.movements)
    blocks: list[PrintBlock] = [
        Columns("备用金 Float", format_yuan(shift.float_fen)),
        Columns("存入 Pay-ins", format_yuan(shift.cash_moved_fen(CashKind.PAY_IN))),
        Columns("提款 Pick-ups", format_yuan(-shift.cash_moved_fen(CashKind.PICK_UP))),
        Columns("找零 Change given", format_yuan(report.change_fen)),
        Columns("非销售开箱 No-sale opens", str(opened)),
    ]
    if not shift.counts:
        return [*blocks, TextLine("应有现金盘点后显示 Expected: after the count"), Rule()]
    return [*blocks, *_counted(report), Rule()]


def _counted(report: ShiftReport) -> list[PrintBlock]:
    shift = report.shift
    pieces = dict(shift.counts[-1].pieces)
    found = [one for one in DENOMINATIONS if one.key in pieces]
    blocks: list[PrintBlock] = [
        Columns(
            f"  {format_yuan(one.value_fen)} x {pieces[one.key]}",
            format_yuan(one.value_fen * pieces[one.key]),
        )
        for one in found
    ]
    if shift.counts[-1].loose_fen:
        blocks.append(Columns("  其他 Other", format_yuan(shift.counts[-1].loose_fen)))
    blocks += [
        Columns("实盘 Counted", format_yuan(shift.counted_fen or 0)),
        Columns("应有 Expected", format_yuan(shift.expected_fen or 0)),
        Columns("长短款 Over/short", signed_yuan(shift.over_short_fen or 0), bold=True),
    ]
    if len(shift.counts) > 1:
        blocks.append(Columns("盘点次数 Counts", str(len(shift.counts))))
    return [*blocks, TextLine(f"原因 Reason: {shift.reason}")] if shift.reason else blocks


def _loose_ends(report: ShiftReport, rules: Rules) -> list[PrintBlock]:
    blocks: list[PrintBlock] = [
        Columns(_ATTEMPTS.get(state, state), str(number)) for state, number in report.attempts
    ]
    if report.open_payments:
        blocks.append(TextLine("未决付款 UNKNOWN PAYMENTS", bold=True))
        blocks += [
            Columns(f"  {one.gateway} {_moment(one.created_at, rules)}", format_yuan(one.amount_fen))
            for one in report.open_payments
        ]
    if report.late:
        blocks.append(TextLine("前班订单 EARLIER ORDERS", bold=True))
        blocks += [
            Columns(f"  {one.order_number} {_moment(one.begun_at, rules)}", signed_yuan(one.amount_fen))
            for one in report.late
        ]
    return blocks


def _sign() -> list[PrintBlock]:
    return [
        TextLine(""),
        TextLine("签字 Signed: ______________"),
        TextLine(""),
        TextLine("复核 Checked: _____________"),
    ]


def _moment(at: int, rules: Rules) -> str:
    return f"{local(at, rules.zone):%m-%d %H:%M}"
