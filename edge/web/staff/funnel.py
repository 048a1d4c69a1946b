"""The conversion funnel by day, hour, touchpoint, tenant, guide and variant; plotted, as CSV; the codes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flask import Blueprint, Response, request
from flask import abort as refuse

from edge.errors import Invalid
from edge.members.conversion import ConversionStep
from edge.members.touchpoint import scene_name
from edge.services.attribute_sale import touch_name
from edge.services.box import Box
from edge.services.business_day import business_day
from edge.services.journey_records import FunnelBy, FunnelFilter
from edge.services.records import Unit
from edge.services.show_funnel import FunnelRow, FunnelView, check_filter, funnel_csv, read_funnel, values_of
from edge.services.touch_rules import TouchRules
from edge.web.desk import WebSettings
from edge.web.phone.go import code_address
from edge.web.staff.frame import Link, StaffPage, language, show

#: The inner size of the plot of a day.
WIDTH, HEIGHT, HOURS = 720, 150, 24

#: Steps that the plot of a day shows, with the class of their bars.
PLOTTED = (
    (ConversionStep.SCANNED, "went"),
    (ConversionStep.OPENED, "opened"),
    (ConversionStep.BOUGHT, "came"),
)

_ASKED = ("touchpoint", "tenant", "guide", "variant")


@dataclass(frozen=True, slots=True)
class HourBar:
    """One bar of the plot, in WIDTH x HEIGHT; count: shoppers."""

    x: float
    y: float
    width: float
    height: float
    kind: str
    count: int


def page(box: Box, settings: WebSettings) -> StaffPage:
    """Return the pages under /staff/funnel; none on a box without touch rules."""
    pages = _Pages(box)

    def add(routes: Blueprint) -> None:
        routes.get("/funnel", endpoint="funnel")(pages.overview)
        routes.get("/funnel.csv", endpoint="funnel_csv")(pages.download)
        routes.get("/funnel/codes", endpoint="funnel_codes")(pages.codes)

    links = (Link("/staff/funnel", "funnel_tab"),) if box.touch else ()
    return StaffPage(add, lambda: links)


class _Pages:
    def __init__(self, box: Box) -> None:
        self._box = box

    def overview(self) -> str:
        """Return the funnel of the days that were asked for, today's when none were."""
        rules = self._rules()
        wanted, by = self._asked()
        view, choices = self._box.store.read(lambda unit: _look(unit, wanted, by))
        bars, top = plot_hours(view.hours, self._box.rules.day_starts_h)
        return show(
            "funnel",
            view=view,
            wanted=wanted,
            by=by.value,
            kinds=[one.value for one in FunnelBy],
            choices=choices,
            most=max([one.count.shoppers for one in view.steps] or [0]) or 1,
            bars=bars,
            top=top,
            labels=hour_labels(self._box.rules.day_starts_h),
            plotted=PLOTTED,
            named=lambda value: touch_name(rules, value, language()),
            query={name: value for name, value in request.args.items() if name != "language"},
        )

    def download(self) -> Response:
        """Return the table as CSV."""
        self._rules()
        wanted, by = self._asked()
        view = self._box.store.read(lambda unit: read_funnel(unit, wanted, by))
        name = f"funnel-{wanted.first_day}-{wanted.last_day}-{by.value}.csv"
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return Response(funnel_csv(view), mimetype="text/csv", headers=headers)

    def codes(self) -> str:
        """Return all touchpoints with their codes to print."""
        rules = self._rules()
        return show(
            "funnel_codes",
            touchpoints=sorted(rules.book.touchpoints.values(), key=lambda one: one.touchpoint_id),
            address=lambda one: code_address(self._box, one.touchpoint_id),
            reachable=bool(self._box.rules.public_url),
            scene=lambda value: scene_name(value, language()),
            named=lambda value: touch_name(rules, value, language()),
        )

    def _rules(self) -> TouchRules:
        if self._box.touch is None:
            refuse(404, "This box records no shoppers' ways.")
        return self._box.touch

    def _asked(self) -> tuple[FunnelFilter, FunnelBy]:
        today = business_day(self._box, self._box.clock.now())
        last = request.args.get("last_day") or today
        hour = request.args.get("hour", "")
        chosen = {name: request.args.get(name) or None for name in _ASKED}
        try:
            by = FunnelBy(request.args.get("by") or FunnelBy.TOUCHPOINT)
            if hour and not (hour.isascii() and hour.isdigit() and len(hour) <= 2):
                raise Invalid(f"{hour!r} is no hour; 0 to 23")
            wanted = FunnelFilter(
                request.args.get("first_day") or last, last, int(hour) if hour else None, **chosen
            )
            check_filter(wanted)
        except (Invalid, ValueError) as error:
            refuse(400, str(error))
        return wanted, by


def plot_hours(hours: Sequence[FunnelRow], starts_h: int) -> tuple[tuple[HourBar, ...], int]:
    """Return the bars of a day that begins at `starts_h`, and the number at the plot's upper edge."""
    counts = [row.shoppers(step) for row in hours for step, _ in PLOTTED]
    top = _round_up(max([*counts, 1]))
    slot = WIDTH / HOURS
    width = (slot - 8) / len(PLOTTED)
    bars = []
    for row in hours:
        left = (int(row.value) - starts_h) % HOURS * slot + 4
        for place, (step, kind) in enumerate(PLOTTED):
            count = row.shoppers(step)
            tall = round(HEIGHT * count / top, 1)
            if count:
                x = round(left + place * width, 1)
                bars.append(HourBar(x, round(HEIGHT - tall, 1), round(width, 1), tall, kind, count))
    return tuple(bars), top


def hour_labels(starts_h: int) -> tuple[tuple[float, int], ...]:
    """Return (x, hour) of every third hour of a day that begins at `starts_h`."""
    slot = WIDTH / HOURS
    return tuple((round(slot * place, 1), (place + starts_h) % HOURS) for place in range(0, HOURS, 3))


def _look(unit: Unit, wanted: FunnelFilter, by: FunnelBy) -> tuple[FunnelView, dict[str, tuple[str, ...]]]:
    view = read_funnel(unit, wanted, by)
    return view, {name: values_of(unit, wanted, FunnelBy(name)) for name in _ASKED}


def _round_up(value: int) -> int:
    """Return the next of 10, 20, 50, 100, ... so that the scale does not jump with each shopper."""
    scales = (step * 10**power for power in range(1, 11) for step in (1, 2, 5))
    return next((scale for scale in scales if scale >= value), value)
