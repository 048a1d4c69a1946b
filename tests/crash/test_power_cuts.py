"""The power goes at writes and syncs of the real database: what was acknowledged is there, and nothing half.

`python -m sim power-cuts` cuts at every one of them; here every twentieth is. That a disk that lies, a folder
that is not synced and a copy that is named too early are found is shown as well.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from sim.power_cut.cuts import CutToll, Recording, cut, cut_at, record_workload
from sim.power_cut.disk import Fate
from sim.power_cut.play import play_one
from sim.power_cut.trace import Did, can_trace

EVERY = 20

pytestmark = pytest.mark.skipif(bool(can_trace()), reason=can_trace())


@pytest.fixture(scope="module")
def sale() -> Recording:
    return record_workload("kiosk by code")


@pytest.fixture(scope="module")
def honest(sale: Recording) -> CutToll:
    return cut(sale, EVERY)


def without(recording: Recording, did: Did) -> Recording:
    return replace(recording, operations=tuple(one for one in recording.operations if one.did is not did))


def test_what_was_acknowledged_is_there_after_a_power_cut_and_nothing_half(
    sale: Recording, honest: CutToll
) -> None:
    assert honest.problems == []
    assert set(honest.kinds) == set(Fate)
    assert len(sale.operations) // EVERY * 3 < honest.images <= len(sale.operations) // EVERY * 4


def test_the_recorded_run_updates_the_schema_sells_and_makes_a_copy(sale: Recording) -> None:
    said = [one.data.decode() for one in sale.operations if one.did is Did.SAID]
    assert sum(line.startswith("copy ") for line in said) == 1
    assert len(set(sale.states)) > 10
    renamed = {one.new_name for one in sale.operations if one.did is Did.RENAME}
    assert renamed == {"copy.db", "edge.reserve"}


def test_a_disk_that_lies_about_syncs_is_found(sale: Recording) -> None:
    lies = cut(without(sale, Did.SYNC), EVERY)
    assert any("was acknowledged, what is there is an older one" in problem for problem in lies.problems)


def test_a_log_whose_name_was_never_synced_is_found(sale: Recording) -> None:
    nameless = cut(without(sale, Did.SYNC_FOLDER), EVERY)
    assert nameless.problems


def test_a_copy_that_has_its_name_before_its_content_is_found(sale: Recording) -> None:
    copy = next(one.file for one in sale.operations if one.new_name == "copy.db")
    early = tuple(one for one in sale.operations if not (one.did is Did.SYNC and one.file == copy))
    toll = cut(replace(sale, operations=early), 7)
    assert any("a copy" in problem for problem in toll.problems)


def test_a_violation_is_seen_again_by_its_operation_and_seed(sale: Recording) -> None:
    lying = without(sale, Did.SYNC)
    toll = cut(lying, EVERY, seed=3)
    words = toll.problems[0].split()
    at, fate = (
        int(words[words.index("operation") + 1].strip(",")),
        Fate(words[words.index("writes") + 1].strip(":")),
    )
    assert toll.problems[0].split(": ", 1)[1] in cut_at(lying, at, fate, seed=3)


def test_one_cut_is_told_for_a_person() -> None:
    lines: list[str] = []
    assert play_one("kiosk by code", 500, 0, lines.append) == 0
    assert lines[-1] == "0 violations"
