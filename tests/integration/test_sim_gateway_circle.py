"""The business circle at the simulated gateway: consents, payments at shops, points, cars, callbacks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from edge.gateways.wechat_pay.business_circle import read_mall_payment, read_mall_refund
from sim.gateway import Credentials, make_credentials
from tests.integration.sim_gateway_rig import (
    NOTIFY_URL,
    Answer,
    Receiver,
    Rig,
    digits,
    open_receiver,
    open_rig,
)

BASE = "/v3/businesscircle"
TIME = "2026-11-18T19:06:40.120+08:00"
SHOP = {"merchant_name": "某某茶业", "shop_name": "一楼店", "shop_number": "A01"}


@pytest.fixture(scope="module")
def credentials(tmp_path_factory: pytest.TempPathFactory) -> Credentials:
    return make_credentials(tmp_path_factory.mktemp("keys"), digits)


@pytest.fixture
def rig(credentials: Credentials) -> Iterator[Rig]:
    with open_rig(credentials) as rig:
        rig.switch("/sim/circle/shops", {"mchid": rig.who.mchid, **SHOP})
        rig.switch("/sim/circle", {"notify_url": NOTIFY_URL + "/mall"})
        yield rig


@pytest.fixture
def receiver(rig: Rig) -> Iterator[Receiver]:
    with open_receiver(rig) as receiver:
        yield receiver


def consent(rig: Rig, openid: str, action: str = "authorize") -> None:
    rig.switch("/sim/circle/consents", {"openid": openid, "action": action})


def member(rig: Rig) -> dict[str, Any]:
    wallet = rig.wallet()
    consent(rig, wallet["openid"])
    return wallet


def buy(rig: Rig, wallet: dict[str, Any], order_no: str = "T-000001") -> str:
    body = rig.order(order_no, wallet["openid"], notify_url="https://elsewhere.example.com/pay")
    prepay = rig.post("/v3/pay/transactions/jsapi", body).json()["prepay_id"]
    assert rig.pay_by_phone(wallet, prepay)["state"] == "paid"
    return str(rig.query(order_no).json()["transaction_id"])


def points(rig: Rig, transaction: str, payer: str, **changed: object) -> Answer:
    body = {
        "transaction_id": transaction,
        "appid": rig.who.appid,
        "openid": payer,
        "earn_points": True,
        "increased_points": 12,
        "points_update_time": TIME,
    } | changed
    return rig.post(BASE + "/points/notify", body)


def park(rig: Rig, openid: str, state: str = "IN", **changed: object) -> Answer:
    body = {
        "brandid": 1000,
        "appid": rig.who.appid,
        "openid": openid,
        "plate_number": "粤B12345",
        "state": state,
        "time": TIME,
    } | changed
    return rig.post(BASE + "/parkings", body)


def status(rig: Rig, openid: str) -> Answer:
    return rig.get(f"{BASE}/users/{openid}/points/commit_status?brandid=1000&appid={rig.who.appid}")


def test_a_consent_a_payment_and_a_refund_are_told_to_the_mall(rig: Rig, receiver: Receiver) -> None:
    wallet = member(rig)
    transaction = buy(rig, wallet)
    receiver.wait(2)
    assert points(rig, transaction, wallet["openid"]).status == 204
    amount = {"refund": 500, "total": 1250, "currency": "CNY"}
    refund = {"transaction_id": transaction, "out_refund_no": "R1", "amount": amount}
    rig.post("/v3/refund/domestic/refunds", refund)
    rig.clock.at += 1_000
    rig.server.tick()
    receiver.wait(3)
    told = dict(receiver.told(index) for index in range(3))
    assert told["MALL_AUTH.ACTIVATE_CARD"]["auth_type"] == "REGISTERED_AND_AUTHORIZATION_MODE"
    paid = read_mall_payment(told["MALL_TRANSACTION.SUCCESS"])
    assert (paid.merchant, paid.shop_number, paid.amount_fen) == (rig.who.mchid, "A01", 1250)
    assert (paid.openid, paid.transaction_id, paid.is_by_hand) == (wallet["openid"], transaction, False)
    back = read_mall_refund(told["MALL_REFUND.SUCCESS"])
    assert (back.paid_fen, back.refunded_fen, back.transaction_id) == (1250, 500, transaction)


def test_without_consent_or_points_nothing_is_told(rig: Rig, receiver: Receiver) -> None:
    stranger = rig.wallet()
    transaction = buy(rig, stranger)
    assert points(rig, transaction, stranger["openid"]).error == (404, "RESOURCE_NOT_EXISTS", "0")
    wallet = member(rig)
    known = buy(rig, wallet, "T-000002")
    receiver.wait(2)
    refund = {
        "transaction_id": known,
        "out_refund_no": "R1",
        "amount": {"refund": 500, "total": 1250, "currency": "CNY"},
    }
    rig.post("/v3/refund/domestic/refunds", refund)
    rig.clock.at += 1_000
    assert rig.get("/v3/refund/domestic/refunds/R1").json()["status"] == "SUCCESS"
    events = [notice["event_type"] for notice in rig.switch("/sim/notices")["notices"]]
    assert "MALL_REFUND.SUCCESS" not in events
    assert events.count("MALL_TRANSACTION.SUCCESS") == 1


def test_a_consent_is_asked_for_and_taken_back(rig: Rig) -> None:
    wallet = rig.wallet()
    ask = f"{BASE}/user-authorizations/{wallet['openid']}?appid={rig.who.appid}"
    assert rig.get(ask).json() == {"openid": wallet["openid"], "authorize_state": "UNAUTHORIZED"}
    consent(rig, wallet["openid"])
    told = rig.get(ask).json()
    assert (told["authorize_state"], "deauthorize_time" in told) == ("AUTHORIZED", False)
    consent(rig, wallet["openid"], "deauthorize")
    told = rig.get(ask).json()
    assert told["authorize_state"] == "DEAUTHORIZED"
    assert {"authorize_time", "deauthorize_time"} <= set(told)
    assert rig.get(ask.replace(wallet["openid"], "oNobody")).code == "PARAM_ERROR"
    assert rig.get(ask + "x").number == "268445527"
    assert rig.get(ask + "&page=1").number == "270924358"


def test_points_of_today_wait_until_they_are_told_also_when_there_are_none(rig: Rig) -> None:
    wallet = member(rig)
    assert status(rig, wallet["openid"]).json() == {"points_commit_status": "FINISHED"}
    transaction = buy(rig, wallet)
    assert status(rig, wallet["openid"]).json() == {"points_commit_status": "PENDING"}
    none = {"earn_points": False, "increased_points": 0, "no_points_remarks": "不参与"}
    assert points(rig, transaction, wallet["openid"], **none).status == 204
    assert status(rig, wallet["openid"]).json() == {"points_commit_status": "FINISHED"}
    assert points(rig, transaction, wallet["openid"], total_points=888).status == 204
    kept = rig.switch("/sim/circle")["payment"][0]
    assert (kept["earned"], kept["points"], kept["total"]) == (1, 12, 888)
    assert status(rig, rig.wallet()["openid"]).error == (403, "NO_AUTH", "0")


@pytest.mark.parametrize(
    ("changed", "number"),
    [
        ({"earn_points": None}, "268435461"),
        ({"earn_points": "true"}, "268435461"),
        ({"increased_points": -1}, "268435464"),
        ({"points_update_time": "2026-11-18 19:06:40"}, "268435464"),
        ({"openid": "oOther"}, "268435461"),
        ({"points": 1}, "270924358"),
        ({"appid": "wx0"}, "268445527"),
    ],
)
def test_points_are_checked(rig: Rig, changed: dict[str, object], number: str) -> None:
    wallet = member(rig)
    answer = points(rig, buy(rig, wallet), wallet["openid"], **changed)
    assert (answer.status, answer.number) == (400, number)


def test_cars_come_and_go_and_an_older_word_changes_nothing(rig: Rig) -> None:
    openid = member(rig)["openid"]
    assert park(rig, openid).status == 204
    assert park(rig, openid).status == 204
    assert park(rig, openid, "OUT", time="2026-11-18T19:06:39+08:00").status == 204
    assert [car["state"] for car in rig.switch("/sim/circle")["car"]] == ["IN"]
    assert park(rig, openid, "OUT", time="2026-11-18T20:06:40+08:00").status == 204
    assert [car["state"] for car in rig.switch("/sim/circle")["car"]] == ["OUT"]
    assert park(rig, openid, "GONE").number == "268435464"
    assert park(rig, openid, plate_number="12345").number == "268435464"
    assert park(rig, openid, brandid="1000").number == "268435461"


def test_payments_may_count_only_while_the_car_is_in_or_by_hand(rig: Rig) -> None:
    rig.switch("/sim/circle", {"automatic": "present"})
    wallet = member(rig)
    by_hand = buy(rig, wallet)
    assert rig.switch("/sim/circle")["payment"] == []
    rig.switch("/sim/circle/commits", {"transaction_id": by_hand})
    park(rig, wallet["openid"])
    automatic = buy(rig, wallet, "T-000002")
    notices = [
        notice
        for notice in rig.switch("/sim/notices")["notices"]
        if notice["event_type"] == "MALL_TRANSACTION.SUCCESS"
    ]
    tags = {one["resource"]["transaction_id"]: one["resource"].get("commit_tag") for one in notices}
    assert tags == {by_hand: "Y", automatic: None}


def test_a_merchant_without_a_circle_is_refused(rig: Rig) -> None:
    wallet = member(rig)
    rig.switch("/sim/circle", {"mchid": "1900000999"})
    assert park(rig, wallet["openid"]).error == (403, "NO_AUTH", "0")
    assert points(rig, buy(rig, wallet), wallet["openid"]).status == 403
