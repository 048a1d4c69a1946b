"""The rate lines of an APDS collection as ours: tiers become steps that add up to the same. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from edge.errors import Invalid
from edge.parking.tariff_document import DAY_MIN, MAX_FEN, MONTH_MIN, FreeTime, RateLine

MAX_LINES = 100

_DURATION = re.compile(r"P(?:(\d{1,3})D)?T?(?:(\d{1,4})H)?(?:(\d{1,5})M)?(?:(\d{1,7})S)?", re.ASCII)

_TYPES = ("incrementingRate", "flatRateTier", "flatRate")


@dataclass(frozen=True, slots=True)
class _Said:
    kind: str
    start_min: int
    end_min: int | None
    step_min: int | None
    fen: int


@dataclass(frozen=True, slots=True)
class Lines:
    """What a list of rate lines says. flat_fen: the fee of a stay, where that is all it says.

    daily: the tiers end after 24 hours and begin anew then.
    """

    free_min: int
    free: FreeTime
    lines: tuple[RateLine, ...]
    flat_fen: int | None
    daily: bool


def read_lines(value: object, where: str) -> Lines:
    """Return the rate lines of a collection.

    A first tier of value 0 is free time: `kept` when the next line begins where it ends, `charged` when it
    begins at 0. Each further tier is one step that adds what it costs more than the one before. Raises
    Invalid naming the line that cannot be priced.
    """
    listed = [value] if isinstance(value, dict) else value
    if not isinstance(listed, list) or not 0 < len(listed) <= MAX_LINES:
        raise Invalid(f"{where}: give 1 to {MAX_LINES} rateLines")
    ordered = sorted((_mapping(one, where) for one in listed), key=_sequence)
    said: list[_Said] = []
    for number, line in enumerate(ordered, 1):
        said.append(_said(line, said[-1] if said else None, f"{where}, line {number}"))
    free_min, free = _free(said)
    if free_min:
        said = said[1:]
    shift = free_min if free is FreeTime.KEPT else 0
    last = said[-1] if said else None
    tiers = last is not None and last.kind == "flatRateTier"
    if tiers and last is not None and last.end_min != DAY_MIN:
        raise Invalid(f"{where}: the last tier must end after 24 hours (PT24H), or a rate must follow it")
    return Lines(free_min, free, _rate_lines(said, shift, where), _flat(said), tiers)


def seconds_text(minutes: int) -> str:
    """Return minutes as an ISO 8601 duration: "PT0S", "PT15M", "PT2H"."""
    if not minutes:
        return "PT0S"
    return f"PT{minutes // 60}H" if minutes % 60 == 0 else f"PT{minutes}M"


def _rate_lines(said: list[_Said], shift: int, where: str) -> tuple[RateLine, ...]:
    lines: list[RateLine] = []
    before_fen = 0
    for one in said:
        price_fen = one.fen - before_fen if one.kind == "flatRateTier" else one.fen
        if one.kind == "flatRateTier":
            before_fen = one.fen
        after_min, step_min = one.start_min - shift, one.step_min or 0
        if price_fen < 0:
            raise Invalid(f"{where}: a longer stay would cost less from minute {one.start_min} on")
        if not (0 <= after_min <= MONTH_MIN and 1 <= step_min <= DAY_MIN):
            raise Invalid(f"{where}: a step of {step_min} min from minute {after_min} on cannot be priced")
        lines.append(RateLine(step_min, price_fen, after_min=after_min))
    if not lines:
        raise Invalid(f"{where}: nothing is charged; give a line of value 0")
    return tuple(lines)


def _said(line: Mapping[str, object], before: _Said | None, where: str) -> _Said:
    kind = line.get("rateLineType")
    if kind not in _TYPES:
        raise Invalid(f"{where}: rateLineType {kind!r:.40} cannot be priced; use {', '.join(_TYPES)}")
    for name in ("minValue", "maxValue"):
        if line.get(name):
            raise Invalid(f"{where}: {name} of a line cannot be priced; use maxValueCollection")
    start = _minutes(line.get("durationStart"), where)
    end = _minutes(line.get("durationEnd"), where)
    step = _minutes(line.get("incrementPeriod"), where)
    if start is None:
        start = 0 if before is None else before.end_min or before.start_min + (before.step_min or 0)
    if kind == "flatRate":
        step = DAY_MIN
    elif step is None:
        if end is None or end <= start:
            raise Invalid(f"{where}: give an incrementPeriod, or a durationEnd after durationStart")
        step = end - start
    return _Said(str(kind), start, end, step, _fen(line.get("value"), where))


def _free(said: list[_Said]) -> tuple[int, FreeTime]:
    first = said[0]
    if len(said) < 2 or first.fen or first.start_min or first.kind == "flatRate":
        return 0, FreeTime.CHARGED
    end = first.end_min or first.step_min or 0
    starts = said[1].start_min
    if starts not in (0, end):
        return 0, FreeTime.CHARGED
    return end, FreeTime.KEPT if starts == end else FreeTime.CHARGED


def _flat(said: list[_Said]) -> int | None:
    return said[0].fen if len(said) == 1 and said[0].kind == "flatRate" else None


def _minutes(value: object, where: str) -> int | None:
    """Return a duration; one that ends a second before a minute, as some write tiers, is that minute."""
    if value is None:
        return None
    found = _DURATION.fullmatch(str(value))
    if found is None or not any(found.groups()):
        raise Invalid(f"{where}: {value!r:.40} is no duration like PT1H")
    days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
    whole = days * 86_400 + hours * 3_600 + minutes * 60 + seconds
    if whole % 60 == 59:
        whole += 1
    if whole % 60:
        raise Invalid(f"{where}: {value!r:.40} is no whole number of minutes")
    return whole // 60


def _fen(value: object, where: str) -> int:
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        fen = Decimal(value) * 100
        if fen == int(fen) and 0 <= fen <= MAX_FEN:
            return int(fen)
    raise Invalid(f"{where}: value {value!r:.40} is no amount in yuan with two decimals at most")


def _sequence(line: Mapping[str, object]) -> int:
    number = line.get("sequence", 0)
    return number if isinstance(number, int) else 0


def _mapping(value: object, where: str) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise Invalid(f"{where}: a rate line must be an object, got {type(value).__name__}")
    return value
