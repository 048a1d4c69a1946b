"""Refunds at the simulated gateway: once per number, never more than was paid, told when they are done."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sim.gateway import Credentials, make_credentials
from sim.gateway.ledger import Why
from tests.integration.sim_gateway_rig import NOTIFY_URL, Answer, Rig, digits, open_receiver, open_rig

REFUNDS = "/v3/refund/domestic/refunds"
ORDER = "T-000001"


@pytest.fixture(scope="module")
def credentials(tmp_path_factory: pytest.TempPathFactory) -> Credentials:
    return make_credentials(tmp_path_factory.mktemp("keys"), digits)


@pytest.fixture
def rig(credentials: Credentials) -> Iterator[Rig]:
    with open_rig(credentials) as rig:
        yield rig


def refund(rig: Rig, refund_no: str, fen: int, total: int = 1250, **changed: object) -> Answer:
    body = {
        "out_trade_no": ORDER,
        "out_refund_no": refund_no,
        "amount": {"refund": fen, "total": total, "currency": "CNY"},
    } | changed
    return rig.post(REFUNDS, {name: value for name, value in body.items() if value is not None})


def status(rig: Rig, refund_no: str) -> str:
    return str(rig.get(f"{REFUNDS}/{refund_no}").json()["status"])


def test_a_refund_is_processing_then_success_and_the_shopper_has_the_money(rig: Rig) -> None:
    shopper = rig.paid_order(ORDER)
    told = refund(rig, "R1", 250).json()
    assert (told["status"], "success_time" in told) == ("PROCESSING", False)
    assert told["amount"]["refund"] == told["amount"]["payer_refund"] == 250
    assert (rig.balance(f"refunds:{rig.who.mchid}"), rig.balance(f"merchant:{rig.who.mchid}")) == (250, 1000)
    rig.clock.at += 999
    assert status(rig, "R1") == "PROCESSING"
    rig.clock.at += 1
    assert status(rig, "R1") == "SUCCESS"
    assert rig.balance(f"wallet:{shopper['wallet_id']}") == 100_000 - 1000
    assert rig.query(ORDER).json()["trade_state"] == "REFUND"


def test_the_same_refund_again_moves_nothing_more_and_tells_how_it_stands(rig: Rig) -> None:
    rig.paid_order(ORDER)
    first = refund(rig, "R1", 1250).json()
    assert refund(rig, "R1", 1250).json() == first
    rig.clock.at += 1_000
    assert refund(rig, "R1", 1250).json()["status"] == "SUCCESS"
    assert refund(rig, "R1", 1249).error == (400, "INVALID_REQUEST", "268498688")
    assert rig.balance(f"merchant:{rig.who.mchid}") == 0


@pytest.mark.parametrize(
    ("fen", "changed", "error", "says"),
    [
        (1251, {}, (400, "INVALID_REQUEST", "0"), "大于"),
        (100, {"total": 1300}, (400, "INVALID_REQUEST", "0"), "不一致"),
        (100, {"out_trade_no": "T-000009"}, (404, "RESOURCE_NOT_EXISTS", "268512771"), "不存在"),
        (100, {"out_trade_no": None}, (400, "PARAM_ERROR", "268435461"), "transaction_id"),
        (100, {"transaction_id": "4" * 28}, (404, "RESOURCE_NOT_EXISTS", "268512771"), "不存在"),
        (100, {"sub_mchid": "1900000222"}, (400, "PARAM_ERROR", "268447845"), "sub_mchid"),
        (0, {}, (400, "PARAM_ERROR", "268435464"), "/amount/refund"),
        (100, {"out_refund_no": "x" * 65}, (400, "PARAM_ERROR", "268435464"), "out_refund_no"),
        (100, {"refund_desc": "x"}, (400, "PARAM_ERROR", "270924358"), "refund_desc"),
    ],
)
def test_what_cannot_be_refunded_is_refused(
    rig: Rig, fen: int, changed: dict[str, object], error: tuple[int, str, str], says: str
) -> None:
    rig.paid_order(ORDER)
    total = changed.pop("total", 1250) if "total" in changed else 1250
    answer = refund(rig, "R1", fen, int(str(total)), **changed)
    assert answer.error == error
    assert says in answer.json()["message"]
    assert rig.balance(f"merchant:{rig.who.mchid}") == 1250


def test_partial_refunds_sum_to_what_was_paid_and_not_a_fen_more(rig: Rig) -> None:
    shopper = rig.paid_order(ORDER)
    for number, fen in (("R1", 1000), ("R2", 250)):
        assert refund(rig, number, fen).status == 200
    assert refund(rig, "R3", 1).error == (400, "INVALID_REQUEST", "0")
    rig.clock.at += 1_000
    assert (status(rig, "R1"), status(rig, "R2")) == ("SUCCESS", "SUCCESS")
    assert rig.balance(f"wallet:{shopper['wallet_id']}") == 100_000


def test_fifty_partial_refunds_are_the_most(rig: Rig) -> None:
    rig.paid_order(ORDER)
    for number in range(50):
        assert refund(rig, f"R{number}", 1).status == 200
    over = refund(rig, "R50", 1)
    assert (over.status, "50" in over.json()["message"]) == (400, True)


def test_an_order_that_is_not_paid_reversed_or_a_year_old_is_not_refunded(rig: Rig) -> None:
    rig.post("/v3/pay/transactions/native", rig.order(ORDER))
    assert refund(rig, "R1", 100).error == (400, "INVALID_REQUEST", "0")
    rig.codepay("T-000002", rig.code(rig.wallet()))
    reversing = {"appid": rig.who.appid, "mchid": rig.who.mchid}
    rig.post("/v3/pay/transactions/out-trade-no/T-000002/reverse", reversing)
    assert refund(rig, "R1", 100, out_trade_no="T-000002").error == (400, "INVALID_REQUEST", "0")
    rig.paid_order("T-000003")
    rig.clock.at += 365 * 86_400_000 + 1
    late = refund(rig, "R1", 100, out_trade_no="T-000003")
    assert "最大期限" in late.json()["message"]


def test_a_merchant_without_money_gets_not_enough_and_can_try_again_with_the_same_number(rig: Rig) -> None:
    rig.paid_order(ORDER)
    rig.server.office.ledger.move(f"merchant:{rig.who.mchid}", "world", 1250, Why("withdraw"))
    assert refund(rig, "R1", 100).error == (403, "NOT_ENOUGH", "0")
    rig.switch("/sim/merchants", {"mchid": rig.who.mchid, "deposit_fen": 100})
    assert refund(rig, "R1", 100).json()["status"] == "PROCESSING"


def test_by_transaction_id_by_both_numbers_and_not_by_two_orders(rig: Rig) -> None:
    rig.paid_order(ORDER)
    rig.paid_order("T-000002")
    number = rig.query(ORDER).json()["transaction_id"]
    assert refund(rig, "R1", 100, out_trade_no=None, transaction_id=number).json()["out_trade_no"] == ORDER
    assert refund(rig, "R2", 100, transaction_id=number).status == 200
    assert refund(rig, "R3", 100, out_trade_no="T-000002", transaction_id=number).status == 404


def test_a_closed_refund_gives_the_money_back_to_the_merchant_and_another_number_works(rig: Rig) -> None:
    shopper = rig.paid_order(ORDER)
    rig.switch("/sim/refunds", {"outcome": "CLOSED", "delay_ms": 0})
    assert refund(rig, "R1", 1250).status == 200
    assert status(rig, "R1") == "CLOSED"
    assert rig.balance(f"merchant:{rig.who.mchid}") == 1250
    assert rig.query(ORDER).json()["trade_state"] == "SUCCESS"
    rig.switch("/sim/refunds", {"outcome": "SUCCESS"})
    refund(rig, "R2", 1250)
    assert status(rig, "R2") == "SUCCESS"
    assert rig.balance(f"wallet:{shopper['wallet_id']}") == 100_000


def test_an_abnormal_refund_is_sent_to_another_account(rig: Rig) -> None:
    shopper = rig.paid_order(ORDER)
    rig.switch("/sim/refunds", {"outcome": "ABNORMAL", "delay_ms": 60_000})
    made = refund(rig, "R1", 1250).json()
    path = f"{REFUNDS}/{made['refund_id']}/apply-abnormal-refund"
    retry = {"out_refund_no": "R1", "type": "MERCHANT_BANK_CARD"}
    assert rig.post(path, retry).code == "INVALID_REQUEST"
    rig.clock.at += 60_000
    assert status(rig, "R1") == "ABNORMAL"
    assert rig.balance(f"refunds:{rig.who.mchid}") == 1250
    assert rig.post(path, retry).json()["status"] == "PROCESSING"
    rig.clock.at += 60_000
    assert status(rig, "R1") == "SUCCESS"
    assert rig.balance(f"wallet:{shopper['wallet_id']}") == 100_000


def test_an_unknown_refund_is_404(rig: Rig) -> None:
    assert rig.get(f"{REFUNDS}/R9").error == (404, "RESOURCE_NOT_EXISTS", "0")


@pytest.mark.parametrize("outcome", ["SUCCESS", "ABNORMAL", "CLOSED"])
def test_the_end_of_a_refund_is_told_by_callback(rig: Rig, outcome: str) -> None:
    with open_receiver(rig) as receiver:
        rig.paid_order(ORDER)
        assert len(receiver.wait(1)) == 1
        made = refund(rig, "R1", 250, notify_url=NOTIFY_URL + "/refund").json()
        ended = rig.switch(f"/sim/refunds/{made['refund_id']}", {"outcome": outcome})
        assert ended["status"] == outcome
        assert len(receiver.wait(2)) == 2
        event, told = receiver.told(1)
        assert event == f"REFUND.{outcome}"
        assert (told["refund_status"], told["out_refund_no"], told["mchid"]) == (outcome, "R1", rig.who.mchid)
        assert told["amount"] == {"total": 1250, "refund": 250, "payer_total": 1250, "payer_refund": 250}
        assert ("success_time" in told) == (outcome == "SUCCESS")


def test_parts_by_account_have_to_sum_to_the_refund(rig: Rig) -> None:
    rig.paid_order(ORDER)
    amount = {"refund": 100, "total": 1250, "currency": "CNY"}
    parts = [{"account": "AVAILABLE", "amount": 99}]
    assert refund(rig, "R1", 100, amount=amount | {"from": parts}).code == "PARAM_ERROR"
    parts[0]["amount"] = 100
    assert refund(rig, "R1", 100, amount=amount | {"from": parts}).status == 200
