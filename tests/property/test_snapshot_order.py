"""Any order, doubles, losses, wrong bytes and restarts of chunks end in the same state."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

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
