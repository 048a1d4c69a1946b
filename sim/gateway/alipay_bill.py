"""Alipay's trade bills (业务明细): a zip of CSV files in GBK behind an address that lives for 30 s."""

from __future__ import annotations

import datetime as dt
import io
import zipfile
from collections.abc import Mapping

from sim.gateway.alipay_trade import CST, AlipayTrades, Failed, moment, trade_no, yuan
from sim.gateway.bills import ready_at_once
from sim.gateway.endpoints import Call
from sim.gateway.messages import Refusal, Reply
from sim.gateway.office import Office
from sim.gateway.orders import Order
from sim.gateway.shapes import Shape

BILL = "alipay.data.dataservice.bill.downloadurl.query"
TOKEN: Mapping[str, Shape] = {"token": Shape(True, pattern=r"\d{24}")}
_LIFE_MS = 30_000
_MAX_WAITING = 100
_HEADER = (
    "支付宝交易号,商户订单号,业务类型,商品名称,创建时间,完成时间,门店编号,门店名称,操作员,终端号,对方账户,"
    "订单金额（元）,商家实收（元）,支付宝红包（元）,集分宝（元）,支付宝优惠（元）,商家优惠（元）,券核销金额（元）,券名称,"
    "商家红包消费金额（元）,卡消费金额（元）,退款批次号/请求号,服务费（元）,分润（元）,备注"
)
_FEE_PER_MILLE = 6


class AlipayBills:
    """The bills of one application; a fee of 0.6 % is taken, to the fen."""

    def __init__(self, office: Office, trades: AlipayTrades, app_id: str, pid: str) -> None:
        self._office, self._trades, self._app_id, self._pid = office, trades, app_id, pid
        self._waiting: dict[str, tuple[int, bytes]] = {}

    def make(self, day: str) -> str:
        """Make the bill of a day; return the token of its address. Raise Failed when there is none."""
        begin = dt.datetime.strptime(day, "%Y-%m-%d").replace(tzinfo=CST).timestamp() * 1000
        lines = self._lines(int(begin), int(begin) + 86_400_000)
        early = self._office.now_ms() < begin + 86_400_000
        if not lines or (early and not ready_at_once(self._office)):
            raise Failed("isp.bill_not_exist", "账单不存在")
        if len(self._waiting) >= _MAX_WAITING:
            self._waiting.clear()
        token = self._office.digits(24)
        self._waiting[token] = (self._office.now_ms(), self._zip(day, lines))
        return token

    def give(self, call: Call) -> Reply:
        """Hand the file out, once."""
        made_at, data = self._waiting.pop(call.query["token"], (0, b""))
        if self._office.now_ms() - made_at > _LIFE_MS:
            raise Refusal(404, "EXPIRED", "下载链接已失效")
        return Reply(200, data, "application/zip")

    def _lines(self, begin: int, end: int) -> list[tuple[str, str]]:
        found = []
        for order in self._office.orders.select("mchid = ? AND paid_at IS NOT NULL", self._app_id):
            number, amount_fen = order.charge.order_no, order.charge.amount_fen
            if begin <= (order.paid_at or 0) < end:
                found.append(("交易", _line(order, "交易", order.paid_at or 0, amount_fen, "")))
            for refund in self._trades.refunds(order):
                if begin <= refund.at < end:
                    line = _line(order, "退款", refund.at, -refund.amount_fen, refund.request_no)
                    found.append(("退款", line))
            back = self._office.ledger.movements("mchid = ? AND order_no = ? AND reason = 'reverse'",
                                                 self._app_id, number)  # fmt: skip
            for moved in back:
                if begin <= moved.at < end:
                    found.append(("退款", _line(order, "退款", moved.at, -moved.amount_fen, number)))
        return found

    def _zip(self, day: str, lines: list[tuple[str, str]]) -> bytes:
        counts = {kind: sum(1 for one, _ in lines if one == kind) for kind in ("交易", "退款")}
        details = [
            "#支付宝业务明细查询",
            f"#账号：[{self._pid}0156]",
            f"#起始日期：[{day} 00:00:00]   终止日期：[{day} 24:00:00]",
            "#-----------------------------------------业务明细列表----------------------------------------",
            _HEADER,
            *(line for _, line in lines),
            "#-----------------------------------------业务明细列表结束------------------------------------",
            *(f"#{kind}合计：{count}笔" for kind, count in counts.items()),
            f"#导出时间：[{moment(self._office.now_ms())}]",
        ]
        summary = ["#支付宝业务汇总查询", "门店编号,门店名称,交易订单总笔数", f"合计,,{counts['交易']}"]
        data = io.BytesIO()
        with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, text in (("汇总", summary), ("明细", details)):
                file = f"{self._pid}0156_{day.replace('-', '')}_{name}.csv"
                archive.writestr(file, ("\r\n".join(text) + "\r\n").encode("gb18030"))
        return data.getvalue()


def _line(order: Order, kind: str, at: int, amount_fen: int, request_no: str) -> str:
    amount, fee_fen = _signed(amount_fen), (abs(amount_fen) * _FEE_PER_MILLE + 500) // 1000
    charge = order.charge
    fields = [f"{trade_no(order)}\t", f"{charge.order_no}\t", kind, charge.description]
    fields += [moment(order.asked_at), moment(at), "", "", "", charge.device_id, "sim***"]
    fields += [amount, amount, "0.00", "0.00", "0.00", "0.00", "0.00", "", "0.00", "0.00"]
    fields += [request_no, _signed(-fee_fen if amount_fen > 0 else fee_fen), "0.00", ""]
    return ",".join(fields)


def _signed(amount_fen: int) -> str:
    return f"-{yuan(-amount_fen)}" if amount_fen < 0 else yuan(amount_fen)
