"""Members on their own phone: who they are here, points with history, coupons, cars and consents. Masked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from edge.clock import Instant
from edge.members.consent import ConsentPurpose, standing
from edge.members.conversion import ConversionStep
from edge.members.landing import BlockKind, LandingBlock
from edge.members.member import mask_number, mask_phone
from edge.members.points import PointsEntry, PointsKind
from edge.parking.validation import Holder, Validation
from edge.parking.validation_words import said
from edge.services.box import Box
from edge.services.claim_purchase import cars_inside
from edge.services.identify_member import KnownMember, own_lines
from edge.services.offer_landing import landing_of, shown_now
from edge.services.own_membership import PLATE_ID
from edge.services.phone_records import PhoneSession
from edge.services.phone_session import member_of_session
from edge.services.records import Unit

#: Lines of points on one page, purchases whose pages are looked at for coupons, and for how long.
LINES = 50
PURCHASES = 20
COUPON_MS = 92 * 86_400_000

#: A JSON-able dictionary on its way to a phone.
Json = Mapping[str, object]


def show_me(box: Box, session: PhoneSession, language: str) -> Json:
    """Return what a phone may see of its member, as docs/protocols/phone-api.md says; without the texts."""
    now = box.clock.now()

    def query(unit: Unit) -> Json:
        member = member_of_session(unit, box, session, now)
        if member is None:
            return {"member": None, "consents": [], "coupons": [], "plates": []}
        one = member.member_id
        return {
            "member": _member(member),
            "consents": _consents(unit, one),
            "coupons": [*_parking(unit, box, one, language), *_coupons(unit, one, language, now)],
            "plates": [
                {"id": each.plate_hmac[:PLATE_ID], "masked": each.masked} for each in unit.people.plates(one)
            ],
        }

    return {**box.store.read(query), "consent_version": box.members.consent_version}


def show_points(
    box: Box, session: PhoneSession, language: str, texts: Mapping[str, str], before: int
) -> Json:
    """Return a member's lines of points of before a moment (Unix milliseconds), newest first."""
    now = box.clock.now()

    def query(unit: Unit) -> Json:
        member = member_of_session(unit, box, session, now)
        if member is None:
            return {"balance": 0, "lines": [], "more": False}
        # What a merger moved from one number to another changes nothing for the person.
        lines = [one for one in own_lines(unit, member.member_id) if one.kind is not PointsKind.MOVED]
        older = [one for one in reversed(lines) if not before or one.at < before]
        shown = _page(older)
        return {
            "balance": member.points,
            "lines": [_line(box, one, language, texts) for one in shown],
            "more": len(shown) < len(older),
        }

    return box.store.read(query)


def _page(lines: Sequence[PointsEntry]) -> Sequence[PointsEntry]:
    """Return the first lines; those of the last one's moment all together, as `before` is a moment."""
    if len(lines) <= LINES:
        return lines
    last = lines[LINES - 1].at
    return [one for one in lines if one.at >= last]


def _line(box: Box, one: PointsEntry, language: str, texts: Mapping[str, str]) -> Json:
    tenant = box.tenants.get(one.tenant_id)
    name = ((language == "en" and tenant.name_en) or tenant.name) if tenant else one.tenant_id
    return {
        "at": one.at,
        "points": one.points,
        "kind": one.kind.value,
        "tenant": name,
        "text": texts[f"me_points_{one.kind.value}"],
    }


def _member(one: KnownMember) -> Json:
    return {
        "number": mask_number(one.member_id),
        "tier": one.tier,
        "points": one.points,
        "points_at": one.points_at,
        "provisional": one.provisional,
        "phone": mask_phone(one.phone_tail),
        "card": mask_number(one.card),
        "tags": list(one.tags),
    }


def _consents(unit: Unit, member_id: str) -> list[Json]:
    held = unit.people.consents(member_id)
    found: list[Json] = []
    for purpose in ConsentPurpose:
        stands = standing(held, purpose)
        last = stands or next((one for one in reversed(held) if one.purpose is purpose), None)
        version = last.version if last else ""
        found.append({"purpose": purpose.value, "version": version, "given": stands is not None})
    return found


def _parking(unit: Unit, box: Box, member_id: str, language: str) -> list[Json]:
    """Return what is promised to the member's cars and not used yet."""
    found: dict[str, Validation] = {}
    holders = [Holder(member_id=member_id)]
    holders += [Holder(one.session_id, one.plate, member_id) for one in cars_inside(unit, box, member_id)]
    for holder in holders:
        found |= {one.validation_id: one for one in unit.validations.open_of(holder)}
    return [
        {
            "code": one.reference,
            "name": said(one, language),
            "state": one.state.value,
            "ends_at": one.expires_at,
            "what": "parking",
        }
        for one in found.values()
    ]


def _coupons(unit: Unit, member_id: str, language: str, now: Instant) -> list[Json]:
    """Return the coupons on the pages that the member's purchases ended on, the newest first."""
    found: dict[str, Json] = {}
    for order_id in _purchases(unit, member_id, now):
        ends_at = _page_ends(unit, order_id)
        for block in _coupon_blocks(unit, order_id):
            found.setdefault(block.code, _coupon(block, language, ends_at, now))
    return list(found.values())


def _purchases(unit: Unit, member_id: str, now: Instant) -> list[str]:
    """Return the orders that the member's latest purchases were, the newest first."""
    steps = unit.journeys.of_member(member_id, now.wall_at - COUPON_MS)
    orders = [one.order_id for one in reversed(steps) if one.step is ConversionStep.BOUGHT and one.order_id]
    return list(dict.fromkeys(orders))[:PURCHASES]


def _coupon_blocks(unit: Unit, order_id: str) -> list[LandingBlock]:
    order = unit.orders.get(order_id)
    page = landing_of(unit, order) if order else None
    return [one for one in page.blocks if one.kind is BlockKind.COUPON and one.code] if page else []


def _page_ends(unit: Unit, order_id: str) -> int | None:
    """Return until when the page that a purchase ended on holds, None for without an end."""
    shown = shown_now(unit, order_id)
    version = unit.landings.version(shown.slot, shown.number) if shown and shown.number else None
    return version.valid_to if version else None


def _coupon(block: LandingBlock, language: str, ends_at: int | None, now: Instant) -> Json:
    over = ends_at is not None and ends_at <= now.wall_at
    return {
        "code": block.code,
        "name": (block.title_en if language == "en" else "") or block.title,
        "state": "expired" if over else "granted",
        "ends_at": ends_at,
        "what": "coupon",
    }
