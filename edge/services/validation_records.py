"""Parking validations as records: claims on baskets, purchases, validations, coupons, used QR codes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from edge.parking.validation import Grant, Holder, Purchase, Validation
from edge.parking.validation_rule import QuotaPeriod, Tally


@dataclass(frozen=True, slots=True)
class Claim:
    """Whose parking a basket shall validate. no_car: the shopper said so, and is not asked again."""

    basket_id: str
    holder: Holder
    claimed_at: int
    no_car: bool = False
    tier: str = ""


@dataclass(frozen=True, slots=True)
class ParkingCoupon:
    """A coupon that a merchant gave out; its code serves once. Instants are Unix milliseconds."""

    code: str
    merchant: str
    grant: Grant
    issued_at: int
    expires_at: int
    issued_by: str
    revoked_at: int | None = None
    revoked_why: str = ""


@dataclass(frozen=True, slots=True)
class MerchantTotal:
    """What one merchant gave away in a stretch of days, as a settlement needs it.

    minutes, fen: as counted for quotas, of what was granted and not taken back. forgone_fen: what it took
    off the fees of the stays that left with it.
    """

    merchant: str
    granted: int
    used: int
    revoked: int
    expired: int
    minutes: int
    fen: int
    forgone_fen: int


class Validations(Protocol):
    """Validations and what they come from. A validation is found by its source once and for all."""

    def get(self, validation_id: str) -> Validation | None:
        """Return one."""

    def by_source(self, source_ref: str) -> Validation | None:
        """Return the one that this source granted."""

    def put(self, validation: Validation) -> None:
        """Write one; raise Corrupt for a second one of the same source. Keeps the merchants' tallies."""

    def open_of(self, holder: Holder) -> tuple[Validation, ...]:
        """Return what is granted to that stay, or to that plate or member without a stay; oldest first."""

    def of_session(self, session_id: str) -> tuple[Validation, ...]:
        """Return all of one stay, in any state, oldest first."""

    def of_order(self, order_id: str) -> tuple[Validation, ...]:
        """Return those whose last purchase was that order, oldest first."""

    def of_shopper(self, key: str, day: str) -> tuple[Validation, ...]:
        """Return all that the purchases of one shopper and day earned, in any state, oldest first."""

    def overdue(self, at: int, limit: int) -> tuple[Validation, ...]:
        """Return granted ones whose time is over."""

    def search(self, text: str, first_day: str, last_day: str, limit: int) -> tuple[Validation, ...]:
        """Return those of some days by part of plate or reference ("" for all), newest first."""

    def tally(self, merchant: str, period: QuotaPeriod, day: str) -> Tally:
        """Return what a merchant has given away on a day or in its month."""

    def totals(self, first_day: str, last_day: str) -> tuple[MerchantTotal, ...]:
        """Return each merchant's totals of some days, by merchant."""

    def claim(self, basket_id: str) -> Claim | None:
        """Return whose parking a basket shall validate."""

    def put_claim(self, claim: Claim) -> None:
        """Write it, in place of what was said before."""

    def purchase(self, order_id: str) -> Purchase | None:
        """Return what an order was counted with."""

    def put_purchase(self, purchase: Purchase) -> None:
        """Write it; a purchase keeps its shopper for good."""

    def purchases(self, key: str, day: str) -> tuple[Purchase, ...]:
        """Return one shopper's purchases of a day, by order id."""

    def coupon(self, code: str) -> ParkingCoupon | None:
        """Return a coupon."""

    def put_coupon(self, coupon: ParkingCoupon) -> None:
        """Write a coupon."""

    def coupons(self, merchant: str, limit: int) -> tuple[ParkingCoupon, ...]:
        """Return the newest coupons of a merchant, newest first."""

    def spend_jti(self, jti: str, until: int) -> bool:
        """Note that a QR code was used; return False when it was noted before."""

    def forget_jti(self, before: int, keep: int) -> int:
        """Forget codes that were over by then, and what goes beyond `keep`; return how many are kept.

        Those over first go first: never one that is still valid while one that is over is kept.
        """


def newest_first(rows: Sequence[Validation]) -> tuple[Validation, ...]:
    """Return validations by the moment they were granted, newest first."""
    return tuple(sorted(rows, key=lambda one: (one.granted_at, one.validation_id), reverse=True))
