"""The page of a mall day: its verdict, its ledgers and its plots in one HTML file that needs no network."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from edge.money import format_yuan
from sim.mall_day.drawing import Words
from sim.mall_day.house import OPENS_H
from sim.mall_day.money import Heard, ledgers
from sim.mall_day.office_books import bill_sum
from sim.mall_day.plots import (
    backlog_plot,
    cuts_plot,
    faults_plot,
    inside_plot,
    money_plot,
    orders_plot,
    waits_plot,
)
from sim.traffic import HOUR_MS, MINUTE_MS

if TYPE_CHECKING:
    from sim.mall_day.day import MallDay

_SHELL = Path(__file__).with_name("page.html")

#: Violations in words; the others are counted.
SHOWN = 20

_LINES = {
    "wechat_pay": Words("微信支付", "WeChat Pay"),
    "owners": Words("车主代扣", "car owners"),
    "cash": Words("现金", "cash"),
    "sales": Words("销售", "sales"),
}


def page(day: MallDay, told: Heard, found: Sequence[str], digest: str) -> str:
    """Return the page. found: what is wrong. digest: of the day's log."""
    parts = [_head(day), _verdict(found), _tiles(day, told), '<div class="grid-of-cards">']
    parts += [_ledgers(day, told), _office(day, told), *(_card(*one) for one in _plots(day, told)), "</div>"]
    parts.append(f"<p>SHA-256 <code>{escape(digest)}</code></p>")
    return _SHELL.read_text("utf-8").replace("@BODY@", "\n".join(parts))


def _head(day: MallDay) -> str:
    seed, often = day.plan.seed, day.plan.fault
    title = Words(f"商场的一天，种子 {seed}", f"A mall day, seed {seed}")
    about = Words(
        f"每个端口 {often:.0%} 的调用出故障；停电，校时，总部断线几小时",
        f"{often:.0%} of the calls at each port fail; power cuts, clock steps, HQ away for hours",
    )
    other = '<button type="button"><span class="zh">English</span><span class="en">中文</span></button>'
    return f"<header><div><h1>{title.html()}</h1><p>{about.html()}</p></div>{other}</header>"


def _verdict(found: Sequence[str]) -> str:
    if not found:
        words = Words(
            "没有违反任何承诺：网关、总部和本机的账分文不差，车都走了，在场车数一直正确",
            "No promise broken: gateway, HQ and box agree to the fen, every car left, the count was right",
        )
        return f'<div class="verdict"><b>{words.html()}</b></div>'
    words = Words(f"违反承诺 {len(found)} 处", f"{len(found)} violations")
    rows = "".join(f"<li>{escape(one)}</li>" for one in found[:SHOWN])
    return f'<div class="verdict bad"><b>{words.html()}</b><ul>{rows}</ul></div>'


def _tiles(day: MallDay, told: Heard) -> str:
    house, cars = day.house, [car for car in day.drivers.cars if car.visited]
    rows = (
        (len(told.of("order.paid")), Words("已付订单", "orders paid")),
        (len(cars), Words("来车", "cars came")),
        (len(told.of("refund.done")), Words("退款", "refunds")),
        (len(told.of("receipt.issued")), Words("小票", "receipts")),
        (len(told.of("member.joined")), Words("新会员", "members joined")),
        (len(house.hq.applied), Words("总部收到的事件", "events at HQ")),
        (sum(house.faults.hits.values()), Words("注入的故障", "faults injected")),
        (house.tape.count, Words("步", "steps")),
    )
    tiles = (f'<div class="tile"><b>{count:,}</b>{words.html()}</div>' for count, words in rows)
    return f'<div class="tiles">{"".join(tiles)}</div>'


def _ledgers(day: MallDay, told: Heard) -> str:
    heads = (
        Words("元", "yuan"),
        Words("网关", "gateway"),
        Words("总部", "HQ"),
        Words("本机", "box"),
        Words("相差", "off"),
    )
    rows = ["<tr>" + "".join(f"<th>{one.html()}</th>" for one in heads) + "</tr>"]
    for line in ledgers(day, told):
        amounts = (line.gateway_fen, line.hq_fen, line.box_fen, line.off_fen)
        cells = "".join(f"<td>{'' if fen is None else format_yuan(fen)}</td>" for fen in amounts)
        rows.append(f"<tr><td>{_LINES[line.name].html()}</td>{cells}</tr>")
    about = Words("各自按自己的记录算出", "each summed from its own records")
    return _card(Words("三本账", "Three ledgers"), about, f"<table>{''.join(rows)}</table>")


def _office(day: MallDay, told: Heard) -> str:
    office, bills = day.office, bill_sum(day)
    off_fen = sum(abs(data["over_short_fen"] or 0) for data in told.of("shift.closed"))
    applied, done = len(told.of("snapshot.applied")), len(told.of("command.done"))
    rows = (
        (len(office.counts), Words("点清的钱箱", "drawers counted")),
        (format_yuan(office.counted_fen), Words("备用金以外的现金，元", "cash beside the floats, yuan")),
        (format_yuan(off_fen), Words("长短款，元", "over or short, yuan")),
        (bills.days, Words("次日核对的对账单", "bills compared the next mornings")),
        (f"{bills.matched:,}", Words("一致的笔数", "movements that agree")),
        (f"{bills.differences - bills.explained}", Words("未解释的差异", "differences not explained")),
        (f"{applied}/{office.publisher.sent}", Words("生效的下发", "pushes in force")),
        (f"{done}/{len(office.desk.issued)}", Words("执行的总部命令", "HQ commands done")),
        (len(told.of("clock.stepped")), Words("上报的校时", "clock steps told")),
    )
    cells = "".join(f"<tr><td>{words.html()}</td><td>{count}</td></tr>" for count, words in rows)
    about = Words("收银员、总部和财务的一天", "the day of cashiers, HQ and the accountant")
    return _card(Words("班次、对账、下发", "Shifts, bills, pushes"), about, f"<table>{cells}</table>")


def _plots(day: MallDay, told: Heard) -> Iterator[tuple[Words, Words, str]]:
    paid: Counter[int] = Counter()
    fen: Counter[int] = Counter()
    for at_ms, amount_fen in _sales(day, told):
        paid[at_ms // HOUR_MS] += 1
        fen[at_ms // HOUR_MS] += amount_fen
    yield (*_ORDERS, orders_plot(paid))
    yield (*_MONEY, money_plot(fen))
    yield (*_INSIDE, _key("one", _TRUTH, "two", _COUNTED, "dash", _SPACES) + inside_plot(day))
    yield (*_BACKLOG, backlog_plot(day))
    yield (*_FAULTS, faults_plot(day.house.faults))
    yield (*_WAITS, waits_plot([one for car in day.drivers.cars for one in car.waits]))
    for cut in day.house.cuts:
        at_ms = OPENS_H * HOUR_MS + cut.at_ms
        clock = f"{at_ms // HOUR_MS}:{at_ms // MINUTE_MS % 60:02d}"
        step = cut.step.partition(": ")[2]
        about = Words(
            f"停电 {cut.off_ms // 1000} 秒，当时在 {step}；服务启动用了 {cut.start_s:.2f} 秒",
            f"no power for {cut.off_ms // 1000} s, in the middle of {step}; "
            f"the service took {cut.start_s:.2f} s to start",
        )
        yield Words(f"{clock} 停电之后", f"After the power cut at {clock}"), about, cuts_plot(cut)


def _sales(day: MallDay, told: Heard) -> Iterator[tuple[int, int]]:
    """Yield (milliseconds since midnight by the box's clock, fen) of each paid order."""
    midnight = day.midnight_at
    for data in told.of("order.paid"):
        yield data["paid_at"] - midnight, data["total_fen"]


def _card(title: Words, about: Words, inner: str) -> str:
    return f"<section><h2>{title.html()}</h2><p>{about.html()}</p>{inner}</section>"


def _key(*pairs: str | Words) -> str:
    marks = (
        f'<span><i class="{kind}"></i>{words.html()}</span>'
        for kind, words in zip(pairs[::2], pairs[1::2], strict=True)
        if isinstance(words, Words)
    )
    return f'<div class="key">{"".join(marks)}</div>'


_TRUTH = Words("真正在场的车", "cars that are inside")
_COUNTED = Words("本机的计数", "the box's count")
_SPACES = Words("车位", "spaces")
_ORDERS = Words("每小时订单", "Orders by the hour"), Words("已付，含停车费", "paid, parking fees among them")
_MONEY = Words("每小时销售额", "Sales by the hour"), Words("元", "yuan")
_INSIDE = Words("在场车辆", "Cars inside"), Words("真相与计数", "the truth and the count")
_BACKLOG = (
    Words("等待总部的事件", "Events that wait for HQ"),
    Words("阴影：总部断线；红线：停电", "shade: HQ away; red: power cuts"),
)
_FAULTS = (
    Words("各端口的故障", "Faults at each port"),
    Words("按小时，右边是总数", "by the hour, with the sum at the right"),
)
_WAITS = (
    Words("在道闸前等待", "Waits at the barriers"),
    Words(
        "从驶到闸前到闸杆升起，秒；每段的车次",
        "seconds from driving up until the boom is up; cars in each span",
    ),
)
