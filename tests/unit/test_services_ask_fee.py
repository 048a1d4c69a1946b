"""At a kiosk or counter a driver asks for the fee by plate or ticket; the screen says why and until when."""

from __future__ import annotations

from dataclasses import replace

import pytest

from edge.codes.reading import code_rules
from edge.services.ask_fee import ask_fee
from edge.services.check_out import check_out
from edge.services.reset_idle import reset_idle
from edge.services.show_stay import show_stay, stays_of_plate
from sim.fakes.box import COLA, KIOSK, RULES
from tests.unit.garage import EXIT, PLATE, Garage

TICKET = "https://mall.example/phone/p/T8F3K2Q"


@pytest.fixture
def garage() -> Garage:
    codes = code_rules(public_hosts=("mall.example",), year=2026)
    return Garage(rules=replace(RULES, codes=codes))


def test_alone_it_is_paid_at_once_and_the_screen_says_until_when_to_leave(garage: Garage) -> None:
    stay = garage.come()
    ask_fee(garage.box, KIOSK, stay)
    screen = garage.screen()
    assert (screen["screen"], screen["order"]["due_fen"], screen["fees"]) == ("checkout", 1_000, True)
    (shown,) = screen["stays"]
    assert shown["lines"]
    assert shown["lines_en"]
    assert shown["leave_by"] is None
    garage.pay(garage.code())
    (shown,) = garage.screen()["stays"]
    assert shown["leave_by"] >= garage.ports.clock.now().wall_at + 900_000


def test_with_goods_it_joins_their_basket(garage: Garage) -> None:
    stay = garage.come()
    garage.scan(COLA)
    ask_fee(garage.box, KIOSK, stay)
    assert garage.lines() == [("cola", 1, 350), ("PARKING", 1, 1_000)]
    check_out(garage.box, KIOSK)
    garage.pay(garage.code())
    assert [one.amount_fen for one in garage.settled(stay)] == [1_000]


def test_a_ticket_is_scanned_at_a_kiosk_or_at_the_lane(garage: Garage) -> None:
    stay = garage.come("", ticket="T8F3K2Q")
    for place in (KIOSK, EXIT):
        assert garage.scan(TICKET, place).outcome == "ticket"
        assert garage.screen(place)["order"]["due_fen"] == 1_000
    garage.pay(garage.code(), EXIT)
    assert [one.amount_fen for one in garage.settled(stay)] == [1_000]


def test_a_ticket_that_nobody_gave_out_is_not_one(garage: Garage) -> None:
    assert garage.scan(TICKET).outcome != "ticket"
    assert garage.screen()["screen"] == "attract"


def test_a_ticket_with_nothing_due_says_so_and_loses_nothing(garage: Garage) -> None:
    garage.come("", ticket="T8F3K2Q")
    garage.scan(TICKET)
    garage.pay(garage.code())
    garage.wait(3_000)
    assert garage.scan(TICKET, EXIT).outcome == "cannot_add"


def test_a_lane_is_shown_like_any_workstation_and_keeps_its_fee_while_nobody_touches_it(
    garage: Garage,
) -> None:
    ask_fee(garage.box, EXIT, garage.come())
    garage.wait(3_600_000)
    assert not reset_idle(garage.box, EXIT)
    assert (garage.screen(EXIT)["kind"], garage.screen(EXIT)["screen"]) == ("lane", "checkout")


def test_goods_scanned_at_a_lane_are_no_sale(garage: Garage) -> None:
    assert garage.scan(COLA, EXIT).outcome == "not_here"
    assert garage.screen(EXIT)["screen"] == "attract"


def test_a_plate_finds_its_stays_and_nothing_of_others(garage: Garage) -> None:
    garage.come()
    garage.come("粤B99999")
    (found,) = stays_of_plate(garage.box, " 粤b 12345 ")
    assert (found.session.plate, found.due_fen, found.attempt) == (PLATE, 1_000, None)
    assert show_stay(garage.box, found.session.session_id).due_fen == 1_000
    assert stays_of_plate(garage.box, "粤B54321") == ()
