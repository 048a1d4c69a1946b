"""Plates' syntaxes, the constrained reading of a recogniser's posteriors, and votes per character."""

from __future__ import annotations

import numpy as np
import pytest

from devices.camera.plates.decode import Floats, decode, glance, join_rows
from devices.camera.plates.grammar import LOWER_ROW, SYMBOLS, SYNTAXES, UPPER_ROW, kind_of
from devices.camera.plates.vote import vote, vote_frames


def posteriors(text: str, sure: float = 0.9, pitch: int = 3, other: dict[int, str] | None = None) -> Floats:
    """Return what a recogniser would say about `text`; other: what else each place may be, at 0.95 - sure."""
    found = np.full((4 + pitch * len(text), 1 + len(SYMBOLS)), 1e-5, np.float32)
    found[:, 0] = 0.99
    for place, symbol in enumerate(text):
        step = 2 + place * pitch
        found[step, 0] = 0.02
        found[step, 1 + SYMBOLS.index(symbol)] = sure
        if other and place in other:
            found[step, 1 + SYMBOLS.index(other[place])] = 0.95 - sure
    return found


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("粤B12345", "civil"),
        ("粤BD12345", "energy_small"),
        ("粤B12345D", "energy_large"),
        ("粤B1234警", "police"),
        ("粤B1234学", "learner"),
        ("粤B1234挂", "trailer"),
        ("粤Z1A34港", "hong_kong_macau"),
        ("粤Z1A34澳", "hong_kong_macau"),
        ("沪A1234领", "consular"),
        ("使123456", "embassy"),
        ("224578使", "embassy_new"),
        ("京X1234应急", "rescue"),
        ("WJ粤12345", "armed_police"),
        ("VA12345", "army"),
    ],
)
def test_every_kind_of_plate_is_read_as_what_it_is(text: str, kind: str) -> None:
    best = decode(posteriors(text))[0]
    assert (best.text, best.syntax.kind) == (text, kind)
    assert best.confidence == pytest.approx(0.9, abs=0.01)
    assert kind_of(text) == kind


@pytest.mark.parametrize("text", ["", "粤B1234", "粤BI2345", "B粤12345", "粤B123456", "粤B12O45"])
def test_what_is_no_plate_has_no_kind(text: str) -> None:
    assert kind_of(text) is None


def test_equal_symbols_in_a_row_are_all_read() -> None:
    assert decode(posteriors("粤B88888", pitch=2))[0].text == "粤B88888"


def test_a_letter_that_a_place_does_not_allow_gives_way_to_the_one_that_it_does() -> None:
    shown = posteriors("粤BD12345", other=None)
    step = 2 + 3 * 7
    shown[step, 1 + SYMBOLS.index("5")], shown[step, 1 + SYMBOLS.index("S")] = 0.2, 0.7
    best = decode(shown)[0]
    assert best.text == "粤BD12345"
    assert best.confidence < 0.85


def test_a_strip_too_short_for_any_plate_gives_nothing() -> None:
    assert decode(posteriors("粤B123")[:5]) == []


def test_a_glance_tells_the_symbols_and_their_distance_without_a_grammar() -> None:
    seen = glance(posteriors("K9331"))
    assert seen.text == "K9331"
    assert seen.pitch == pytest.approx(3 / 19)


def test_two_rows_make_one_plate() -> None:
    upper, lower = decode(posteriors("粤A"), UPPER_ROW)[0], decode(posteriors("K9331"), LOWER_ROW)[0]
    joined = join_rows(upper, lower)
    assert joined is not None
    assert (joined.text, joined.syntax.kind, joined.slots.shape[0]) == ("粤AK9331", "civil", 7)
    trailer = join_rows(upper, decode(posteriors("1234挂"), LOWER_ROW)[0])
    assert trailer is not None
    assert trailer.syntax.kind == "trailer"


def test_the_majority_of_framings_overrules_one_that_misread() -> None:
    good, bad = decode(posteriors("粤B12345")), decode(posteriors("粤B72345", sure=0.8))
    verdict = vote([good, bad, good])
    assert verdict is not None
    assert verdict.text == "粤B12345"
    assert verdict.voters == 3
    assert verdict.confidences[2] < verdict.confidences[3]


def test_the_colour_decides_between_kinds_that_fit_alike() -> None:
    shown = posteriors("粤BD12345")
    last = 2 + 3 * 7
    shown[last, 0] = shown[last, 1 + SYMBOLS.index("5")] = 0.45
    green, blue = vote([decode(shown)], "green", 1.0), vote([decode(shown)], "blue", 1.0)
    assert green is not None
    assert blue is not None
    assert (len(green.text), len(blue.text)) == (8, 7)


def test_nothing_read_is_no_verdict() -> None:
    assert vote([[], []]) is None


def test_frames_of_a_passage_vote_on_each_character() -> None:
    verdicts = [
        vote([decode(posteriors(text, sure))])
        for text, sure in (("粤B12345", 0.9), ("粤B12845", 0.6), ("粤B12345", 0.7))
    ]
    verdict = vote_frames([one for one in verdicts if one is not None])
    assert verdict.text == "粤B12345"
    assert min(verdict.confidences) == verdict.confidences[4]


def test_no_two_kinds_have_one_name() -> None:
    assert len({one.kind for one in SYNTAXES}) == len(SYNTAXES)
