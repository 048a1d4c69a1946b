"""The simulated gateway's own truth: wallets, payment codes, orders, and a ledger of money taken.

Free of HTTP. Time and digits come in as arguments; an order whose shopper is typing a password settles by
itself when somebody looks at it after the shopper's delay.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum

from sim.gateway.messages import Refusal, parameter_error

CODE_LIFE_MS = 60_000
_MAX_WALLETS = 10_000
_MAX_ORDERS = 200_000
_MAX_CODES = 50_000
_KEEP_CODE_MS = 600_000


class Habit(StrEnum):
    """What a shopper does when a password is asked: after the delay, or by hand on the phone page."""

    TYPES = "types"
    WRONG = "wrong"
    CANCELS = "cancels"
    WAITS = "waits"


@dataclass(frozen=True, slots=True)
class Wallet:
    """One shopper. A payment above password_above_fen asks for the password; delay_ms: until it is typed."""

    wallet_id: str
    name: str
    openid: str
    balance_fen: int
    password_above_fen: int = 100_000
    habit: Habit = Habit.TYPES
    delay_ms: int = 5_000


@dataclass(frozen=True, slots=True)
class PaymentCode:
    """Eighteen digits on a phone. used_by: the order that it was spent on, or ""."""

    code: str
    wallet_id: str
    issued_at: int
    used_by: str = ""

    @property
    def expires_at(self) -> int:
        """When it stops to be taken (Unix milliseconds)."""
        return self.issued_at + CODE_LIFE_MS


@dataclass(frozen=True, slots=True)
class Charge:
    """What a merchant asks for."""

    order_no: str
    code: str
    amount_fen: int
    description: str
    device_id: str = ""
    attach: str = ""


@dataclass(frozen=True, slots=True)
class Order:
    """One order. state: a trade_state. asked_at, paid_at: Unix milliseconds."""

    charge: Charge
    wallet_id: str
    openid: str
    state: str
    asked_at: int
    transaction_id: str
    paid_at: int | None = None
    wrong_passwords: int = 0


@dataclass(frozen=True, slots=True)
class Entry:
    """Money moved: positive from the shopper to the merchant, negative back."""

    at: int
    order_no: str
    wallet_id: str
    amount_fen: int


class Books:
    """Everything the gateway knows; safe for use by several threads."""

    def __init__(self, now_ms: Callable[[], int], digits: Callable[[int], str]) -> None:
        """now_ms: Unix milliseconds. digits: returns that many random decimal digits."""
        self.now_ms = now_ms
        self.digits = digits
        self.reverse_refused_while_paying = False
        self._lock = threading.RLock()
        self._wallets: dict[str, Wallet] = {}
        self._codes: dict[str, PaymentCode] = {}
        self._shown: dict[str, str] = {}
        self._orders: dict[str, Order] = {}
        self._ledger: list[Entry] = []

    def add_wallet(
        self,
        name: str,
        balance_fen: int,
        password_above_fen: int = 100_000,
        habit: Habit = Habit.TYPES,
        delay_ms: int = 5_000,
    ) -> Wallet:
        """Return a new wallet; raise ValueError at the limit or for negative amounts."""
        _check_wallet(balance_fen, password_above_fen, delay_ms)
        with self._lock:
            if len(self._wallets) >= _MAX_WALLETS:
                raise ValueError(f"no more than {_MAX_WALLETS} wallets")
            wallet_id = f"w{len(self._wallets) + 1}"
            openid = f"oSim{self.digits(24)}"
            wallet = Wallet(wallet_id, name, openid, balance_fen, password_above_fen, habit, delay_ms)
            self._wallets[wallet_id] = wallet
            return wallet

    def change_wallet(
        self,
        wallet_id: str,
        balance_fen: int | None = None,
        password_above_fen: int | None = None,
        habit: Habit | None = None,
        delay_ms: int | None = None,
    ) -> Wallet:
        """Change what is not None; raise KeyError for an unknown wallet, ValueError for bad values."""
        with self._lock:
            wallet = self._wallets[wallet_id]
            changed = replace(
                wallet,
                balance_fen=wallet.balance_fen if balance_fen is None else balance_fen,
                password_above_fen=(
                    wallet.password_above_fen if password_above_fen is None else password_above_fen
                ),
                habit=habit or wallet.habit,
                delay_ms=wallet.delay_ms if delay_ms is None else delay_ms,
            )
            _check_wallet(changed.balance_fen, changed.password_above_fen, changed.delay_ms)
            self._wallets[wallet_id] = changed
            return changed

    def wallets(self) -> tuple[Wallet, ...]:
        """Return all wallets in the order of their making."""
        with self._lock:
            return tuple(self._wallets.values())

    def wallet(self, wallet_id: str) -> Wallet:
        """Return a wallet; raise KeyError."""
        with self._lock:
            return self._wallets[wallet_id]

    def show_code(self, wallet_id: str, renew: bool = False) -> PaymentCode:
        """Return the code on that phone's screen; a new one when it is used or old, or on `renew`."""
        with self._lock:
            if wallet_id not in self._wallets:
                raise KeyError(wallet_id)
            shown = self._codes.get(self._shown.get(wallet_id, ""))
            if shown and not renew and not shown.used_by and self.now_ms() < shown.expires_at:
                return shown
            return self._issue(wallet_id)

    def charge(self, charge: Charge) -> Order:
        """Take a payment, or say that the password is being typed; raise Refusal."""
        with self._lock:
            known = self._orders.get(charge.order_no)
            if known is not None:
                return self._charge_again(charge, known)
            wallet = self._spend_code(charge)
            if wallet.balance_fen < charge.amount_fen:
                raise Refusal(403, "NOT_ENOUGH", "用户账户余额不足")
            order = Order(
                charge,
                wallet.wallet_id,
                wallet.openid,
                "USERPAYING",
                self.now_ms(),
                f"42000{self.digits(23)}",
            )
            if charge.amount_fen <= wallet.password_above_fen:
                return self._take_money(order)
            return self._keep(order)

    def find(self, order_no: str) -> Order:
        """Return an order as it is now; raise Refusal 404 for an unknown one."""
        with self._lock:
            order = self._orders.get(order_no)
            if order is None:
                raise Refusal(404, "ORDER_NOT_EXIST", "订单不存在", "268512771")
            return self._settle_if_due(order)

    def reverse(self, order_no: str) -> Order:
        """Undo: give a paid order's money back, stop an unpaid one; safe to repeat. Raise Refusal."""
        with self._lock:
            order = self.find(order_no)
            if order.state == "USERPAYING" and self.reverse_refused_while_paying:
                raise Refusal(400, "USERPAYING", "正在支付中不能发起撤销")
            if order.state == "SUCCESS":
                self._move(order, -order.charge.amount_fen)
            if order.state in ("SUCCESS", "USERPAYING"):
                return self._keep(replace(order, state="REVOKED"))
            if order.state == "PAYERROR":
                return self._keep(replace(order, state="CLOSED"))
            return order

    def enter_password(self, order_no: str, habit: Habit) -> Order:
        """Do on the phone what `habit` says, now; raise Refusal when no password is asked for."""
        with self._lock:
            order = self.find(order_no)
            if order.state != "USERPAYING":
                raise Refusal(400, "INVALID_REQUEST", f"order {order_no} asks for no password now")
            if habit is Habit.WRONG:
                return self._keep(replace(order, wrong_passwords=order.wrong_passwords + 1))
            return self._settle(order, habit)

    def orders(self, wallet_id: str = "", limit: int = 200) -> tuple[Order, ...]:
        """Return the newest orders, newest first, of one wallet or of all."""
        with self._lock:
            chosen = [order for order in self._orders.values() if wallet_id in ("", order.wallet_id)]
            return tuple(self._settle_if_due(order) for order in chosen[: -limit - 1 : -1])

    def ledger(self) -> tuple[Entry, ...]:
        """Return every movement of money, oldest first."""
        with self._lock:
            return tuple(self._ledger)

    def charged_fen(self, order_no: str) -> int:
        """Return what that order has taken from its shopper and not given back."""
        with self._lock:
            return sum(entry.amount_fen for entry in self._ledger if entry.order_no == order_no)

    def _issue(self, wallet_id: str) -> PaymentCode:
        now = self.now_ms()
        if len(self._codes) >= _MAX_CODES:
            kept = {key: code for key, code in self._codes.items() if now < code.expires_at + _KEEP_CODE_MS}
            self._codes = kept if len(kept) < _MAX_CODES else {}
        issued = PaymentCode(f"1{int(self.digits(1)) % 6}{self.digits(16)}", wallet_id, now)
        self._codes[issued.code] = issued
        self._shown[wallet_id] = issued.code
        return issued

    def _charge_again(self, charge: Charge, known: Order) -> Order:
        if known.charge != charge:
            raise Refusal(400, "INVALID_REQUEST", "商户订单号重入时参数不一致", "268498688")
        order = self._settle_if_due(known)
        if order.state == "SUCCESS":
            raise Refusal(400, "ORDER_PAID", "订单已支付", "268449538")
        if order.state != "USERPAYING":
            raise Refusal(400, "ORDER_CLOSED", "订单已关闭")
        return order

    def _spend_code(self, charge: Charge) -> Wallet:
        code = self._codes.get(charge.code)
        if code is None:
            raise Refusal(400, "AUTH_CODE_INVALID", "请扫描微信支付被扫条码/二维码")
        if code.used_by:
            raise Refusal(400, "AUTH_CODE_INVALID", "每个二维码仅限使用一次，请刷新再试")
        if self.now_ms() >= code.expires_at:
            raise Refusal(400, "AUTHCODEEXPIRE", "二维码已过期，请用户在微信上刷新后再试")
        if len(self._orders) >= _MAX_ORDERS:
            raise Refusal(429, "FREQUENCY_LIMITED", "频率超限", "268447840")
        self._codes[charge.code] = replace(code, used_by=charge.order_no)
        return self._wallets[code.wallet_id]

    def _settle_if_due(self, order: Order) -> Order:
        wallet = self._wallets[order.wallet_id]
        due = order.asked_at + wallet.delay_ms
        if order.state != "USERPAYING" or wallet.habit is Habit.WAITS or self.now_ms() < due:
            return order
        return self._settle(order, wallet.habit)

    def _settle(self, order: Order, habit: Habit) -> Order:
        enough = self._wallets[order.wallet_id].balance_fen >= order.charge.amount_fen
        if habit is Habit.TYPES and enough:
            return self._take_money(order)
        return self._keep(replace(order, state="PAYERROR"))

    def _take_money(self, order: Order) -> Order:
        self._move(order, order.charge.amount_fen)
        return self._keep(replace(order, state="SUCCESS", paid_at=self.now_ms()))

    def _move(self, order: Order, amount_fen: int) -> None:
        wallet = self._wallets[order.wallet_id]
        self._wallets[wallet.wallet_id] = replace(wallet, balance_fen=wallet.balance_fen - amount_fen)
        self._ledger.append(Entry(self.now_ms(), order.charge.order_no, wallet.wallet_id, amount_fen))

    def _keep(self, order: Order) -> Order:
        self._orders[order.charge.order_no] = order
        return order


def _check_wallet(balance_fen: int, password_above_fen: int, delay_ms: int) -> None:
    if balance_fen < 0 or password_above_fen < 0 or delay_ms < 0:
        raise ValueError("balance_fen, password_above_fen and delay_ms must not be negative")


def check_amount(total: object) -> int:
    """Return amount.total; raise Refusal unless it is a positive whole number of fen."""
    if type(total) is not int or not 0 < total <= 1_000_000_000:
        raise parameter_error("/amount/total", "is not a positive whole number", total, "268435464")
    return total
