"""Bills: nothing is used unless hash, totals and every row are right; memory stays flat."""

from __future__ import annotations

import gzip
import hashlib
import time
import tracemalloc
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

import httpx
import pytest

from edge.errors import Corrupt, EdgeError, Unavailable
from edge.gateways.wechat_pay.bill_table import parse_fee_fen, parse_fen, parse_time
from edge.gateways.wechat_pay.bills import Account, FundFlow
from edge.gateways.wechat_pay.client import WeChatPayGateway
from edge.retail.bill import BillKind, BillRow
from edge.services.payment_ports import BillNotReady, BillSource
from tests.unit.test_wechat_pay_channel import LOST, SETTINGS, CountingIds, Script, refusal, unsigned

DAY = date(2026, 11, 21)
HEADER = (
    "交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,"
    "应结订单金额,代金券金额,微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态,商品名称,商户数据包,"
    "手续费,费率,订单金额,申请退款金额,费率备注"
)
TOTALS = "总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额"
FLOW_HEADER = (
    "记账时间,微信支付业务单号,资金流水单号,业务名称,业务类型,收支类型,收支金额(元),账户结余(元),"
    "资金变更提交申请人,备注,业务凭证号"
)
FLOW_TOTALS = "资金流水总笔数,收入笔数,收入金额,支出笔数,支出金额"


def line(fields: Sequence[str]) -> str:
    return ",".join("`" + field for field in fields)


def paid(order_no: str = "T-0001", yuan: str = "12.50", fee: str = "0.07500", name: str = "商品") -> str:
    return line(
        ["2026-11-21 13:51:31", "wx1", "190", "0", "", "4200001", order_no, "oZWa", "MICROPAY", "SUCCESS"]
        + ["OTHERS", "CNY", yuan, "0.00", "0", "0", "0.00", "0.00", "", "", name, "", fee, "0.60%", yuan]
        + ["0.00", ""]
    )


def refunded(
    refund_no: str = "R-0001", yuan: str = "5.00", fee: str = "-0.03000", state: str = "REFUND"
) -> str:
    return line(
        ["2026-11-21 14:00:00", "wx1", "190", "0", "", "4200001", "T-0001", "oZWa", "MICROPAY", state]
        + ["OTHERS", "CNY", "0.00", "0.00", "5030001", refund_no, yuan, "0.00", "ORIGINAL", "SUCCESS", "商品"]
        + ["", fee, "0.60%", "0.00", yuan, ""]
    )


def totals(count: int, yuan: str, back: str = "0.00", fee: str = "0.07500") -> str:
    return line([str(count), yuan, back, "0.00", fee, yuan, back])


def bill(*lines: str) -> bytes:
    return ("\ufeff" + "\r\n".join(lines) + "\r\n").encode()


GOOD = bill(HEADER, paid(), refunded(), TOTALS, totals(2, "12.50", "5.00", "0.04500"))


def offer(script: Script, content: bytes, **changed: str) -> Script:
    answer = {
        "hash_type": "SHA1",
        "hash_value": hashlib.sha1(content, usedforsecurity=False).hexdigest(),
        "download_url": "https://api.mch.weixin.qq.com/v3/billdownload/file?token=abc%2F1",
    }
    return script.says(200, answer | changed)


def file(content: bytes, zipped: bool = True) -> httpx.Response:
    return httpx.Response(200, stream=httpx.ByteStream(gzip.compress(content) if zipped else content))


def source(script: Script, spool: Path | None = None) -> WeChatPayGateway:
    return WeChatPayGateway(replace(SETTINGS, spool_dir=spool), script.clock, CountingIds(), script)


def fetch(content: bytes, zipped: bool = True) -> list[BillRow]:
    port: BillSource = source(offer(Script(), content).gives(file(content, zipped)))
    return list(port.trade_bill(DAY))


def test_a_bill_is_asked_for_fetched_and_read(tmp_path: Path) -> None:
    script = offer(Script(), GOOD).gives(file(GOOD))
    payment, refund = source(script, tmp_path).trade_bill(DAY)
    assert payment == BillRow(
        BillKind.PAYMENT, "T-0001", "", "4200001", "", 1250, 8, 1795240291000, "SUCCESS"
    )
    assert refund == BillRow(
        BillKind.REFUND, "T-0001", "R-0001", "4200001", "5030001", 500, -3, 1795240800000, "REFUND"
    )
    assert script.lines == [
        "GET /v3/bill/tradebill?bill_date=2026-11-21&bill_type=ALL&tar_type=GZIP",
        "GET /v3/billdownload/file?token=abc%2F1",
    ]
    assert all("Authorization" in request.headers for request in script.asked)
    assert list(tmp_path.iterdir()) == []


def test_a_plain_file_is_read_like_a_compressed_one() -> None:
    assert fetch(GOOD, zipped=False) == fetch(GOOD)


def test_our_signature_never_leaves_for_another_host() -> None:
    script = offer(Script(), GOOD, download_url="https://evil.example.com/v3/billdownload/file?token=1")
    list(source(script.gives(file(GOOD))).trade_bill(DAY))
    assert {request.url.host for request in script.asked} == {"api.mch.weixin.qq.com"}


def test_commas_marks_and_line_feeds_in_a_foreign_name_do_not_shift_columns() -> None:
    names = ["可乐,大杯", "a,`b,`c", "a\nb", ",`", "`", "a\r\n\r\nb,`c"]
    rows = [paid(f"T-000{place}", "1.00", "0.00600", name) for place, name in enumerate(names)]
    content = bill(HEADER, *rows, TOTALS, totals(len(rows), "6.00", fee="0.03600"))
    read = fetch(content)
    assert [(row.merchant_order_no, row.amount_fen, row.fee_fen) for row in read] == [
        (f"T-000{place}", 100, 1) for place in range(len(names))
    ]


def test_a_reversal_is_a_refund_without_a_number_of_ours() -> None:
    content = bill(HEADER, paid(), refunded("0", "12.50", "-0.07500", "REVOKED"), TOTALS)
    content += (totals(2, "12.50", "12.50", "0.00000") + "\n").encode()
    reversal = fetch(content)[1]
    assert (reversal.kind, reversal.merchant_refund_no, reversal.amount_fen, reversal.state) == (
        BillKind.REFUND,
        "",
        1250,
        "REVOKED",
    )


def test_a_fee_total_may_be_rounded_to_its_own_decimals() -> None:
    assert len(fetch(bill(HEADER, paid(), TOTALS, totals(1, "12.50", fee="0.08")))) == 1
    with pytest.raises(Corrupt, match=r"手续费总金额 is 0\.07, its rows come to 0\.07510"):
        fetch(bill(HEADER, paid(fee="0.07510"), TOTALS, totals(1, "12.50", fee="0.07")))


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (bill(HEADER, paid(), TOTALS, totals(2, "12.50")), "says 2 rows and holds 1"),
        (bill(HEADER, paid(), TOTALS, totals(1, "12.51")), "应结订单总金额 is 12.51"),
        (bill(HEADER, paid(), TOTALS, totals(1, "12.50", "0.01")), "退款总金额 is 0.01"),
        (bill(HEADER, paid(), TOTALS, totals(1, "12.50", fee="0.07501")), "手续费总金额"),
        (bill(HEADER, paid()), "ends without its totals"),
        (bill(HEADER, paid(), TOTALS), "line of totals is missing"),
        (bill(HEADER, paid(), TOTALS, "`1,`12.50"), "line of totals is missing"),
        (bill(HEADER, paid(), TOTALS, totals(1, "12.50"), paid()), "goes on after its totals"),
        (bill(HEADER, paid()[:60], TOTALS, totals(1, "12.50")), "row 1 of the bill has"),
        (bill(HEADER, paid()[1:], TOTALS, totals(1, "12.50")), "row 1 of the bill has"),
        (bill(HEADER, paid(yuan="12.505"), TOTALS, totals(1, "12.505")), "whole number of fen"),
        (bill(HEADER, paid(yuan="12,50"), TOTALS, totals(1, "12.50")), "not an amount"),
        (bill(HEADER, paid(yuan="99999999.99"), TOTALS, totals(1, "99999999.99")), "beyond"),
        (bill(HEADER, paid().replace("13:51:31", "13:51"), TOTALS, totals(1, "12.50")), "not a time"),
        (bill(HEADER, paid().replace("11-21", "11-41"), TOTALS, totals(1, "12.50")), "not a day"),
        (
            bill(HEADER.replace("微信订单号", "另外"), paid(), TOTALS, totals(1, "12.50")),
            "has no column 微信订单号",
        ),
        (bill(HEADER + ",交易时间", paid(), TOTALS, totals(1, "12.50")), "does not begin"),
        (bill(HEADER, paid(name="x" * 20_000), TOTALS, totals(1, "12.50")), "longer than"),
        (bill(HEADER) + b"\xff\xfe\n", "not UTF-8"),
        (b"", "does not begin"),
        (b"<xml>no</xml>", "does not begin"),
    ],
)
def test_a_bill_that_cannot_be_right_is_corrupt_as_a_whole(content: bytes, says: str) -> None:
    with pytest.raises(Corrupt, match=says):
        fetch(content)


def test_another_hash_is_corrupt_and_a_broken_file_is_fetched_again() -> None:
    with pytest.raises(Corrupt, match="another SHA-1"):
        source(offer(Script(), GOOD + b" ").gives(file(GOOD))).trade_bill(DAY)
    half = httpx.Response(200, stream=httpx.ByteStream(gzip.compress(GOOD)[:-20]))
    with pytest.raises(Unavailable, match="broken"):
        source(offer(Script(), GOOD).gives(half)).trade_bill(DAY)


@pytest.mark.parametrize("code", ["NO_STATEMENT_EXIST", "STATEMENT_CREATING"])
def test_a_bill_that_is_not_made_is_told_apart(code: str) -> None:
    with pytest.raises(BillNotReady, match="2026-11-21: it is made at 10:00"):
        source(Script().says(400, refusal(code))).trade_bill(DAY)


@pytest.mark.parametrize(
    ("script", "outcome"),
    [
        (Script().gives(unsigned(400, "NO_STATEMENT_EXIST")), Unavailable),
        (Script().says(400, refusal("PARAM_ERROR")), Unavailable),
        (Script().gives(LOST, LOST), Unavailable),
        (offer(Script(), GOOD).gives(LOST, LOST), Unavailable),
        (offer(Script(), GOOD).gives(httpx.Response(404), LOST), Unavailable),
        (offer(Script(), GOOD, hash_type="MD5"), Unavailable),
        (offer(Script(), GOOD, hash_value="zz"), Unavailable),
        (offer(Script(), GOOD, download_url="https://api.mch.weixin.qq.com/x"), Unavailable),
        (offer(Script(), GOOD, download_url="https://[/v3/"), Unavailable),
    ],
)
def test_a_bill_that_did_not_come_is_unavailable(script: Script, outcome: type[EdgeError]) -> None:
    with pytest.raises(outcome):
        source(script).trade_bill(DAY)


def test_the_file_comes_from_the_backup_when_the_first_domain_fails_half_way() -> None:
    script = offer(Script(), GOOD).gives(LOST, file(GOOD))
    assert len(list(source(script).trade_bill(DAY))) == 2
    assert script.asked[-1].url.host == "api2.mch.weixin.qq.com"


def flow_bill(*rows: str, income: str = "12.43") -> bytes:
    return bill(FLOW_HEADER, *rows, FLOW_TOTALS, line([str(len(rows)), "1", income, "1", "5.00"]))


IN = line(
    ["2026-11-21 13:51:31", "4200001", "f1", "付款码支付", "交易", "收入", "12.43", "100.00", "system"]
    + ["费,`0.07", "T-0001"]
)
OUT = line(
    ["2026-11-21 14:00:00", "5030001", "f2", "退款", "退款", "支出", "5.00", "95.00", "190API", "", "R-0001"]
)


def test_a_fund_flow_bill_has_signs_and_balances() -> None:
    content = flow_bill(IN, OUT)
    script = offer(Script(), content).gives(file(content))
    first, second = source(script).fund_flow_bill(DAY, Account.OPERATION)
    assert first == FundFlow(
        1795240291000, "4200001", "f1", "付款码支付", "交易", 1243, 10000, "system", "费,`0.07", "T-0001"
    )
    assert (second.amount_fen, second.balance_fen) == (-500, 9500)
    assert "account_type=OPERATION" in script.lines[0]
    wrong = flow_bill(IN, OUT, income="12.44")
    with pytest.raises(Corrupt, match="收入金额"):
        source(offer(Script(), wrong).gives(file(wrong))).fund_flow_bill(DAY)


@pytest.mark.parametrize(
    ("text", "fen"),
    [("0.00000", 0), ("0.00500", 1), ("0.00499", 0), ("-0.00500", -1), ("1", 100), ("12.3", 1230)],
)
def test_fees_are_rounded_half_away_from_zero(text: str, fen: int) -> None:
    assert parse_fee_fen(text) == fen


@pytest.mark.parametrize("text", ["", "-", "1.", ".5", "1e3", "１", "0.000001", "12345678901", " 1"])
def test_what_is_no_amount_is_corrupt(text: str) -> None:
    with pytest.raises(Corrupt):
        parse_fen(text)


def test_times_are_of_shanghai() -> None:
    assert parse_time("1970-01-01 08:00:01") == 1000


def test_a_hundred_thousand_rows_are_checked_and_read_in_seconds(tmp_path: Path) -> None:
    count = 100_000
    rows = (paid(f"T-{place:08d}", "1.00", "0.00600") for place in range(count))
    content = bill(HEADER, *rows, TOTALS, totals(count, "100000.00", fee="600.00000"))
    script = offer(Script(), content).gives(file(content))
    del content
    gateway = source(script, tmp_path)
    started_s = time.process_time()
    assert sum(row.amount_fen for row in gateway.trade_bill(DAY)) == 100 * count
    assert time.process_time() - started_s < 8


def test_reading_a_bill_keeps_nothing_but_the_row_at_hand(tmp_path: Path) -> None:
    count = 7_000
    rows = (paid(f"T-{place:08d}", "1.00", "0.00600") for place in range(count))
    content = bill(HEADER, *rows, TOTALS, totals(count, "7000.00", fee="42.00000"))
    gateway = source(offer(Script(), content).gives(file(content)), tmp_path)
    assert len(content) > 1_000_000
    tracemalloc.start()
    try:
        assert sum(1 for _ in gateway.trade_bill(DAY)) == count
        assert tracemalloc.get_traced_memory()[1] < 700_000
    finally:
        tracemalloc.stop()
