"""Combined payment at the simulated gateway: several tenants' orders are paid together or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from sim.gateway import Credentials, make_credentials
from tests.integration.sim_gateway_rig import NOTIFY_URL, Rig, digits, open_receiver, open_rig

COMBINE = "/v3/combine-transactions"
BAKERY, SHOES = "1900000222", "1900000333"
NUMBER = "C-000001"


@pytest.fixture(scope="module")
def credentials(tmp_path_factory: pytest.TempPathFactory) -> Credentials:
    return make_credentials(tmp_path_factory.mktemp("keys"), digits)


@pytest.fixture
def rig(credentials: Credentials) -> Iterator[Rig]:
    with open_rig(credentials) as rig:
        for mchid in (BAKERY, SHOES):
            rig.switch("/sim/merchants", {"mchid": mchid, "sp_mchid": rig.who.mchid})
        yield rig


def sub_order(mchid: str, order_no: str, fen: int) -> dict[str, Any]:
    return {
        "mchid": mchid,
        "attach": "counter 7",
        "amount": {"total_amount": fen, "currency": "CNY"},
        "out_trade_no": order_no,
        "description": "sundries",
    }


def combined(rig: Rig, openid: str, *subs: dict[str, Any], **changed: object) -> dict[str, Any]:
    return {
        "combine_appid": rig.who.appid,
        "combine_mchid": rig.who.mchid,
        "combine_out_trade_no": NUMBER,
        "scene_info": {"payer_client_ip": "127.0.0.1", "device_id": "till-1"},
        "sub_orders": list(subs) or [sub_order(BAKERY, "S-000001", 1200), sub_order(SHOES, "S-000002", 800)],
        "combine_payer_info": {"openid": openid},
        "notify_url": NOTIFY_URL,
    } | changed


def test_all_orders_are_paid_at_once_each_to_its_own_merchant(rig: Rig) -> None:
    shopper = rig.wallet()
    with open_receiver(rig) as receiver:
        prepay = rig.post(f"{COMBINE}/jsapi", combined(rig, shopper["openid"])).json()["prepay_id"]
        sheet = rig.pay_by_phone(shopper, prepay)
        assert (sheet["state"], sheet["amount_fen"]) == ("paid", 2000)
        told = rig.get(f"{COMBINE}/out-trade-no/{NUMBER}").json()
        receiver.wait(1)
        assert receiver.told(0) == ("TRANSACTION.SUCCESS", told)
        # One callback for both; a third party's later one would make it two.
        assert len(receiver.got) == 1
    assert [sub["trade_state"] for sub in told["sub_orders"]] == ["SUCCESS", "SUCCESS"]
    assert told["sub_orders"][0]["amount"]["total_amount"] == 1200
    assert len({sub["transaction_id"] for sub in told["sub_orders"]}) == 2
    assert told["combine_payer_info"] == {"openid": shopper["openid"]}
    assert (rig.balance(f"merchant:{BAKERY}"), rig.balance(f"merchant:{SHOES}")) == (1200, 800)
    assert rig.balance(f"wallet:{shopper['wallet_id']}") == 98_000


def test_not_enough_for_all_pays_none(rig: Rig) -> None:
    shopper = rig.wallet(1_999)
    prepay = rig.post(f"{COMBINE}/jsapi", combined(rig, shopper["openid"])).json()["prepay_id"]
    assert rig.pay_by_phone(shopper, prepay)["state"] == "failed"
    told = rig.get(f"{COMBINE}/out-trade-no/{NUMBER}").json()
    assert [sub["trade_state"] for sub in told["sub_orders"]] == ["NOTPAY", "NOTPAY"]
    assert rig.balance(f"merchant:{BAKERY}") == 0


def test_a_qr_code_pays_all_too(rig: Rig) -> None:
    body = combined(rig, "")
    del body["combine_payer_info"]
    url = rig.post(f"{COMBINE}/native", body).json()["code_url"]
    given = {"code_url": url, "action": "types"}
    assert rig.switch(f"/sim/wallets/{rig.wallet()['wallet_id']}/scan", given)["state"] == "paid"
    assert rig.balance(f"merchant:{SHOES}") == 800


def test_the_same_again_is_the_same_and_another_is_refused(rig: Rig) -> None:
    shopper = rig.wallet()
    body = combined(rig, shopper["openid"])
    first = rig.post(f"{COMBINE}/jsapi", body).json()["prepay_id"]
    assert rig.post(f"{COMBINE}/jsapi", body).json()["prepay_id"] == first
    other = rig.post(f"{COMBINE}/jsapi", body | {"notify_url": NOTIFY_URL + "2"})
    assert other.error == (400, "INVALID_REQUEST", "268498688")
    rig.pay_by_phone(shopper, first)
    assert rig.post(f"{COMBINE}/jsapi", body).error == (400, "ORDER_PAID", "268449538")


def test_a_tenants_number_that_is_used_already_is_refused_and_nothing_is_opened(rig: Rig) -> None:
    shopper = rig.wallet()
    rig.post(f"{COMBINE}/jsapi", combined(rig, shopper["openid"]))
    subs = [sub_order(BAKERY, "S-000009", 1), sub_order(SHOES, "S-000002", 1)]
    again = combined(rig, shopper["openid"], *subs, combine_out_trade_no="C-000002")
    assert rig.post(f"{COMBINE}/jsapi", again).code == "OUT_TRADE_NO_USED"
    assert rig.get(f"{COMBINE}/out-trade-no/C-000002").error == (404, "ORDER_NOT_EXIST", "268512771")
    assert rig.server.office.orders.known(BAKERY, "S-000009") is None


@pytest.mark.parametrize(
    ("count", "partner", "status"),
    [
        (1, False, 400),
        (2, False, 200),
        (10, False, 200),
        (11, False, 400),
        (1, True, 200),
        (50, True, 200),
        (51, True, 400),
    ],
)
def test_merchants_combine_2_to_10_and_service_providers_1_to_50(
    rig: Rig, count: int, partner: bool, status: int
) -> None:
    subs = [sub_order(BAKERY, f"S-{number:06d}", 100) for number in range(count)]
    if partner:
        subs = [sub | {"mchid": rig.who.mchid, "sub_mchid": BAKERY} for sub in subs]
    answer = rig.post(f"{COMBINE}/jsapi", combined(rig, rig.wallet()["openid"], *subs))
    assert answer.status == status
    assert status == 200 or answer.error == (400, "PARAM_ERROR", "268435464")


def test_the_same_number_twice_and_a_stranger_are_refused(rig: Rig) -> None:
    openid = rig.wallet()["openid"]
    twice = [sub_order(BAKERY, "S-000001", 1), sub_order(BAKERY, "S-000001", 1)]
    assert rig.post(f"{COMBINE}/jsapi", combined(rig, openid, *twice)).code == "PARAM_ERROR"
    strangers = [sub_order(BAKERY, "S-000001", 1), sub_order("1900000444", "S-000002", 1)]
    assert rig.post(f"{COMBINE}/jsapi", combined(rig, openid, *strangers)).code == "MCH_NOT_EXISTS"
    other = combined(rig, openid, combine_mchid=BAKERY)
    assert rig.post(f"{COMBINE}/jsapi", other).error == (400, "PARAM_ERROR", "268447843")


def test_closing_names_all_orders_and_closes_all(rig: Rig) -> None:
    shopper = rig.wallet()
    prepay = rig.post(f"{COMBINE}/jsapi", combined(rig, shopper["openid"])).json()["prepay_id"]
    path = f"{COMBINE}/out-trade-no/{NUMBER}/close"
    subs = [{"mchid": BAKERY, "out_trade_no": "S-000001"}, {"mchid": SHOES, "out_trade_no": "S-000002"}]
    assert rig.post(path, {"combine_appid": rig.who.appid, "sub_orders": subs[:1]}).code == "PARAM_ERROR"
    for _ in range(2):
        assert rig.post(path, {"combine_appid": rig.who.appid, "sub_orders": subs}).status == 204
    told = rig.get(f"{COMBINE}/out-trade-no/{NUMBER}").json()
    assert [sub["trade_state"] for sub in told["sub_orders"]] == ["CLOSED", "CLOSED"]
    assert "已关闭" in rig.pay_by_phone(shopper, prepay)["error"]


def test_a_paid_one_cannot_be_closed(rig: Rig) -> None:
    shopper = rig.wallet()
    prepay = rig.post(f"{COMBINE}/jsapi", combined(rig, shopper["openid"])).json()["prepay_id"]
    rig.pay_by_phone(shopper, prepay)
    subs = [{"mchid": BAKERY, "out_trade_no": "S-000001"}, {"mchid": SHOES, "out_trade_no": "S-000002"}]
    body = {"combine_appid": rig.who.appid, "sub_orders": subs}
    answer = rig.post(f"{COMBINE}/out-trade-no/{NUMBER}/close", body)
    assert answer.error == (400, "ORDER_PAID", "268498689")


def test_one_tenants_order_is_refunded_alone(rig: Rig) -> None:
    shopper = rig.wallet()
    prepay = rig.post(f"{COMBINE}/jsapi", combined(rig, shopper["openid"])).json()["prepay_id"]
    rig.pay_by_phone(shopper, prepay)
    amount = {"refund": 800, "total": 800, "currency": "CNY"}
    body = {"out_trade_no": "S-000002", "out_refund_no": "R1", "amount": amount}
    assert rig.post("/v3/refund/domestic/refunds", body).json()["status"] == "PROCESSING"
    rig.clock.at += 1_000
    assert rig.get("/v3/refund/domestic/refunds/R1").json()["status"] == "SUCCESS"
    told = rig.get(f"{COMBINE}/out-trade-no/{NUMBER}").json()
    assert [sub["trade_state"] for sub in told["sub_orders"]] == ["SUCCESS", "REFUND"]
    assert (rig.balance(f"merchant:{BAKERY}"), rig.balance(f"merchant:{SHOES}")) == (1200, 0)
