"""What shoppers do with their own membership on their phone: join, say who they are, bind cars, leave.

A phone that signed in through the mini-program is its openid's. A browser proves nobody: it may join as
itself, as a provisional member. What it joined as becomes the member's whom the mini-program proves when
that opens the code on the browser's page, and the browser is nobody again: so a page in a browser never
shows what somebody else has, and who has a stranger open its code only gives away what it has.
"""

from __future__ import annotations

import base64
import hmac
from dataclasses import dataclass, replace
from uuid import UUID

from edge.clock import Instant
from edge.errors import Declined, Invalid, Unavailable
from edge.members.identity import Identity, IdentityKind, phone_tail, read_identity
from edge.members.touchpoint import TouchpointKind, touchpoint_id
from edge.retail.order import Order
from edge.services.box import Box
from edge.services.change_consent import bind_plate, end_binding
from edge.services.claim_purchase import Claimed, claim_purchase
from edge.services.erase_member import erase_own
from edge.services.identify_member import KnownMember, known_member
from edge.services.join_member import SERVICE, JoinAsk, join_member
from edge.services.merge_members import merge_members
from edge.services.phone_records import PhoneSession
from edge.services.phone_session import end_session, first_tap, member_of_session
from edge.services.records import Unit

#: How long the code lives by which the mini-program takes a browser's membership over.
LINK_MS = 600_000

_MAC_BYTES = 12


@dataclass(frozen=True, slots=True)
class JoinForm:
    """How somebody joins. receipt: the token of the purchase's page; order_id: of one that this phone paid.

    phone_code: of getPhoneNumber, "" as a rule. link: the code of a browser's page.
    """

    consent_version: str
    touchpoint: str = ""
    order_id: str = ""
    receipt: str = ""
    phone_code: str = ""
    link: str = ""


@dataclass(frozen=True, slots=True)
class Joined:
    """Who joined, and what their purchase brought."""

    member: KnownMember
    claimed: Claimed


def own_identities(session: PhoneSession) -> tuple[Identity, ...]:
    """Return by what a phone's session is known."""
    if not session.signed_in:
        return (Identity(IdentityKind.BROWSER, session.session_id),)
    unionid = (Identity(IdentityKind.UNIONID, session.unionid),) if session.unionid else ()
    return (Identity(IdentityKind.OPENID, session.openid), *unionid)


def join_own(box: Box, session: PhoneSession, form: JoinForm) -> Joined:
    """Make the phone's shopper a member, or find them; the purchase that led to it becomes theirs.

    Raises Invalid for a consent to texts that are not the present ones and for a code that is none, Declined
    for a code that is over; Unavailable or Declined when the phone number cannot be had.
    """
    check_texts(box, form.consent_version)
    identities = own_identities(session)
    tail = ""
    if form.phone_code:
        phone, tail = _phone(box, session, form.phone_code)
        identities = (*identities, phone)
    now = box.clock.now()
    linked = _linked(box, session, form.link, now) if form.link else None
    return box.store.write(lambda unit: _join(unit, box, session, form, (identities, linked, tail), now))


def add_phone(box: Box, session: PhoneSession, code: str) -> KnownMember:
    """Note the member's phone number, by a code of getPhoneNumber; whoever had it becomes the same member."""
    form = JoinForm(box.members.consent_version, phone_code=code)
    if box.store.read(lambda unit: member_of_session(unit, box, session, box.clock.now())) is None:
        raise Declined("join first; the phone number is never needed for that")
    return join_own(box, session, form).member


def bind_own_plate(
    box: Box, session: PhoneSession, plate: str, version: str, key: str, receipt: str = ""
) -> None:
    """Bind a plate with consent, once for each tap; a purchase that waits for a car validates its parking."""
    check_texts(box, version)
    now = box.clock.now()

    def work(unit: Unit) -> None:
        member = need_member(unit, box, session, now)
        if not first_tap(unit, session, key, now):
            return
        bind_plate(unit, box, member.member_id, plate, version, _channel(session), now)
        order = _bought(unit, session, "", receipt)
        if order is not None:
            _claim(unit, box, order, member.member_id, now)

    box.store.write(work)


def unbind_own_plate(box: Box, session: PhoneSession, plate_id: str) -> None:
    """Unbind one of the member's plates by its id; one that is not bound (any more) is left."""
    now = box.clock.now()

    def work(unit: Unit) -> None:
        member = need_member(unit, box, session, now)
        for one in unit.people.plates(member.member_id):
            if one.plate_hmac.startswith(plate_id) and len(plate_id) >= PLATE_ID:
                end_binding(unit, box, one, now)

    box.store.write(work)


#: Letters of a plate's hash by which its owner's pages name it.
PLATE_ID = 16


def erase_self(box: Box, session: PhoneSession) -> None:
    """Erase the member whose phone it is, and end the phone's session. Raises Declined as erase_own."""
    now = box.clock.now()
    member = box.store.read(lambda unit: need_member(unit, box, session, now))
    erase_own(box, member.member_id)
    end_session(box, session)


def need_member(unit: Unit, box: Box, session: PhoneSession, now: Instant) -> KnownMember:
    """Return whose phone it is; raise Declined for nobody's."""
    known = member_of_session(unit, box, session, now)
    if known is None:
        raise Declined("join first")
    return known


def check_texts(box: Box, version: str) -> None:
    """Raise Invalid unless the texts that were agreed to are the present ones."""
    if version != box.members.consent_version:
        raise Invalid("the texts have changed since; read them again")


def link_code(box: Box, session: PhoneSession, now: Instant) -> str:
    """Return the code by which the mini-program takes over what this browser joined as."""
    until_s = (now.wall_at + LINK_MS) // 1000
    told = UUID(session.session_id).bytes + until_s.to_bytes(4, "big")
    mac = hmac.digest(box.phone.key, b"link" + told, "sha256")[:_MAC_BYTES]
    return base64.urlsafe_b64encode(told + mac).rstrip(b"=").decode()


def _linked(box: Box, session: PhoneSession, code: str, now: Instant) -> Identity:
    """Return the browser's identity behind its code."""
    if not session.signed_in:
        raise Declined("open this code in WeChat: a browser proves nobody")
    try:
        raw = base64.urlsafe_b64decode(code[:64] + "=" * (-len(code) % 4))
    except ValueError:
        raw = b""
    told, mac = raw[:20], raw[20:]
    wanted = hmac.digest(box.phone.key, b"link" + told, "sha256")[:_MAC_BYTES]
    if len(told) != 20 or not box.phone.key or not hmac.compare_digest(mac, wanted):
        raise Invalid("this is no code of our page; load the page in the browser again")
    if now.wall_at // 1000 > int.from_bytes(told[16:], "big"):
        raise Declined("this code is over; load the page in the browser again")
    return Identity(IdentityKind.BROWSER, str(UUID(bytes=told[:16])))


def _phone(box: Box, session: PhoneSession, code: str) -> tuple[Identity, str]:
    if box.mini_program is None:
        raise Unavailable("this box has no mini-program; set [mini_program]")
    if not session.signed_in:
        raise Declined("only the mini-program can prove a phone number")
    number = box.mini_program.phone_number(code)
    return read_identity(IdentityKind.PHONE, number, box.members.key), phone_tail(number)


def _join(
    unit: Unit,
    box: Box,
    session: PhoneSession,
    form: JoinForm,
    proved: tuple[tuple[Identity, ...], Identity | None, str],
    now: Instant,
) -> Joined:
    identities, linked, tail = proved
    order = _bought(unit, session, form.order_id, form.receipt)
    ask = JoinAsk(
        identities=identities,
        touchpoint=_touchpoint(box, form, order),
        consent_version=form.consent_version,
        phone_tail=tail,
        order_id=order.order_id if order else "",
        correlation="" if order else session.correlation,
    )
    member = join_member(unit, box, ask, now)
    if tail:
        profile = unit.people.profile(member.member_id)
        if profile is not None and profile.phone_tail != tail:
            unit.people.put_profile(replace(profile, phone_tail=tail))
    if linked is not None:
        member = _take_over(unit, box, linked, member, now)
    claimed = _claim(unit, box, order, member.member_id, now) if order else Claimed()
    return Joined(member, claimed)


def _take_over(unit: Unit, box: Box, browser: Identity, member: KnownMember, now: Instant) -> KnownMember:
    gone = unit.people.by_identity(browser)
    if not gone:
        raise Declined("nobody joined in that browser, or it was taken over already")
    one = merge_members(unit, box, member.member_id, gone, browser.kind.value, SERVICE, now)
    unit.people.drop_identity(browser)
    return known_member(unit, one) or member


def _claim(unit: Unit, box: Box, order: Order, member_id: str, now: Instant) -> Claimed:
    try:
        return claim_purchase(unit, box, order, member_id, now)
    except Declined:
        # Nothing was written; joining and binding stand without it.
        return Claimed()


def _bought(unit: Unit, session: PhoneSession, order_id: str, receipt: str) -> Order | None:
    """Return the purchase of a receipt's token, or one that this phone paid."""
    if receipt:
        found = unit.receipts.by_token(receipt[:64])
        return unit.orders.get(found.order_id) if found else None
    if order_id and unit.phones.has_order(session, order_id):
        return unit.orders.get(order_id)
    return None


def _touchpoint(box: Box, form: JoinForm, order: Order | None) -> str:
    known = box.touch.book.find(form.touchpoint) if box.touch and form.touchpoint else None
    if known is not None:
        return known.touchpoint_id
    return touchpoint_id(TouchpointKind.RECEIPT, order.workstation) if order else "phone"


def _channel(session: PhoneSession) -> str:
    return "mini_program" if session.signed_in else "browser"
