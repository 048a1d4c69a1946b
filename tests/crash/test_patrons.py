"""What is checked of members' points can fail: doubled, missing and unasked points are seen."""

from __future__ import annotations

import json
from typing import Any

import pytest

from edge.members.points import PointsEntry, PointsKind
from sim.world.people.patrons import LEASED, OPENID, points_violations
from sim.world.scenarios import KIOSK_BY_CODE, PATRONS
from sim.world.world import World

Event = dict[str, Any]


def told(world: World) -> list[Event]:
    return [json.loads(message.body) for message in world.hq.applied]


@pytest.fixture(scope="module")
def world() -> World:
    return World(PATRONS[0], 1).run()


def test_a_run_without_mistakes_has_none(world: World) -> None:
    assert list(points_violations(world, told(world))) == []


@pytest.mark.parametrize("kind", ["earn", "reverse_earn"])
def test_points_told_twice_or_never_are_seen(world: World, kind: str) -> None:
    events = told(world)
    points = [one for one in events if one["type"] == "cn.mall.points.changed.v1"]
    mine = [one for one in points if any(entry["kind"] == kind for entry in one["data"]["entries"])]
    assert list(points_violations(world, [*events, mine[0]]))
    assert list(points_violations(world, [one for one in events if one is not mine[0]]))


def test_points_for_an_order_that_is_not_paid_are_seen(world: World) -> None:
    events = [one for one in told(world) if one["type"] != "cn.mall.order.paid.v1"]
    assert list(points_violations(world, events))


def test_what_is_found_says_which_promise_it_breaks(world: World) -> None:
    events = told(world)
    points = [one for one in events if one["type"] == "cn.mall.points.changed.v1"]
    for kind, promise in (("earn", "P34: "), ("reverse_earn", "P38: ")):
        mine = next(one for one in points if any(entry["kind"] == kind for entry in one["data"]["entries"]))
        found = [line for line in points_violations(world, [*events, mine]) if f"by {kind}," in line]
        assert found
        assert all(line.startswith(promise) for line in found)


def test_points_that_a_member_has_and_nobody_was_told_of_are_seen() -> None:
    world = World(PATRONS[0], 1).run()
    member_id = world.store.read(lambda unit: unit.people.by_identity(OPENID))
    more = PointsEntry("more", member_id, PointsKind.ADJUST, 3, 0)
    world.store.write(lambda unit: unit.points.post(more))
    assert any("the member has" in line for line in points_violations(world, told(world)))


def test_the_rest_of_a_lease_that_is_told_twice_or_never_is_seen() -> None:
    world = World(PATRONS[3], 1).run()
    events = told(world)
    ended = [one for one in events if one["type"] == "cn.mall.points.lease.v1"]
    assert [one["data"]["returned"] for one in ended] == [LEASED]
    assert list(points_violations(world, events)) == []
    for wrong in ([*events, ended[0]], [one for one in events if one is not ended[0]]):
        assert any("HQ was told that" in line for line in points_violations(world, wrong))


def test_points_where_nobody_is_a_member_are_seen(world: World) -> None:
    other = World(KIOSK_BY_CODE, 1).run()
    assert list(points_violations(other, told(other))) == []
    assert list(points_violations(other, told(world)))
