"""No secret and nobody's personal data stand in any log, error or repr, whatever goes wrong."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable

import pytest

from edge.errors import EdgeError
from edge.gateways.wechat_pay.client import WeChatPayGateway
from edge.gateways.wechat_pay.prepay import PrepayOrder
from edge.gateways.wechat_pay.profit_sharing import Receiver, ReceiverKind
from edge.services.payment_ports import CodePayment, RefundRequest
from tests.unit.test_wechat_pay_bills import DAY
from tests.unit.test_wechat_pay_callbacks import notice
from tests.unit.test_wechat_pay_certificates import API_KEY, settings
from tests.unit.test_wechat_pay_channel import (
    LOST,
    PLATFORM,
    PLATFORM_ID,
    START_AT,
    CountingIds,
    Script,
    Step,
    bare,
    sign,
    unsigned,
)

CODE = "134567890123456789"
NAME = "张三丰"
OPENID = "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"
TOKEN = "token-abcdef"
SECRETS = (CODE, NAME, OPENID, TOKEN, API_KEY.decode(), "BEGIN PRIVATE", "signature=")

Use = Callable[[WeChatPayGateway], object]
USES: list[Use] = [
    lambda port: port.pay_by_code(CodePayment("T-0001", 1250, "可乐", CODE, "till-1")),
    lambda port: port.prepay.jsapi(PrepayOrder("T-0001", 1250, "可乐"), OPENID),
    lambda port: port.refund(RefundRequest("T-0001", "R-0001", 1, 1)),
    lambda port: port.profit_sharing.add_receiver(Receiver(ReceiverKind.PERSON, "acct", NAME)),
    lambda port: port.business_circle.authorization(OPENID),
    lambda port: list(port.trade_bill(DAY)),
    lambda port: port.refresh_certificates(),
]
#: A gateway that repeats what it was sent, unsigned; one that is silent; one that is not there.
ANSWERS: list[Callable[[], list[Step]]] = [
    lambda: [bare(400, {"code": "PARAM_ERROR", "message": " ".join(SECRETS), "detail": {"field": CODE}})] * 2,
    lambda: [unsigned(500, "SYSTEM_ERROR"), unsigned(500, "SYSTEM_ERROR")],
    lambda: [LOST, LOST],
    lambda: [bare(200, {"trade_state": CODE, "prepay_id": TOKEN, "data": [API_KEY.decode()]})] * 2,
]


@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize("answers", ANSWERS)
def test_nothing_secret_is_told_when_a_call_fails(
    use: Use, answers: Callable[[], list[Step]], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    script = Script().gives(*answers())
    how = settings(verifiers={PLATFORM_ID: PLATFORM.public_key()}, notify_url="https://hq.example.com/n")
    port = WeChatPayGateway(how, script.clock, CountingIds(), script)
    with pytest.raises(EdgeError) as caught:
        use(port)
    told = caplog.text + "".join(traceback.format_exception(caught.value)) + repr(how)
    assert caplog.text != ""
    # The traceback quotes this file's own lines, so the planted values must not stand in them.
    assert [secret for secret in SECRETS if secret in told] == []


def test_a_refused_callback_tells_the_sender_and_the_log_nothing_of_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    script = Script()
    port = WeChatPayGateway(settings(), script.clock, CountingIds(), script)
    body = notice(content={"mchid": "191", "payer": {"openid": OPENID}})
    result = port.callbacks.read(sign(body, START_AT // 1000), body, START_AT // 1000)
    assert OPENID not in caplog.text + repr(result)
