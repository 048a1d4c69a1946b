"""A quote in plain words, in Chinese (zh) and English (en). Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, tzinfo

from edge.codes.sheet import MAX_AT
from edge.money import format_yuan
from edge.parking.quote import Quote, Segment

LANGUAGES = ("zh", "en")

#: Minutes that people say otherwise, each as (zh, en).
_LENGTHS = {60: ("小时", "hour"), 1_440: ("天", "day")}

_SENTENCES: Mapping[str, tuple[str, str]] = {
    "free_time": ("{span} 免费 {minutes} 分钟内", "{span} within {minutes} free minutes"),
    "rate_free": ("{span} 不收费", "{span} free of charge"),
    "rate_steps": (
        "{span} 每{step} {price} 元 × {steps} = {fee} 元",
        "{span} {price} per {step} × {steps} = {fee}",
    ),
    "rate_parts": (
        "{span} 每{step} {price} 元，按每 {by_min} 分钟计 × {steps} = {fee} 元",
        "{span} {price} per {step}, counted by {by_min} min × {steps} = {fee}",
    ),
    "cap_window": (
        "{span} 时段封顶 {cap} 元，减 {fee} 元",
        "{span} at most {cap} in this period, less {fee}",
    ),
    "cap_cycle": ("{span} 24 小时封顶 {cap} 元，减 {fee} 元", "{span} at most {cap} in 24 hours, less {fee}"),
    "cap_date": ("{span} 当日封顶 {cap} 元，减 {fee} 元", "{span} at most {cap} a day, less {fee}"),
    "cap_visit": ("{span} 单次封顶 {cap} 元，减 {fee} 元", "{span} at most {cap} a visit, less {fee}"),
    "rounding": ("按 {unit} 元取整 {signed} 元", "rounded to {unit}: {signed}"),
    "benefit_minutes": (
        "{label}：减 {value} 分钟（从末尾算），减 {fee} 元",
        "{label}: the last {value} min off, less {fee}",
    ),
    "benefit_first_minutes": (
        "{label}：减 {value} 分钟（从入场算），减 {fee} 元",
        "{label}: the first {value} min off, less {fee}",
    ),
    "benefit_amount": ("{label}：减 {fee} 元", "{label}: less {fee}"),
    "benefit_permille": ("{label}：减 {percent}%，减 {fee} 元", "{label}: {percent}% off, less {fee}"),
    "benefit_tariff": ("{label}：按另一标准计，减 {fee} 元", "{label}: by another tariff, less {fee}"),
    "benefit_all": ("{label}：全免，减 {fee} 元", "{label}: all free, less {fee}"),
}

_LABELS: tuple[str, str] = ("优惠", "Reduction")

_NOTES: Mapping[str, tuple[str, str]] = {
    "entry_untrusted": (
        "入场时钟未校准，入场时间可能不准",
        "the clock was not set at the entry; its time may be wrong",
    ),
    "exit_untrusted": (
        "出场时钟未校准，请核对停车时长",
        "the clock is not set now; make sure of the time parked",
    ),
    "clock_jumped": (
        "停车期间时钟跳变，已按实际时长更正",
        "the clock jumped meanwhile; the time was put right",
    ),
    "least_time": (
        "时钟曾不准，停车时长无法完全确定，已按可确定的最短时长收费",
        "the clock was wrong; charged for the shortest time that is certain",
    ),
    "unseen_entry": ("入场未被识别，入场时间可能不准", "nobody saw the entry; its time may be wrong"),
    "unseen_exit": ("出场未被识别，出场时间可能不准", "nobody saw the exit; its time may be wrong"),
    "matched_unidentified": ("由无牌入场记录匹配而来", "matched with an entry without a plate"),
    "long_stay": (
        "停车超过 31 天，请核对入场时间",
        "parked for more than 31 days; make sure of the time of entry",
    ),
    "clock_behind": ("现在的时钟早于入场时间，请检查时钟", "the clock is behind the entry; check the clock"),
}


#: What of it drivers are told.
_FOR_DRIVERS = frozenset({"least_time", "clock_jumped"})


def sentence(segment: Segment, zone: tzinfo, language: str, dated: bool = False) -> str:
    """Return one segment as a sentence, such as "09:00-12:00 每小时 5.00 元 × 3 = 15.00 元".

    zone: of the car park. dated: with the dates, for stays over several days. A segment whose key is not
    known is told by its key and amount.
    """
    which = LANGUAGES.index(language)
    template = _SENTENCES.get(segment.words)
    if template is None:
        return f"{segment.words} {format_yuan(segment.amount_fen)}"
    return template[which].format_map(_fillings(segment, zone, which, dated))


def explain(quote: Quote, zone: tzinfo, language: str, *, doubts: bool = True) -> tuple[str, ...]:
    """Return a sentence for each segment, then for what was paid, and for a clock that is in doubt.

    doubts: False leaves the last one out where drivers can do nothing about it; that they are charged for the
    least time, or for a time put right, they are told.
    """
    dated = _day(quote.entered_at, zone) != _day(quote.at, zone)
    lines = [sentence(one, zone, language, dated) for one in quote.segments]
    if quote.paid_fen:
        said = format_yuan(quote.paid_fen)
        lines.append((f"已付 {said} 元", f"paid before: {said}")[LANGUAGES.index(language)])
    told = quote.clock_note and (doubts or quote.clock_note in _FOR_DRIVERS)
    return (*lines, note(quote.clock_note, language)) if told else tuple(lines)


def summary(quote: Quote, zone: tzinfo, language: str) -> str:
    """Return one line for driver and guard: how long, what is due, when it rises or until when to leave."""
    which = LANGUAGES.index(language)
    parked = duration((quote.at - quote.entered_at) // 60_000, language)
    due = format_yuan(quote.due_fen)
    paid = format_yuan(quote.paid_fen)
    before = (f"已付 {paid} 元，", f"paid {paid}, ")[which] if quote.paid_fen else ""
    head = (f"停车 {parked}，{before}应付 {due} 元", f"parked {parked}, {before}to pay {due}")[which]
    if not quote.due_fen and quote.allowed_exit_at is not None and quote.allowed_exit_at < MAX_AT:
        until = _clock(quote.allowed_exit_at, zone, _day(quote.allowed_exit_at, zone) != _day(quote.at, zone))
        return head + (f"；请在 {until} 前驶出", f"; please leave by {until}")[which]
    if quote.due_fen and quote.next_raise_at is not None and quote.next_raise_fen is not None:
        begins_at = quote.next_raise_at - 1
        when = _clock(begins_at, zone, _day(begins_at, zone) != _day(quote.at, zone))
        more = format_yuan(quote.next_raise_fen)
        return head + (f"；{when} 后为 {more} 元", f"; {more} after {when}")[which]
    return head


def duration(minutes: int, language: str) -> str:
    """Return a length of time in words: "2 小时 5 分钟", "2 h 5 min"."""
    which = LANGUAGES.index(language)
    days, rest = divmod(max(0, minutes), 1_440)
    hours, rest = divmod(rest, 60)
    parts = [
        f"{number} {word[which]}"
        for number, word in ((days, ("天", "d")), (hours, ("小时", "h")), (rest, ("分钟", "min")))
        if number
    ]
    return " ".join(parts) or ("0 分钟", "0 min")[which]


def note(clock_note: str, language: str) -> str:
    """Return why the times of a stay are in doubt; a note that is not known stands for itself."""
    words = _NOTES.get(clock_note)
    return clock_note if words is None else words[LANGUAGES.index(language)]


def _fillings(segment: Segment, zone: tzinfo, which: int, dated: bool) -> dict[str, str | int]:
    said: dict[str, str | int] = dict(segment.params)
    clocks = (_clock(segment.from_at, zone, dated), _clock(segment.to_at, zone, dated))
    said["span"] = (" – " if dated else "-").join(clocks)
    said["fee"] = format_yuan(abs(segment.amount_fen))
    said["signed"] = f"{'+' if segment.amount_fen > 0 else ''}{format_yuan(segment.amount_fen)}"
    said["step"] = _length(int(said.get("step_min", 0)), which)
    said["price"] = format_yuan(int(said.get("price_fen", 0)))
    said["cap"] = format_yuan(int(said.get("cap_fen", 0)))
    said["unit"] = format_yuan(int(said.get("unit_fen", 0)))
    said["percent"] = f"{int(said.get('value', 0)) / 10:g}"
    labels = (said.get("label"), said.get("label_en"))
    said["label"] = labels[which] or labels[0] or _LABELS[which]
    return said


def _length(minutes: int, which: int) -> str:
    if minutes in _LENGTHS:
        return _LENGTHS[minutes][which]
    if minutes == 1:
        return ("分钟", "minute")[which]
    number, unit = (minutes // 60, ("小时", "hours")) if minutes % 60 == 0 else (minutes, ("分钟", "minutes"))
    return (f" {number} {unit[0]}", f"{number} {unit[1]}")[which]


def _clock(at: int, zone: tzinfo, dated: bool) -> str:
    local = datetime.fromtimestamp(at // 1000, zone)
    return local.strftime("%m-%d %H:%M" if dated else "%H:%M")


def _day(at: int, zone: tzinfo) -> int:
    return datetime.fromtimestamp(at // 1000, zone).toordinal()
