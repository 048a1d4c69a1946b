"""Parking validations in memory, with the rules that the tables enforce."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from edge.errors import Corrupt
from edge.parking.validation import Holder, Purchase, Validation, ValidationState
from edge.parking.validation_rule import QuotaPeriod, Tally
from edge.services.validation_records import Claim, MerchantTotal, ParkingCoupon, newest_first


@dataclass(slots=True)
class ValidationRows:
    """All rows; values are frozen."""

    validations: dict[str, Validation] = field(default_factory=dict)
    claims: dict[str, Claim] = field(default_factory=dict)
    purchases: dict[str, Purchase] = field(default_factory=dict)
    coupons: dict[str, ParkingCoupon] = field(default_factory=dict)
    jtis: dict[str, int] = field(default_factory=dict)

    def copy(self) -> ValidationRows:
        """Return rows that can be changed without changing these."""
        return ValidationRows(
            dict(self.validations),
            dict(self.claims),
            dict(self.purchases),
            dict(self.coupons),
            dict(self.jtis),
        )


class FakeValidations:
    """Implements validation_records.Validations."""

    def __init__(self, rows: ValidationRows, writing: Callable[[], None]) -> None:
        self._rows = rows
        self._writing = writing

    def get(self, validation_id: str) -> Validation | None:
        """Return one."""
        return self._rows.validations.get(validation_id)

    def by_source(self, source_ref: str) -> Validation | None:
        """Return the one that this source granted."""
        return next((one for one in self._sorted() if one.source_ref == source_ref), None)

    def put(self, validation: Validation) -> None:
        """Write one; raise Corrupt for a second one of the same source."""
        self._writing()
        known = self.by_source(validation.source_ref)
        if known is not None and known.validation_id != validation.validation_id:
            raise Corrupt(f"{validation.source_ref} has granted {known.validation_id} already")
        self._rows.validations[validation.validation_id] = validation

    def open_of(self, holder: Holder) -> tuple[Validation, ...]:
        """Return what is granted to that stay, or to that plate or member without a stay."""
        return tuple(one for one in self._granted() if _fits(one.holder, holder))

    def of_session(self, session_id: str) -> tuple[Validation, ...]:
        """Return all of one stay."""
        return tuple(one for one in self._sorted() if session_id and one.holder.session_id == session_id)

    def of_order(self, order_id: str) -> tuple[Validation, ...]:
        """Return those whose last purchase was that order."""
        return tuple(one for one in self._sorted() if order_id and one.order_id == order_id)

    def of_shopper(self, key: str, day: str) -> tuple[Validation, ...]:
        """Return all that one shopper's purchases of a day earned."""
        return tuple(one for one in self._sorted() if key and (one.shopper, one.day) == (key, day))

    def overdue(self, at: int, limit: int) -> tuple[Validation, ...]:
        """Return granted ones whose time is over."""
        return tuple([one for one in self._granted() if one.expires_at <= at][:limit])

    def search(self, text: str, first_day: str, last_day: str, limit: int) -> tuple[Validation, ...]:
        """Return those of some days by part of plate or reference, newest first."""
        days = [one for one in self._sorted() if first_day <= one.day <= last_day]
        found = [one for one in days if _has(one.holder.plate, text) or _has(one.reference, text)]
        return newest_first(found)[:limit]

    def tally(self, merchant: str, period: QuotaPeriod, day: str) -> Tally:
        """Return what a merchant has given away."""
        prefix = day if period is QuotaPeriod.DAY else day[:7]
        mine = [one for one in self._sorted() if one.counts and one.merchant == merchant]
        there = [one for one in mine if one.day.startswith(prefix)]
        minutes = sum(one.minutes_counted for one in there)
        return Tally(len(there), minutes, sum(one.fen_counted for one in there))

    def totals(self, first_day: str, last_day: str) -> tuple[MerchantTotal, ...]:
        """Return each merchant's totals of some days."""
        days = [one for one in self._sorted() if first_day <= one.day <= last_day]
        merchants = sorted({one.merchant for one in days})
        return tuple(_total(name, [one for one in days if one.merchant == name]) for name in merchants)

    def claim(self, basket_id: str) -> Claim | None:
        """Return whose parking a basket shall validate."""
        return self._rows.claims.get(basket_id)

    def put_claim(self, claim: Claim) -> None:
        """Write it, in place of what was said before."""
        self._writing()
        self._rows.claims[claim.basket_id] = claim

    def purchase(self, order_id: str) -> Purchase | None:
        """Return what an order was counted with."""
        return self._rows.purchases.get(order_id)

    def put_purchase(self, purchase: Purchase) -> None:
        """Write it; only what was spent changes."""
        self._writing()
        known = self._rows.purchases.get(purchase.order_id, purchase)
        self._rows.purchases[purchase.order_id] = replace(known, spent_fen=dict(purchase.spent_fen))

    def purchases(self, key: str, day: str) -> tuple[Purchase, ...]:
        """Return one shopper's purchases of a day."""
        mine = (one for one in self._rows.purchases.values() if (one.holder.key, one.day) == (key, day))
        return tuple(sorted(mine, key=lambda one: one.order_id))

    def coupon(self, code: str) -> ParkingCoupon | None:
        """Return a coupon."""
        return self._rows.coupons.get(code)

    def put_coupon(self, coupon: ParkingCoupon) -> None:
        """Write a coupon; only whether it is revoked changes."""
        self._writing()
        known = self._rows.coupons.get(coupon.code, coupon)
        changed = replace(known, revoked_at=coupon.revoked_at, revoked_why=coupon.revoked_why)
        self._rows.coupons[coupon.code] = changed

    def coupons(self, merchant: str, limit: int) -> tuple[ParkingCoupon, ...]:
        """Return the newest coupons of a merchant."""
        mine = [one for one in self._rows.coupons.values() if one.merchant == merchant]
        return tuple(sorted(mine, key=lambda one: (-one.issued_at, one.code))[:limit])

    def spend_jti(self, jti: str, until: int) -> bool:
        """Note that a QR code was used; return False when it was noted before."""
        self._writing()
        fresh = jti not in self._rows.jtis
        self._rows.jtis.setdefault(jti, until)
        return fresh

    def forget_jti(self, before: int, keep: int) -> int:
        """Forget codes that were over by then, and what goes beyond `keep`; return how many are kept."""
        self._writing()
        left = sorted((until, jti) for jti, until in self._rows.jtis.items() if until > before)
        kept = left[max(0, len(left) - keep) :]
        self._rows.jtis.clear()
        self._rows.jtis.update({jti: until for until, jti in kept})
        return len(kept)

    def _sorted(self) -> list[Validation]:
        rows = self._rows.validations.values()
        return sorted(rows, key=lambda one: (one.granted_at, one.validation_id))

    def _granted(self) -> list[Validation]:
        return [one for one in self._sorted() if one.state is ValidationState.GRANTED]


def _has(text: str, part: str) -> bool:
    return part.lower() in text.lower()


def _fits(own: Holder, asked: Holder) -> bool:
    if own.session_id:
        return own.session_id == asked.session_id
    if own.plate:
        return own.plate == asked.plate
    return bool(own.member_id) and own.member_id == asked.member_id


def _total(merchant: str, rows: list[Validation]) -> MerchantTotal:
    states = [one.state for one in rows]
    counting = [one for one in rows if one.counts]
    return MerchantTotal(
        merchant,
        len(rows),
        states.count(ValidationState.USED),
        states.count(ValidationState.REVOKED),
        states.count(ValidationState.EXPIRED),
        sum(one.minutes_counted for one in counting),
        sum(one.fen_counted for one in counting),
        sum(one.forgone_fen for one in rows),
    )
