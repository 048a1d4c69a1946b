"""Parking paid by plate, and the page after payment, at the simulated gateway."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest

from sim.gateway import Credentials, make_credentials
from tests.integration.sim_gateway_rig import NOTIFY_URL, Answer, Rig, digits, open_receiver, open_rig

SUB, PLATE, COLOR = "1900000301", "粤B12345", "BLUE"
GOLD = "/v3/goldplan/merchants"
TIME, LATER = "2026-11-18T19:06:40+08:00", "2026-11-18T20:06:40+08:00"


@pytest.fixture(scope="module")
def credentials(tmp_path_factory: pytest.TempPathFactory) -> Credentials:
    return make_credentials(tmp_path_factory.mktemp("keys"), digits)


@pytest.fixture
def rig(credentials: Credentials) -> Iterator[Rig]:
    with open_rig(credentials) as rig:
        rig.switch("/sim/merchants", {"mchid": SUB, "sp_mchid": rig.who.mchid, "appids": ["wxsub1"]})
        yield rig


def serve(rig: Rig, openid: str, state: str = "NORMAL") -> None:
    plate = {"plate_number": PLATE, "plate_color": COLOR, "openid": openid, "state": state}
    assert rig.switch("/sim/vehicle/plates", plate)["state"] == state


def owner(rig: Rig, balance_fen: int = 100_000) -> str:
    openid = str(rig.wallet(balance_fen)["openid"])
    serve(rig, openid)
    return openid


def enter(rig: Rig, number: str = "P1", **changed: object) -> Answer:
    body = {
        "sub_mchid": SUB,
        "out_parking_no": number,
        "plate_number": PLATE,
        "plate_color": COLOR,
        "notify_url": NOTIFY_URL + "/car",
        "start_time": TIME,
        "parking_name": "南门停车场",
        "free_duration": 0,
    } | changed
    return rig.post("/v3/vehicle/parking/parkings", body)


def charge(rig: Rig, parking_id: str, order_no: str = "V-000001", **changed: object) -> Answer:
    info = {
        "parking_id": parking_id,
        "plate_number": PLATE,
        "plate_color": COLOR,
        "start_time": TIME,
        "end_time": LATER,
        "parking_name": "南门停车场",
        "charging_duration": 3600,
        "device_id": "exit-1",
    } | {key: changed.pop(key) for key in list(changed) if key in ("plate_number", "end_time")}
    body = {
        "appid": rig.who.appid,
        "sub_appid": "wxsub1",
        "sub_mchid": SUB,
        "description": "停车",
        "out_trade_no": order_no,
        "trade_scene": "PARKING",
        "notify_url": NOTIFY_URL + "/car",
        "profit_sharing": "N",
        "amount": {"total": 800, "currency": "CNY"},
        "parking_info": info,
    } | changed
    return rig.post("/v3/vehicle/transactions/parking", body)


def query(rig: Rig, order_no: str = "V-000001") -> Any:
    return rig.get(f"/v3/vehicle/transactions/out-trade-no/{order_no}?sub_mchid={SUB}").json()


def find(rig: Rig, openid: str) -> Any:
    target = "/v3/vehicle/parking/services/find?" + "&".join(
        f"{name}={quote(value)}"
        for name, value in {
            "appid": rig.who.appid,
            "plate_number": PLATE,
            "plate_color": COLOR,
            "openid": openid,
            "sub_mchid": SUB,
        }.items()
    )
    return rig.get(target).json()


def test_a_plate_is_served_for_its_owner_alone(rig: Rig) -> None:
    openid, other = owner(rig), str(rig.wallet()["openid"])
    assert find(rig, openid)["service_state"] == "NORMAL"
    assert find(rig, other)["service_state"] == "OUT_SERVICE"
    serve(rig, openid, "PAUSE")
    assert find(rig, openid)["service_state"] == "PAUSE"


def test_a_car_comes_goes_and_is_paid_a_moment_later(rig: Rig) -> None:
    openid = owner(rig)
    with open_receiver(rig) as receiver:
        parking = enter(rig).json()
        assert parking["state"] == "NORMAL"
        assert enter(rig).json() == parking
        assert enter(rig, free_duration=1).error == (400, "INVALID_REQUEST", "268498688")
        told = charge(rig, parking["id"]).json()
        assert (told["trade_state"], "transaction_id" in told) == ("ACCEPTED", False)
        assert charge(rig, parking["id"]).json()["trade_state"] == "ACCEPTED"
        rig.clock.at += 1_000
        paid = query(rig)
        assert (paid["trade_state"], paid["payer"]["openid"]) == ("SUCCESS", openid)
        assert rig.balance(f"merchant:{SUB}") == 800
        receiver.wait(1)
        event, plain = receiver.told(0)
        assert (event, plain["trade_scene"], plain["transaction_id"]) == (
            "TRANSACTION.SUCCESS",
            "PARKING",
            paid["transaction_id"],
        )
    assert charge(rig, parking["id"], "V-000002").error == (400, "INVALID_REQUEST", "0")
    amount = {"refund": 800, "total": 800, "currency": "CNY"}
    refund = {"sub_mchid": SUB, "out_trade_no": "V-000001", "out_refund_no": "R1", "amount": amount}
    assert rig.post("/v3/refund/domestic/refunds", refund).status == 200
    assert query(rig)["trade_state"] == "REFUND"


def test_who_cannot_pay_is_overdue_until_the_debt_is_paid(rig: Rig) -> None:
    openid = owner(rig, 100)
    with open_receiver(rig) as receiver:
        charge(rig, enter(rig).json()["id"])
        rig.clock.at += 1_000
        rig.server.tick()
        assert query(rig)["trade_state"] == "PAY_FAIL"
        receiver.wait(1)
        assert receiver.told(0)[0] == "TRANSACTION.FAIL"
        blocked = enter(rig, "P2").json()
        assert (blocked["state"], blocked["block_reason"]) == ("BLOCKED", "OVERDUE")
        assert charge(rig, blocked["id"], "V-000002").error == (403, "NO_AUTH", "0")
        rig.switch("/sim/wallets/w1", {"balance_fen": 10_000})
        rig.switch("/sim/vehicle/repay", {"openid": openid})
        receiver.wait(3)
        told = dict(receiver.told(index) for index in range(3))
    assert told["TRANSACTION.PAY_BACK"]["user_repaid"] == "Y"
    change = told["VEHICLE.ENTRANCE_STATE_CHANGE"]
    assert (change["parking_state"], change["out_parking_no"]) == ("NORMAL", "P2")
    assert (query(rig)["trade_state"], query(rig)["user_repaid"]) == ("SUCCESS", "Y")
    assert charge(rig, blocked["id"], "V-000002").json()["trade_state"] == "ACCEPTED"


def test_a_pause_while_the_car_is_in_is_told(rig: Rig) -> None:
    openid = owner(rig)
    with open_receiver(rig) as receiver:
        enter(rig)
        serve(rig, openid, "PAUSE")
        receiver.wait(1)
        _, plain = receiver.told(0)
    assert (plain["parking_state"], plain["blocked_state_description"]) == ("BLOCKED", "PAUSE")
    assert plain["plate_number"] == PLATE


@pytest.mark.parametrize(
    ("changed", "number"),
    [
        ({"notify_url": "http://a.example.com/x"}, "268435464"),
        ({"plate_color": "RED"}, "268435464"),
        ({"plate_number": "B12345"}, "268435464"),
        ({"free_duration": -1}, "268435464"),
        ({"free_duration": "0"}, "268435461"),
        ({"car_type": "x"}, "270924358"),
    ],
)
def test_what_comes_in_is_checked(rig: Rig, changed: dict[str, object], number: str) -> None:
    answer = enter(rig, **changed)
    assert (answer.status, answer.number) == (400, number)


def test_what_is_charged_for_has_to_be_the_car_that_came_in(rig: Rig) -> None:
    owner(rig)
    parking = str(enter(rig).json()["id"])
    assert charge(rig, parking, plate_number="粤B54321").number == "268435461"
    assert charge(rig, parking, end_time="2026-11-18T18:06:40+08:00").number == "268435461"
    assert charge(rig, "5K0", "V-000003").error == (404, "RESOURCE_NOT_EXISTS", "0")
    assert charge(rig, parking, trade_scene="ETC").number == "268435464"
    assert charge(rig, parking, profit_sharing=False).number == "268435461"
    assert rig.get("/v3/vehicle/transactions/out-trade-no/V-000009").status == 404


def gold(rig: Rig, path: str, method: str = "POST", **fields: object) -> Answer:
    return rig.call(method, f"{GOLD}/{path}", {"sub_mchid": SUB, **fields})


def plan(rig: Rig) -> dict[str, Any]:
    found: list[dict[str, Any]] = rig.switch("/sim/gold-plan")
    return found[0]


def test_the_page_after_payment_is_opened_and_closed(rig: Rig) -> None:
    assert gold(rig, "changecustompagestatus", operation_type="OPEN").error[:2] == (400, "INVALID_REQUEST")
    opened = gold(rig, "changegoldplanstatus", operation_type="OPEN", operation_pay_scene="MINIPROGRAM")
    assert opened.json() == {"sub_mchid": SUB}
    assert gold(rig, "changecustompagestatus", operation_type="OPEN").json() == {"sub_mchid": SUB}
    filters = ["SOFTWARE", "SECURITY", "LOVE_MARRIAGE"]
    assert gold(rig, "open-advertising-show", "PATCH", advertising_industry_filters=filters).status == 204
    assert gold(rig, "set-advertising-industry-filter", advertising_industry_filters=["FOOD"]).status == 204
    kept = plan(rig)
    assert (kept["plan"], kept["page"], kept["advertising"], kept["filters"]) == (
        "OPEN",
        "OPEN",
        "OPEN",
        "FOOD",
    )
    assert kept["counts_from"] == rig.clock.at + 300_000
    assert gold(rig, "close-advertising-show").status == 204
    gold(rig, "changegoldplanstatus", operation_type="CLOSE")
    assert (plan(rig)["plan"], plan(rig)["page"]) == ("CLOSE", "CLOSE")
    rig.clock.at += 24 * 3_600_000 - 1
    assert "24" in gold(rig, "changegoldplanstatus", operation_type="OPEN").json()["message"]
    rig.clock.at += 1
    assert gold(rig, "changegoldplanstatus", operation_type="OPEN").status == 200


@pytest.mark.parametrize(
    ("fields", "number"),
    [
        ({"advertising_industry_filters": []}, "268435464"),
        ({"advertising_industry_filters": ["FOOD"] * 4}, "268435464"),
        ({"advertising_industry_filters": ["PHOTOGRAPHY"]}, "268435464"),
        ({}, "268435461"),
        ({"advertising_industry_filters": ["FOOD"], "x": 1}, "270924358"),
    ],
)
def test_filters_are_one_to_three_known_words(rig: Rig, fields: dict[str, object], number: str) -> None:
    gold(rig, "changegoldplanstatus", operation_type="OPEN")
    answer = gold(rig, "set-advertising-industry-filter", **fields)
    assert (answer.status, answer.number) == (400, number)


def test_only_its_service_provider_changes_a_merchants_page(rig: Rig) -> None:
    body = {"sub_mchid": rig.who.mchid, "operation_type": "OPEN"}
    assert rig.post(GOLD + "/changegoldplanstatus", body).error == (403, "NO_AUTH", "268443704")
