"""Dead letters: sent again with the same id and a new sequence, repaired or not, or dropped with a reason."""

from __future__ import annotations

import json

import pytest

from edge.errors import Invalid
from edge.services.dead_letters import (
    LetterAction,
    LetterRequest,
    describe_letter,
    drop_letter,
    resend_letter,
    settle_letter,
)
from edge.services.outbox_records import DeadLetter, DeadState, OutboxMessage
from edge.services.publish_events import PublishCursor, publish_events
from sim.fakes.hq import FakeHq
from sim.fakes.store import FakeStore
from tests.unit.hq_samples import AT, CountingIds, ManualClock, record

CLOCK = ManualClock()


@pytest.fixture
def store() -> FakeStore:
    """Three events, of which HQ has rejected the second."""
    one = FakeStore()
    one.write(lambda unit: record(unit.outbox, CountingIds(), 3))  # type: ignore[arg-type]
    one.write(lambda unit: unit.outbox.set_aside(2, "no such tenant", AT))
    return one


def letter(store: FakeStore, sequence: int = 2) -> DeadLetter:
    found = store.read(lambda unit: unit.outbox.dead_letter(sequence))
    assert found is not None
    return found


def newest(store: FakeStore) -> OutboxMessage:
    return store.read(lambda unit: unit.outbox.window(0, 9))[-1]


def test_a_letter_goes_out_again_with_its_id_under_the_next_sequence(store: FakeStore) -> None:
    before = letter(store).message
    assert resend_letter(store, CLOCK, 2) == 4
    again = newest(store)
    assert (again.sequence, again.event_id, again.kind) == (4, before.event_id, before.kind)
    old, new = json.loads(before.body), json.loads(again.body)
    assert new == old | {"sequence": f"{4:016d}"}
    closed = letter(store)
    assert (closed.state, closed.resent_as, closed.closed_at) == (DeadState.RESENT, 4, AT)


def test_who_dealt_with_a_letter_is_on_record(store: FakeStore) -> None:
    store.write(lambda unit: unit.outbox.set_aside(3, "no such tenant", AT))
    resend_letter(store, CLOCK, 2, by="Li Min")
    drop_letter(store, CLOCK, 3, "told by phone")
    assert [letter(store, sequence).closed_by for sequence in (2, 3)] == ["Li Min", "console"]
    assert describe_letter(letter(store)).endswith("sent again as 4 (by Li Min)")


def test_a_repaired_letter_carries_the_repaired_data(store: FakeStore) -> None:
    resend_letter(store, CLOCK, 2, '{"order_id": "order-2", "repaired": true}')
    assert json.loads(newest(store).body)["data"] == {"order_id": "order-2", "repaired": True}
    assert letter(store).note == "repaired"


def test_a_resent_letter_takes_effect_once_hq_can_take_it(store: FakeStore) -> None:
    hq = FakeHq(CLOCK)
    cursor = PublishCursor()
    resend_letter(store, CLOCK, 2)
    hq.refuses = lambda message: "still no such tenant"
    for _ in range(3):
        cursor = publish_events(store, hq, CLOCK, cursor).cursor
    assert (hq.applied, store.read(lambda unit: unit.outbox.depth()).dead) == ([], 3)
    hq.refuses = lambda message: ""
    assert resend_letter(store, CLOCK, 4) == 5
    for _ in range(3):
        cursor = publish_events(store, hq, CLOCK, cursor).cursor
    assert [message.event_id for message in hq.applied] == [letter(store).message.event_id]


def test_a_dropped_letter_stays_on_record_with_the_reason(store: FakeStore) -> None:
    drop_letter(store, CLOCK, 2, "told by phone")
    assert (letter(store).state, letter(store).note) == (DeadState.DROPPED, "told by phone")
    assert store.read(lambda unit: unit.outbox.depth()).dead == 0


@pytest.mark.parametrize("note", ["", "  ", "x" * 201])
def test_a_letter_is_not_dropped_without_a_reason(store: FakeStore, note: str) -> None:
    with pytest.raises(Invalid, match="--reason"):
        drop_letter(store, CLOCK, 2, note)
    assert letter(store).state is DeadState.DEAD


@pytest.mark.parametrize("data", ["{", "[1]", '"text"', "[" * 100_000])
def test_repaired_data_that_is_no_object_changes_nothing(store: FakeStore, data: str) -> None:
    with pytest.raises(Invalid, match="repaired data"):
        resend_letter(store, CLOCK, 2, data)
    assert letter(store).state is DeadState.DEAD
    assert newest(store).sequence == 3


def test_what_was_not_rejected_or_was_dealt_with_is_refused(store: FakeStore) -> None:
    with pytest.raises(Invalid, match="has not rejected event 1"):
        resend_letter(store, CLOCK, 1)
    resend_letter(store, CLOCK, 2)
    with pytest.raises(Invalid, match="was resent as event 4 before"):
        resend_letter(store, CLOCK, 2)


def test_a_wish_says_in_one_line_what_was_done(store: FakeStore) -> None:
    resend = LetterRequest("a.letter.json", 2, LetterAction.RESEND)
    assert settle_letter(store, CLOCK, resend) == "event 2 goes out again as event 4"
    store.write(lambda unit: unit.outbox.set_aside(3, "late", AT))
    drop = LetterRequest("b.letter.json", 3, LetterAction.DROP, note="a test")
    assert settle_letter(store, CLOCK, drop) == "event 3 was dropped: a test"
