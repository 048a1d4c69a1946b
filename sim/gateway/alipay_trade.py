"""Alipay's own truth: payment codes, trades, cancellations and refunds, on the same wallets and ledger.

Written from opendocs.alipay.com (alipay.trade.pay, .query, .cancel, .refund, .fastpay.refund.query). A trade
is kept as an order of the application; what an answer says is `trade_json`.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import sqlite3
import threading
from dataclasses import dataclass, replace

from sim.gateway.ledger import Why
from sim.gateway.messages import Json
from sim.gateway.office import Office
from sim.gateway.orders import Charge, Order
from sim.gateway.shapes import text
from sim.gateway.wallets import CODE_LIFE_MS, PaymentCode, Wallet

CST = dt.timezone(dt.timedelta(hours=8))
CANCEL_LIFE_MS = 86_400_000
_MAX_CODES = 50_000

SCHEMA = """
CREATE TABLE IF NOT EXISTS alipay_refund (
    refund_id INTEGER PRIMARY KEY AUTOINCREMENT,
    order_id INTEGER NOT NULL REFERENCES pay_order,
    request_no TEXT NOT NULL,
    amount_fen INTEGER NOT NULL CHECK (amount_fen > 0),
    at INTEGER NOT NULL,
    UNIQUE (order_id, request_no)
) STRICT;
"""
_STATUS = {"SUCCESS": "TRADE_SUCCESS", "USERPAYING": "WAIT_BUYER_PAY"}


class Failed(Exception):
    """A business refusal (40004). sub: e.g. ACQ.TRADE_NOT_EXIST."""

    def __init__(self, sub: str, message: str) -> None:
        super().__init__(f"{sub}: {message}")
        self.sub = sub
        self.message = message


@dataclass(frozen=True, slots=True)
class Refund:
    """Money given back for one request number. total_fen: of all refunds of the trade up to now."""

    request_no: str
    amount_fen: int
    at: int
    total_fen: int
    repeated: bool = False


class AlipayCodes:
    """Payment codes on phones: 18 digits from 25 to 30, for a minute, in memory alone."""

    def __init__(self, office: Office) -> None:
        self._office = office
        self._lock = threading.Lock()
        self._codes: dict[str, PaymentCode] = {}
        self._shown: dict[str, str] = {}

    def show(self, wallet_id: str, renew: bool = False) -> PaymentCode:
        """Return the code on that phone's screen; a new one when it is used or old, or on `renew`."""
        self._office.wallets.get(wallet_id)
        with self._lock:
            shown = self._codes.get(self._shown.get(wallet_id, ""))
            now = self._office.now_ms()
            if shown and not renew and not shown.used_by and now < shown.expires_at:
                return shown
            if len(self._codes) >= _MAX_CODES:
                self._codes.clear()
            digits = self._office.digits
            code = PaymentCode(f"{25 + int(digits(1)) % 6}{digits(16)}", wallet_id, now)
            self._codes[code.code] = code
            self._shown[wallet_id] = code.code
            return code

    def spend(self, digits: str, order_no: str) -> Wallet:
        """Return whose code that is and mark it used; raise Failed for one that is not to be taken."""
        with self._lock:
            code = self._codes.get(digits)
            if code is None or code.used_by or self._office.now_ms() >= code.issued_at + CODE_LIFE_MS:
                raise Failed(
                    "ACQ.PAYMENT_AUTH_CODE_INVALID", "支付失败，获取顾客账户信息失败，请顾客刷新付款码"
                )
            self._codes[digits] = replace(code, used_by=order_no)
        return self._office.wallets.get(code.wallet_id)


class AlipayTrades:
    """The trades of one application; changes of a trade and its money are kept together."""

    def __init__(self, office: Office, app_id: str, pid: str) -> None:
        self._office = office
        self._app_id = app_id
        self._pid = pid
        self.codes = AlipayCodes(office)

    def pay(self, body: Json) -> Order:
        """Take a payment, or say that the password is being typed; raise Failed."""
        charge = self._charge(body)
        with self._office.store.work():
            known = self._office.orders.known(self._app_id, charge.order_no)
            if known is not None:
                return _again(charge, known)
            wallet = self.codes.spend(text(body, "auth_code"), charge.order_no)
            if wallet.balance_fen < charge.amount_fen:
                raise Failed("ACQ.BUYER_BALANCE_NOT_ENOUGH", "买家余额不足")
            order = self._office.orders.open(charge, "USERPAYING", wallet)
            if charge.amount_fen <= wallet.password_above_fen:
                return self._office.orders.pay(order, wallet)
            return order

    def find(self, body: Json) -> Order:
        """Return a trade by out_trade_no or trade_no as it is now; raise Failed."""
        found = None
        if text(body, "trade_no"):
            mine = self._office.orders.select("mchid = ?", self._app_id)
            found = next((one for one in mine if trade_no(one) == text(body, "trade_no")), None)
        elif text(body, "out_trade_no"):
            found = self._office.orders.known(self._app_id, text(body, "out_trade_no"))
        else:
            raise Failed("ACQ.INVALID_PARAMETER", "out_trade_no和trade_no不能同时为空")
        if found is None:
            raise Failed("ACQ.TRADE_NOT_EXIST", "交易不存在")
        return found

    def cancel(self, body: Json) -> tuple[str, Order]:
        """Undo a trade and return what was done, close or refund; raise Failed."""
        with self._office.store.work():
            order = self.find(body)
            if order.state != "SUCCESS":
                return "close", self._office.orders.keep(replace(order, state="CLOSED"))
            if self._office.now_ms() - (order.paid_at or 0) > CANCEL_LIFE_MS:
                raise Failed("ACQ.TRADE_CANCEL_TIME_OUT", "超过撤销时间范围")
            if self.refunds(order):
                raise Failed("ACQ.REASON_TRADE_REFUND_FEE_ERR", "退款金额无效")
            self._give_back(
                order, order.charge.amount_fen, Why("reverse", self._app_id, order.charge.order_no)
            )
            return "refund", self._office.orders.keep(replace(order, state="REVOKED"))

    def refund(self, body: Json) -> tuple[Order, Refund]:
        """Give money back once per request number; raise Failed."""
        amount_fen = fen(text(body, "refund_amount"))
        with self._office.store.work():
            order = self.find(body)
            request_no = text(body, "out_request_no") or order.charge.order_no
            known = next((one for one in self.refunds(order) if one.request_no == request_no), None)
            if known is not None:
                if known.amount_fen != amount_fen:
                    raise Failed("ACQ.DISCORDANT_REPEAT_REQUEST", "不一致的请求")
                return order, replace(known, repeated=True)
            self._check_refund(order, amount_fen, "out_request_no" in body)
            why = Why("refund", self._app_id, order.charge.order_no, request_no)
            self._give_back(order, amount_fen, why)
            self._office.store.run(
                "INSERT INTO alipay_refund (order_id, request_no, amount_fen, at) VALUES (?, ?, ?, ?)",
                order.order_id, request_no, amount_fen, self._office.now_ms(),
            )  # fmt: skip
            done = self.refunds(order)[-1]
            if done.total_fen == order.charge.amount_fen:
                order = self._office.orders.keep(replace(order, state="REFUND"))
            return order, done

    def refunds(self, order: Order) -> tuple[Refund, ...]:
        """Return a trade's refunds, oldest first; total_fen is that of all of them."""
        rows = self._office.store.rows(
            "SELECT * FROM alipay_refund WHERE order_id = ? ORDER BY refund_id", order.order_id
        )
        total_fen = sum(row["amount_fen"] for row in rows)
        return tuple(_refund(row, total_fen) for row in rows)

    def _check_refund(self, order: Order, amount_fen: int, numbered: bool) -> None:
        if order.state in ("CLOSED", "REVOKED", "PAYERROR"):
            raise Failed("ACQ.TRADE_HAS_CLOSE", "交易已经关闭")
        if order.state == "USERPAYING":
            raise Failed("ACQ.TRADE_STATUS_ERROR", "交易状态非法")
        if not numbered and amount_fen != order.charge.amount_fen:
            raise Failed("ACQ.REFUND_AMT_NOT_EQUAL_TOTAL", "撤销或退款金额与订单金额不一致")
        given_fen = sum(one.amount_fen for one in self.refunds(order))
        if given_fen + amount_fen > order.charge.amount_fen:
            raise Failed("ACQ.REASON_TRADE_REFUND_FEE_ERR", "退款金额无效")

    def _give_back(self, order: Order, amount_fen: int, why: Why) -> None:
        ledger, account = self._office.ledger, order.charge.account
        if ledger.balance(account) < amount_fen:
            raise Failed("ACQ.SELLER_BALANCE_NOT_ENOUGH", "卖家余额不足")
        ledger.move(account, f"wallet:{order.wallet_id}", amount_fen, why)

    def _charge(self, body: Json) -> Charge:
        form = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
        return Charge(
            order_no=text(body, "out_trade_no"),
            amount_fen=fen(text(body, "total_amount")),
            description=text(body, "subject"),
            mchid=self._app_id,
            appid=self._app_id,
            trade_type="ALIPAY",
            sub_mchid=self._pid,
            device_id=text(body, "terminal_id"),
            form=form,
        )


def trade_json(order: Order) -> Json:
    """Return what the answers to pay, query and refund have in common of a trade."""
    total = yuan(order.charge.amount_fen)
    value: Json = {
        "trade_no": trade_no(order),
        "out_trade_no": order.charge.order_no,
        "buyer_logon_id": f"sim***@{order.wallet_id}.example",
        "buyer_user_id": f"2088{order.openid[4:16]}",
        "total_amount": total,
    }
    if order.paid_at is not None:
        value |= {
            "receipt_amount": total,
            "buyer_pay_amount": total,
            "invoice_amount": total,
            "point_amount": "0.00",
            "fund_bill_list": [{"fund_channel": "ALIPAYACCOUNT", "amount": total}],
        }
    return value


def status(order: Order) -> str:
    """Return the trade_status of a trade."""
    return _STATUS.get(order.state, "TRADE_CLOSED")


def trade_no(order: Order) -> str:
    """Return Alipay's number of a trade: 28 digits that begin with the day."""
    return f"{moment(order.asked_at)[:10].replace('-', '')}22001{order.transaction_id[-15:]}"


def moment(at: int) -> str:
    """Return Unix milliseconds as Alipay writes times: Beijing's, to the second."""
    return dt.datetime.fromtimestamp(at // 1000, CST).strftime("%Y-%m-%d %H:%M:%S")


def yuan(amount_fen: int) -> str:
    """Return fen as yuan with two decimals."""
    return f"{amount_fen // 100}.{amount_fen % 100:02d}"


def fen(told: str) -> int:
    """Return the fen of a checked amount in yuan; raise Failed for nothing at all."""
    whole, _, part = told.partition(".")
    amount_fen = int(whole) * 100 + int(part.ljust(2, "0") or 0)
    if amount_fen <= 0:
        raise Failed("ACQ.INVALID_PARAMETER", "金额必须大于0")
    return amount_fen


def _again(charge: Charge, known: Order) -> Order:
    if known.charge.form != charge.form:
        raise Failed("ACQ.CONTEXT_INCONSISTENT", "交易信息被篡改")
    if known.state == "SUCCESS":
        raise Failed("ACQ.TRADE_HAS_SUCCESS", "交易已被支付")
    if known.state != "USERPAYING":
        raise Failed("ACQ.TRADE_HAS_CLOSE", "交易已经关闭")
    return known


def _refund(row: sqlite3.Row, total_fen: int) -> Refund:
    return Refund(row["request_no"], row["amount_fen"], row["at"], total_fen)
