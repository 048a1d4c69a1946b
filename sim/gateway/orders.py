"""Orders as the gateway keeps them: what a merchant asked for, and what became of it.

What happens by itself (a password typed after the shopper's delay, an order that runs out) happens when
somebody looks at the order after it was due, or at the clock's next tick.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace

from sim.gateway.ledger import Ledger, Why
from sim.gateway.messages import Refusal
from sim.gateway.store import Store, Value
from sim.gateway.wallets import Habit, Wallet, Wallets

MAX_ORDERS = 2_000_000
_SWEEP_TICKS = 400
ORDER_LIFE_MS = 7 * 86_400_000

SCHEMA = """
CREATE TABLE IF NOT EXISTS pay_order (
    order_id INTEGER PRIMARY KEY AUTOINCREMENT,
    mchid TEXT NOT NULL,
    order_no TEXT NOT NULL,
    payee TEXT NOT NULL,
    combine_id INTEGER,
    amount_fen INTEGER NOT NULL CHECK (amount_fen > 0),
    charge TEXT NOT NULL,
    state TEXT NOT NULL,
    wallet_id TEXT NOT NULL,
    openid TEXT NOT NULL,
    asked_at INTEGER NOT NULL,
    transaction_id TEXT NOT NULL UNIQUE,
    paid_at INTEGER,
    wrong_passwords INTEGER NOT NULL,
    UNIQUE (mchid, order_no)
) STRICT;
CREATE TABLE IF NOT EXISTS combine (
    combine_id INTEGER PRIMARY KEY AUTOINCREMENT,
    mchid TEXT NOT NULL,
    combine_no TEXT NOT NULL,
    appid TEXT NOT NULL,
    notify_url TEXT NOT NULL,
    scene TEXT NOT NULL,
    UNIQUE (mchid, combine_no)
) STRICT;
CREATE INDEX IF NOT EXISTS pay_order_number ON pay_order (order_no);
CREATE INDEX IF NOT EXISTS pay_order_wallet ON pay_order (wallet_id);
CREATE INDEX IF NOT EXISTS pay_order_paid ON pay_order (paid_at);
CREATE INDEX IF NOT EXISTS pay_order_open ON pay_order (state) WHERE state IN ('NOTPAY', 'USERPAYING');
CREATE INDEX IF NOT EXISTS pay_order_combine ON pay_order (combine_id);
"""


@dataclass(frozen=True, slots=True)
class Charge:
    """What a merchant asks for.

    mchid: who may ask about it (the service provider in partner mode); sub_mchid: who gets the money then.
    openid: of whom it is asked (JSAPI). freeze: the money is held for profit sharing. form: a digest of all
    that was asked, to recognise the same again. expires_at: Unix milliseconds, 0 for seven days.
    """

    order_no: str
    amount_fen: int
    description: str
    mchid: str
    appid: str
    trade_type: str = "MICROPAY"
    sub_mchid: str = ""
    sub_appid: str = ""
    openid: str = ""
    device_id: str = ""
    attach: str = ""
    notify_url: str = ""
    goods_tag: str = ""
    expires_at: int = 0
    freeze: bool = False
    form: str = ""

    @property
    def payee(self) -> str:
        """The merchant that gets the money."""
        return self.sub_mchid or self.mchid

    @property
    def account(self) -> str:
        """The account that the money goes to."""
        return f"{'frozen' if self.freeze else 'merchant'}:{self.payee}"


@dataclass(frozen=True, slots=True)
class Order:
    """One order. state: a trade_state. asked_at, paid_at: Unix milliseconds. combine_id: its group."""

    charge: Charge
    wallet_id: str
    openid: str
    state: str
    asked_at: int
    transaction_id: str
    paid_at: int | None = None
    wrong_passwords: int = 0
    order_id: int = 0
    combine_id: int = 0

    @property
    def closes_at(self) -> int:
        """When it can no longer be paid (Unix milliseconds)."""
        return self.charge.expires_at or self.asked_at + ORDER_LIFE_MS


Listener = Callable[[Order], None]


class Orders:
    """All orders; changes of one order and its money are kept together."""

    def __init__(
        self,
        store: Store,
        ledger: Ledger,
        wallets: Wallets,
        now_ms: Callable[[], int],
        digits: Callable[[int], str],
    ) -> None:
        self._store = store
        self._ledger = ledger
        self._wallets = wallets
        self._now_ms = now_ms
        self._digits = digits
        self._when_paid: list[Listener] = []
        self._ticks = 0
        store.add_schema(SCHEMA)

    def when_paid(self, listener: Listener) -> None:
        """Have `listener` called with each order that was paid, inside the same unit of work."""
        self._when_paid.append(listener)

    def open(self, charge: Charge, state: str, wallet: Wallet | None = None, combine_id: int = 0) -> Order:
        """Add an order; raise Refusal 429 at the limit."""
        with self._store.work():
            if self._store.number("SELECT max(order_id) FROM pay_order") >= MAX_ORDERS:
                raise Refusal(429, "FREQUENCY_LIMITED", "频率超限", "268447840")
            order = Order(
                charge,
                wallet.wallet_id if wallet else "",
                wallet.openid if wallet else charge.openid,
                state,
                self._now_ms(),
                f"42000{self._digits(23)}",
                combine_id=combine_id,
            )
            return replace(order, order_id=self._insert(order))

    def known(self, mchid: str, order_no: str) -> Order | None:
        """Return that merchant's order as it is now, or None."""
        return self._one("mchid = ? AND order_no = ?", mchid, order_no)

    def find(self, order_no: str, mchid: str = "") -> Order:
        """Return an order as it is now, the newest of that number for mchid ""; raise Refusal 404."""
        found = self.known(mchid, order_no) if mchid else self._one("order_no = ?", order_no)
        return _required(found)

    def by_transaction(self, transaction_id: str) -> Order:
        """Return a paid order as it is now; raise Refusal 404, also for one that is not paid yet."""
        return _required(self._one("transaction_id = ? AND paid_at IS NOT NULL", transaction_id))

    def by_id(self, order_id: int) -> Order:
        """Return an order as it is now; raise Refusal 404."""
        return _required(self._one("order_id = ?", order_id))

    def of_combine(self, combine_id: int) -> tuple[Order, ...]:
        """Return the orders of a combined payment, in its own order."""
        rows = self._store.rows("SELECT * FROM pay_order WHERE combine_id = ? ORDER BY order_id", combine_id)
        return tuple(self._settle_if_due(_order(row)) for row in rows)

    def newest(self, wallet_id: str = "", limit: int = 200) -> tuple[Order, ...]:
        """Return the newest orders, newest first, of one wallet or of all."""
        rows = self._store.rows(
            "SELECT * FROM pay_order WHERE ? IN ('', wallet_id) ORDER BY order_id DESC LIMIT ?",
            wallet_id, limit,
        )  # fmt: skip
        return tuple(self._settle_if_due(_order(row)) for row in rows)

    def select(self, where: str, *values: Value) -> tuple[Order, ...]:
        """Return orders by number of their making; `where` is SQL over the table pay_order."""
        rows = self._store.rows(f"SELECT * FROM pay_order WHERE {where} ORDER BY order_id", *values)
        return tuple(_order(row) for row in rows)

    def pay(self, order: Order, wallet: Wallet) -> Order:
        """Take the money from that wallet, which must have it; tell the listeners."""
        charge = order.charge
        with self._store.work():
            why = Why("pay", charge.mchid, charge.order_no)
            self._ledger.move(f"wallet:{wallet.wallet_id}", charge.account, charge.amount_fen, why)
            paid = self.keep(
                replace(
                    order,
                    state="SUCCESS",
                    paid_at=self._now_ms(),
                    wallet_id=wallet.wallet_id,
                    openid=wallet.openid,
                )
            )
            for listener in self._when_paid:
                listener(paid)
            return paid

    def pay_all(self, orders: Sequence[Order], wallet: Wallet) -> tuple[Order, ...]:
        """Take the money of several orders at once, or of none when one cannot be paid."""
        with self._store.work():
            return tuple(self.pay(order, wallet) for order in orders)

    def keep(self, order: Order) -> Order:
        """Write a changed order."""
        self._store.run(
            "UPDATE pay_order SET state = ?, wallet_id = ?, openid = ?, paid_at = ?, wrong_passwords = ?"
            " WHERE order_id = ?",
            order.state, order.wallet_id, order.openid, order.paid_at, order.wrong_passwords, order.order_id,
        )  # fmt: skip
        return order

    def settle(self, order: Order, habit: Habit) -> Order:
        """End the password question of a codepay order as the shopper does."""
        wallet = self._wallets.get(order.wallet_id)
        if habit is Habit.TYPES and wallet.balance_fen >= order.charge.amount_fen:
            return self.pay(order, wallet)
        return self.keep(replace(order, state="PAYERROR"))

    def tick(self) -> None:
        """Settle passwords that are due, and now and then close what has run out."""
        self._ticks += 1
        state = "NOTPAY" if self._ticks % _SWEEP_TICKS == 0 else "USERPAYING"
        for row in self._store.rows("SELECT * FROM pay_order WHERE state = ?", state):
            self._settle_if_due(_order(row))

    def _insert(self, order: Order) -> int:
        charge = order.charge
        return self._store.run(
            "INSERT INTO pay_order (mchid, order_no, payee, combine_id, amount_fen, charge, state, wallet_id,"
            " openid, asked_at, transaction_id, wrong_passwords) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0)",
            charge.mchid, charge.order_no, charge.payee, order.combine_id or None, charge.amount_fen,
            json.dumps(asdict(charge), ensure_ascii=False), order.state, order.wallet_id, order.openid,
            order.asked_at, order.transaction_id,
        )  # fmt: skip

    def _one(self, where: str, *values: Value) -> Order | None:
        row = self._store.row(
            f"SELECT * FROM pay_order WHERE {where} ORDER BY order_id DESC LIMIT 1", *values
        )
        return None if row is None else self._settle_if_due(_order(row))

    def _settle_if_due(self, order: Order) -> Order:
        if order.state == "NOTPAY" and self._now_ms() >= order.closes_at:
            return self.keep(replace(order, state="CLOSED"))
        if order.state != "USERPAYING":
            return order
        wallet = self._wallets.get(order.wallet_id)
        if wallet.habit is Habit.WAITS or self._now_ms() < order.asked_at + wallet.delay_ms:
            return order
        with self._store.work():
            # Somebody else may have settled it since it was read.
            row = self._store.row("SELECT * FROM pay_order WHERE order_id = ?", order.order_id)
            assert row is not None
            now = _order(row)
            return self.settle(now, wallet.habit) if now.state == "USERPAYING" else now


def _required(order: Order | None) -> Order:
    if order is None:
        raise Refusal(404, "ORDER_NOT_EXIST", "订单不存在", "268512771")
    return order


def _order(row: sqlite3.Row) -> Order:
    return Order(
        charge=Charge(**json.loads(row["charge"])),
        wallet_id=row["wallet_id"],
        openid=row["openid"],
        state=row["state"],
        asked_at=row["asked_at"],
        transaction_id=row["transaction_id"],
        paid_at=row["paid_at"],
        wrong_passwords=row["wrong_passwords"],
        order_id=row["order_id"],
        combine_id=row["combine_id"] or 0,
    )
