"""Parking validations with what they come from, and the merchants' tallies kept in step."""

from __future__ import annotations

import json
import re
import sqlite3
from typing import Any

from edge.errors import Corrupt
from edge.parking.benefit import BenefitKind
from edge.parking.validation import Grant, Holder, Purchase, SourceKind, Validation, ValidationState
from edge.parking.validation_rule import QuotaPeriod, Tally
from edge.services.validation_records import Claim, MerchantTotal
from edge.store.parking_coupons import CouponTable

_HOLDER = "session_id, plate, member_id"
_GRANT = "kind, value, tariff_id, label, label_en"
_REST = (
    "merchant, source, source_ref, granted_at, expires_at, day, reference, order_id, shopper, rule_id,"
    " granted_by, order_no, state, minutes_counted, fen_counted, ended_at, ended_by, reason, forgone_fen"
)
_ALL = f"validation_id, {_HOLDER}, {_GRANT}, {_REST}"
_PUT = f"""
INSERT INTO validations ({_ALL}) VALUES ({", ".join("?" * 28)})
ON CONFLICT (validation_id) DO UPDATE SET
    session_id = excluded.session_id, plate = excluded.plate, merchant = excluded.merchant,
    state = excluded.state, ended_at = excluded.ended_at, ended_by = excluded.ended_by,
    reason = excluded.reason, forgone_fen = excluded.forgone_fen
"""
_COUNT = """
INSERT INTO validation_tallies (merchant, period, count, minutes, fen) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (merchant, period) DO UPDATE SET
    count = count + excluded.count, minutes = minutes + excluded.minutes, fen = fen + excluded.fen
"""
_OPEN = """
state = 'granted' AND (
    (session_id <> '' AND session_id = :session_id)
    OR (session_id = '' AND plate <> '' AND plate = :plate)
    OR (session_id = '' AND plate = '' AND member_id <> '' AND member_id = :member_id))
"""
_TOTALS = """
SELECT merchant, count(*), sum(state = 'used'), sum(state = 'revoked'), sum(state = 'expired'),
    sum(iif(state IN ('granted', 'used'), minutes_counted, 0)),
    sum(iif(state IN ('granted', 'used'), fen_counted, 0)), sum(forgone_fen)
FROM validations WHERE day BETWEEN ? AND ? GROUP BY merchant ORDER BY merchant
"""
_PURCHASE = f"order_id, number, shopper, {_HOLDER}, day, paid_at, spent, tier, way"
_PUT_PURCHASE = f"""
INSERT INTO parking_purchases ({_PURCHASE}) VALUES ({", ".join("?" * 11)})
ON CONFLICT (order_id) DO UPDATE SET spent = excluded.spent
"""
_PUT_CLAIM = """
INSERT INTO parking_claims (basket_id, session_id, plate, member_id, claimed_at, no_car, tier)
VALUES (?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (basket_id) DO UPDATE SET
    session_id = excluded.session_id, plate = excluded.plate, member_id = excluded.member_id,
    claimed_at = excluded.claimed_at, no_car = excluded.no_car, tier = excluded.tier
"""


class ValidationTable(CouponTable):
    """Implements validation_records.Validations."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        super().__init__(connection)

    def get(self, validation_id: str) -> Validation | None:
        """Return one."""
        return self._one("validation_id = ?", validation_id)

    def by_source(self, source_ref: str) -> Validation | None:
        """Return the one that this source granted."""
        return self._one("source_ref = ?", source_ref)

    def put(self, validation: Validation) -> None:
        """Write one; raise Corrupt for a second one of the same source."""
        known = self.by_source(validation.source_ref)
        if known is not None and known.validation_id != validation.validation_id:
            raise Corrupt(f"{validation.source_ref} has granted {known.validation_id} already")
        self._connection.execute(_PUT, _row(validation))
        if known is not None:
            self._count(known, -1)
        self._count(validation, 1)

    def open_of(self, holder: Holder) -> tuple[Validation, ...]:
        """Return what is granted to that stay, or to that plate or member without a stay."""
        values = {
            "session_id": holder.session_id,
            "plate": holder.plate,
            "member_id": holder.member_id,
        }
        return self._all(_OPEN, values)

    def of_session(self, session_id: str) -> tuple[Validation, ...]:
        """Return all of one stay."""
        return self._all("session_id <> '' AND session_id = ?", (session_id,))

    def of_order(self, order_id: str) -> tuple[Validation, ...]:
        """Return those whose last purchase was that order."""
        return self._all("order_id <> '' AND order_id = ?", (order_id,))

    def of_shopper(self, key: str, day: str) -> tuple[Validation, ...]:
        """Return all that one shopper's purchases of a day earned."""
        return self._all("shopper <> '' AND shopper = ? AND day = ?", (key, day))

    def overdue(self, at: int, limit: int) -> tuple[Validation, ...]:
        """Return granted ones whose time is over."""
        return self._all("state = 'granted' AND expires_at <= ?", (at,), limit=limit)

    def search(self, text: str, first_day: str, last_day: str, limit: int) -> tuple[Validation, ...]:
        """Return those of some days by part of plate or reference, newest first."""
        wanted = "%" + re.sub(r"([!%_])", r"!\1", text) + "%"
        where = "day BETWEEN ? AND ? AND (plate LIKE ? ESCAPE '!' OR reference LIKE ? ESCAPE '!')"
        newest = "ORDER BY granted_at DESC, validation_id DESC LIMIT ?"
        statement = f"SELECT {_ALL} FROM validations WHERE {where} {newest}"
        rows = self._connection.execute(statement, (first_day, last_day, wanted, wanted, limit))
        return tuple(_validation(row) for row in rows)

    def tally(self, merchant: str, period: QuotaPeriod, day: str) -> Tally:
        """Return what a merchant has given away."""
        row = self._connection.execute(
            "SELECT count, minutes, fen FROM validation_tallies WHERE merchant = ? AND period = ?",
            (merchant, day if period is QuotaPeriod.DAY else day[:7]),
        ).fetchone()
        return Tally(*row) if row else Tally()

    def totals(self, first_day: str, last_day: str) -> tuple[MerchantTotal, ...]:
        """Return each merchant's totals of some days."""
        rows = self._connection.execute(_TOTALS, (first_day, last_day))
        return tuple(MerchantTotal(*row) for row in rows)

    def claim(self, basket_id: str) -> Claim | None:
        """Return whose parking a basket shall validate."""
        row = self._connection.execute(
            f"SELECT {_HOLDER}, claimed_at, no_car, tier FROM parking_claims WHERE basket_id = ?",
            (basket_id,),
        ).fetchone()
        if row is None:
            return None
        *holder, claimed_at, no_car, tier = row
        return Claim(basket_id, Holder(*holder), claimed_at, bool(no_car), tier)

    def put_claim(self, claim: Claim) -> None:
        """Write it, in place of what was said before."""
        one = claim.holder
        holder = (one.session_id, one.plate, one.member_id)
        row = (claim.basket_id, *holder, claim.claimed_at, claim.no_car, claim.tier)
        self._connection.execute(_PUT_CLAIM, row)

    def purchase(self, order_id: str) -> Purchase | None:
        """Return what an order was counted with."""
        row = self._connection.execute(
            f"SELECT {_PURCHASE} FROM parking_purchases WHERE order_id = ?", (order_id,)
        ).fetchone()
        return None if row is None else _purchase(row)

    def put_purchase(self, purchase: Purchase) -> None:
        """Write it; only what was spent changes."""
        one = purchase.holder
        row = (
            purchase.order_id,
            purchase.number,
            one.key,
            *(one.session_id, one.plate, one.member_id),
            purchase.day,
            purchase.paid_at,
            json.dumps(dict(sorted(purchase.spent_fen.items()))),
            purchase.tier,
            purchase.way.value,
        )
        self._connection.execute(_PUT_PURCHASE, row)

    def purchases(self, key: str, day: str) -> tuple[Purchase, ...]:
        """Return one shopper's purchases of a day."""
        rows = self._connection.execute(
            f"SELECT {_PURCHASE} FROM parking_purchases WHERE shopper = ? AND day = ? ORDER BY order_id",
            (key, day),
        )
        return tuple(_purchase(row) for row in rows)

    def _count(self, one: Validation, sign: int) -> None:
        if one.counts:
            amounts = (sign, sign * one.minutes_counted, sign * one.fen_counted)
            # A CHECK is held against the row to insert too, so the first one must be there before a minus.
            for period in (one.day, one.day[:7]):
                self._move(one.merchant, period, amounts)

    def _move(self, merchant: str, period: str, amounts: tuple[int, int, int]) -> None:
        if amounts[0] > 0:
            self._connection.execute(_COUNT, (merchant, period, *amounts))
            return
        self._connection.execute(
            "UPDATE validation_tallies SET count = count + ?, minutes = minutes + ?, fen = fen + ?"
            " WHERE merchant = ? AND period = ?",
            (*amounts, merchant, period),
        )

    def _one(self, where: str, value: str) -> Validation | None:
        row = self._connection.execute(f"SELECT {_ALL} FROM validations WHERE {where}", (value,)).fetchone()
        return None if row is None else _validation(row)

    def _all(
        self, where: str, values: tuple[Any, ...] | dict[str, str], limit: int = 1_000
    ) -> tuple[Validation, ...]:
        oldest = f"ORDER BY granted_at, validation_id LIMIT {int(limit)}"
        statement = f"SELECT {_ALL} FROM validations WHERE {where} {oldest}"
        return tuple(_validation(row) for row in self._connection.execute(statement, values))


def _row(one: Validation) -> tuple[Any, ...]:
    holder, grant = one.holder, one.grant
    return (
        one.validation_id,
        *(holder.session_id, holder.plate, holder.member_id),
        *(grant.kind.value, grant.value, grant.tariff_id, grant.label, grant.label_en),
        *(one.merchant, one.source.value, one.source_ref, one.granted_at, one.expires_at, one.day),
        *(one.reference, one.order_id, one.shopper, one.rule_id, one.granted_by, one.order, one.state.value),
        *(one.minutes_counted, one.fen_counted, one.ended_at, one.ended_by, one.reason, one.forgone_fen),
    )


def _validation(row: tuple[Any, ...]) -> Validation:
    validation_id, *rest = row
    holder, grant, other = rest[:3], rest[3:8], rest[8:]
    merchant, source, ref, granted_at, expires_at, day, reference, order_id, shopper, rule_id, by, *end = (
        other
    )
    order, state, *last = end
    return Validation(
        validation_id,
        Holder(*holder),
        Grant(BenefitKind(grant[0]), *grant[1:]),
        merchant,
        SourceKind(source),
        ref,
        granted_at,
        expires_at,
        day,
        reference,
        order_id,
        shopper,
        rule_id,
        by,
        order,
        ValidationState(state),
        *last,
    )


def _purchase(row: tuple[Any, ...]) -> Purchase:
    order_id, number, _, *holder, day, paid_at, spent, tier, way = row
    return Purchase(order_id, number, Holder(*holder), day, paid_at, json.loads(spent), tier, SourceKind(way))
