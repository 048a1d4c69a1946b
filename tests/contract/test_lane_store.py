"""What every store promises of stays, reads, passages, gate commands, held gates and counts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from edge.errors import Corrupt
from edge.parking.decision import Answer, Decision, Question, Verdict, Why
from edge.parking.facility import LaneWay
from edge.parking.gate_command import GateCommand, GateCommandState, advanced, commanded
from edge.parking.observation import BoomPlace, PlateRead, Trigger
from edge.parking.passage import Behind, Passage, PassageEnd, PassageState
from edge.parking.session import Session, SessionState
from edge.parking.vehicle import PlateColour, VehicleClass
from edge.services.passage_records import CameraClock, Correction, CorrectionReason, HoldReason, LaneHold
from edge.services.ports import Store
from edge.store.sqlite_store import SqliteStore
from sim.fakes.store import FakeStore

PLATE = "粤B12345"
STAY = Session("stay-1", "p1", PLATE, 1_000, "in-1", PlateColour.GREEN, entry_read_id="read-1")
LEFT = replace(STAY, state=SessionState.LEFT, left_at=9_000, exit_lane="out-1", exit_read_id="read-2")
READ = PlateRead("read-1", "in-1", "cam-1", "key-1", PLATE, 900, 1_000, 100, confidences=(0.5, 0.99))
PASSAGE = Passage("pass-1", "in-1", LaneWay.ENTRY, 1_000, "boot", 5, plate=PLATE, loops=(True, False))
COMMAND = GateCommand("pass-1#1", "in-1", "gate", "pass-1", "visitor", "", 1_000, "boot", 5)
HOLD = LaneHold("hold-1", "in-1", HoldReason.FIRE, "演习", "张军", 1_000, 61_000, "boot", 5)


@pytest.fixture(params=["fake", "real"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    made = FakeStore() if request.param == "fake" else SqliteStore(tmp_path / "edge.db", 1_000)
    yield made
    made.close()


def put(store: Store, *stays: Session) -> None:
    for stay in stays:
        store.write(lambda unit, stay=stay: unit.sessions.put(stay))  # type: ignore[misc]


def ids(stays: tuple[Session, ...]) -> list[str]:
    return [one.session_id for one in stays]


def test_a_stay_is_kept_whole_and_changes(store: Store) -> None:
    whole = replace(
        LEFT, ticket="ticket-1", vehicle_class=VehicleClass.LARGE, entered_trusted=False, clock_note="note"
    )
    put(store, STAY, whole)
    assert store.read(lambda unit: unit.sessions.get("stay-1")) == whole
    assert store.read(lambda unit: unit.sessions.by_ticket("ticket-1")) == whole
    assert store.read(lambda unit: unit.sessions.by_ticket("")) is None
    assert store.read(lambda unit: unit.sessions.get("stay-2")) is None


def test_stays_inside_are_found_by_plate_latest_entry_first(store: Store) -> None:
    later = replace(STAY, session_id="stay-2", entered_at=5_000)
    other = replace(STAY, session_id="stay-3", plate="京A00001", zone="p2", entered_at=3_000)
    put(store, STAY, later, other, replace(LEFT, session_id="stay-4", entered_at=2_000))
    assert ids(store.read(lambda unit: unit.sessions.inside(PLATE))) == ["stay-2", "stay-1"]
    assert ids(store.read(lambda unit: unit.sessions.all_inside(2))) == ["stay-2", "stay-3"]
    assert ids(store.read(lambda unit: unit.sessions.last_of(PLATE, 9))) == ["stay-2", "stay-4", "stay-1"]
    assert store.read(lambda unit: unit.sessions.count_inside("p1")) == 2


def test_stays_between_are_those_that_left_then_or_entered_then(store: Store) -> None:
    ghost = replace(STAY, session_id="stay-3", state=SessionState.NEVER_ENTERED)
    put(store, STAY, replace(LEFT, session_id="stay-2"), ghost)

    def between(state: SessionState, from_at: int, to_at: int, after: str = "") -> list[str]:
        return ids(store.read(lambda unit: unit.sessions.between(from_at, to_at, state, after, 9)))

    assert between(SessionState.LEFT, 9_000, 9_001) == ["stay-2"]
    assert between(SessionState.LEFT, 0, 9_000) == []
    assert between(SessionState.INSIDE, 1_000, 1_001) == ["stay-1"]
    assert between(SessionState.INSIDE, 0, 9_000, "stay-1") == []
    assert between(SessionState.NEVER_ENTERED, 0, 9_000) == ["stay-3"]


def test_contradictions_of_stays_are_refused(store: Store) -> None:
    with pytest.raises(Corrupt):
        put(store, replace(STAY, left_at=5_000))
    with pytest.raises(Corrupt):
        put(store, replace(STAY, state=SessionState.LEFT))
    put(store, replace(STAY, ticket="one"))
    with pytest.raises(Corrupt):
        put(store, replace(STAY, session_id="stay-2", ticket="one"))


def test_a_read_is_kept_once_for_each_camera_and_key(store: Store) -> None:
    other = replace(READ, read_id="read-2", camera="cam-2", trigger=Trigger.LOOP, received_at=2_000)
    later = replace(
        READ, read_id="read-3", source_key="key-2", backfill=True, seen_at=5_000, photos=("a", "b")
    )
    for one in (READ, other, later):
        store.write(lambda unit, one=one: unit.plate_reads.put(one))  # type: ignore[misc]
    with pytest.raises(Corrupt):
        store.write(lambda unit: unit.plate_reads.put(replace(READ, read_id="read-4")))
    assert store.read(lambda unit: unit.plate_reads.find("cam-1", "key-1")) == READ
    assert store.read(lambda unit: unit.plate_reads.find("cam-1", "key-9")) is None
    assert store.read(lambda unit: unit.plate_reads.get("read-3")) == later
    assert store.read(lambda unit: unit.plate_reads.last_of(PLATE, 2)) == (later, other)
    assert store.read(lambda unit: unit.plate_reads.recent("in-1", 2)) == (other, later)


def test_old_reads_are_forgotten_a_few_at_a_time(store: Store) -> None:
    for at in range(5):
        read = replace(READ, read_id=f"read-{at}", source_key=f"{at}", received_at=at)
        store.write(lambda unit, read=read: unit.plate_reads.put(read))  # type: ignore[misc]
    assert store.write(lambda unit: unit.plate_reads.forget(4, 3)) == 3
    assert store.write(lambda unit: unit.plate_reads.forget(4, 3)) == 1
    assert [one.read_id for one in store.read(lambda unit: unit.plate_reads.recent("in-1", 9))] == ["read-4"]


def test_a_cameras_clock_is_kept(store: Store) -> None:
    assert store.read(lambda unit: unit.plate_reads.clock_of("cam")) is None
    for clock in (CameraClock("cam", None, 5, 6), CameraClock("cam", -7, 8, 9, "boot", 10)):
        store.write(lambda unit, clock=clock: unit.plate_reads.set_clock(clock))  # type: ignore[misc]
    assert store.read(lambda unit: unit.plate_reads.clock_of("cam")) == clock


def test_a_passage_is_kept_whole(store: Store) -> None:
    whole = replace(
        PASSAGE,
        state=PassageState.WAITING,
        decision=Decision(Verdict.ASK, Why.UNSURE_SESSION, 1, candidates=("a", "b")),
        question=Question(Why.UNSURE_SESSION, Answer.CHOOSE, 5, "a", ("a", "b")),
        boom=BoomPlace.DOWN,
        behind=Behind("read-2", "京A00001", 7),
        session_id="stay-1",
    )
    for one in (PASSAGE, whole):
        store.write(lambda unit, one=one: unit.passages.put(one))  # type: ignore[misc]
    assert store.read(lambda unit: unit.passages.get("pass-1")) == whole
    assert store.read(lambda unit: unit.passages.current("in-1")) == whole
    assert store.read(lambda unit: unit.passages.of_session("stay-1")) == (whole,)
    assert store.read(lambda unit: unit.passages.of_session("")) == ()
    assert store.read(lambda unit: unit.passages.last_of(PLATE, 5)) == (whole,)


def test_a_lane_has_one_passage_that_is_not_over(store: Store) -> None:
    over = replace(PASSAGE, state=PassageState.CLOSED, end=PassageEnd.PASSED, ended_at=5)
    second = replace(PASSAGE, passage_id="pass-2")
    store.write(lambda unit: unit.passages.put(PASSAGE))
    with pytest.raises(Corrupt):
        store.write(lambda unit: unit.passages.put(second))
    store.write(lambda unit: unit.passages.put(over))
    store.write(lambda unit: unit.passages.put(second))
    elsewhere = replace(PASSAGE, passage_id="pass-0", lane="a-lane")
    store.write(lambda unit: unit.passages.put(elsewhere))
    assert store.read(lambda unit: unit.passages.current("in-1")) == second
    assert store.read(lambda unit: unit.passages.last("in-1")) == over
    assert store.read(lambda unit: unit.passages.recent("in-1", 5)) == (second, over)
    assert store.read(lambda unit: unit.passages.going_on()) == (elsewhere, second)


def test_a_decision_has_one_gate_command_and_one_that_is_over_never_changes(store: Store) -> None:
    sent = commanded(COMMAND, 1_100)
    echoed = advanced(sent, GateCommandState.ECHOED, 1_200, "echo")
    closed = advanced(echoed, GateCommandState.CLOSED, 1_300)
    store.write(lambda unit: unit.gate_commands.add(COMMAND))
    with pytest.raises(Corrupt):
        store.write(lambda unit: unit.gate_commands.add(COMMAND))
    assert store.read(lambda unit: unit.gate_commands.to_send("in-1")) == COMMAND
    for one in (sent, echoed):
        store.write(lambda unit, one=one: unit.gate_commands.change(one))  # type: ignore[misc]
        assert store.read(lambda unit: unit.gate_commands.get("pass-1#1")) == one
    assert store.read(lambda unit: unit.gate_commands.to_send("in-1")) is None
    assert store.read(lambda unit: unit.gate_commands.going_on("in-1")) == (echoed,)
    store.write(lambda unit: unit.gate_commands.change(closed))
    assert store.read(lambda unit: unit.gate_commands.going_on("in-1")) == ()
    assert store.read(lambda unit: unit.gate_commands.of_passage("pass-1")) == (closed,)
    assert store.read(lambda unit: unit.gate_commands.recent("in-1", 5)) == (closed,)
    for wrong in (echoed, replace(COMMAND, command_id="nobody")):
        with pytest.raises(Corrupt):
            store.write(lambda unit, wrong=wrong: unit.gate_commands.change(wrong))  # type: ignore[misc]


def test_a_lane_has_one_hold_that_goes_on(store: Store) -> None:
    store.write(lambda unit: unit.lane_holds.put(HOLD))
    with pytest.raises(Corrupt):
        store.write(lambda unit: unit.lane_holds.put(replace(HOLD, hold_id="hold-2")))
    more = replace(HOLD, until_at=90_000, pulses=3)
    store.write(lambda unit: unit.lane_holds.put(more))
    assert store.read(lambda unit: unit.lane_holds.current("in-1")) == more
    ended = replace(more, ended_at=70_000, ended_by="李雷")
    store.write(lambda unit: unit.lane_holds.put(ended))
    assert store.read(lambda unit: unit.lane_holds.current("in-1")) is None
    assert store.read(lambda unit: unit.lane_holds.recent(5)) == (ended,)


def test_what_came_and_went_is_counted_by_hours(store: Store) -> None:
    hour = 3_600_000
    put(
        store,
        replace(STAY, session_id="a", entered_at=10),
        replace(LEFT, session_id="b", entered_at=20, left_at=hour + 5),
        replace(LEFT, session_id="c", entered_at=2 * hour, left_at=3 * hour),
        replace(STAY, session_id="d", entered_at=30, state=SessionState.NEVER_ENTERED),
        replace(STAY, session_id="e", entered_at=15, zone="p2"),
    )
    flows = store.read(lambda unit: unit.occupancies.flows("p1", 0, 3 * hour))
    assert [(one.hour_at, one.entered, one.left) for one in flows] == [
        (0, 2, 0),
        (hour, 0, 1),
        (2 * hour, 1, 0),
    ]

    def inside_at(at: int) -> int:
        return store.read(lambda unit: unit.occupancies.inside_at("p1", at))

    assert [inside_at(at) for at in (0, 11, hour, hour + 6, 2 * hour + 1, 3 * hour + 1)] == [0, 1, 2, 1, 2, 1]


def test_corrections_add_up_and_stay(store: Store) -> None:
    first = Correction("c-1", "p1", CorrectionReason.RECOUNT, -3, 5, "张军", "", 40)
    second = replace(first, correction_id="c-2", delta=1, reason=CorrectionReason.UNSEEN, counted=None)
    for one in (first, second, replace(first, correction_id="c-3", zone="p2")):
        store.write(lambda unit, one=one: unit.occupancies.correct(one))  # type: ignore[misc]
    with pytest.raises(Corrupt):
        store.write(lambda unit: unit.occupancies.correct(first))
    assert store.read(lambda unit: unit.occupancies.corrected("p1")) == -2
    assert store.read(lambda unit: unit.occupancies.corrections("p1", 9)) == (second, first)
