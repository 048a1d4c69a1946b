"""The tariffs of the car park: which are in force, what a stay costs and why, the price over time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo

from flask import Blueprint, request
from flask import abort as refuse

from edge.codes.sheet import BadCell, moment
from edge.parking.calendar import Calendar, make_calendar
from edge.parking.price_plot import HEIGHT, HOURS, WIDTH, curve, round_up, step_path
from edge.parking.pricing import Stay, quote_stay
from edge.parking.quote import Quote
from edge.parking.quote_words import explain, summary
from edge.parking.tariff_document import Tariff, tariff_at
from edge.parking.tariff_plan import MINUTE_MS, Plan
from edge.parking.vehicle import PlateColour, VehicleClass
from edge.services.box import Box
from edge.web.desk import WebSettings
from edge.web.staff.frame import Link, StaffPage, language, show

#: What is asked about before a person asks otherwise, in minutes; and the longest stay that is explained.
DEFAULT_MIN = 150
MAX_STAY_MIN = 60 * 1_440

#: Hours that the axis of the plot names.
AXIS_HOURS = range(0, HOURS + 1, 6)


@dataclass(frozen=True, slots=True)
class Asked:
    """The stay of the form. problem: why it cannot be explained, as a key of the texts."""

    tariff_id: str
    begin: int
    end: int
    vehicle: VehicleClass
    colour: PlateColour
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Picture:
    """The price over time as path data in WIDTH x HEIGHT. top_fen: at the top. at_x: the stay's end."""

    line: str
    top_fen: int
    at_x: float


def page(box: Box, settings: WebSettings) -> StaffPage:
    """Return the page /staff/tariffs."""
    zone = box.rules.zone

    def overview() -> str:
        tariffs, days = box.store.read(lambda unit: (unit.tariffs.all(), unit.calendar_days.all()))
        now_at = box.clock.now().wall_at
        asked = _asked(tariffs, now_at, zone)
        quote, picture = _answer(tariffs, asked, zone, make_calendar(days))
        return show(
            "tariffs",
            rows=[(one, _state(tariffs, one, now_at)) for one in tariffs],
            ids=list(dict.fromkeys(one.tariff_id for one in tariffs)),
            asked=asked,
            quote=quote,
            sentences=explain(quote, zone, language()) if quote else (),
            told=summary(quote, zone, language()) if quote else "",
            picture=picture,
            classes=list(VehicleClass),
            colours=list(PlateColour),
            days=[one for one in days if one.day >= datetime.fromtimestamp(now_at // 1000, zone).date()][:12],
            field_time=lambda at: f"{datetime.fromtimestamp(at // 1000, zone):%Y-%m-%dT%H:%M}",
            day_time=lambda at: f"{datetime.fromtimestamp(at // 1000, zone):%Y-%m-%d %H:%M}",
            hours=AXIS_HOURS,
            plot_hours=HOURS,
            width=WIDTH,
            height=HEIGHT,
        )

    def add(routes: Blueprint) -> None:
        routes.get("/tariffs", endpoint="tariffs")(overview)

    def links() -> list[Link]:
        there = bool(box.parking.facility.lanes) or box.store.read(lambda unit: bool(unit.tariffs.all()))
        return [Link("/staff/tariffs", "tariffs_tab")] if there else []

    return StaffPage(add, links)


def _asked(tariffs: Sequence[Tariff], now_at: int, zone: tzinfo) -> Asked:
    """Return what the form says; a stay that ends now where it says nothing."""
    named = request.args.get("tariff", "") or (tariffs[0].tariff_id if tariffs else "")
    end = _moment("to", now_at // MINUTE_MS * MINUTE_MS, zone)
    begin = _moment("from", end - DEFAULT_MIN * MINUTE_MS, zone)
    vehicle, colour = request.args.get("class", "small"), request.args.get("colour", "unknown")
    if vehicle not in set(VehicleClass) or colour not in set(PlateColour):
        refuse(400, "There is no such class of vehicle or colour of plate.")
    long = end - begin > MAX_STAY_MIN * MINUTE_MS
    problem = "tariffs_backwards" if end < begin else "tariffs_too_long" if long else ""
    return Asked(named, begin, end, VehicleClass(vehicle), PlateColour(colour), problem)


def _moment(name: str, otherwise: int, zone: tzinfo) -> int:
    try:
        return moment(name, request.args.get(name, ""), zone, otherwise)
    except BadCell as error:
        refuse(400, str(error))


def _answer(
    tariffs: Sequence[Tariff], asked: Asked, zone: tzinfo, calendar: Calendar
) -> tuple[Quote | None, Picture | None]:
    of_id = [one for one in tariffs if one.tariff_id == asked.tariff_id]
    if asked.problem or not of_id:
        return None, None
    tariff = tariff_at(of_id, asked.tariff_id, asked.begin) or of_id[0]
    plan = Plan(tariff, zone, calendar, asked.vehicle, asked.colour)
    points = curve(plan, asked.begin)
    top_fen = round_up(max(fen for _, fen in points))
    share = min(1.0, (asked.end - asked.begin) / (HOURS * 60 * MINUTE_MS))
    picture = Picture(step_path(points, HOURS, top_fen), top_fen, round(WIDTH * share, 1))
    return quote_stay(plan, Stay("", asked.begin), asked.end), picture


def _state(tariffs: Sequence[Tariff], one: Tariff, now_at: int) -> str:
    """Return "in_force", "to_come" or "over"."""
    if tariff_at(tariffs, one.tariff_id, now_at) == one:
        return "in_force"
    return "to_come" if one.valid_from > now_at else "over"
