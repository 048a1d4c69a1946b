"""The plots of a mall day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from edge.money import format_yuan
from sim.mall_day.drawing import (
    HEIGHT,
    LEFT,
    RIGHT,
    TOP,
    WIDTH,
    Frame,
    Words,
    band,
    bar,
    hours_across,
    line,
    moment,
    nice,
    svg,
    text,
    values_up,
)
from sim.mall_day.faults import PORTS, Faults
from sim.mall_day.house import OPENS_H, Cut
from sim.traffic import HOUR_MS

if TYPE_CHECKING:
    from sim.mall_day.day import MallDay

#: Bounds of the spans of waits, in seconds; the last one has no end.
SPANS = (2, 5, 10, 15, 20, 30, 60, 120, 300)

_PORTS = {
    "gateway": Words("支付网关", "gateway"),
    "refunds": Words("退款", "refunds"),
    "phone payments": Words("手机支付", "phone pay"),
    "owners": Words("车主代扣", "owners"),
    "HQ link": Words("总部链路", "HQ link"),
    "snapshots": Words("总部下发", "snapshots"),
    "bills": Words("对账单", "bills"),
    "printers": Words("打印机", "printers"),
    "scanners": Words("扫码枪", "scanners"),
    "cameras": Words("相机", "cameras"),
    "gates": Words("道闸", "gates"),
    "displays": Words("显示屏", "displays"),
    "store": Words("存储", "store"),
}


def orders_plot(paid: Mapping[int, int]) -> str:
    """Return the orders of each hour as bars."""
    told = {hour: Words(f"{hour}点 {count} 单", f"{hour}:00 {count} orders") for hour, count in paid.items()}
    return _hour_bars(paid, told, "bar", Words("每小时订单", "orders by the hour"))


def money_plot(fen: Mapping[int, int]) -> str:
    """Return the sales of each hour as bars, in yuan."""
    told = {
        hour: Words(f"{hour}点 {format_yuan(one)} 元", f"{hour}:00 {format_yuan(one)} yuan")
        for hour, one in fen.items()
    }
    yuan = {hour: one / 100 for hour, one in fen.items()}
    return _hour_bars(yuan, told, "bar two", Words("每小时销售额", "sales by the hour"))


def _hour_bars(values: Mapping[int, float], told: Mapping[int, Words], kind: str, about: Words) -> str:
    first, last = min(values, default=9), max(values, default=20) + 1
    frame = Frame(first * HOUR_MS, last * HOUR_MS, _room(max(values.values(), default=1)))
    width = frame.x((first + 1) * HOUR_MS) - frame.x(first * HOUR_MS)
    bars = []
    for hour, one in values.items():
        x, y = frame.x(hour * HOUR_MS) + 1, frame.y(one)
        bars.append(bar(x, y, width - 2, frame.bottom - y, kind, told[hour]))
    return svg([*values_up(frame), *bars, *hours_across(frame)], about)


def inside_plot(day: MallDay) -> str:
    """Return the cars inside in truth and by the count, under the number of spaces."""
    spaces = day.plan.spaces
    most = max([one.inside for one in day.samples], default=1)
    frame = _day_frame(day, _room(max(most, spaces)))
    truth = [(frame.x(one.at_ms), frame.y(one.inside)) for one in day.samples]
    counted = [(frame.x(one.at_ms), frame.y(one.counted)) for one in day.samples]
    full = [(LEFT, frame.y(spaces)), (WIDTH - RIGHT, frame.y(spaces))]
    parts = [*values_up(frame), line(full, "most"), line(truth, "wide"), line(counted, "two")]
    return svg([*parts, *hours_across(frame)], Words("在场车辆", "cars inside"))


def backlog_plot(day: MallDay) -> str:
    """Return what waited for HQ, with the hours in which it was away and the power cuts."""
    frame = _day_frame(day, _room(max([one.backlog for one in day.samples], default=1)))
    parts = []
    if day.plan.away:
        from_ms, to_ms = day.plan.away[0] * HOUR_MS, day.plan.away[-1] * HOUR_MS
        parts.append(band(frame, from_ms, to_ms, Words("总部断线", "HQ away")))
    parts += values_up(frame)
    parts.append(line([(frame.x(one.at_ms), frame.y(one.backlog)) for one in day.samples], "one"))
    for cut in day.house.cuts:
        words = Words(f"停电 {cut.off_ms // 1000} 秒", f"no power for {cut.off_ms // 1000} s")
        parts.append(moment(frame, OPENS_H * HOUR_MS + cut.at_ms, words))
    return svg([*parts, *hours_across(frame)], Words("等待总部的事件", "events that wait for HQ"))


def faults_plot(faults: Faults) -> str:
    """Return a grid of how many faults came at each port in each hour, with the sums."""
    hours = sorted({hour for _, hour in faults.by_hour})
    ports = [one for one in PORTS if faults.calls[one]]
    first, last = (hours[0], hours[-1]) if hours else (9, 20)
    left, row = 66, 16
    width = (WIDTH - left - 40) / (last - first + 1)
    most = max(faults.by_hour.values(), default=1)
    parts = []
    for at, port in enumerate(ports):
        y = TOP + at * row
        name = _PORTS[port].svg()
        parts.append(f'<text class="name" x="{left - 5}" y="{y + 11}" text-anchor="end">{name}</text>')
        for hour in range(first, last + 1):
            parts.append(
                _cell(left + (hour - first) * width, y, width, row, faults.by_hour[port, hour], most)
            )
        parts.append(text(WIDTH - 4, y + 11, f"{faults.hits[port]:,}", "end", "number"))
    bottom = TOP + len(ports) * row
    for hour in range(first, last + 1):
        if hour % 6 == 0:
            x = left + (hour - first + 0.5) * width
            parts.append(text(round(x, 1), bottom + 12, f"{hour % 24}:00", "middle"))
    return svg(parts, Words("各端口的故障", "faults at each port"), bottom + 18)


def _cell(x: float, y: float, width: float, height: float, count: int, most: int) -> str:
    strength = 0.06 if not count else 0.18 + 0.82 * (count / most) ** 0.5
    box = f'x="{x + 0.7:.1f}" y="{y + 0.7:.1f}" width="{width - 1.4:.1f}" height="{height - 1.4:.1f}"'
    return f'<rect class="cell" {box} rx="2" fill-opacity="{strength:.2f}"><title>{count}</title></rect>'


def waits_plot(waits: Sequence[int]) -> str:
    """Return how many cars waited how long. waits: milliseconds."""
    bounds = (0, *SPANS)
    counts = [0] * len(bounds)
    for one in waits:
        counts[max(at for at, bound in enumerate(bounds) if one >= bound * 1_000)] += 1
    frame = Frame(0, len(bounds), _room(max(counts)))
    width = frame.x(1) - frame.x(0)
    parts = values_up(frame)
    for at, count in enumerate(counts):
        upto = f"-{bounds[at + 1]}" if at + 1 < len(bounds) else "+"
        told = Words(f"{bounds[at]}{upto} 秒 {count} 次", f"{bounds[at]}{upto} s: {count}")
        y = frame.y(count)
        parts.append(bar(frame.x(at) + 2, y, width - 4, frame.bottom - y, "bar", told))
        if count:
            parts.append(text(frame.x(at) + width / 2, y - 3, str(count), "middle", "number"))
        parts.append(text(frame.x(at), HEIGHT - 8, str(bounds[at]), "middle"))
    return svg(parts, Words("在道闸前等待，秒", "waits at the barriers, seconds"))


def cuts_plot(cut: Cut) -> str:
    """Return what the time after a power cut was made of: no power, the machine's and the service's start."""
    boot_ms = 12_000
    spans = [
        (cut.off_ms, "bar two", Words("无电", "no power")),
        (boot_ms, "bar", Words("机器启动", "the machine starts")),
        (round(cut.start_s * 1_000), "bar", Words("服务启动（实际时间）", "the service starts (real time)")),
        (cut.first_ms, "bar", Words("到第一个决定", "to the first decision")),
    ]
    most = max(ms for ms, _, _ in spans) or 1
    parts, row = [], 34
    for at, (ms, kind, words) in enumerate(spans):
        y = 4 + at * row
        parts.append(f'<text class="name" x="2" y="{y + 9}">{words.svg()}</text>')
        width = max(1.5, ms / most * (WIDTH - 60))
        parts.append(bar(2, y + 13, width, 11, kind, words))
        parts.append(text(width + 8, y + 22.5, f"{ms / 1000:.2f} s", "start", "number"))
    return svg(parts, Words("停电之后", "after the power cut"), 4 + len(spans) * row)


def _day_frame(day: MallDay, most: float) -> Frame:
    last = max([one.at_ms for one in day.samples], default=20 * HOUR_MS)
    return Frame(OPENS_H * HOUR_MS, last, most)


def _room(most: float) -> float:
    """Return the top of an axis that has room for a value."""
    step = nice(most / 4)
    return step * -(-most // step) if most else 1.0
