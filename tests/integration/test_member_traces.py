"""Two members become one everywhere, and of one who is erased nothing is left in the database's file."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from edge.errors import Declined
from edge.members.conversion import ConversionStep
from edge.members.guide_task import GuideTask, TaskKind
from edge.members.identity import Identity, IdentityKind, phone_tail, read_identity
from edge.members.landing_version import LandingSlot
from edge.members.member_snapshot import Member, phone_hmac, plate_hmac
from edge.members.touchpoint import Guide, build_book
from edge.parking.benefit import BenefitKind
from edge.parking.observation import PlateRead
from edge.parking.passage import PassageState
from edge.parking.session import SessionState
from edge.parking.validation import Grant, Holder, SourceKind, Validation, ValidationState
from edge.retail.order import Order
from edge.services.change_basket import start
from edge.services.change_consent import bind_plate
from edge.services.charge_stay import charge_stay
from edge.services.erase_member import erase_member
from edge.services.identify_member import known_member, order_member
from edge.services.join_member import JoinAsk, join
from edge.services.landing_records import ShownLanding
from edge.services.member_rules import MemberRules
from edge.services.merge_members import merge_members
from edge.services.offer_landing import shopper_key
from edge.services.people_records import CircleNotice
from edge.services.phone_records import PhoneSession
from edge.services.records import Unit
from edge.services.staff import StaffMember
from edge.services.touch_rules import TouchRules
from edge.services.validation_records import Claim
from edge.store.sqlite_store import SqliteStore
from sim.fakes.box import COLA, KIOSK, FakePorts
from sim.fakes.gateway import Shopper
from sim.fakes.store import FakeStore
from tests.unit.garage import Garage
from tests.unit.lane_samples import PASSAGE

KEY = b"a key of sixteen"
PHONE, CARD, PLATE = "13800138000", "8800123456", "粤B77778"
OPENID, UNIONID = "oOpenidOfAnne", "uUnionidOfAnne"
BOSS = StaffMember("李", "supervisor", "")
LI = Guide("li", "李", "Li", "t-drinks", 50)

#: Columns by whose name one could think of a person, and what becomes of them; a new one is decided on here.
DECIDED = {
    "members": "blanked until HQ's next snapshot",
    "member_keys": "deleted",
    "member_trash": "rows that are tidied by themselves",
    "people": "the bare number stays, for the books",
    "person_identities": "deleted",
    "person_merges": "the audit: bare numbers",
    "consents": "proof under the bare number",
    "person_plates": "deleted",
    "person_notes": "the audit of staff's doings, under the bare number",
    "points_leases": "the books: the bare number",
    "points_entries": "the books: the bare number",
    "points_balances": "the books: the bare number",
    "circle_notices": "deleted",
    "journeys": "whose they are is forgotten",
    "conversions": "whose they are is forgotten",
    "attributions": "whose they are is forgotten",
    "member_lives": "deleted",
    "guide_tasks": "deleted while they wait, else forgotten whose they were",
    "parking_claims": "deleted without an order, else under an alias",
    "parking_purchases": "under an alias",
    "validations": "under an alias",
    "landing_shown": "forgotten whose it was",
    "tickets": "forgotten whose they were",
    "attempts": "payer and openid are deleted",
    "phone_sessions": "deleted",
    "phone_orders": "the openid is deleted",
    "phone_notices": "the openid is deleted",
    "sessions": "the plate of a stay that is over is deleted",
    "plates_inside": "a car that is inside keeps its plate",
    "plate_reads": "deleted with the past stays",
    "passages": "deleted with the past stays",
    "plate_corrections": "deleted with the past stays",
    "debts": "kept while open",
    "reservations": "kept while booked",
    "pass_plates": "a contract of its own",
    "plate_blocks": "the car park's own list",
    "plate_list_entries": "HQ's list",
    "parking_passes": "a contract of its own",
}


@pytest.fixture(params=["fake", "sqlite"])
def garage(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Garage]:
    store = FakeStore() if request.param == "fake" else SqliteStore(tmp_path / "edge.db", 1)
    made = Garage(ports=FakePorts(store=store))
    made.box = replace(
        made.box, members=MemberRules(key=KEY), touch=TouchRules(build_book([], [LI], (KIOSK,)))
    )
    yield made
    store.close()


def identities() -> tuple[Identity, ...]:
    return (
        Identity(IdentityKind.OPENID, OPENID),
        Identity(IdentityKind.UNIONID, UNIONID),
        read_identity(IdentityKind.PHONE, PHONE, KEY),
        Identity(IdentityKind.CARD, CARD),
    )


def buy(garage: Garage, member: str, plate: str = "", openid: str = "other") -> Order:
    order = garage.order_of(COLA)
    claim = Claim(order.basket_id, Holder(plate=plate, member_id=member), 1)
    garage.box.store.write(lambda unit: unit.validations.put_claim(claim))
    code = garage.code()
    garage.ports.gateway.show_code(code, Shopper(openid, 100_000))
    garage.pay(code)
    garage.wait(60_000)
    return garage.stored_order(order.order_id)


def fill(garage: Garage, member: str, order: Order) -> None:
    """Put something of the member wherever something of a member can be."""
    at = garage.ports.clock.now().wall_at
    plate = plate_hmac(KEY, PLATE)
    grant = Grant(BenefitKind.MINUTES, 60)
    holder = Holder(plate=PLATE, member_id=member)
    task = GuideTask("task-1", TaskKind.REPLENISH, member, "li", "t-drinks", order.order_id, at, at + 9)
    done = replace(
        garage.stay(garage.come(PLATE, session_id="stay-8")),
        state=SessionState.LEFT,
        left_at=at,
        exit_lane="out-1",
    )
    passage = replace(
        PASSAGE, plate=PLATE, session_id=done.session_id, state=PassageState.CLOSED, ended_at=at
    )

    def work(unit: Unit) -> None:
        unit.validations.put(
            Validation("val-1", holder, grant, "", SourceKind.SPEND, "s-1", at, at + 9, "2026-11-22",
                       order_id=order.order_id, shopper=holder.key)
        )  # fmt: skip
        unit.guide_tasks.put(task)
        unit.points.put_notice(CircleNotice("tx-1", order.order_id, OPENID, 3, at, at))
        unit.landings.put_shown(
            ShownLanding("order-x", LandingSlot(""), 0, "A", shopper_key("member", member), at)
        )
        unit.phones.put(
            PhoneSession("ps-1", "a" * 64, "zh", at, at, OPENID, UNIONID, order_id=order.order_id)
        )
        unit.plate_reads.put(PlateRead("read-1", "in-1", "cam", "k-1", PLATE, at, at))
        unit.passages.put(passage)

    bind(garage, member)
    charge_stay(garage.box, done.session_id, KIOSK)
    garage.pay(garage.code())
    garage.box.store.write(work)
    garage.box.store.write(lambda unit: unit.sessions.put(done))
    garage.scan(CARD)
    start(garage.box, KIOSK)
    told = Member(member, CARD, "gold", 10, 1, phone_hmac(KEY, PHONE), phone_tail(PHONE), (plate,))
    garage.box.store.write(lambda unit: tell_members(unit, told))


def bind(garage: Garage, member: str) -> None:
    now = garage.ports.clock.now()
    garage.box.store.write(lambda unit: bind_plate(unit, garage.box, member, PLATE, "1", "phone", now))


def tell_members(unit: Unit, *members: Member) -> None:
    started = unit.members.intake.begin("t")
    unit.members.intake.stage(started.number, "", members, None)
    rows = unit.members.intake.rows(started.number, started.first_row, 100)
    unit.members.intake.put_keys(started.number, sorted((key, row) for row, keys in rows for key in keys))
    unit.members.intake.finish(started.number)


def test_of_an_erased_member_nothing_is_left_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "edge.db"
    store = SqliteStore(path, 1)
    garage = Garage(ports=FakePorts(store=store))
    garage.box = replace(
        garage.box, members=MemberRules(key=KEY), touch=TouchRules(build_book([], [LI], (KIOSK,)))
    )
    member = join(garage.box, JoinAsk(identities(), "ws.kiosk-1", "1", phone_tail(PHONE))).member_id
    order = buy(garage, member, PLATE, OPENID)
    fill(garage, member, order)
    assert {PLATE, OPENID, UNIONID, CARD} <= found_in(path, PLATE, OPENID, UNIONID, CARD)
    erase_member(garage.box, member, BOSS, "their wish")
    # What waits for HQ is HQ's once it has said so.
    garage.box.store.write(lambda unit: unit.outbox.acknowledge(unit.outbox.next_sequence() - 1, (), 1))
    store.close()
    with sqlite3.connect(path) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    hashes = (phone_hmac(KEY, PHONE), plate_hmac(KEY, PLATE))
    assert found_in(path, PLATE, OPENID, UNIONID, CARD, PHONE, *hashes) == set()


def test_the_books_outlive_an_erased_member(garage: Garage) -> None:
    member = join(garage.box, JoinAsk(identities(), "ws.kiosk-1", "1")).member_id
    order = buy(garage, member, PLATE)
    fill(garage, member, order)
    balances = garage.balances()
    erase_member(garage.box, member, BOSS, "their wish")

    def query(unit: Unit) -> tuple[object, ...]:
        (validation,) = [one for one in (unit.validations.get("val-1"),) if one]
        return (
            order_member(unit, order.order_id),
            unit.journeys.of_member(member, 0),
            unit.guide_tasks.life(member),
            unit.guide_tasks.get("task-1"),
            validation.state,
            validation.holder.member_id,
            unit.phones.get("ps-1"),
            unit.points.notice("tx-1"),
        )

    found = garage.box.store.read(query)
    assert found == ("", (), None, None, ValidationState.GRANTED, "", None, None)
    assert garage.balances() == balances
    (payment,) = garage.attempts(order.order_id)
    assert payment.payer != OPENID
    sale = garage.box.store.read(lambda unit: unit.credits.get(order.order_id))
    assert sale is not None
    assert sale.member_id == ""
    way = garage.box.store.read(lambda unit: unit.journeys.steps(sale.correlation))
    assert ConversionStep.BOUGHT in {one.step for one in way}
    assert {one.member_id for one in way} == {""}


def test_a_car_that_is_inside_keeps_what_was_promised_when_its_owner_is_erased(garage: Garage) -> None:
    member = join(garage.box, JoinAsk(identities(), "ws.kiosk-1", "1")).member_id
    stay = garage.come(PLATE, session_id="stay-7")
    holder = Holder(plate=PLATE, member_id=member)
    one = Validation(
        "val-1", holder, Grant(BenefitKind.MINUTES, 60), "", SourceKind.SPEND, "s-1", 1, 9**15, "2026-11-22"
    )
    garage.box.store.write(lambda unit: unit.validations.put(one))
    erase_member(garage.box, member, BOSS, "their wish")
    held = garage.box.store.read(lambda unit: unit.validations.open_of(Holder(stay)))
    assert [each.validation_id for each in held] == ["val-1"]
    assert PLATE not in repr(held)
    assert garage.stay(stay).plate == PLATE


def test_who_is_paying_just_now_is_not_erased(garage: Garage) -> None:
    member = join(garage.box, JoinAsk(identities(), "ws.kiosk-1", "1")).member_id
    order = buy(garage, member, "", OPENID)
    (payment,) = garage.attempts(order.order_id)
    again = replace(payment, attempt_id="a-2", merchant_order_no="n-2", state=type(payment.state).UNKNOWN,
                    closed_at=None)  # fmt: skip
    garage.box.store.write(lambda unit: unit.attempts.put(again))
    with pytest.raises(Declined, match="still open"):
        erase_member(garage.box, member, BOSS, "their wish")
    assert garage.box.store.read(lambda unit: known_member(unit, member)) is not None


def test_two_members_become_one_in_ways_credits_tasks_parking_and_pages(garage: Garage) -> None:
    first = join(garage.box, JoinAsk((Identity(IdentityKind.OPENID, OPENID),), "ws.kiosk-1", "1")).member_id
    other = join(garage.box, JoinAsk((Identity(IdentityKind.CARD, CARD),), "ws.kiosk-1", "1")).member_id
    orders = [buy(garage, first), buy(garage, other, PLATE)]
    fill(garage, other, orders[1])
    now = garage.ports.clock.now()

    def merge(unit: Unit) -> str:
        return merge_members(unit, garage.box, first, other, "card", "service", now)

    into = garage.box.store.write(merge)
    gone = other if into == first else first

    def check(unit: Unit) -> None:
        assert [order_member(unit, one.order_id) for one in orders] == [into, into]
        sales = [unit.credits.get(one.order_id) for one in orders]
        assert {one.member_id for one in sales if one} == {into}
        steps = unit.journeys.of_member(into, 0)
        assert {one.order_id for one in orders} <= {one.order_id for one in steps}
        assert unit.journeys.of_member(gone, 0) == ()
        life = unit.guide_tasks.life(into)
        assert life is not None
        assert (life.purchases, life.last_order) == (2, orders[1].order_id)
        assert unit.guide_tasks.life(gone) is None
        assert [one.task_id for one in unit.guide_tasks.waiting_of(into)] == ["task-1"]
        assert unit.landings.assigned(LandingSlot(""), 0, shopper_key("member", into)) == "A"
        (held,) = unit.validations.of_order(orders[1].order_id)
        assert held.holder == Holder(plate=PLATE, member_id=into)
        assert [one.absorbed_id for one in unit.people.merges(into)] == [gone]

    garage.box.store.read(check)


def test_each_table_that_may_name_a_member_is_decided_on(tmp_path: Path) -> None:
    SqliteStore(tmp_path / "edge.db", 1).close()
    with sqlite3.connect(tmp_path / "edge.db") as database:
        tables = [row[0] for row in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        columns = {
            table: {row[1] for row in database.execute(f"PRAGMA table_info({table})")} for table in tables
        }
    words = {"member_id", "openid", "unionid", "payer", "phone", "phone_tail", "plate", "shopper", "holder",
             "plate_hmac", "card"}  # fmt: skip
    named = {table for table, found in columns.items() if found & words}
    assert named - set(DECIDED) == set()


def found_in(path: Path, *values: str) -> set[str]:
    content = b"".join(each.read_bytes() for each in path.parent.iterdir() if each.is_file())
    found = set()
    for value in values:
        spellings = {value.encode(), value.encode("unicode_escape")}
        if len(value) == 32:
            spellings.add(bytes.fromhex(value))
        found |= {value for one in spellings if one in content}
    return found
