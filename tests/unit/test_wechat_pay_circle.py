"""The business circle: points that are told, consents that are asked for, cars that came."""

from __future__ import annotations

from dataclasses import replace

import pytest

from edge.errors import Invalid, OutcomeUnknown, Unavailable
from edge.gateways.line import Unreadable
from edge.gateways.wechat_pay.business_circle import (
    Authorization,
    AuthorizeState,
    BusinessCircle,
    MallPayment,
    MallRefund,
    ParkingPresence,
    PointsNotice,
    read_mall_payment,
    read_mall_refund,
)
from edge.gateways.wechat_pay.channel import Refused
from tests.unit.test_wechat_pay_channel import LOST, SETTINGS, START_AT, Script, refusal

NOTICE = PointsNotice("4200001", "oUpF8", True, 12, START_AT, total_points=888)
PAYMENT = {
    "mchid": "301",
    "merchant_name": "某某",
    "shop_name": "一楼店",
    "shop_number": "A01",
    "appid": "wx1",
    "openid": "oUpF8",
    "time_end": "2026-11-22T16:00:00+08:00",
    "amount": 1250,
    "transaction_id": "4200001",
}
REFUND = {
    "mchid": "301",
    "openid": "oUpF8",
    "refund_time": "2026-11-22T16:00:00+08:00",
    "pay_amount": 1250,
    "refund_amount": 500,
    "transaction_id": "4200001",
    "refund_id": "5030001",
}


def test_points_are_told_also_when_there_are_none() -> None:
    script = Script().says(204).says(204)
    circle = BusinessCircle(script.channel())
    circle.notify_points(NOTICE)
    circle.notify_points(replace(NOTICE, earned=False, points=0, remark="不参与", total_points=None))
    told = {
        "transaction_id": "4200001",
        "appid": "wx1",
        "openid": "oUpF8",
        "earn_points": True,
        "increased_points": 12,
        "points_update_time": "2026-11-18T19:06:40+08:00",
    }
    assert script.lines == ["POST /v3/businesscircle/points/notify"] * 2
    assert script.bodies == [
        told | {"total_points": 888},
        told | {"earn_points": False, "increased_points": 0, "no_points_remarks": "不参与"},
    ]


def test_points_that_may_have_been_told_are_told_again() -> None:
    for script, outcome in (
        (Script().gives(LOST, LOST), OutcomeUnknown),
        (Script().says(400, refusal("PARAM_ERROR")), Refused),
    ):
        with pytest.raises(outcome):
            BusinessCircle(script.channel()).notify_points(NOTICE)
    with pytest.raises(Invalid):
        BusinessCircle(Script().channel()).notify_points(replace(NOTICE, points=-1))


def test_a_consent_is_typed_and_an_openid_is_quoted() -> None:
    script = Script().says(
        200, {"authorize_state": "AUTHORIZED", "authorize_time": "2026-11-22T16:00:00+08:00"}
    )
    circle = BusinessCircle(script.channel(replace(SETTINGS, sub_mchid="191", sub_appid="wx2")))
    assert circle.authorization("o/1") == Authorization(AuthorizeState.AUTHORIZED, 1795334400000, None)
    assert script.lines == ["GET /v3/businesscircle/user-authorizations/o%2F1?appid=wx2&sub_mchid=191"]
    with pytest.raises(Unavailable, match="of no use"):
        BusinessCircle(Script().says(200, {"authorize_state": "?"}).channel()).authorization("o1")


def test_the_state_of_waiting_points_is_the_gateways_own_word() -> None:
    script = Script().says(200, {"points_commit_status": "NOT_COMMITTED"}).says(200, {})
    circle = BusinessCircle(script.channel())
    assert circle.commit_status("o1", 1000) == "NOT_COMMITTED"
    assert script.lines == ["GET /v3/businesscircle/users/o1/points/commit_status?brandid=1000&appid=wx1"]
    with pytest.raises(Unavailable):
        circle.commit_status("o1", 1000)


@pytest.mark.parametrize(("is_in", "word"), [(True, "IN"), (False, "OUT")])
def test_a_car_is_told_by_its_chinese_plate(is_in: bool, word: str) -> None:
    script = Script().says(204)
    BusinessCircle(script.channel()).report_parking(
        ParkingPresence(1000, "oUpF8", "粤B12345", is_in, START_AT)
    )
    assert script.bodies == [
        {
            "brandid": 1000,
            "appid": "wx1",
            "openid": "oUpF8",
            "plate_number": "粤B12345",
            "state": word,
            "time": "2026-11-18T19:06:40+08:00",
        }
    ]


def test_mall_callbacks_are_typed() -> None:
    assert read_mall_payment(PAYMENT | {"commit_tag": "1"}) == MallPayment(
        "301", "某某", "一楼店", "A01", "wx1", "oUpF8", 1795334400000, 1250, "4200001", True
    )
    assert read_mall_payment(PAYMENT).is_by_hand is False
    assert read_mall_refund(REFUND) == MallRefund(
        "301", "oUpF8", 1795334400000, 1250, 500, "4200001", "5030001"
    )
    with pytest.raises(Unreadable):
        read_mall_payment(PAYMENT | {"amount": "12.50"})
    with pytest.raises(Unreadable):
        read_mall_refund({})
