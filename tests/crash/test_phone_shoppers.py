"""What is checked of phones' payments can fail: doubled, missing and untold ones are seen."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from sim.fakes.mini_program import HandOver
from sim.world.people.phone_shoppers import PhoneShopper, phone_scenarios, phone_violations
from sim.world.world import World

Event = dict[str, Any]


@pytest.fixture
def world() -> World:
    return World(phone_scenarios()[0], 1).run()


def told(world: World) -> list[Event]:
    return [json.loads(message.body) for message in world.hq.applied]


def shopper(world: World) -> PhoneShopper:
    (person,) = world.people
    assert isinstance(person, PhoneShopper)
    return person


def test_a_run_without_mistakes_has_none_and_everything_happened(world: World) -> None:
    assert list(phone_violations(world, told(world))) == []
    assert shopper(world).has_paid
    assert shopper(world).took
    assert len(world.program.hand_overs) == 1
    assert [one.page.partition("=")[0] for one in world.program.messages] == ["pages/paid/paid?receipt"]


def test_a_payment_that_nobody_heard_of_and_one_that_came_twice_are_seen(world: World) -> None:
    events = told(world)
    approved = [one for one in events if one["type"] == "cn.mall.payment.approved.v1"]
    without = [one for one in events if one not in approved]
    assert any("paid 0 times" in line for line in phone_violations(world, without))
    assert any("paid 2 times" in line for line in phone_violations(world, [*events, *approved]))


def test_a_hand_over_that_was_not_told_or_not_made_is_seen(world: World) -> None:
    (number,) = world.program.hand_overs
    del world.program.hand_overs[number]
    assert any("WeChat was told" in line for line in phone_violations(world, told(world)))
    world.program.hand_overs["420-other"] = HandOver("420-other", "openid", "x", 1, True)
    assert any("420-other" in line for line in phone_violations(world, told(world)))


def test_a_message_sent_twice_and_two_orders_paid_are_seen(world: World) -> None:
    world.program.messages.append(replace(world.program.messages[0]))
    shopper(world).wallet.append("prepay_id=other")
    found = "\n".join(phone_violations(world, told(world)))
    assert "sent twice" in found
    assert "the wallet has paid" in found


def test_where_no_phone_pays_nothing_is_asked(world: World) -> None:
    world.people = []
    assert list(phone_violations(world, [])) == []
