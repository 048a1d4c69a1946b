"""Find by what right a vehicle parks: lists, passes, reservations, and why not."""

from __future__ import annotations

from edge.parking.calendar import make_calendar
from edge.parking.hours import dates_of
from edge.parking.parking_pass import ParkingPass, PassKind, PassUsage, StaySpan, moves_up_at
from edge.parking.reservation import ReservationState, kept_spaces
from edge.parking.right import Place, Right, Standing, decide_right
from edge.parking.session import Session, SessionState
from edge.parking.vehicle import PlateColour, VehicleClass
from edge.services.box import Box
from edge.services.records import Unit

#: Past stays of each other car of a pass that are looked at for who held its spaces when.
MAX_PAST = 20

#: Reservations that are looked at for the spaces they keep.
MAX_KEPT = 5_000

_MINUTE_MS = 60_000


def find_right(
    unit: Unit,
    box: Box,
    plate: str,
    colour: PlateColour,
    vehicle_class: VehicleClass,
    zone: str,
    now: int,
) -> Right:
    """Return by what right a vehicle that stands at an entry may come in; reads only.

    zone: where the lane leads. now: Unix milliseconds. A vehicle without a plate is a visitor.
    """
    return _decide(unit, box, plate, colour, StaySpan("", zone, vehicle_class, now, now))


def right_of_stay(unit: Unit, box: Box, session: Session, at: int) -> Right:
    """Return by what right a stay parks that would leave at a moment; `benefit` lowers its fee. Reads only.

    A vehicle that is refused by now leaves all the same, as a visitor.
    """
    return _decide(unit, box, session.plate, session.colour, span_of(session, at))


def span_of(session: Session, at: int) -> StaySpan:
    """Return the stay up to a moment, or to its end."""
    end = session.left_at if session.left_at is not None else max(at, session.entered_at)
    return StaySpan(session.session_id, session.zone, session.vehicle_class, session.entered_at, end)


def usage_of(unit: Unit, box: Box, one: ParkingPass, stay: StaySpan, plate: str) -> PassUsage:
    """Return what is known of a pass for a stay of one of its cars."""
    balance = used = 0
    days: frozenset[str] = frozenset()
    if one.kind.stored:
        balance = unit.passes.balance(one.pass_id)
        lines = unit.passes.used_by(one.pass_id, stay.session_id) if stay.session_id else ()
        used = -sum(line.amount for line in lines)
    if one.kind is PassKind.STORED_DAYS:
        days = unit.passes.paid_days(one.pass_id, dates_of(stay.entered_at, stay.at, box.rules.zone))
    return PassUsage(balance, used, days, _holds_from(unit, one, stay, plate))


def count_kept(unit: Unit, box: Box, zone: str, now: int) -> int:
    """Return how many spaces of a zone are kept at a moment for reservations that have not come yet."""
    rules = box.parking.passes
    booked = unit.passes.reservations(ReservationState.BOOKED, now, MAX_KEPT)
    return kept_spaces(booked, zone, now, rules.reserve_early_min, rules.reserve_hold_min)


def _decide(unit: Unit, box: Box, plate: str, colour: PlateColour, stay: StaySpan) -> Right:
    place = Place(box.parking.passes, box.rules.zone, make_calendar(unit.calendar_days.all()))
    if not plate:
        return decide_right(Standing("", colour), stay, place)
    block = unit.plates.block_of(plate)
    blocked = block is not None and stay.at < block.until_at
    early = box.parking.passes.reserve_early_min * _MINUTE_MS
    standing = Standing(
        plate,
        colour,
        unit.plate_lists.find(plate),
        [(one, usage_of(unit, box, one, stay, plate)) for one in unit.passes.of_plate(plate)],
        unit.passes.reservations_of(plate, stay.entered_at - early),
        block.command_id if block and blocked else "",
        block.note if block and blocked else "",
    )
    return decide_right(standing, stay, place)


def _holds_from(unit: Unit, one: ParkingPass, stay: StaySpan, plate: str) -> int | None:
    if one.spaces >= len(one.plates):
        return stay.entered_at
    others = [
        (other.entered_at, other.session_id, other.left_at)
        for mate in one.plates
        if mate != plate
        for other in unit.sessions.last_of(mate, MAX_PAST)
        if other.state is not SessionState.NEVER_ENTERED and (not one.zones or other.zone in one.zones)
    ]
    # A vehicle that is only just coming is after all that are inside.
    mine = stay.session_id or "\U0010ffff"
    return moves_up_at(stay.entered_at, mine, others, one.spaces)
