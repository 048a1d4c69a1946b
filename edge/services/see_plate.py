"""Take one read of one plate by one camera of a lane, and answer the camera.

One unit of work: the read is kept, the lane's passage moves on, what is decided and the intent to open are
written. The gate is pulsed only after that, by the lane's worker, or by the camera itself when it gets the
answer.
"""

from __future__ import annotations

from dataclasses import replace

from devices.types import PlateSeen
from edge.clock import Instant
from edge.parking.advance import GateNews, alike, is_echo
from edge.parking.decision import Verdict
from edge.parking.facility import Lane, LaneWay
from edge.parking.gate_command import GateCommandState, commanded
from edge.parking.observation import PlateRead, Trigger
from edge.parking.passage import Passage, PassageState
from edge.parking.plate import normalise
from edge.parking.vehicle import PlateColour, VehicleClass
from edge.services.box import Box
from edge.services.lane_answer import LaneAnswer, LaneOutcome
from edge.services.lane_turn import LaneTurn
from edge.services.read_age import read_age
from edge.services.record_late import record_late
from edge.services.records import Unit
from edge.services.show_lane import lane_words
from edge.services.stuck_loops import stuck_loops

#: An older read is of a vehicle that is not there any more, whatever the camera calls it.
LATE_MS = 300_000


def see_plate(box: Box, lane_name: str, seen: PlateSeen, photos: tuple[str, ...] = ()) -> LaneAnswer:
    """Take a read and return what the lane answers; it is on disk by then.

    photos: their names in the photo store, the whole scene first. The same read again (camera and key)
    changes nothing and opens nothing. Raises Invalid for a lane that this box does not have, and what the
    store raises.
    """
    lane = box.parking.lane(lane_name)
    now = box.clock.now()
    answer = box.store.write(lambda unit: _take(unit, box, lane, seen, photos, now))
    box.wake_lane(lane.name)
    if lane.workstation:
        box.changed(lane.workstation)
    return answer


def _take(
    unit: Unit, box: Box, lane: Lane, seen: PlateSeen, photos: tuple[str, ...], now: Instant
) -> LaneAnswer:
    known = unit.plate_reads.find(seen.device, seen.key) if seen.key else None
    turn = LaneTurn(unit, box, lane, now)
    if known is not None:
        return _again(turn, known)
    age = read_age(unit, lane, seen, now)
    read = _read(box, lane, seen, photos, age.age_ms, now)
    unit.plate_reads.put(read)
    if read.backfill or read.age_ms > LATE_MS:
        standing = _of_who_stands_there(turn, read)
        if standing is not None:
            return _on_read(turn, standing)
        record_late(unit, box, lane, read, now)
        return LaneAnswer(read.read_id, LaneOutcome.RECORDED)
    if age.first:
        read = _no_older_than_who_stands_there(turn, read)
    return _on_read(turn, read)


def _no_older_than_who_stands_there(turn: LaneTurn, read: PlateRead) -> PlateRead:
    """Return a camera's first read since a restart as one of a vehicle without a name; it opens nothing.

    How old it is goes by what was known of the camera's clock before, and of ours: it may be of who stands
    there however old it looks.
    """
    passage, last = turn.unit.passages.current(turn.lane.name), turn.unit.passages.last(turn.lane.name)
    if passage is None or passage.plate or not (read.plate and any(passage.loops)):
        return read
    before = last is not None and turn.at(last) - read.age_ms <= (last.ended_at or 0)
    if before and last is not None and (read.plate == last.plate or alike(read.plate, last.plate)):
        return read
    stood_ms, stale_ms = turn.at(passage) - passage.begun_at, turn.lane.stale_read_s * 1000
    if read.age_ms <= max(stood_ms, stale_ms):
        return read
    return replace(read, age_ms=max(stood_ms, stale_ms + 1))


def _of_who_stands_there(turn: LaneTurn, read: PlateRead) -> PlateRead | None:
    """Return a late read of the vehicle that still stands there without a name, as one that opens nothing."""
    passage = turn.unit.passages.current(turn.lane.name)
    if passage is None or passage.plate or not any(passage.loops):
        return None
    seen_at = turn.at(passage) - read.age_ms
    if seen_at < passage.begun_at and not _may_have_come(turn, passage, seen_at):
        return None
    age_ms = max(read.age_ms, turn.lane.stale_read_s * 1000 + 1)
    return replace(read, backfill=False, age_ms=age_ms)


def _on_read(turn: LaneTurn, read: PlateRead) -> LaneAnswer:
    unit, lane = turn.unit, turn.lane
    current, last = unit.passages.current(lane.name), unit.passages.last(lane.name)
    if current is not None and _is_before(turn, current, last, read):
        # The next vehicle stands there already; it must not be taken for the one before it.
        return _of_one_gone(turn, read)
    if current is None:
        if last is not None and _is_old_news(turn, last, read):
            turn.see(last, read)
            return LaneAnswer(read.read_id, LaneOutcome.REPEAT)
        late = read.trigger is Trigger.AUTO and read.age_ms > lane.stale_read_s * 1000
        if late and lane.loops and 0 not in stuck_loops(unit, lane):
            # Nobody stands on the loops: it is of a vehicle before the last one.
            return _of_one_gone(turn, read)
        if read.trigger is Trigger.TURNED_BACK:
            return LaneAnswer(read.read_id, LaneOutcome.REPEAT)
    before = turn.begin() if current is None else current
    after = turn.see(before, read)
    if after.is_over:
        # The vehicle before it is through; this read began the next passage.
        after = unit.passages.current(lane.name) or after
    return _answer(turn, before, after, read)


def _of_one_gone(turn: LaneTurn, read: PlateRead) -> LaneAnswer:
    """Take a read of a vehicle that is not at the lane any more; at an entry it may name a stay."""
    if turn.lane.way is LaneWay.ENTRY:
        record_late(turn.unit, turn.box, turn.lane, read, turn.now)
    return LaneAnswer(read.read_id, LaneOutcome.RECORDED)


def _is_before(turn: LaneTurn, current: Passage, last: Passage | None, read: PlateRead) -> bool:
    """Whether a read is of a vehicle before the present one: made before that came, or of the last one."""
    if read.trigger is not Trigger.AUTO or not read.plate or read.plate == current.plate:
        return False
    approach_ms = turn.box.parking.passage_rules(turn.lane).approach
    seen_at = turn.at(current) - read.age_ms
    early = turn.lane.loops and seen_at < current.begun_at - approach_ms
    if early and not _may_have_come(turn, current, seen_at):
        return True
    if last is None or last.ended_at is None or turn.at(last) - read.age_ms > last.ended_at:
        return False
    return read.plate == last.plate or alike(read.plate, last.plate)


def _may_have_come(turn: LaneTurn, passage: Passage, seen_at: int) -> bool:
    """Whether a vehicle that was found at the lane, and has no name yet, may have been there at a moment.

    Nobody looked when it came: it may have been there since the lane's last vehicle had gone, or, when nobody
    saw that either, since that one had come.
    """
    if passage.plate or not passage.found:
        return False
    last = turn.unit.passages.last(turn.lane.name)
    return last is None or seen_at > (last.begun_at if last.blind else last.ended_at or 0)


def _is_old_news(turn: LaneTurn, last: Passage, read: PlateRead) -> bool:
    seen_at = turn.at(last) - read.age_ms
    if read.trigger is Trigger.TURNED_BACK:
        return not read.plate or read.plate == last.plate
    return is_echo(last, read.plate, seen_at, turn.box.parking.passage_rules(turn.lane))


def _again(turn: LaneTurn, known: PlateRead) -> LaneAnswer:
    """Answer a read that came before. At a lane whose camera opens, it means that our answer may be lost."""
    unit, lane = turn.unit, turn.lane
    passage = unit.passages.current(lane.name)
    doubts = (
        passage is not None
        and not lane.gate
        and passage.read_id == known.read_id
        and passage.state is PassageState.OPENED
    )
    if doubts and passage is not None:
        turn.see(passage, GateNews(passage.opening, GateCommandState.DOUBTFUL))
    words = lane_words(unit, turn.box, lane)
    return LaneAnswer(known.read_id, LaneOutcome.REPEAT, lines=words.lines, passage_id=words.passage_id)


def _answer(turn: LaneTurn, before: Passage, after: Passage, read: PlateRead) -> LaneAnswer:
    unit, lane = turn.unit, turn.lane
    open_now = False if lane.gate else claim_answer(turn)
    words = lane_words(unit, turn.box, lane)
    behind = after.behind is not None and after.behind.read_id == read.read_id
    outcome = LaneOutcome.BEHIND if behind else LaneOutcome.REPEAT
    if after.read_id == read.read_id:
        outcome = _outcome(after)
    return LaneAnswer(
        read.read_id,
        outcome,
        open_now,
        words.lines,
        words.voice if after.read_id == read.read_id else "",
        outcome is LaneOutcome.ASK and not read.plate,
        after.passage_id,
    )


def claim_answer(turn: LaneTurn) -> bool:
    """Take the opening that waits at a lane without a gate of its own; True once for each decision.

    From here on it counts as sent: what becomes of the camera's relay nobody says.
    """
    command = turn.unit.gate_commands.to_send(turn.lane.name)
    if command is None:
        return False
    turn.unit.gate_commands.change(commanded(command, turn.now.wall_at))
    passage = turn.unit.passages.current(turn.lane.name)
    if passage is not None and passage.passage_id == command.passage_id:
        turn.see(passage, GateNews(passage.opening, GateCommandState.ECHOED))
    return True


def _outcome(passage: Passage) -> LaneOutcome:
    if passage.opening:
        return LaneOutcome.OPEN
    verdict = None if passage.decision is None else passage.decision.verdict
    found = {
        Verdict.PAY: LaneOutcome.WAIT,
        Verdict.QUEUE: LaneOutcome.WAIT,
        Verdict.REFUSE: LaneOutcome.REFUSE,
    }
    return LaneOutcome.ASK if verdict is None else found.get(verdict, LaneOutcome.ASK)


def _read(
    box: Box, lane: Lane, seen: PlateSeen, photos: tuple[str, ...], age_ms: int, now: Instant
) -> PlateRead:
    read_id = box.ids.new_id()
    return PlateRead(
        read_id,
        lane.name,
        seen.device,
        seen.key or read_id,
        normalise(seen.plate),
        now.wall_at - age_ms,
        now.wall_at,
        age_ms,
        PlateColour(seen.colour) if seen.colour in set(PlateColour) else PlateColour.UNKNOWN,
        VehicleClass(seen.vehicle_class) if seen.vehicle_class in set(VehicleClass) else VehicleClass.UNKNOWN,
        seen.confidences,
        Trigger(seen.trigger) if seen.trigger in set(Trigger) else Trigger.AUTO,
        seen.backfill,
        photos,
    )
