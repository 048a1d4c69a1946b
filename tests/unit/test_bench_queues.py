"""The comparison of storages counts what was lost and doubled: tried on storages that do so on purpose."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.bench.bench_queues import Found, Plan, kept, markdown
from tests.bench.queues.contenders import BLANK, Contender
from tests.bench.queues.power import build_shim
from tests.bench.queues.trial import (
    Broken,
    Rate,
    Stand,
    Verdict,
    judge,
    killed_readers,
    killed_writers,
    one_rate,
    power_cuts,
)

EVENT = f'{{"subject":"{BLANK}"}}'
#: Long enough for a writer to store the first of its events on a busy machine.
LIVES_S = (0.2, 0.3)


def lines(**options: object) -> Contender:
    return Contender("lines", "", "tests.bench.queues.lossy:LineFile", options, peer=False, shared=False)


@pytest.fixture
def stand(tmp_path: Path) -> Stand:
    (tmp_path / "template").write_text(EVENT, "utf-8")
    return Stand(tmp_path / "stand", tmp_path / "template", shim=build_shim(tmp_path))


def test_what_was_on_its_way_is_neither_lost_nor_doubled_unless_it_comes_twice() -> None:
    assert judge(2, [1, 2, 3, 4], [1, 2, 4, 5]) == Verdict(2, accepted=4, lost=1, doubled=0)
    assert judge(2, [1, 2], [1, 2, 2, 2, 9, 9]) == Verdict(2, accepted=2, lost=0, doubled=3)


def test_an_honest_storage_loses_and_doubles_nothing(stand: Stand) -> None:
    found = killed_writers(lines(), stand, 2, seed=1, lives_s=LIVES_S)
    assert (found.kills, found.lost, found.doubled) == (2, 0, 0)
    assert found.accepted > 2


def test_each_event_that_is_accepted_and_dropped_is_found(stand: Stand) -> None:
    found = killed_writers(lines(lose=2), stand, 2, seed=1, lives_s=LIVES_S)
    assert (found.lost, found.doubled) == (2, 0)


def test_each_event_that_is_given_twice_is_found(stand: Stand) -> None:
    found = killed_writers(lines(double=2), stand, 2, seed=1, lives_s=LIVES_S)
    assert (found.lost, found.doubled) == (0, 2)


def test_an_event_that_comes_back_altered_is_lost(stand: Stand) -> None:
    found = killed_writers(lines(alter=2), stand, 2, seed=1, lives_s=LIVES_S)
    assert (found.lost, found.doubled) == (2, 0)


def test_what_a_killed_reader_gave_and_had_not_acknowledged_is_doubled(stand: Stand) -> None:
    found = killed_readers(lines(hold=True), stand, 2, seed=1)
    assert (found.accepted, found.lost, found.doubled) == (400, 0, 400)


@pytest.mark.skipif(shutil.which("gcc") is None, reason="the power cut is played by a library made with gcc")
def test_a_power_cut_takes_what_was_written_and_not_synced(stand: Stand) -> None:
    found = power_cuts(lines(synced=False), stand, 2, seed=1, lives_s=LIVES_S)
    assert found.lost == found.accepted > 0


@pytest.mark.skipif(shutil.which("gcc") is None, reason="the power cut is played by a library made with gcc")
def test_a_power_cut_leaves_what_was_synced(stand: Stand) -> None:
    found = power_cuts(lines(synced=True), stand, 2, seed=1, lives_s=LIVES_S)
    assert found.lost == 0
    assert found.accepted > 0


@pytest.mark.skipif(shutil.which("gcc") is None, reason="syncs are counted by a library made with gcc")
def test_syncs_are_counted_one_by_one(stand: Stand) -> None:
    rate = one_rate(lines(synced=True), stand, 1, 0.1, count=True)
    assert rate.syncs == rate.accepted > 0
    assert one_rate(lines(), stand, 1, 0.1, count=True).syncs == 0


def test_a_storage_that_cannot_be_opened_is_out_with_its_own_words(stand: Stand) -> None:
    broken = Contender("broken", "", "tests.bench.queues.lossy:NoDisk", peer=False)
    with pytest.raises(Broken, match="no disk today"):
        killed_writers(broken, stand, 1, seed=1)


def test_what_was_not_tried_does_not_count_as_kept() -> None:
    fine, leaky = Verdict(1, 10, 0, 0), Verdict(1, 10, 1, 0)
    assert kept(Found(writers=fine, cuts=fine))
    assert not kept(Found(writers=fine))
    assert not kept(Found(writers=fine, cuts=leaky))


def test_the_table_tells_losses_gaps_and_troubles() -> None:
    seen = Found(rates={1: [Rate(50, 2, 0)]}, writers=Verdict(5, 1_000, 12, 3), trouble="ended by itself")
    row, *rest = markdown(Plan(), {lines(): seen}).splitlines()[2:]
    assert row == "| lines |  | 25 | - | - | - | - | 12 of 1,000 | 3 | - | - | - |"
    assert "lines: ended by itself" in rest
