"""Members join, are found, become one, agree, are handed out their data and are erased."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

import pytest

from edge.errors import Declined, Invalid
from edge.members.consent import ConsentPurpose
from edge.members.identity import Identity, IdentityKind, phone_tail, read_identity
from edge.members.member import ProfileState, with_tag
from edge.members.member_snapshot import Member, phone_hmac
from edge.services.change_consent import bind_plate, give_consent, may, unbind_plate, withdraw_consent
from edge.services.erase_member import erase_member, export_member, forget_unseen
from edge.services.identify_member import KnownMember, identify, known_member, member_view, plate_members
from edge.services.join_member import JoinAsk, join
from edge.services.member_rules import MemberRules
from edge.services.merge_members import merge_by_hq
from edge.services.records import Unit
from edge.services.staff import StaffMember
from tests.unit.shop import Shop

T = TypeVar("T")
KEY = b"a key of sixteen"
PHONE = "13800138000"
PLATE = "粤B12345"
OPENID = Identity(IdentityKind.OPENID, "o-abcdef")
UNIONID = Identity(IdentityKind.UNIONID, "u-abcdef")
BOSS = StaffMember("李", "supervisor", "")


@pytest.fixture
def shop() -> Shop:
    shop = Shop()
    shop.box = replace(shop.box, members=MemberRules(key=KEY, keep_days=10))
    return shop


def phone(text: str = PHONE) -> Identity:
    return read_identity(IdentityKind.PHONE, text, KEY)


def ask(*identities: Identity, tail: str = "") -> JoinAsk:
    return JoinAsk(identities, "kiosk-1", "2026-1", tail)


def do(shop: Shop, work: Callable[[Unit], T]) -> T:
    return shop.box.store.write(work)


def find(shop: Shop, identity: Identity) -> KnownMember | None:
    return do(shop, lambda unit: identify(unit, shop.box, identity, shop.box.clock.now()))


def bind(shop: Shop, member_id: str, plate: str) -> None:
    now = shop.box.clock.now()
    do(shop, lambda unit: bind_plate(unit, shop.box, member_id, plate, "1", "phone", now))


def told(shop: Shop, kind: str) -> list[dict[str, Any]]:
    rows = shop.box.store.read(lambda unit: unit.outbox.window(0, 1_000))
    bodies = [json.loads(row.body) for row in rows]
    return [one["data"] for one in bodies if one["type"] == f"cn.mall.{kind}.v1"]


def import_members(shop: Shop, *members: Member) -> None:
    def work(unit: Unit) -> None:
        started = unit.members.intake.begin("t")
        unit.members.intake.stage(started.number, "", members, None)
        rows = unit.members.intake.rows(started.number, started.first_row, 100)
        keys = sorted((key, row) for row, all_keys in rows for key in all_keys)
        unit.members.intake.put_keys(started.number, keys)
        unit.members.intake.finish(started.number)

    do(shop, work)


def test_joining_needs_no_hq_and_is_told_without_a_number_or_an_openid(shop: Shop) -> None:
    known = join(shop.box, ask(OPENID, phone(), tail=phone_tail(PHONE)))
    assert known.provisional
    assert known.phone_tail == "8000"
    assert join(shop.box, ask(OPENID)) == known
    (event,) = told(shop, "member.joined")
    assert event["member_id"] == known.member_id
    assert {one["kind"] for one in event["identities"]} == {"openid", "phone"}
    assert event["identities"][1]["hmac"] == phone_hmac(KEY, PHONE)
    assert OPENID.value not in json.dumps(event)
    assert PHONE not in json.dumps(event)


def test_a_join_needs_an_identity_and_a_consent(shop: Shop) -> None:
    with pytest.raises(Invalid, match="identities"):
        join(shop.box, ask())
    with pytest.raises(Invalid, match="version"):
        join(shop.box, replace(ask(OPENID), consent_version=""))
    assert told(shop, "member.joined") == []


def test_identities_of_two_members_make_one_of_them_with_an_audit(shop: Shop) -> None:
    first, second = join(shop.box, ask(OPENID)), join(shop.box, ask(phone()))
    assert first.member_id != second.member_id
    one = join(shop.box, ask(UNIONID, OPENID, phone()))
    assert one.member_id == min(first.member_id, second.member_id)
    for identity in (OPENID, UNIONID, phone()):
        found = find(shop, identity)
        assert found is not None
        assert found.member_id == one.member_id
    (event,) = told(shop, "member.merged")
    assert {event["member_id"], event["absorbed_id"]} == {first.member_id, second.member_id}
    assert event["why"] == "phone"


def test_one_whom_hq_knows_by_phone_or_card_keeps_hqs_number(shop: Shop) -> None:
    import_members(shop, Member("m-1", "8800123", "gold", 500, 1, phone_hmac(KEY, PHONE), "8000"))
    provisional = join(shop.box, ask(OPENID))
    one = join(shop.box, ask(OPENID, phone()))
    assert (one.member_id, one.tier, one.points, one.provisional) == ("m-1", "gold", 500, False)
    assert known_of(shop, provisional.member_id) == one
    card = read_identity(IdentityKind.CARD, "8800123")
    assert do(shop, lambda unit: identify(unit, shop.box, card, shop.box.clock.now())) == one
    view = do(shop, lambda unit: member_view(unit, "m-1"))
    assert view is not None
    assert view["card"] == "•••0123"
    assert view["phone"] == "•••• 8000"


def known_of(shop: Shop, member_id: str) -> object:
    return shop.box.store.read(lambda unit: known_member(unit, member_id))


def test_hqs_answer_merges_the_provisional_member_once(shop: Shop) -> None:
    joined = join(shop.box, ask(OPENID))
    now = shop.box.clock.now()
    for _ in range(2):
        into = do(shop, lambda unit: merge_by_hq(unit, shop.box, joined.member_id, "m-9", "HQ", now))
        assert into == "m-9"
    known = known_of(shop, joined.member_id)
    assert known is not None
    assert known == known_of(shop, "m-9")
    assert known == replace(joined, member_id="m-9", provisional=False)
    assert len(told(shop, "member.merged")) == 1
    with pytest.raises(Invalid, match="does not know"):
        do(shop, lambda unit: merge_by_hq(unit, shop.box, "nobody", "m-9", "HQ", now))


def test_hq_may_keep_the_number_that_was_given_here(shop: Shop) -> None:
    joined = join(shop.box, ask(OPENID))
    now, same = shop.box.clock.now(), joined.member_id
    assert do(shop, lambda unit: merge_by_hq(unit, shop.box, same, same, "HQ", now)) == same
    assert known_of(shop, same) == replace(joined, provisional=False)


def test_a_plate_is_bound_with_consent_and_kept_as_a_hash(shop: Shop) -> None:
    member, now = join(shop.box, ask(OPENID)).member_id, shop.box.clock.now()
    bound = do(shop, lambda unit: bind_plate(unit, shop.box, member, "粤B·12345", "2026-1", "phone", now))
    assert do(shop, lambda unit: bind_plate(unit, shop.box, member, PLATE, "2026-1", "phone", now)) == bound
    assert bound.masked == "粤B·123··"
    assert shop.box.store.read(lambda unit: plate_members(unit, shop.box, PLATE)) == (member,)
    assert PLATE not in json.dumps(told(shop, "member.plate"))
    assert do(shop, lambda unit: unbind_plate(unit, shop.box, member, PLATE, now))
    assert not do(shop, lambda unit: unbind_plate(unit, shop.box, member, PLATE, now))
    assert shop.box.store.read(lambda unit: plate_members(unit, shop.box, PLATE)) == ()


def test_withdrawing_consent_unbinds_plates(shop: Shop) -> None:
    member, now = join(shop.box, ask(OPENID)).member_id, shop.box.clock.now()
    do(shop, lambda unit: bind_plate(unit, shop.box, member, PLATE, "1", "phone", now))
    do(shop, lambda unit: bind_plate(unit, shop.box, member, "粤A54321", "2", "phone", now))
    ended = do(shop, lambda unit: withdraw_consent(unit, shop.box, member, ConsentPurpose.PLATE, now))
    assert ended == 2
    assert shop.box.store.read(lambda unit: unit.people.plates(member)) == ()
    assert not shop.box.store.read(lambda unit: may(unit, member, ConsentPurpose.PLATE))
    assert shop.box.store.read(lambda unit: may(unit, member, ConsentPurpose.MEMBERSHIP))
    with pytest.raises(Declined, match="erased"):
        do(shop, lambda unit: withdraw_consent(unit, shop.box, member, ConsentPurpose.MEMBERSHIP, now))


def test_a_member_binds_so_many_plates_and_no_more(shop: Shop) -> None:
    member, now = join(shop.box, ask(OPENID)).member_id, shop.box.clock.now()
    for number in range(8):
        plate = f"粤B1234{number}"
        bind(shop, member, plate)
    with pytest.raises(Declined, match="8 plates"):
        do(shop, lambda unit: bind_plate(unit, shop.box, member, "粤B99999", "1", "phone", now))


def test_an_export_has_everything_and_nothing_unmasked(shop: Shop) -> None:
    member, now = join(shop.box, ask(OPENID, phone(), tail="8000")).member_id, shop.box.clock.now()
    do(shop, lambda unit: bind_plate(unit, shop.box, member, PLATE, "1", "phone", now))
    export = export_member(shop.box, member, "李")
    text = json.dumps(export, ensure_ascii=False)
    assert OPENID.value not in text
    assert PLATE not in text
    assert phone().value not in text
    assert {"consents", "plates", "points", "merged", "identities", "staff"} <= set(export)
    notes = shop.box.store.read(lambda unit: unit.people.notes(member, 9))
    assert [(one.action, one.by) for one in notes] == [("export", "李")]
    with pytest.raises(Invalid, match="no such member"):
        export_member(shop.box, "nobody", "李")


def test_an_erased_member_is_nobody_and_may_join_anew(shop: Shop) -> None:
    member, now = join(shop.box, ask(OPENID, phone(), tail="8000")).member_id, shop.box.clock.now()
    do(shop, lambda unit: give_consent(unit, shop.box, member, ConsentPurpose.MESSAGES, "1", "phone", now))
    with pytest.raises(Declined, match="supervisor"):
        erase_member(shop.box, member, StaffMember("王", "cashier", ""), "asked")
    with pytest.raises(Invalid, match="why"):
        erase_member(shop.box, member, BOSS, "  ")
    erase_member(shop.box, member, BOSS, "asked for it")
    assert known_of(shop, member) is None
    profile = shop.box.store.read(lambda unit: unit.people.profile(member))
    assert profile is not None
    assert (profile.state, profile.phone_tail) == (ProfileState.ERASED, "")
    assert not shop.box.store.read(lambda unit: may(unit, member, ConsentPurpose.MESSAGES))
    assert len(told(shop, "member.erased")) == 1
    with pytest.raises(Invalid, match="no such member"):
        erase_member(shop.box, member, BOSS, "again")
    assert join(shop.box, ask(OPENID)).member_id != member


def test_who_was_not_met_for_long_is_forgotten(shop: Shop) -> None:
    stays, goes = join(shop.box, ask(OPENID)).member_id, join(shop.box, ask(UNIONID)).member_id
    shop.wait(6 * 86_400_000)
    do(shop, lambda unit: identify(unit, shop.box, OPENID, shop.box.clock.now()))
    shop.wait(6 * 86_400_000)
    assert forget_unseen(shop.box) == 1
    assert forget_unseen(shop.box) == 0
    assert known_of(shop, goes) is None
    assert known_of(shop, stays) is not None
    shop.box = replace(shop.box, members=MemberRules(keep_days=0))
    shop.wait(10**11)
    assert forget_unseen(shop.box) == 0


@pytest.mark.parametrize(
    ("kind", "text", "key"),
    [
        (IdentityKind.PHONE, "12345", KEY),
        (IdentityKind.PHONE, PHONE, b""),
        (IdentityKind.CARD, "会员卡", KEY),
        (IdentityKind.OPENID, "a b", KEY),
    ],
)
def test_what_is_no_identity_is_refused_without_being_repeated(
    kind: IdentityKind, text: str, key: bytes
) -> None:
    with pytest.raises(Invalid) as caught:
        read_identity(kind, text, key)
    assert text not in str(caught.value)


def test_phones_are_the_same_however_they_are_written() -> None:
    assert phone("+86 138-0013-8000") == phone(PHONE)
    assert "1380" not in repr(phone())
    assert (phone().masked, OPENID.masked) == ("•••", "•••cdef")


def test_tags_are_few_and_plain(shop: Shop) -> None:
    member = join(shop.box, ask(OPENID)).member_id
    profile = shop.box.store.read(lambda unit: unit.people.profile(member))
    assert profile is not None
    assert with_tag(with_tag(profile, "vip"), "vip").tags == ("vip",)
    with pytest.raises(Invalid, match="tag"):
        with_tag(profile, "a b")
    for number in range(16):
        profile = with_tag(profile, f"t{number}")
    with pytest.raises(Invalid, match="16 tags"):
        with_tag(profile, "more")
