"""A guard grants free parking at the exit: the fee falls at once, and the gate opens when nothing is left."""

from __future__ import annotations

import pytest

from edge.errors import Declined, Invalid
from edge.parking.benefit import BenefitKind
from edge.services.grant_at_lane import ALL, grant_at_lane
from edge.services.pay_by_phone import begin_phone_payment
from edge.services.workstation import load
from tests.unit.lane_rig import IN, OUT, PAY_STATION, PLATE
from tests.unit.test_services_pay_at_exit import parked

BY, WHY = "李敏", "出口排队"


def test_an_hour_off_is_asked_for_less_at_once() -> None:
    rig = parked(minutes=90)
    assert rig.words() == (PLATE, "请缴费10元")
    done = grant_at_lane(rig.box, OUT, rig.here(OUT).passage_id, 60, BY, WHY)
    assert (done.grant.kind, done.grant.value, done.granted_by) == (BenefitKind.MINUTES, 60, BY)
    shown = rig.box.store.read(lambda unit: load(unit, rig.box, PAY_STATION))
    assert shown.order is not None
    assert shown.order.total_fen == 500
    assert rig.opened() == 0


def test_the_whole_fee_off_opens_once_and_nothing_is_asked() -> None:
    rig = parked()
    passage = rig.here(OUT).passage_id
    grant_at_lane(rig.box, OUT, passage, ALL, BY, WHY)
    assert rig.opened() == 1
    grant_at_lane(rig.box, OUT, passage, ALL, BY, WHY)
    assert rig.opened() == 1
    assert rig.screen() != "checkout"
    (told,) = rig.told("validation.granted")
    assert told["reference"] == WHY


def test_the_same_choice_for_the_same_vehicle_counts_once() -> None:
    rig = parked(minutes=150)
    passage = rig.here(OUT).passage_id
    first = grant_at_lane(rig.box, OUT, passage, 30, BY, WHY)
    assert grant_at_lane(rig.box, OUT, passage, 30, BY, WHY) == first
    assert grant_at_lane(rig.box, OUT, passage, 60, BY, WHY) != first


def test_what_cannot_be_granted_changes_nothing() -> None:
    rig = parked()
    passage = rig.here(OUT).passage_id
    for lane, which, minutes, by, why in (
        (OUT, passage, 45, BY, WHY),
        (OUT, passage, 60, "", WHY),
        (OUT, passage, 60, BY, " "),
        (OUT, "another", 60, BY, WHY),
        (IN, passage, 60, BY, WHY),
    ):
        with pytest.raises(Invalid):
            grant_at_lane(rig.box, lane, which, minutes, by, why)
    assert rig.words() == (PLATE, "请缴费10元")


def test_while_a_payment_is_on_its_way_nothing_is_granted() -> None:
    rig = parked()
    begin_phone_payment(rig.box, rig.stay().session_id)
    with pytest.raises(Declined, match="on its way"):
        grant_at_lane(rig.box, OUT, rig.here(OUT).passage_id, ALL, BY, WHY)
    granted = rig.told("validation.granted")
    assert granted == []
