"""Validations that no purchase earned: a merchant's coupon, a signed QR code, points, a guard's word."""

from __future__ import annotations

from dataclasses import replace

from edge.clock import Instant
from edge.codes.house import DEFAULT_FORMS, HouseKind, build_house_code
from edge.errors import Declined, Invalid
from edge.parking.plate import mask_plate
from edge.parking.validation import (
    Grant,
    Holder,
    SourceKind,
    Validation,
    ValidationState,
    check_grant,
    revoke,
)
from edge.parking.validation_qr import SKEW_MS, ValidationToken, read_token, sign_token
from edge.parking.validation_rule import AtLimit, over_quota, quota_of
from edge.parking.validation_words import say_grant
from edge.services.box import Box
from edge.services.business_day import business_day
from edge.services.earn_points import return_points
from edge.services.identify_member import standing_for
from edge.services.records import Unit
from edge.services.spend_points import SpendAsk, spend_points
from edge.services.validate_purchase import put_granted
from edge.services.validation_events import tell_validation
from edge.services.validation_records import ParkingCoupon

#: How long a coupon may live, how many may be given out at once, and used QR codes that are remembered.
MAX_COUPON_H = 24 * 92
MAX_COUPONS = 200
MAX_JTIS = 100_000

_COUPON_FORM = next(form for form in DEFAULT_FORMS if form.kind is HouseKind.COUPON)
_ALPHABET = "0123456789ABCDEFGHJKLMNPQRSTUVWXYZ"


def issue_coupons(
    box: Box, merchant: str, grant: Grant, valid_h: int, count: int, issued_by: str
) -> tuple[ParkingCoupon, ...]:
    """Give out coupons of a merchant; each code serves once.

    Raises Declined when they would go beyond what the merchant's quotas have left (coupons out and not used
    are not held against a quota; that is looked at again when one is redeemed). Raises Invalid.
    """
    check_grant(grant)
    if not (1 <= count <= MAX_COUPONS and 1 <= valid_h <= MAX_COUPON_H):
        raise Invalid(f"1 to {MAX_COUPONS} coupons at once, valid for 1 to {MAX_COUPON_H} hours")
    now = box.clock.now()

    def work(unit: Unit) -> tuple[ParkingCoupon, ...]:
        _need_quota(unit, box, merchant, grant, now)
        made = [
            ParkingCoupon(
                _code(box.ids.new_token()),
                merchant,
                grant,
                now.wall_at,
                now.wall_at + valid_h * 3_600_000,
                issued_by,
            )
            for _ in range(count)
        ]
        for coupon in made:
            unit.validations.put_coupon(coupon)
        return tuple(made)

    return box.store.write(work)


def coupon_text(coupon: ParkingCoupon) -> str:
    """Return what a coupon's QR code says, e.g. "CP8F3K2Q..."."""
    return build_house_code(_COUPON_FORM, coupon.code)


def coupon_address(box: Box, coupon: ParkingCoupon) -> str:
    """Return what a coupon's QR code says: its page for phones, or its text without a public address."""
    base = box.rules.public_url.rstrip("/")
    return f"{base}/phone/c/{coupon.code}" if base else coupon_text(coupon)


def show_coupon(box: Box, code: str) -> dict[str, object] | None:
    """Return a coupon for its page, its car masked; None for an unknown one."""

    def query(unit: Unit) -> dict[str, object] | None:
        coupon = unit.validations.coupon(code)
        if coupon is None:
            return None
        known = unit.validations.by_source(f"coupon:{code}")
        over = coupon.revoked_at is not None or box.clock.now().wall_at >= coupon.expires_at
        tenant = unit.catalogue.tenant(coupon.merchant)
        return {
            "code": code,
            "merchant": tenant.name if tenant else coupon.merchant,
            "words": say_grant(coupon.grant, "zh"),
            "words_en": say_grant(coupon.grant, "en"),
            "expires_at": coupon.expires_at,
            "state": known.state.value if known else "over" if over else "open",
            "plate": mask_plate(known.holder.plate) if known else "",
        }

    return box.store.read(query)


def validate_by_coupon(box: Box, code: str, holder: Holder) -> Validation:
    """Redeem a merchant's coupon in a unit of its own; see redeem_coupon."""
    now = box.clock.now()
    return box.store.write(lambda unit: redeem_coupon(unit, box, code, holder, now))


def redeem_coupon(unit: Unit, box: Box, code: str, holder: Holder, now: Instant) -> Validation:
    """Redeem a merchant's coupon for a stay; the same coupon for the same holder is one validation.

    Raises Invalid for an unknown code; Declined for one that is over, revoked, used for another car, or
    beyond its merchant's quota.
    """
    _need_holder(holder)
    coupon = unit.validations.coupon(code)
    if coupon is None:
        raise Invalid(f"coupon {code[:40]} is not one of this box; look at it again")
    known = unit.validations.by_source(f"coupon:{code}")
    if known is not None:
        return _same_holder(known, holder, f"coupon {code}")
    if coupon.revoked_at is not None:
        raise Declined(f"coupon {code} was revoked: {coupon.revoked_why}")
    if now.wall_at >= coupon.expires_at:
        raise Declined(f"coupon {code} is over")
    source = (SourceKind.COUPON, f"coupon:{code}", code)
    return _grant(unit, box, holder, coupon.grant, coupon.merchant, source, coupon.expires_at, now)


def revoke_coupon(unit: Unit, box: Box, code: str, by: str, reason: str, now: Instant) -> bool:
    """Take a coupon back, and what it granted unless that is used; return whether it is gone for good.

    False: its car has left with it. Raises Invalid for an unknown code.
    """
    coupon = unit.validations.coupon(code)
    if coupon is None:
        raise Invalid(f"coupon {code[:40]} is not one of this box")
    known = unit.validations.by_source(f"coupon:{code}")
    if known is not None:
        try:
            taken = revoke(known, by, reason, now.wall_at)
        except Declined:
            return False
        if taken != known:
            unit.validations.put(taken)
            tell_validation(unit, box, taken, now)
    if coupon.revoked_at is None:
        unit.validations.put_coupon(replace(coupon, revoked_at=now.wall_at, revoked_why=reason))
    return True


def revoke_validation(box: Box, validation_id: str, by: str, reason: str) -> Validation:
    """Take a validation back for good, with a reason; points that paid it go back.

    Raises Declined once it is used, Invalid for none.
    """
    now = box.clock.now()

    def work(unit: Unit) -> Validation:
        known = unit.validations.get(validation_id)
        if known is None:
            raise Invalid("there is no such validation; look at the list again")
        taken = revoke(known, by, reason, now.wall_at)
        if taken != known:
            unit.validations.put(taken)
            tell_validation(unit, box, taken, now)
            if known.source is SourceKind.POINTS and known.state is ValidationState.GRANTED:
                return_points(unit, box, known.source_ref, now)
        return taken

    return box.store.write(work)


def issue_validation_qr(box: Box, merchant: str, grant: Grant, valid_min: int, reference: str = "") -> str:
    """Return the text of a signed single-use QR code; raise Invalid while this box has no signing key."""
    key = box.parking.qr_key
    if not key:
        raise Invalid("this box has no key to sign validations with; set [validation] qr_key_file")
    now = box.clock.now()
    token = ValidationToken(
        kid=box.origin.edge,
        jti=box.ids.new_token(),
        site=box.origin.site,
        merchant=merchant,
        grant=grant,
        issued_at=now.wall_at,
        expires_at=now.wall_at + valid_min * 60_000,
        reference=reference,
    )
    return sign_token(token, key)


def redeem_validation_qr(box: Box, text: str, holder: Holder) -> Validation:
    """Redeem a code that a box signed, in a unit of its own; see redeem_qr."""
    now = box.clock.now()
    return box.store.write(lambda unit: redeem_qr(unit, box, text, holder, now))


def redeem_qr(unit: Unit, box: Box, text: str, holder: Holder, now: Instant) -> Validation:
    """Redeem a code that a box signed; once. The same code for the same holder is one validation.

    Raises Invalid for a forged or broken code, Declined for one that is used, over or beyond a quota.
    """
    _need_holder(holder)
    token = read_token(text, box.parking.qr_keys, box.origin.site, now.wall_at, clock_trusted=now.trusted)
    ref = f"qr:{token.kid}:{token.jti}"
    known = unit.validations.by_source(ref)
    if known is not None:
        return _same_holder(known, holder, "this code")
    # All that may refuse stands before the code is spent: whoever catches the error may commit the rest.
    _need_quota(unit, box, token.merchant, token.grant, now)
    # The ledger is bounded by what may still be valid; those over are refused by their own expiry.
    if unit.validations.forget_jti(now.wall_at - SKEW_MS, MAX_JTIS) >= MAX_JTIS:
        raise Declined("too many codes are open at once; use the coupon's page instead")
    if not unit.validations.spend_jti(ref, token.expires_at + SKEW_MS):
        raise Declined("this code was used already")
    source = (SourceKind.QR, ref, token.reference or token.jti)
    expires_at = max(token.expires_at, now.wall_at + SKEW_MS)
    return _grant(unit, box, holder, token.grant, token.merchant, source, expires_at, now)


def validate_by_guard(box: Box, ref: str, holder: Holder, grant: Grant, by: str, reason: str) -> Validation:
    """Grant by a guard's or supervisor's word. ref: of the form that was sent, so that it counts once."""
    now = box.clock.now()
    return box.store.write(lambda unit: put_by_guard(unit, box, ref, holder, grant, by, reason, now))


def put_by_guard(
    unit: Unit, box: Box, ref: str, holder: Holder, grant: Grant, by: str, reason: str, now: Instant
) -> Validation:
    """Do what `validate_by_guard` does, in the caller's unit."""
    check_grant(grant)
    _need_holder(holder)
    words = " ".join(reason.split())
    if not 1 <= len(words) <= 60:
        raise Invalid("to grant parking by hand takes a reason of 1 to 60 characters")
    known = unit.validations.by_source(f"guard:{ref}")
    if known is not None:
        return _same_holder(known, holder, "this form")
    source = (SourceKind.GUARD, f"guard:{ref}", words)
    return _grant(unit, box, holder, grant, "", source, now.wall_at + 86_400_000, now, by)


def validate_by_points(box: Box, ref: str, member_id: str, holder: Holder) -> Validation:
    """Give a member's points for parking, as the box's settings price it; see put_by_points."""
    now = box.clock.now()
    return box.store.write(lambda unit: put_by_points(unit, box, ref, member_id, holder, now))


def put_by_points(unit: Unit, box: Box, ref: str, member_id: str, holder: Holder, now: Instant) -> Validation:
    """Spend a member's points on parking, in the caller's unit; the same ref again is the same validation.

    The points come from a lease that HQ granted to this box, so that no two boxes spend the same ones.
    ref: of the form that was sent. Raises Declined when fewer can be spent here now; Invalid for nobody and
    while points are worth nothing here.
    """
    price = box.parking.points
    if price is None:
        raise Invalid("points are not taken for parking here; set [validation] points")
    _need_holder(holder)
    spent_on = f"points:{ref}"
    known = unit.validations.by_source(spent_on)
    if known is not None:
        return _same_holder(known, holder, "this form")
    member_id = standing_for(unit, member_id)
    spend_points(unit, box, SpendAsk(member_id, price.points, spent_on), now)
    mine = replace(holder, member_id=member_id)
    source = (SourceKind.POINTS, spent_on, f"{price.points}")
    return _grant(unit, box, mine, price.grant, "", source, now.wall_at + 86_400_000, now)


def _grant(
    unit: Unit,
    box: Box,
    holder: Holder,
    grant: Grant,
    merchant: str,
    source: tuple[SourceKind, str, str],
    expires_at: int,
    now: Instant,
    by: str = "service",
) -> Validation:
    kind, ref, reference = source
    one = Validation(
        validation_id=box.ids.new_id(),
        holder=holder,
        grant=grant,
        merchant=merchant,
        source=kind,
        source_ref=ref,
        granted_at=now.wall_at,
        expires_at=expires_at,
        day=business_day(box, now),
        reference=reference,
        granted_by=by,
    )
    done, reasons = put_granted(unit, box, one, now)
    if done is None:
        raise Declined("; ".join(reasons))
    return done


def _same_holder(known: Validation, holder: Holder, what: str) -> Validation:
    if known.holder.plate != holder.plate or (
        holder.session_id and known.holder.session_id not in ("", holder.session_id)
    ):
        raise Declined(f"{what} was used for {mask_plate(known.holder.plate) or 'another car'} already")
    return known


def _need_quota(unit: Unit, box: Box, merchant: str, grant: Grant, now: Instant) -> None:
    plan, day = box.parking.validation, business_day(box, now)
    for quota in quota_of(plan, merchant):
        tally = unit.validations.tally(merchant, quota.period, day)
        if quota.at_limit is AtLimit.REFUSE and over_quota(quota, tally, grant, plan.worth):
            raise Declined(f"{merchant}: {quota.limit} {quota.unit} a {quota.period} are given away")


def _need_holder(holder: Holder) -> None:
    if not holder.key:
        raise Invalid("say whose parking it is: give the plate, or scan the ticket")


def _code(token: str) -> str:
    """Return 20 characters of our alphabet for an unguessable token: about 100 bits."""
    number = int.from_bytes(token.encode(), "big")
    signs = []
    for _ in range(20):
        number, index = divmod(number, len(_ALPHABET))
        signs.append(_ALPHABET[index])
    return "".join(signs)
