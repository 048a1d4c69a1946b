"""Publishing: what is sent when, what is sent again, and what makes a row leave the outbox."""

from __future__ import annotations

import json
from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.errors import Corrupt
from edge.services.ports import HqAck
from edge.services.publish_events import (
    FIRST_PAUSE_MS,
    LAST_PAUSE_MS,
    OFFER,
    URGENT_WINDOW,
    WINDOW,
    PublishCursor,
    PublishStep,
    publish_events,
)
from sim.fakes.hq import FakeHq, Fate
from tests.unit.hq_samples import CountingIds, ManualClock, MemoryStore, call_for_help, record


class Bench:
    """A store with events, a fake HQ, a clock, and the cursor in between."""

    def __init__(
        self, count: int, fates: Iterable[Fate] = (), ack_fates: Iterable[Fate] = (), window: int = 20
    ) -> None:
        self.clock = ManualClock()
        self.store = MemoryStore()
        self.ids = CountingIds()
        self.hq = FakeHq(self.clock, window, fates, ack_fates)
        self.cursor = PublishCursor()
        self.add(count)

    def add(self, count: int) -> None:
        record(self.store.outbox, self.ids, count, self.clock)

    def call(self) -> int:
        """Call for help; return the urgent event's sequence."""
        return call_for_help(self.store.outbox, self.ids, self.clock)

    def step(self, advance_ms: int = 0) -> PublishStep:
        self.clock.advance(advance_ms)
        step = publish_events(self.store, self.hq, self.clock, self.cursor)
        self.cursor = step.cursor
        return step

    def run(self, steps: int) -> None:
        """Step as the worker would, waiting as long as each step says."""
        for _ in range(steps):
            step = self.step()
            self.clock.advance(step.wait_ms)

    def settle(self, steps: int) -> None:
        """Step until the outbox is empty, at most so often."""
        while self.depth and steps:
            self.run(1)
            steps -= 1

    @property
    def sequences(self) -> list[int]:
        return [message.sequence for message in self.hq.applied]

    @property
    def depth(self) -> int:
        return len(self.store.outbox.rows)


def test_nothing_to_do_sends_nothing_and_waits() -> None:
    bench = Bench(0)
    step = bench.step()
    assert (step.sent, step.acked, step.wait_ms) == (0, 0, 1_000)
    assert bench.store.writes == 0


def test_events_arrive_in_order_and_leave_the_outbox_on_hqs_ack() -> None:
    bench = Bench(3)
    first = bench.step()
    assert (first.sent, bench.depth) == (3, 3)
    second = bench.step()
    assert (second.sent, second.acked, bench.depth) == (0, 3, 0)
    assert bench.sequences == [1, 2, 3]


def test_all_acks_of_a_step_share_one_write() -> None:
    bench = Bench(3)
    for through in (1, 2, 3):
        bench.hq.say(HqAck(through))
    bench.hq.away = True
    assert bench.step().acked == 3
    assert bench.store.writes == 1


def test_a_delivered_event_stays_until_it_is_acknowledged() -> None:
    bench = Bench(2)
    bench.hq.mute = True
    bench.run(3)
    assert bench.sequences == [1, 2]
    assert bench.depth == 2


def test_without_an_ack_nothing_is_sent_twice_before_the_pause_is_over() -> None:
    bench = Bench(5)
    bench.hq.away = True
    assert bench.step().sent == 5
    assert bench.step(FIRST_PAUSE_MS - 1).sent == 0
    again = bench.step(1)
    assert (again.sent, again.resent) == (5, 5)


def test_the_pause_doubles_up_to_its_limit_and_starts_again_after_progress() -> None:
    bench = Bench(1)
    bench.hq.away = True
    bench.step()
    pauses = []
    for _ in range(9):
        waited = 0
        while bench.step(1_000).sent == 0:
            waited += 1_000
        pauses.append(waited + 1_000)
    assert pauses == [5_000, 10_000, 20_000, 40_000, 80_000, 160_000, 300_000, 300_000, 300_000]
    assert bench.cursor.ordinary.pause_ms == LAST_PAUSE_MS
    bench.hq.away = False
    bench.step(LAST_PAUSE_MS)
    bench.step()
    assert bench.depth == 0
    assert bench.cursor.ordinary.pause_ms == FIRST_PAUSE_MS
    assert bench.cursor.ordinary.resend_ns is None


def test_an_ack_that_frees_nothing_is_a_sign_of_life_and_brings_the_next_resend_forward() -> None:
    bench = Bench(1)
    bench.hq.away = True
    bench.step()
    for _ in range(6):
        while bench.step(1_000).sent == 0:
            pass
    bench.hq.say(HqAck(0))
    assert bench.step().sent == 0
    assert bench.cursor.ordinary.pause_ms > FIRST_PAUSE_MS
    assert bench.step(FIRST_PAUSE_MS).resent == 1


def test_an_unreachable_hq_is_offered_no_more_than_the_window() -> None:
    bench = Bench(WINDOW + 150, window=1_000)
    bench.hq.away = True
    sent = sum(bench.step().sent for _ in range(10))
    assert sent == WINDOW


def test_the_window_moves_on_past_a_hole() -> None:
    bench = Bench(3 * WINDOW, [Fate.DELIVER] * 4 + [Fate.LOSE] * 1, window=1_000)
    bench.hq.mute = True
    bench.step()
    bench.hq.deliver()
    bench.hq.away = True
    bench.hq.say(HqAck(WINDOW, (5,)))
    step = bench.step()
    assert step.acked == WINDOW - 1
    assert 5 in [message.sequence for message in bench.hq._wire]
    assert step.sent > 50


def test_a_hole_is_sent_again_at_once_and_only_once_per_report() -> None:
    bench = Bench(5, [Fate.DELIVER, Fate.LOSE])
    bench.step()
    step = bench.step()
    assert (step.acked, step.sent, step.resent) == (4, 1, 1)
    bench.hq.say(HqAck(5, (2,)))
    stale = publish_events(bench.store, Deaf(bench.hq, (HqAck(5, (2,)),)), bench.clock, bench.cursor)
    assert stale.sent == 0
    bench.run(2)
    assert bench.sequences == [1, 3, 4, 5, 2]
    assert bench.depth == 0


class Deaf:
    """A link that hears fixed acks and takes everything."""

    def __init__(self, hq: FakeHq, acks: tuple[HqAck, ...]) -> None:
        self._hq = hq
        self._acks = acks
        self.sent: list[int] = []

    def send(self, messages, oldest, newest=0):  # type: ignore[no-untyped-def]
        self.sent += [message.sequence for message in messages]
        return len(messages)

    def acks(self) -> tuple[HqAck, ...]:
        return self._acks

    def status(self):  # type: ignore[no-untyped-def]
        return self._hq.status()


def test_holes_that_find_no_room_wait_for_the_next_step() -> None:
    bench = Bench(6)
    bench.hq.away = True
    bench.step()
    link = Deaf(bench.hq, (HqAck(6, (1, 2, 3, 4)),))
    link.send = lambda messages, oldest, newest=0: 0  # type: ignore[method-assign]
    full = publish_events(bench.store, link, bench.clock, bench.cursor)
    assert full.cursor.holes == (1, 2, 3, 4)
    free = Deaf(bench.hq, ())
    step = publish_events(bench.store, free, bench.clock, full.cursor)
    assert free.sent == [1, 2, 3, 4]
    assert step.cursor.holes == ()


def test_a_new_connection_starts_from_the_oldest_unacknowledged_event() -> None:
    bench = Bench(4)
    bench.hq.away = True
    assert bench.step().sent == 4
    bench.hq.disconnect()
    assert bench.step().sent == 0
    bench.hq.connect()
    bench.hq.away = False
    again = bench.step()
    assert (again.sent, again.resent) == (4, 4)


def test_a_connection_that_came_back_between_two_steps_is_noticed() -> None:
    bench = Bench(4)
    bench.step()
    bench.hq.disconnect()
    bench.hq.connect()
    assert bench.step().resent == 4


def test_a_broken_link_is_offered_nothing_and_the_depth_is_still_told() -> None:
    bench = Bench(4)
    bench.hq.disconnect()
    step = bench.step()
    assert (step.sent, step.depth.count) == (0, 4)


def test_what_was_already_taken_is_not_taken_for_unsent_by_a_new_process() -> None:
    bench = Bench(3)
    bench.step()
    bench.cursor = PublishCursor()
    bench.run(4)
    assert bench.sequences == [1, 2, 3]
    assert bench.depth == 0


def test_an_ack_beyond_what_was_written_is_corrupt_and_removes_nothing() -> None:
    bench = Bench(3)
    bench.hq.away = True
    bench.hq.say(HqAck(500))
    with pytest.raises(Corrupt, match=r"event 500.*only 3"):
        bench.step()
    assert bench.depth == 3


def test_a_corrupt_ack_does_not_stop_the_true_ones_nor_later_sending() -> None:
    bench = Bench(3)
    bench.hq.away = True
    bench.hq.say(HqAck(2))
    bench.hq.say(HqAck(500))
    with pytest.raises(Corrupt):
        bench.step()
    assert bench.depth == 1
    bench.hq.away = False
    bench.run(3)
    assert bench.depth == 0


def test_a_hole_that_was_acknowledged_before_is_reported_as_unfillable() -> None:
    bench = Bench(3)
    bench.run(3)
    bench.add(1)
    bench.hq.say(HqAck(3, (2,)))
    step = bench.step()
    assert step.unfillable == (2,)
    assert bench.step().unfillable == ()


def test_a_backlog_is_worked_off_in_order_without_repeats() -> None:
    bench = Bench(1_000)
    bench.run(60)
    assert bench.depth == 0
    assert bench.sequences == list(range(1, 1_001))
    assert bench.hq.repeats == 0


def test_the_next_step_comes_at_once_while_the_link_takes_all_and_the_window_has_room() -> None:
    bench = Bench(1_000, window=1_000)
    bench.hq.away = True
    full = WINDOW // OFFER
    assert [bench.step().wait_ms for _ in range(full + 1)] == [0] * (full - 1) + [1_000, 1_000]


def test_an_urgent_event_overtakes_a_backlog_and_leaves_the_outbox_at_once() -> None:
    bench = Bench(1_000)
    urgent = bench.call()
    bench.step()
    assert bench.sequences == []
    bench.step()
    assert bench.sequences[0] == urgent == 1_001
    assert urgent not in bench.store.outbox.rows
    bench.settle(200)
    assert sorted(bench.sequences) == list(range(1, 1_002))
    assert (bench.hq.repeats, bench.hq.lost) == (0, 0)


def test_an_urgent_event_goes_out_although_hq_owes_acks_for_a_full_window() -> None:
    bench = Bench(2 * WINDOW, window=10_000)
    bench.hq.mute = True
    for _ in range(5):
        bench.step()
    assert len(bench.sequences) == WINDOW
    urgent = bench.call()
    assert bench.step().sent == 1
    bench.hq.deliver()
    assert bench.sequences[-1] == urgent


def test_overtaken_events_are_not_taken_for_lost_ones() -> None:
    bench = Bench(50, window=1)
    bench.call()
    bench.settle(200)
    assert bench.hq.repeats == 0
    assert bench.sequences == [51, *range(1, 51)]


def test_overtaken_events_are_not_given_up_by_hq() -> None:
    bench = Bench(300, window=1)
    bench.call()
    bench.run(2)
    assert bench.sequences == [301]
    assert bench.hq.lost == 0
    assert bench.depth == 300


def test_a_lost_urgent_event_is_sent_again_while_a_backlog_drains() -> None:
    bench = Bench(5_000, [Fate.LOSE], window=20)
    urgent = bench.call()
    arrived = 0
    while urgent not in bench.sequences:
        bench.step(advance_ms=100)
        arrived += 1
        assert arrived < 60
    assert bench.depth > 3_000


def test_a_lost_ordinary_event_behind_an_urgent_one_is_still_seen_as_lost() -> None:
    bench = Bench(5, [Fate.DELIVER, Fate.LOSE])
    bench.call()
    step = bench.step()
    assert step.sent == 6
    again = bench.step()
    assert (again.sent, again.resent) == (1, 1)
    bench.run(2)
    assert bench.sequences == [6, 2, 3, 4, 5, 1]


def test_a_flood_of_urgent_events_leaves_room_for_ordinary_ones() -> None:
    bench = Bench(10, window=10_000)
    for _ in range(300):
        bench.call()
    bench.hq.away = True
    first = bench.step()
    assert first.sent == URGENT_WINDOW + 10
    assert bench.step().sent == 0


def test_a_rejected_event_becomes_a_dead_letter_and_holds_up_nothing() -> None:
    bench = Bench(30)
    bench.hq.refuses = lambda message: "no such tenant" if message.sequence == 7 else ""
    steps = [bench.step() for _ in range(6)]
    assert sum(step.rejected for step in steps) == 1
    assert bench.depth == 0
    assert sorted(bench.sequences) == [number for number in range(1, 31) if number != 7]
    letter = bench.store.outbox.dead_letter(7)
    assert letter is not None
    assert (letter.reason, letter.message.sequence) == ("no such tenant", 7)
    assert bench.store.outbox.depth().dead == 1


def test_a_refusal_is_told_until_the_box_has_heard_it() -> None:
    bench = Bench(3, ack_fates=[Fate.LOSE, Fate.LOSE])
    bench.hq.refuses = lambda message: "bad" if message.sequence == 2 else ""
    bench.run(40)
    assert bench.depth == 0
    assert bench.store.outbox.dead_letter(2) is not None
    assert bench.sequences == [1, 3]


fates = st.lists(st.sampled_from(list(Fate)), max_size=60)


@settings(max_examples=150, deadline=None)
@given(
    fates=fates,
    ack_fates=fates,
    plan=st.lists(st.sampled_from(["step", "add", "call", "cut", "wait", "crash", "away"]), max_size=30),
    window=st.integers(1, 30),
)
def test_whatever_the_wire_does_every_event_takes_effect_once(
    fates: list[Fate], ack_fates: list[Fate], plan: list[str], window: int
) -> None:
    bench = Bench(5, fates, ack_fates, window)
    for act in plan:
        if act == "add":
            bench.add(7)
        elif act == "call":
            bench.call()
        elif act == "cut":
            bench.hq.disconnect()
            bench.step()
            bench.hq.connect()
        elif act == "crash":
            bench.cursor = PublishCursor()
        elif act == "away":
            bench.hq.away = not bench.hq.away
        bench.step(6_000 if act == "wait" else 10)
    bench.hq.away = False
    bench.settle(700)
    total = bench.store.outbox.last_sequence
    assert bench.depth == 0
    assert sorted(bench.sequences) == list(range(1, total + 1))
    assert bench.hq.word() == HqAck(total)
    assert bench.hq.lost == 0
    assert {json.loads(m.body)["id"] for m in bench.hq.applied} == {m.event_id for m in bench.hq.applied}
