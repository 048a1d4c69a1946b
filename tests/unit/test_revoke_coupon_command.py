"""HQ revokes a parking coupon: once in effect, refused where it cannot be."""

from __future__ import annotations

import pytest

from edge.services.command_records import CommandState
from edge.services.grant_validation import issue_coupons, validate_by_coupon
from edge.services.obey_command import Command, Means, Obeyed, obey_command
from tests.unit.test_services_validation import CAR, HOUR, Place

MEANS = Means(lambda command_id: {})


@pytest.fixture
def place() -> Place:
    return Place()


def revoke(place: Place, code: str, command_id: str = "cmd-1", reason: str = "misprint") -> Obeyed:
    at = place.ports.clock.now().wall_at
    arguments = {"code": code, "reason": reason}
    command = Command(command_id, "revoke_coupon", "Ms Li", at, at + 30_000, arguments)
    return obey_command(place.box, MEANS, command)


def test_a_coupon_and_what_it_granted_are_taken_back_once(place: Place) -> None:
    stay = place.come(minutes_ago=90)
    coupon = issue_coupons(place.box, "t-drinks", HOUR, 24, 1, "boss")[0]
    validate_by_coupon(place.box, coupon.code, CAR)
    done = revoke(place, coupon.code)
    assert (done.record.state, done.record.result) == (CommandState.DONE, f'{{"code": "{coupon.code}"}}')
    assert revoke(place, coupon.code).repeated
    assert place.off(stay) == []
    told = place.event_data("validation.revoked")
    assert (told["ended_by"], told["reason"]) == ("HQ: Ms Li", "misprint")


def test_one_whose_car_has_left_and_an_unknown_one_are_refused(place: Place) -> None:
    stay = place.come(minutes_ago=90)
    coupon = issue_coupons(place.box, "t-drinks", HOUR, 24, 1, "boss")[0]
    validate_by_coupon(place.box, coupon.code, CAR)
    place.go(stay)
    assert revoke(place, coupon.code).record.reason == "used"
    assert revoke(place, "NOPE", "cmd-2").record.reason == "no_coupon"
    assert revoke(place, coupon.code, "cmd-3", reason="").record.state is CommandState.REFUSED
