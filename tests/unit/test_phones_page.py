"""What WeChat is still to be told about phones is seen on a page, in metrics and on the command line."""

from __future__ import annotations

import pytest

from edge.errors import Unavailable
from edge.services.hand_over_notices import tell_notices
from edge.services.pay_by_phone import begin_order_payment
from edge.services.phone_ports import NoticeRefused
from edge.services.show_phones import describe_phones, show_phones
from edge.web.staff_status import Insight, metrics_text
from sim.fakes.box import COLA
from tests.unit.phone_shop import PhoneShop
from tests.unit.staff_client import staff_client
from tests.unit.test_phone_orders import ME, params_of


@pytest.fixture
def shop() -> PhoneShop:
    shop = PhoneShop()
    shop.sign_in(ME)
    shop.open_phone()
    order = shop.order_of(COLA)
    shop.phones.pay_inside(params_of(begin_order_payment(shop.box, order.order_id, openid=ME)), ME)
    shop.resolve(6_000)
    return shop


def test_a_notice_that_could_not_be_told_is_seen_with_its_reason_until_it_is(shop: PhoneShop) -> None:
    shop.program.fail_next(Unavailable("weixin shipping info: not reached"))
    tell_notices(shop.box)
    page = staff_client(shop.box).get("/staff/phones").text
    assert "data-sessions>2<" in page
    assert "data-signed-in>1<" in page
    assert "data-waiting>1<" in page
    assert "Hand-over" in page
    assert "not reached" in page
    assert ME not in page
    shop.wait(20_000)
    tell_notices(shop.box)
    assert "Nothing is left" in staff_client(shop.box).get("/staff/phones").text


def test_a_refused_notice_is_seen_as_such(shop: PhoneShop) -> None:
    shop.program.fail_next(NoticeRefused("errcode 10060031", detail="10060031"))
    tell_notices(shop.box)
    page = staff_client(shop.box).get("/staff/phones").text
    assert "data-refused>1<" in page
    assert "WeChat refused it" in page


def test_the_command_line_says_the_same_without_openids(shop: PhoneShop) -> None:
    shop.program.fail_next(Unavailable("not reached"))
    tell_notices(shop.box)
    lines = describe_phones(shop.box.store.read(show_phones))
    assert lines[:2] == [
        "2 phones, 1 of them signed in",
        "1 notices wait to be told to WeChat, 0 were refused",
    ]
    assert "hand_over of order kiosk-1-0001, told 1 times" in lines[2]
    assert ME not in "\n".join(lines)


def test_the_metrics_count_them(shop: PhoneShop) -> None:
    insight = Insight(lambda: (), lambda: (), lambda: (), "test")
    text = metrics_text(shop.box, insight)
    assert "\nmall_edge_phones 2\n" in text
    assert "\nmall_edge_phones_signed_in 1\n" in text
    assert "\nmall_edge_phone_notices_waiting 1\n" in text
    assert "\nmall_edge_phone_notices_refused 0\n" in text
