"""What waits for a shopper to pay by himself: prepay_ids of mini-programs, code_urls of QR codes, and the
payment sheets that they open on phones."""

from __future__ import annotations

import base64
import binascii
import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.hashes import SHA256

from sim.gateway.merchants import Merchants
from sim.gateway.messages import Refusal
from sim.gateway.orders import Order, Orders
from sim.gateway.store import Store
from sim.gateway.wallets import Habit, Wallet, Wallets

PREPAY_LIFE_MS = 2 * 3_600_000
_MOST_WRONG = 5

SCHEMA = """
CREATE TABLE IF NOT EXISTS prepay (
    prepay_id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    mchid TEXT NOT NULL,
    appids TEXT NOT NULL,
    order_id INTEGER NOT NULL,
    combine_id INTEGER NOT NULL,
    code_url TEXT NOT NULL,
    made_at INTEGER NOT NULL,
    live INTEGER NOT NULL DEFAULT 1
) STRICT;
CREATE INDEX IF NOT EXISTS prepay_of ON prepay (combine_id, order_id);
CREATE INDEX IF NOT EXISTS prepay_url ON prepay (code_url);
CREATE TABLE IF NOT EXISTS sheet (
    sheet_id INTEGER PRIMARY KEY AUTOINCREMENT,
    wallet_id TEXT NOT NULL,
    prepay_id TEXT NOT NULL REFERENCES prepay,
    opened_at INTEGER NOT NULL,
    wrong_passwords INTEGER NOT NULL DEFAULT 0,
    state TEXT NOT NULL DEFAULT 'open',
    said TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX IF NOT EXISTS sheet_open ON sheet (wallet_id) WHERE state = 'open';
"""


@dataclass(frozen=True, slots=True)
class Prepay:
    """One way to pay an order, or all orders of a combined payment. kind: JSAPI or NATIVE."""

    prepay_id: str
    kind: str
    mchid: str
    appids: str
    order_id: int
    combine_id: int
    code_url: str
    made_at: int
    live: int


@dataclass(frozen=True, slots=True)
class Sheet:
    """What a phone shows when it is about to pay. state: open, paid, cancelled or failed; said: why."""

    sheet_id: int
    wallet_id: str
    prepay_id: str
    opened_at: int
    wrong_passwords: int
    state: str
    said: str


class Prepays:
    """All of them; what a phone does to them is checked as a phone and the gateway would."""

    def __init__(
        self,
        store: Store,
        orders: Orders,
        wallets: Wallets,
        merchants: Merchants,
        now_ms: Callable[[], int],
        digits: Callable[[int], str],
    ) -> None:
        self._store = store
        self._orders = orders
        self._wallets = wallets
        self._merchants = merchants
        self._now_ms = now_ms
        self._digits = digits
        store.add_schema(SCHEMA)

    def issue(self, order: Order, mchid: str, appids: str) -> Prepay:
        """Return how to pay that order or its group: the same prepay_id while it lives; a code_url is made
        anew each time, and the older dies."""
        with self._store.work():
            known = self._one(
                "combine_id = ? AND (combine_id > 0 OR order_id = ?) AND live = 1 AND made_at > ?"
                " ORDER BY made_at DESC",
                order.combine_id, order.order_id, self._now_ms() - PREPAY_LIFE_MS,
            )  # fmt: skip
            if known is not None and known.kind == "JSAPI":
                return known
            self._kill(order)
            kind = order.charge.trade_type
            url = f"weixin://wxpay/bizpayurl/up?pr=NwY{self._digits(8)}zz" if kind == "NATIVE" else ""
            made = Prepay(
                f"wx{self._digits(34)}", kind, mchid, appids, order.order_id, order.combine_id, url,
                self._now_ms(), 1,
            )  # fmt: skip
            self._store.run(
                "INSERT INTO prepay VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                made.prepay_id, kind, mchid, appids, made.order_id, made.combine_id, url, made.made_at, 1,
            )  # fmt: skip
            return made

    def orders_of(self, prepay: Prepay) -> tuple[Order, ...]:
        """Return what is paid by it."""
        if prepay.combine_id:
            return self._orders.of_combine(prepay.combine_id)
        return (self._orders.by_id(prepay.order_id),)

    def request_payment(self, wallet_id: str, given: Mapping[str, str]) -> Sheet:
        """Open the sheet as wx.requestPayment does; raise Refusal for parameters that a phone refuses.

        given: appId, timeStamp, nonceStr, package, signType, paySign.
        """
        prepay = self._one("prepay_id = ?", given["package"].removeprefix("prepay_id="))
        if prepay is None or not given["package"].startswith("prepay_id="):
            raise _fail("prepay_id无效")
        if prepay.kind != "JSAPI" or given["appId"] not in prepay.appids.split():
            raise _fail("appId与prepay_id不一致")
        if given["signType"] != "RSA" or not self._signed(prepay.mchid, given):
            raise _fail("支付验证签名失败")
        return self._open(self._wallets.get(wallet_id), prepay)

    def scan(self, wallet_id: str, code_url: str) -> Sheet:
        """Open the sheet of a QR code; raise Refusal for one that nobody made or that is not the newest."""
        prepay = self._one("code_url = ? AND code_url != ''", code_url)
        if prepay is None or not prepay.live:
            raise _fail("二维码已失效")
        return self._open(self._wallets.get(wallet_id), prepay)

    def sheet(self, sheet_id: int) -> Sheet:
        """Return a sheet as it is now; raise KeyError."""
        row = self._store.row("SELECT * FROM sheet WHERE sheet_id = ?", sheet_id)
        if row is None:
            raise KeyError(f"sheet {sheet_id}")
        return self._settle_if_due(Sheet(**dict(row)))

    def open_sheets(self, wallet_id: str) -> tuple[Sheet, ...]:
        """Return what that phone shows to be paid."""
        rows = self._store.rows("SELECT * FROM sheet WHERE wallet_id = ? AND state = 'open'", wallet_id)
        sheets = (self._settle_if_due(Sheet(**dict(row))) for row in rows)
        return tuple(sheet for sheet in sheets if sheet.state == "open")

    def prepay_of(self, sheet: Sheet) -> Prepay:
        """Return what a sheet pays."""
        found = self._one("prepay_id = ?", sheet.prepay_id)
        assert found is not None
        return found

    def enter(self, sheet_id: int, habit: Habit) -> Sheet:
        """Type the password right or wrong, or cancel; raise Refusal when the sheet is not open."""
        with self._store.work():
            sheet = self.sheet(sheet_id)
            if sheet.state != "open":
                raise Refusal(400, "INVALID_REQUEST", f"sheet {sheet_id} is {sheet.state}")
            if habit is Habit.TYPES:
                return self._pay(sheet)
            if habit is Habit.CANCELS:
                return self._end(sheet, "cancelled", "requestPayment:fail cancel")
            self._store.run(
                "UPDATE sheet SET wrong_passwords = wrong_passwords + 1 WHERE sheet_id = ?", sheet_id
            )
            if sheet.wrong_passwords + 1 >= _MOST_WRONG:
                return self._end(sheet, "failed", "requestPayment:fail 支付密码错误次数过多")
            return self.sheet(sheet_id)

    def tick(self) -> None:
        """Have the shoppers type who are due."""
        for row in self._store.rows("SELECT * FROM sheet WHERE state = 'open'"):
            self._settle_if_due(Sheet(**dict(row)))

    def _open(self, wallet: Wallet, prepay: Prepay) -> Sheet:
        orders = self.orders_of(prepay)
        self._check_payable(wallet, prepay, orders)
        sheet_id = self._store.run(
            "INSERT INTO sheet (wallet_id, prepay_id, opened_at) VALUES (?, ?, ?)",
            wallet.wallet_id, prepay.prepay_id, self._now_ms(),
        )  # fmt: skip
        total = sum(order.charge.amount_fen for order in orders)
        if wallet.habit is Habit.TYPES and total <= wallet.password_above_fen:
            return self.enter(sheet_id, Habit.TYPES)
        return self.sheet(sheet_id)

    def _check_payable(self, wallet: Wallet, prepay: Prepay, orders: tuple[Order, ...]) -> None:
        if self._now_ms() >= prepay.made_at + PREPAY_LIFE_MS:
            raise _fail("prepay_id已过期")
        for order in orders:
            if order.state == "SUCCESS":
                raise _fail("该订单已支付")
            if order.state != "NOTPAY":
                raise _fail("订单已关闭")
            if order.charge.openid and order.charge.openid != wallet.openid:
                raise _fail("支付者与下单时的openid不一致")

    def _pay(self, sheet: Sheet) -> Sheet:
        wallet, prepay = self._wallets.get(sheet.wallet_id), self.prepay_of(sheet)
        orders = self.orders_of(prepay)
        try:
            self._check_payable(wallet, prepay, orders)
        except Refusal as refusal:
            return self._end(sheet, "failed", refusal.message)
        if wallet.balance_fen < sum(order.charge.amount_fen for order in orders):
            return self._end(sheet, "failed", "requestPayment:fail 余额不足")
        self._orders.pay_all(orders, wallet)
        return self._end(sheet, "paid", "requestPayment:ok")

    def _end(self, sheet: Sheet, state: str, said: str) -> Sheet:
        self._store.run(
            "UPDATE sheet SET state = ?, said = ? WHERE sheet_id = ?", state, said, sheet.sheet_id
        )
        return self.sheet(sheet.sheet_id)

    def _settle_if_due(self, sheet: Sheet) -> Sheet:
        wallet = self._wallets.get(sheet.wallet_id)
        due = self._now_ms() >= sheet.opened_at + wallet.delay_ms
        if sheet.state != "open" or wallet.habit is Habit.WAITS or not due:
            return sheet
        with self._store.work():
            row = self._store.row("SELECT * FROM sheet WHERE sheet_id = ?", sheet.sheet_id)
            assert row is not None
            now = Sheet(**dict(row))
            if now.state != "open":
                return now
            if wallet.habit is Habit.TYPES:
                return self._pay(now)
            return self._end(now, "cancelled", "requestPayment:fail cancel")

    def _kill(self, order: Order) -> None:
        self._store.run(
            "UPDATE prepay SET live = 0 WHERE combine_id = ? AND (combine_id > 0 OR order_id = ?)",
            order.combine_id, order.order_id,
        )  # fmt: skip

    def _one(self, where: str, *values: int | str) -> Prepay | None:
        row: sqlite3.Row | None = self._store.row(f"SELECT * FROM prepay WHERE {where} LIMIT 1", *values)
        return None if row is None else Prepay(**dict(row))

    def _signed(self, mchid: str, given: Mapping[str, str]) -> bool:
        names = ("appId", "timeStamp", "nonceStr", "package")
        message = "".join(f"{given[name]}\n" for name in names).encode()
        for key in self._merchants.keys(mchid):
            try:
                signature = base64.b64decode(given["paySign"], validate=True)
                key.verify(signature, message, padding.PKCS1v15(), SHA256())
            except (InvalidSignature, binascii.Error):
                continue
            return True
        return False


def _fail(why: str) -> Refusal:
    return Refusal(400, "INVALID_REQUEST", f"requestPayment:fail {why}")
