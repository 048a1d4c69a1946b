"""Finding the stay of a vehicle at the exit, correcting stays, and what corrections teach."""

from __future__ import annotations

from dataclasses import replace

import pytest

from edge.errors import Invalid
from edge.parking.observation import PlateRead
from edge.parking.parking_pass import PassKind
from edge.parking.plate_list import PlateEntry, PlateListKind
from edge.parking.plate_match import MatchWhy, Ranking
from edge.parking.session import SessionState
from edge.services.correct_plate import correct_session, learn_answer, teach
from edge.services.find_session import find_session
from edge.services.issue_pass import PassAsk, issue_pass
from edge.services.records import Unit
from tests.unit.garage import Garage


def read(plate: str, camera: str = "cam-1", read_id: str = "r-1") -> PlateRead:
    return PlateRead(read_id, "out-1", camera, read_id, plate, 1, 1)


@pytest.fixture
def garage() -> Garage:
    return Garage()


def found(garage: Garage, plate: str) -> Ranking:
    now = garage.ports.clock.now().wall_at
    return garage.box.store.read(lambda unit: find_session(unit, garage.box, read(plate), now))


def leave(garage: Garage, session_id: str) -> None:
    at = garage.ports.clock.now().wall_at
    gone = replace(garage.stay(session_id), state=SessionState.LEFT, left_at=at)
    garage.box.store.write(lambda unit: unit.sessions.put(gone))


def test_the_stay_of_a_plate_is_found_and_goes_alone(garage: Garage) -> None:
    garage.come("粤B12345")
    garage.come("粤B99999")
    ranking = found(garage, "粤B12345")
    assert ranking.why is MatchWhy.EXACT
    assert ranking.clear is not None
    assert ranking.clear.session.plate == "粤B12345"


def test_a_misread_plate_is_found_by_its_look_alike(garage: Garage) -> None:
    garage.come("粤B1B345")
    ranking = found(garage, "粤B18345")
    assert ranking.why is MatchWhy.LOOK_ALIKE


def test_two_plates_that_are_both_known_are_asked_about(garage: Garage) -> None:
    leave(garage, garage.come("粤B18345", session_id="s-1"))
    garage.come("粤B1B345", session_id="s-2")
    assert found(garage, "粤B18345").why is MatchWhy.LOOK_ALIKE
    leave(garage, "s-2")
    garage.come("粤B1B345", session_id="s-3")
    assert found(garage, "粤B18345").why is MatchWhy.KNOWN


def test_a_plate_on_a_list_or_a_pass_is_known(garage: Garage) -> None:
    garage.come("粤C1E345")
    assert found(garage, "粤C1F345").why is MatchWhy.LOOK_ALIKE

    def listed(unit: Unit) -> None:
        number = unit.plate_lists.begin()
        unit.plate_lists.stage(number, 0, [PlateEntry("粤C1F345", PlateListKind.FREE)])
        unit.plate_lists.finish(number, 1)

    garage.box.store.write(listed)
    assert found(garage, "粤C1F345").why is MatchWhy.LOOK_ALIKE
    issue_pass(garage.box, PassAsk("p-1", PassKind.MONTH, "李雷", ("粤C1E345",)), "王")
    assert found(garage, "粤C1F345").why is MatchWhy.KNOWN


def test_one_that_left_is_no_candidate(garage: Garage) -> None:
    leave(garage, garage.come("粤B12345"))
    assert found(garage, "粤B12345").why is MatchWhy.NOBODY


def test_a_plate_is_corrected_with_name_and_reason_and_hq_is_told(garage: Garage) -> None:
    garage.box.store.write(lambda unit: unit.plate_reads.put(read("粤B1B345", "cam-in")))
    session_id = garage.come("粤B1B345")
    stay = replace(garage.stay(session_id), entry_read_id="r-1")
    garage.box.store.write(lambda unit: unit.sessions.put(stay))

    done = correct_session(garage.box, session_id, "老周", "misread", plate="粤b·18345")

    assert (done.plate_before, done.plate_after, done.camera, done.read) == (
        "粤B1B345",
        "粤B18345",
        "cam-in",
        "粤B1B345",
    )
    assert garage.stay(session_id).plate == "粤B18345"
    store = garage.box.store
    assert store.read(lambda unit: unit.plates.corrections_of(session_id)) == (done,)
    now = garage.ports.clock.now().wall_at
    taught = store.read(lambda unit: unit.plates.confusions("cam-in", now))
    assert taught.counts == {("8", "B"): 1.0}
    assert [one.kind for one in store.read(lambda unit: unit.outbox.window(0, 9))] == ["parking.corrected"]
    assert found(garage, "粤B18345").why is MatchWhy.EXACT


def test_an_entry_time_is_corrected_and_its_doubt_ends(garage: Garage) -> None:
    session_id = garage.come()
    doubtful = replace(garage.stay(session_id), clock_note="entry_untrusted", entered_trusted=False)
    garage.box.store.write(lambda unit: unit.sessions.put(doubtful))
    earlier = doubtful.entered_at - 60_000
    correct_session(garage.box, session_id, "老周", "ticket says so", entered_at=earlier)
    stay = garage.stay(session_id)
    assert (stay.entered_at, stay.clock_note, stay.entered_trusted) == (earlier, "", True)


@pytest.mark.parametrize(
    ("plate", "ahead_ms", "by", "reason", "word"),
    [
        ("粤B99999", None, "", "misread", "name"),
        ("粤B99999", None, "老周", " ", "reason"),
        ("!!", None, "老周", "misread", "no plate"),
        ("粤B77777", None, "老周", "misread", "inside already"),
        ("粤B12345", None, "老周", "misread", "nothing was changed"),
        (None, 1, "老周", "misread", "future"),
        (None, -400 * 24 * 3_600_000, "老周", "misread", "year"),
    ],
)
def test_a_correction_that_cannot_be_changes_nothing(
    garage: Garage, plate: str | None, ahead_ms: int | None, by: str, reason: str, word: str
) -> None:
    session_id = garage.come("粤B12345")
    garage.come("粤B77777")
    before = garage.stay(session_id)
    entered_at = None if ahead_ms is None else garage.ports.clock.now().wall_at + ahead_ms
    with pytest.raises(Invalid, match=word):
        correct_session(garage.box, session_id, by, reason, plate, entered_at)
    assert garage.stay(session_id) == before
    assert garage.box.store.read(lambda unit: unit.plates.corrections(9)) == ()


def test_a_stay_that_left_is_not_corrected(garage: Garage) -> None:
    session_id = garage.come()
    leave(garage, session_id)
    with pytest.raises(Invalid, match="not inside"):
        correct_session(garage.box, session_id, "老周", "misread", plate="粤B99999")


def test_what_a_guard_answers_teaches_the_camera_until_it_explains_an_edit(garage: Garage) -> None:
    session_id = garage.come("粤B1234H")
    now = garage.ports.clock.now()
    assert found(garage, "粤B1234A").why is MatchWhy.FAR
    for number in range(12):
        seen = read("粤B1234A", read_id=f"r-{number}")
        done = garage.box.store.write(
            lambda unit, seen=seen: learn_answer(  # type: ignore[misc]
                unit, garage.box, seen, session_id, "", "老周", now
            )
        )
        assert done is not None
        assert (done.plate_after, done.read) == ("粤B1234H", "粤B1234A")
    assert found(garage, "粤B1234A").why is MatchWhy.LOOK_ALIKE


def test_an_answer_that_agrees_with_the_read_teaches_nothing(garage: Garage) -> None:
    session_id, now = garage.come("粤B12345"), garage.ports.clock.now()

    def work(unit: Unit) -> list[object]:
        box = garage.box
        return [
            learn_answer(unit, box, read("粤B12345"), session_id, "", "老周", now),
            learn_answer(unit, box, None, session_id, "", "老周", now),
            learn_answer(unit, box, read(""), session_id, "粤B12345", "老周", now),
        ]

    assert garage.box.store.write(work) == [None, None, None]


def test_another_plate_altogether_teaches_nothing(garage: Garage) -> None:
    store = garage.box.store
    assert store.write(lambda unit: teach(unit, "cam-1", "粤B12345", "京A98765", 1)) == 0
    assert store.write(lambda unit: teach(unit, "cam-1", "粤B12345", "粤B1234", 1)) == 0
    assert store.write(lambda unit: teach(unit, "cam-1", "粤B18345", "粤B1B345", 1)) == 1
