"""A whole day of the mall with faults at each port, power cuts, clock steps and HQ away: nothing is lost."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from edge.services.payment_ports import CodePayment
from sim.mall_day.books import heard, violations
from sim.mall_day.day import MallDay, Plan
from sim.mall_day.disk import DayDisk
from sim.mall_day.money import Heard
from sim.mall_day.ports import Entry
from sim.mall_day.report import DayReport, play
from sim.world.explore import quiet
from tests.proof import LATER, PROOF, Counted, Tally

SMALL = Plan(seed=1, orders=120, cars=60, spaces=100)
TINY = Plan(seed=3, orders=12, cars=6, fault=0.0, cuts=(), steps=(), away=())


@cache
def small() -> DayReport:
    quiet()
    return play(SMALL)


def test_a_day_reconciles_to_the_fen_and_every_car_leaves(tally: Tally) -> None:
    report = small()
    tally.add(Counted.DAYS, 1)
    tally.add(Counted.VIOLATIONS, len(report.violations))
    assert report.violations == ()
    assert sum("power cut at" in line for line in report.lines) == 2
    assert any("4 drawers counted" in line and "off by 0.00" in line for line in report.lines)
    assert any("bills fetched" in line and " 0 differ" in line for line in report.lines)
    assert any("3 came into force" in line for line in report.lines)
    # The day was one with troubles; a quiet one would prove nothing.
    for port in ("gateway", "HQ link", "printers", "scanners", "gates", "displays"):
        line = next(one for one in report.lines if one.strip().startswith(port))
        assert not line.strip().startswith(f"{port}  0 of"), line
        assert "(0.0%)" not in line


def test_the_same_seed_plays_the_same_day(tally: Tally) -> None:
    again = play(SMALL)
    tally.add(Counted.DAYS, 1)
    assert again.digest == small().digest


def test_its_page_needs_no_network_and_speaks_both_languages() -> None:
    page = small().page
    assert page.count("<svg") == 8
    assert "src=" not in page
    assert "http" not in page
    assert page.count('class="zh"') == page.count('class="en"') > 50
    assert small().digest in page


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MallDay]:
    quiet()
    day = MallDay(TINY, DayDisk(tmp_path_factory.mktemp("day")))
    day.run()
    assert violations(day, heard(day)) == []
    yield day
    day.disk.close()


def test_the_checks_find_what_is_broken_on_purpose(tiny: MallDay) -> None:
    told = heard(tiny)
    ledger = tiny.house.gateway.ledger
    ledger.append(Entry(0, "nobody's", 1))
    assert finds(tiny, told, "nobody was told of")
    assert finds(tiny, told, "wechat_pay: the gateway has")
    ledger.pop()
    ledger.append(ledger[0])
    assert finds(tiny, told, "HQ was told of")
    ledger.pop()
    lost = tiny.house.hq.applied.pop()
    assert finds(tiny, heard(tiny), "HQ lacks 1 events")
    tiny.house.hq.applied.append(lost)
    car = tiny.drivers.cars[0]
    own, car.session_id = car.session_id, tiny.drivers.cars[1].session_id
    assert finds(tiny, told, "cars had stay")
    car.session_id = own
    tiny.samples.append(replace(tiny.samples[0], counted=5))
    assert finds(tiny, told, "counts are wrong")
    tiny.samples.pop()
    tiny.house.garage.booms["in-1"].pulses += 1
    assert finds(tiny, told, "was pulsed")
    tiny.house.garage.booms["in-1"].pulses -= 1
    tiny.shoppers.people[0].done = False
    assert finds(tiny, told, "never got to an end")
    tiny.shoppers.people[0].done = True
    assert violations(tiny, heard(tiny)) == []


def test_the_checks_of_the_office_find_what_is_broken_on_purpose(tiny: MallDay) -> None:
    office, told = tiny.office, heard(tiny)
    till = next(iter(office.counts))
    office.counts[till] += 1
    assert finds(tiny, told, "fen of cash were counted")
    office.counts[till] -= 1
    told.of("shift.closed")[0]["over_short_fen"] = 5
    assert finds(tiny, told, "is off by 5 fen")
    told = heard(tiny)
    office.desk.pulses["command-0"] = office.desk.bundles["command-0"] = 2
    assert finds(tiny, told, "it was done 2 times")
    office.desk.bundles["command-0"] = 1
    office.desk.issued.append("command-9")
    assert finds(tiny, told, "HQ issued")
    office.desk.issued.pop()
    told.of("snapshot.applied").pop()
    assert finds(tiny, told, "in force came")
    told = heard(tiny)
    move = tiny.house.gateway.ledger[0]
    tiny.house.gateway.ledger[0] = replace(move, at=move.at + 9 * 86_400_000)
    assert finds(tiny, told, "money moved on")
    tiny.house.gateway.ledger[0] = move
    assert violations(tiny, told) == []


def test_the_bill_finds_money_that_the_books_do_not_have(tmp_path: Path) -> None:
    quiet()
    day = MallDay(replace(TINY, seed=4), DayDisk(tmp_path))
    stranger = CodePayment("strangers", 77, "not ours", day.house.code(), "elsewhere")
    day.house.gateway.pay_by_code(stranger)
    day.run()
    assert finds(day, heard(day), "differences in the bills")
    day.disk.close()


def finds(day: MallDay, told: Heard, words: str) -> bool:
    return any(words in one for one in violations(day, told))


@pytest.mark.skipif(not PROOF, reason=LATER)
def test_the_whole_day_twice(tally: Tally) -> None:
    quiet()
    first, again = play(Plan()), play(Plan())
    tally.add(Counted.DAYS, 2)
    tally.add(Counted.VIOLATIONS, len(first.violations) + len(again.violations))
    assert first.violations == again.violations == ()
    assert first.digest == again.digest
