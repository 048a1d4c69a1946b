"""Snapshots from HQ: fetched in parts, checked, put in force all or nothing, and refused with a reason."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import pytest
from jsonschema import Draft202012Validator

from edge.errors import Invalid, Unavailable
from edge.services.records import Unit
from edge.services.snapshot_kinds import read_pages
from edge.services.snapshot_manifest import decode_manifest, encode_manifest, unpack
from edge.services.snapshot_records import SnapshotState
from edge.services.take_intake import IntakeReport, ReturnRequest, take_intake
from edge.services.take_snapshot import (
    LAST_AGAIN_MS,
    MAX_BAD,
    MAX_UNKNOWN,
    WINDOW,
    Heard,
    return_snapshot,
    snapshot_figures,
)
from edge.store.intake_folder import IntakeFolder
from sim.fakes.store import FakeStore
from sim.goods import catalogue_csv, demo_goods
from sim.snapshots import Content
from tests.unit.snapshot_bench import Bench, pages

SCHEMAS = Path(__file__).parents[2] / "docs/protocols/schemas"
LANDING = "landing-pages"

T = TypeVar("T")


class RefusingStore(FakeStore):
    """A store whose disk takes nothing while `refuses`."""

    refuses = False

    def write(self, work: Callable[[Unit], T]) -> T:
        """Run `work` in one transaction, or raise Unavailable."""
        if self.refuses:
            raise Unavailable("the disk did not take it; try again")
        return super().write(work)


def content(version: int, *titles: str, valid_from: int = 0, chunk_bytes: int = 4) -> Content:
    return Content(LANDING, version, pages(*titles), valid_from, chunk_bytes)


def check(kind: str, data: dict[str, Any]) -> None:
    schema = json.loads((SCHEMAS / f"{kind}.v1.json").read_text(encoding="utf-8"))
    Draft202012Validator(schema).validate(data)


def test_a_snapshot_is_fetched_in_parts_and_put_in_force() -> None:
    bench = Bench()
    bench.wire.publish(content(3, "欢迎", "谢谢"))
    bench.steps()
    assert bench.titles() == ["欢迎", "谢谢"]
    [(kind, data)] = bench.told()
    assert (kind, data["version"], data["before"], data["returned"]) == ("snapshot.applied", 3, None, False)
    check(kind, data)
    assert max(len(numbers) for _, _, numbers in bench.wire.asked) == WINDOW
    assert "version 3  active" in bench.lines()


def test_a_catalogue_replaces_what_it_does_not_name() -> None:
    bench = Bench()
    goods = demo_goods()
    bench.wire.publish(Content("catalogue", 1, catalogue_csv(goods)))
    bench.steps(5)
    bench.wire.publish(Content("catalogue", 2, catalogue_csv(goods[1:])))
    bench.steps(5)
    at = bench.clock.now().wall_at
    assert bench.store.read(lambda unit: unit.catalogue.by_sku(goods[0].sku, at)) is None
    assert bench.store.read(lambda unit: unit.catalogue.by_sku(goods[1].sku, at)) is not None


def test_the_same_manifest_again_and_again_is_taken_once() -> None:
    bench = Bench()
    for _ in range(3):
        bench.wire.publish(content(1, "a"))
        bench.steps()
    assert len(bench.told()) == 1


def test_lost_chunks_are_asked_for_again_with_growing_pauses() -> None:
    bench = Bench()
    bench.wire.answer = lambda number, data: []
    bench.wire.publish(content(1, "a"))
    bench.steps(300)
    waits = len(bench.wire.asked)
    assert 300 / (LAST_AGAIN_MS / 1000) < waits < 12
    bench.wire.answer = lambda number, data: [(number, data)]
    bench.steps(100)
    assert bench.titles() == ["a"]


def test_a_restart_goes_on_with_the_missing_chunks_alone() -> None:
    bench = Bench()
    offered = content(1, *(f"page {number}" for number in range(60)))
    bench.wire.publish(offered)
    bench.step()
    bench.step()
    bench.wire.connected = False
    bench.step()
    have = bench.store.read(lambda unit: unit.snapshots.have(LANDING, 1))
    assert 0 < len(have) < len(offered.chunks())
    bench.restart()
    bench.wire.connected = True
    before = len(bench.wire.asked)
    bench.steps()
    asked = {number for _, _, numbers in bench.wire.asked[before:] for number in numbers}
    assert not asked & have
    assert len(bench.titles()) == 60


def test_nothing_is_in_force_before_its_moment() -> None:
    bench = Bench()
    bench.wire.publish(content(1, "later", valid_from=bench.clock.now().wall_at + 60_000))
    bench.steps(50)
    assert bench.titles() == []
    assert "waits for" in bench.news[-1]
    bench.steps(20)
    assert bench.titles() == ["later"]


def test_one_step_back_and_forth_and_then_only_a_newer_version() -> None:
    bench = Bench()
    for version, title in ((1, "old"), (2, "new")):
        bench.wire.publish(content(version, title))
        bench.steps()
    assert "back at version 1" in return_snapshot(bench.shelf, LANDING)
    assert bench.titles() == ["old"]
    bench.wire.publish(content(2, "new"))
    bench.steps()
    assert bench.titles() == ["old"], "HQ's retained manifest must not undo what a person did"
    return_snapshot(bench.shelf, LANDING)
    assert bench.titles() == ["new"]
    assert [data["returned"] for _, data in bench.told()] == [False, False, True, True]
    bench.wire.publish(content(3, "newest"))
    bench.steps()
    assert bench.titles() == ["newest"]


def test_a_return_comes_in_by_the_folder_while_the_service_runs(tmp_path: Path) -> None:
    bench, intake = Bench(), IntakeFolder(tmp_path)
    for version, title in ((1, "old"), (2, "new")):
        bench.wire.publish(content(version, title))
        bench.steps()
    for name, wanted in (("a.return.json", LANDING), ("b.return.json", "catalogue")):
        intake.put_return(ReturnRequest(name, wanted))
        take_intake(bench.store, bench.clock, ZoneInfo("Asia/Shanghai"), intake, shelf=bench.shelf)
    assert bench.titles() == ["old"]
    taken, refused = intake.seen("a.return.json"), intake.seen("b.return.json")
    assert taken == IntakeReport(True, ("landing-pages is back at version 1: 1 pages",))
    assert isinstance(refused, IntakeReport)
    assert not refused.taken
    assert "no previous version" in refused.lines[0]


def test_metrics_say_what_is_in_force_and_what_is_missing() -> None:
    bench = Bench()
    bench.wire.publish(content(1, "a"))
    bench.steps()
    bench.wire.connected = False
    bench.wire.publish(content(2, "b"))
    bench.step()
    missing = len(content(2, "b").chunks())
    assert bench.store.read(snapshot_figures) == {
        "snapshot_landing_pages_version": 1,
        "snapshot_landing_pages_missing": missing,
    }


def test_going_back_brings_prices_back_also_those_with_a_moment_of_their_own() -> None:
    bench = Bench()
    head = "sku,tenant_id,tenant_name,name,price,valid_from\n"
    for version, line in ((1, "A,t,Shop,Tea,5.00,2026-01-01"), (2, "A,t,Shop,Tea,6.00,2026-02-01")):
        bench.wire.publish(Content("catalogue", version, (head + line).encode()))
        bench.steps(5)
    assert price_of(bench, "A") == 600
    return_snapshot(bench.shelf, "catalogue")
    assert price_of(bench, "A") == 500


def price_of(bench: Bench, sku: str) -> int | None:
    at = bench.clock.now().wall_at
    product = bench.store.read(lambda unit: unit.catalogue.by_sku(sku, at))
    return None if product is None else product.price_fen


def test_there_is_no_way_back_without_a_previous_version() -> None:
    bench = Bench()
    bench.wire.publish(content(1, "a"))
    bench.steps()
    with pytest.raises(
        Invalid, match="has no previous version; there are snapshots of calendar, catalogue, landing-pages"
    ):
        return_snapshot(bench.shelf, LANDING)


def said(offered: Content, **other: Any) -> bytes:
    return json.dumps({**json.loads(offered.manifest()), **other}).encode()


REFUSED = {
    "junk": (b"\xff{", 0, "unreadable", "not JSON"),
    "a list": (b"[]", 0, "unreadable", "must be an object"),
    "a delta without a base": (said(content(9, "a"), form="delta"), 0, "unreadable", "base must be a whole"),
    "another form": (said(content(9, "a"), form="half"), 0, "unreadable", "takes full or delta alone"),
    "no chunks": (said(content(9, "a"), chunks=[]), 0, "unreadable", "list of 1 to"),
    "a hash that is none": (said(content(9, "a"), sha256="x"), 0, "unreadable", "64 hex digits"),
    "a version that is a text": (said(content(9, "a"), version="9"), 0, "unreadable", "whole number"),
    "too large": (said(content(9, "a"), size=5 * 1024 * 1024), 9, "too_large", "at most; split it"),
    "an older version": (content(4, "a").manifest(), 4, "older", "has seen version 5"),
    "the same version, other content": (content(5, "b").manifest(), 5, "older", "has seen version 5"),
    "another whole": (content(9, "a").manifest(wrong=True), 9, "wrong_hash", "SHA-256 is not the one"),
    "a size that is not so": (said(content(9, "a"), size=5), 9, "wrong_hash", "longer than the 5 bytes"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_wrong_is_refused_once_with_a_reason_and_what_was_in_force_stays(name: str) -> None:
    payload, version, reason, words = REFUSED[name]
    bench = Bench()
    bench.wire.publish(content(5, "in force"))
    bench.steps()
    bench.wire.contents[LANDING, 9] = content(9, "a").chunks()
    for _ in range(2):
        bench.wire.heard.append(Heard(LANDING, payload))
        bench.steps()
    [_, (kind, data)] = bench.told()
    assert (kind, data["version"], data["reason"]) == ("snapshot.refused", version, reason)
    assert words in data["detail"]
    check(kind, data)
    assert bench.titles() == ["in force"]
    assert words in bench.lines()


@pytest.mark.parametrize(
    ("offered", "words"),
    [
        (
            Content(LANDING, 1, b'{"pages": [{"landing_id": "l", "title": ""}]}'),
            "needs a landing_id and a title",
        ),
        (Content("catalogue", 1, b"sku,name\nA,B\n"), "tenant_id"),
        (Content("catalogue", 1, catalogue_csv(demo_goods()).replace(b"5.00", b"x.00")), "lines are bad"),
    ],
)
def test_content_that_cannot_be_applied_is_refused_whole(offered: Content, words: str) -> None:
    bench = Bench()
    bench.wire.publish(offered)
    bench.steps()
    [(_, data)] = bench.told()
    assert data["reason"] == "content"
    assert words in data["detail"]
    assert bench.store.read(lambda unit: unit.catalogue.intake.live_skus("", 10, None)) == ()


def test_an_hq_that_sends_wrong_chunks_for_ever_is_given_up() -> None:
    bench = Bench()
    bench.wire.answer = lambda number, data: [(number, b"?")]
    bench.wire.publish(content(1, "a"))
    bench.steps(200)
    [(_, data)] = bench.told()
    assert data["reason"] == "wrong_hash"
    assert sum(len(numbers) for _, _, numbers in bench.wire.asked) <= MAX_BAD + WINDOW
    assert "coming" not in bench.lines()


def test_a_newer_manifest_takes_the_place_of_one_that_is_coming() -> None:
    bench = Bench()
    bench.wire.answer = lambda number, data: []
    bench.wire.publish(content(1, "a"))
    bench.step()
    bench.wire.answer = lambda number, data: [(number, data)]
    bench.wire.publish(content(2, "b"))
    bench.steps()
    assert bench.titles() == ["b"]
    assert [data["version"] for _, data in bench.told()] == [2]


def test_hq_takes_back_what_is_coming_by_clearing_its_word() -> None:
    bench = Bench()
    bench.wire.publish(content(1, "a", valid_from=bench.clock.now().wall_at + 10_000))
    bench.steps(3)
    bench.wire.heard.append(Heard(LANDING, b""))
    bench.steps()
    assert bench.titles() == []
    assert bench.lines() == ""


def test_what_hq_said_while_the_store_failed_is_not_forgotten() -> None:
    """A broker tells of a retained manifest once, at the subscription or when it changes."""
    store = RefusingStore()
    bench = Bench(store=store)
    bench.wire.publish(content(1, "a"))
    store.refuses = True
    with pytest.raises(Unavailable):
        bench.step()
    store.refuses = False
    bench.steps()
    assert bench.titles() == ["a"]
    assert bench.wire.heard == []


def test_unknown_kinds_are_told_of_up_to_a_limit() -> None:
    bench = Bench()
    for number in range(MAX_UNKNOWN + 5):
        bench.wire.heard.append(Heard(f"kind-{number}", b"{}"))
    bench.wire.heard.append(Heard("No/Name", b"{}"))
    bench.steps()
    assert [data["reason"] for _, data in bench.told()] == ["unknown"] * MAX_UNKNOWN
    assert "impossible name" in bench.news[-1]


def test_without_room_nothing_is_fetched_until_there_is() -> None:
    bench = Bench(room=False)
    bench.wire.publish(content(1, "a"))
    bench.steps()
    assert bench.wire.asked == []
    assert "0 of" in bench.lines()
    bench.room = True
    bench.steps()
    assert bench.titles() == ["a"]


def test_a_manifest_can_be_written_and_read_back() -> None:
    manifest = decode_manifest(LANDING, content(7, "a", valid_from=5).manifest())
    assert decode_manifest(LANDING, encode_manifest(manifest)) == manifest
    check("snapshot", json.loads(encode_manifest(manifest)))


def test_a_bomb_is_seen_after_the_bytes_that_were_promised() -> None:
    bomb = Content(LANDING, 1, b"0" * 10_000_000)
    manifest = decode_manifest(LANDING, said(bomb, size=1_000))
    with pytest.raises(Invalid, match="longer than the 1000 bytes"):
        unpack(manifest, bomb.chunks())


@pytest.mark.parametrize(
    ("block", "words"),
    [
        ({"kind": "dance", "title": "x"}, "not one of"),
        ({"kind": "join", "title": "x", "url": "javascript:alert(1)"}, "must begin with https"),
        ({"kind": "join", "title": 5}, "title must be a text"),
    ],
)
def test_a_bad_block_is_named(block: dict[str, Any], words: str) -> None:
    page = {"landing_id": "l", "title": "t", "blocks": [block]}
    with pytest.raises(Invalid, match=f"page 1, block 1.*{words}"):
        read_pages(json.dumps({"pages": [page]}).encode())


def test_two_pages_of_one_tenant_are_refused() -> None:
    page = {"landing_id": "l", "title": "t", "tenant_id": "x"}
    with pytest.raises(Invalid, match="tenant 'x' has more than one"):
        read_pages(json.dumps({"pages": [page, page]}).encode())


def test_the_fake_keeps_one_in_each_state() -> None:
    bench = Bench(store=FakeStore())
    for version in (1, 2, 3):
        bench.wire.publish(content(version, f"v{version}"))
        bench.steps()
    rows = bench.store.read(lambda unit: unit.snapshots.all())
    assert [(row.version, row.state) for row in rows] == [
        (2, SnapshotState.PREVIOUS),
        (3, SnapshotState.ACTIVE),
    ]
