"""Shoppers' wallets, and the payment codes on their phones.

A wallet's money is in the ledger. Payment codes are bearer secrets for a minute: they are in memory alone, so
that no file ever holds one, and are forgotten at a restart, as if the minute were over.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum

from sim.gateway.ledger import WORLD, Ledger, Why
from sim.gateway.messages import Refusal
from sim.gateway.store import Store

CODE_LIFE_MS = 60_000
_MAX_WALLETS = 1_000_000
_MAX_CODES = 50_000
_KEEP_CODE_MS = 600_000

SCHEMA = """
CREATE TABLE IF NOT EXISTS wallet (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    openid TEXT NOT NULL UNIQUE,
    password_above_fen INTEGER NOT NULL,
    habit TEXT NOT NULL,
    delay_ms INTEGER NOT NULL
) STRICT;
"""


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


class Wallets:
    """All wallets; safe for use by several threads."""

    def __init__(
        self, store: Store, ledger: Ledger, now_ms: Callable[[], int], digits: Callable[[int], str]
    ) -> None:
        self._store = store
        self._ledger = ledger
        self._now_ms = now_ms
        self._digits = digits
        self._codes: dict[str, PaymentCode] = {}
        self._shown: dict[str, str] = {}
        store.add_schema(SCHEMA)

    def add(
        self, name: str, balance_fen: int, password_above_fen: int, habit: Habit, delay_ms: int
    ) -> Wallet:
        """Return a new wallet; raise ValueError at the limit or for negative amounts."""
        _check_wallet(balance_fen, password_above_fen, delay_ms)
        with self._store.work():
            if self._store.number("SELECT count(*) FROM wallet") >= _MAX_WALLETS:
                raise ValueError(f"no more than {_MAX_WALLETS} wallets")
            number = self._store.run(
                "INSERT INTO wallet (name, openid, password_above_fen, habit, delay_ms)"
                " VALUES (?, ?, ?, ?, ?)",
                name, f"oSim{self._digits(24)}", password_above_fen, habit.value, delay_ms,
            )  # fmt: skip
            self._fill(f"w{number}", balance_fen)
            return self.get(f"w{number}")

    def change(
        self,
        wallet_id: str,
        balance_fen: int | None,
        password_above_fen: int | None,
        habit: Habit | None,
        delay_ms: int | None,
    ) -> Wallet:
        """Change what is not None; raise KeyError for an unknown wallet, ValueError for bad values."""
        with self._store.work():
            wallet = self.get(wallet_id)
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
            self._fill(wallet_id, changed.balance_fen - wallet.balance_fen)
            self._store.run(
                "UPDATE wallet SET password_above_fen = ?, habit = ?, delay_ms = ? WHERE number = ?",
                changed.password_above_fen, changed.habit.value, changed.delay_ms, int(wallet_id[1:]),
            )  # fmt: skip
            return changed

    def all(self) -> tuple[Wallet, ...]:
        """Return all wallets in the order of their making."""
        return self._find("TRUE")

    def get(self, wallet_id: str) -> Wallet:
        """Return a wallet; raise KeyError."""
        number = wallet_id[1:]
        found = self._find("number = ?", int(number)) if number.isascii() and number.isdigit() else ()
        if not found:
            raise KeyError(wallet_id)
        return found[0]

    def by_openid(self, openid: str) -> Wallet | None:
        """Return whose openid that is, or None."""
        found = self._find("openid = ?", openid)
        return found[0] if found else None

    def show_code(self, wallet_id: str, renew: bool = False) -> PaymentCode:
        """Return the code on that phone's screen; a new one when it is used or old, or on `renew`."""
        with self._store.work():
            self.get(wallet_id)
            shown = self._codes.get(self._shown.get(wallet_id, ""))
            if shown and not renew and not shown.used_by and self._now_ms() < shown.expires_at:
                return shown
            return self._issue(wallet_id)

    def spend_code(self, digits: str, order_no: str) -> Wallet:
        """Return whose code that is and mark it used; raise Refusal for one that is not to be taken."""
        with self._store.work():
            code = self._codes.get(digits)
            if code is None:
                raise Refusal(400, "AUTH_CODE_INVALID", "请扫描微信支付被扫条码/二维码")
            if code.used_by:
                raise Refusal(400, "AUTH_CODE_INVALID", "每个二维码仅限使用一次，请刷新再试")
            if self._now_ms() >= code.expires_at:
                raise Refusal(400, "AUTHCODEEXPIRE", "二维码已过期，请用户在微信上刷新后再试")
            self._codes[digits] = replace(code, used_by=order_no)
            return self.get(code.wallet_id)

    def _find(self, where: str, *values: int | str) -> tuple[Wallet, ...]:
        rows = self._store.rows(
            "SELECT wallet.*, coalesce(balance_fen, 0) AS balance_fen FROM wallet"
            f" LEFT JOIN account ON account.name = 'wallet:w' || number WHERE {where} ORDER BY number",
            *values,
        )
        return tuple(
            Wallet(
                f"w{row['number']}", row["name"], row["openid"], row["balance_fen"],
                row["password_above_fen"], Habit(row["habit"]), row["delay_ms"],
            )
            for row in rows
        )  # fmt: skip

    def _fill(self, wallet_id: str, amount_fen: int) -> None:
        if amount_fen > 0:
            self._ledger.move(WORLD, f"wallet:{wallet_id}", amount_fen, Why("fill"))
        if amount_fen < 0:
            self._ledger.move(f"wallet:{wallet_id}", WORLD, -amount_fen, Why("empty"))

    def _issue(self, wallet_id: str) -> PaymentCode:
        now = self._now_ms()
        if len(self._codes) >= _MAX_CODES:
            kept = {key: code for key, code in self._codes.items() if now < code.expires_at + _KEEP_CODE_MS}
            self._codes = kept if len(kept) < _MAX_CODES else {}
        issued = PaymentCode(f"1{int(self._digits(1)) % 6}{self._digits(16)}", wallet_id, now)
        self._codes[issued.code] = issued
        self._shown[wallet_id] = issued.code
        return issued


def _check_wallet(balance_fen: int, password_above_fen: int, delay_ms: int) -> None:
    if balance_fen < 0 or password_above_fen < 0 or delay_ms < 0:
        raise ValueError("balance_fen, password_above_fen and delay_ms must not be negative")
