"""Refunds as the gateway keeps them: accepted, then done, abnormal or closed after a while."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum

from sim.gateway.ledger import Ledger, Why
from sim.gateway.messages import Refusal
from sim.gateway.orders import Order, Orders
from sim.gateway.store import Store

MOST_PARTIAL = 50
REFUND_WITHIN_MS = 365 * 86_400_000

SCHEMA = """
CREATE TABLE IF NOT EXISTS refund (
    refund_id TEXT PRIMARY KEY,
    mchid TEXT NOT NULL,
    asked_by TEXT NOT NULL,
    refund_no TEXT NOT NULL,
    order_id INTEGER NOT NULL REFERENCES pay_order,
    amount_fen INTEGER NOT NULL CHECK (amount_fen > 0),
    account TEXT NOT NULL,
    notify_url TEXT NOT NULL,
    form TEXT NOT NULL,
    status TEXT NOT NULL,
    outcome TEXT NOT NULL,
    made_at INTEGER NOT NULL,
    due_at INTEGER NOT NULL,
    success_at INTEGER,
    UNIQUE (mchid, refund_no)
) STRICT;
CREATE INDEX IF NOT EXISTS refund_of ON refund (order_id);
CREATE INDEX IF NOT EXISTS refund_due ON refund (due_at) WHERE status = 'PROCESSING';
CREATE INDEX IF NOT EXISTS refund_done ON refund (success_at);
"""


class Outcome(StrEnum):
    """How a refund ends: back at the shopper, held up at the bank, or closed and back at the merchant."""

    SUCCESS = "SUCCESS"
    ABNORMAL = "ABNORMAL"
    CLOSED = "CLOSED"


@dataclass(frozen=True, slots=True)
class Asked:
    """What a merchant asks back. asked_by: who signed. form: a digest, to recognise the same again."""

    refund_no: str
    amount_fen: int
    total_fen: int
    asked_by: str
    notify_url: str = ""
    form: str = ""


@dataclass(frozen=True, slots=True)
class Refund:
    """One refund. status: PROCESSING, SUCCESS, ABNORMAL or CLOSED. account: where the money came from."""

    refund_id: str
    mchid: str
    asked_by: str
    refund_no: str
    order_id: int
    amount_fen: int
    account: str
    notify_url: str
    form: str
    status: str
    outcome: str
    made_at: int
    due_at: int
    success_at: int | None


Listener = Callable[[Refund, Order], None]


class Refunds:
    """All refunds. delay_ms and outcome: of those that are asked for from now on."""

    def __init__(
        self,
        store: Store,
        ledger: Ledger,
        orders: Orders,
        now_ms: Callable[[], int],
        digits: Callable[[int], str],
    ) -> None:
        self.delay_ms = 1_000
        self.outcome = Outcome.SUCCESS
        self._store = store
        self._ledger = ledger
        self._orders = orders
        self._now_ms = now_ms
        self._digits = digits
        self._when_ended: list[Listener] = []
        store.add_schema(SCHEMA)

    def when_ended(self, listener: Listener) -> None:
        """Have `listener` called with each refund that is done, abnormal or closed, and its order."""
        self._when_ended.append(listener)

    def ask(self, asked: Asked, order: Order) -> Refund:
        """Accept a refund, or return the one of that number; raise Refusal."""
        with self._store.work():
            known = self.known(order.charge.mchid, asked.refund_no)
            if known is not None:
                if known.form != asked.form:
                    raise Refusal(400, "INVALID_REQUEST", "退款单号重入时参数不一致", "268498688")
                return known
            self._check(asked, order)
            return self._open(asked, order)

    def known(self, mchid: str, refund_no: str) -> Refund | None:
        """Return a merchant's refund as it is now, also one that it asked for another's order, or None."""
        row = self._store.row(
            "SELECT * FROM refund WHERE refund_no = ? AND ? IN (mchid, asked_by) ORDER BY mchid != ?",
            refund_no, mchid, mchid,
        )  # fmt: skip
        return None if row is None else self._settle_if_due(Refund(**dict(row)))

    def get(self, refund_id: str) -> Refund:
        """Return a refund as it is now; raise KeyError."""
        row = self._store.row("SELECT * FROM refund WHERE refund_id = ?", refund_id)
        if row is None:
            raise KeyError(f"refund {refund_id}")
        return self._settle_if_due(Refund(**dict(row)))

    def of_order(self, order_id: int) -> tuple[Refund, ...]:
        """Return the refunds of an order in the order of their making."""
        rows = self._store.rows("SELECT * FROM refund WHERE order_id = ? ORDER BY rowid", order_id)
        return tuple(Refund(**dict(row)) for row in rows)

    def newest(self, limit: int = 200) -> tuple[Refund, ...]:
        """Return the newest refunds, newest first."""
        rows = self._store.rows("SELECT * FROM refund ORDER BY rowid DESC LIMIT ?", limit)
        return tuple(self._settle_if_due(Refund(**dict(row))) for row in rows)

    def end(self, refund_id: str, outcome: Outcome) -> Refund:
        """End a refund under way now, so; raise Refusal when it is not under way."""
        with self._store.work():
            refund = self.get(refund_id)
            if refund.status != "PROCESSING":
                raise Refusal(400, "INVALID_REQUEST", f"refund {refund_id} is {refund.status}")
            return self._end(replace(refund, outcome=outcome.value))

    def retry(self, refund: Refund) -> Refund:
        """Send an abnormal refund on its way again, to another account; raise Refusal for any other."""
        if refund.status != "ABNORMAL":
            raise Refusal(400, "INVALID_REQUEST", "退款单状态不是异常，不能发起异常退款")
        return self._keep(
            replace(
                refund, status="PROCESSING", outcome="SUCCESS", due_at=self._now_ms() + max(1, self.delay_ms)
            )
        )

    def tick(self) -> None:
        """End what is due."""
        for row in self._store.rows(
            "SELECT * FROM refund WHERE status = 'PROCESSING' AND due_at <= ?", self._now_ms()
        ):
            self._settle_if_due(Refund(**dict(row)))

    def _check(self, asked: Asked, order: Order) -> None:
        if order.state not in ("SUCCESS", "REFUND") or order.paid_at is None:
            raise Refusal(400, "INVALID_REQUEST", "订单状态不支持退款")
        if asked.total_fen != order.charge.amount_fen:
            raise Refusal(400, "INVALID_REQUEST", "订单金额与实际支付金额不一致")
        if self._now_ms() > order.paid_at + REFUND_WITHIN_MS:
            raise Refusal(400, "INVALID_REQUEST", "订单已超过可退款的最大期限")
        earlier = [one for one in self.of_order(order.order_id) if one.status != "CLOSED"]
        if sum(one.amount_fen for one in earlier) + asked.amount_fen > order.charge.amount_fen:
            raise Refusal(400, "INVALID_REQUEST", "累计退款金额大于支付金额")
        if len(earlier) >= MOST_PARTIAL:
            raise Refusal(400, "INVALID_REQUEST", f"退款次数超过{MOST_PARTIAL}次")

    def _open(self, asked: Asked, order: Order) -> Refund:
        charge, now = order.charge, self._now_ms()
        account = self._account_with(asked.amount_fen, order)
        refund = Refund(
            f"50300{self._digits(23)}", charge.mchid, asked.asked_by, asked.refund_no, order.order_id,
            asked.amount_fen, account, asked.notify_url, asked.form, "PROCESSING", self.outcome.value,
            now, now + self.delay_ms, None,
        )  # fmt: skip
        self._move(refund, order, account, _transit(order), "refund")
        self._store.run(
            "INSERT INTO refund VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            refund.refund_id, refund.mchid, refund.asked_by, refund.refund_no, refund.order_id,
            refund.amount_fen, account, refund.notify_url, refund.form, refund.status, refund.outcome,
            refund.made_at, refund.due_at, None,
        )  # fmt: skip
        self._orders.keep(replace(order, state="REFUND"))
        return refund

    def _account_with(self, amount_fen: int, order: Order) -> str:
        """Return where the money is taken from: what is frozen of this very order, or what is free."""
        charge, free = order.charge, f"merchant:{order.charge.payee}"
        if charge.freeze:
            frozen_fen = self._ledger.left_of(charge.account, charge.mchid, charge.order_no)
            if frozen_fen >= amount_fen:
                return charge.account
        if self._ledger.balance(free) >= amount_fen:
            return free
        raise Refusal(403, "NOT_ENOUGH", "基本账户余额不足，请充值后重新发起")

    def _settle_if_due(self, refund: Refund) -> Refund:
        if refund.status != "PROCESSING" or self._now_ms() < refund.due_at:
            return refund
        with self._store.work():
            row = self._store.row("SELECT * FROM refund WHERE refund_id = ?", refund.refund_id)
            assert row is not None
            now = Refund(**dict(row))
            return self._end(now) if now.status == "PROCESSING" else now

    def _end(self, refund: Refund) -> Refund:
        order = self._orders.by_id(refund.order_id)
        if refund.outcome == Outcome.SUCCESS:
            wallet = f"wallet:{order.wallet_id}"
            self._move(refund, order, _transit(order), wallet, "refunded")
        if refund.outcome == Outcome.CLOSED:
            self._move(refund, order, _transit(order), refund.account, "refund_closed")
        done_at = self._now_ms() if refund.outcome == Outcome.SUCCESS else None
        ended = self._keep(replace(refund, status=refund.outcome, success_at=done_at))
        if all(one.status == "CLOSED" for one in self.of_order(order.order_id)):
            self._orders.keep(replace(order, state="SUCCESS"))
        for listener in self._when_ended:
            listener(ended, order)
        return ended

    def _keep(self, refund: Refund) -> Refund:
        self._store.run(
            "UPDATE refund SET status = ?, outcome = ?, due_at = ?, success_at = ? WHERE refund_id = ?",
            refund.status, refund.outcome, refund.due_at, refund.success_at, refund.refund_id,
        )  # fmt: skip
        return refund

    def _move(self, refund: Refund, order: Order, source: str, target: str, reason: str) -> None:
        why = Why(reason, order.charge.mchid, order.charge.order_no, refund.refund_no)
        self._ledger.move(source, target, refund.amount_fen, why)


def _transit(order: Order) -> str:
    return f"refunds:{order.charge.payee}"
