"""The power goes at writes and syncs of the real database: what was acknowledged is there, and nothing half.

`python -m sim power-cuts` cuts at every one of them; here at every twentieth, in the proof at each of four
workloads. That a disk that lies, a folder that is not synced and a copy that is named too early are found is
shown as well.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from sim.power_cut.cuts import CutToll, Recording, cut, cut_at, record_workload
from sim.power_cut.disk import Fate
from sim.power_cut.play import WORKLOADS, play_one
from sim.power_cut.trace import Did, can_trace
from sim.power_cut.workload import CATALOGUES
from tests.proof import LATER, PROOF, Counted, Tally

EVERY = 20

#: What the proof cuts, and after each how manieth operation; images of large catalogues take long.
WHOLE = {name: 40 if name == CATALOGUES else 1 for name in WORKLOADS}

pytestmark = pytest.mark.skipif(bool(can_trace()), reason=can_trace())


@pytest.fixture(scope="module")
def sale() -> Recording:
    return record_workload("kiosk by code")


@pytest.fixture(scope="module")
def honest(sale: Recording) -> CutToll:
    return cut(sale, EVERY)


def without(recording: Recording, did: Did) -> Recording:
    return replace(recording, operations=tuple(one for one in recording.operations if one.did is not did))


@pytest.fixture(scope="module")
def lies(sale: Recording) -> CutToll:
    return cut(without(sale, Did.SYNC), 2 * EVERY, seed=3)


def test_what_was_acknowledged_is_there_after_a_power_cut_and_nothing_half(
    sale: Recording, honest: CutToll, tally: Tally
) -> None:
    tally.add(Counted.IMAGES, honest.images)
    tally.add(Counted.VIOLATIONS, len(honest.problems))
    assert honest.problems == []
    assert set(honest.kinds) == set(Fate)
    assert len(sale.operations) // EVERY * 3 < honest.images <= len(sale.operations) // EVERY * 4


@pytest.mark.skipif(not PROOF, reason=LATER)
@pytest.mark.parametrize("workload", WHOLE)
@pytest.mark.timeout(900)
def test_what_was_acknowledged_is_there_wherever_the_power_goes(workload: str, tally: Tally) -> None:
    toll = cut(record_workload(workload), WHOLE[workload])
    tally.add(Counted.IMAGES, toll.images)
    tally.add(Counted.VIOLATIONS, len(toll.problems))
    assert toll.problems == []
    assert set(toll.kinds) == set(Fate)


def test_the_recorded_run_updates_the_schema_sells_and_makes_a_copy(sale: Recording) -> None:
    said = [one.data.decode() for one in sale.operations if one.did is Did.SAID]
    assert sum(line.startswith("copy ") for line in said) == 1
    assert len(set(sale.states)) > 10
    renamed = {one.new_name for one in sale.operations if one.did is Did.RENAME}
    assert renamed == {"copy.db", "edge.reserve"}


def test_a_disk_that_lies_about_syncs_is_found(lies: CutToll) -> None:
    assert any("was acknowledged, what is there is an older one" in problem for problem in lies.problems)


def test_a_log_whose_name_was_never_synced_is_found(sale: Recording) -> None:
    nameless = cut(without(sale, Did.SYNC_FOLDER), 3 * EVERY)
    assert nameless.problems


def test_a_copy_that_has_its_name_before_its_content_is_found(sale: Recording) -> None:
    numbered = list(enumerate(sale.operations, 1))
    named = next(at for at, one in numbered if one.new_name == "copy.db")
    sure = next(at for at, one in numbered if at > named and one.did is Did.SYNC_FOLDER)
    copy = sale.operations[named - 1].file
    synced = [one.did is Did.SYNC and one.file == copy for one in sale.operations]
    early = tuple(one for one, its in zip(sale.operations, synced, strict=True) if not its)
    found = cut_at(replace(sale, operations=early), sure - sum(synced[:sure]), Fate.DROPPED)
    assert any("a copy" in problem for problem in found)


def test_a_violation_is_seen_again_by_its_operation_and_seed(sale: Recording, lies: CutToll) -> None:
    words = lies.problems[0].split()
    at = int(words[words.index("operation") + 1].strip(","))
    fate = Fate(words[words.index("writes") + 1].strip(":"))
    assert lies.problems[0].split(": ", 1)[1] in cut_at(without(sale, Did.SYNC), at, fate, seed=3)


def test_one_cut_is_told_for_a_person() -> None:
    lines: list[str] = []
    assert play_one("kiosk by code", 500, 0, lines.append) == 0
    assert lines[-1] == "0 violations"
