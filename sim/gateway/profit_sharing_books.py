"""Shared payments as the gateway keeps them: frozen money that goes on to receivers, or free to its merchant.

What of an order is frozen follows from the ledger: what came to `frozen:payee` for it, less what left. A
share that is being worked on is at `sharing:payee`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, replace

from sim.gateway.ledger import Why
from sim.gateway.messages import Json, Refusal
from sim.gateway.notices import Notice
from sim.gateway.office import Office
from sim.gateway.orders import Order
from sim.gateway.profit_sharing_records import Part, Returned, Sharing, Terms, Wish
from sim.gateway.times import rfc3339

EARLIEST_MS = 60_000
FROZEN_FOR_MS = 30 * 86_400_000
RETURN_WITHIN_MS = 180 * 86_400_000
MOST_REQUESTS = 50
MOST_RECEIVERS = 20_000
_REST = "解冻给分账方"

#: The two documents name the receivers' events differently; `Terms.events` says which is sent.
_EVENTS = {
    "plain": ("PROFITSHARING", "PROFITSHARING_RETURN"),
    "dotted": ("PROFITSHARING.SUCCESS", "PROFITSHARING.RETURN"),
}
_AT_ONCE = 50


class ShareBooks:
    """All sharing of one gateway; what changes together is kept together."""

    def __init__(self, office: Office) -> None:
        self._office = office
        self._store = office.store

    @property
    def terms(self) -> Terms:
        """How sharing goes."""
        row = self._store.row("SELECT terms FROM share_terms")
        return Terms() if row is None else Terms(**json.loads(row["terms"]))

    def change(self, terms: Terms) -> None:
        """Have sharing go so."""
        self._store.run("INSERT OR REPLACE INTO share_terms VALUES (1, ?)", json.dumps(asdict(terms)))

    def add_receiver(self, payer: str, kind: str, account: str, relation: str) -> None:
        """Allow shares to somebody; the same again changes the relation. Raise Refusal at the limit."""
        if self._store.number("SELECT count(*) FROM share_receiver WHERE payer = ?", payer) >= MOST_RECEIVERS:
            raise Refusal(403, "RULE_LIMIT", f"分账接收方数量超过{MOST_RECEIVERS}")
        self._store.run(
            "INSERT OR REPLACE INTO share_receiver VALUES (?, ?, ?, ?)", payer, kind, account, relation
        )

    def remove_receiver(self, payer: str, kind: str, account: str) -> None:
        """Take that back; removing nobody is done, too."""
        self._store.run(
            "DELETE FROM share_receiver WHERE payer = ? AND kind = ? AND account = ?", payer, kind, account
        )

    def is_receiver(self, payer: str, kind: str, account: str) -> bool:
        """Whether somebody may get shares; a merchant may always share to itself."""
        if (kind, account) == ("MERCHANT_ID", payer):
            return True
        found = self._store.row(
            "SELECT 1 FROM share_receiver WHERE payer = ? AND kind = ? AND account = ?", payer, kind, account
        )
        return found is not None

    def frozen_fen(self, order: Order) -> int:
        """Return what of an order can still be shared."""
        charge = order.charge
        return self._office.ledger.left_of(f"frozen:{charge.payee}", charge.mchid, charge.order_no)

    def share(
        self, order: Order, mchid: str, sharing_no: str, wishes: list[Wish], frees_rest: bool, form: str
    ) -> Sharing:
        """Take a request in, or return the one of that number; raise Refusal."""
        with self._store.work():
            known = self.known(mchid, sharing_no)
            if known is not None:
                if known.form != form:
                    raise Refusal(400, "INVALID_REQUEST", "分账单号重入时参数不一致", "268498688")
                return known
            frozen_fen = self._check_order(order)
            self._check_wishes(order, wishes, frozen_fen)
            rest_fen = frozen_fen - sum(wish.amount_fen for wish in wishes)
            if frees_rest and rest_fen:
                wishes = [*wishes, Wish("MERCHANT_ID", order.charge.payee, rest_fen, _REST)]
            if not wishes:
                raise Refusal(403, "NOT_ENOUGH", "分账金额为0")
            return self._open(order, mchid, sharing_no, wishes, form)

    def known(self, mchid: str, sharing_no: str) -> Sharing | None:
        """Return a merchant's request as it is now, or None."""
        row = self._store.row(
            "SELECT * FROM share_request WHERE mchid = ? AND sharing_no = ?", mchid, sharing_no
        )
        return None if row is None else self._settle_if_due(Sharing(**dict(row)))

    def by_id(self, request_id: str) -> Sharing | None:
        """Return the request of the gateway's number as it is now, or None."""
        row = self._store.row("SELECT * FROM share_request WHERE request_id = ?", request_id)
        return None if row is None else self._settle_if_due(Sharing(**dict(row)))

    def parts(self, request_id: str) -> tuple[Part, ...]:
        """Return the shares of a request."""
        rows = self._store.rows("SELECT * FROM share_part WHERE request_id = ? ORDER BY rowid", request_id)
        return tuple(Part(**dict(row)) for row in rows)

    def give_back(self, sharing: Sharing, asked: Returned) -> Returned:
        """Take a return in, or return the one of that number; raise Refusal."""
        with self._store.work():
            known = self.known_return(asked.mchid, asked.return_no)
            if known is not None:
                if known.form != asked.form:
                    raise Refusal(400, "INVALID_REQUEST", "回退单号重入时参数不一致", "268498688")
                return known
            self._check_return(sharing, asked)
            now = self._office.now_ms()
            made = replace(
                asked,
                return_id=f"30{self._office.digits(26)}",
                made_at=now,
                due_at=now + self.terms.delay_ms,
            )
            self._store.run(
                "INSERT INTO share_return VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                made.return_id, made.mchid, made.return_no, made.request_id, made.account, made.amount_fen,
                made.description, made.form, made.result, made.fail_reason, made.made_at, made.due_at, None,
            )  # fmt: skip
            return self._settle_return(made)

    def known_return(self, mchid: str, return_no: str) -> Returned | None:
        """Return a merchant's return as it is now, or None."""
        row = self._store.row(
            "SELECT * FROM share_return WHERE mchid = ? AND return_no = ?", mchid, return_no
        )
        return None if row is None else self._settle_return(Returned(**dict(row)))

    def tick(self) -> None:
        """Do what is due; money that nobody shared in thirty days goes free."""
        now = self._office.now_ms()
        for row in self._store.rows(
            "SELECT * FROM share_request WHERE state = 'PROCESSING' AND due_at <= ? LIMIT ?", now, _AT_ONCE
        ):
            self._settle_if_due(Sharing(**dict(row)))
        for row in self._store.rows(
            "SELECT * FROM share_return WHERE result = 'PROCESSING' AND due_at <= ? LIMIT ?", now, _AT_ONCE
        ):
            self._settle_return(Returned(**dict(row)))
        for row in self._store.rows(
            "SELECT order_id FROM share_frozen WHERE ends_at <= ? LIMIT ?", now, _AT_ONCE
        ):
            self._thaw(row["order_id"])

    def freeze(self, order: Order) -> None:
        """Note until when the money of an order that was just paid stays frozen, if it does."""
        if order.charge.freeze and order.paid_at is not None:
            self._store.run(
                "INSERT OR IGNORE INTO share_frozen VALUES (?, ?)",
                order.order_id, order.paid_at + FROZEN_FOR_MS,
            )  # fmt: skip

    def _thaw(self, order_id: int) -> None:
        with self._store.work():
            order = self._office.orders.by_id(order_id)
            left_fen, payee = self.frozen_fen(order), order.charge.payee
            if left_fen > 0:
                self._move(order, f"frozen:{payee}", f"merchant:{payee}", left_fen, "unfreeze", "")
            self._store.run("DELETE FROM share_frozen WHERE order_id = ?", order_id)

    def _check_order(self, order: Order) -> int:
        """Return what of an order can be shared now; raise Refusal."""
        if not order.charge.freeze:
            raise Refusal(400, "INVALID_REQUEST", "非分账订单不支持分账")
        now = self._office.now_ms()
        if order.paid_at is None or now < order.paid_at + EARLIEST_MS:
            raise Refusal(400, "INVALID_REQUEST", "订单处理中，暂时无法分账，请稍后再试")
        if now >= order.paid_at + FROZEN_FOR_MS:
            raise Refusal(400, "INVALID_REQUEST", "订单已超过可分账的最大期限")
        count = self._store.number("SELECT count(*) FROM share_request WHERE order_id = ?", order.order_id)
        if count >= MOST_REQUESTS:
            raise Refusal(400, "INVALID_REQUEST", f"同一笔订单分账次数超过{MOST_REQUESTS}次")
        return self.frozen_fen(order)

    def _check_wishes(self, order: Order, wishes: list[Wish], frozen_fen: int) -> None:
        payee = order.charge.payee
        for wish in wishes:
            if not self.is_receiver(payee, wish.kind, wish.account):
                raise Refusal(400, "INVALID_REQUEST", f"分账接收方关系不存在: {wish.account}")
        if sum(wish.amount_fen for wish in wishes) > frozen_fen:
            raise Refusal(403, "NOT_ENOUGH", "分账金额不足")
        to_others_fen = sum(wish.amount_fen for wish in wishes if wish.account != payee)
        most_fen = order.charge.amount_fen * self.terms.max_ratio // 10_000
        if to_others_fen and self._shared_fen(order) + to_others_fen > most_fen:
            raise Refusal(403, "RULE_LIMIT", "分账金额超出最大分账比例")

    def _shared_fen(self, order: Order) -> int:
        """Return what of an order went, or is going, to others."""
        return self._store.number(
            "SELECT sum(amount_fen) FROM share_part JOIN share_request USING (request_id)"
            " WHERE order_id = ? AND account != ? AND result != 'CLOSED'",
            order.order_id, order.charge.payee,
        )  # fmt: skip

    def _open(self, order: Order, mchid: str, sharing_no: str, wishes: list[Wish], form: str) -> Sharing:
        now, digits, payee = self._office.now_ms(), self._office.digits, order.charge.payee
        made = Sharing(
            f"30{digits(26)}", mchid, sharing_no, order.order_id, form, "PROCESSING", now,
            now + self.terms.delay_ms,
        )  # fmt: skip
        self._store.run(
            "INSERT INTO share_request VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            made.request_id, mchid, sharing_no, order.order_id, form, made.state, now, made.due_at,
        )  # fmt: skip
        for wish in wishes:
            self._store.run(
                "INSERT INTO share_part VALUES (?, ?, ?, ?, ?, ?, 'PENDING', '', NULL)",
                f"36{digits(21)}", made.request_id, wish.kind, wish.account, wish.amount_fen,
                wish.description,
            )  # fmt: skip
            self._move(order, f"frozen:{payee}", f"sharing:{payee}", wish.amount_fen, "share", sharing_no)
        return self._settle_if_due(made)

    def _settle_if_due(self, sharing: Sharing) -> Sharing:
        if sharing.state != "PROCESSING" or self._office.now_ms() < sharing.due_at:
            return sharing
        with self._store.work():
            changed = self._store.row(
                "UPDATE share_request SET state = 'FINISHED' WHERE request_id = ? AND state = 'PROCESSING'"
                " RETURNING 1",
                sharing.request_id,
            )
            if changed is not None:
                order = self._office.orders.by_id(sharing.order_id)
                for part in self.parts(sharing.request_id):
                    self._end(part, order, sharing.sharing_no)
        return replace(sharing, state="FINISHED")

    def _end(self, part: Part, order: Order, sharing_no: str) -> None:
        payee = order.charge.payee
        reason = self.terms.failing.get(part.account, "")
        if not reason and not self.is_receiver(payee, part.kind, part.account):
            reason = "NO_RELATION"
        # What could not be shared goes free to the merchant that paid for it.
        target = f"merchant:{payee}" if reason else self._target(part)
        self._move(order, f"sharing:{payee}", target, part.amount_fen, "shared", sharing_no)
        self._store.run(
            "UPDATE share_part SET result = ?, fail_reason = ?, finished_at = ? WHERE part_id = ?",
            "CLOSED" if reason else "SUCCESS", reason, self._office.now_ms(), part.part_id,
        )  # fmt: skip
        if not reason and part.account != payee:
            receiver = {"type": part.kind, "account": part.account}
            self._tell(0, order, (part.request_id, sharing_no), receiver, part.amount_fen, part.description)

    def _target(self, part: Part) -> str:
        if part.kind == "MERCHANT_ID":
            return f"merchant:{part.account}"
        wallet = self._office.wallets.by_openid(part.account)
        assert wallet is not None
        return f"wallet:{wallet.wallet_id}"

    def _check_return(self, sharing: Sharing, asked: Returned) -> None:
        shared = [
            part
            for part in self.parts(sharing.request_id)
            if (part.kind, part.account, part.result) == ("MERCHANT_ID", asked.account, "SUCCESS")
            and part.description != _REST
        ]
        if not shared:
            raise Refusal(400, "INVALID_REQUEST", "原分账单中没有该商户的成功分账，不能回退")
        if self._office.now_ms() > sharing.made_at + RETURN_WITHIN_MS:
            raise Refusal(400, "INVALID_REQUEST", "分账单已超过可回退的最大期限")
        returned_fen = self._store.number(
            "SELECT sum(amount_fen) FROM share_return WHERE request_id = ? AND account = ?"
            " AND result != 'FAILED'",
            sharing.request_id, asked.account,
        )  # fmt: skip
        if returned_fen + asked.amount_fen > sum(part.amount_fen for part in shared):
            raise Refusal(403, "NOT_ENOUGH", "回退金额超过可回退金额")

    def _settle_return(self, returned: Returned) -> Returned:
        now = self._office.now_ms()
        if returned.result != "PROCESSING" or now < returned.due_at:
            return returned
        with self._store.work():
            row = self._store.row("SELECT * FROM share_return WHERE return_id = ?", returned.return_id)
            assert row is not None
            if row["result"] != "PROCESSING":
                return Returned(**dict(row))
            giver = f"merchant:{returned.account}"
            reason = self.terms.failing.get(returned.account, "")
            if not reason and self._office.ledger.balance(giver) < returned.amount_fen:
                reason = "BALANCE_NOT_ENOUGH"
            if not reason:
                sharing = self.by_id(returned.request_id)
                assert sharing is not None
                order = self._office.orders.by_id(sharing.order_id)
                payer = f"merchant:{order.charge.payee}"
                self._move(order, giver, payer, returned.amount_fen, "share_return", returned.return_no)
                receiver = {"type": "MERCHANT_ID", "account": order.charge.payee}
                numbers = (returned.return_id, returned.return_no)
                self._tell(1, order, numbers, receiver, returned.amount_fen, returned.description)
            ended = replace(
                returned, result="FAILED" if reason else "SUCCESS", fail_reason=reason, finished_at=now
            )
            self._store.run(
                "UPDATE share_return SET result = ?, fail_reason = ?, finished_at = ? WHERE return_id = ?",
                ended.result, reason, now, ended.return_id,
            )  # fmt: skip
            return ended

    def _tell(
        self,
        event: int,
        order: Order,
        numbers: tuple[str, str],
        receiver: Mapping[str, str],
        amount_fen: int,
        description: str,
    ) -> None:
        """Tell whom money came to. event: 0 for a share, 1 for a return."""
        terms, charge = self.terms, order.charge
        who = {"sp_mchid": charge.mchid, "sub_mchid": charge.sub_mchid}
        resource: Json = {
            **(who if charge.sub_mchid else {"mchid": charge.mchid}),
            "transaction_id": order.transaction_id,
            "order_id": numbers[0],
            "out_order_no": numbers[1],
            "receiver": {**receiver, "amount": amount_fen, "description": description},
            "success_time": rfc3339(self._office.now_ms()),
        }
        self._office.notices.tell(
            Notice(
                _EVENTS[terms.events][event],
                resource,
                terms.notify_url,
                ("分账", "分账回退")[event],
                original_type="profitsharing",
                order_no=charge.order_no,
            )
        )

    def _move(
        self, order: Order, source: str, target: str, amount_fen: int, reason: str, number: str
    ) -> None:
        why = Why(reason, order.charge.mchid, order.charge.order_no, number)
        self._office.ledger.move(source, target, amount_fen, why)
