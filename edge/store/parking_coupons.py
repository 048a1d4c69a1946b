"""Parking coupons, used QR codes and points given for parking."""

from __future__ import annotations

import sqlite3
from typing import Any

from edge.parking.benefit import BenefitKind
from edge.parking.validation import Grant
from edge.services.validation_records import ParkingCoupon

_COUPON = (
    "code, merchant, kind, value, tariff_id, label, label_en, issued_at, expires_at, issued_by, revoked_at,"
    " revoked_why"
)
_PUT_COUPON = f"""
INSERT INTO parking_coupons ({_COUPON}) VALUES ({", ".join("?" * 12)})
ON CONFLICT (code) DO UPDATE SET revoked_at = excluded.revoked_at, revoked_why = excluded.revoked_why
"""
_KEEP = """
DELETE FROM validation_jtis WHERE jti IN (
    SELECT jti FROM validation_jtis ORDER BY until, jti
    LIMIT max(0, (SELECT count(*) FROM validation_jtis) - ?))
"""


class CouponTable:
    """The part of validation_records.Validations that is about coupons and QR codes."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def coupon(self, code: str) -> ParkingCoupon | None:
        """Return a coupon."""
        row = self._connection.execute(
            f"SELECT {_COUPON} FROM parking_coupons WHERE code = ?", (code,)
        ).fetchone()
        return None if row is None else _coupon(row)

    def put_coupon(self, coupon: ParkingCoupon) -> None:
        """Write a coupon; only whether it is revoked changes."""
        one = coupon.grant
        grant = (one.kind.value, one.value, one.tariff_id, one.label, one.label_en)
        end = (coupon.issued_at, coupon.expires_at, coupon.issued_by, coupon.revoked_at, coupon.revoked_why)
        self._connection.execute(_PUT_COUPON, (coupon.code, coupon.merchant, *grant, *end))

    def coupons(self, merchant: str, limit: int) -> tuple[ParkingCoupon, ...]:
        """Return the newest coupons of a merchant."""
        rows = self._connection.execute(
            f"SELECT {_COUPON} FROM parking_coupons WHERE merchant = ? ORDER BY issued_at DESC, code LIMIT ?",
            (merchant, limit),
        )
        return tuple(_coupon(row) for row in rows)

    def spend_jti(self, jti: str, until: int) -> bool:
        """Note that a QR code was used; return False when it was noted before."""
        found = self._connection.execute("SELECT 1 FROM validation_jtis WHERE jti = ?", (jti,)).fetchone()
        if found is None:
            self._connection.execute("INSERT INTO validation_jtis (jti, until) VALUES (?, ?)", (jti, until))
        return found is None

    def forget_jti(self, before: int, keep: int) -> int:
        """Forget codes that were over by then, and what goes beyond `keep`; return how many are kept."""
        self._connection.execute("DELETE FROM validation_jtis WHERE until <= ?", (before,))
        self._connection.execute(_KEEP, (keep,))
        return int(self._connection.execute("SELECT count(*) FROM validation_jtis").fetchone()[0])


def _coupon(row: tuple[Any, ...]) -> ParkingCoupon:
    code, merchant, kind, *grant, issued_at, expires_at, issued_by, revoked_at, why = row
    return ParkingCoupon(
        code,
        merchant,
        Grant(BenefitKind(kind), *grant),
        issued_at,
        expires_at,
        issued_by,
        revoked_at,
        why,
    )
