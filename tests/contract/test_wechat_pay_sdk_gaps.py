"""What the independent SDK wechatpayv3 cannot do, or does otherwise than ours, at the simulated gateway."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from requests.exceptions import ConnectionError as NoConnection

from edge.errors import OutcomeUnknown
from edge.gateways.wechat_pay.business_circle import PointsNotice
from edge.gateways.wechat_pay.callbacks import Reason, Rejection
from sim.gateway import Credentials, Fault
from tests.contract.wechat_pay_bench import Bench, new_credentials, open_bench, write_tls
from tests.contract.wechat_pay_own_driver import OwnDriver
from tests.contract.wechat_pay_sdk_driver import SdkDriver
from tests.contract.wechat_pay_words import FEN, Turned

PLATE, AT = "粤B12345", "2026-11-18T19:06:40+08:00"


@pytest.fixture(scope="module")
def credentials(tmp_path_factory: pytest.TempPathFactory) -> Credentials:
    return new_credentials(tmp_path_factory.mktemp("keys"))


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tls(tmp_path_factory.mktemp("tls") / "gateway.pem")


@pytest.fixture(params=["public_key", "certificate"])
def bench(
    request: pytest.FixtureRequest, credentials: Credentials, tls: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Bench]:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tls))
    with open_bench(credentials, request.param, tls) as open_:
        yield open_


def test_what_the_sdk_cannot_do(bench: Bench) -> None:
    sdk = SdkDriver(bench).sdk
    assert not [name for name in dir(sdk) if "echo" in name]
    with pytest.raises(TypeError, match="date"):
        sdk.business_parking_sync(bench.openid, 1000, PLATE, "IN", AT)
    with pytest.raises(NoConnection, match="502 Bad Gateway"):
        sdk.business_point_status(bench.openid, 1000)
    with pytest.raises(Exception, match="earn_points is not assigned"):
        sdk.points_notify("4200001", bench.openid, False, 0, AT)


def test_payments_without_points_are_told_by_ours(bench: Bench) -> None:
    driver = OwnDriver(bench)
    names = {"merchant_name": "商场", "shop_name": "一楼店", "shop_number": "A01"}
    bench.switch("/sim/circle/shops", {"mchid": bench.who.mchid, **names})
    bench.switch("/sim/circle/consents", {"openid": bench.openid, "action": "authorize"})
    bench.pay(driver.params(driver.jsapi("T-000001")))
    notice = PointsNotice(
        driver.query("T-000001").number, bench.openid, False, 0, bench.clock(), remark="不参与"
    )
    assert driver.client.business_circle.commit_status(bench.openid, 1000) == "PENDING"
    driver.client.business_circle.notify_points(notice)
    assert driver.client.business_circle.commit_status(bench.openid, 1000) == "FINISHED"


def test_an_old_callback_is_refused_by_ours_and_taken_by_the_sdk(bench: Bench) -> None:
    """A known gap of the SDK: it never looks at the time."""
    driver, sdk = OwnDriver(bench), SdkDriver(bench)
    bench.pay(driver.params(driver.jsapi("T-000001")))
    headers, body = bench.callback("TRANSACTION.SUCCESS")
    bench.clock.ahead_ms += 86_400_000
    late = driver.client.callbacks.read(headers, body, bench.clock() // 1000)
    assert isinstance(late, Rejection)
    assert late.reason is Reason.STALE
    assert sdk.read(headers, body) == ("TRANSACTION.SUCCESS", "T-000001")


def test_a_forged_refusal_is_believed_by_the_sdk_and_not_by_ours(bench: Bench) -> None:
    """A gap of all public SDKs: nobody checks the signature of an error, though money may have moved."""
    driver, sdk = OwnDriver(bench), SdkDriver(bench)
    bench.server.faults.add("codepay", Fault.FORGED_REFUSAL, times=2)
    with pytest.raises(Turned, match="code_invalid"):
        sdk.pay_by_code("T-000001", bench.code())
    with pytest.raises(OutcomeUnknown):
        driver.pay_by_code("T-000002", bench.code())
    assert [driver.query(number).state for number in ("T-000001", "T-000002")] == ["paid", "paid"]


def test_a_strangers_callback_makes_the_sdk_call_out_and_ours_not(bench: Bench) -> None:
    """Another gap: whoever names an unknown serial has the SDK fetch certificates, or raise ValueError."""
    driver, sdk = OwnDriver(bench), SdkDriver(bench)
    bench.pay(driver.params(driver.jsapi("T-000001")))
    headers, body = bench.callback("TRANSACTION.SUCCESS")
    serial = next(name for name in headers if name.lower() == "wechatpay-serial")
    bench.server.done.clear()
    refused = driver.client.callbacks.read(headers | {serial: "7F" * 20}, body, bench.clock() // 1000)
    assert isinstance(refused, Rejection)
    assert (refused.reason, bench.server.done) == (Reason.UNKNOWN_SERIAL, set())
    assert sdk.read(headers | {serial: "7F" * 20}, body) is None
    assert bench.server.done == {"certificates"}
    with pytest.raises(ValueError, match="invalid literal"):
        sdk.read(headers | {serial: "PUB_KEY_ID_9999"}, body)


def test_what_the_sdk_sends_is_refused_where_it_breaks_a_rule(bench: Bench) -> None:
    """Unknown fields and texts that are too long are refused, whoever sends them."""
    driver = SdkDriver(bench)
    amount = {"total": FEN, "currency": "CNY"}
    payer = {"openid": bench.openid}
    status, text = driver.sdk.pay("x", "T-000001", amount | {"fee": 1}, payer)
    assert (status, bool(re.search("/amount/fee", text))) == (400, True)
    assert driver.sdk.pay("x" * 128, "T-000001", amount, payer)[0] == 400
    assert driver.sdk.pay("x", "T-1", amount, payer)[0] == 400
    assert driver.sdk.pay("x", "T-000001", amount, payer)[0] == 200
