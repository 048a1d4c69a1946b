"""The demonstration's car park: who bought enough leaves free, who did not pays at the exit."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from itertools import islice
from pathlib import Path

import pytest

from sim.__main__ import random_digits
from sim.clocks import unix_ms
from sim.mall import Mall, MallSettings
from sim.mall_drivers import CARS, visit_by_car
from sim.shopper import trips


@pytest.mark.timeout(180)
def test_a_purchase_at_the_kiosk_lets_its_car_out_free_and_another_pays(tmp_path: Path) -> None:
    settings = MallSettings(tmp_path, port=0, hq_port=0, gateway_port=0, pace_s=0.1)
    told: list[str] = []
    mall = Mall(settings, unix_ms, random_digits, told.append)
    try:
        mall.open()
        shop = replace(mall.shop(told.append), pace_s=0.1)
        [trip] = islice(trips(), 1)
        visit_by_car(mall.lanes, shop, trip)
    finally:
        mall.close()
    ends = [one for one in told if one.startswith("car park:") and "left" in one]
    assert [("free" in one, "paid at the exit" in one) for one in ends] == [(True, False), (False, True)]
    assert CARS[trip.title] in ends[0]
    assert mall.lanes.entry.gate.opened == mall.lanes.exit.gate.opened == 2
    books = sqlite3.connect(f"file:{tmp_path}/state/edge.db?mode=ro", uri=True)
    try:
        [(settled,)] = books.execute("SELECT sum(amount_fen) FROM settlements")
    finally:
        books.close()
    assert settled == 600
