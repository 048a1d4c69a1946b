"""What was spent pays the parking, through the use cases of the shop and the garage."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from edge.codes.house import HouseForm, HouseKind, build_house_code
from edge.errors import Declined, Invalid
from edge.members.member_snapshot import Member, plate_hmac
from edge.members.points import PointsLease
from edge.parking.benefit import BenefitKind
from edge.parking.quote import Quote, Settlement
from edge.parking.session import SessionState
from edge.parking.validation import Grant, Holder, Validation, ValidationState
from edge.parking.validation_qr import public_key_of
from edge.parking.validation_rule import (
    AtLimit,
    PointsPrice,
    Quota,
    QuotaPeriod,
    QuotaUnit,
    SpendStep,
    ValidationPlan,
    ValidationRule,
)
from edge.parking.validation_words import said
from edge.services.check_out import check_out, leave
from edge.services.claim_parking import claim_member, claim_nothing, claim_plate
from edge.services.grant_validation import (
    coupon_text,
    issue_coupons,
    issue_validation_qr,
    redeem_validation_qr,
    revoke_coupon,
    revoke_validation,
    validate_by_coupon,
    validate_by_guard,
    validate_by_points,
)
from edge.services.quote_session import quote_session
from edge.services.refund_order import RefundAsk, refund_order
from edge.services.session_benefits import benefits_of, expire_validations, use_validations
from edge.services.show_receipt import show_receipt
from edge.services.staff import StaffMember
from edge.services.take_cash import take_cash
from edge.services.validate_purchase import validate_by_receipt
from edge.store.sqlite_store import SqliteStore
from sim.fakes.box import BREAD, COLA, TILL, FakePorts
from tests.unit.garage import PLATE, Garage
from tests.unit.validation_samples import validation

HOUR = Grant(BenefitKind.MINUTES, 60, label="满10减1小时", label_en="1 h for 10")
RULE = ValidationRule("spend", (SpendStep(1_000, HOUR),), merchant="mall")
GOLD = ValidationRule("gold", (SpendStep(0, Grant(BenefitKind.AMOUNT, 200)),), tiers=("gold",))
KEY = b"k" * 16
BOSS = StaffMember("boss", "supervisor", "")
CAR = Holder(plate=PLATE)


class Place(Garage):
    """A garage whose shop validates."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.rule(RULE)

    def rule(self, *rules: ValidationRule, quotas: tuple[Quota, ...] = (), **changes: object) -> None:
        plan = ValidationPlan(rules, quotas=quotas)
        parking = replace(self.box.parking, validation=plan, plate_key=KEY, **changes)  # type: ignore[arg-type]
        self.box = replace(self.box, parking=parking)

    def buy(self, *goods: str, plate: str = PLATE) -> str:
        """Sell goods for cash at the till, for that plate; return the order."""
        self.scan_apart(*goods, place=TILL)
        if plate:
            claim_plate(self.box, TILL, plate)
        check_out(self.box, TILL)
        order = self.order(TILL)
        take_cash(self.box, TILL, order.total_fen)
        return order.order_id

    def off(self, stay: str) -> list[tuple[BenefitKind, int]]:
        at = self.ports.clock.now().wall_at
        found = self.box.store.read(lambda unit: benefits_of(unit, self.box, self.stay(stay), at))
        return [(one.kind, one.value) for one in found]

    def quote(self, stay: str) -> Quote:
        at = self.ports.clock.now().wall_at
        return self.box.store.read(lambda unit: quote_session(unit, self.box, self.stay(stay), at))

    def go(self, stay: str) -> tuple[Validation, ...]:
        quote, now = self.quote(stay), self.ports.clock.now()
        return self.box.store.write(lambda unit: use_validations(unit, self.box, self.stay(stay), quote, now))

    def of(self, order_id: str) -> list[str]:
        rows = self.box.store.read(lambda unit: unit.validations.of_order(order_id))
        return [one.state.value for one in rows]

    def refund(self, order_id: str, number: str = "r-1", **what: object) -> None:
        ask = RefundAsk(number, order_id, TILL, "broken", **what)  # type: ignore[arg-type]
        refund_order(self.box, ask, "cashier", BOSS)

    def member(self, *plates: str, points: int = 0, tier: str = "gold") -> None:
        hashes = tuple(plate_hmac(KEY, plate) for plate in plates)
        one = Member("m-1", "8001", tier, points, 0, plate_hmacs=hashes)

        def work(unit) -> None:  # type: ignore[no-untyped-def]
            number = unit.members.intake.begin("t").number
            unit.members.intake.stage(number, "", [one], None)
            rows = unit.members.intake.rows(number, 0, 99)
            unit.members.intake.put_keys(number, sorted((key, row) for row, keys in rows for key in keys))
            unit.members.intake.finish(number)

        self.box.store.write(work)

    def lease(self, points: int) -> None:
        now = self.box.clock.now()
        lease = PointsLease("lease-1", "m-1", points, now.wall_at, now.wall_at + 30 * 86_400_000)
        self.box.store.write(lambda unit: unit.points.put_lease(lease))


@pytest.fixture
def place() -> Place:
    return Place()


def test_a_purchase_at_the_till_lowers_the_fee_at_the_gate(place: Place) -> None:
    stay = place.come(minutes_ago=90)
    assert place.quote(stay).due_fen == 1_000
    order = place.buy(BREAD, COLA)
    assert place.of(order) == ["granted"]
    assert place.off(stay) == [(BenefitKind.MINUTES, 60)]
    assert place.quote(stay).due_fen == 500
    assert place.ports.hq is not None


def test_a_car_whose_entry_was_read_late_or_corrected_still_finds_its_validation(place: Place) -> None:
    place.buy(BREAD, COLA)
    stay = place.come(minutes_ago=1)
    assert place.off(stay) == [(BenefitKind.MINUTES, 60)]
    assert place.off(place.come("粤B99999")) == []


def test_too_little_validates_nothing_and_no_car_is_no_claim(place: Place) -> None:
    assert place.of(place.buy(COLA)) == []
    place.scan_apart(BREAD, COLA, place=TILL)
    claim_nothing(place.box, TILL)
    check_out(place.box, TILL)
    order = place.order(TILL)
    take_cash(place.box, TILL, order.total_fen)
    assert place.of(order.order_id) == []


def test_after_payment_the_paid_screen_and_the_receipt_do_the_same_once(place: Place) -> None:
    order = place.buy(BREAD, COLA, plate="")
    assert place.of(order) == []
    claim_plate(place.box, TILL, "粤b 12345")
    receipt = place.receipt(order)
    assert receipt is not None
    again = validate_by_receipt(place.box, receipt.token, PLATE)
    assert [one.state for one in again.validations] == [ValidationState.GRANTED]
    assert place.of(order) == ["granted"]
    with pytest.raises(Declined, match="粤B·123··"):
        validate_by_receipt(place.box, receipt.token, "粤B99999")
    with pytest.raises(Declined, match="validated a car"):
        claim_nothing(place.box, TILL)
    with pytest.raises(Invalid, match="no such receipt"):
        validate_by_receipt(place.box, "nobody", PLATE)


def test_a_receipt_that_is_too_old_validates_nothing(place: Place) -> None:
    order = place.buy(BREAD, COLA, plate="")
    receipt = place.receipt(order)
    assert receipt is not None
    place.wait(25 * 3_600_000)
    late = validate_by_receipt(place.box, receipt.token, PLATE)
    assert late.validations == ()
    assert any("too late" in line for line in late.reasons)


def test_a_partial_refund_below_the_threshold_takes_it_back_and_the_fee_rises(place: Place) -> None:
    stay = place.come(minutes_ago=90)
    order = place.buy(BREAD, COLA)
    place.refund(order, amount_fen=100)
    assert place.of(order) == ["granted"]
    place.refund(order, "r-2", amount_fen=100)
    assert place.of(order) == ["revoked"]
    assert place.quote(stay).due_fen == 1_000
    assert place.event_data("validation.revoked")["ended_by"] == "service"


def test_what_the_car_left_with_is_not_taken_back(place: Place) -> None:
    stay = place.come(minutes_ago=90)
    order = place.buy(BREAD, COLA)
    used = place.go(stay)
    assert [(one.forgone_fen, one.state.value) for one in used] == [(500, "used")]
    assert place.go(stay) == ()
    place.refund(order)
    assert place.of(order) == ["used"]
    assert place.event_data("validation.used")["forgone_fen"] == 500


def test_a_members_card_validates_the_car_that_is_inside(place: Place) -> None:
    place.member("粤B11111", PLATE)
    stay = place.come(minutes_ago=90)
    place.scan_apart(BREAD, COLA, place=TILL)
    cars = claim_member(place.box, TILL, "8001")
    assert cars.plates == (PLATE,)
    check_out(place.box, TILL)
    take_cash(place.box, TILL, 1_150)
    assert (BenefitKind.MINUTES, 60) in place.off(stay)
    leave(place.box, TILL)
    place.scan_apart(BREAD, place=TILL)
    with pytest.raises(Invalid, match="does not know"):
        claim_member(place.box, TILL, "8002")


def test_a_member_without_a_car_inside_has_it_wait_for_the_first_that_comes(place: Place) -> None:
    place.member(PLATE)
    place.scan_apart(BREAD, COLA, place=TILL)
    assert claim_member(place.box, TILL, "8001").plates == ()
    check_out(place.box, TILL)
    take_cash(place.box, TILL, 1_150)
    assert place.off(place.come(minutes_ago=5)) == [(BenefitKind.MINUTES, 60)]
    assert place.off(place.come("粤B99999")) == []


def test_a_tier_lowers_the_fee_once_a_day_without_a_purchase(place: Place) -> None:
    place.rule(GOLD)
    place.member(PLATE)
    stay = place.come(minutes_ago=90)
    assert place.off(stay) == [(BenefitKind.AMOUNT, 200)]
    assert [one.forgone_fen for one in place.go(stay)] == [200]
    assert place.off(stay) == [(BenefitKind.AMOUNT, 200)]
    assert place.off(place.come(session_id="second")) == []


def test_a_merchants_coupon_serves_once_within_the_quota(place: Place) -> None:
    quota = Quota("t-tea", QuotaPeriod.DAY, QuotaUnit.COUNT, 1)
    place.rule(RULE, quotas=(quota,))
    first, second = issue_coupons(place.box, "t-tea", HOUR, 24, 2, "boss")
    assert coupon_text(first).startswith("CP")
    one = validate_by_coupon(place.box, first.code, CAR)
    assert validate_by_coupon(place.box, first.code, CAR) == one
    with pytest.raises(Declined, match="used for"):
        validate_by_coupon(place.box, first.code, Holder(plate="粤B99999"))
    with pytest.raises(Declined, match="are given away"):
        validate_by_coupon(place.box, second.code, CAR)
    with pytest.raises(Declined, match="are given away"):
        issue_coupons(place.box, "t-tea", HOUR, 24, 1, "boss")
    with pytest.raises(Invalid, match="not one of this box"):
        validate_by_coupon(place.box, "NOPE", CAR)
    with pytest.raises(Invalid, match="whose parking"):
        validate_by_coupon(place.box, second.code, Holder())


def test_at_the_limit_the_mall_bears_it_where_the_quota_says_so(place: Place) -> None:
    quota = Quota("mall", QuotaPeriod.MONTH, QuotaUnit.MINUTES, 60, AtLimit.MALL)
    place.rule(RULE, quotas=(quota,))
    place.buy(BREAD, COLA)
    leave(place.box, TILL)
    order = place.buy(BREAD, COLA, plate="粤B99999")
    rows = place.box.store.read(lambda unit: unit.validations.of_order(order))
    assert [one.merchant for one in rows] == [""]


def test_a_revoked_coupon_takes_its_validation_along_unless_that_is_used(place: Place) -> None:
    stay = place.come(minutes_ago=90)
    first, second = issue_coupons(place.box, "t-tea", HOUR, 24, 2, "boss")
    validate_by_coupon(place.box, first.code, CAR)
    now = place.ports.clock.now()

    def revoked(code: str) -> bool:
        return place.box.store.write(
            lambda unit: revoke_coupon(unit, place.box, code, "HQ: Li", "misprint", now)
        )

    assert revoked(first.code)
    assert place.off(stay) == []
    validate_by_coupon(place.box, second.code, CAR)
    place.go(stay)
    assert not revoked(second.code)
    third = issue_coupons(place.box, "t-tea", HOUR, 24, 1, "boss")[0]
    assert revoked(third.code)
    with pytest.raises(Declined, match="misprint"):
        validate_by_coupon(place.box, third.code, CAR)


def test_a_signed_code_of_another_box_serves_once(place: Place) -> None:
    key = b"s" * 32
    place.rule(RULE, qr_key=key, qr_keys={"edge-1": public_key_of(key)})
    text = issue_validation_qr(place.box, "t-tea", HOUR, 60, "K-7")
    one = redeem_validation_qr(place.box, text, CAR)
    assert (one.merchant, one.reference) == ("t-tea", "K-7")
    assert redeem_validation_qr(place.box, text, CAR) == one
    with pytest.raises(Declined, match="used for"):
        redeem_validation_qr(place.box, text, Holder(plate="粤B99999"))
    place.wait(3 * 3_600_000)
    with pytest.raises(Declined, match="over"):
        redeem_validation_qr(place.box, text, CAR)
    place.rule(RULE, qr_key=b"")
    with pytest.raises(Invalid, match="no key"):
        issue_validation_qr(place.box, "", HOUR, 60)


def test_points_buy_parking_until_they_are_spent(place: Place) -> None:
    place.rule(RULE, points=PointsPrice(100, HOUR))
    place.member(PLATE, points=150)
    place.lease(150)
    stay = place.come(minutes_ago=90)
    one = validate_by_points(place.box, "f-1", "m-1", CAR)
    assert validate_by_points(place.box, "f-1", "m-1", CAR) == one
    assert place.off(stay) == [(BenefitKind.MINUTES, 60)]
    with pytest.raises(Declined, match="50 can be spent"):
        validate_by_points(place.box, "f-2", "m-1", CAR)
    with pytest.raises(Invalid, match="no such member"):
        validate_by_points(place.box, "f-3", "m-9", CAR)
    place.rule(RULE, points=None)
    with pytest.raises(Invalid, match="not taken"):
        validate_by_points(place.box, "f-4", "m-1", CAR)
    for _ in range(2):
        revoke_validation(place.box, one.validation_id, "李", "given by mistake")
    place.rule(RULE, points=PointsPrice(100, HOUR))
    validate_by_points(place.box, "f-5", "m-1", CAR)
    with pytest.raises(Declined, match="50 can be spent"):
        validate_by_points(place.box, "f-6", "m-1", CAR)


def test_points_that_hq_has_not_set_aside_for_this_box_buy_no_parking(place: Place) -> None:
    place.rule(RULE, points=PointsPrice(100, HOUR))
    place.member(PLATE, points=1_000)
    with pytest.raises(Declined, match="0 can be spent"):
        validate_by_points(place.box, "f-1", "m-1", CAR)


def test_a_guard_grants_by_hand_with_a_reason_and_a_supervisor_takes_it_back(place: Place) -> None:
    stay = place.come(minutes_ago=90)
    one = validate_by_guard(place.box, "form-1", CAR, HOUR, "王", "flat tyre")
    assert validate_by_guard(place.box, "form-1", CAR, HOUR, "王", "flat tyre") == one
    assert place.off(stay) == [(BenefitKind.MINUTES, 60)]
    taken = revoke_validation(place.box, one.validation_id, "boss", "wrong car")
    assert revoke_validation(place.box, one.validation_id, "boss", "wrong car") == taken
    assert place.off(stay) == []
    with pytest.raises(Invalid, match="reason"):
        validate_by_guard(place.box, "form-2", CAR, HOUR, "王", " ")
    with pytest.raises(Invalid, match="no such validation"):
        revoke_validation(place.box, "v-none", "boss", "why")


def test_what_nobody_used_expires(place: Place) -> None:
    order = place.buy(BREAD, COLA)
    assert expire_validations(place.box) == 0
    place.wait(25 * 3_600_000)
    assert expire_validations(place.box) == 1
    assert place.of(order) == ["expired"]
    assert expire_validations(place.box) == 0


def scanned(place: Place, text: str) -> str:
    place.scan(text, TILL)
    place.wait(2_000)
    return str(place.notice(TILL))


def test_cards_coupons_and_codes_are_scanned_at_the_till(place: Place) -> None:
    key = b"s" * 32
    place.rule(RULE, qr_key=key, qr_keys={"edge-1": public_key_of(key)})
    place.member(PLATE)
    stay = place.come(minutes_ago=90)
    coupon, other = issue_coupons(place.box, "t-tea", HOUR, 24, 2, "boss")
    card = build_house_code(HouseForm(HouseKind.MEMBER, "MC"), "8001")
    assert scanned(place, coupon_text(coupon)) == "not_here"
    place.scan_apart(BREAD, COLA, place=TILL)
    assert scanned(place, coupon_text(coupon)) == "parking_whose"
    assert scanned(place, card) == "parking_claimed"
    assert scanned(place, coupon_text(coupon)) == "parking_validated"
    assert scanned(place, issue_validation_qr(place.box, "t-tea", HOUR, 60)) == "parking_validated"
    assert place.off(stay) == [(BenefitKind.MINUTES, 60)]
    assert scanned(place, "MV1.edge-1.forged.forged") == "parking_refused"
    revoke = place.ports.clock.now()
    place.box.store.write(lambda unit: revoke_coupon(unit, place.box, other.code, "HQ", "lost", revoke))
    assert scanned(place, coupon_text(other)) == "parking_refused"
    check_out(place.box, TILL)
    take_cash(place.box, TILL, 1_150)
    assert place.screen(TILL)["parking"]["plate"] == "粤B·123··"


def test_screens_papers_and_the_receipts_page_say_what_was_validated(place: Place) -> None:
    order = place.buy(BREAD, COLA)
    shown = place.screen(TILL)["parking"]
    assert (shown["counted"], [one["words"] for one in shown["validated"]]) == (True, ["1 小时"])
    assert place.print(TILL) == "printed"
    paper = "\n".join(place.papers(TILL))
    assert "已减免停车 1 小时 粤B·123··" in paper
    assert PLATE not in paper
    receipt = place.receipt(order)
    assert receipt is not None
    page = show_receipt(place.box, receipt.token)
    assert page is not None
    assert PLATE not in str(page["parking"])
    place.rule()
    assert place.screen(TILL)["parking"] is None


@pytest.mark.parametrize(
    ("grant", "zh", "en"),
    [
        (Grant(BenefitKind.MINUTES, 90), "1 小时 30 分钟", "1 h 30 min"),
        (Grant(BenefitKind.AMOUNT, 500), "5.00 元", "5.00 yuan"),
        (Grant(BenefitKind.ALL), "全免", "free"),
        (Grant(BenefitKind.PERMILLE, 505), "50.5%", "50.5%"),
        (Grant(BenefitKind.TARIFF, 0, "night", "夜间价", "night rate"), "夜间价", "night rate"),
    ],
)
def test_every_benefit_is_said_in_both_languages(grant: Grant, zh: str, en: str) -> None:
    one = validation(grant=grant)
    assert (said(one, "zh"), said(one, "en")) == (zh, en)


def pay(place: Place, stay: str, fen: int) -> None:
    at = place.ports.clock.now().wall_at
    one = Settlement(f"paid-{at}", stay, "o-park", fen, at, at)
    place.box.store.write(lambda unit: unit.settlements.put(one))


def test_a_refund_after_paying_at_the_station_makes_the_rest_due(place: Place) -> None:
    stay = place.come(minutes_ago=90)
    order = place.buy(BREAD, COLA)
    pay(place, stay, place.quote(stay).due_fen)
    assert place.quote(stay).due_fen == 0
    place.refund(order)
    assert place.quote(stay).due_fen == 500


def test_a_validation_that_ends_between_station_and_barrier_still_counts(place: Place) -> None:
    stay = place.come(minutes_ago=30)
    place.rule(replace(RULE, valid_h=1))
    place.buy(BREAD, COLA)
    place.wait(55 * 60_000)
    pay(place, stay, place.quote(stay).due_fen)
    place.wait(10 * 60_000)
    assert expire_validations(place.box) == 0
    assert place.quote(stay).due_fen == 0
    assert [one.state.value for one in place.go(stay)] == ["used"]


def test_quotas_hold_with_grants_at_the_same_time_on_the_real_store(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "edge.db", 1)
    place = Place(ports=FakePorts(store=store))
    place.rule(RULE, quotas=(Quota("t-tea", QuotaPeriod.DAY, QuotaUnit.MINUTES, 5 * 60),))
    coupons = issue_coupons(place.box, "t-tea", HOUR, 24, 20, "boss")
    granted: list[Validation] = []

    def redeem(number: int) -> None:
        for coupon in (coupons[number], coupons[19 - number]):
            with suppress(Declined):
                granted.append(validate_by_coupon(place.box, coupon.code, CAR))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(redeem, range(20)))
    assert len({one.validation_id for one in granted}) == 5
    tally = store.read(lambda unit: unit.validations.tally("t-tea", QuotaPeriod.DAY, granted[0].day))
    assert tally.minutes == 300
    store.close()


def test_a_car_that_turned_back_at_the_barrier_keeps_what_it_had_used(place: Place) -> None:
    stay = place.come(minutes_ago=90)
    place.buy(BREAD, COLA)
    assert len(place.go(stay)) == 1
    assert place.quote(stay).due_fen == 500
    guard = Grant(BenefitKind.ALL, label="全免", label_en="free")
    validate_by_guard(place.box, "form-1", CAR, guard, "王", "barrier broken")
    assert place.quote(stay).due_fen == 0
    left = replace(place.stay(stay), state=SessionState.LEFT, left_at=place.ports.clock.now().wall_at)
    place.box.store.write(lambda unit: unit.sessions.put(left))
    assert place.off(stay) == [(BenefitKind.MINUTES, 60)]
