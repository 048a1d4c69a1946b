"""What is checked of shoppers' ways can fail: doubled, missing and unpaid chains are seen."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sim.world.people.walkers import touch_violations
from sim.world.scenarios import KIOSK_BY_CODE, WALKERS
from sim.world.world import World

Event = dict[str, Any]


def told(world: World) -> list[Event]:
    return [json.loads(message.body) for message in world.hq.applied]


@pytest.fixture(scope="module")
def world() -> World:
    return World(WALKERS[0], 1).run()


def without(events: list[Event], kind: str, **words: object) -> list[Event]:
    """Return the events less the first of a kind whose data says this."""
    found = [one for one in events if one["type"] == f"cn.mall.{kind}.v1"]
    gone = next(one for one in found if all(one["data"][name] == value for name, value in words.items()))
    return [one for one in events if one is not gone]


def test_a_run_without_mistakes_has_none_and_has_the_whole_chain(world: World) -> None:
    events = told(world)
    assert list(touch_violations(world, events)) == []
    (sale,) = (one["data"] for one in events if one["type"] == "cn.mall.sale.attributed.v1")
    assert [one["touchpoint"] for one in sale["touches"]] == ["poster", "guide.li"]
    assert [entry["amount_fen"] for entry in sale["commission"]] == [29]


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("sale.attributed", {}),
        ("order.paid", {}),
        ("conversion.step", {"step": "bought"}),
        ("conversion.step", {"touchpoint": "poster"}),
        ("sale.reversed", {}),
    ],
)
def test_what_never_came_is_seen(world: World, kind: str, words: dict[str, str]) -> None:
    assert list(touch_violations(world, without(told(world), kind, **words)))


@pytest.mark.parametrize("kind", ["sale.attributed", "conversion.step", "sale.reversed"])
def test_what_came_twice_is_seen(world: World, kind: str) -> None:
    events = told(world)
    again = next(one for one in events if one["type"] == f"cn.mall.{kind}.v1")
    found = list(touch_violations(world, [*events, again]))
    assert bool(found) is True


def test_credits_that_do_not_sum_are_seen(world: World) -> None:
    events = json.loads(json.dumps(told(world)))
    sale = next(one for one in events if one["type"] == "cn.mall.sale.attributed.v1")
    sale["data"]["credits"][0]["amount_fen"] += 1
    assert any("do not sum" in line for line in touch_violations(world, events))


def test_ways_where_nobody_records_them_are_seen(world: World) -> None:
    other = World(KIOSK_BY_CODE, 1).run()
    assert list(touch_violations(other, told(other))) == []
    assert list(touch_violations(other, told(world)))
