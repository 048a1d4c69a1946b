"""What is checked of what HQ pushes can fail: halves, doubles, contents that never came, wrong prices."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from sim.world.checks import violations
from sim.world.explore import EVERY
from sim.world.garage.pushed import TARIFF_PUSHED
from sim.world.people.pushes import NEW, NEWER, OLD, Publisher, prices_in_force, push_scenarios
from sim.world.world import World

Event = dict[str, Any]


@pytest.fixture
def world() -> World:
    done = World(push_scenarios()[0], 1).run()
    assert violations(done) == []
    return done


def hq(world: World) -> Publisher:
    (one,) = (person for person in world.people if isinstance(person, Publisher))
    return one


def change(world: World, kind: str, **words: object) -> None:
    """Change what HQ was told in the first event of that kind."""
    at, message = next((at, one) for at, one in enumerate(world.hq.applied) if one.kind == kind)
    body = json.loads(message.body)
    body["data"] |= words
    world.hq.applied[at] = replace(message, body=json.dumps(body).encode())


def test_prices_changed_twice_while_a_basket_was_filled_and_it_kept_what_it_said(world: World) -> None:
    at = world.clock.now().wall_at
    assert world.store.read(lambda unit: prices_in_force(unit, at)) == NEWER
    assert [one.kind for one in world.hq.applied].count("snapshot.applied") == 3
    assert len(hq(world).seen_fen) == 3
    assert "is in force: 5 prices, 5 changed" in "".join(world.steps.names)


def test_baskets_are_sold_at_old_and_at_new_prices_in_some_worlds() -> None:
    worlds = [World(push_scenarios()[0], seed).run() for seed in range(6)]
    fens = {fen for world in worlds for fen in hq(world).seen_fen.values()}
    assert {OLD["cola"], OLD["bread"]} <= fens
    assert fens & {NEW["bread"], NEWER["bread"], NEW["apple"], NEWER["apple"]}


@pytest.mark.parametrize(
    ("words", "seen"),
    [
        ({"version": 9}, "in force came"),
        ({"name": "members"}, "in force came"),
    ],
)
def test_a_content_that_was_told_otherwise_is_seen(world: World, words: Event, seen: str) -> None:
    change(world, "snapshot.applied", **words)
    assert any(seen in line for line in violations(world))


def test_a_content_that_is_not_in_force_is_seen(world: World) -> None:
    last = hq(world).pushes[-1]
    hq(world).pushes = [*hq(world).pushes[:-1], replace(last, content=replace(last.content, version=3))]
    assert any("prices version 3 is not in force" in line for line in violations(world))


def test_prices_of_which_half_is_in_force_are_seen_while_it_is_so(world: World) -> None:
    old = world.store.read(lambda unit: unit.catalogue.by_sku("cola", world.clock.now().wall_at))
    assert old is not None
    watcher = hq(world)
    watcher.pushes = [
        replace(one, prices={**one.prices, "cola": 1} if one.prices else {}) for one in watcher.pushes
    ]
    watcher.act(world)
    assert any("prices are half in force" in line for line in violations(world))
    assert any("pushed were" in line for line in violations(world))


def test_a_line_of_a_basket_that_changed_its_price_is_seen() -> None:
    world = World(push_scenarios()[0], 1)
    watcher = hq(world)
    world.begin()
    while not watcher.seen_fen:
        world.turn()
    watcher.seen_fen = dict.fromkeys(watcher.seen_fen, 1)
    assert any("cola was 1 fen in the basket" in line for line in violations(world.rest()))


def test_goods_sold_for_what_nobody_said_are_seen(world: World) -> None:
    paid = next(one for one in world.hq.applied if one.kind == "order.paid")
    lines = json.loads(paid.body)["data"]["lines"]
    change(world, "order.paid", lines=[{**lines[0], "unit_price_fen": 7}, *lines[1:]])
    found = violations(world)
    assert any("was sold for 7 fen, which HQ never said" in line for line in found)
    change(world, "order.paid", lines=[{**lines[0], "amount_fen": 8}, *lines[1:]])
    assert any("was sold for 8 fen" in line for line in violations(world))


def test_a_stay_costs_what_its_entry_said_though_a_dearer_tariff_is_in_force_when_it_ends() -> None:
    world = World(TARIFF_PUSHED, 1).run()
    assert violations(world) == []
    assert "snapshot tariffs version 1 is in force: 2 tariffs" in "".join(world.steps.names)
    world.store.write(lambda unit: unit.tariffs.replace(unit.tariffs.all()[:1]))
    assert any("one after another" in line for line in violations(world))


def test_pushes_are_explored() -> None:
    assert {push_scenarios()[0].name, TARIFF_PUSHED.name} <= set(EVERY)
