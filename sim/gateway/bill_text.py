"""The files that a bill is: a header, rows with a backtick before each field, and totals; amounts in yuan.

Source: pay.weixin.qq.com, 下载对账单, 账单文件格式 (ALL and SUCCESS and REFUND forms, fund flow).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from sim.gateway.times import CST

#: What the gateway keeps of a payment: 0.60 %.
FEE_PER_100_000 = 600

TRADE_COLUMNS = (
    *("交易时间", "公众账号ID", "商户号", "特约商户号", "设备号", "微信订单号", "商户订单号", "用户标识"),
    *("交易类型", "交易状态", "付款银行", "货币种类", "应结订单金额", "代金券金额", "微信退款单号"),
    *("商户退款单号", "退款金额", "充值券退款金额", "退款类型", "退款状态", "商品名称", "商户数据包"),
    *("手续费", "费率", "订单金额", "申请退款金额", "费率备注"),
)
_REFUND_COLUMNS = (
    *("微信退款单号", "商户退款单号", "退款金额", "充值券退款金额", "退款类型", "退款状态"),
    "申请退款金额",
)
_TRADE_TOTALS = (
    *("总交易单数", "应结订单总金额", "退款总金额", "充值券退款总金额", "手续费总金额", "订单总金额"),
    "申请退款总金额",
)
FLOW_COLUMNS = (
    *("记账时间", "微信支付业务单号", "资金流水单号", "业务名称", "业务类型", "收支类型", "收支金额(元)"),
    *("账户结余(元)", "资金变更提交申请人", "备注", "业务凭证号"),
)
_FLOW_TOTALS = ("资金流水总笔数", "收入笔数", "收入金额", "支出笔数", "支出金额")


@dataclass(frozen=True, slots=True)
class TradeRow:
    """One row of a trade bill. at: Unix milliseconds. state: SUCCESS, REFUND or REVOKED.

    amount_fen: what the order was made for; refund_fen: what went back, 0 for a payment. refund_id,
    refund_no: "" where there is none.
    """

    at: int
    appid: str
    mchid: str
    sub_mchid: str
    device_id: str
    transaction_id: str
    order_no: str
    openid: str
    trade_type: str
    state: str
    amount_fen: int
    description: str
    attach: str
    refund_fen: int = 0
    refund_id: str = ""
    refund_no: str = ""
    refund_state: str = ""

    @property
    def fee(self) -> int:
        """What the gateway keeps, in 1/100,000 yuan; it gives the fee of a refund back."""
        moved_fen = -self.refund_fen if self.refund_fen else self.amount_fen
        return moved_fen * FEE_PER_100_000 // 100


@dataclass(frozen=True, slots=True)
class FlowRow:
    """One booking in a merchant's account. amount_fen: positive for income. number: the merchant's own."""

    at: int
    business_id: str
    flow_id: str
    business: str
    kind: str
    amount_fen: int
    balance_fen: int
    applicant: str
    number: str


def trade_bill(rows: Sequence[TradeRow], form: str) -> Iterator[str]:
    """Yield the lines of a bill of one form: ALL, SUCCESS or REFUND."""
    columns: tuple[str, ...] = TRADE_COLUMNS
    if form == "SUCCESS":
        columns = tuple(one for one in columns if one not in _REFUND_COLUMNS)
    if form == "REFUND":
        at = columns.index("代金券金额") + 1
        columns = (*columns[:at], "退款申请时间", "退款成功时间", *columns[at:])
    yield ",".join(columns)
    for row in rows:
        fields = _trade_fields(row)
        yield _line(fields[name] for name in columns)
    yield ",".join(_TRADE_TOTALS)
    paid = sum(row.amount_fen for row in rows if not row.refund_fen)
    refunded = sum(row.refund_fen for row in rows)
    totals = (paid, refunded, 0)
    fees = sum(row.fee for row in rows)
    yield _line([str(len(rows)), *map(yuan, totals), _units(fees), yuan(paid), yuan(refunded)])


def fund_flow_bill(rows: Sequence[FlowRow]) -> Iterator[str]:
    """Yield the lines of a fund-flow bill."""
    yield ",".join(FLOW_COLUMNS)
    for row in rows:
        yield _line(
            (
                _moment(row.at),
                row.business_id,
                row.flow_id,
                row.business,
                row.kind,
                "收入" if row.amount_fen > 0 else "支出",
                yuan(abs(row.amount_fen)),
                yuan(row.balance_fen),
                row.applicant,
                "",
                row.number,
            )
        )
    yield ",".join(_FLOW_TOTALS)
    income = [row.amount_fen for row in rows if row.amount_fen > 0]
    expense = [-row.amount_fen for row in rows if row.amount_fen < 0]
    yield _line((str(len(rows)), str(len(income)), yuan(sum(income)), str(len(expense)), yuan(sum(expense))))


def yuan(fen: int) -> str:
    """Return fen as a bill writes them: yuan with two decimals."""
    sign = "-" if fen < 0 else ""
    return f"{sign}{abs(fen) // 100}.{abs(fen) % 100:02d}"


def _trade_fields(row: TradeRow) -> dict[str, str]:
    is_refund = bool(row.refund_fen)
    moment = _moment(row.at)
    return {
        "交易时间": moment,
        "公众账号ID": row.appid,
        "商户号": row.mchid,
        "特约商户号": row.sub_mchid or "0",
        "设备号": row.device_id,
        "微信订单号": row.transaction_id,
        "商户订单号": row.order_no,
        "用户标识": row.openid,
        "交易类型": row.trade_type,
        "交易状态": row.state,
        "付款银行": "OTHERS",
        "货币种类": "CNY",
        "应结订单金额": yuan(0 if is_refund else row.amount_fen),
        "代金券金额": "0.00",
        "退款申请时间": moment if is_refund else "",
        "退款成功时间": moment if row.refund_state == "SUCCESS" else "",
        "微信退款单号": row.refund_id or "0",
        "商户退款单号": row.refund_no or "0",
        "退款金额": yuan(row.refund_fen),
        "充值券退款金额": "0.00",
        "退款类型": "ORIGINAL" if is_refund else "",
        "退款状态": row.refund_state,
        "商品名称": row.description,
        "商户数据包": row.attach,
        "手续费": _units(row.fee),
        "费率": "0.60%",
        "订单金额": yuan(0 if is_refund else row.amount_fen),
        "申请退款金额": yuan(row.refund_fen),
        "费率备注": "",
    }


def _line(fields: Iterable[str]) -> str:
    return ",".join(f"`{field}" for field in fields)


def _moment(at: int) -> str:
    return dt.datetime.fromtimestamp(at // 1000, CST).strftime("%Y-%m-%d %H:%M:%S")


def _units(units: int) -> str:
    sign = "-" if units < 0 else ""
    return f"{sign}{abs(units) // 100_000}.{abs(units) % 100_000:05d}"
