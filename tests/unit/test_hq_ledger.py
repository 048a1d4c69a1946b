"""The simulated HQ's books: once in effect, holes seen, poison put aside, losses told."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from edge.hq.codec import decode_ack
from sim.hq import Arrival, Behaviour, Ledger, Outcome
from sim.hq.books import Books
from sim.hq.reading import MAX_HOLES, MAX_REASON, MAX_REJECTED, UNTRUSTED_MS, Word, aside, word_of
from sim.postgres import Postgres, installed
from tests.unit.hq_samples import AT, CountingIds, MemoryOutbox, record

SQLITE, POSTGRES = "sqlite", "postgresql"
NEEDS_POSTGRES = pytest.mark.skipif(not installed(), reason="PostgreSQL is not installed")


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    with Postgres() as server:
        yield server


@pytest.fixture(params=[SQLITE, pytest.param(POSTGRES, marks=NEEDS_POSTGRES)])
def ledger(request: pytest.FixtureRequest) -> Iterator[Books]:
    books = Ledger() if request.param == SQLITE else postgres_books(request.getfixturevalue("postgres"))
    yield books
    books.close()


def postgres_books(server: Postgres) -> Books:
    from sim.hq.postgres import PostgresBooks

    return PostgresBooks(server.new_database())


def arrivals(count: int, oldest: int = 1) -> list[Arrival]:
    outbox = MemoryOutbox()
    record(outbox, CountingIds(), count)
    return [
        Arrival("demo-mall", "till-1", row.body, row.event_id, row.sequence, oldest)
        for row in outbox.rows.values()
    ]


def word(ledger: Books) -> Word:
    ledger.patience_s = 0.0
    return ledger.word("demo-mall", "till-1")


def edge(ledger: Books) -> dict[str, object]:
    return ledger.rows("SELECT * FROM edges")[0]


def test_an_event_takes_effect_once_however_often_it_comes(ledger: Books) -> None:
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


def test_holes_are_told_until_they_are_filled(ledger: Books) -> None:
    events = arrivals(6)
    ledger.apply([events[0], events[2], events[5]])
    assert word(ledger) == Word(6, (2, 4, 5))
    ledger.apply([events[4], events[1], events[3]])
    assert word(ledger) == Word(6)


def test_a_gap_is_no_hole_while_another_worker_may_fill_it(ledger: Books) -> None:
    ledger.patience_s = 1_000.0
    events = arrivals(6)
    ledger.apply([events[0], events[2], events[5]])
    assert ledger.word("demo-mall", "till-1") == Word(1, (), (3, 6))
    ledger.apply([events[1]])
    assert ledger.word("demo-mall", "till-1") == Word(3, (), (6,))
    assert word(ledger) == Word(6, (4, 5))


def test_more_holes_than_an_ack_holds_lower_through(ledger: Books) -> None:
    events = arrivals(2 * MAX_HOLES + 10)
    ledger.apply(events[1::2])
    beyond = tuple(range(2 * MAX_HOLES + 2, 2 * MAX_HOLES + 11, 2))
    assert word(ledger) == Word(2 * MAX_HOLES, tuple(range(1, 2 * MAX_HOLES, 2)), beyond)
    ledger.apply(events[0:2])
    assert word(ledger) == Word(2 * MAX_HOLES + 2, tuple(range(3, 2 * MAX_HOLES + 2, 2)), beyond[1:])


def test_a_single_wide_gap_is_not_acknowledged_over(ledger: Books) -> None:
    events = arrivals(MAX_HOLES + 50)
    ledger.apply([events[0], events[-1]])
    assert word(ledger) == Word(1, (), (MAX_HOLES + 50,))


def test_what_a_box_can_no_longer_send_is_lost_and_not_a_hole(ledger: Books) -> None:
    events = arrivals(9, oldest=7)
    ledger.apply(events[6:])
    assert word(ledger) == Word(9)
    assert edge(ledger)["lost"] == 6
    assert ledger.apply(events[:1]) == [Outcome.APPLIED]
    assert (edge(ledger)["lost"], edge(ledger)["applied"], edge(ledger)["conflicts"]) == (5, 4, 0)


def test_an_urgent_event_that_overtook_a_backlog_is_acknowledged_beside_it(ledger: Books) -> None:
    events = arrivals(3 * MAX_HOLES)
    ledger.apply([*events[:10], events[250]])
    assert word(ledger) == Word(10, (), (251,))
    assert edge(ledger)["applied"] == 11


def test_a_second_event_with_a_taken_sequence_counts_as_a_conflict_and_takes_effect(ledger: Books) -> None:
    (first,) = arrivals(1)
    envelope = json.loads(first.body) | {"id": "another-id"}
    other = Arrival("demo-mall", "till-1", json.dumps(envelope).encode(), "another-id", 1, 1)
    assert ledger.apply([first, other]) == [Outcome.APPLIED] * 2
    assert edge(ledger)["conflicts"] == 1


@pytest.mark.parametrize("body", [b"", b"junk", b"{}", b"[]", b'{"specversion":"0.3"}', b"[" * 5_000])
def test_an_unreadable_event_is_put_aside_once_and_acknowledged(ledger: Books, body: bytes) -> None:
    poison = Arrival("demo-mall", "till-1", body, "poison", 1, 1)
    assert ledger.apply([poison, poison]) == [Outcome.PUT_ASIDE, Outcome.REPEAT]
    said = word(ledger)
    assert (said.through, said.holes, said.rejected[0][0]) == (1, (), 1)
    assert "unreadable" in said.rejected[0][1]
    assert len(ledger.rows("SELECT reason FROM dead_letters")) == 1


def test_an_unreadable_message_without_properties_is_kept_but_cannot_be_acknowledged(ledger: Books) -> None:
    assert ledger.apply([Arrival("demo-mall", "till-1", b"junk")]) == [Outcome.UNREADABLE]
    assert word(ledger) == Word(0)


def test_an_effect_that_fails_leaves_nothing_half_done(ledger: Books) -> None:
    first, second = arrivals(2)
    envelope = json.loads(first.body)
    envelope["data"]["tenders"] = [{"amount_fen": 5}]
    bad = Arrival("demo-mall", "till-1", json.dumps(envelope).encode(), first.event_id, 1, 1)
    assert ledger.apply([bad, second]) == [Outcome.PUT_ASIDE, Outcome.APPLIED]
    assert [row["orders"] for row in ledger.rows("SELECT orders FROM sales")] == [1, 1]
    assert (word(ledger).through, word(ledger).rejected[0][0]) == (2, 1)


@pytest.mark.parametrize("name", ["\0", "\ud800", "x" * 300])
def test_what_no_database_can_hold_is_refused_and_the_rest_of_the_batch_takes_effect(
    ledger: Books, name: str
) -> None:
    first, second = arrivals(2)
    envelope = json.loads(first.body)
    envelope["data"]["tenants"][0]["tenant_id"] = name
    bad = Arrival("demo-mall", "till-1", json.dumps(envelope).encode(), first.event_id, 1, 1)
    assert ledger.apply([bad, second]) == [Outcome.PUT_ASIDE, Outcome.APPLIED]
    assert word(ledger).rejected[0][0] == 1


def test_a_text_that_only_the_database_refuses_is_found_among_the_others(ledger: Books) -> None:
    first, second = arrivals(2)
    envelope = json.loads(first.body)
    envelope["data"]["lines"][0]["name"] = "\0"
    odd = Arrival("demo-mall", "till-1", json.dumps(envelope).encode(), first.event_id, 1, 1)
    outcome, of_odd = ledger.apply([second, odd])
    said = word(ledger)
    assert (outcome, said.through) == (Outcome.APPLIED, 2)
    # SQLite keeps such a text, PostgreSQL does not; each tells what it did.
    assert (of_odd, len(said.rejected)) in [(Outcome.APPLIED, 0), (Outcome.PUT_ASIDE, 1)]
    paid = ledger.rows("SELECT orders FROM sales WHERE tenant_id = 't-coffee'")
    assert paid == [{"orders": 2 - len(said.rejected)}]


def test_a_refused_event_that_comes_again_repaired_under_a_new_sequence_takes_effect(ledger: Books) -> None:
    (first,) = arrivals(1)
    assert ledger.apply([first], "no such tenant") == [Outcome.PUT_ASIDE]
    assert word(ledger) == Word(1, (), (), ((1, "no such tenant"),))
    envelope = json.loads(first.body) | {"sequence": "0000000000000002"}
    again = Arrival("demo-mall", "till-1", json.dumps(envelope).encode(), first.event_id, 2, 2)
    assert ledger.apply([again]) == [Outcome.APPLIED]
    assert word(ledger) == Word(2)
    assert [edge(ledger)[name] for name in ("applied", "refused", "lost", "conflicts")] == [1, 1, 0, 0]


def test_a_refusal_is_told_until_the_box_has_left_it_behind(ledger: Books) -> None:
    events = arrivals(3)
    ledger.apply(events[:1], "no")
    for _ in range(2):
        assert word(ledger).rejected == ((1, "no"),)
    ledger.apply([Arrival(*events[1].box, events[1].body, events[1].event_id, 2, 2)])
    assert word(ledger) == Word(2)


def test_more_refusals_than_an_ack_holds_are_told_in_the_next_ones(ledger: Books) -> None:
    count = MAX_REJECTED + 5
    events = arrivals(count)
    ledger.apply(events, "n" * 500)
    first = word(ledger)
    assert (first.through, len(first.rejected)) == (MAX_REJECTED, MAX_REJECTED)
    assert {len(reason) for _, reason in first.rejected} == {MAX_REASON}
    last = arrivals(count + 1, oldest=MAX_REJECTED + 1)[-1]
    ledger.apply([last])
    assert [sequence for sequence, _ in word(ledger).rejected] == list(range(MAX_REJECTED + 1, count + 1))
    assert word(ledger).through == count + 1


def test_the_fullest_ack_fits_and_the_box_reads_it() -> None:
    top = 10**15
    reason = aside(Arrival("s", "e", b"", sequence=1), "原因" * 60).complaint
    above = list(range(top + 2, top + 700, 2))
    said = word_of(top, above, [(sequence, reason) for sequence in above[:MAX_REJECTED]])
    assert (len(said.holes), len(said.also), len(said.rejected)) == (100, 100, 20)
    read = decode_ack(said.as_json())
    assert (read.through_sequence, read.holes, read.also) == (said.through, said.holes, said.also)
    assert [each.sequence for each in read.rejected] == above[:MAX_REJECTED]


def test_lateness_is_told_for_a_clock_that_is_trusted(ledger: Books) -> None:
    (event,) = arrivals(1)
    late = Arrival(*event.box, event.body, event.event_id, 1, 1, AT + 90_000)
    ledger.apply([late])
    word(ledger)
    assert (edge(ledger)["late_ms"], edge(ledger)["worst_ms"]) == (90_000, 90_000)
    assert ledger.rows("SELECT late_ms FROM events") == [{"late_ms": 90_000}]


def test_an_event_on_another_box_topic_is_put_aside(ledger: Books) -> None:
    (event,) = arrivals(1)
    stray = Arrival("demo-mall", "till-9", event.body, event.event_id, 1, 1)
    assert ledger.apply([stray]) == [Outcome.PUT_ASIDE]
    assert ledger.rows("SELECT * FROM sales") == []


def test_the_will_of_an_old_session_does_not_end_a_new_one(ledger: Books) -> None:
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


def test_lateness_cannot_be_told_while_the_box_doubts_its_clock(ledger: Books) -> None:
    (event,) = arrivals(1)
    doubted = event.body.replace(b'"clocktrusted":true', b'"clocktrusted":false')
    assert doubted != event.body
    ledger.apply([Arrival(*event.box, doubted, event.event_id, 1, 1, AT + 90_000)])
    word(ledger)
    assert (edge(ledger)["late_ms"], edge(ledger)["worst_ms"]) == (UNTRUSTED_MS, 0)


def test_the_backlog_is_what_the_box_has_written_beyond_what_is_settled(ledger: Books) -> None:
    first, second = arrivals(2)
    ledger.apply([replace(first, newest=200_000)])
    word(ledger)
    assert edge(ledger)["backlog"] == 199_999
    ledger.apply([replace(second, newest=200_000)])
    word(ledger)
    assert edge(ledger)["backlog"] == 199_998
