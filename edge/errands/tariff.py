"""Tariffs for the command line: shown, imported, explained, compared and tried out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo

from edge.app import INCOMING, build_rules
from edge.clock import SystemClock
from edge.codes.sheet import BadCell, moment
from edge.config import Config
from edge.errands.handing_over import await_report, new_id, own_store, reading_unit
from edge.errors import Invalid
from edge.money import format_yuan, parse_yuan
from edge.parking.apds import read_apds, write_apds
from edge.parking.benefit import Benefit, BenefitKind
from edge.parking.calendar import Calendar, make_calendar
from edge.parking.price_plot import curve, difference_svg
from edge.parking.pricing import GRACE_S, Stay, quote_stay
from edge.parking.quote import Quote, Settlement
from edge.parking.quote_words import LANGUAGES, explain, summary
from edge.parking.session import SessionState
from edge.parking.tariff_check import Verdict, check_tariff
from edge.parking.tariff_diff import (
    MAX_STAYS,
    Comparison,
    PastStay,
    difference_lines,
    read_stays,
)
from edge.parking.tariff_document import Tariff, read_tariffs, tariff_at
from edge.parking.tariff_plan import DAY_MS, Plan
from edge.parking.tariff_table import write_tariffs
from edge.parking.vehicle import PlateColour, VehicleClass
from edge.services.import_tariffs import describe_tariff, tariff_wishes
from edge.services.take_intake import IntakeReport, Wish
from edge.store.intake_folder import IntakeFolder

#: The zone of files where there is no box.
ZONE = "Asia/Shanghai"

#: The largest file of tariffs, and how many stays are read at a time.
MAX_BYTES = 1024 * 1024
PAGE = 1_000

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Desk:
    """Where tariffs come from: the box, if it ever ran, and files. zone: of times without an offset."""

    zone: tzinfo
    tariffs: tuple[Tariff, ...] = ()
    calendar: Calendar = field(default_factory=Calendar)

    def find(self, named: str, tariff_id: str = "", at: int | None = None) -> Tariff:
        """Return a tariff: a file's, or the box's by id, "standard@2026-12-01" for the version of a day.

        tariff_id: which one of a file with several. at: for a name without a day; the latest version when
        None. Raises Invalid for none.
        """
        path = Path(named)
        if path.suffix in (".csv", ".json") or path.is_file():
            return _only(read_file(path, self.zone), tariff_id, named)
        wanted, _, day = named.partition("@")
        when = _moment(day, self.zone) if day else at
        of_id = [one for one in self.tariffs if one.tariff_id == wanted]
        if not of_id:
            known = ", ".join(sorted({one.tariff_id for one in self.tariffs})) or "none"
            raise Invalid(f"there is no tariff {wanted!r} in this box (it has {known}), and no such file")
        return (of_id[-1] if when is None else tariff_at(of_id, wanted, when)) or of_id[0]


@dataclass(frozen=True, slots=True)
class Question:
    """One stay to explain. paid: "TIME:YUAN" each; benefits: "minutes:120", "amount:5.00", "permille:200",
    "tariff:ID", "all"."""

    tariff: str
    tariff_id: str
    begin: str
    end: str
    vehicle_class: str
    colour: str
    paid: Sequence[str]
    benefits: Sequence[str]
    free: bool


def open_desk(config: Config | None, zone: tzinfo | None = None) -> Desk:
    """Return the tariffs and the calendar of a box; without a configuration those of files alone."""
    if config is None:
        return Desk(zone or ZoneInfo(ZONE))
    own = build_rules(config).zone
    try:
        with reading_unit(config) as unit:
            return Desk(zone or own, unit.tariffs.all(), make_calendar(unit.calendar_days.all()))
    except Invalid:
        return Desk(zone or own)


def read_file(path: Path, zone: tzinfo) -> tuple[Tariff, ...]:
    """Return the tariffs of a table, or of APDS rates when it is JSON; raise Invalid naming what is wrong."""
    try:
        data = path.read_bytes() if path.stat().st_size <= MAX_BYTES else None
    except OSError as error:
        raise Invalid(f"{path} cannot be read: {error.strerror}") from error
    if data is None:
        raise Invalid(f"{path} has more than {MAX_BYTES >> 20} MiB")
    if data.lstrip().startswith(b"{"):
        return read_apds(data)
    return read_tariffs(data.splitlines(keepends=True), zone)


def import_file(config: Config, path: Path, replace_all: bool) -> IntakeReport:
    """Put a file's tariffs in force, or have a running service do it; raises Invalid or Unavailable."""
    zone = build_rules(config).zone
    table = write_tariffs(read_file(path, zone), zone)
    return _wish(config, "import-tariffs", {"table": table.decode(), "replace": "yes" if replace_all else ""})


def import_days(config: Config, data: bytes) -> IntakeReport:
    """Put a file's calendar in force, or have a running service do it; raises Invalid or Unavailable."""
    try:
        table = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Invalid(f"the file is not UTF-8: {error}") from error
    return _wish(config, "import-calendar", {"table": table})


def calendar_lines(config: Config) -> list[str]:
    """Return the named days of the box."""
    named = open_desk(config).calendar.named
    return [f"{one.day} {one.kind} {one.name}".rstrip() for _, one in sorted(named.items())] or [
        "no day is named; weekends are days of rest"
    ]


def tariff_lines(desk: Desk) -> list[str]:
    """Return one line for each tariff of the box, marked whether it is in force."""
    now_at = SystemClock().now().wall_at
    lines = []
    for one in desk.tariffs:
        in_force = tariff_at(desk.tariffs, one.tariff_id, now_at) == one
        mark = "in force" if in_force else ("to come" if one.valid_from > now_at else "over")
        lines.append(f"{describe_tariff(one, desk.zone)}  {mark}")
    return lines or ["this box has no tariff; send one from HQ or import one"]


def export(desk: Desk, names: Sequence[str], apds: bool) -> tuple[bytes, tuple[str, ...]]:
    """Return the tariffs of these names (all without names) as a file, and what the form cannot say."""
    chosen = tuple(desk.find(name) for name in names) if names else desk.tariffs
    if not chosen:
        raise Invalid("this box has no tariff to export")
    return write_apds(chosen, desk.zone) if apds else (write_tariffs(chosen, desk.zone), ())


def explain_lines(desk: Desk, asked: Question) -> list[str]:
    """Return the quote of a stay in both languages, when it rises and until when to drive out."""
    begin, end = _moment(asked.begin, desk.zone), _moment(asked.end, desk.zone)
    if end < begin:
        raise Invalid("--to is before --from")
    tariff = desk.find(asked.tariff, asked.tariff_id, begin)
    vehicle = _vehicle(asked.vehicle_class, asked.colour)
    benefits = tuple(_benefit(text, number) for number, text in enumerate(asked.benefits, 1))
    others = {
        one.tariff_id: Plan(desk.find(one.tariff_id, at=begin), desk.zone, desk.calendar, *vehicle)
        for one in benefits
        if one.tariff_id
    }
    settled = tuple(_paid(text, desk.zone) for text in asked.paid)
    plan = Plan(tariff, desk.zone, desk.calendar, *vehicle)
    quote = quote_stay(plan, Stay("", begin, asked.free), end, benefits, settled, others)
    lines = [f"{describe_tariff(tariff, desk.zone)}"]
    for language in LANGUAGES:
        lines += ["", *explain(quote, desk.zone, language), summary(quote, desk.zone, language)]
    return [*lines, "", *_figures(quote, desk.zone, tariff)]


def check_lines(desk: Desk, named: str) -> tuple[list[str], bool]:
    """Return what became of each promise of each tariff of a file or name, and whether all were kept."""
    path, sound = Path(named), True
    tariffs = read_file(path, desk.zone) if path.is_file() else (desk.find(named),)
    lines = []
    for tariff in tariffs:
        lines.append(describe_tariff(tariff, desk.zone))
        now_at = SystemClock().now().wall_at
        for one in check_tariff(tariff, desk.zone, desk.calendar, from_at=now_at):
            lines.append(f"  {one.verdict.value:4}  {one.promise.value}: {one.said}")
            sound = sound and one.verdict is not Verdict.FAIL
    return lines, sound


def past_stays(config: Config | None, desk: Desk, file: Path | None, days: int) -> Sequence[PastStay]:
    """Return the stays of a table, or those that left this box's car park in the last days."""
    if file is not None:
        with file.open("rb") as lines:
            return read_stays(lines, desk.zone)
    if config is None:
        raise Invalid("without a box, name a table of stays with --stays")
    now_at = SystemClock().now().wall_at
    return tuple(_stays_between(config, now_at - days * DAY_MS, now_at))


def diff_lines(
    desk: Desk,
    pair: tuple[Tariff, Tariff],
    stays: Sequence[PastStay],
    plot: Path | None,
    progress: Progress,
) -> list[str]:
    """Return the comparison of two tariffs over stays as a table; plot: the SVG file to write, if any."""
    if not stays:
        raise Invalid("there are no stays in that time; name a table with --stays, or more --days")
    old, new = pair
    comparison = Comparison(old, new, desk.zone, desk.calendar)
    for number, stay in enumerate(stays, 1):
        comparison.add(stay)
        if number % PAGE == 0 or number == len(stays):
            progress(number, len(stays))
    found = comparison.result()
    lines = [f"old: {describe_tariff(old, desk.zone)}", f"new: {describe_tariff(new, desk.zone)}"]
    lines += ["prices before benefits", *difference_lines(found, desk.zone)]
    if plot is not None:
        first = datetime.fromtimestamp(stays[0].entered_at // 1000, desk.zone)
        entered_at = int(first.replace(hour=9, minute=0, second=0).timestamp()) * 1000
        curves = (
            curve(Plan(old, desk.zone, desk.calendar), entered_at),
            curve(Plan(new, desk.zone, desk.calendar), entered_at),
        )
        names = (f"{old.tariff_id} {old.name}", f"{new.tariff_id} {new.name}")
        plot.write_text(difference_svg(found, names, curves, f"{first:%Y-%m-%d} 09:00"), "utf-8")
        lines.append(f"plot: {plot}")
    return lines


def _stays_between(config: Config, from_at: int, to_at: int) -> Iterator[PastStay]:
    after, count = "", 0
    with reading_unit(config) as unit:
        while count < MAX_STAYS:
            page = unit.sessions.between(from_at, to_at, SessionState.LEFT, after, PAGE)
            for one in page:
                if one.left_at is not None and one.left_at >= one.entered_at:
                    yield PastStay(one.entered_at, one.left_at, one.vehicle_class, one.colour)
            if len(page) < PAGE:
                return
            after, count = page[-1].session_id, count + len(page)


def _wish(config: Config, kind: str, arguments: Mapping[str, str]) -> IntakeReport:
    with own_store(config) as store:
        if store is not None:
            handler = tariff_wishes(store, build_rules(config).zone)[kind]
            return handler(arguments, lambda done, total: None)
    folder = IntakeFolder(config.box.data_dir / INCOMING)
    wish = Wish(f"{kind}-{new_id()[-12:]}.wish.json", kind, arguments)
    folder.put_wish(wish)
    return await_report(folder, wish.name, lambda done, total: None)


def _only(tariffs: Sequence[Tariff], tariff_id: str, named: str) -> Tariff:
    chosen = [one for one in tariffs if tariff_id in ("", one.tariff_id)]
    if len({one.tariff_id for one in chosen}) != 1:
        known = ", ".join(sorted({one.tariff_id for one in tariffs}))
        raise Invalid(f"{named} has the tariffs {known}; choose one with --id")
    return max(chosen, key=lambda one: one.valid_from)


def _moment(text: str, zone: tzinfo) -> int:
    try:
        return moment("time", text, zone)
    except BadCell as error:
        raise Invalid(str(error)) from None


def _vehicle(vehicle_class: str, colour: str) -> tuple[VehicleClass, PlateColour]:
    if vehicle_class not in set(VehicleClass):
        raise Invalid(f"--class {vehicle_class!r} is not one of {', '.join(VehicleClass)}")
    if colour not in set(PlateColour):
        raise Invalid(f"--colour {colour!r} is not one of {', '.join(PlateColour)}")
    return VehicleClass(vehicle_class), PlateColour(colour)


def _paid(text: str, zone: tzinfo) -> Settlement:
    when, found, amount = text.rpartition(":")
    if not found:
        raise Invalid(f"--paid {text!r} must be TIME:YUAN, like 2026-11-20T09:55:10.00")
    at = _moment(when, zone)
    return Settlement(text, "", text, parse_yuan(amount), at, at)


def _benefit(text: str, number: int) -> Benefit:
    kind, _, value = text.partition(":")
    if kind not in set(BenefitKind):
        raise Invalid(f"--benefit {text!r}: {kind!r} is not one of {', '.join(BenefitKind)}")
    benefit = Benefit(f"benefit {number}", BenefitKind(kind))
    if benefit.kind is BenefitKind.TARIFF:
        return replace(benefit, tariff_id=value)
    if benefit.kind is BenefitKind.AMOUNT:
        return replace(benefit, value=parse_yuan(value))
    if benefit.kind is BenefitKind.ALL:
        return benefit
    if not (value.isascii() and value.isdigit() and len(value) < 6):
        raise Invalid(f"--benefit {text!r} needs a whole number, like {kind}:120")
    return replace(benefit, value=int(value))


def _figures(quote: Quote, zone: tzinfo, tariff: Tariff) -> list[str]:
    grace_s = GRACE_S if tariff.grace_s is None else tariff.grace_s
    lines = [
        f"gross {format_yuan(quote.gross_fen)}, after benefits {format_yuan(quote.total_fen)}, "
        f"paid {format_yuan(quote.paid_fen)}, due {format_yuan(quote.due_fen)}"
    ]
    if quote.next_raise_at is not None and quote.next_raise_fen is not None:
        lines.append(
            f"next raise {_time(quote.next_raise_at, zone)}: {format_yuan(quote.next_raise_fen)} due"
        )
    else:
        lines.append("next raise: none within 31 days")
    if quote.allowed_exit_at is None:
        return [*lines, f"may leave once it is paid, within {grace_s // 60} min of the payment"]
    return [*lines, f"may leave until {_time(quote.allowed_exit_at, zone)} without paying more"]


def _time(at: int, zone: tzinfo) -> str:
    local = datetime.fromtimestamp(at // 1000, zone)
    return f"{local:%Y-%m-%d %H:%M:%S}.{at % 1000:03d}"
