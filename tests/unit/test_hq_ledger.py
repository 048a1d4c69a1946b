"""The simulated HQ's books: once in effect, holes seen, poison put aside, losses told."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sim.hq import Arrival, Behaviour, Ledger, Outcome
from sim.hq.ledger import MAX_HOLES, Word
from tests.unit.hq_samples import CountingIds, MemoryOutbox, record


@pytest.fixture
def ledger() -> Ledger:
    return Ledger()


def arrivals(count: int, oldest: int = 1) -> list[Arrival]:
    outbox = MemoryOutbox()
    record(outbox, CountingIds(), count)
    return [
        Arrival("demo-mall", "till-1", row.body, row.event_id, row.sequence, oldest)
        for row in outbox.rows.values()
    ]


def word(ledger: Ledger) -> Word:
    return ledger.word("demo-mall", "till-1")


def edge(ledger: Ledger) -> dict[str, object]:
    return ledger.rows("SELECT * FROM edges")[0]


def test_an_event_takes_effect_once_however_often_it_comes(ledger: Ledger) -> None:
    events = arrivals(2)
    assert ledger.apply([*events, *events]) == [Outcome.APPLIED] * 2 + [Outcome.REPEAT] * 2
    assert ledger.apply(events) == [Outcome.REPEAT] * 2
    assert ledger.rows("SELECT tenant_id, orders, amount_fen FROM sales ORDER BY 1") == [
        {"tenant_id": "t-bakery", "orders": 2, "amount_fen": 1_600},
        {"tenant_id": "t-coffee", "orders": 2, "amount_fen": 2_500},
    ]
    assert ledger.rows("SELECT kind, count, amount_fen FROM tenders") == [
        {"kind": "wechat_pay", "count": 2, "amount_fen": 4_100}
    ]
    assert word(ledger) == Word(2)


def test_holes_are_told_until_they_are_filled(ledger: Ledger) -> None:
    events = arrivals(6)
    ledger.apply([events[0], events[2], events[5]])
    assert word(ledger) == Word(6, (2, 4, 5))
    ledger.apply([events[4], events[1], events[3]])
    assert word(ledger) == Word(6)


def test_more_holes_than_an_ack_holds_lower_through(ledger: Ledger) -> None:
    events = arrivals(2 * MAX_HOLES + 10)
    ledger.apply(events[1::2])
    assert word(ledger) == Word(2 * MAX_HOLES, tuple(range(1, 2 * MAX_HOLES, 2)))
    ledger.apply(events[0:2])
    assert word(ledger) == Word(2 * MAX_HOLES + 2, tuple(range(3, 2 * MAX_HOLES + 2, 2)))


def test_a_single_wide_gap_is_not_acknowledged_over(ledger: Ledger) -> None:
    events = arrivals(MAX_HOLES + 50)
    ledger.apply([events[0], events[-1]])
    assert word(ledger) == Word(1)


def test_what_a_box_can_no_longer_send_is_lost_and_not_a_hole(ledger: Ledger) -> None:
    events = arrivals(9, oldest=7)
    ledger.apply(events[6:])
    assert word(ledger) == Word(9)
    assert edge(ledger)["lost"] == 6
    assert ledger.apply(events[:1]) == [Outcome.APPLIED]


def test_a_second_event_with_a_taken_sequence_counts_as_a_conflict_and_takes_effect(ledger: Ledger) -> None:
    (first,) = arrivals(1)
    envelope = json.loads(first.body) | {"id": "another-id"}
    other = Arrival("demo-mall", "till-1", json.dumps(envelope).encode(), "another-id", 1, 1)
    assert ledger.apply([first, other]) == [Outcome.APPLIED] * 2
    assert edge(ledger)["conflicts"] == 1


@pytest.mark.parametrize("body", [b"", b"junk", b"{}", b"[]", b'{"specversion":"0.3"}', b"[" * 5_000])
def test_an_unreadable_event_is_put_aside_once_and_acknowledged(ledger: Ledger, body: bytes) -> None:
    poison = Arrival("demo-mall", "till-1", body, "poison", 1, 1)
    assert ledger.apply([poison, poison]) == [Outcome.PUT_ASIDE, Outcome.REPEAT]
    assert word(ledger) == Word(1)
    assert len(ledger.rows("SELECT reason FROM dead_letters")) == 1


def test_an_unreadable_message_without_properties_is_kept_but_cannot_be_acknowledged(ledger: Ledger) -> None:
    assert ledger.apply([Arrival("demo-mall", "till-1", b"junk")]) == [Outcome.UNREADABLE]
    assert word(ledger) == Word(0)


def test_an_effect_that_fails_leaves_nothing_half_done(ledger: Ledger) -> None:
    first, second = arrivals(2)
    envelope = json.loads(first.body)
    envelope["data"]["tenders"] = [{"amount_fen": 5}]
    bad = Arrival("demo-mall", "till-1", json.dumps(envelope).encode(), first.event_id, 1, 1)
    assert ledger.apply([bad, second]) == [Outcome.PUT_ASIDE, Outcome.APPLIED]
    assert [row["orders"] for row in ledger.rows("SELECT orders FROM sales")] == [1, 1]
    assert word(ledger) == Word(2)


def test_an_event_on_another_box_topic_is_put_aside(ledger: Ledger) -> None:
    (event,) = arrivals(1)
    stray = Arrival("demo-mall", "till-9", event.body, event.event_id, 1, 1)
    assert ledger.apply([stray]) == [Outcome.PUT_ASIDE]
    assert ledger.rows("SELECT * FROM sales") == []


def test_the_will_of_an_old_session_does_not_end_a_new_one(ledger: Ledger) -> None:
    ledger.presence("demo-mall", "till-1", "online", 5)
    ledger.presence("demo-mall", "till-1", "online", 6)
    ledger.presence("demo-mall", "till-1", "lost", 5)
    assert edge(ledger)["presence"] == "online"
    ledger.presence("demo-mall", "till-1", "lost", 6)
    assert edge(ledger)["presence"] == "lost"


def test_books_in_a_file_outlive_hq(tmp_path: Path) -> None:
    path = str(tmp_path / "hq.db")
    ledger = Ledger(path)
    ledger.apply(arrivals(3))
    ledger.close()
    again = Ledger(path)
    assert word(again) == Word(3)
    assert again.apply(arrivals(3)) == [Outcome.REPEAT] * 3
    again.close()


@pytest.mark.parametrize(
    ("wanted", "complaint"),
    [
        ({"mood": 1}, "no switch"),
        ({"away": 1}, "must be bool"),
        ({"ack_delay_ms": True}, "must be int"),
        ({"ack_delay_ms": -1}, "0 to 60000"),
        ({"ack_copies": 0}, "1 to 10"),
    ],
)
def test_a_switch_that_cannot_be_set_is_named(wanted: dict[str, object], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        Behaviour().changed(wanted)
    assert Behaviour().changed({"away": True, "ack_copies": 3}) == Behaviour(away=True, ack_copies=3)
