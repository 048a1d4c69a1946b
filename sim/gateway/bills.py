"""Bills: of a day's trade and of an account's flow, downloaded by a token, with differences on request.

    GET  /v3/bill/tradebill?bill_date=         GET /v3/bill/fundflowbill?bill_date=
    GET  /v3/billdownload/file?token=          signed by the merchant; the file itself carries no signature
    POST /sim/bills                            {ready: "at_ten" | "at_once"}
    POST /sim/bills/{date}/differences         {kind: missing | extra | amount | status, order_no?}
    GET  /sim/bills/{date}/differences         what was planted

A bill is there from 10:00 of the next day (Asia/Shanghai) for three months; a day without trade has none.
A planted difference changes the bill alone, never the money.
"""

from __future__ import annotations

import datetime as dt
import gzip
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace

from sim.gateway.bill_text import FlowRow, TradeRow, fund_flow_bill, trade_bill
from sim.gateway.endpoints import Auth, Call, Endpoint, Room
from sim.gateway.ledger import Movement
from sim.gateway.messages import Refusal, Reply, json_reply, parameter_error
from sim.gateway.office import Office
from sim.gateway.orders import Order
from sim.gateway.shapes import Shape, text
from sim.gateway.times import CST

TOKEN_LIFE_MS = 30_000
KEPT_DAYS = 92
READY_HOUR = 10

SCHEMA = """
CREATE TABLE IF NOT EXISTS bill_token (
    token TEXT PRIMARY KEY,
    mchid TEXT NOT NULL,
    expires_at INTEGER NOT NULL,
    file BLOB NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS bill_difference (
    difference_id INTEGER PRIMARY KEY AUTOINCREMENT,
    bill_date TEXT NOT NULL,
    kind TEXT NOT NULL,
    order_no TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS bill_switch (one INTEGER PRIMARY KEY CHECK (one = 1), ready TEXT NOT NULL) STRICT;
"""

_DATE = Shape(True, pattern=r"\d{4}-\d\d-\d\d")
_TAR = Shape(pattern="GZIP")
_SUB = Shape(pattern=r"\d{8,10}")
_KINDS = "missing|extra|amount|status"

#: What the reasons of the ledger are called in a fund flow.
_BUSINESS = {
    "pay": "交易",
    "reverse": "退款",
    "refund": "退款",
    "shared": "分账",
    "unfreeze": "分账解冻",
    "share_return": "分账回退",
}


class _Desk:
    def __init__(self, office: Office) -> None:
        self._office = office

    def trade(self, call: Call) -> Reply:
        """Make a day's trade bill; answer with where it is."""
        day = self._ready_day(call.query["bill_date"])
        payee = call.query.get("sub_mchid") or call.mchid
        rows = self._plant(call.query["bill_date"], self._trade_rows(payee, *day))
        form = call.query.get("bill_type", "ALL")
        if form == "SUCCESS":
            rows = [row for row in rows if not row.refund_fen]
        if form == "REFUND":
            rows = [row for row in rows if row.refund_fen]
        if not rows:
            raise Refusal(400, "NO_STATEMENT_EXIST", "账单文件不存在")
        return self._offer(call, "\r\n".join(trade_bill(rows, form)))

    def flow(self, call: Call) -> Reply:
        """Make a day's fund-flow bill; answer with where it is."""
        day = self._ready_day(call.query["bill_date"])
        basic = call.query.get("account_type", "BASIC") == "BASIC"
        rows = self._flow_rows(call.mchid, *day) if basic else []
        if not rows:
            raise Refusal(400, "NO_STATEMENT_EXIST", "账单文件不存在")
        return self._offer(call, "\r\n".join(fund_flow_bill(rows)))

    def download(self, call: Call) -> Reply:
        """Give a file to the merchant that it was made for, while its token lives."""
        mchid = self._office.signatures.check(call.request)
        row = self._office.store.row("SELECT * FROM bill_token WHERE token = ?", call.query["token"])
        if row is None or row["mchid"] != mchid:
            raise Refusal(404, "RESOURCE_NOT_EXISTS", "账单文件不存在")
        if self._office.now_ms() > row["expires_at"]:
            raise Refusal(400, "INVALID_REQUEST", "下载链接已失效，请重新申请账单")
        return Reply(200, bytes(row["file"]), "application/octet-stream")

    def switch(self, call: Call) -> Reply:
        """Say when bills are ready."""
        self._office.store.run("INSERT OR REPLACE INTO bill_switch VALUES (1, ?)", text(call.body, "ready"))
        return json_reply(200, {"ready": text(call.body, "ready")})

    def plant(self, call: Call) -> Reply:
        """Have a day's bills differ from the money."""
        kind, order_no = text(call.body, "kind"), text(call.body, "order_no")
        if (kind == "extra") is bool(order_no):
            raise Refusal(400, "PARAM_ERROR", "order_no is given for every kind but extra")
        self._office.store.run(
            "INSERT INTO bill_difference (bill_date, kind, order_no) VALUES (?, ?, ?)",
            call.path["date"], kind, order_no,
        )  # fmt: skip
        return self.planted(call)

    def planted(self, call: Call) -> Reply:
        """Tell what was planted in a day's bills."""
        return json_reply(200, [dict(row) for row in self._differences(call.path["date"])])

    def _ready_day(self, told: str) -> tuple[int, int]:
        """Return when that day begins and ends (Unix ms); raise Refusal unless its bill is there."""
        try:
            day = dt.datetime.fromisoformat(told).replace(tzinfo=CST)
        except ValueError:
            raise parameter_error("bill_date", "is no date", told, "268435464") from None
        now = dt.datetime.fromtimestamp(self._office.now_ms() / 1000, CST)
        if now - day > dt.timedelta(days=KEPT_DAYS):
            raise Refusal(400, "INVALID_REQUEST", "仅支持三个月内的账单下载申请")
        ready_at = day + dt.timedelta(days=1, hours=READY_HOUR)
        if now < day or (now < ready_at and not ready_at_once(self._office)):
            raise Refusal(400, "NO_STATEMENT_EXIST", "账单未生成，请在次日10点后重试")
        begins_at = int(day.timestamp() * 1000)
        return begins_at, begins_at + 86_400_000

    def _offer(self, call: Call, bill: str) -> Reply:
        plain = bill.encode()
        file = gzip.compress(plain) if call.query.get("tar_type") else plain
        office, token = self._office, self._office.digits(32)
        with office.store.work():
            office.store.run("DELETE FROM bill_token WHERE expires_at < ?", office.now_ms())
            office.store.run(
                "INSERT INTO bill_token VALUES (?, ?, ?, ?)",
                token, call.mchid, office.now_ms() + TOKEN_LIFE_MS, file,
            )  # fmt: skip
        host = call.request.headers.get("host", "api.mch.weixin.qq.com")
        return json_reply(
            200,
            {
                "hash_type": "SHA1",
                "hash_value": hashlib.sha1(plain, usedforsecurity=False).hexdigest(),
                "download_url": f"https://{host}/v3/billdownload/file?token={token}",
            },
        )

    def _trade_rows(self, payee: str, begins_at: int, ends_at: int) -> list[TradeRow]:
        orders = self._office.orders.select(
            "payee = ? AND paid_at >= ? AND paid_at < ?", payee, begins_at, ends_at
        )
        returned = self._office.ledger.movements(
            "reason IN ('reverse', 'refund') AND source IN (?, ?) AND at >= ? AND at < ?",
            f"merchant:{payee}", f"frozen:{payee}", begins_at, ends_at,
        )  # fmt: skip
        rows = [_payment(order) for order in orders] + [self._return(moved) for moved in returned]
        return sorted(rows, key=lambda row: row.at)

    def _return(self, moved: Movement) -> TradeRow:
        order = self._office.orders.known(moved.mchid, moved.order_no)
        assert order is not None
        reversed_ = moved.reason == "reverse"
        return replace(
            _payment(order),
            at=moved.at,
            state="REVOKED" if reversed_ else "REFUND",
            refund_fen=moved.amount_fen,
            refund_id=f"503{moved.movement_id:025d}",
            refund_no="" if reversed_ else moved.number,
            refund_state="SUCCESS",
        )

    def _flow_rows(self, mchid: str, begins_at: int, ends_at: int) -> list[FlowRow]:
        account = f"merchant:{mchid}"
        moved = self._office.ledger.movements("? IN (source, target) AND at < ?", account, ends_at)
        rows, balance_fen = [], 0
        for one in moved:
            amount_fen = one.amount_fen if one.target == account else -one.amount_fen
            balance_fen += amount_fen
            if one.at >= begins_at:
                rows.append(_booking(one, amount_fen, balance_fen))
        return rows

    def _differences(self, date: str) -> Sequence[dict[str, str]]:
        rows = self._office.store.rows(
            "SELECT kind, order_no FROM bill_difference WHERE bill_date = ? ORDER BY difference_id", date
        )
        return [dict(row) for row in rows]

    def _plant(self, date: str, rows: list[TradeRow]) -> list[TradeRow]:
        for number, planted in enumerate(self._differences(date)):
            rows = _PLANTERS[planted["kind"]](rows, planted["order_no"], number)
        return rows


def ready_at_once(office: Office) -> bool:
    """Return whether bills are there before their day is over, Alipay's as well."""
    switch = office.store.row("SELECT ready FROM bill_switch")
    return switch is not None and switch["ready"] == "at_once"


def _booking(moved: Movement, amount_fen: int, balance_fen: int) -> FlowRow:
    business, flow_id = _BUSINESS.get(moved.reason, moved.reason), f"{moved.movement_id:028d}"
    number = moved.number or moved.order_no
    return FlowRow(moved.at, flow_id, flow_id, business, business, amount_fen, balance_fen, "system", number)


def _payment(order: Order) -> TradeRow:
    charge = order.charge
    return TradeRow(
        at=order.paid_at or order.asked_at,
        appid=charge.appid,
        mchid=charge.mchid,
        sub_mchid=charge.sub_mchid,
        device_id=charge.device_id,
        transaction_id=order.transaction_id,
        order_no=charge.order_no,
        openid=order.openid,
        trade_type=charge.trade_type,
        state="SUCCESS",
        amount_fen=charge.amount_fen,
        description=charge.description,
        attach=charge.attach,
    )


def _missing(rows: list[TradeRow], order_no: str, _: int) -> list[TradeRow]:
    return [row for row in rows if row.order_no != order_no]


def _extra(rows: list[TradeRow], _: str, number: int) -> list[TradeRow]:
    """Add a payment that nobody made, shaped like the last one."""
    like = next((row for row in reversed(rows) if not row.refund_fen), None)
    if like is None:
        return rows
    stranger = f"{number:04d}planted{like.order_no[11:]}"
    return [*rows, replace(like, order_no=stranger, transaction_id=f"49999{number:023d}", amount_fen=1_234)]


def _amount(rows: list[TradeRow], order_no: str, _: int) -> list[TradeRow]:
    return [
        replace(row, amount_fen=row.amount_fen + 1)
        if row.order_no == order_no and not row.refund_fen
        else row
        for row in rows
    ]


def _status(rows: list[TradeRow], order_no: str, number: int) -> list[TradeRow]:
    """Have a payment be revoked in the bill."""
    like = next((row for row in rows if row.order_no == order_no and not row.refund_fen), None)
    if like is None:
        return rows
    revoked = replace(
        like,
        state="REVOKED",
        refund_fen=like.amount_fen,
        refund_id=f"504{number:025d}",
        refund_state="SUCCESS",
    )
    return [*rows, revoked]


_PLANTERS: dict[str, Callable[[list[TradeRow], str, int], list[TradeRow]]] = {
    "missing": _missing,
    "extra": _extra,
    "amount": _amount,
    "status": _status,
}


def _endpoints(office: Office) -> Sequence[Endpoint]:
    desk = _Desk(office)
    trade = {
        "bill_date": _DATE,
        "bill_type": Shape(pattern="ALL|SUCCESS|REFUND"),
        "tar_type": _TAR,
        "sub_mchid": _SUB,
    }
    flow = {
        "bill_date": _DATE,
        "account_type": Shape(pattern="BASIC|OPERATION|FEES"),
        "tar_type": _TAR,
    }
    token = {"token": Shape(True, pattern=r"\d{32}")}
    ready = Shape(True, dict, fields={"ready": Shape(True, pattern="at_ten|at_once")})
    difference = Shape(
        True, dict, fields={"kind": Shape(True, pattern=_KINDS), "order_no": Shape(pattern=r"\S{6,32}")}
    )
    planted = "/sim/bills/{date}/differences"
    return (
        Endpoint("trade_bill", "GET", "/v3/bill/tradebill", desk.trade, query=trade),
        Endpoint("fund_flow_bill", "GET", "/v3/bill/fundflowbill", desk.flow, query=flow),
        Endpoint("bill_file", "GET", "/v3/billdownload/file", desk.download, query=token, auth=Auth.OWN),
        Endpoint("sim_bills", "POST", "/sim/bills", desk.switch, ready, auth=Auth.TESTER),
        Endpoint("sim_plant", "POST", planted, desk.plant, difference, auth=Auth.TESTER),
        Endpoint("sim_planted", "GET", planted, desk.planted, auth=Auth.TESTER),
    )


ROOM = Room("bills", SCHEMA, _endpoints)
