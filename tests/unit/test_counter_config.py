"""Counters, their guides and their limits in the configuration."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from edge.app.counter import build_counter
from edge.app.rules import build_workstation
from edge.config import parse_config
from edge.errors import Invalid
from edge.services.box import WorkstationKind
from edge.services.staff import hash_pin
from sim.fakes.clock import FakeClock

HASH = hash_pin("2468", b"salt-of-8")
BOX = {"site": "demo", "edge": "edge-1"}
COUNTER = {"name": "C01", "kind": "counter", "tenant": "t-tea"}
GUIDES = [{"id": "chen", "name": "陈静", "pin_hash": HASH}, {"id": "wu", "name": "吴"}]


def raw(**more: Any) -> Mapping[str, object]:
    return {"box": BOX, "workstation": [COUNTER], "guide": GUIDES, **more}


def test_a_counter_has_its_tenant_and_its_guides_their_pins() -> None:
    config = parse_config(
        raw(counter={"expire_minutes": 30, "foreign_goods": True, "hand_over_hours": 48}), "test"
    )
    place = build_workstation(config.workstation[0])
    assert (place.kind, place.tenant_id) == (WorkstationKind.COUNTER, "t-tea")
    rules = build_counter(config, FakeClock())
    assert (rules.expire_ms, rules.foreign_goods, sorted(rules.pins)) == (1_800_000, True, ["chen"])
    assert rules.hand_over_ms == 48 * 3_600_000
    assert rules.pins["chen"].check("2468") is not None
    assert rules.pins["chen"].check("2469") is None


@pytest.mark.parametrize(
    ("wrong", "word"),
    [
        ({"workstation": [{"name": "C01", "kind": "counter"}]}, "tenant"),
        ({"workstation": [{"name": "K01", "tenant": "t-tea"}]}, "tenant"),
        ({"guide": [{"id": "chen", "name": "陈静", "pin_hash": "2468"}]}, "hash-pin"),
        ({"counter": {"expire_minutes": 0}}, "expire_minutes"),
        ({"counter": {"expire_minutes": 721}}, "expire_minutes"),
        ({"counter": {"hand_over_hours": 0}}, "hand_over_hours"),
        ({"counter": {"hand_over_hours": 721}}, "hand_over_hours"),
        ({"counter": {"guide_override_permille": 600}}, "guide_override_permille"),
        ({"counter": {"supervisor_override_permille": 1_000}}, "supervisor_override_permille"),
        ({"counter": {"guide_override_permille": -1}}, "guide_override_permille"),
    ],
)
def test_what_cannot_work_is_refused_by_name(wrong: dict[str, object], word: str) -> None:
    with pytest.raises(Invalid, match=word):
        parse_config(raw(**wrong), "test")
