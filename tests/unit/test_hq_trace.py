"""HQ follows one purchase and nobody else's, from whatever end it is asked."""

from __future__ import annotations

from typing import Any

from edge.services.events import EventKind
from sim.hq import Arrival, Ledger
from sim.hq.page import make_app
from sim.hq.trace import CHAIN, chain, lines, trace
from sim.hq.trace_words import LANGUAGES, kind_name, local_time
from tests.unit.test_hq_page import QuietHq
from tests.unit.test_phone_me import JOIN, Members

KINDS = {
    "order.paid",
    "receipt.issued",
    "member.joined",
    "points.changed",
    "conversion.step",
    "sale.attributed",
}


def told(shop: Members) -> Ledger:
    books = Ledger()
    rows = shop.box.store.read(lambda unit: unit.outbox.window(0, 1_000))
    books.apply([Arrival("demo-mall", "edge-1", row.body, row.event_id, row.sequence, 1) for row in rows])
    return books


def kinds(found: Any) -> set[str]:
    return {one["kind"] for one in found["events"]}


def test_a_purchase_is_followed_from_its_number_its_way_and_its_member() -> None:
    shop = Members()
    first, second = shop.bought(), shop.bought()
    token = shop.sign_in("openid-a")
    for order in (first, second):
        shop.json("POST", "/me/join", token, {**JOIN, "receipt": shop.receipt_of(order)})
    books = told(shop)
    found: Any = trace(books, first.number)
    assert kinds(found) >= KINDS
    paid = [one["data"]["number"] for one in found["events"] if one["kind"] == "order.paid"]
    assert paid == [first.number]
    sources = {one["data"]["source"] for one in found["events"] if one["kind"] == "points.changed"}
    assert sources == {first.order_id}
    way = next(one["data"]["correlation"] for one in found["events"] if one["kind"] == "conversion.step")
    assert kinds(trace(books, way)) == kinds(found)
    member = next(one["data"]["member_id"] for one in found["events"] if one["kind"] == "member.joined")
    both: Any = trace(books, member)
    numbers = [one["data"]["number"] for one in both["events"] if one["kind"] == "order.paid"]
    assert numbers == [first.number, second.number]
    marks = found["chain"]
    assert [name for name in CHAIN if marks[name]] == ["touched", "bought", "joined", "points", "parked"]
    assert [at for at in marks.values() if at] == sorted(at for at in marks.values() if at)
    text = lines(found)
    assert text[0].endswith(f"events of {first.number}")
    assert "drove out -" in text[-1]


def test_what_hq_was_never_told_of_is_said_so_and_letters_that_mean_anything_find_nothing() -> None:
    shop = Members()
    shop.bought()
    books = told(shop)
    for word in ("nobody", "%", "_", '"'):
        assert trace(books, word)["events"] == []
    assert lines(trace(books, "nobody")) == ["HQ knows nothing of nobody"]


def test_a_summary_of_an_order_is_of_that_order_in_the_order_of_time_and_in_local_time() -> None:
    def event(second: int, kind: str, **data: str) -> dict[str, Any]:
        return {"time": f"2026-11-22T20:00:{second:02d}.000Z", "kind": kind, "data": data}

    way = [
        event(1, "conversion.step", step="scanned", touchpoint="ws.K01"),
        event(2, "order.paid", order_id="o-1", number="K01-0001"),
        event(2, "validation.granted", order_id="o-1"),
        event(3, "parking.left"),
        event(4, "order.paid", order_id="o-2", number="K01-0002"),
        event(5, "points.changed", source="o-2"),
        event(6, "member.joined"),
        event(7, "parking.left"),
    ]
    for word in ("o-2", "K01-0002"):
        marks = chain(way, word)
        seconds = [(name, at[17:19]) for name, at in marks.items()]
        assert seconds == [
            ("touched", "01"),
            ("bought", "04"),
            ("points", "05"),
            ("joined", "06"),
            ("left", "07"),
            ("parked", ""),
        ]
    assert list(chain(way, "a-way").values())[:3] == [one["time"] for one in way[:3]]
    assert local_time(way[0]["time"]) == "2026-11-23 04:00:01.000"
    assert local_time("") == ""


def test_the_page_tells_a_purchase_in_both_languages_with_yuan_and_local_time() -> None:
    shop, hq = Members(), QuietHq()
    order = shop.bought()
    hq.ledger.close()
    hq.ledger = told(shop)
    client = make_app(hq).test_client()
    page = client.get("/trace", query_string={"of": order.number}).get_data(as_text=True)
    paid = f"{order.total_fen / 100:.2f}"
    assert f'data-zh="{order.number}: {paid} 元" data-en="{order.number}: {paid} yuan"' in page
    assert 'data-zh="订单已付款" data-en="order paid"' in page
    assert "UTC+8" in page
    sale = next(one for one in trace(hq.ledger, order.number)["events"] if one["kind"] == "sale.attributed")  # type: ignore[attr-defined]
    assert f"元 · {sale['data']['explained']}" in page
    assert "_fen" not in page
    nobody = client.get("/trace", query_string={"of": "<b>"}).get_data(as_text=True)
    assert "&lt;b&gt;" in nobody
    assert "<b>" not in nobody
    hq.ledger.close()


def test_every_event_has_a_name_in_both_languages() -> None:
    for kind in EventKind:
        names = [kind_name(kind.value, language) for language in LANGUAGES]
        assert kind.value not in names
        assert len(set(names)) == 2
