"""HQ follows one purchase and nobody else's, from whatever end it is asked."""

from __future__ import annotations

from typing import Any

from sim.hq import Arrival, Ledger
from sim.hq.trace import CHAIN, lines, trace
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
    text = lines(found)
    assert text[0].endswith(f"events of {first.number}")
    assert "left -" in text[-1]


def test_what_hq_was_never_told_of_is_said_so_and_letters_that_mean_anything_find_nothing() -> None:
    shop = Members()
    shop.bought()
    books = told(shop)
    for word in ("nobody", "%", "_", '"'):
        assert trace(books, word)["events"] == []
    assert lines(trace(books, "nobody")) == ["HQ knows nothing of nobody"]
