"""Alipay's bills: fetched over HTTP from the simulated gateway, and broken by hand."""

from __future__ import annotations

import io
import zipfile
from datetime import date

import httpx
import pytest

from edge.errors import Corrupt, Unavailable
from edge.gateways.alipay import bills
from edge.gateways.line import Unreadable
from edge.retail.bill import BillKind
from edge.services.payment_ports import BillNotReady, BillSource
from sim.gateway import Fault
from tests.integration.test_alipay_faults import ORDER, Till, credentials, till

__all__ = ["credentials", "till"]

DAY = date(2026, 11, 18)
BILL = "alipay.data.dataservice.bill.downloadurl.query"
HEADER = "支付宝交易号,商户订单号,业务类型,商品名称,完成时间,订单金额（元）,退款批次号/请求号,服务费（元）"
ROW = "2026\t,T_1\t,交易,水果, 甜,2026-11-18 10:00:00,1.23,,-0.01"
END = "#---业务明细列表结束---"


def archive(*lines: str, name: str = "x.csv") -> io.BytesIO:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as made:
        made.writestr(name, "\r\n".join(lines).encode("gb18030"))
    return data


def test_a_days_payments_refunds_and_reversals_come_with_numbers_amounts_and_fees(till: Till) -> None:
    till.gateway.pay_by_code(till.payment())
    till.gateway.refund(till.refund(250))
    till.gateway.pay_by_code(till.payment(990, "T20261122_0002"))
    till.gateway.reverse("T20261122_0002")
    till.clock.wall_at += 86_400_000
    assert isinstance(till.gateway, BillSource)
    rows = list(till.gateway.trade_bill(DAY))
    assert [
        (row.kind, row.merchant_order_no, row.merchant_refund_no, row.amount_fen, row.fee_fen) for row in rows
    ] == [
        (BillKind.PAYMENT, ORDER, "", 1250, 8),
        (BillKind.REFUND, ORDER, "R00001", 250, -2),
        (BillKind.PAYMENT, "T20261122_0002", "", 990, 6),
        (BillKind.REFUND, "T20261122_0002", "", 990, -6),
    ]
    assert {row.happened_at for row in rows} == {till.clock.wall_at - 86_400_000}


def test_a_day_that_is_not_over_has_a_bill_once_the_gateway_is_told_so(till: Till) -> None:
    till.gateway.pay_by_code(till.payment())
    httpx.post(f"{till.server.url}/sim/bills", json={"ready": "at_once"}).raise_for_status()
    assert [row.merchant_order_no for row in till.gateway.trade_bill(DAY)] == [ORDER]


def test_a_day_that_is_not_over_or_without_trade_has_no_bill(till: Till) -> None:
    till.gateway.pay_by_code(till.payment())
    for day in (DAY, date(2026, 11, 17)):
        with pytest.raises(BillNotReady, match=day.isoformat()):
            till.gateway.trade_bill(day)


@pytest.mark.parametrize("fault", [Fault.DROP_BEFORE, Fault.BAD_SIGNATURE, Fault.SYSTEM_ERROR_BEFORE])
def test_a_bill_whose_address_is_not_told_is_fetched_again(till: Till, fault: Fault) -> None:
    till.gateway.pay_by_code(till.payment())
    till.clock.wall_at += 86_400_000
    till.server.faults.add(BILL, fault)
    with pytest.raises(Unavailable):
        till.gateway.trade_bill(DAY)
    till.server.faults.add("alipay_bill", Fault.CUT)
    with pytest.raises(Unavailable, match="not downloaded"):
        till.gateway.trade_bill(DAY)
    assert len(list(till.gateway.trade_bill(DAY))) == 1


def test_a_comma_in_the_name_of_goods_moves_no_column() -> None:
    (row,) = bills.checked_rows(archive(HEADER, ROW, END, "#交易合计：1笔", "#退款合计：0笔"), "bill")
    assert (row.merchant_order_no, row.amount_fen, row.fee_fen) == ("T_1", 123, 1)


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        ((HEADER, ROW), "no end mark"),
        ((HEADER, ROW, END, "#交易合计：2笔"), "says 2 of 交易 and lists 1"),
        ((HEADER.replace(",服务费（元）", ""), END), "no column 服务费"),
        ((HEADER, "1,2,3", END), "3 fields"),
        ((HEADER, ROW.replace("交易", "赠送"), END), "neither a payment nor a refund"),
        ((HEADER, ROW.replace("1.23", "1.234"), END), "order T_1"),
        ((HEADER, ROW.replace("10:00:00", "noon"), END), "order T_1"),
        (("门店编号,门店名称",), "no list of payments"),
    ],
)
def test_a_bill_of_another_form_is_corrupt_before_a_row_is_given_out(
    lines: tuple[str, ...], why: str
) -> None:
    with pytest.raises(Corrupt, match=why):
        bills.checked_rows(archive(*lines), "bill")


def test_a_file_that_is_no_archive_is_corrupt() -> None:
    for data in (b"", b"<html>", archive(HEADER, ROW, END).getvalue()[:-30]):
        with pytest.raises(Corrupt, match="broken"):
            bills.checked_rows(io.BytesIO(data), "bill")


def test_a_bill_is_fetched_from_nobody_but_alipay(till: Till) -> None:
    with pytest.raises(Unreadable, match="not one of Alipay"):
        till.gateway._wire.download("https://example.com/bill", "day", io.BytesIO(), 100)
    assert httpx.get(f"{till.server.url}/alipay/bill?token={'1' * 24}", trust_env=False).status_code == 404
