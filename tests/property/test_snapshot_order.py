"""Any order, doubles, losses, wrong bytes and restarts end in the same state; so do full forms and deltas."""

from __future__ import annotations

import contextlib

from hypothesis import given, settings
from hypothesis import strategies as st

from edge.errors import Invalid
from edge.services.snapshot_records import SnapshotState
from edge.services.take_snapshot import return_snapshot
from sim.snapshots import Content
from tests.unit.snapshot_bench import Bench, pages
from tests.unit.test_take_snapshot import LANDING

CONTENT = Content(LANDING, 1, pages(*(f"page {number}" for number in range(40))), chunk_bytes=24)
COUNT = len(CONTENT.chunks())

#: What happens in each step beside the step: nothing, a restart, the manifest again, losing the link.
HAPPENINGS = st.lists(st.sampled_from(["", "restart", "again", "cut", "whole"]), max_size=25)
FATES = st.lists(st.sampled_from(["once", "twice", "lost", "other", "late"]), min_size=1, max_size=40)


@settings(max_examples=60, deadline=None)
@given(st.permutations(range(COUNT)), FATES, HAPPENINGS)
def test_any_order_doubles_losses_and_cuts_end_in_the_same_state(
    order: list[int], fates: list[str], happenings: list[str]
) -> None:
    bench = Bench()
    asked: list[int] = []
    late: list[tuple[int, bytes]] = []

    def answer(number: int, data: bytes) -> list[tuple[int, bytes]]:
        fate = fates[len(asked) % len(fates)] if len(asked) < 60 else "once"
        asked.append(number)
        if fate == "late":
            late.append((number, data))
        other = CONTENT.chunks()[order[number]]
        said = {"once": [(number, data)], "twice": [(number, data)] * 2, "other": [(number, other)]}
        return [*said.get(fate, []), *([late.pop(0)] if late and fate != "late" else [])]

    bench.wire.answer = answer
    bench.wire.publish(CONTENT)
    for happening in happenings:
        bench.step()
        bench.wire.connected = happening != "cut"
        if happening == "restart":
            bench.restart()
        if happening == "again":
            bench.wire.publish(CONTENT)
        if happening == "whole":
            bench.wire.heard.reverse()
    bench.wire.connected = True
    bench.wire.answer = lambda number, data: [(number, data)]
    bench.wire.publish(CONTENT)
    bench.steps(150)
    told = bench.told()
    if told[0][0] == "snapshot.refused":
        # Only too many wrong chunks may end it otherwise, and then nothing is in force.
        assert told[0][1]["reason"] == "wrong_hash"
        assert bench.titles() == []
    else:
        assert [kind for kind, _ in told] == ["snapshot.applied"]
        assert len(bench.titles()) == 40


#: What HQ sends next: the full form or a delta from the version so many before; or a person goes back.
SENT = st.lists(st.sampled_from(["full", "delta 1", "delta 2", "delta 3", "back"]), min_size=1, max_size=8)


@settings(max_examples=60, deadline=None)
@given(SENT)
def test_whatever_forms_come_the_box_has_what_the_version_in_force_says(sent: list[str]) -> None:
    bench = Bench()
    versions: list[Content] = []
    for number, word in enumerate(sent, 1):
        if word == "back":
            with contextlib.suppress(Invalid):
                return_snapshot(bench.shelf, LANDING)
        else:
            before = (
                versions[-int(word[-1])] if word[-1:].isdigit() and int(word[-1]) <= len(versions) else None
            )
            versions.append(Content(LANDING, number, pages(f"v{number}", "same"), base=before))
            bench.wire.publish(versions[-1])
            bench.steps(4)
            versions[-1] = versions[-1].full()
        active = bench.store.read(lambda unit: unit.snapshots.get(LANDING, SnapshotState.ACTIVE))
        assert bench.titles() == ([] if active is None else [f"v{active.version}", "same"])
    reasons = {data["reason"] for kind, data in bench.told() if kind == "snapshot.refused"}
    assert reasons <= {"base"}
