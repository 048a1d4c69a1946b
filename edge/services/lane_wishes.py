"""What the command line may have a running service do at lanes and with counts, and how it shows them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import tzinfo

from edge.clock import local
from edge.errors import Invalid
from edge.parking.facility import Facility, Lane, Zone
from edge.retail.catalogue_csv import Progress
from edge.services.box import Box
from edge.services.count_zone import count_zone
from edge.services.hold_gate import end_hold, hold_gate
from edge.services.passage_records import HoldReason
from edge.services.records import Unit
from edge.services.recount import recount
from edge.services.take_intake import IntakeReport, WishHandler, wished


def lane_wishes(box: Box) -> Mapping[str, WishHandler]:
    """Return by kind what is done for a wish about lanes and zones."""

    def hold(arguments: Mapping[str, str], progress: Progress) -> IntakeReport:
        lane, reason, minutes, by, note = wished(arguments, "lane", "reason", "minutes", "by", "note")
        held = hold_gate(box, lane, _reason(reason), by, _number(minutes) * 60, note)
        until = local(held.until_at, box.rules.zone)
        return IntakeReport(True, (f"lane {lane} is held open until {until:%Y-%m-%d %H:%M} ({held.reason})",))

    def release(arguments: Mapping[str, str], progress: Progress) -> IntakeReport:
        lane, by = wished(arguments, "lane", "by")
        ended = end_hold(box, lane, by)
        told = "was not held open" if ended is None else "is let go; its boom closes by itself"
        return IntakeReport(True, (f"lane {lane} {told}",))

    def count(arguments: Mapping[str, str], progress: Progress) -> IntakeReport:
        zone, counted, by, note = wished(arguments, "zone", "counted", "by", "note")
        done = recount(box, zone, _number(counted), by, note)
        free = "not counted" if done.free is None else f"{done.free} free"
        return IntakeReport(True, (f"zone {zone}: {done.count} inside, {free}",))

    return {"hold-lane": hold, "release-lane": release, "recount-zone": count}


def describe_lanes(unit: Unit, facility: Facility, zone: tzinfo) -> list[str]:
    """Return one line about each lane: who is there, what is asked, and whether it is held open."""
    return [_lane_line(unit, one, zone) for one in facility.lanes] or ["this box has no lanes"]


def describe_zones(unit: Unit, facility: Facility) -> list[str]:
    """Return one line about each zone: how many are inside and free."""
    return [_zone_line(unit, one) for one in facility.zones] or ["this box has no zones"]


def _lane_line(unit: Unit, lane: Lane, zone: tzinfo) -> str:
    passage, hold = unit.passages.current(lane.name), unit.lane_holds.current(lane.name)
    parts = [f"{lane.name} {lane.way} {lane.zone}:"]
    if passage is None:
        parts.append("nobody")
    else:
        since = local(passage.begun_at, zone)
        parts.append(f"{passage.plate or 'no plate'} {passage.state} since {since:%m-%d %H:%M:%S}")
        if passage.question is not None:
            parts.append(f"asks the guard: {passage.question.why}")
    if hold is not None:
        parts.append(f"held open until {local(hold.until_at, zone):%m-%d %H:%M} ({hold.reason}, {hold.by})")
    return " ".join(parts)


def _zone_line(unit: Unit, zone: Zone) -> str:
    count = count_zone(unit, zone)
    spaces = "spaces not counted" if count.free is None else f"{count.free} of {zone.spaces} free"
    corrected = f", corrected by {count.corrected:+d}" if count.corrected else ""
    nameless = f", {count.nameless} without a name" if count.nameless else ""
    return f"{zone.name}: {count.count} inside, {spaces}{corrected}{nameless}"


def _reason(text: str) -> HoldReason:
    try:
        return HoldReason(text)
    except ValueError:
        raise Invalid(f"a gate is held open for one of {', '.join(HoldReason)}, not {text!r}") from None


def _number(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 6:
        raise Invalid(f"{text[:20]!r} is no whole number of 0 to 999999")
    return int(text)
