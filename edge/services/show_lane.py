"""What a lane looks like now: its vehicle, what was decided and why, what is asked, what its gate did."""

from __future__ import annotations

from dataclasses import dataclass

from edge.parking.facility import Lane
from edge.parking.gate_command import GateCommand
from edge.parking.lane_texts import Paying, lane_texts
from edge.parking.observation import PlateRead
from edge.parking.passage import Passage
from edge.parking.session import Session
from edge.retail.attempt import PayWay
from edge.services.box import Box
from edge.services.count_zone import ZoneCount, count_zone
from edge.services.passage_records import LaneHold
from edge.services.records import Unit
from edge.services.workstation import NoticeCode, decode_notice, load

#: Reads, passages and commands that are shown.
SHOWN = 8


@dataclass(frozen=True, slots=True)
class LaneWords:
    """What a lane's display shows and says. passage_id: whose words they are, "" when nobody is there."""

    lines: tuple[str, ...]
    voice: str
    passage_id: str


@dataclass(frozen=True, slots=True)
class LaneView:
    """One lane for a guard. passage: the vehicle there, None when nobody is; read: the one behind it.

    candidates: the stays that its question offers, in order. session: the stay that it is about. behind: the
    read of the next vehicle. commands, passages, reads: the newest first.
    """

    lane: Lane
    zone: ZoneCount | None
    words: LaneWords
    passage: Passage | None
    read: PlateRead | None
    behind: PlateRead | None
    session: Session | None
    candidates: tuple[Session, ...]
    hold: LaneHold | None
    commands: tuple[GateCommand, ...]
    passages: tuple[Passage, ...]
    reads: tuple[PlateRead, ...]


def show_lane(box: Box, lane_name: str) -> LaneView:
    """Return how a lane stands; raise Invalid for one that this box does not have."""
    lane = box.parking.lane(lane_name)
    return box.store.read(lambda unit: lane_view(unit, box, lane))


def show_lanes(box: Box) -> tuple[LaneView, ...]:
    """Return how all lanes stand, in the order of the configuration."""
    lanes = box.parking.facility.lanes
    return box.store.read(lambda unit: tuple(lane_view(unit, box, lane) for lane in lanes))


def lane_view(unit: Unit, box: Box, lane: Lane) -> LaneView:
    """Return how a lane stands within a unit."""
    passage = unit.passages.current(lane.name)
    zone = box.parking.facility.zone(lane.zone)
    asked = () if passage is None or passage.question is None else passage.question.candidates
    found = (unit.sessions.get(one) for one in asked)
    behind = None if passage is None else passage.behind
    return LaneView(
        lane,
        None if zone is None else count_zone(unit, zone),
        lane_words(unit, box, lane),
        passage,
        None if passage is None else unit.plate_reads.get(passage.read_id),
        None if behind is None else unit.plate_reads.get(behind.read_id),
        None if passage is None else unit.sessions.get(passage.session_id),
        tuple(one for one in found if one is not None),
        unit.lane_holds.current(lane.name),
        unit.gate_commands.recent(lane.name, SHOWN),
        unit.passages.recent(lane.name, SHOWN),
        unit.plate_reads.recent(lane.name, SHOWN),
    )


def lane_words(unit: Unit, box: Box, lane: Lane) -> LaneWords:
    """Return what a lane's display shows and says now."""
    passage = unit.passages.current(lane.name)
    zone = box.parking.facility.zone(lane.zone)
    free = None if zone is None or passage is not None else count_zone(unit, zone).free
    held = unit.lane_holds.current(lane.name) is not None
    texts = lane_texts(passage, lane.way, lane.language, free, held, _paying(unit, box, lane))
    return LaneWords(texts.lines, texts.voice, "" if passage is None else passage.passage_id)


def _paying(unit: Unit, box: Box, lane: Lane) -> Paying | None:
    """Return how the payment of the fee on a lane's screen goes."""
    if not lane.workstation or lane.workstation not in box.workstations:
        return None
    busy = load(unit, box, lane.workstation)
    notice = decode_notice(busy.state.notice)
    if notice is not None and notice.code in _PAYING:
        return _PAYING[notice.code]
    code = busy.screen == "waiting" and busy.attempt is not None and busy.attempt.way is PayWay.CODE
    return Paying.RUNNING if code else None


_PAYING = {
    NoticeCode.PAYMENT_DECLINED: Paying.DECLINED,
    NoticeCode.PAYMENT_VOIDED: Paying.DECLINED,
    NoticeCode.PHONE_CLOSED: Paying.DECLINED,
    NoticeCode.PHONE_CLOSING: Paying.CLOSING,
    NoticeCode.PHONE_ENDING: Paying.CLOSING,
}
