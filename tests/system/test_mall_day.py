"""A whole day of the mall with faults at each port, power cuts, clock steps and HQ away: nothing is lost."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import pytest

from sim.explore import quiet
from sim.mall_day.day import Plan
from sim.mall_day.report import DayReport, play
from tests.proof import PROOF, Counted, Tally

SMALL = Plan(seed=1, orders=120, cars=60, spaces=100)


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
    # The day was one with troubles; a quiet one would prove nothing.
    for port in ("gateway", "HQ link", "printers", "scanners", "gates", "displays"):
        line = next(one for one in report.lines if one.strip().startswith(port))
        assert not line.strip().startswith(f"{port}  0 of"), line
        assert "(0.0%)" not in line


def test_the_same_seed_plays_the_same_day(tally: Tally) -> None:
    again = play(SMALL)
    tally.add(Counted.DAYS, 1)
    assert again.digest == small().digest
    assert play(replace(SMALL, seed=2, orders=5, cars=2)).digest != again.digest


@pytest.mark.skipif(not PROOF, reason="the whole day is played by make proof")
def test_the_whole_day_twice(tally: Tally) -> None:
    quiet()
    first, again = play(Plan()), play(Plan())
    tally.add(Counted.DAYS, 2)
    tally.add(Counted.VIOLATIONS, len(first.violations) + len(again.violations))
    assert first.violations == again.violations == ()
    assert first.digest == again.digest
