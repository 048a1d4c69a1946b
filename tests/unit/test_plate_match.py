"""Which stay is the vehicle at the exit, why, and when a person is asked."""

from __future__ import annotations

import pytest

from edge.parking.observation import PlateRead
from edge.parking.plate import PlateDoubt
from edge.parking.plate_edits import Confusions, EditKind, align, changed_pairs, edits_between, learned
from edge.parking.plate_match import CLEAR_MARGIN, MAX_SHOWN, MatchWhy, Ranking, rank, weigh
from edge.parking.session import Session
from edge.parking.vehicle import PlateColour, VehicleClass

NOW = 1_795_000_000_000
HOUR = 3_600_000
PLAIN = Confusions()


def stay(plate: str, hours: float = 2.0, colour: str = "blue", kind: str = "small") -> Session:
    return Session(
        f"s-{plate}", "B1", plate, NOW - int(hours * HOUR), "in-1", PlateColour(colour), VehicleClass(kind)
    )


def read(
    plate: str, colour: str = "blue", confidences: tuple[float, ...] = (), kind: str = "small"
) -> PlateRead:
    return PlateRead(
        "r-1",
        "out-1",
        "cam-1",
        "k",
        plate,
        NOW,
        NOW,
        0,
        PlateColour(colour),
        VehicleClass(kind),
        confidences,
    )


def ranked(seen: PlateRead, *stays: Session, known: tuple[str, ...] = (), inside: int = 5_000) -> Ranking:
    return rank(seen, stays, PLAIN, NOW, inside, known)


def doubtful(plate: str, place: int, confidence: float = 0.5) -> tuple[float, ...]:
    return tuple(confidence if at == place else 0.99 for at in range(len(plate)))


def test_the_same_plate_goes_alone() -> None:
    ranking = ranked(read("粤B12345"), stay("粤B12345"), stay("粤B67890"))
    assert ranking.why is MatchWhy.EXACT
    assert ranking.clear is ranking.recommended is ranking.candidates[0]
    assert ranking.clear is not None
    assert ranking.clear.session.plate == "粤B12345"
    assert ranking.clear.evidence.exact
    assert ranking.clear.chance > 0.99


def test_a_look_alike_in_a_doubtful_place_goes_alone_with_its_evidence() -> None:
    ranking = ranked(read("粤B1B345", confidences=doubtful("粤B1B345", 3)), stay("粤B18345"))
    assert ranking.why is MatchWhy.LOOK_ALIKE
    assert ranking.clear is not None
    (edit,) = ranking.clear.evidence.edits
    assert (edit.kind, edit.place, edit.stored, edit.read) == (EditKind.CHANGED, 3, "8", "B")
    assert edit.confidence == 0.5
    assert edit.explained
    assert tuple(changed_pairs((edit,))) == (("8", "B"),)


def test_the_parts_of_the_evidence_add_up() -> None:
    ranking = ranked(read("粤B1B345"), stay("粤B18345", hours=30), stay("粤B10345", colour="green"))
    for one in ranking.candidates:
        evidence = one.evidence
        parts = evidence.plate + evidence.colour_part + evidence.class_part + evidence.time_part
        assert evidence.score == pytest.approx(parts + evidence.among)
    assert 0 < sum(one.chance for one in ranking.candidates) < 1


def test_a_confident_reader_that_differs_is_another_car_until_a_person_says_so() -> None:
    sure = (0.999,) * 7
    ranking = ranked(read("粤B12349", confidences=sure), stay("粤B12345"))
    assert ranking.clear is None
    assert ranking.why is MatchWhy.FAR


def test_a_weak_look_alike_read_with_certainty_is_asked_about() -> None:
    ranking = ranked(read("粤B1C345", confidences=(0.999,) * 7), stay("粤B1Q345"))
    assert (ranking.clear, ranking.why) == (None, MatchWhy.UNSURE)
    assert ranking.recommended is not None


def test_two_plates_that_were_both_here_before_are_two_vehicles() -> None:
    seen = read("粤B1B345", confidences=doubtful("粤B1B345", 3))
    both = ranked(seen, stay("粤B18345"), known=("粤B1B345", "粤B18345"))
    assert (both.clear, both.why) == (None, MatchWhy.KNOWN)
    for one in ("粤B1B345", "粤B18345"):
        assert ranked(seen, stay("粤B18345"), known=(one,)).why is MatchWhy.LOOK_ALIKE
    same = ranked(read("粤B18345"), stay("粤B18345"), known=("粤B18345",))
    assert same.why is MatchWhy.EXACT


def test_two_that_fit_alike_are_a_question() -> None:
    ranking = ranked(read("粤B1234", colour="unknown"), stay("粤B12345"), stay("粤B12347"))
    assert (ranking.clear, ranking.why) == (None, MatchWhy.TIE)
    assert ranking.recommended is not None


def test_the_same_plate_inside_twice_is_a_question_about_the_later() -> None:
    late, early = stay("粤B12345", 1), Session("s-2", "B1", "粤B12345", NOW - 5 * HOUR, "in-1")
    ranking = ranked(read("粤B12345"), early, late)
    assert ranking.why is MatchWhy.TIE
    assert ranking.recommended is not None
    assert ranking.recommended.session == late


def test_a_lost_eighth_character_on_green_goes_alone() -> None:
    ranking = ranked(read("粤BD1234", colour="green"), stay("粤BD12345", colour="green"))
    assert ranking.doubt is PlateDoubt.EIGHTH_MISSING
    assert ranking.why is MatchWhy.LOOK_ALIKE
    assert ranking.clear is not None
    assert ranking.clear.evidence.edits[0].kind is EditKind.LOST


def test_a_lost_eighth_with_two_that_fit_is_a_question() -> None:
    stays = stay("粤BD12345", colour="green"), stay("粤BD12347", colour="green")
    assert ranked(read("粤BD1234", colour="green"), *stays).why is MatchWhy.TIE


def test_a_lost_one_of_a_run_is_explained() -> None:
    ranking = ranked(read("京AA6666"), stay("京AA66666"))
    (edit,) = ranking.candidates[0].evidence.edits
    assert (edit.kind, edit.stored, edit.explained) == (EditKind.LOST, "6", True)


def test_an_added_character_is_an_edit_that_nothing_explains() -> None:
    ranking = ranked(read("苏E9E0A51"), stay("苏E9E0A5"))
    (edit,) = ranking.candidates[0].evidence.edits
    assert (edit.kind, edit.read, edit.explained) == (EditKind.ADDED, "1", False)
    assert ranking.why is MatchWhy.FAR


def test_a_province_taken_for_another_may_be_explained() -> None:
    ranking = ranked(read("浙GR0L16", confidences=doubtful("浙GR0L16", 0)), stay("湘GR0L16"))
    assert ranking.why is MatchWhy.LOOK_ALIKE


@pytest.mark.parametrize("other", ["粤B1BB45", "粤BBB345", "鄂B1B345"])
def test_two_edits_never_go_alone(other: str) -> None:
    seen = read(other, confidences=(0.3,) * 7)
    ranking = ranked(seen, stay("粤B18345"))
    assert ranking.clear is None
    assert ranking.candidates


def test_another_colour_or_class_never_goes_alone_with_an_edit() -> None:
    seen = read("粤B1B345", colour="yellow", confidences=doubtful("粤B1B345", 3, 0.3), kind="small")
    ranking = ranked(seen, stay("粤B18345"))
    assert ranking.clear is None
    assert ranking.candidates[0].evidence.colour is False
    lorry = read("粤B1B345", confidences=doubtful("粤B1B345", 3, 0.3), kind="large")
    ranking = ranked(lorry, stay("粤B18345"))
    assert (ranking.clear, ranking.why) == (None, MatchWhy.COLOUR)
    assert ranking.candidates[0].evidence.vehicle_class is False


def test_nobody_near_and_no_plate_are_said_so() -> None:
    assert ranked(read("粤B12345"), stay("京A99999")).why is MatchWhy.NOBODY
    nothing = ranked(read(""), stay("粤B12345"))
    assert (nothing.why, nothing.doubt, nothing.candidates) == (MatchWhy.NO_PLATE, PlateDoubt.EMPTY, ())


def test_stays_without_a_plate_are_no_candidates() -> None:
    assert ranked(read("粤B12345"), stay("")).candidates == ()


def test_the_likelier_time_is_preferred() -> None:
    recent = stay("粤B12846", hours=1)
    old = Session("s-old", "B1", "粤B12B46", NOW - 500 * HOUR, "in-1")
    ranking = ranked(read("粤B12346"), old, recent)
    times = {one.session.session_id: one.evidence.time_part for one in ranking.candidates}
    assert times[recent.session_id] > times["s-old"]


def test_only_so_many_are_shown() -> None:
    stays = [stay(f"粤B1234{last}") for last in "0123456789"]
    assert len(ranked(read("粤B1234A"), *stays).candidates) == MAX_SHOWN


def test_a_camera_s_own_confusion_makes_its_pair_likelier() -> None:
    seen, inside = read("粤B1234A"), stay("粤B1234H")
    before = rank(seen, [inside], PLAIN, NOW, 5_000)
    taught = learned({("H", "A"): 12.0})
    after = rank(seen, [inside], taught, NOW, 5_000)
    assert before.why is MatchWhy.FAR
    assert after.candidates[0].evidence.score > before.candidates[0].evidence.score + 2
    assert after.candidates[0].evidence.edits[0].explained


def test_one_correction_explains_nothing_yet() -> None:
    assert not learned({("H", "A"): 1.0}).knows("H", "A")
    assert learned({("H", "A"): 2.0}).knows("H", "A")
    assert learned({("H", "A"): 1e9}).share("H", "A") == 0.6


def test_margins_are_kept_between_first_and_second() -> None:
    seen = read("粤B1B345", confidences=doubtful("粤B1B345", 3))
    ranking = ranked(seen, stay("粤B18345"), stay("粤B1B34S"))
    first, second = (one.evidence.score for one in ranking.candidates)
    assert (first - second >= CLEAR_MARGIN) is (ranking.clear is not None)


def test_edits_between_two_plates() -> None:
    assert edits_between("粤B12345", "粤B12345") == ()
    assert [one.kind for one in edits_between("粤B12345", "粤B1345")] == [EditKind.LOST]
    assert [one.kind for one in edits_between("粤B1345", "粤B12345")] == [EditKind.ADDED]
    assert len(edits_between("", "AB")) == 2


def test_what_is_shifted_too_far_is_no_candidate() -> None:
    score, edits = align(read("粤B"), "粤B12345", PLAIN)
    assert (score, edits) == (float("-inf"), ())
    assert weigh(read("粤B"), stay("粤B12345"), PLAIN, NOW) is None
