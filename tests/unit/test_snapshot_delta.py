"""Deltas: applied to the base in force alone, whole or not at all, and surely equal to the full form."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.errors import Invalid
from edge.services.snapshot_delta import MAX_STEP_BYTES, patched, read_steps
from edge.services.snapshot_manifest import unpacked
from edge.services.snapshot_records import SnapshotState
from edge.services.take_snapshot import Heard, return_snapshot
from sim.goods import catalogue_csv, demo_goods
from sim.mall_lists import lists_csv, members_csv, prices_csv, tariffs_csv
from sim.snapshots import Content, delta
from tests.unit.snapshot_bench import Bench, pages
from tests.unit.test_take_snapshot import LANDING, check, said

GOODS = demo_goods()

#: An old and a new content of every kind.
KINDS = {
    "members": (members_csv(60), members_csv(70, points=5, without=9)),
    "lists": (lists_csv(40), lists_csv(45).replace(b",staff,", b",vip,")),
    "tariffs": (tariffs_csv(), tariffs_csv("6.00")),
    "catalogue": (catalogue_csv(GOODS), catalogue_csv(GOODS[1:])),
    "landing-pages": (pages("old"), pages("new")),
}


def state(bench: Bench) -> list[Any]:
    """Return what the snapshots made of the box."""
    at = bench.clock.now().wall_at
    read = bench.store.read
    return [
        read(lambda unit: unit.members.count()),
        [read(lambda unit, n=n: unit.members.get(f"m{n:09d}")) for n in range(80)],
        read(lambda unit: unit.plate_lists.all("", 100)),
        read(lambda unit: unit.tariffs.all()),
        [read(lambda unit, sku=good.sku: unit.catalogue.by_sku(sku, at)) for good in GOODS],
        bench.titles(),
    ]


def take(bench: Bench, content: Content) -> None:
    bench.wire.publish(content)
    bench.steps(6)


@pytest.mark.parametrize("name", KINDS)
def test_base_and_delta_are_the_same_as_the_full_form_and_there_is_one_step_back(name: str) -> None:
    old, new = KINDS[name]
    first = Content(name, 1, old)
    by_delta, by_full = Bench(), Bench()
    take(by_delta, first)
    before = state(by_delta)
    take(by_delta, Content(name, 2, new, base=first))
    take(by_full, Content(name, 2, new))
    assert state(by_delta) == state(by_full) != before
    assert [kind for kind, _ in by_delta.told()] == ["snapshot.applied"] * 2
    assert by_delta.told()[1][1]["sha256"] == by_full.told()[0][1]["sha256"]
    return_snapshot(by_delta.shelf, name)
    assert state(by_delta) == before
    return_snapshot(by_delta.shelf, name)
    assert state(by_delta) == state(by_full)


def test_prices_come_as_a_delta_and_go_back() -> None:
    bench = Bench()
    take(bench, Content("catalogue", 1, catalogue_csv(GOODS)))
    first = Content("prices", 1, prices_csv(GOODS, "3.00"))
    take(bench, first)
    take(bench, Content("prices", 2, prices_csv(GOODS, "4.00"), base=first))
    assert price(bench) == 400
    return_snapshot(bench.shelf, "prices")
    assert price(bench) == 300


def price(bench: Bench) -> int:
    at = bench.clock.now().wall_at
    product = bench.store.read(lambda unit: unit.catalogue.by_sku(GOODS[0].sku, at))
    assert product is not None
    return product.price_fen


def test_deltas_follow_one_another() -> None:
    bench = Bench()
    versions = [Content(LANDING, 1, pages("v1"))]
    take(bench, versions[0])
    for number in range(2, 6):
        versions.append(Content(LANDING, number, pages(f"v{number}"), base=versions[-1].full()))
        take(bench, versions[-1])
        assert bench.titles() == [f"v{number}"]
    rows = bench.store.read(lambda unit: unit.snapshots.all())
    assert [(row.version, row.state, row.rebuilt) for row in rows] == [
        (4, SnapshotState.PREVIOUS, True),
        (5, SnapshotState.ACTIVE, True),
    ]
    assert "delta from 4" in bench.lines()


def test_a_delta_from_another_base_is_refused_and_the_full_form_asked_for() -> None:
    bench = Bench()
    first, other = Content(LANDING, 1, pages("one")), Content(LANDING, 2, pages("two"))
    last = Content(LANDING, 3, pages("three"), base=other)
    take(bench, first)
    take(bench, last)
    [_, (kind, data)] = bench.told()
    assert (kind, data["version"], data["reason"]) == ("snapshot.refused", 3, "base")
    assert data["detail"] == "the delta starts from version 2, in force is version 1; send the full form"
    check(kind, data)
    assert bench.titles() == ["one"]
    assert all(version != 3 for _, version, _ in bench.wire.asked), "nothing of it is fetched"
    take(bench, last.full())
    assert bench.titles() == ["three"]


def test_a_delta_that_was_too_early_is_taken_once_its_base_is_in_force() -> None:
    bench = Bench()
    base = Content(LANDING, 2, pages("two"))
    early = Content(LANDING, 3, pages("three"), base=base)
    for content in (early, early, base, early):
        take(bench, content)
    assert [kind for kind, _ in bench.told()] == ["snapshot.refused", "snapshot.applied", "snapshot.applied"]
    assert bench.titles() == ["three"]


def test_after_a_person_went_back_a_delta_from_the_version_that_was_left_is_refused() -> None:
    bench = Bench()
    first, second = Content(LANDING, 1, pages("one")), Content(LANDING, 2, pages("two"))
    for content in (first, second):
        take(bench, content)
    return_snapshot(bench.shelf, LANDING)
    take(bench, Content(LANDING, 3, pages("three"), base=second))
    assert bench.told()[-1][1]["reason"] == "base"
    assert bench.titles() == ["one"]
    take(bench, Content(LANDING, 4, pages("four"), base=first))
    assert bench.titles() == ["four"]


def test_a_delta_that_gives_another_content_is_refused_and_nothing_of_it_stays() -> None:
    bench = Bench()
    first = Content("lists", 1, lists_csv(9))
    take(bench, first)
    before = state(bench)
    # HQ believes that the box has another version 1, of the same length.
    other = replace(first, data=first.data.replace(b",black,", b",white,"))
    second = Content("lists", 2, other.data + b"\xe7\xb2\xa4B99999,free,,,,,,\n", base=other)
    take(bench, second)
    data = bench.told()[-1][1]
    assert data["reason"] == "wrong_hash"
    assert data["detail"].endswith("send the full form")
    assert state(bench) == before
    take(bench, second.full())
    assert bench.store.read(lambda unit: unit.plate_lists.count()) == 10


def test_a_restart_between_rebuilding_and_the_moment_keeps_what_was_rebuilt() -> None:
    bench = Bench()
    first = Content(LANDING, 1, pages("one"))
    take(bench, first)
    at = bench.clock.now().wall_at + 60_000
    take(bench, Content(LANDING, 2, pages("two"), valid_from=at, base=first))
    bench.restart()
    bench.steps(20)
    assert bench.titles() == ["one"]
    bench.steps(60)
    assert bench.titles() == ["two"]


WRONG_STEPS = {
    "junk": (b"x\n", "line 1 is not JSON"),
    "two words": (b'{"copy": 1, "skip": 2}\n', "line 1 must be"),
    "an unknown word": (b'{"move": 1}\n', "line 1 must be"),
    "nothing copied": (b'{"copy": 0}\n', "line 1: copy must have a whole number above 0"),
    "true is no number": (b'{"copy": true}\n', "line 1: copy must have"),
    "an empty text": (b'{"copy": 4}\n{"put": ""}\n', "line 2: put must have"),
    "too much": (b'{"copy": 5}\n', "more of its base than there is"),
    "too little": (b'{"copy": 3}\n', "ends before its base"),
    "a line without an end": (b" " * (MAX_STEP_BYTES + 1), "line 1 has more than"),
}


@pytest.mark.parametrize("name", WRONG_STEPS)
def test_steps_that_make_no_sense_are_named(name: str) -> None:
    payload, words = WRONG_STEPS[name]
    with pytest.raises(Invalid, match=words):
        b"".join(patched([b"ab", b"cd"], read_steps([payload])))


LINES = st.lists(st.sampled_from(["a\n", "b\n", "甲\n", "d", "\n"]), max_size=12).map("".join)


@given(LINES, LINES, st.integers(1, 7))
def test_what_hq_makes_of_two_contents_gives_the_second_however_it_is_cut(
    old: str, new: str, size: int
) -> None:
    before, after, steps = old.encode(), new.encode(), delta(old.encode(), new.encode())
    cut = [steps[at : at + size] for at in range(0, len(steps), size)]
    assert b"".join(patched([before[:size], before[size:]], read_steps(cut))) == after


def test_a_manifest_names_its_base() -> None:
    first = Content(LANDING, 4, pages("one"))
    payload = Content(LANDING, 7, pages("two"), base=first).manifest()
    check("snapshot", json.loads(payload))
    bench = Bench()
    for base in (7, 8, 0, "4", None):
        bench.wire.heard.append(Heard(LANDING, said(first, version=7, form="delta", base=base)))
        bench.steps(2)
    assert [data["reason"] for _, data in bench.told()] == ["unreadable"] * 5


@pytest.mark.parametrize("cut", [1, 20, -1])
def test_a_stream_that_is_cut_or_goes_on_is_no_content(cut: int) -> None:
    [packed] = Content(LANDING, 1, pages("one")).chunks()
    for wrong in (packed[:cut], packed + b"more"):
        with pytest.raises(Invalid, match="gzip stream"):
            list(unpacked([wrong]))
