"""A parking validation: what was promised off the fee of a stay, by which merchant, and what became of it.

    granted -> used | revoked | expired          revoked -> granted (by the service alone, see `regrant`)

Used and expired are final. What a person has revoked stays revoked; what the service took back because a
refund lowered what was spent, or because a better one took its place, may come back when that changes again.
Pure.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from edge.errors import Declined, Invalid
from edge.parking.benefit import Benefit, BenefitKind
from edge.parking.plate import normalise

#: Who ends a validation when nobody in person does.
SERVICE = "service"

#: The longest reason.
MAX_REASON = 120

_TYPED = re.compile(r"[\u4e00-\u9fffA-Z0-9]{5,9}")


class SourceKind(StrEnum):
    """What earned a validation."""

    SPEND = "spend"
    RECEIPT = "receipt"
    COUPON = "coupon"
    POINTS = "points"
    TIER = "tier"
    QR = "qr"
    GUARD = "guard"


class ValidationState(StrEnum):
    """GRANTED until the stay leaves with it (USED), it is taken back (REVOKED) or its time is over."""

    GRANTED = "granted"
    USED = "used"
    REVOKED = "revoked"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Holder:
    """Whose stay is meant, as far as it is known: a stay, a plate, a member; "" for what is not.

    A plate may be one whose entry was not read yet, and a member may have several cars: then the validation
    waits for the first stay that it fits.
    """

    session_id: str = ""
    plate: str = ""
    member_id: str = ""

    @property
    def key(self) -> str:
        """By what the purchases of one shopper's day are counted together."""
        if self.plate:
            return f"plate:{self.plate}"
        if self.session_id:
            return f"stay:{self.session_id}"
        return f"member:{self.member_id}" if self.member_id else ""


@dataclass(frozen=True, slots=True)
class Grant:
    """What a benefit is worth: as Benefit, without an owner. words: what people see in both languages."""

    kind: BenefitKind
    value: int = 0
    tariff_id: str = ""
    label: str = ""
    label_en: str = ""


@dataclass(frozen=True, slots=True)
class Validation:
    """One promise off a parking fee.

    source_ref: unique, so that the same receipt, coupon or QR grants once. reference: what people know it by
    (a receipt's number, a coupon). order_id: the (last) order that earned it, shopper: Holder.key of its
    purchases; "" without. rule_id: the rule that granted it, "" without. merchant: the tenant_id that
    bears it, "" for the mall. day: the business day it counts on. order: as Benefit.order. minutes_counted,
    fen_counted: what it takes of the merchant's quota. ended_by, reason: who ended it and why.
    session_id: the stay that used it, or the only one that may. forgone_fen: what it took off at the exit.
    """

    validation_id: str
    holder: Holder
    grant: Grant
    merchant: str
    source: SourceKind
    source_ref: str
    granted_at: int
    expires_at: int
    day: str
    reference: str = ""
    order_id: str = ""
    shopper: str = ""
    rule_id: str = ""
    granted_by: str = SERVICE
    order: int = 0
    state: ValidationState = ValidationState.GRANTED
    minutes_counted: int = 0
    fen_counted: int = 0
    ended_at: int | None = None
    ended_by: str = ""
    reason: str = ""
    forgone_fen: int = 0

    @property
    def counts(self) -> bool:
        """Whether it takes something of the merchant's quota."""
        return self.state in (ValidationState.GRANTED, ValidationState.USED)

    @property
    def benefit(self) -> Benefit:
        """What it takes off a fee."""
        one = self.grant
        labels = (one.label, one.label_en)
        return Benefit(self.validation_id, one.kind, one.value, one.tariff_id, *labels, order=self.order)


@dataclass(frozen=True, slots=True)
class Worth:
    """By what minutes and whole fees are counted in fen: an hour's fee, and a whole stay's."""

    hour_fen: int = 1_000
    stay_fen: int = 6_000


def holds_at(validation: Validation, at: int) -> bool:
    """Return whether it may lower a fee at that moment."""
    return validation.state is ValidationState.GRANTED and at < validation.expires_at


def use(validation: Validation, session_id: str, forgone_fen: int, at: int) -> Validation:
    """Return it as used by a stay that has left; the same stay again changes nothing.

    Raises Invalid for one that another stay has used, or that is no longer granted.
    """
    if validation.state is ValidationState.USED and validation.holder.session_id == session_id:
        return validation
    _need_granted(validation, "used")
    holder = replace(validation.holder, session_id=session_id)
    return replace(
        _ended(validation, ValidationState.USED, SERVICE, "the stay left with it", at),
        holder=holder,
        forgone_fen=forgone_fen,
    )


def revoke(validation: Validation, by: str, reason: str, at: int) -> Validation:
    """Return it taken back; one that is revoked or expired already is left as it is.

    Raises Declined once it is used: the car has left with it. Raises Invalid without a reason.
    """
    words = " ".join(reason.split())
    if not 1 <= len(words) <= MAX_REASON:
        raise Invalid(f"to revoke a validation takes a reason of 1 to {MAX_REASON} characters")
    if validation.state is ValidationState.USED:
        raise Declined(f"validation {validation.validation_id} was used: the car has left with it")
    if validation.state is not ValidationState.GRANTED:
        # A person's word is final, also over what the service took back before.
        by_person = validation.state is ValidationState.REVOKED and by != SERVICE
        return replace(validation, ended_by=by, reason=words) if by_person else validation
    return _ended(validation, ValidationState.REVOKED, by, words, at)


def expire(validation: Validation, reason: str, at: int) -> Validation:
    """Return it as over without use; one that has ended is left as it is."""
    if validation.state is not ValidationState.GRANTED:
        return validation
    return _ended(validation, ValidationState.EXPIRED, SERVICE, reason, at)


def regrant(validation: Validation) -> Validation:
    """Return what the service had taken back as granted again; raise Invalid for anything else."""
    if not may_return(validation):
        raise Invalid(f"validation {validation.validation_id} is {validation.state}; it cannot come back")
    return replace(validation, state=ValidationState.GRANTED, ended_at=None, ended_by="", reason="")


def may_return(validation: Validation) -> bool:
    """Return whether the service took it back, and not a person."""
    return validation.state is ValidationState.REVOKED and validation.ended_by == SERVICE


def counted(grant: Grant, worth: Worth) -> tuple[int, int]:
    """Return what a grant takes of a quota, as minutes and as fen; by `worth` where it says neither."""
    if grant.kind is BenefitKind.MINUTES:
        return grant.value, grant.value * worth.hour_fen // 60
    if grant.kind is BenefitKind.AMOUNT:
        fen = grant.value
    elif grant.kind is BenefitKind.PERMILLE:
        fen = worth.stay_fen * grant.value // 1000
    else:
        fen = worth.stay_fen
    return (fen * 60 // worth.hour_fen if worth.hour_fen else 0), fen


def tidy_plate(text: str) -> str:
    """Return a plate as stays have it: without marks, in capitals. Raises Invalid for what cannot be one."""
    plate = normalise(text)
    if _TYPED.fullmatch(plate) is None:
        raise Invalid(f"{text[:16]!r} is no plate; give the province, the letter and all that follows")
    return plate


def check_grant(grant: Grant) -> Grant:
    """Return it; raise Invalid for a value that its kind cannot have."""
    most = {BenefitKind.MINUTES: 31 * 24 * 60, BenefitKind.AMOUNT: 10_000_000, BenefitKind.PERMILLE: 1_000}
    limit = most.get(grant.kind, 0)
    if not (0 < grant.value <= limit if limit else grant.value == 0):
        raise Invalid(f"a {grant.kind} benefit cannot have the value {grant.value}")
    if (grant.kind is BenefitKind.TARIFF) != bool(grant.tariff_id):
        raise Invalid("a benefit of kind tariff names its tariff, and no other does")
    return grant


@dataclass(frozen=True, slots=True)
class Purchase:
    """What one paid order spent, and for whose parking. spent_fen: by tenant, after refunds.

    way: through what it was given, at the till (SPEND) or later by its receipt (RECEIPT).
    """

    order_id: str
    number: str
    holder: Holder
    day: str
    paid_at: int
    spent_fen: Mapping[str, int] = field(default_factory=dict)
    tier: str = ""
    way: SourceKind = SourceKind.SPEND


def _need_granted(validation: Validation, word: str) -> None:
    if validation.state is not ValidationState.GRANTED:
        raise Invalid(f"validation {validation.validation_id} is {validation.state}; it cannot be {word}")


def _ended(validation: Validation, state: ValidationState, by: str, reason: str, at: int) -> Validation:
    return replace(validation, state=state, ended_at=at, ended_by=by, reason=reason)
