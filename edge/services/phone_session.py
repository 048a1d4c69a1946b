"""Sessions of phones: opened for nobody yet, signed in by the mini-program, found again by their token."""

from __future__ import annotations

import re
from dataclasses import replace

from edge.clock import Instant
from edge.errors import Invalid, Unavailable
from edge.members.conversion import ConversionStep, is_correlation
from edge.members.identity import Identity, IdentityKind
from edge.services.box import Box
from edge.services.identify_member import KnownMember, candidates, known_member, note_seen
from edge.services.phone_ports import ShopperLogin
from edge.services.phone_records import PhoneSession, hash_token
from edge.services.record_conversion import Details, record_conversion
from edge.services.records import Unit

#: A session is noted as seen once in so long.
SEEN_EVERY_MS = 3_600_000

#: The longest token that is looked up, and the largest scene value of a mini-program.
MAX_TOKEN = 64
MAX_SCENE = 99_999

LANGUAGES = ("zh", "en")

_TAP = re.compile(r"[A-Za-z0-9_-]{8,40}", re.ASCII)


def open_session(
    box: Box, language: str = "", correlation: str = "", scene: int = 0
) -> tuple[str, PhoneSession]:
    """Begin the session of a phone that is nobody yet; return its token, which is told once, and it.

    correlation: of the way that the phone is on; without one, or with what is none, a new id is given, and a
    way begins with its first step. scene: by what the mini-program was opened, 0 unknown.
    """
    now = box.clock.now()
    token, session = _new(box, language, correlation, scene, now)
    box.store.write(lambda unit: unit.phones.put(session))
    return token, session


def log_in(
    box: Box, code: str, token: str | None = None, language: str = "", correlation: str = "", scene: int = 0
) -> tuple[str, PhoneSession]:
    """Sign a phone in by a code of wx.login; return its token and its session.

    With the token of a session it is that session that signs in, and what it holds stays; a session that is
    somebody else's by now is left and a new one begun. Raises LoginRefused, Unavailable (also on a box
    without a mini-program) or Invalid for what is no code.
    """
    if box.mini_program is None:
        raise Unavailable("this box has no mini-program; set [mini_program]")
    shopper = box.mini_program.log_in(code)
    now = box.clock.now()
    fresh = _new(box, language, correlation, scene, now)
    way = correlation if is_correlation(correlation) else ""
    return box.store.write(lambda unit: _sign_in(unit, box, shopper, token or "", way, fresh, now))


def session_of(box: Box, token: str) -> PhoneSession | None:
    """Return the session of a token, None for one that is unknown or was not used for too long."""
    if not 0 < len(token) <= MAX_TOKEN:
        return None
    now = box.clock.now()
    hashed = hash_token(token)
    session = box.store.read(lambda unit: _living(unit, box, hashed, now))
    if session is not None and abs(now.wall_at - session.seen_at) >= SEEN_EVERY_MS:
        return box.store.write(lambda unit: _seen(unit, box, hashed, now))
    return session


def member_of_session(unit: Unit, box: Box, session: PhoneSession, now: Instant) -> KnownMember | None:
    """Return the member whose phone it is, None for nobody's. Only reads.

    By openid or by unionid; a browser that is nobody's may have joined as itself.
    """
    ways = (
        (IdentityKind.OPENID, session.openid),
        (IdentityKind.UNIONID, session.unionid),
        (IdentityKind.BROWSER, session.session_id),
    )
    for kind, value in ways:
        found = candidates(unit, Identity(kind, value)) if value else ()
        if found:
            return known_member(unit, found[0])
    return None


def note_identified(unit: Unit, box: Box, session: PhoneSession, now: Instant) -> None:
    """Record, once, that it is known who is on a phone's way: it is signed in and the way has begun."""
    way = unit.journeys.get(session.correlation) if session.signed_in and box.touch else None
    if way is None or unit.journeys.has(way.correlation, ConversionStep.IDENTIFIED):
        return
    member = member_of_session(unit, box, session, now)
    told = Details(member_id=member.member_id if member else "")
    record_conversion(unit, box, ConversionStep.IDENTIFIED, way.correlation, way.origin, now, told)


def busy_with(
    unit: Unit, session: PhoneSession, now: Instant, *, basket_id: str | None, order_id: str | None
) -> PhoneSession:
    """Write what a phone is busy with from now on; what happened to its session meanwhile stays."""
    present = unit.phones.get(session.session_id) or session
    changed = replace(present, basket_id=basket_id, order_id=order_id, seen_at=now.wall_at)
    unit.phones.put(changed)
    return changed


def first_tap(unit: Unit, session: PhoneSession, key: str, now: Instant) -> bool:
    """Return whether the tap with this key is done for the first time, and note it.

    Call it in the unit that does what the tap asks for. Raises Invalid for a key that is not 8 to 40 of
    A-Z a-z 0-9 _ -.
    """
    if not _TAP.fullmatch(key):
        raise Invalid("key must be 8 to 40 of A-Z a-z 0-9 _ -, made by the phone for each tap")
    return unit.phones.first_time(session.session_id, key, now.wall_at)


def take_way(box: Box, session: PhoneSession, way: str) -> PhoneSession:
    """Have a phone that came back by a code go on with that code's way; what is no way changes nothing."""
    if way == session.correlation or not is_correlation(way):
        return session

    def work(unit: Unit) -> PhoneSession:
        changed = replace(unit.phones.get(session.session_id) or session, correlation=way)
        unit.phones.put(changed)
        return changed

    return box.store.write(work)


def end_session(box: Box, session: PhoneSession) -> None:
    """Sign a phone out."""
    box.store.write(lambda unit: unit.phones.end(session.session_id))


def tidy_sessions(box: Box) -> int:
    """End sessions that were not used for too long, and the oldest of too many; return how many."""
    before = box.clock.now().wall_at - box.phone.session_ms
    return box.store.write(lambda unit: unit.phones.tidy(before, box.phone.most_sessions))


def _new(box: Box, language: str, correlation: str, scene: int, now: Instant) -> tuple[str, PhoneSession]:
    token = box.ids.new_token()
    session = PhoneSession(
        session_id=box.ids.new_id(),
        token_hash=hash_token(token),
        language=language if language in LANGUAGES else LANGUAGES[0],
        created_at=now.wall_at,
        seen_at=now.wall_at,
        correlation=correlation if is_correlation(correlation) else box.ids.new_token(),
        scene=scene if 0 <= scene <= MAX_SCENE else 0,
    )
    return token, session


def _sign_in(
    unit: Unit,
    box: Box,
    shopper: ShopperLogin,
    token: str,
    way: str,
    fresh: tuple[str, PhoneSession],
    now: Instant,
) -> tuple[str, PhoneSession]:
    known = _living(unit, box, hash_token(token), now) if token else None
    if known is None or known.openid not in ("", shopper.openid):
        token, known = fresh
    new = fresh[1]
    signed = replace(
        known,
        openid=shopper.openid,
        unionid=shopper.unionid or known.unionid,
        correlation=way or known.correlation,
        language=new.language,
        scene=new.scene or known.scene,
        seen_at=now.wall_at,
    )
    unit.phones.put(signed)
    note_identified(unit, box, signed, now)
    member = member_of_session(unit, box, signed, now)
    if member is not None:
        note_seen(unit, member.member_id, now)
    return token, signed


def _living(unit: Unit, box: Box, hashed: str, now: Instant) -> PhoneSession | None:
    session = unit.phones.by_token_hash(hashed)
    if session is None or now.wall_at - session.seen_at >= box.phone.session_ms:
        return None
    return session


def _seen(unit: Unit, box: Box, hashed: str, now: Instant) -> PhoneSession | None:
    session = _living(unit, box, hashed, now)
    if session is None:
        return None
    seen = replace(session, seen_at=now.wall_at)
    unit.phones.put(seen)
    return seen
