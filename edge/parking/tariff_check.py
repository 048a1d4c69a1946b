"""What a tariff promises, tried out over thousands of stays: the first that breaks it is shown. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from enum import StrEnum

from edge.errors import Invalid
from edge.money import format_yuan
from edge.parking.calendar import Calendar
from edge.parking.price_rise import HORIZON_MS, first_above
from edge.parking.quote_words import duration
from edge.parking.stay_charges import Meter, price_fen, stretches
from edge.parking.tariff_document import DAY_MIN, FreeTime, Tariff
from edge.parking.tariff_plan import DAY_MS, MINUTE_MS, Plan
from edge.parking.vehicle import PlateColour, VehicleClass

#: How many days, entries of a day and lengths of stay are tried; a quick check at import tries fewer.
MAX_DAYS, QUICK_DAYS = 9, 4
MAX_ENTRIES, QUICK_ENTRIES = 30, 12
MAX_VEHICLES = 12

_DAYS_AHEAD = 400


class Promise(StrEnum):
    """What is tried."""

    COVERED = "no gap in windows"
    FREE_TIME = "free minutes"
    NEVER_FALLS = "never falls with time"
    LIMITS = "limits hold"
    NEXT_RISE = "next rise is exact"
    CLOCK = "clock changes"
    SPLITTING = "splitting a stay does not pay"


class Verdict(StrEnum):
    """WARN does not keep a tariff out."""

    PASS = "pass"
    WARN = "warn"
    FAIL = "FAIL"


@dataclass(frozen=True, slots=True)
class Finding:
    """What became of one promise. said: the counterexample, or what was tried."""

    promise: Promise
    verdict: Verdict
    said: str


@dataclass(frozen=True, slots=True)
class Trial:
    """What stays are tried: plans for each kind of vehicle that the tariff tells apart, entries, lengths."""

    tariff: Tariff
    zone: tzinfo
    plans: tuple[tuple[str, Plan], ...]
    entries: tuple[int, ...]
    lengths: tuple[int, ...]

    def each(self) -> Iterator[tuple[str, Plan, int]]:
        """Yield (vehicle, plan, entry)."""
        for vehicle, plan in self.plans:
            for entered_at in self.entries:
                yield vehicle, plan, entered_at

    def told(self, vehicle: str, entered_at: int, at: int) -> str:
        """Return a stay in words."""
        begin, end = (datetime.fromtimestamp(one // 1000, self.zone) for one in (entered_at, at))
        rest = f".{at % 1000:03d}" if at % 1000 else ""
        seconds = ":%S" if at % MINUTE_MS else ""
        return f"{vehicle}{begin:%a %Y-%m-%d %H:%M} to {end.strftime('%a %Y-%m-%d %H:%M' + seconds)}{rest}"


def check_tariff(
    tariff: Tariff,
    zone: tzinfo,
    calendar: Calendar | None = None,
    quick: bool = False,
    from_at: int = 0,
) -> tuple[Finding, ...]:
    """Return what became of each promise, for stays in the days after the tariff's beginning and `from_at`.

    The named days of the calendar and the clock changes of the zone in the 400 days after it are among them.
    """
    return try_out(_trial(tariff, zone, calendar or Calendar(), quick, max(from_at, tariff.valid_from)))


def try_out(trial: Trial) -> tuple[Finding, ...]:
    """Return what became of each promise over the stays of a trial."""
    tried = f"{len(trial.plans) * len(trial.entries) * len(trial.lengths):,} stays"
    checks: tuple[tuple[Promise, Callable[[Trial], str], Verdict], ...] = (
        (Promise.COVERED, _gap, Verdict.FAIL),
        (Promise.NEVER_FALLS, _fall, Verdict.FAIL),
        (Promise.LIMITS, _over_limit, Verdict.FAIL),
        (Promise.NEXT_RISE, _wrong_rise, Verdict.FAIL),
        (Promise.CLOCK, _wrong_clock, Verdict.FAIL),
        (Promise.SPLITTING, _split, Verdict.WARN),
    )
    found = [Finding(Promise.FREE_TIME, Verdict.PASS, _free_time(trial))]
    for promise, check, verdict in checks:
        said = check(trial)
        found.append(Finding(promise, verdict if said else Verdict.PASS, said or tried))
    return tuple(found)


def require_sound(tariffs: Iterable[Tariff], zone: tzinfo, calendar: Calendar | None = None) -> None:
    """Raise Invalid naming the first tariff that breaks a promise, and the stay that shows it."""
    for tariff in tariffs:
        for one in check_tariff(tariff, zone, calendar, quick=True):
            if one.verdict is Verdict.FAIL:
                raise Invalid(f"tariff {tariff.tariff_id} breaks {one.promise.value!r}: {one.said}")


def _trial(tariff: Tariff, zone: tzinfo, calendar: Calendar, quick: bool, from_at: int) -> Trial:
    classes = sorted({"", *(line.vehicle_class for line in tariff.lines)} & {"", *VehicleClass})
    colours = sorted({"", *(line.colour for line in tariff.lines)})
    plans = []
    for vehicle in classes:
        for colour in colours:
            kind = VehicleClass(vehicle or "small"), PlateColour(colour or "unknown")
            named = " ".join(word for word in (vehicle, colour) if word)
            plans.append((f"{named} vehicle: " if named else "", Plan(tariff, zone, calendar, *kind)))
    return Trial(
        tariff,
        zone,
        tuple(plans[:MAX_VEHICLES]),
        _entries(tariff, zone, calendar, quick, from_at),
        _lengths(tariff, quick),
    )


def _entries(tariff: Tariff, zone: tzinfo, calendar: Calendar, quick: bool, from_at: int) -> tuple[int, ...]:
    first = datetime.fromtimestamp(from_at // 1000, zone).toordinal() + 1
    days = {first + number for number in range(7)}
    ahead = range(first, first + _DAYS_AHEAD)
    days |= set(sorted(day for day in calendar.named if day in ahead)[:4])
    changes = [day for day in ahead if _changes_clock(day, zone)][:2]
    ordered = sorted(days, key=lambda day: (day not in calendar.named, (day - first) % 4, day))
    chosen = (changes + ordered)[: QUICK_DAYS if quick else MAX_DAYS]
    cuts = {line.from_min for line in tariff.lines} | {line.to_min % DAY_MIN for line in tariff.lines}
    minutes = sorted(
        {(cut + more) % DAY_MIN for cut in cuts | {0, 540} for more in (0, -20, 7)} | {821, 1_297}
    )
    step = -(-len(minutes) // (QUICK_ENTRIES if quick else MAX_ENTRIES))
    return tuple(_at(day, minute, zone) for day in chosen for minute in minutes[::step])


def _at(day: int, minute: int, zone: tzinfo) -> int:
    midnight = datetime.fromordinal(day) + timedelta(minutes=minute)
    return round(midnight.replace(tzinfo=zone).timestamp()) * 1000


def _changes_clock(day: int, zone: tzinfo) -> bool:
    return _at(day + 1, 0, zone) - _at(day, 0, zone) != DAY_MS


def _lengths(tariff: Tariff, quick: bool) -> tuple[int, ...]:
    """Return lengths of stay in ms, in order: on both sides of what the tariff counts by, and between."""
    marks = {tariff.free_min, 2 * tariff.free_min, DAY_MIN, 2 * DAY_MIN}
    for line in tariff.lines:
        block_min = line.after_min + line.step_min
        marks |= {line.after_min, line.step_min, block_min, block_min + tariff.free_min}
    marks |= {5, 40, 95, 150, 240, 400, 700, 1_000} if not quick else {40, 150, 700}
    kept = sorted(marks)[: 14 if quick else 40]
    return tuple(sorted({mark * MINUTE_MS + more for mark in kept for more in (0, 1)}))


def _free_time(trial: Trial) -> str:
    """Return in words what the free minutes mean, with the price around their end."""
    tariff = trial.tariff
    if not tariff.free_min:
        return "there are none"
    _, plan = trial.plans[0]
    entered_at = trial.entries[0]
    over_at = entered_at + tariff.free_min * MINUTE_MS + 1
    fen = price_fen(plan, entered_at, over_at)
    kept = tariff.free is FreeTime.KEPT
    meaning = "and counting begins after them" if kept else "and a longer stay is charged from its entry"
    return (
        f"a stay of {tariff.free_min} min is free, {meaning}: "
        f"{trial.told('', entered_at, over_at)} costs {format_yuan(fen)}"
    )


def _gap(trial: Trial) -> str:
    for vehicle, plan, entered_at in trial.each():
        covered = entered_at
        end = entered_at + 2 * DAY_MS
        for stretch in stretches(plan, entered_at, end, free=False):
            if stretch.from_at > covered:
                break
            covered = stretch.to_at
        if covered < end:
            until = next(
                (s.from_at for s in stretches(plan, entered_at, end, False) if s.from_at > covered), end
            )
            told = trial.told(vehicle, covered, until)
            return f"no rate holds from {told}; write a line with price 0 if that is meant"
    return ""


def _fall(trial: Trial) -> str:
    for vehicle, plan, entered_at in trial.each():
        before_fen, before = 0, 0
        for length in trial.lengths:
            fen = price_fen(plan, entered_at, entered_at + length)
            if fen < before_fen:
                said = trial.told(vehicle, entered_at, entered_at + length)
                less = f"{before // MINUTE_MS} min cost {format_yuan(before_fen)}"
                return f"{said} costs {format_yuan(fen)}, {less}"
            before_fen, before = fen, length
    return ""


def _over_limit(trial: Trial) -> str:
    tariff = trial.tariff
    for vehicle, plan, entered_at in trial.each():
        for length in trial.lengths:
            fen, at = price_fen(plan, entered_at, entered_at + length), entered_at + length
            most = _most(tariff, trial.zone, entered_at, at)
            if most is not None and fen > most:
                said = trial.told(vehicle, entered_at, at)
                return f"{said} costs {format_yuan(fen)}, its limits come to {format_yuan(most)}"
        said = _over_window(trial, vehicle, plan, entered_at)
        if said:
            return said
    return ""


def _most(tariff: Tariff, zone: tzinfo, entered_at: int, at: int) -> int | None:
    """Return the most that the limits of a stay come to, found without the engine's own sums."""
    begin, end = (datetime.fromtimestamp(one // 1000, zone).toordinal() for one in (entered_at, at))
    cycles = max(1, -(-(at - entered_at) // DAY_MS))
    limits = (
        tariff.visit_cap_fen,
        None if tariff.day_cap_fen is None else tariff.day_cap_fen * cycles,
        None if tariff.date_cap_fen is None else tariff.date_cap_fen * (end - begin + 1),
    )
    return min((limit for limit in limits if limit is not None), default=None)


def _over_window(trial: Trial, vehicle: str, plan: Plan, entered_at: int) -> str:
    meter, sums = Meter(trial.tariff), dict[int, int]()
    for stretch in stretches(plan, entered_at, entered_at + 3 * DAY_MS):
        before = meter.sum_fen
        meter.add(stretch, stretch.raw_fen(stretch.last))
        sums[stretch.occurrence] = sums.get(stretch.occurrence, 0) + meter.sum_fen - before
        cap = stretch.window.cap_fen
        if cap is not None and sums[stretch.occurrence] > cap:
            said, fen = trial.told(vehicle, entered_at, stretch.to_at), sums[stretch.occurrence]
            return f"{said}: one window costs {format_yuan(fen)}, at most {format_yuan(cap)}"
    return ""


def _wrong_rise(trial: Trial) -> str:
    for vehicle, plan, entered_at in trial.each():
        for length in trial.lengths[::3]:
            at = entered_at + length
            fen = price_fen(plan, entered_at, at)
            found = first_above(plan, entered_at, fen, at + HORIZON_MS)
            if found is None:
                continue
            rise_at, rise_fen = found
            just_before = price_fen(plan, entered_at, rise_at - 1)
            if just_before != fen or price_fen(plan, entered_at, rise_at) != rise_fen or rise_fen <= fen:
                said = trial.told(vehicle, entered_at, at)
                return f"{said}: {format_yuan(rise_fen)} was told for {trial.told('', at, rise_at)}"
    return ""


def _wrong_clock(trial: Trial) -> str:
    """Return the first stay of which a moment is in no window's span, or in two."""
    for vehicle, plan, entered_at in trial.each():
        end = entered_at + 3 * DAY_MS
        at = entered_at
        for span in plan.spans(entered_at, end):
            if span.from_at != at or span.to_at <= span.from_at:
                left_out = trial.told("", at, span.from_at)
                return f"{trial.told(vehicle, entered_at, end)}: the windows leave out {left_out}"
            at = span.to_at
        if at != end:
            return f"{trial.told(vehicle, entered_at, end)}: the windows end at {trial.told('', at, at)}"
    return ""


def _split(trial: Trial) -> str:
    """Return the stay that becomes cheapest, in yuan, by driving out and in again once."""
    worst_fen, said = 0, ""
    for vehicle, plan, entered_at in trial.each():
        for total in trial.lengths[::2]:
            saved_fen, part = _best_split(trial, plan, entered_at, total)
            if saved_fen > worst_fen:
                worst_fen = saved_fen
                whole_fen = price_fen(plan, entered_at, entered_at + total)
                told = trial.told(vehicle, entered_at, entered_at + total)
                said = (
                    f"{told} costs {format_yuan(whole_fen)}, but "
                    f"{format_yuan(whole_fen - saved_fen)} for a vehicle that leaves after "
                    f"{duration(part // MINUTE_MS, 'en')} and comes again at once"
                )
    return said


def _best_split(trial: Trial, plan: Plan, entered_at: int, total: int) -> tuple[int, int]:
    """Return by how much one split lowers a stay of `total` ms at most, and after how many ms."""
    again = trial.tariff.reentry_min == 0
    at = entered_at + total
    whole_fen = price_fen(plan, entered_at, at)
    best = (0, 0)
    for part in _parts(trial.lengths, total):
        first_fen = price_fen(plan, entered_at, entered_at + part)
        if whole_fen - first_fen > best[0]:
            saved_fen = whole_fen - first_fen - price_fen(plan, entered_at + part, at, free=again)
            best = max(best, (saved_fen, part))
    return best


def _parts(lengths: Sequence[int], total: int) -> list[int]:
    """Return moments at which to split: what the tariff counts by, from either end."""
    whole = [one for one in lengths if one % MINUTE_MS == 0 and 0 < one < total]
    return sorted({*whole, *(total - one for one in whole)})
