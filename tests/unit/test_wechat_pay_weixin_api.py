"""api.weixin.qq.com: a token that is kept and renewed once, codes that are spent once, secrets in no log."""

from __future__ import annotations

import json
import logging

import httpx
import pytest

from edge.errors import EdgeError, Invalid, OutcomeUnknown, Unavailable
from edge.gateways.wechat_pay.weixin_api import (
    Logistics,
    Shipping,
    WeixinApi,
    WeixinApiSettings,
    WeixinRefused,
)
from tests.unit.test_wechat_pay_channel import LOST, REFUSED, START_AT, Script, Step, bare

SECRET = "app-secret-0123456789"
SETTINGS = WeixinApiSettings("wx1", SECRET)
SHIPPING = Shipping("4200001", "oUpF8", "可乐,大杯", START_AT)
PHONE = {"errcode": 0, "phone_info": {"purePhoneNumber": "13812348000", "countryCode": "86"}}
OK = {"errcode": 0, "errmsg": "ok"}


def token(text: str, life_s: int = 7200) -> httpx.Response:
    return bare(200, {"access_token": text, "expires_in": life_s})


def wrong(errcode: int) -> httpx.Response:
    return bare(200, {"errcode": errcode, "errmsg": "invalid credential, rid: 1"})


def api(script: Script) -> WeixinApi:
    return WeixinApi(SETTINGS, script.clock, script)


def test_a_log_in_code_becomes_an_openid() -> None:
    script = Script().gives(bare(200, {"openid": "oUpF8", "session_key": "sk==", "unionid": "u1"}))
    session = api(script).session("code+1")
    assert (session.openid, session.unionid, session.session_key) == ("oUpF8", "u1", "sk==")
    assert "sk==" not in repr(session)
    assert script.lines == [
        f"GET /sns/jscode2session?appid=wx1&secret={SECRET}&js_code=code%2B1&grant_type=authorization_code"
    ]


def test_the_token_is_kept_until_shortly_before_it_ends() -> None:
    script = Script().gives(token("t1"), bare(200, PHONE), bare(200, PHONE), token("t2"), bare(200, PHONE))
    weixin = api(script)
    assert weixin.phone_number("c1").number == "13812348000"
    script.clock.wall_at += (7200 - 301) * 1000
    weixin.phone_number("c2")
    script.clock.wall_at += 2000
    weixin.phone_number("c3")
    assert [line.rpartition("access_token=")[2] for line in script.lines] == [
        "POST /cgi-bin/stable_token",
        "t1",
        "t1",
        "POST /cgi-bin/stable_token",
        "t2",
    ]
    assert script.bodies[0] == {"grant_type": "client_credential", "appid": "wx1", "secret": SECRET}


@pytest.mark.parametrize("errcode", [40001, 40014, 42001])
def test_a_spoilt_token_is_renewed_once(errcode: int) -> None:
    script = Script().gives(token("t1"), wrong(errcode), token("t2"), bare(200, OK))
    api(script).upload_shipping(SHIPPING)
    assert script.bodies[2]["force_refresh"] is True
    assert script.lines[-1].endswith("access_token=t2")
    again = Script().gives(token("t1"), wrong(errcode), token("t2"), wrong(errcode))
    with pytest.raises(WeixinRefused, match=f"errcode {errcode}"):
        api(again).upload_shipping(SHIPPING)
    assert again.is_used_up


def test_goods_that_were_picked_up_are_told_with_one_line() -> None:
    script = Script().gives(token("t1"), bare(200, OK))
    api(script).upload_shipping(SHIPPING)
    assert script.bodies[1] == {
        "order_key": {"order_number_type": 2, "transaction_id": "4200001"},
        "logistics_type": 4,
        "delivery_mode": 1,
        "shipping_list": [{"item_desc": "可乐 大杯"}],
        "upload_time": "2026-11-18T19:06:40+08:00",
        "payer": {"openid": "oUpF8"},
    }
    assert SHIPPING.logistics is Logistics.PICK_UP


def test_shipping_that_was_told_before_is_done() -> None:
    api(Script().gives(token("t1"), wrong(10060023))).upload_shipping(SHIPPING)
    with pytest.raises(WeixinRefused):
        api(Script().gives(token("t1"), wrong(10060001))).upload_shipping(SHIPPING)


@pytest.mark.parametrize(
    ("step", "outcome"),
    [
        (wrong(40029), WeixinRefused),
        (wrong(1400001), WeixinRefused),
        (wrong(-1), Unavailable),
        (wrong(45011), Unavailable),
        (bare(502, {}), Unavailable),
        (bare(200, []), Unavailable),
        (bare(200, {"errcode": "0"}), Unavailable),
        (bare(200, {"errcode": 0}), Unavailable),
        (REFUSED, Unavailable),
        (LOST, OutcomeUnknown),
    ],
)
def test_each_failure_says_what_may_be_done(step: Step, outcome: type[EdgeError]) -> None:
    with pytest.raises(outcome):
        api(Script().gives(token("t1"), step)).phone_number("c1")


@pytest.mark.parametrize("code", ["", "x" * 513, "码", "a\nb"])
def test_what_is_no_code_is_not_sent(code: str) -> None:
    script = Script()
    with pytest.raises(Invalid):
        api(script).session(code)
    assert script.asked == []


def test_no_secret_token_code_or_number_is_in_any_log_error_or_repr(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    steps = (token("token-t1"), bare(200, PHONE), wrong(40029), LOST)
    weixin = api(Script().gives(*steps))
    told = [repr(SETTINGS), repr(weixin.phone_number("code-c1"))]
    for call in (weixin.session, weixin.phone_number):
        with pytest.raises(EdgeError) as caught:
            call("code-c2")
        told.append(repr(caught.value) + repr(caught.value.__cause__) + repr(caught.value.__context__))
    everything = caplog.text + json.dumps(told, ensure_ascii=False)
    assert "weixin phone number" in caplog.text
    for secret in (SECRET, "token-t1", "code-c1", "code-c2", "13812348000"):
        assert secret not in everything


def test_settings_need_a_secret_and_an_address() -> None:
    for change in (("", SECRET, "https://a"), ("wx1", "", "https://a"), ("wx1", SECRET, "http://a.example")):
        with pytest.raises(Invalid):
            WeixinApiSettings(*change)
