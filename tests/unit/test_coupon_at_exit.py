"""A driver shows a coupon to the exit's scanner: the fee falls, and the gate opens when nothing is due."""

from __future__ import annotations

from devices.types import Scan
from edge.parking.benefit import BenefitKind
from edge.parking.validation import Grant, Holder
from edge.services.grant_validation import coupon_text, issue_coupons, validate_by_coupon
from edge.services.receive_scan import receive_scan
from edge.services.show_screen import show_screen
from tests.unit.lane_rig import PAY_STATION
from tests.unit.test_services_pay_at_exit import Exit, parked

HOUR = Grant(BenefitKind.MINUTES, 60, label="1 小时", label_en="1 h")
FREE = Grant(BenefitKind.ALL, label="全免", label_en="free")


def show(rig: Exit, grant: Grant) -> str:
    """Hold a fresh coupon before the lane's scanner; return what became of it."""
    coupon = issue_coupons(rig.box, "t-tea", grant, 24, 1, "boss")[0]
    text = coupon_text(coupon)
    scan = Scan("lane", text.encode(), text, None, rig.now.boottime_ns, None)
    return receive_scan(rig.box, PAY_STATION, scan).outcome


def due(rig: Exit) -> int:
    order = show_screen(rig.box, PAY_STATION)["order"]
    assert isinstance(order, dict)
    return int(order["due_fen"])


def test_a_coupon_for_an_hour_lowers_the_fee_on_the_screen_and_the_rest_opens_the_gate() -> None:
    rig = parked(minutes=90)
    before = due(rig)
    assert show(rig, HOUR) == "parking_validated"
    assert 0 < due(rig) < before
    assert rig.opened() == 0
    rig.pay()
    assert rig.opened() == 1


def test_a_coupon_for_all_of_it_opens_the_gate_once() -> None:
    rig = parked(minutes=90)
    assert show(rig, FREE) == "parking_validated"
    assert rig.opened() == 1
    assert rig.opened() == 1
    assert rig.screen() == "attract"


def test_a_coupon_of_another_car_changes_nothing() -> None:
    rig = parked(minutes=90)
    before = due(rig)
    coupon = issue_coupons(rig.box, "t-tea", FREE, 24, 1, "boss")[0]
    validate_by_coupon(rig.box, coupon.code, Holder(plate="粤B99999"))
    text = coupon_text(coupon)
    scan = Scan("lane", text.encode(), text, None, rig.now.boottime_ns, None)
    assert receive_scan(rig.box, PAY_STATION, scan).outcome == "parking_refused"
    assert (due(rig), rig.opened()) == (before, 0)
