"""The gateway's own truth in one place: wallets, payment codes, orders and the money behind them.

Free of HTTP. Time and digits come in as arguments. The switches, the rooms and the tests work on this.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from sim.gateway.ledger import Ledger, Movement, Why
from sim.gateway.messages import Refusal
from sim.gateway.orders import Charge, Order, Orders
from sim.gateway.store import Store
from sim.gateway.wallets import CODE_LIFE_MS, Habit, PaymentCode, Wallet, Wallets

__all__ = ["CODE_LIFE_MS", "Books", "Charge", "Entry", "Habit", "Order", "PaymentCode", "Wallet"]

#: How long after a charge it can be reversed.
REVERSE_WITHIN_MS = 7 * 86_400_000

_GIVEN, _TAKEN = ("fill", "empty"), "wallet:"
_SHOPPERS = "reason NOT IN (?, ?) AND (source LIKE 'wallet:%' OR target LIKE 'wallet:%')"


@dataclass(frozen=True, slots=True)
class Entry:
    """Money of one shopper moved: positive from the shopper to a merchant, negative back."""

    at: int
    order_no: str
    wallet_id: str
    amount_fen: int


class Books:
    """Everything the gateway knows about money; safe for use by several threads."""

    def __init__(
        self, now_ms: Callable[[], int], digits: Callable[[int], str], store: Store | None = None
    ) -> None:
        """now_ms: Unix milliseconds. digits: that many random decimal digits. store: None for memory."""
        self.now_ms = now_ms
        self.digits = digits
        self.reverse_refused_while_paying = False
        self.store = store or Store()
        self.accounts = Ledger(self.store, now_ms)
        self.purses = Wallets(self.store, self.accounts, now_ms, digits)
        self.sales = Orders(self.store, self.accounts, self.purses, now_ms, digits)

    def add_wallet(
        self,
        name: str,
        balance_fen: int,
        password_above_fen: int = 100_000,
        habit: Habit = Habit.TYPES,
        delay_ms: int = 5_000,
    ) -> Wallet:
        """Return a new wallet; raise ValueError at the limit or for negative amounts."""
        return self.purses.add(name, balance_fen, password_above_fen, habit, delay_ms)

    def change_wallet(
        self,
        wallet_id: str,
        balance_fen: int | None = None,
        password_above_fen: int | None = None,
        habit: Habit | None = None,
        delay_ms: int | None = None,
    ) -> Wallet:
        """Change what is not None; raise KeyError for an unknown wallet, ValueError for bad values."""
        return self.purses.change(wallet_id, balance_fen, password_above_fen, habit, delay_ms)

    def wallets(self) -> tuple[Wallet, ...]:
        """Return all wallets in the order of their making."""
        return self.purses.all()

    def wallet(self, wallet_id: str) -> Wallet:
        """Return a wallet; raise KeyError."""
        return self.purses.get(wallet_id)

    def show_code(self, wallet_id: str, renew: bool = False) -> PaymentCode:
        """Return the code on that phone's screen; a new one when it is used or old, or on `renew`."""
        return self.purses.show_code(wallet_id, renew)

    def charge(self, charge: Charge, code: str) -> Order:
        """Take a payment by payment code, or say that the password is being typed; raise Refusal."""
        with self.store.work():
            known = self.sales.known(charge.mchid, charge.order_no)
            if known is not None:
                return charge_again(charge, known)
            wallet = self.purses.spend_code(code, charge.order_no)
            if wallet.balance_fen >= charge.amount_fen:
                order = self.sales.open(charge, "USERPAYING", wallet)
                asks = charge.amount_fen > wallet.password_above_fen
                return order if asks else self.sales.pay(order, wallet)
        # Outside: the code is spent even when there is not enough behind it.
        raise Refusal(403, "NOT_ENOUGH", "用户账户余额不足")

    def find(self, order_no: str, mchid: str = "") -> Order:
        """Return an order as it is now; raise Refusal 404 for an unknown one."""
        return self.sales.find(order_no, mchid)

    def reverse(self, order_no: str, mchid: str = "") -> Order:
        """Undo: give a paid order's money back, stop an unpaid one; safe to repeat. Raise Refusal."""
        with self.store.work():
            order = self.find(order_no, mchid)
            _check_reversible(order, self.now_ms())
            if order.state == "USERPAYING" and self.reverse_refused_while_paying:
                raise Refusal(400, "USERPAYING", "正在支付中不能发起撤销")
            if order.state == "SUCCESS":
                self._give_back(order)
            if order.state in ("SUCCESS", "USERPAYING"):
                return self.sales.keep(replace(order, state="REVOKED"))
            if order.state == "PAYERROR":
                return self.sales.keep(replace(order, state="CLOSED"))
            return order

    def enter_password(self, order_no: str, habit: Habit) -> Order:
        """Do on the phone what `habit` says, now; raise Refusal when no password is asked for."""
        with self.store.work():
            order = self.find(order_no)
            if order.state != "USERPAYING":
                raise Refusal(400, "INVALID_REQUEST", f"order {order_no} asks for no password now")
            if habit is Habit.WRONG:
                return self.sales.keep(replace(order, wrong_passwords=order.wrong_passwords + 1))
            return self.sales.settle(order, habit)

    def orders(self, wallet_id: str = "", limit: int = 200) -> tuple[Order, ...]:
        """Return the newest orders, newest first, of one wallet or of all."""
        return self.sales.newest(wallet_id, limit)

    def ledger(self) -> tuple[Entry, ...]:
        """Return every movement of shoppers' money to merchants and back, oldest first."""
        return tuple(_entry(movement) for movement in self.accounts.movements(_SHOPPERS, *_GIVEN))

    def newest_entries(self, limit: int) -> tuple[Entry, ...]:
        """Return the newest of `ledger`, oldest first."""
        rows = self.store.rows(f"SELECT * FROM movement WHERE {_SHOPPERS} ORDER BY movement_id DESC LIMIT ?",
                               *_GIVEN, limit)  # fmt: skip
        return tuple(_entry(Movement(**dict(row))) for row in reversed(rows))

    def taken_fen(self) -> int:
        """Return what all orders have taken from shoppers and not given back."""
        sign = "CASE WHEN source LIKE 'wallet:%' THEN amount_fen ELSE -amount_fen END"
        return self.store.number(f"SELECT sum({sign}) FROM movement WHERE {_SHOPPERS}", *_GIVEN)

    def charged_fen(self, order_no: str) -> int:
        """Return what that order has taken from its shopper and not given back."""
        return sum(_entry(moved).amount_fen for moved in self.accounts.movements(
            "order_no = ? AND (source LIKE 'wallet:%' OR target LIKE 'wallet:%')", order_no))  # fmt: skip

    def _give_back(self, order: Order) -> None:
        charge, account = order.charge, order.charge.account
        if (
            charge.freeze
            and self.accounts.left_of(account, charge.mchid, charge.order_no) < charge.amount_fen
        ):
            # Shared or free by now: what is frozen is other orders' money.
            account = f"merchant:{charge.payee}"
        if self.accounts.balance(account) < charge.amount_fen:
            raise Refusal(403, "NOT_ENOUGH", "基本账户余额不足，请充值后重新发起")
        why = Why("reverse", charge.mchid, charge.order_no)
        self.accounts.move(account, f"wallet:{order.wallet_id}", charge.amount_fen, why)


def _check_reversible(order: Order, now_ms: int) -> None:
    if order.charge.trade_type != "MICROPAY":
        raise Refusal(400, "INVALID_REQUEST", "非付款码支付订单，请使用关单或退款接口")
    if now_ms >= order.asked_at + REVERSE_WITHIN_MS:
        raise Refusal(400, "INVALID_REQUEST", "订单已超过可撤销的期限，请使用退款接口")


def charge_again(charge: Charge, known: Order) -> Order:
    """Return the order when the same is asked once more and it is still open; raise Refusal."""
    if known.charge.form != charge.form:
        raise Refusal(400, "INVALID_REQUEST", "商户订单号重入时参数不一致", "268498688")
    if known.state in ("SUCCESS", "REFUND"):
        raise Refusal(400, "ORDER_PAID", "订单已支付", "268449538")
    if known.state not in ("USERPAYING", "NOTPAY"):
        raise Refusal(400, "ORDER_CLOSED", "订单已关闭", "268447914")
    return known


def _entry(moved: Movement) -> Entry:
    taken = moved.source.startswith(_TAKEN)
    wallet = moved.source if taken else moved.target
    return Entry(
        moved.at,
        moved.order_no,
        wallet.removeprefix(_TAKEN),
        moved.amount_fen if taken else -moved.amount_fen,
    )
