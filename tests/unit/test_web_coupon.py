"""A coupon's page on a phone: what it is worth, a plate typed once, what became of it."""

from __future__ import annotations

from typing import cast

import pytest
from flask.testing import FlaskClient

from edge.services.grant_validation import coupon_address, issue_coupons
from edge.web.changes import Changes
from edge.web.desk import Desk, WebSettings
from edge.web.factory import create_web
from edge.web.service_desk import ServiceDesk
from tests.unit.staff_client import OURS
from tests.unit.test_services_validation import HOUR, Place


class Phone:
    """A phone's browser at a box that gives out coupons."""

    def __init__(self) -> None:
        self.place = Place()
        box = self.place.box
        desk = ServiceDesk(box, None, Changes(), None, lambda place, scan: None)  # type: ignore[arg-type]
        self.client: FlaskClient = create_web(cast("Desk", desk), WebSettings()).test_client()
        self.code = issue_coupons(box, "t-drinks", HOUR, 24, 1, "boss")[0].code

    def send(self, plate: str, code: str = "") -> str:
        to = f"/phone/c/{code or self.code}?language=en"
        form = {"plate": plate}
        return self.client.post(to, data=form, headers=OURS, follow_redirects=True).get_data(as_text=True)


@pytest.fixture
def phone() -> Phone:
    return Phone()


def test_a_plate_is_validated_once_and_shown_masked(phone: Phone) -> None:
    stay = phone.place.come(minutes_ago=90)
    page = phone.client.get(f"/phone/c/{phone.code}?language=en").get_data(as_text=True)
    assert "Parking coupon · 饮料店" in page
    assert 'data-coupon="open"' in page
    assert "no plate" in phone.send("粤B1")
    done = phone.send("粤b 12345")
    assert "Parking validated: 1 h · 粤B·123··" in done
    assert "粤B12345" not in done
    assert len(phone.place.off(stay)) == 1
    assert "another car" in phone.send("粤B99999")
    phone.place.go(stay)
    used = phone.client.get(f"/phone/c/{phone.code}?language=en").get_data(as_text=True)
    assert 'data-coupon="used"' in used


def test_one_that_is_over_says_so_and_an_unknown_one_is_not_found(phone: Phone) -> None:
    phone.place.wait(25 * 3_600_000)
    page = phone.client.get(f"/phone/c/{phone.code}").get_data(as_text=True)
    assert 'data-coupon="over"' in page
    assert phone.client.get("/phone/c/NOPE").status_code == 404
    assert phone.client.get(f"/phone/c/{'A' * 50}").status_code == 404


def test_its_code_leads_to_the_page_where_there_is_a_public_address(phone: Phone) -> None:
    coupon = issue_coupons(phone.place.box, "t-drinks", HOUR, 24, 1, "boss")[0]
    assert coupon_address(phone.place.box, coupon) == f"https://mall.example/phone/c/{coupon.code}"
