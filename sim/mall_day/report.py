"""The report of a mall day in lines for people, and what a day is played in."""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from edge.money import format_yuan
from sim.clocks import monotonic_s
from sim.mall_day.books import heard, violations, visits
from sim.mall_day.day import MallDay, Plan
from sim.mall_day.disk import DayDisk, folder_for_a_day
from sim.mall_day.faults import PORTS
from sim.mall_day.house import OPENS_H, Cut
from sim.mall_day.money import Heard, ledgers
from sim.mall_day.office_books import bill_sum
from sim.mall_day.page import page
from sim.traffic import HOUR_MS, MINUTE_MS

#: Violations that are told in words; the others are counted.
SHOWN = 20

#: A day makes millions of small things that live on: looking for rubbish among them as often takes a quarter.
_RUBBISH = (200_000, 50, 100)


@dataclass(frozen=True, slots=True)
class DayReport:
    """lines: what happened, then what is not as it must be. digest: of the log of the day. page: HTML."""

    lines: tuple[str, ...]
    violations: tuple[str, ...]
    digest: str
    page: str


def play(plan: Plan, progress: Callable[[int, int], None] = lambda done, of: None) -> DayReport:
    """Return the report of a day. progress: told (orders and cars that are done, all of them)."""
    began_s, before = monotonic_s(), gc.get_threshold()
    gc.set_threshold(*_RUBBISH)
    try:
        with folder_for_a_day() as folder:
            return _play(plan, folder, progress, began_s)
    finally:
        gc.set_threshold(*before)


def _play(plan: Plan, folder: Path, progress: Callable[[int, int], None], began_s: float) -> DayReport:
    day = MallDay(plan, DayDisk(folder))
    try:
        day.run(progress)
        told = heard(day)
        digest = day.digest()
        found = tuple(violations(day, told))
        lines = [*_lines(day, told), f"log of {day.house.tape.count:,} steps: {digest}"]
        lines.append(f"played in {monotonic_s() - began_s:.1f} s")
        lines += [f"WRONG: {one}" for one in found[:SHOWN]]
        return DayReport((*lines, _verdict(found)), found, digest, page(day, told, found, digest))
    finally:
        day.disk.close()


def _verdict(found: tuple[str, ...]) -> str:
    if found:
        return f"{len(found)} violations"
    return "0 violations: gateway, HQ and box agree to the fen, the count with the cars"


def _lines(day: MallDay, told: Heard) -> Iterator[str]:
    yield from _people(day, told)
    yield from _cars(day)
    yield "ledgers, in yuan             gateway            HQ       the box    off"
    for line in ledgers(day, told):
        gateway = "" if line.gateway_fen is None else format_yuan(line.gateway_fen)
        amounts = f"{gateway:>12}  {format_yuan(line.hq_fen):>12}  {format_yuan(line.box_fen):>12}"
        yield f"  {line.name:<20} {amounts}  {format_yuan(line.off_fen):>5}"
    yield from _office(day, told)
    yield from _wires(day)
    yield from _troubles(day)


def _people(day: MallDay, told: Heard) -> Iterator[str]:
    paid = told.of("order.paid")
    kinds = ", ".join(f"{count} {name}" for name, count in sorted(day.shoppers.kinds.items()))
    yield f"{day.come:,} shoppers: {kinds}"
    yield (
        f"{len(paid):,} orders paid, {len(told.of('order.cancelled')):,} given up, "
        f"{len(told.of('refund.done')):,} refunds, {len(told.of('receipt.issued')):,} receipts, "
        f"{sum(len(printer.printed) for printer in day.house.printers.values()):,} papers"
    )
    earned = sum(entry["points"] for data in told.of("points.changed") for entry in data["entries"])
    yield f"{len(told.of('member.joined')):,} members joined, {earned:,} points"


def _cars(day: MallDay) -> Iterator[str]:
    cars = visits(day)
    waits = sorted(one for car in cars for one in car.waits)
    asked = ", ".join(f"{count} {why}" for why, count in sorted(day.drivers.asked.items())) or "nothing"
    misread = sum(look.text != car.plate for car in cars for look in car.looks)
    yield f"{len(cars):,} cars came, {day.drivers.left:,} left; {day.drivers.most_inside:,} inside at most"
    if day.drivers.stayed:
        yield f"  {day.drivers.stayed:,} stayed at home: a car of the same plate was inside"
    if waits:
        yield (
            f"  at a barrier {waits[len(waits) // 2] / 1000:.1f} s for half of them, "
            f"{waits[len(waits) * 99 // 100] / 1000:.1f} s for all but 1 %, "
            f"{waits[-1] / 1000:.1f} s the longest"
        )
    yield f"  {misread} reads were wrong or empty; the guard was asked: {asked}"
    exact = sum(one.inside == one.counted for one in day.samples)
    yield f"  {len(day.samples)} counts looked at, {exact} exact, the others with cars at the lanes"


def _office(day: MallDay, told: Heard) -> Iterator[str]:
    office, bills = day.office, bill_sum(day)
    shifts = [data for data in told.of("shift.closed") if data["cashier"]]
    off_fen = sum(abs(data["over_short_fen"] or 0) for data in shifts)
    yield (
        f"{len(shifts)} drawers counted, {format_yuan(office.counted_fen)} beside the floats, "
        f"off by {format_yuan(off_fen)}"
    )
    yield (
        f"{bills.days} bills fetched in {office.read} tries: {bills.rows:,} rows; a payment with its "
        f"reversal being one, {bills.matched:,} movements agree, {bills.differences} differ, "
        f"{bills.explained} of them explained"
    )
    kinds = Counter(str(data["command"]) for data in told.of("command.done"))
    words = ", ".join(f"{name} {count}" for name, count in sorted(kinds.items()))
    yield (
        f"HQ pushed {office.publisher.sent} contents, {len(told.of('snapshot.applied'))} came into force; "
        f"of {len(office.desk.issued)} commands were done: {words or 'none'}; "
        f"{len(told.of('clock.stepped'))} clock steps told"
    )


def _wires(day: MallDay) -> Iterator[str]:
    hq = day.house.hq
    most = max((one.backlog for one in day.samples), default=0)
    away = "-".join(f"{hour:g}:00" for hour in day.plan.away) or "never"
    yield f"{len(hq.applied):,} events at HQ, {hq.repeats:,} came again; away {away}, {most:,} waited at most"


def _troubles(day: MallDay) -> Iterator[str]:
    faults = day.house.faults
    for port in PORTS:
        calls, hits = faults.calls[port], faults.hits[port]
        kinds = Counter({kind: count for (one, kind), count in faults.kinds.items() if one == port})
        words = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))
        if calls:
            yield f"  {port:<15} {hits:>6,} of {calls:>8,} calls failed ({hits / calls:.1%}): {words}"
    yield from (_cut(cut) for cut in day.house.cuts)
    for hour, ms in day.plan.steps:
        yield f"  clock stepped by {ms / 1000:+.0f} s at {_clock(round(hour * HOUR_MS))}"


def _cut(cut: Cut) -> str:
    return (
        f"  power cut at {_clock(OPENS_H * HOUR_MS + cut.at_ms)} for {cut.off_ms // 1000} s ({cut.step}); "
        f"the service was there {cut.start_s:.2f} s after its machine, "
        f"the first who wanted something waited {cut.first_ms / 1000:.1f} s"
    )


def _clock(at_ms: int) -> str:
    return f"{at_ms // HOUR_MS}:{at_ms // MINUTE_MS % 60:02d}"
