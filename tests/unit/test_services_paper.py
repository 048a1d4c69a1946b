"""Receipts on paper, each once, and on the phone, each step told once."""

from __future__ import annotations

from dataclasses import replace

import pytest

from devices.types import PaperState, QrCode, TextLine
from edge.errors import Invalid
from edge.retail.receipt import PrintState
from edge.services.print_receipt import print_next, reprint
from edge.services.show_receipt import record_touchpoint, show_receipt
from sim.fakes.box import COLA, KIOSK, TILL, weight_label
from tests.unit.shop import Shop


def sold(shop: Shop | None = None) -> tuple[Shop, str]:
    """Return a shop with one paid order, and the order's id."""
    shop = shop or Shop()
    shop.order_of(COLA, weight_label("101", 500))
    shop.pay(shop.code())
    shop.wait(2_000)
    return shop, shop.order().order_id


def state(shop: Shop, order_id: str) -> PrintState:
    receipt = shop.receipt(order_id)
    assert receipt is not None
    return receipt.print_state


def test_a_receipt_tells_goods_money_and_where_to_go_on() -> None:
    shop, _ = sold()
    assert shop.print() == "printed"
    text = shop.papers()[0]
    for part in (
        "kiosk-1-0001",
        "可乐 3.50",
        "1 x 3.50",
        "苹果 6.40",
        "0.500 kg x 12.80/kg",
        "9.90",
        "WeChat Pay",
    ):
        assert part in text
    job = shop.ports.printers[KIOSK].printed[0]
    token = shop.screen()["receipt"]["token"]
    assert QrCode(f"https://mall.example/phone/r/{token}") in job.blocks


def test_a_receipt_is_printed_once() -> None:
    shop, order_id = sold()
    shop.print()
    assert shop.print() is None
    shop.restart()
    assert shop.print() is None
    assert len(shop.papers()) == 1
    assert state(shop, order_id) is PrintState.PRINTED


def test_a_print_that_was_not_started_is_tried_again() -> None:
    shop, order_id = sold()
    shop.ports.printers[KIOSK].paper = PaperState.OUT
    assert shop.print() == "queued"
    assert "out of paper" in shop.screen()["receipt"]["problem"]
    shop.ports.printers[KIOSK].paper = PaperState.ENOUGH
    assert shop.print() == "printed"
    assert len(shop.papers()) == 1
    assert state(shop, order_id) is PrintState.PRINTED


def test_an_uncertain_print_is_never_tried_again_by_itself() -> None:
    shop, order_id = sold()
    shop.ports.printers[KIOSK].loses_proof = True
    assert shop.print() == "uncertain"
    shop.ports.printers[KIOSK].loses_proof = False
    assert shop.print() is None
    shop.restart()
    assert shop.print() is None
    assert len(shop.papers()) == 1
    assert state(shop, order_id) is PrintState.UNCERTAIN


def test_a_print_that_a_stop_cut_off_is_uncertain_after_the_start() -> None:
    shop, order_id = sold()
    receipt = shop.receipt(order_id)
    assert receipt is not None
    shop.box.store.write(lambda u: u.receipts.put(replace(receipt, print_state=PrintState.PRINTING)))
    shop.restart()
    assert state(shop, order_id) is PrintState.UNCERTAIN
    assert shop.print() is None


def test_a_copy_asked_for_is_marked_as_one() -> None:
    shop, order_id = sold()
    shop.print()
    reprint(shop.box, KIOSK, order_id)
    assert shop.print() == "printed"
    first, second = shop.ports.printers[KIOSK].printed
    marks = [any(isinstance(b, TextLine) and "COPY" in b.text for b in job.blocks) for job in (first, second)]
    assert marks == [False, True]
    assert first.job_id != second.job_id


def test_a_copy_waits_for_the_first_paper() -> None:
    shop, order_id = sold()
    with pytest.raises(Invalid, match="still being printed"):
        reprint(shop.box, KIOSK, order_id)
    with pytest.raises(Invalid, match="no receipt"):
        reprint(shop.box, KIOSK, "order-of-nobody")


def test_receipts_of_one_workstation_come_out_in_order_and_not_elsewhere() -> None:
    shop, _ = sold()
    sold(shop)
    assert shop.print(TILL) is None
    shop.print()
    shop.print()
    assert ["0001" in shop.papers()[0], "0002" in shop.papers()[1]] == [True, True]


def test_without_a_printer_nothing_waits_for_one() -> None:
    shop, _ = sold()
    shop.box = replace(shop.box, printers={})
    assert print_next(shop.box, KIOSK) is None
    assert shop.screen()["receipt"]["printing"] == "none"


def test_a_receipts_page_shows_the_sale_and_the_malls_page() -> None:
    shop, _ = sold()
    page = show_receipt(shop.box, shop.screen()["receipt"]["token"])
    assert page is not None
    assert (page["number"], page["total_fen"], page["shop"]) == ("kiosk-1-0001", 990, "智慧商场")
    assert page["tenders"] == [{"kind": "wechat_pay", "amount_fen": 990, "received_fen": 0, "change_fen": 0}]
    assert page["landing"] == shop.screen()["landing"]
    assert show_receipt(shop.box, "a-token-that-is-none") is None


def test_each_step_on_the_page_is_told_once() -> None:
    shop, order_id = sold()
    token = shop.screen()["receipt"]["token"]
    before = len(shop.events())
    for step in ("opened", "opened", "join", "follow", "join"):
        record_touchpoint(shop.box, token, step)
    assert shop.events()[before:] == ["landing.opened", "landing.join", "landing.follow"]
    assert shop.event_data("landing.join")["order_id"] == order_id
    assert shop.event_data("landing.join")["surface"] == "phone"


@pytest.mark.parametrize(("token", "step"), [("nobodys", "opened"), (None, "no-such-step")])
def test_what_is_not_known_on_the_page_tells_nobody(token: str | None, step: str) -> None:
    shop, _ = sold()
    before = shop.events()
    record_touchpoint(shop.box, token or shop.screen()["receipt"]["token"], step)
    assert shop.events() == before


def test_no_event_holds_the_receipts_token_or_the_shoppers_identity() -> None:
    shop, _ = sold()
    token = shop.screen()["receipt"]["token"]
    bodies = b"".join(one.body for one in shop.box.store.read(lambda u: u.outbox.window(0, 99)))
    assert b"kiosk-1-0001" in bodies
    assert token.encode() not in bodies
    assert b"openid" not in bodies
