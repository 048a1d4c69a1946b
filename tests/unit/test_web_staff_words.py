"""Staff pages say it in the reader's words: who is settled with, what HQ asked for, where money is."""

from __future__ import annotations

from dataclasses import replace

from flask.testing import FlaskClient

from edge.services.box import Tenant
from edge.services.charge_stay import charge_stay
from edge.services.join_member import JoinAsk, join
from edge.services.obey_command import Command, CommandKind, Means, obey_command
from edge.services.refund_order import RefundAsk, refund_order
from edge.services.staff import StaffMember
from edge.services.take_cash import take_cash
from edge.web.texts import load_texts
from sim.fakes.box import COLA, TILL
from tests.unit.garage import Garage
from tests.unit.shop import Shop
from tests.unit.staff_client import staff_client
from tests.unit.test_member_commands import OPENID

BOSS = StaffMember("Wang", "supervisor", "")


def pages(client: FlaskClient, path: str) -> dict[str, str]:
    return {
        language: client.get(path, query_string={"language": language}).get_data(as_text=True)
        for language in ("zh", "en")
    }


def test_the_parking_fees_of_the_mall_have_a_name_in_the_settlement() -> None:
    garage = Garage()
    garage.box = replace(garage.box, tenants={"t-drinks": Tenant("t-drinks", "饮料店", "Drinks")})
    charge_stay(garage.box, garage.come(minutes_ago=50), TILL)
    take_cash(garage.box, TILL, 500)
    shown = pages(staff_client(garage.box), "/staff/settlement")
    assert "<strong>停车费</strong>" in shown["zh"]
    assert "<strong>Parking fees</strong>" in shown["en"]
    assert "<strong>parking</strong>" not in shown["zh"] + shown["en"]


def test_money_that_was_given_back_has_no_next_step() -> None:
    shop = Shop()
    order = shop.order_of(COLA, COLA, place=TILL)
    take_cash(shop.box, TILL, 1_500)
    line = order.lines[0].line_id
    refund = refund_order(shop.box, RefundAsk("r1", order.order_id, TILL, "x", {line: 1}), "g", BOSS)
    shown = pages(staff_client(shop.box), f"/staff/refunds/{refund.refund_id}")
    assert "Given back at" in shown["en"]
    assert "Next step" not in shown["en"]
    assert "下一步" not in shown["zh"]


def test_what_hq_ordered_and_why_it_was_refused_stands_in_words() -> None:
    shop = Shop()
    here = join(shop.box, JoinAsk((OPENID,), "kiosk-1", "1")).member_id
    at = shop.box.clock.now().wall_at
    for number, who in enumerate((here, "nobody")):
        given = {"absorbed_id": who, "member_id": who}
        command = Command(f"cmd-{number}", "member_merged", "HQ", at, at + 30_000, given)
        obey_command(shop.box, Means(lambda command_id: {}), command)
    shown = pages(staff_client(shop.box), "/staff/hq")
    assert "member_merged" not in shown["zh"]
    assert shown["zh"].count("会员确认") == 2
    assert "没有该会员" in shown["zh"]
    assert "no such member" in shown["en"]


def test_every_command_has_a_name_in_both_languages() -> None:
    for language in ("zh", "en"):
        texts = load_texts(language)
        assert [kind for kind in CommandKind if f"command_kind_{kind.value}" not in texts] == []
