"""The rules of passes in the configuration."""

from __future__ import annotations

import pytest

from edge.app.parking import build_parking
from edge.config import parse_config
from edge.errors import Invalid
from edge.parking.parking_pass import PassRules
from edge.parking.plate import PlateKind

BOX: dict[str, object] = {"site": "a", "edge": "b"}


def test_without_a_section_the_rules_are_those_of_the_field() -> None:
    assert build_parking(parse_config({"box": BOX}, "test")).passes == PassRules()


def test_each_rule_can_be_set() -> None:
    said = {"grace_days": 3, "free_kinds": ["police"], "reserve_hold_min": 15}
    rules = build_parking(parse_config({"box": BOX, "passes": said}, "test")).passes
    assert (rules.grace_days, rules.reserve_hold_min) == (3, 15)
    assert rules.free_kinds == frozenset({PlateKind.POLICE})


@pytest.mark.parametrize(
    ("said", "word"),
    [
        ({"grace_days": -1}, "grace_days"),
        ({"warn_days": 61}, "warn_days"),
        ({"free_kinds": ["taxi"]}, "taxi"),
    ],
)
def test_a_rule_that_cannot_be_is_named(said: dict[str, object], word: str) -> None:
    with pytest.raises(Invalid, match=word):
        parse_config({"box": BOX, "passes": said}, "test")
