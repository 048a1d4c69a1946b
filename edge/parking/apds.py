"""Tariffs as rate tables of the Alliance for Parking Data Standards (APDS), JSON. Pure.

Source: APDS 4 / DATEX II 3.6 parking rates (ISO/TS 5206-1): RateTable, RateLineCollection, RateLine. A file
holds one RateTable, or {"data": [...]} with several. What the standard has no place for is told as a loss
when it is written; what we cannot price is refused when it is read.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, tzinfo
from decimal import Decimal

from edge.errors import Invalid
from edge.parking.apds_lines import read_lines, seconds_text
from edge.parking.calendar import RateDays
from edge.parking.tariff_document import DAY_MIN, MAX_FEN, FreeTime, RateLine, Restart, Tariff

CURRENCY = "CNY"

#: Rate tables and collections of one file.
MAX_TABLES = 200

_WEEK = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_DAYS = {RateDays.WORKDAY: _WEEK[:5], RateDays.WEEKEND: _WEEK[5:], RateDays.RESTDAY: _WEEK[5:]}

_Object = Mapping[str, object]


def read_apds(data: bytes) -> tuple[Tariff, ...]:
    """Return the tariffs of a file; raise Invalid naming the rate table and what cannot be priced."""
    try:
        said = json.loads(data, parse_float=Decimal)
    except (ValueError, RecursionError) as error:
        raise Invalid(f"the rates are not JSON: {error}") from error
    listed = said.get("data", [said]) if isinstance(said, dict) else said
    if not isinstance(listed, list) or not 0 < len(listed) <= MAX_TABLES:
        raise Invalid(f'rates must be a RateTable or {{"data": [...]}} with 1 to {MAX_TABLES} of them')
    return tuple(_tariff(one, f"rate table {number}") for number, one in enumerate(listed, 1))


def write_apds(tariffs: Sequence[Tariff], zone: tzinfo) -> tuple[bytes, tuple[str, ...]]:
    """Return the file, and in words what of the tariffs it does not say. zone: of its times."""
    losses: list[str] = []
    tables = []
    for tariff in tariffs:
        lost: list[str] = []
        tables.append(_table(tariff, zone, lost.append))
        losses += [f"{tariff.tariff_id}: {loss}" for loss in lost]
    text = json.dumps({"data": tables}, ensure_ascii=False, indent=1)
    return text.encode() + b"\n", tuple(dict.fromkeys(losses))


def _tariff(value: object, where: str) -> Tariff:
    table = _object(value, where)
    tariff_id = re.sub(r"[^a-z0-9-]", "", str(table.get("id", "")).lower())
    tariff_id = tariff_id if len(tariff_id) <= 32 else tariff_id.replace("-", "")
    if not 0 < len(tariff_id) <= 32:
        raise Invalid(f"{where} needs an id of 1 to 32 of a-z 0-9 -, or a GUID")
    where = f"rate table {table.get('id')}"
    collections = table.get("rateLineCollections", table.get("rateLineCollection"))
    if isinstance(collections, dict):
        collections = [collections]
    if not isinstance(collections, list) or not 0 < len(collections) <= MAX_TABLES:
        raise Invalid(f"{where} has no rateLineCollections")
    name = _text(table.get("rateTableName")) or tariff_id
    tariff = Tariff(tariff_id, name[:60], _begin(table, where), 0, None, ())
    ordered = sorted((_object(one, where) for one in collections), key=_sequence)
    for collection in ordered:
        tariff = _with_collection(tariff, collection, where, alone=len(ordered) == 1)
    return tariff


def _with_collection(tariff: Tariff, collection: _Object, where: str, alone: bool) -> Tariff:
    """Return the tariff with one more window."""
    where = f"{where}, collection {collection.get('collectionSequence', '')}".rstrip()
    _require_priceable(collection, where)
    said = read_lines(collection.get("rateLines", collection.get("rateLine")), where)
    if tariff.lines and (said.free_min, said.free) != (tariff.free_min, tariff.free):
        raise Invalid(f"{where}: its free time is not that of the first collection")
    window = _window(collection, where)
    cap_fen = _fen(collection.get("maxValueCollection"), where)
    whole = alone and window == (RateDays.DAILY, 0, DAY_MIN)
    resets = _resets(collection, where)
    if said.daily and not whole:
        raise Invalid(f"{where}: tiers of a window cannot be priced; use incrementingRate")
    lines = _rate_lines(said.lines, window, None if whole else cap_fen)
    more = replace(tariff, free_min=said.free_min, free=said.free, lines=tariff.lines + lines)
    if whole and resets:
        more = replace(more, date_cap_fen=cap_fen)
    elif whole:
        more = replace(more, visit_cap_fen=cap_fen or said.flat_fen)
    if resets:
        return replace(more, restart=Restart.DATE)
    return replace(more, restart=Restart.CYCLE) if said.daily else more


def _require_priceable(collection: _Object, where: str) -> None:
    currency = collection.get("applicableCurrency", CURRENCY)
    if currency not in (CURRENCY, [CURRENCY]):
        raise Invalid(f"{where}: applicableCurrency {currency!r} is not {CURRENCY}")
    for name in ("minValueCollection", "minTime"):
        if collection.get(name):
            raise Invalid(f"{where}: {name} cannot be priced here; a fee has no least amount or time")
    if collection.get("relativeTimes") is False:
        raise Invalid(f"{where}: relativeTimes false cannot be priced here; give windows as validity")


def _rate_lines(
    lines: Sequence[RateLine], window: tuple[RateDays, int, int], cap_fen: int | None
) -> tuple[RateLine, ...]:
    days, begin, end = window
    return tuple(
        RateLine(one.step_min, one.price_fen, "", days, begin, end, one.after_min, cap_fen) for one in lines
    )


def _window(collection: _Object, where: str) -> tuple[RateDays, int, int]:
    periods = _periods(collection)
    if not periods:
        return RateDays.DAILY, 0, DAY_MIN
    if len(periods) > 1:
        raise Invalid(f"{where}: more than one validPeriod; give each a collection of its own")
    period = _object(periods[0], where)
    clocks = period.get("recurringTimePeriodOfDay") or [{}]
    if not isinstance(clocks, list) or len(clocks) != 1:
        raise Invalid(f"{where}: more than one recurringTimePeriodOfDay; give each a collection of its own")
    clock = _object(clocks[0], where)
    begin = _minute(clock.get("startTimeOfPeriod", "00:00"), where)
    end = _minute(clock.get("endTimeOfPeriod", "24:00"), where)
    return _days(period, where), begin, end or DAY_MIN


def _days(period: _Object, where: str) -> RateDays:
    weeks = period.get("recurringDayWeekMonthPeriod") or []
    week = _object(weeks[0], where) if isinstance(weeks, list) and weeks else {}
    named = week.get("applicableDay") or list(_WEEK)
    days = tuple(day for day in _WEEK if isinstance(named, list) and day in named)
    if days == _WEEK:
        return RateDays.DAILY
    for kind in (RateDays.WORKDAY, RateDays.RESTDAY):
        if days == _DAYS[kind]:
            return kind
    raise Invalid(f"{where}: days {', '.join(days)} are neither the working days nor the weekend")


def _periods(holder: _Object) -> list[object]:
    validity = holder.get("validity")
    spec = validity.get("validityTimeSpecification", validity) if isinstance(validity, dict) else {}
    periods = spec.get("validPeriods") if isinstance(spec, dict) else None
    return periods if isinstance(periods, list) else []


def _begin(table: _Object, where: str) -> int:
    validity = table.get("validity")
    spec = validity.get("validityTimeSpecification", validity) if isinstance(validity, dict) else {}
    said = spec.get("overallStartTime") if isinstance(spec, dict) else None
    if said is None:
        return 0
    try:
        return int(datetime.fromisoformat(str(said)).timestamp() * 1000)
    except (ValueError, OverflowError):
        raise Invalid(f"{where}: overallStartTime {said!r:.40} is no time") from None


def _resets(collection: _Object, where: str) -> bool:
    said = collection.get("resetTime")
    if said in (None, ""):
        return False
    if _minute(said, where) % DAY_MIN:
        raise Invalid(f"{where}: resetTime {said!r:.40} cannot be priced here; only midnight can")
    return True


def _fen(value: object, where: str) -> int | None:
    if value is None:
        return None
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        fen = Decimal(value) * 100
        if fen == int(fen) and 0 <= fen <= MAX_FEN:
            return int(fen)
    raise Invalid(f"{where}: {value!r:.40} is no amount in yuan, {MAX_FEN // 100} at most")


def _minute(value: object, where: str) -> int:
    found = re.fullmatch(r"(\d{2}):(\d{2})(?::00)?Z?", str(value), re.ASCII)
    minute = int(found[1]) * 60 + int(found[2]) if found else -1
    if not 0 <= minute <= DAY_MIN:
        raise Invalid(f"{where}: {value!r:.40} is no time of day like 08:00")
    return minute


def _sequence(collection: _Object) -> int:
    number = collection.get("collectionSequence", 0)
    return number if isinstance(number, int) else 0


def _text(value: object) -> str:
    """Return the Chinese of a text in languages, else the first."""
    if isinstance(value, dict):
        value = [{"language": key, "string": text} for key, text in value.items()]
    listed = [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
    ranked = sorted(listed, key=lambda one: not str(one.get("language", "")).startswith("zh"))
    return "".join(char for char in str(ranked[0].get("string", "")) if char.isprintable()) if ranked else ""


def _object(value: object, where: str) -> _Object:
    if not isinstance(value, dict):
        raise Invalid(f"{where} must be an object, got {type(value).__name__}")
    return value


def _table(tariff: Tariff, zone: tzinfo, lose: Callable[[str], None]) -> dict[str, object]:
    groups: dict[tuple[RateDays, int, int], list[RateLine]] = {}
    for line in tariff.lines:
        if line.vehicle_class or line.colour or line.days is RateDays.HOLIDAY:
            lose(f"rates for {line.vehicle_class or line.colour or 'public holidays'} are left out")
        else:
            groups.setdefault((line.days, line.from_min, line.to_min), []).append(line)
    _tell_losses(tariff, len(groups), lose)
    collections = [
        _collection(tariff, number, window, lines, len(groups) == 1, lose)
        for number, (window, lines) in enumerate(groups.items(), 1)
    ]
    begins = datetime.fromtimestamp(tariff.valid_from // 1000, zone).isoformat()
    return {
        "id": tariff.tariff_id,
        "version": 1,
        "rateTableName": [{"language": "zh", "string": tariff.name}],
        "availability": "public",
        "validity": {
            "validityStatus": "definedByValidityTimeSpec",
            "validityTimeSpecification": {"overallStartTime": begins},
        },
        "rateLineCollections": collections,
    }


def _tell_losses(tariff: Tariff, windows: int, lose: Callable[[str], None]) -> None:
    dated = tariff.restart is Restart.DATE
    for said, loss in (
        (tariff.day_cap_fen is not None, "the limit of 24 hours from the entry"),
        (tariff.date_cap_fen is not None and (windows > 1 or not dated), "the limit of a date"),
        (tariff.visit_cap_fen is not None and (windows > 1 or dated), "the limit of a visit"),
        (tariff.restart is Restart.CYCLE, "that the first block counts anew each 24 hours"),
        (tariff.boundary == "finish", "that steps finish over the end of a window"),
        (tariff.round_fen > 0, "the rounding"),
        (tariff.reentry_min > 0, "that free time is not given twice"),
        (tariff.grace_s is not None, "the time to drive out after payment"),
        (tariff.minutes_from == "start", "which end minutes are taken from"),
    ):
        if said:
            lose(f"{loss} is left out")


def _collection(
    tariff: Tariff,
    number: int,
    window: tuple[RateDays, int, int],
    lines: Sequence[RateLine],
    alone: bool,
    lose: Callable[[str], None],
) -> dict[str, object]:
    days, begin, end = window
    said: dict[str, object] = {
        "collectionSequence": number,
        "applicableCurrency": CURRENCY,
        "relativeTimes": True,
        "taxIncluded": True,
    }
    caps = [line.cap_fen for line in lines if line.cap_fen is not None]
    resets = tariff.restart is Restart.DATE
    own = (tariff.date_cap_fen if resets else tariff.visit_cap_fen) if alone else None
    if caps and alone and (days, begin, end) == (RateDays.DAILY, 0, DAY_MIN):
        lose("the limit of a window that is the whole day is left out")
        caps = []
    cap_fen = min(caps) if caps else own
    if cap_fen is not None:
        said["maxValueCollection"] = cap_fen / 100
    if resets:
        said["resetTime"] = "00:00"
    if window != (RateDays.DAILY, 0, DAY_MIN):
        said["validity"] = _validity(days, begin, end, lose)
    said["rateLines"] = _lines(tariff, lines, lose)
    return said


def _validity(days: RateDays, begin: int, end: int, lose: Callable[[str], None]) -> dict[str, object]:
    clock = {"startTimeOfPeriod": _clock(begin), "endTimeOfPeriod": _clock(end % DAY_MIN)}
    period: dict[str, object] = {"recurringTimePeriodOfDay": [clock]}
    if days in _DAYS:
        period["recurringDayWeekMonthPeriod"] = [{"applicableDay": list(_DAYS[days])}]
        lose("public holidays and worked weekends are left out; days are those of the week")
    return {
        "validityStatus": "definedByValidityTimeSpec",
        "validityTimeSpecification": {"validPeriods": [period]},
    }


def _lines(tariff: Tariff, lines: Sequence[RateLine], lose: Callable[[str], None]) -> list[dict[str, object]]:
    ordered = sorted(lines, key=lambda line: line.after_min)
    shift = tariff.free_min if tariff.free is FreeTime.KEPT else 0
    said: list[dict[str, object]] = []
    if tariff.free_min:
        end = seconds_text(tariff.free_min)
        said.append({"rateLineType": "flatRateTier", "durationStart": "PT0S", "durationEnd": end, "value": 0})
    for place, line in enumerate(ordered):
        part_min = line.by_min or line.step_min
        value = Decimal(line.price_fen * part_min) / (line.step_min * 100)
        if (value * 100) % 1:
            lose(
                f"{line.price_fen / 100:.2f} for {line.step_min} min is charged whole, not by {part_min} min"
            )
            part_min, value = line.step_min, Decimal(line.price_fen) / 100
        one: dict[str, object] = {
            "rateLineType": "incrementingRate",
            "durationStart": seconds_text(line.after_min + shift),
            "incrementPeriod": seconds_text(part_min),
            "value": float(value),
        }
        if place + 1 < len(ordered):
            one["durationEnd"] = seconds_text(ordered[place + 1].after_min + shift)
        said.append(one)
    return [{"sequence": number, **one} for number, one in enumerate(said, 1)]


def _clock(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"
