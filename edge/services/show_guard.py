"""What a guard sees of the lanes: vehicles, pictures, what is asked and recommended, and the fee."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from edge.clock import Instant
from edge.errors import Invalid
from edge.parking.decision import Verdict, Why
from edge.parking.facility import LaneWay
from edge.parking.observation import PlateRead
from edge.parking.parking_pass import PassNotice
from edge.parking.plate_match import Evidence, MatchWhy
from edge.parking.quote import Quote
from edge.parking.session import Session
from edge.parking.vehicle import PlateColour, VehicleClass
from edge.services.box import Box
from edge.services.find_right import find_right, right_of_stay
from edge.services.find_session import find_session
from edge.services.quote_session import quote_session
from edge.services.records import Unit
from edge.services.show_lane import LaneView, lane_view
from edge.services.stuck_loops import stuck_loops

#: Stays that a question offers side by side.
MAX_OFFERS = 4


@dataclass(frozen=True, slots=True)
class Offer:
    """A stay that may be the vehicle's. photo: of its entry, "" without. evidence, chance: None where no read
    speaks for it."""

    session: Session
    photo: str
    evidence: Evidence | None = None
    chance: float | None = None


@dataclass(frozen=True, slots=True)
class GuardLane:
    """One lane. photo: of the vehicle there, or the last one seen. offers: what the question is between.

    match: why no stay went alone. quote: of the stay that is to be paid or was. notices: about the vehicle's
    passes, with days or what is left.
    stuck: loops that report a vehicle though nobody is there, from 0.
    """

    view: LaneView
    photo: str
    offers: tuple[Offer, ...] = ()
    match: MatchWhy | None = None
    quote: Quote | None = None
    notices: Mapping[PassNotice, int] = field(default_factory=dict)
    stuck: tuple[int, ...] = ()

    @property
    def asks(self) -> bool:
        """Whether the guard is to answer something."""
        return self.view.passage is not None and self.view.passage.question is not None

    @property
    def may_grant(self) -> bool:
        """Whether free minutes would lower what the vehicle there owes."""
        due = self.quote is not None and self.quote.due_fen > 0
        return due and self.view.passage is not None and not self.view.passage.opening


def show_guard(box: Box) -> tuple[GuardLane, ...]:
    """Return all lanes, in the order of the configuration."""
    now = box.clock.now()

    def query(unit: Unit) -> tuple[GuardLane, ...]:
        lanes = box.parking.facility.lanes
        return tuple(_lane(unit, box, lane_view(unit, box, lane), now) for lane in lanes)

    return box.store.read(query)


def _lane(unit: Unit, box: Box, view: LaneView, now: Instant) -> GuardLane:
    offers, match = _offers(unit, box, view, now.wall_at)
    quote, notices = _quote(unit, box, view, now), _notices(unit, box, view, now.wall_at)
    return GuardLane(view, _photo_of(view), offers, match, quote, notices, stuck_loops(unit, view.lane))


def _notices(unit: Unit, box: Box, view: LaneView, now: int) -> Mapping[PassNotice, int]:
    """Return what to tell about the passes of the vehicle there."""
    passage, session, read = view.passage, view.session, view.read
    if passage is None or not passage.plate:
        return {}
    if session is not None and view.lane.way is LaneWay.EXIT:
        return right_of_stay(unit, box, session, now).notices
    colour = PlateColour.UNKNOWN if read is None else read.colour
    size = VehicleClass.SMALL if read is None else read.vehicle_class
    return find_right(unit, box, passage.plate, colour, size, view.lane.zone, now).notices


def _photo_of(view: LaneView) -> str:
    seen = (view.read,) if view.passage is not None else view.reads[:1]
    return next((_first(read) for read in seen if read is not None), "")


def _offers(unit: Unit, box: Box, view: LaneView, now: int) -> tuple[tuple[Offer, ...], MatchWhy | None]:
    if view.passage is None or view.passage.question is None or not view.candidates:
        return (), None
    ranking = None if view.read is None else find_session(unit, box, view.read, now)
    ranked = {} if ranking is None else {one.session.session_id: one for one in ranking.candidates}
    found = []
    for session in view.candidates[:MAX_OFFERS]:
        known = ranked.get(session.session_id)
        photo = _first(unit.plate_reads.get(session.entry_read_id))
        found.append(
            Offer(
                session,
                photo,
                None if known is None else known.evidence,
                None if known is None else known.chance,
            )
        )
    return tuple(found), None if ranking is None else ranking.why


def _quote(unit: Unit, box: Box, view: LaneView, now: Instant) -> Quote | None:
    passage = view.passage
    if passage is None or view.session is None or passage.decision is None:
        return None
    if passage.decision.verdict is not Verdict.PAY and passage.decision.why not in (
        Why.DUE,
        Why.PAID,
        Why.FREE,
        Why.NO_FEE,
        Why.CLOCK,
    ):
        return None
    try:
        return quote_session(unit, box, view.session, now)
    except Invalid:
        # Without a tariff there is no price; the lane's question says so.
        return None


def _first(read: PlateRead | None) -> str:
    return "" if read is None or not read.photos else read.photos[0]
