"""Orders for the phone: what is sent, what is signed for the mini-program, what each answer means."""

from __future__ import annotations

import base64
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.hashes import SHA256

from edge.errors import Invalid, OutcomeUnknown, Unavailable
from edge.gateways.wechat_pay.channel import Refused
from edge.gateways.wechat_pay.combine import Combine, CombineOrder, CombinePart
from edge.gateways.wechat_pay.prepay import AlreadyPaid, Prepay, PrepayOrder
from edge.services.payment_ports import PaymentState
from tests.unit.test_wechat_pay_channel import (
    LOST,
    MERCHANT,
    SETTINGS,
    START_AT,
    Script,
    refusal,
    unsigned,
)

ORDER = PrepayOrder("T-0001", 1250, "可乐,大杯", expires_at=START_AT, attach="lane-1")
PARTNER = replace(SETTINGS, sub_mchid="191")
PARTS = (
    CombinePart("301", "P-0001", 1000, "茶", "t1"),
    CombinePart("302", "P-0002", 250, "包", "t2", profit_sharing=True),
)
COMBINED = CombineOrder("C-0001", PARTS)


def test_a_mini_program_order_has_the_documented_fields() -> None:
    script = Script().says(200, {"prepay_id": "wx2611"})
    assert Prepay(script.channel()).jsapi(ORDER, "oUpF8") == "wx2611"
    assert script.lines == ["POST /v3/pay/transactions/jsapi"]
    assert script.bodies == [
        {
            "appid": "wx1",
            "mchid": "190",
            "description": "可乐 大杯",
            "out_trade_no": "T-0001",
            "notify_url": "https://hq.example.com/notify/wechat",
            "amount": {"total": 1250, "currency": "CNY"},
            "time_expire": "2026-11-18T19:06:40+08:00",
            "attach": "lane-1",
            "payer": {"openid": "oUpF8"},
        }
    ]


def test_a_native_order_has_no_payer_and_gives_a_code() -> None:
    script = Script().says(200, {"code_url": "weixin://wxpay/bizpayurl/up?pr=1"})
    order = replace(ORDER, expires_at=None, attach="", profit_sharing=True)
    assert Prepay(script.channel()).native(order) == "weixin://wxpay/bizpayurl/up?pr=1"
    (body,) = script.bodies
    assert not {"payer", "attach", "time_expire"} & set(body)
    assert body["settle_info"] == {"profit_sharing": True}


@pytest.mark.parametrize(
    ("sub_appid", "identity", "payer"),
    [
        ("", {"sp_appid": "wx1", "sp_mchid": "190", "sub_mchid": "191"}, {"sp_openid": "o1"}),
        (
            "wx2",
            {"sp_appid": "wx1", "sp_mchid": "190", "sub_appid": "wx2", "sub_mchid": "191"},
            {"sub_openid": "o1"},
        ),
    ],
)
def test_a_service_provider_uses_its_own_path_and_names(
    sub_appid: str, identity: dict[str, str], payer: dict[str, str]
) -> None:
    script = Script().says(200, {"prepay_id": "wx2611"}).says(404, refusal("ORDER_NOT_EXIST"))
    prepay = Prepay(script.channel(replace(PARTNER, sub_appid=sub_appid)))
    prepay.jsapi(ORDER, "o1")
    assert prepay.transaction("4200001") is None
    assert script.lines == [
        "POST /v3/pay/partner/transactions/jsapi",
        "GET /v3/pay/partner/transactions/id/4200001?sp_mchid=190&sub_mchid=191",
    ]
    assert script.bodies[0].items() >= identity.items()
    assert script.bodies[0]["payer"] == payer
    assert "mchid" not in script.bodies[0]


@pytest.mark.parametrize(("sub_appid", "signs_for"), [("", "wx1"), ("wx2", "wx2")])
def test_what_starts_the_payment_is_signed_for_the_mini_program_that_does(
    sub_appid: str, signs_for: str
) -> None:
    channel = Script().channel(replace(PARTNER, sub_appid=sub_appid))
    payment = Prepay(channel).payment("wx2611")
    params = payment.as_params()
    assert set(params) == {"timeStamp", "nonceStr", "package", "signType", "paySign"}
    assert (params["timeStamp"], params["package"], params["signType"]) == (
        str(START_AT // 1000),
        "prepay_id=wx2611",
        "RSA",
    )
    message = f"{signs_for}\n{params['timeStamp']}\n{params['nonceStr']}\nprepay_id=wx2611\n".encode()
    MERCHANT.public_key().verify(base64.b64decode(params["paySign"]), message, padding.PKCS1v15(), SHA256())


def test_paid_before_is_no_refusal() -> None:
    script = Script().says(400, refusal("ORDER_PAID")).says(400, refusal("INVALID_REQUEST"), "268498689")
    for _ in range(2):
        with pytest.raises(AlreadyPaid, match="T-0001 is paid already"):
            Prepay(script.channel()).jsapi(ORDER, "o1")
    assert issubclass(AlreadyPaid, OutcomeUnknown)


def test_other_answers_refuse_or_ask_to_send_the_same_again() -> None:
    with pytest.raises(Refused, match="ORDER_CLOSED"):
        Prepay(Script().says(400, refusal("ORDER_CLOSED")).channel()).jsapi(ORDER, "o1")
    for script in (
        Script().gives(LOST, LOST),
        Script().gives(unsigned(400, "ORDER_CLOSED")),
        Script().says(200, {"code_url": "x"}),
        Script().says(200, {"prepay_id": 5}),
    ):
        with pytest.raises(Unavailable):
            Prepay(script.channel()).jsapi(ORDER, "o1")


@pytest.mark.parametrize(
    "change", [{"amount_fen": 0}, {"amount_fen": 2_000_000_000}, {"merchant_order_no": "x"}]
)
def test_unusable_orders_are_refused_before_they_are_sent(change: dict[str, object]) -> None:
    script = Script()
    with pytest.raises(Invalid):
        Prepay(script.channel()).native(replace(ORDER, **change))  # type: ignore[arg-type]
    with pytest.raises(Invalid, match="openid"):
        Prepay(script.channel()).jsapi(ORDER, "")
    with pytest.raises(Invalid, match="notify_url is not set"):
        Prepay(script.channel(replace(SETTINGS, notify_url=""))).native(ORDER)
    assert script.asked == []


PAID: dict[str, object] = {
    "appid": "wx1",
    "mchid": "190",
    "out_trade_no": "T-0001",
    "transaction_id": "4200001",
    "trade_type": "JSAPI",
    "trade_state": "SUCCESS",
    "bank_type": "OTHERS",
    "attach": "lane-1",
    "success_time": "2026-11-22T16:00:00+08:00",
    "payer": {"openid": "oUpF8"},
    "amount": {"total": 1250, "payer_total": 1000, "currency": "CNY"},
}


def test_an_order_is_found_by_the_gateways_number() -> None:
    script = Script().says(200, PAID)
    found = Prepay(script.channel()).transaction("4200001")
    assert found is not None
    assert (found.merchant_order_no, found.state, found.amount_fen, found.payer_fen, found.payer) == (
        "T-0001",
        PaymentState.APPROVED,
        1250,
        1000,
        "oUpF8",
    )
    assert (found.paid_at, found.attach, found.word, found.trade_type) == (
        1795334400000,
        "lane-1",
        "SUCCESS",
        "JSAPI",
    )
    assert script.lines == ["GET /v3/pay/transactions/id/4200001?mchid=190"]


@pytest.mark.parametrize(
    "change",
    [
        {"mchid": "191"},
        {"appid": "wx2"},
        {"trade_state": "NEW"},
        {"transaction_id": None},
        {"amount": {"total": 1250, "currency": "USD"}},
        {"amount": {}},
        {"amount": {"total": -1}},
        {"success_time": "yesterday"},
        {"success_time": "2026-11-22T16:00:00"},
        {"payer": []},
    ],
)
def test_an_answer_that_is_not_ours_or_broken_is_of_no_use(change: dict[str, object]) -> None:
    with pytest.raises(Unavailable, match="of no use"):
        Prepay(Script().says(200, PAID | change).channel()).transaction("4200001")


def test_a_combined_order_names_each_tenant() -> None:
    script = Script().says(200, {"prepay_id": "wx2612"}).says(200, {"code_url": "weixin://c"})
    combine = Combine(script.channel())
    assert combine.jsapi(COMBINED, "o1") == "wx2612"
    assert combine.native(replace(COMBINED, expires_at=START_AT)) == "weixin://c"
    body = script.bodies[0]
    assert body["combine_payer_info"] == {"openid": "o1"}
    assert body["sub_orders"] == [
        {
            "mchid": "301",
            "attach": "t1",
            "amount": {"total_amount": 1000, "currency": "CNY"},
            "out_trade_no": "P-0001",
            "description": "茶",
        },
        {
            "mchid": "302",
            "attach": "t2",
            "amount": {"total_amount": 250, "currency": "CNY"},
            "out_trade_no": "P-0002",
            "description": "包",
            "settle_info": {"profit_sharing": True},
        },
    ]
    assert script.bodies[1]["time_expire"] == "2026-11-18T19:06:40+08:00"
    assert script.lines == ["POST /v3/combine-transactions/jsapi", "POST /v3/combine-transactions/native"]


@pytest.mark.parametrize(
    "order",
    [
        CombineOrder("C-0001", PARTS[:1]),
        CombineOrder("C-0001", PARTS * 6),
        CombineOrder("P-0001", PARTS),
        CombineOrder("C-0001", (PARTS[0], replace(PARTS[1], merchant_order_no="P-0001"))),
        CombineOrder("C-0001", (PARTS[0], replace(PARTS[1], attach=""))),
        CombineOrder("C-0001", (PARTS[0], replace(PARTS[1], amount_fen=0))),
        CombineOrder("C-0001", (PARTS[0], replace(PARTS[1], amount_fen=1_000_000_000))),
        CombineOrder("C", PARTS),
    ],
)
def test_a_combined_order_that_cannot_be_is_refused_before_it_is_sent(order: CombineOrder) -> None:
    script = Script()
    with pytest.raises(Invalid):
        Combine(script.channel()).native(order)
    assert script.asked == []


def sub(number: str, merchant: str, fen: int) -> dict[str, object]:
    return {
        "mchid": merchant,
        "out_trade_no": number,
        "transaction_id": f"42{number}",
        "trade_state": "SUCCESS",
        "trade_type": "JSAPI",
        "attach": "t",
        "success_time": "2026-11-22T16:00:00+08:00",
        "amount": {"total_amount": fen, "payer_amount": fen, "currency": "CNY"},
    }


FOUND: dict[str, object] = {
    "combine_appid": "wx1",
    "combine_mchid": "190",
    "combine_out_trade_no": "C-0001",
    "combine_payer_info": {"openid": "o1"},
    "sub_orders": [sub("P-0001", "301", 1000), sub("P-0002", "302", 250)],
}


def test_a_combined_order_is_found_with_each_part_and_closed() -> None:
    script = Script().says(200, FOUND).says(404, refusal("ORDER_NOT_EXIST")).says(204)
    combine = Combine(script.channel())
    found = combine.query("C-0001")
    assert found is not None
    assert [(part.merchant, part.transaction.amount_fen, part.transaction.payer) for part in found.parts] == [
        ("301", 1000, "o1"),
        ("302", 250, "o1"),
    ]
    assert combine.query("C-0001") is None
    combine.close(COMBINED)
    assert script.lines[1:] == [
        "GET /v3/combine-transactions/out-trade-no/C-0001",
        "POST /v3/combine-transactions/out-trade-no/C-0001/close",
    ]
    assert script.bodies[2] == {
        "combine_appid": "wx1",
        "sub_orders": [
            {"mchid": "301", "out_trade_no": "P-0001"},
            {"mchid": "302", "out_trade_no": "P-0002"},
        ],
    }
    with pytest.raises(Refused, match="ORDER_PAID"):
        Combine(Script().says(400, refusal("ORDER_PAID")).channel()).close(COMBINED)


@pytest.mark.parametrize(
    "change",
    [{"combine_mchid": "1"}, {"combine_out_trade_no": "C-0002"}, {"sub_orders": []}, {"sub_orders": 1}],
)
def test_a_combined_answer_about_something_else_is_of_no_use(change: dict[str, object]) -> None:
    with pytest.raises(Unavailable, match="of no use"):
        Combine(Script().says(200, FOUND | change).channel()).query("C-0001")


def test_a_service_provider_combines_for_its_sub_merchants_and_may_do_so_with_one() -> None:
    script = Script().says(200, {"prepay_id": "x"})
    Combine(script.channel(PARTNER)).jsapi(CombineOrder("C-0001", PARTS[:1]), "o1")
    parts = script.bodies[0]["sub_orders"]
    assert isinstance(parts, list)
    assert [(part["mchid"], part["sub_mchid"]) for part in parts] == [("190", "301")]
