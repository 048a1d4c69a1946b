"""A small crowd with phones through a whole mall, and everything must hold after it."""

from __future__ import annotations

from pathlib import Path

import pytest

from sim.crowd.own_mall import crowd_in
from sim.digits import random_digits
from sim.mall import MallSettings, read_health
from tests.system.books import box_books, check_box_and_hq, hq_books
from tests.system.mall_process import eventually, open_mall

pytestmark = pytest.mark.broker


def test_a_crowd_of_phones_finishes_its_journeys_and_every_order_is_whole_at_hq(tmp_path: Path) -> None:
    settings = MallSettings(tmp_path, rules="poll_ms = 200\npaid_idle_ms = 600000")
    with open_mall(tmp_path, settings) as mall:
        report = crowd_in(mall, 24, 0.05, 3, False, random_digits, lambda _: None)
        told = "\n".join(report.lines)
        assert report.good, told
        assert "24 orders paid, 24 of them at HQ, 24 with their whole chain" in told
        for journey in ("scan and go", "kiosk", "ticket"):
            assert f"  {journey}" in told
        eventually(lambda: read_health(mall.url).get("outbox_depth") == 0 or None, "HQ's acknowledgement")
        check_box_and_hq(box_books(tmp_path), hq_books(tmp_path))
