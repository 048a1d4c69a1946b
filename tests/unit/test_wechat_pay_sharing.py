"""Profit sharing: numbers decide, not luck; names travel encrypted."""

from __future__ import annotations

import base64
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP
from cryptography.hazmat.primitives.hashes import SHA1

from edge.errors import EdgeError, Invalid, OutcomeUnknown, Unavailable
from edge.gateways.wechat_pay.channel import Refused
from edge.gateways.wechat_pay.profit_sharing import (
    ProfitSharing,
    Receiver,
    ReceiverKind,
    Share,
    SharedPart,
    ShareResult,
    ShareReturn,
    Sharing,
)
from tests.unit.test_wechat_pay_certificates import settings as without_keys
from tests.unit.test_wechat_pay_channel import (
    LOST,
    PLATFORM,
    PLATFORM_ID,
    REFUSED,
    SETTINGS,
    Script,
    refusal,
    unsigned,
)

SHARES = (Share(ReceiverKind.MERCHANT, "301", 100, "佣金,11月"),)
ORDER: dict[str, object] = {
    "transaction_id": "4200001",
    "out_order_no": "S-0001",
    "order_id": "3008450740201411110007820472",
    "state": "FINISHED",
    "receivers": [
        {
            "amount": 100,
            "description": "佣金",
            "type": "MERCHANT_ID",
            "account": "301",
            "result": "SUCCESS",
            "finish_time": "2026-11-22T16:00:00+08:00",
            "detail_id": "1",
        },
        {
            "amount": 900,
            "type": "MERCHANT_ID",
            "account": "190",
            "result": "CLOSED",
            "fail_reason": "NO_AUTH",
        },
    ],
}
DONE = Sharing(
    "S-0001",
    "4200001",
    "3008450740201411110007820472",
    True,
    (
        SharedPart("301", 100, ShareResult.SUCCESS, "", 1795334400000),
        SharedPart("190", 900, ShareResult.CLOSED, "NO_AUTH", None),
    ),
)
PART = {"account": "301", "amount": 1}
RETURN: dict[str, object] = {
    "order_id": "1",
    "out_order_no": "S-0001",
    "out_return_no": "B-0001",
    "return_id": "2",
    "return_mchid": "301",
    "amount": 100,
    "result": "PROCESSING",
}


def share(script: Script) -> Sharing:
    return ProfitSharing(script.channel()).share("4200001", "S-0001", SHARES, unfreeze_rest=True)


def test_a_payment_is_shared_and_each_part_is_told() -> None:
    script = Script().says(200, ORDER)
    assert share(script) == DONE
    assert script.lines == ["POST /v3/profitsharing/orders"]
    assert script.bodies == [
        {
            "appid": "wx1",
            "transaction_id": "4200001",
            "out_order_no": "S-0001",
            "receivers": [
                {"type": "MERCHANT_ID", "account": "301", "amount": 100, "description": "佣金 11月"}
            ],
            "unfreeze_unsplit": True,
        }
    ]


@pytest.mark.parametrize(
    ("script", "outcome"),
    [
        (Script().gives(REFUSED, REFUSED), Unavailable),
        (Script().gives(LOST, LOST), OutcomeUnknown),
        (Script().says(500, refusal("SYSTEM_ERROR")).says(500, refusal("SYSTEM_ERROR")), OutcomeUnknown),
        (Script().gives(unsigned(403, "NO_AUTH")), OutcomeUnknown),
        (Script().says(403, refusal("NOT_ENOUGH")), Refused),
        (Script().says(403, refusal("RULE_LIMIT")), Refused),
        (Script().says(400, refusal("INVALID_REQUEST")).says(404, refusal("RESOURCE_NOT_EXISTS")), Refused),
        (Script().says(400, refusal("INVALID_REQUEST")).gives(LOST, LOST), OutcomeUnknown),
        (Script().says(200, ORDER | {"state": "?"}), OutcomeUnknown),
        (
            Script().says(200, ORDER | {"receivers": [{"account": "1", "amount": 1, "result": "?"}]}),
            OutcomeUnknown,
        ),
    ],
)
def test_only_a_verified_refusal_is_final(script: Script, outcome: type[EdgeError]) -> None:
    with pytest.raises(outcome) as caught:
        share(script)
    assert type(caught.value) is outcome


def test_the_same_number_with_other_figures_gives_what_exists() -> None:
    assert share(Script().says(400, refusal("INVALID_REQUEST")).says(200, ORDER)) == DONE


def test_a_sharing_is_found_or_not_there_or_not_told() -> None:
    script = Script().says(200, ORDER).says(404, refusal("RESOURCE_NOT_EXISTS"))
    sharing = ProfitSharing(script.channel(replace(SETTINGS, sub_mchid="191")))
    assert sharing.query("4200001", "S-0001") == DONE
    assert sharing.query("4200001", "S|1") is None
    assert script.lines == [
        "GET /v3/profitsharing/orders/S-0001?transaction_id=4200001&sub_mchid=191",
        "GET /v3/profitsharing/orders/S%7C1?transaction_id=4200001&sub_mchid=191",
    ]
    for bad in (Script().gives(unsigned(404, "RESOURCE_NOT_EXISTS")), Script().says(403, refusal("NO_AUTH"))):
        with pytest.raises(Unavailable):
            ProfitSharing(bad.channel()).query("4200001", "S-0001")


def test_what_is_left_is_given_free_and_told() -> None:
    script = Script().says(200, ORDER | {"receivers": None}).says(200, {"unsplit_amount": 250})
    sharing = ProfitSharing(script.channel())
    assert sharing.unfreeze("4200001", "S-0001", "余额").parts == ()
    assert sharing.unshared_fen("4200001") == 250
    assert script.lines == [
        "POST /v3/profitsharing/orders/unfreeze",
        "GET /v3/profitsharing/transactions/4200001/amounts",
    ]


def test_a_share_is_taken_back() -> None:
    script = (
        Script()
        .says(200, RETURN)
        .says(200, RETURN | {"result": "SUCCESS"})
        .says(404, refusal("RESOURCE_NOT_EXISTS"))
    )
    sharing = ProfitSharing(script.channel())
    back = sharing.give_back("S-0001", "B-0001", "301", 100, "退款")
    assert back == ShareReturn("S-0001", "B-0001", "301", 100, ShareResult.PROCESSING, "")
    found = sharing.query_return("S-0001", "B-0001")
    assert found is not None
    assert found.result is ShareResult.SUCCESS
    assert sharing.query_return("S-0001", "B-0002") is None
    assert script.lines[1] == "GET /v3/profitsharing/return-orders/B-0001?out_order_no=S-0001"


def test_a_receivers_name_travels_encrypted_with_the_key_that_is_named() -> None:
    script = Script().says(200, {}).says(200, {})
    sharing = ProfitSharing(script.channel())
    receiver = Receiver(ReceiverKind.PERSON, "oUpF8", "张三", "CUSTOM", "导购")
    sharing.add_receiver(receiver)
    sharing.remove_receiver(ReceiverKind.PERSON, "oUpF8")
    added, removed = script.bodies
    hidden = str(added.pop("name"))
    assert PLATFORM.decrypt(base64.b64decode(hidden), OAEP(MGF1(SHA1()), SHA1(), None)).decode() == "张三"
    assert script.asked[0].headers["Wechatpay-Serial"] == PLATFORM_ID
    assert added == {
        "appid": "wx1",
        "type": "PERSONAL_OPENID",
        "account": "oUpF8",
        "relation_type": "CUSTOM",
        "custom_relation": "导购",
    }
    assert removed == {"appid": "wx1", "type": "PERSONAL_OPENID", "account": "oUpF8"}
    assert "张三" not in repr(receiver)


def test_without_any_platform_key_no_name_is_sent() -> None:
    script = Script()
    with pytest.raises(Unavailable, match="no platform key is known yet"):
        ProfitSharing(script.channel(without_keys())).add_receiver(
            Receiver(ReceiverKind.MERCHANT, "301", "某某有限公司")
        )
    assert script.asked == []


def test_what_cannot_be_shared_is_refused_before_it_is_sent() -> None:
    script = Script()
    sharing = ProfitSharing(script.channel())
    for shares in ((), SHARES * 51, (replace(SHARES[0], amount_fen=0),)):
        with pytest.raises(Invalid):
            sharing.share("4200001", "S-0001", shares, unfreeze_rest=False)
    with pytest.raises(Invalid):
        sharing.share("4200001", "S 1", SHARES, unfreeze_rest=False)
    with pytest.raises(Invalid):
        sharing.give_back("S-0001", "B-0001", "301", -1, "x")
    assert script.asked == []
