"""What a guard sees of the lanes: vehicles, pictures, what is asked and recommended, and the fee."""

from __future__ import annotations

from dataclasses import dataclass

from edge.errors import Invalid
from edge.parking.decision import Verdict, Why
from edge.parking.observation import PlateRead
from edge.parking.plate_match import Evidence, MatchWhy
from edge.parking.quote import Quote
from edge.parking.session import Session
from edge.services.box import Box
from edge.services.find_session import find_session
from edge.services.quote_session import quote_session
from edge.services.records import Unit
from edge.services.show_lane import LaneView, lane_view

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

    match: why no stay went alone. quote: of the stay that is to be paid or was.
    """

    view: LaneView
    photo: str
    offers: tuple[Offer, ...] = ()
    match: MatchWhy | None = None
    quote: Quote | None = None

    @property
    def asks(self) -> bool:
        """Whether the guard is to answer something."""
        return self.view.passage is not None and self.view.passage.question is not None


def show_guard(box: Box) -> tuple[GuardLane, ...]:
    """Return all lanes, in the order of the configuration."""
    now = box.clock.now().wall_at

    def query(unit: Unit) -> tuple[GuardLane, ...]:
        lanes = box.parking.facility.lanes
        return tuple(_lane(unit, box, lane_view(unit, box, lane), now) for lane in lanes)

    return box.store.read(query)


def _lane(unit: Unit, box: Box, view: LaneView, now: int) -> GuardLane:
    offers, match = _offers(unit, box, view, now)
    return GuardLane(view, _photo_of(view), offers, match, _quote(unit, box, view, now))


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


def _quote(unit: Unit, box: Box, view: LaneView, now: int) -> Quote | None:
    passage = view.passage
    if passage is None or view.session is None or passage.decision is None:
        return None
    if passage.decision.verdict is not Verdict.PAY and passage.decision.why not in (
        Why.DUE,
        Why.PAID,
        Why.FREE,
    ):
        return None
    try:
        return quote_session(unit, box, view.session, now)
    except Invalid:
        # Without a tariff there is no price; the lane's question says so.
        return None


def _first(read: PlateRead | None) -> str:
    return "" if read is None or not read.photos else read.photos[0]
