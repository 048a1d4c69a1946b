"""What every store promises: all or nothing, committed state only, and the records' own rules."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import pytest

from edge.errors import Corrupt, Invalid, Unavailable
from edge.members.landing import BlockKind, LandingBlock, LandingPage
from edge.retail.attempt import AttemptState, PaymentAttempt
from edge.retail.basket import Basket, BasketState, LineItem
from edge.retail.catalogue import Price
from edge.retail.ledger import Entry, Posting
from edge.retail.order import Order, OrderState, Tender
from edge.retail.receipt import PrintState, Receipt
from edge.services.command_records import CommandRecord, CommandState, SalesFreeze
from edge.services.outbox_records import DeadLetter, DeadState, OutboxMessage
from edge.services.ports import Store
from edge.services.records import ScanRecord, Unit, WorkstationState
from edge.store.sqlite_store import SqliteStore
from sim.fakes.box import BREAD, COLA, MALL_PAGE, TENANTS, stock
from sim.fakes.store import FakeStore

T = TypeVar("T")
Closable = FakeStore | SqliteStore

LINE = LineItem("line-1", "cola", "t-drinks", "可乐", "Cola", COLA, 2, 350, 700)
APPLE = LineItem("line-2", "apple", "t-fruit", "苹果", "Apple", "2100101005004", 1, 1_280, 640, weight_g=500)
BASKET = Basket("basket-1", "kiosk-1", 1_000, lines=(LINE, APPLE), changed_at=1_001)
ORDER = Order("order-1", "kiosk-1-0001", "basket-1", "kiosk-1", "2026-11-22", 2_000, BASKET.lines)
ATTEMPT = PaymentAttempt(
    "attempt-1", "order-1", "kiosk-1", "wechat_pay", "M1", 1_340, "1234", 3_000, 48_000, 8_000
)
RECEIPT = Receipt("receipt-1", "order-1", "kiosk-1", "token-1", 4_000)
SCAN = ScanRecord(
    "scan-1", "kiosk-1", "usb", b"690", COLA, "]E0", "item", "added", 1_000, "boot", 77, "line-1"
)
EVENT = OutboxMessage(1, "event-1", "order.paid", "/mall/a/edge/b", b'{"a":1}', 5_000)
STATE = WorkstationState("kiosk-1", "en", None, None, 9, "{}", 1_000, "boot", 77)
POSTING = Posting("posting-1", "tender", "tender-1", 4_000, (Entry("tender/cash", 5), Entry("due/x", -5)))


@pytest.fixture(params=["fake", "real"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Closable]:
    made: Closable = FakeStore() if request.param == "fake" else SqliteStore(tmp_path / "edge.db", 1_000)
    yield made
    made.close()


def put(store: Store, *steps: Callable[[Unit], object]) -> None:
    """Run each step in a unit of its own."""
    for step in steps:
        store.write(step)


def with_order(unit: Unit) -> None:
    unit.baskets.put(BASKET)
    unit.orders.put(ORDER)


def test_a_unit_gives_back_what_its_work_returned(store: Store) -> None:
    assert store.write(lambda unit: unit.outbox.next_sequence()) == 1
    assert store.read(lambda unit: unit.outbox.depth().count) == 0


def test_nothing_of_a_unit_that_raised_is_kept(store: Store) -> None:
    def half(unit: Unit) -> None:
        with_order(unit)
        unit.outbox.append(EVENT)
        unit.orders.take_number("2026-11-22")
        raise Invalid("changed my mind")

    with pytest.raises(Invalid, match="changed my mind"):
        store.write(half)
    assert store.read(lambda unit: unit.orders.get("order-1")) is None
    assert store.read(lambda unit: unit.baskets.get("basket-1")) is None
    assert store.write(lambda unit: unit.outbox.next_sequence()) == 1
    assert store.write(lambda unit: unit.orders.take_number("2026-11-22")) == 1


def test_nothing_of_a_unit_that_was_cut_off_is_kept_and_the_store_goes_on(store: Store) -> None:
    class PowerCut(BaseException):
        pass

    def cut(unit: Unit) -> None:
        unit.baskets.put(BASKET)
        raise PowerCut

    with pytest.raises(PowerCut):
        store.write(cut)
    assert store.read(lambda unit: unit.baskets.get("basket-1")) is None
    put(store, with_order)
    assert store.read(lambda unit: unit.orders.get("order-1")) == ORDER


def test_a_unit_reads_its_own_writes(store: Store) -> None:
    def work(unit: Unit) -> Basket | None:
        unit.baskets.put(BASKET)
        return unit.baskets.get("basket-1")

    assert store.write(work) == BASKET


def test_a_query_that_writes_is_refused(store: Store) -> None:
    with pytest.raises(Invalid, match="tried to write"):
        store.read(lambda unit: unit.baskets.put(BASKET))
    assert store.read(lambda unit: unit.baskets.get("basket-1")) is None


def test_a_closed_store_refuses_with_what_to_do(store: Closable) -> None:
    store.close()
    with pytest.raises(Unavailable, match="stopping"):
        store.write(lambda unit: None)
    with pytest.raises(Unavailable, match="stopping"):
        store.read(lambda unit: None)


def test_baskets_keep_their_lines_in_order_and_lose_removed_ones(store: Store) -> None:
    put(store, lambda unit: unit.baskets.put(BASKET))
    assert store.read(lambda unit: unit.baskets.get("basket-1")) == BASKET
    swapped = replace(BASKET, lines=(APPLE, LINE), cleared_age=18)
    put(store, lambda unit: unit.baskets.put(swapped))
    assert store.read(lambda unit: unit.baskets.get("basket-1")) == swapped
    shorter = replace(BASKET, lines=(APPLE,))
    put(store, lambda unit: unit.baskets.put(shorter))
    assert store.read(lambda unit: unit.baskets.get("basket-1")) == shorter


def test_held_baskets_of_a_workstation_come_newest_first(store: Store) -> None:
    def work(unit: Unit) -> None:
        for number, place in enumerate(["kiosk-1", "till-1", "kiosk-1", "kiosk-1"]):
            basket = Basket(f"b{number}", place, 0, BasketState.HELD, changed_at=number)
            unit.baskets.put(basket)
        unit.baskets.put(Basket("open", "kiosk-1", 0, changed_at=99))

    put(store, work)
    assert [one.basket_id for one in store.read(lambda u: u.baskets.held("kiosk-1", 2))] == ["b3", "b2"]


def test_an_orders_lines_never_change_and_tenders_are_only_added(store: Store) -> None:
    cash = Tender("tender-1", "cash", 340, 4_000, 500, 160)
    code = Tender("tender-2", "wechat_pay", 1_000, 5_000, attempt_id="attempt-1")
    paid = replace(ORDER, state=OrderState.PAID, tenders=(cash, code), closed_at=5_000)
    put(
        store,
        with_order,
        lambda unit: unit.attempts.put(ATTEMPT),
        lambda unit: unit.orders.put(replace(ORDER, tenders=(cash,), lines=(LINE,))),
        lambda unit: unit.orders.put(paid),
    )
    assert store.read(lambda unit: unit.orders.get("order-1")) == paid


def test_order_numbers_of_a_day_have_no_gap_and_no_double(store: Store) -> None:
    taken = [store.write(lambda unit: unit.orders.take_number("2026-11-22")) for _ in range(3)]
    assert taken == [1, 2, 3]
    assert store.write(lambda unit: unit.orders.take_number("2026-11-23")) == 1


def test_an_order_number_is_given_once_a_day(store: Store) -> None:
    put(store, with_order)
    with pytest.raises(Corrupt):
        store.write(lambda unit: unit.orders.put(replace(ORDER, order_id="order-2")))


def test_one_attempt_pays_one_tender(store: Store) -> None:
    first = Tender("tender-1", "wechat_pay", 100, 4_000, attempt_id="attempt-1")
    put(store, with_order, lambda unit: unit.attempts.put(ATTEMPT))
    put(store, lambda unit: unit.orders.put(replace(ORDER, tenders=(first,))))
    twice = replace(ORDER, tenders=(first, replace(first, tender_id="tender-2")))
    with pytest.raises(Corrupt):
        store.write(lambda unit: unit.orders.put(twice))


def test_an_attempts_key_amount_and_beginning_never_change(store: Store) -> None:
    put(store, with_order, lambda unit: unit.attempts.put(ATTEMPT))
    approved = replace(
        ATTEMPT,
        state=AttemptState.APPROVED,
        polls=2,
        transaction_id="42",
        payer="openid",
        trail="SUCCESS",
        closed_at=9_000,
        next_step_at=9_000,
    )
    odd = replace(approved, amount_fen=1, merchant_order_no="M2", created_at=1)
    put(store, lambda unit: unit.attempts.put(odd))
    assert store.read(lambda unit: unit.attempts.get("attempt-1")) == approved


def test_open_attempts_come_by_when_they_are_due(store: Store) -> None:
    states = [AttemptState.UNKNOWN, AttemptState.INTENDED, AttemptState.SUBMITTED, AttemptState.DECLINED]

    def work(unit: Unit) -> None:
        for number, state in enumerate(states):
            one = replace(ATTEMPT, attempt_id=f"a{number}", merchant_order_no=f"M{number}", state=state)
            unit.attempts.put(replace(one, next_step_at=100 - number))

    put(store, with_order, work)
    assert [one.attempt_id for one in store.read(lambda unit: unit.attempts.open(10))] == ["a2", "a1", "a0"]
    assert [one.attempt_id for one in store.read(lambda unit: unit.attempts.open(1))] == ["a2"]
    ids = [one.attempt_id for one in store.read(lambda unit: unit.attempts.of_order("order-1"))]
    assert ids == ["a0", "a1", "a2", "a3"]


def test_a_merchant_order_number_is_used_once_in_life(store: Store) -> None:
    put(store, with_order, lambda unit: unit.attempts.put(ATTEMPT))
    with pytest.raises(Corrupt):
        store.write(lambda unit: unit.attempts.put(replace(ATTEMPT, attempt_id="attempt-2")))


def test_nothing_points_to_what_is_not_there(store: Store) -> None:
    with pytest.raises(Corrupt):
        store.write(lambda unit: unit.attempts.put(ATTEMPT))
    with pytest.raises(Corrupt):
        store.write(lambda unit: unit.receipts.put(RECEIPT))
    with pytest.raises(Corrupt):
        store.write(lambda unit: unit.workstations.put(replace(STATE, basket_id="nowhere")))


def test_the_books_add_up_and_take_each_cause_once(store: Store) -> None:
    put(store, lambda unit: unit.ledger.post(POSTING))
    assert store.read(lambda unit: unit.ledger.balances()) == {"due/x": -5, "tender/cash": 5}
    with pytest.raises(Corrupt):
        store.write(lambda unit: unit.ledger.post(replace(POSTING, posting_id="posting-2")))
    put(store, lambda unit: unit.ledger.post(replace(POSTING, posting_id="posting-3", reference="tender-2")))
    assert store.read(lambda unit: unit.ledger.balances()) == {"due/x": -10, "tender/cash": 10}


def test_a_receipt_is_found_by_id_token_and_order_and_changes_only_on_paper(store: Store) -> None:
    put(store, with_order, lambda unit: unit.receipts.put(RECEIPT))
    printed = replace(RECEIPT, print_state=PrintState.PRINTED, print_problem="none", copies=1)
    put(store, lambda unit: unit.receipts.put(replace(printed, token="other", issued_at=1)))
    for find in (
        lambda unit: unit.receipts.get("receipt-1"),
        lambda unit: unit.receipts.by_token("token-1"),
        lambda unit: unit.receipts.of_order("order-1"),
    ):
        assert store.read(find) == printed


def test_an_order_has_one_receipt(store: Store) -> None:
    put(store, with_order, lambda unit: unit.receipts.put(RECEIPT))
    with pytest.raises(Corrupt):
        store.write(lambda unit: unit.receipts.put(replace(RECEIPT, receipt_id="receipt-2", token="t2")))


def test_receipts_go_to_paper_oldest_first_at_their_own_workstation(store: Store) -> None:
    def work(unit: Unit) -> None:
        for number, place in enumerate(["till-1", "kiosk-1", "kiosk-1"]):
            unit.orders.put(replace(ORDER, order_id=f"o{number}", number=f"n{number}"))
            unit.receipts.put(Receipt(f"r{number}", f"o{number}", place, f"t{number}", 0))

    put(store, work)
    first = store.read(lambda unit: unit.receipts.to_print("kiosk-1"))
    assert first is not None
    assert first.receipt_id == "r1"
    put(store, lambda unit: unit.receipts.put(replace(first, print_state=PrintState.PRINTING)))
    assert [one.receipt_id for one in store.read(lambda unit: unit.receipts.printing())] == ["r1"]
    second = store.read(lambda unit: unit.receipts.to_print("kiosk-1"))
    assert second is not None
    assert second.receipt_id == "r2"


def test_a_touchpoint_is_first_once(store: Store) -> None:
    put(store, with_order, lambda unit: unit.receipts.put(RECEIPT))
    marks = [store.write(lambda unit: unit.receipts.mark_touched("receipt-1", "join", 7)) for _ in range(2)]
    assert marks == [True, False]
    assert store.write(lambda unit: unit.receipts.mark_touched("receipt-1", "opened", 7))


def test_scans_are_kept_as_they_came_newest_first(store: Store) -> None:
    later = replace(SCAN, scan_id="scan-2", outcome="duplicate")
    other = replace(SCAN, scan_id="scan-3", workstation="till-1")
    put(store, *(lambda unit, one=one: unit.scans.append(one) for one in (SCAN, later, other)))
    assert store.read(lambda unit: unit.scans.recent("kiosk-1", 9)) == (later, SCAN)
    assert store.read(lambda unit: unit.scans.get("scan-1")) == SCAN
    assert store.read(lambda unit: unit.scans.last_added("kiosk-1", COLA)) == SCAN
    assert store.read(lambda unit: unit.scans.last_added("kiosk-1", BREAD)) is None


def test_a_workstation_is_kept_whole(store: Store) -> None:
    put(store, lambda unit: unit.workstations.put(STATE))
    assert store.read(lambda unit: unit.workstations.get("kiosk-1")) == STATE
    assert store.read(lambda unit: unit.workstations.get("till-1")) is None


def test_events_have_no_gap_and_leave_by_ack_but_for_holes(store: Store) -> None:
    for number in (1, 2, 3, 4):
        event = replace(EVENT, sequence=number, event_id=f"event-{number}", created_at=number)
        put(store, lambda unit, event=event: unit.outbox.append(event))
    assert store.write(lambda unit: unit.outbox.acknowledge(3, (2,), 77)) == 2
    assert [one.sequence for one in store.read(lambda unit: unit.outbox.window(0, 9))] == [2, 4]
    depth = store.read(lambda unit: unit.outbox.depth())
    assert (depth.count, depth.oldest_created_at, depth.last_sequence) == (2, 2, 4)
    assert (depth.acked_through, depth.last_ack_at) == (3, 77)
    assert store.write(lambda unit: unit.outbox.next_sequence()) == 5


def with_events(store: Store, count: int, urgent: tuple[int, ...] = ()) -> None:
    for number in range(1, count + 1):
        event = replace(EVENT, sequence=number, event_id=f"event-{number}", urgent=number in urgent)
        put(store, lambda unit, event=event: unit.outbox.append(event))


def test_the_lanes_of_the_outbox_are_read_apart_and_together(store: Store) -> None:
    with_events(store, 6, urgent=(2, 5))

    def sequences(after: int, limit: int, urgent: bool | None) -> list[int]:
        return [one.sequence for one in store.read(lambda u: u.outbox.window(after, limit, urgent))]

    assert sequences(0, 9, None) == [1, 2, 3, 4, 5, 6]
    assert sequences(0, 9, True) == [2, 5]
    assert sequences(2, 2, False) == [3, 4]
    assert sequences(2, 9, True) == [5]
    counts = store.read(lambda u: [u.outbox.count_through(5, limit, False) for limit in (9, 2)])
    assert counts == [3, 2]
    assert store.read(lambda unit: unit.outbox.count_through(4, 9, True)) == 1


def test_totals_follow_every_event_that_comes_and_leaves(store: Store) -> None:
    with_events(store, 5)
    size = len(EVENT.body)
    assert store.write(lambda unit: unit.outbox.acknowledge(2, (1,), 77, (5,))) == 2
    depth = store.read(lambda unit: unit.outbox.depth())
    assert (depth.count, depth.waiting_bytes, depth.oldest_sequence) == (3, 3 * size, 1)
    assert (depth.acked_through, depth.last_sequence) == (2, 5)
    assert store.write(lambda unit: unit.outbox.acknowledge(5, (), 78)) == 3
    empty = store.read(lambda unit: unit.outbox.depth())
    assert (empty.count, empty.waiting_bytes, empty.oldest_sequence) == (0, 0, None)


def test_an_overtaker_that_was_never_written_is_refused(store: Store) -> None:
    with_events(store, 2)
    with pytest.raises(Corrupt, match="9"):
        store.write(lambda unit: unit.outbox.acknowledge(1, (), 77, (9,)))
    assert store.read(lambda unit: unit.outbox.depth().count) == 2


def test_a_rejected_event_is_set_aside_with_the_reason_and_closed_once(store: Store) -> None:
    with_events(store, 3, urgent=(2,))
    moved = [store.write(lambda unit: unit.outbox.set_aside(2, "no such tenant", 88)) for _ in range(2)]
    assert moved == [True, False]
    letter = store.read(lambda unit: unit.outbox.dead_letter(2))
    assert letter == DeadLetter(
        replace(EVENT, sequence=2, event_id="event-2", urgent=True), "no such tenant", 88
    )
    assert store.read(lambda unit: unit.outbox.dead_letters(9)) == (letter,)
    depth = store.read(lambda unit: unit.outbox.depth())
    assert (depth.count, depth.waiting_bytes, depth.dead) == (2, 2 * len(EVENT.body), 1)
    dropped = replace(letter, state=DeadState.DROPPED, closed_at=99, note="twice told", closed_by="Li Min")
    put(store, lambda unit: unit.outbox.close_letter(dropped))
    assert store.read(lambda unit: unit.outbox.dead_letter(2)) == dropped
    assert store.read(lambda unit: (unit.outbox.dead_letters(9), unit.outbox.depth().dead)) == ((), 0)
    with pytest.raises(Corrupt, match="not open"):
        store.write(lambda unit: unit.outbox.close_letter(dropped))


def test_letters_that_were_dealt_with_come_latest_first_with_who_did_it(store: Store) -> None:
    with_events(store, 4)
    for sequence, at in ((1, 300), (2, 200), (3, 300)):
        put(store, lambda unit, it=sequence: unit.outbox.set_aside(it, "why", 88))  # type: ignore[misc]
        letter = store.read(lambda unit, it=sequence: unit.outbox.dead_letter(it))  # type: ignore[misc]
        assert letter is not None
        closed = replace(letter, state=DeadState.RESENT, closed_at=at, resent_as=9, closed_by=f"P{sequence}")
        put(store, lambda unit, it=closed: unit.outbox.close_letter(it))  # type: ignore[misc]
    put(store, lambda unit: unit.outbox.set_aside(4, "why", 88))
    found = store.read(lambda unit: unit.outbox.closed_letters(2))
    assert [(one.message.sequence, one.closed_by) for one in found] == [(3, "P3"), (1, "P1")]


def test_the_pace_is_noted_for_a_week_and_not_from_the_future(store: Store) -> None:
    week = 7 * 24 * 3_600_000
    with_events(store, 2)
    put(store, lambda unit: unit.outbox.note_pace(1_000), lambda unit: unit.outbox.note_pace(week))
    assert [(one.noted_at, one.last_sequence) for one in store.read(lambda u: u.outbox.pace())] == [
        (1_000, 2),
        (week, 2),
    ]
    put(store, lambda unit: unit.outbox.note_pace(week + 1_001))
    assert [one.noted_at for one in store.read(lambda u: u.outbox.pace())] == [week, week + 1_001]
    put(store, lambda unit: unit.outbox.note_pace(week - 5))
    assert [one.noted_at for one in store.read(lambda u: u.outbox.pace())] == [week - 5]


@pytest.mark.parametrize("sequence", [0, 2])
def test_an_event_out_of_line_is_refused(store: Store, sequence: int) -> None:
    with pytest.raises(Corrupt):
        store.write(lambda unit: unit.outbox.append(replace(EVENT, sequence=sequence)))
    assert store.read(lambda unit: unit.outbox.depth().last_sequence) == 0


def test_an_ack_of_what_was_never_written_is_refused(store: Store) -> None:
    put(store, lambda unit: unit.outbox.append(EVENT))
    with pytest.raises(Corrupt):
        store.write(lambda unit: unit.outbox.acknowledge(2, (), 77))
    assert store.read(lambda unit: unit.outbox.depth().count) == 1


def test_a_tenants_page_is_replaced_by_its_next_one(store: Store) -> None:
    block = LandingBlock(BlockKind.OFFER, "券", "Coupon", "满减", "Off", "https://mall.example")
    page = LandingPage("page-2", "t-drinks", "欢迎", "Welcome", "drinks.png", (block,))
    put(store, lambda u: u.landings.put(MALL_PAGE), lambda u: u.landings.put(replace(page, title="旧")))
    put(store, lambda u: u.landings.put(page))
    assert store.read(lambda unit: unit.landings.pages()) == (MALL_PAGE, page)


def test_goods_are_found_by_any_key_at_the_price_of_the_day(store: Store) -> None:
    stock(store, at=1_000)
    put(store, lambda unit: unit.catalogue.put_price(Price("cola", 9_000, 400)))

    def price(at: int) -> int | None:
        found = store.read(lambda unit: unit.catalogue.find(("nothing", f"0{COLA}"), at))
        return found.price_fen if found else None

    assert [price(at) for at in (999, 1_000, 8_999, 9_000)] == [None, 350, 350, 400]
    wine = store.read(lambda unit: unit.catalogue.by_sku("wine", 1_000))
    assert wine is not None
    assert (wine.age_min, wine.tenant_id) == (18, "t-drinks")
    assert store.read(lambda unit: unit.catalogue.tenant("t-fruit")) == TENANTS[2]
    entry = store.read(lambda unit: unit.catalogue.entry("cola"))
    assert entry is not None
    assert [(one.valid_from, one.price_fen) for one in entry.prices] == [(1_000, 350), (9_000, 400)]


def test_an_import_is_unseen_until_it_is_finished(store: Store) -> None:
    stock(store, at=1_000)

    def begin(unit: Unit) -> int:
        number, _ = unit.catalogue.intake.begin()
        assert unit.catalogue.intake.stage_withdrawn(number, ["cola", "nobody"]) == 1
        return number

    number = store.write(begin)
    assert store.read(lambda unit: unit.catalogue.by_sku("cola", 1_000)) is not None
    put(store, lambda unit: unit.catalogue.intake.finish(number, TENANTS, untidy=True))
    assert store.read(lambda unit: unit.catalogue.by_sku("cola", 1_000)) is None
    assert "cola" not in store.read(lambda unit: unit.catalogue.intake.live_skus("", 99, None))


def test_a_price_for_nobody_is_refused(store: Store) -> None:
    with pytest.raises(Invalid, match="no product ghost"):
        store.write(lambda unit: unit.catalogue.put_price(Price("ghost", 0, 1)))


COMMAND = CommandRecord(
    "cmd-1", "open_gate", "Ms Li", 1_000, 2_000, '{"gate": "出口"}', 1_500, True, CommandState.BEGUN
)
ENDED = replace(COMMAND, state=CommandState.DONE, result='{"gate": "出口"}', finished_at=1_600)


def test_a_command_is_taken_in_once_and_ends_once(store: Store) -> None:
    put(store, lambda unit: unit.commands.add(COMMAND))
    assert store.read(lambda unit: unit.commands.get("cmd-1")) == COMMAND
    assert store.read(lambda unit: unit.commands.begun(9)) == (COMMAND,)
    with pytest.raises(Corrupt, match="cmd-1"):
        put(store, lambda unit: unit.commands.add(replace(COMMAND, kind="reload")))
    put(store, lambda unit: unit.commands.finish(replace(ENDED, kind="ignored")))
    assert store.read(lambda unit: unit.commands.get("cmd-1")) == ENDED
    assert store.read(lambda unit: unit.commands.begun(9)) == ()
    with pytest.raises(Corrupt, match="cmd-1"):
        put(store, lambda unit: unit.commands.finish(replace(ENDED, state=CommandState.UNKNOWN)))
    assert store.read(lambda unit: unit.commands.get("cmd-2")) is None


def test_a_command_its_effect_and_its_answer_are_kept_together_or_not_at_all(store: Store) -> None:
    def half(unit: Unit) -> None:
        unit.commands.add(ENDED)
        unit.commands.set_freeze(SalesFreeze("cmd-1", "stocktaking", 1_600))
        unit.outbox.append(EVENT)
        raise Invalid("changed my mind")

    with pytest.raises(Invalid):
        store.write(half)
    assert store.read(lambda unit: unit.commands.get("cmd-1")) is None
    assert store.read(lambda unit: unit.commands.freeze()) is None


def test_commands_are_listed_newest_first(store: Store) -> None:
    put(store, *(_adding(f"cmd-{number}") for number in (3, 1, 2)))
    recent = store.read(lambda unit: unit.commands.recent(2))
    assert [one.command_id for one in recent] == ["cmd-2", "cmd-1"]


def test_a_freeze_stays_until_it_is_lifted_and_the_last_one_counts(store: Store) -> None:
    first, second = SalesFreeze("cmd-1", "盘点", 1), SalesFreeze("cmd-2", "", 2)
    put(store, lambda unit: unit.commands.set_freeze(first), lambda unit: unit.commands.set_freeze(second))
    assert store.read(lambda unit: unit.commands.freeze()) == second
    put(store, lambda unit: unit.commands.set_freeze(None))
    assert store.read(lambda unit: unit.commands.freeze()) is None


def _adding(command_id: str) -> Callable[[Unit], None]:
    return lambda unit: unit.commands.add(replace(COMMAND, command_id=command_id))
