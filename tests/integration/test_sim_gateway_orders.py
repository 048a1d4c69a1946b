"""Orders at the simulated gateway: by mini-program, by QR code and by payment code; and what phones do."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sim.gateway import Credentials, make_credentials
from tests.integration.sim_gateway_rig import Rig, digits, open_rig

JSAPI, NATIVE = "/v3/pay/transactions/jsapi", "/v3/pay/transactions/native"
BY_NUMBER = "/v3/pay/transactions/out-trade-no/"
HOUR_MS = 3_600_000


@pytest.fixture(scope="module")
def credentials(tmp_path_factory: pytest.TempPathFactory) -> Credentials:
    return make_credentials(tmp_path_factory.mktemp("keys"), digits)


@pytest.fixture
def rig(credentials: Credentials) -> Iterator[Rig]:
    with open_rig(credentials) as rig:
        yield rig


def close(rig: Rig, order_no: str) -> tuple[int, str, str]:
    answer = rig.post(f"{BY_NUMBER}{order_no}/close", {"mchid": rig.who.mchid})
    return answer.error


def reverse(rig: Rig, order_no: str) -> tuple[int, str, str]:
    body = {"appid": rig.who.appid, "mchid": rig.who.mchid}
    return rig.post(f"{BY_NUMBER}{order_no}/reverse", body).error


def state(rig: Rig, order_no: str) -> str:
    return str(rig.query(order_no).json()["trade_state"])


def prepaid(rig: Rig, order_no: str = "T-000001", **wallet: object) -> tuple[dict[str, object], str]:
    shopper = rig.wallet(**wallet)  # type: ignore[arg-type]
    answer = rig.post(JSAPI, rig.order(order_no, shopper["openid"]))
    assert answer.status == 200, answer.body
    return shopper, answer.json()["prepay_id"]


def test_a_mini_program_order_is_paid_on_the_phone_and_told_by_both_numbers(rig: Rig) -> None:
    shopper, prepay = prepaid(rig)
    before = rig.query("T-000001").json()
    assert (before["trade_state"], "transaction_id" in before) == ("NOTPAY", False)
    sheet = rig.pay_by_phone(shopper, prepay)
    assert (sheet["state"], sheet["said"], sheet["amount_fen"]) == ("paid", "requestPayment:ok", 1250)
    paid = rig.query("T-000001").json()
    assert (paid["trade_state"], paid["trade_type"]) == ("SUCCESS", "JSAPI")
    assert paid["amount"] == {"total": 1250, "payer_total": 1250, "currency": "CNY", "payer_currency": "CNY"}
    assert paid["payer"] == {"openid": shopper["openid"]}
    by_id = f"/v3/pay/transactions/id/{paid['transaction_id']}?mchid={rig.who.mchid}"
    assert rig.get(by_id).json() == paid
    assert rig.balance(f"merchant:{rig.who.mchid}") == 1250


def test_an_unpaid_order_has_no_transaction_id_yet(rig: Rig) -> None:
    prepaid(rig)
    number = rig.server.books.find("T-000001").transaction_id
    answer = rig.get(f"/v3/pay/transactions/id/{number}?mchid={rig.who.mchid}")
    assert answer.error == (404, "ORDER_NOT_EXIST", "268512771")


def test_an_unknown_order_is_404(rig: Rig) -> None:
    assert rig.query("T-000009").error == (404, "ORDER_NOT_EXIST", "268512771")
    assert close(rig, "T-000009") == (404, "ORDER_NOT_EXIST", "268512771")


@pytest.mark.parametrize(
    ("changed", "field", "number"),
    [
        ({"payer": {"openid": "oNobody"}}, "/payer/openid", "268501013"),
        ({"payer": {}}, "/payer/openid", "268435461"),
        ({"notify_url": "https://x.example/?a=1"}, "/notify_url", "268435464"),
        ({"notify_url": None}, "/notify_url", "268435461"),
        ({"time_expire": "2020-01-01T00:00:00+08:00"}, "/time_expire", "268435464"),
        ({"time_expire": "tomorrow"}, "/time_expire", "268435464"),
        ({"time_expire": "2026-13-01T00:00:00+08:00"}, "/time_expire", "268435464"),
        ({"attach": "x" * 129}, "/attach", "268435464"),
        ({"scene_info": {"device_id": "1"}}, "/scene_info/payer_client_ip", "268435461"),
        ({"detail": {"goods_detail": []}}, "/detail/goods_detail", "268435464"),
        (
            {"detail": {"goods_detail": [{"merchant_goods_id": "1", "quantity": 0, "unit_price": 1}]}},
            "/detail/goods_detail/0/quantity",
            "268435464",
        ),
        ({"limit_pay": "no_credit"}, "/limit_pay", "268435461"),
    ],
)
def test_what_is_wrong_with_an_order_is_named(
    rig: Rig, changed: dict[str, object], field: str, number: str
) -> None:
    body = rig.order("T-000001", rig.wallet()["openid"]) | changed
    answer = rig.post(JSAPI, body)
    assert answer.error == (400, "PARAM_ERROR", number)
    assert answer.json()["detail"]["field"] == field


def test_the_same_order_again_gives_the_same_prepay_id_for_two_hours(rig: Rig) -> None:
    shopper, first = prepaid(rig)
    body = rig.order("T-000001", str(shopper["openid"]))
    turned = dict(reversed(body.items()))
    rig.clock.at += 2 * HOUR_MS - 1
    assert rig.post(JSAPI, turned).json()["prepay_id"] == first
    rig.clock.at += 1
    second = rig.post(JSAPI, body).json()["prepay_id"]
    assert second != first
    assert "过期" in rig.pay_by_phone(shopper, first)["error"]
    assert rig.pay_by_phone(shopper, second)["state"] == "paid"


def test_the_same_number_with_other_parameters_or_already_paid_is_refused(rig: Rig) -> None:
    shopper, prepay = prepaid(rig)
    body = rig.order("T-000001", str(shopper["openid"]))
    other = rig.post(JSAPI, body | {"amount": {"total": 1300, "currency": "CNY"}})
    assert other.error == (400, "INVALID_REQUEST", "268498688")
    rig.pay_by_phone(shopper, prepay)
    assert rig.post(JSAPI, body).error == (400, "ORDER_PAID", "268449538")
    assert "已支付" in rig.pay_by_phone(shopper, prepay)["error"]
    assert rig.balance(f"merchant:{rig.who.mchid}") == 1250


def test_an_order_closes_by_its_time_or_after_seven_days(rig: Rig) -> None:
    shopper = rig.wallet()
    # The clock begins at 19:06:40 there.
    soon = {"time_expire": "2026-11-18T20:30:00+08:00"}
    prepay = rig.post(JSAPI, rig.order("T-000001", shopper["openid"], **soon)).json()["prepay_id"]
    rig.post(NATIVE, rig.order("T-000002"))
    rig.clock.at += 84 * 60_000
    assert (state(rig, "T-000001"), state(rig, "T-000002")) == ("CLOSED", "NOTPAY")
    assert "已关闭" in rig.pay_by_phone(shopper, prepay)["error"]
    again = rig.post(JSAPI, rig.order("T-000001", shopper["openid"], **soon))
    assert again.status == 400
    rig.clock.at += 7 * 24 * HOUR_MS
    assert state(rig, "T-000002") == "CLOSED"


def test_closing_is_204_signed_and_can_be_repeated(rig: Rig) -> None:
    shopper, prepay = prepaid(rig)
    for _ in range(2):
        answer = rig.post(f"{BY_NUMBER}T-000001/close", {"mchid": rig.who.mchid})
        assert (answer.status, answer.body, answer.signed) == (204, b"", True)
    assert state(rig, "T-000001") == "CLOSED"
    assert "已关闭" in rig.pay_by_phone(shopper, prepay)["error"]
    assert rig.post(JSAPI, rig.order("T-000001", str(shopper["openid"]))).code == "ORDER_CLOSED"


def test_a_paid_order_cannot_be_closed_and_a_codepay_order_only_reversed(rig: Rig) -> None:
    rig.paid_order("T-000001")
    assert close(rig, "T-000001") == (400, "ORDER_PAID", "268498689")
    assert rig.codepay("T-000002", rig.code(rig.wallet())).status == 200
    assert close(rig, "T-000002") == (400, "INVALID_REQUEST", "268449641")
    assert reverse(rig, "T-000001")[:2] == (400, "INVALID_REQUEST")
    assert reverse(rig, "T-000002") == (200, "", "0")
    assert (state(rig, "T-000001"), state(rig, "T-000002")) == ("SUCCESS", "REVOKED")


def test_reversing_gives_the_money_back_once_and_only_for_seven_days(rig: Rig) -> None:
    shopper = rig.wallet()
    rig.codepay("T-000001", rig.code(shopper))
    assert reverse(rig, "T-000001") == reverse(rig, "T-000001") == (200, "", "0")
    assert rig.balance(f"wallet:{shopper['wallet_id']}") == 100_000
    rig.codepay("T-000002", rig.code(shopper))
    rig.clock.at += 7 * 24 * HOUR_MS
    assert reverse(rig, "T-000002")[:2] == (400, "INVALID_REQUEST")


@pytest.mark.parametrize("as_error", [False, True])
def test_a_password_is_told_as_a_state_or_as_an_error(rig: Rig, as_error: bool) -> None:
    rig.switch("/sim/settings", {"pending_as_error": as_error})
    shopper = rig.wallet(password_above_fen=0, habit="waits")
    answer = rig.codepay("T-000001", rig.code(shopper))
    if as_error:
        assert answer.error == (400, "USERPAYING", "0")
    else:
        assert (answer.status, answer.json()["trade_state"]) == (200, "USERPAYING")
    assert state(rig, "T-000001") == "USERPAYING"
    rig.switch("/sim/orders/T-000001/password", {"action": "types"})
    assert state(rig, "T-000001") == "SUCCESS"


@pytest.mark.parametrize(
    ("habit", "ends"),
    [("types", "SUCCESS"), ("wrong", "PAYERROR"), ("cancels", "PAYERROR"), ("waits", "USERPAYING")],
)
def test_shoppers_do_at_the_till_as_they_are_used_to(rig: Rig, habit: str, ends: str) -> None:
    shopper = rig.wallet(password_above_fen=0, habit=habit, delay_ms=3_000)
    rig.codepay("T-000001", rig.code(shopper))
    rig.clock.at += 2_999
    assert state(rig, "T-000001") == "USERPAYING"
    rig.clock.at += 1
    assert state(rig, "T-000001") == ends


def test_reversing_while_the_password_is_typed_can_be_refused(rig: Rig) -> None:
    rig.switch("/sim/settings", {"reverse_refused_while_paying": True})
    rig.codepay("T-000001", rig.code(rig.wallet(password_above_fen=0, habit="waits")))
    assert reverse(rig, "T-000001") == (400, "USERPAYING", "0")
    assert state(rig, "T-000001") == "USERPAYING"


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"appId": "wxother"}, "appId"),
        ({"package": "prepay_id=wx0"}, "prepay_id"),
        ({"signType": "MD5"}, "签名"),
        ({"paySign": "AAAA"}, "签名"),
        ({"nonceStr": "changed after signing"}, "签名"),
    ],
)
def test_the_phone_refuses_what_the_merchant_did_not_sign(
    rig: Rig, changed: dict[str, str], says: str
) -> None:
    shopper, prepay = prepaid(rig)
    given = rig.request_payment(prepay) | changed
    answer = rig.switch(f"/sim/wallets/{shopper['wallet_id']}/request-payment", given)
    assert answer["error"].startswith("requestPayment:fail")
    assert says in answer["error"]
    assert state(rig, "T-000001") == "NOTPAY"


def test_only_the_one_who_was_asked_can_pay_a_mini_program_order(rig: Rig) -> None:
    _, prepay = prepaid(rig)
    assert "openid" in rig.pay_by_phone(rig.wallet(), prepay)["error"]


def test_a_wrong_password_can_be_tried_again_five_times(rig: Rig) -> None:
    shopper, prepay = prepaid(rig, habit="waits")
    sheet = rig.pay_by_phone(shopper, prepay, "wrong")
    assert (sheet["state"], sheet["wrong_passwords"]) == ("open", 1)
    path = f"/sim/sheets/{sheet['sheet_id']}"
    for _ in range(4):
        sheet = rig.switch(path, {"action": "wrong"})
    assert (sheet["state"], sheet["wrong_passwords"]) == ("failed", 5)
    assert "failed" in rig.switch(path, {"action": "types"})["error"]
    assert state(rig, "T-000001") == "NOTPAY"


def test_cancelling_leaves_the_order_open_to_be_paid_later(rig: Rig) -> None:
    shopper, prepay = prepaid(rig)
    # An amount above what is paid at once, so that the sheet is there to be cancelled.
    rig.switch(f"/sim/wallets/{shopper['wallet_id']}", {"password_above_fen": 0})
    assert rig.pay_by_phone(shopper, prepay, "cancels")["said"] == "requestPayment:fail cancel"
    assert state(rig, "T-000001") == "NOTPAY"
    assert rig.pay_by_phone(shopper, prepay)["state"] == "paid"


def test_a_shopper_who_dawdles_pays_after_the_delay(rig: Rig) -> None:
    shopper, prepay = prepaid(rig, password_above_fen=0, delay_ms=60_000)
    path = f"/sim/wallets/{shopper['wallet_id']}/request-payment"
    sheet = rig.switch(path, rig.request_payment(prepay))
    assert sheet["state"] == "open"
    rig.clock.at += 60_000
    assert rig.switch(f"/sim/sheets/{sheet['sheet_id']}")["state"] == "paid"
    assert state(rig, "T-000001") == "SUCCESS"


def test_not_enough_in_the_wallet_is_no_payment(rig: Rig) -> None:
    shopper, prepay = prepaid(rig, balance_fen=1_249)
    assert "余额不足" in rig.pay_by_phone(shopper, prepay)["said"]
    code = rig.codepay("T-000002", rig.code(shopper))
    assert code.error == (403, "NOT_ENOUGH", "0")
    assert rig.balance(f"wallet:{shopper['wallet_id']}") == 1_249


def scan(rig: Rig, shopper: dict[str, object], code_url: str) -> dict[str, object]:
    given = {"code_url": code_url, "action": "types"}
    return dict(rig.switch(f"/sim/wallets/{shopper['wallet_id']}/scan", given))


def test_a_qr_code_is_paid_by_anybody_and_a_newer_one_kills_it(rig: Rig) -> None:
    shopper = rig.wallet()
    first = rig.post(NATIVE, rig.order("T-000001")).json()["code_url"]
    second = rig.post(NATIVE, rig.order("T-000001")).json()["code_url"]
    assert first.startswith("weixin://wxpay/bizpayurl/up?pr=")
    assert "已失效" in str(scan(rig, shopper, first)["error"])
    assert scan(rig, shopper, second)["state"] == "paid"
    paid = rig.query("T-000001").json()
    assert (paid["trade_type"], paid["payer"]) == ("NATIVE", {"openid": shopper["openid"]})
    assert "已支付" in str(scan(rig, rig.wallet(), second)["error"])


def test_a_qr_code_lives_two_hours(rig: Rig) -> None:
    url = rig.post(NATIVE, rig.order("T-000001")).json()["code_url"]
    rig.clock.at += 2 * HOUR_MS
    assert "过期" in str(scan(rig, rig.wallet(), url)["error"])


SUB = "1900000222"


@pytest.fixture
def provider(rig: Rig) -> Rig:
    rig.switch("/sim/merchants", {"mchid": SUB, "name": "麦香坊", "sp_mchid": rig.who.mchid})
    return rig


def partner_order(rig: Rig, openid: str, **changed: object) -> dict[str, object]:
    body = rig.order("T-000001", **changed)
    del body["appid"], body["mchid"]
    parties = {"sp_appid": rig.who.appid, "sp_mchid": rig.who.mchid, "sub_mchid": SUB}
    return parties | body | {"payer": {"sp_openid": openid}} | changed


def test_a_service_provider_orders_for_its_tenant_who_gets_the_money(provider: Rig) -> None:
    shopper = provider.wallet()
    base = "/v3/pay/partner/transactions"
    prepay = provider.post(f"{base}/jsapi", partner_order(provider, shopper["openid"])).json()["prepay_id"]
    assert provider.pay_by_phone(shopper, prepay)["state"] == "paid"
    asked = f"{base}/out-trade-no/T-000001?sp_mchid={provider.who.mchid}&sub_mchid={SUB}"
    told = provider.get(asked).json()
    assert (told["sp_mchid"], told["sub_mchid"], told["trade_state"]) == (provider.who.mchid, SUB, "SUCCESS")
    assert told["payer"] == {"sp_openid": shopper["openid"]}
    assert "mchid" not in told
    assert (provider.balance(f"merchant:{SUB}"), provider.balance(f"merchant:{provider.who.mchid}")) == (
        1250,
        0,
    )
    assert provider.query("T-000001").status == 404, "only by naming the tenant"


def test_a_tenant_that_is_not_bound_or_not_known_is_refused(provider: Rig) -> None:
    shopper, target = provider.wallet(), "/v3/pay/partner/transactions/jsapi"
    unknown = provider.post(target, partner_order(provider, shopper["openid"], sub_mchid="1900000333"))
    assert unknown.error == (400, "MCH_NOT_EXISTS", "268443701")
    provider.switch("/sim/merchants", {"mchid": "1900000333"})
    unbound = provider.post(target, partner_order(provider, shopper["openid"], sub_mchid="1900000333"))
    assert unbound.error == (403, "NO_AUTH", "268443704")


def test_a_service_provider_charges_codes_reverses_and_closes(provider: Rig) -> None:
    parties = {"sp_appid": provider.who.appid, "sp_mchid": provider.who.mchid, "sub_mchid": SUB}
    base = "/v3/pay/partner/transactions"
    charge = parties | {
        "description": "sundries",
        "out_trade_no": "T-000002",
        "payer": {"auth_code": provider.code(provider.wallet())},
        "amount": {"total": 900},
        "scene_info": {"store_info": {"id": "1"}},
    }
    assert provider.post(f"{base}/codepay", charge).json()["trade_state"] == "SUCCESS"
    assert provider.balance(f"merchant:{SUB}") == 900
    reversed_ = provider.post(f"{base}/out-trade-no/T-000002/reverse", parties)
    assert reversed_.status == 200
    assert provider.balance(f"merchant:{SUB}") == 0
    body = partner_order(provider, "") | {"out_trade_no": "T-000003"}
    del body["payer"]
    assert provider.post(f"{base}/native", body).status == 200
    closing = {"sp_mchid": provider.who.mchid, "sub_mchid": SUB}
    assert provider.post(f"{base}/out-trade-no/T-000003/close", closing).status == 204
