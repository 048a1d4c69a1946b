"""`edge shifts`: a day's totals and shifts, beside a running service."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from click.testing import CliRunner, Result

from edge.cli import main
from edge.services.close_shift import begin_count, give_count
from edge.services.open_shift import open_shift
from edge.services.take_cash import take_cash
from edge.store.sqlite_store import SqliteStore
from sim.fakes.box import COLA, RULES, TILL, FakePorts
from tests.unit.shop import Shop

DAY = "2026-11-22"


class Box:
    """A configured box whose database is in use."""

    def __init__(self, folder: Path) -> None:
        self.config = folder / "edge.toml"
        self.config.write_text(f'[box]\nsite = "mall"\nedge = "e1"\ndata_dir = "{folder}"\n', "utf-8")
        self.store = SqliteStore(folder / "edge.db", 0)
        rules = replace(RULES, cash_needs_shift=True, zone=ZoneInfo("Asia/Shanghai"))
        self.shop = Shop(rules, FakePorts(store=self.store))

    def run(self, *words: str) -> Result:
        return CliRunner().invoke(main, ["shifts", *words, "--config", str(self.config)])


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Box]:
    one = Box(tmp_path)
    yield one
    one.store.close()


def test_a_day_is_printed_with_totals_and_each_shift(box: Box) -> None:
    shop = box.shop
    open_shift(shop.box, TILL, "李雷", 10_000)
    shop.order_of(COLA, place=TILL)
    take_cash(shop.box, TILL, 350)
    begin_count(shop.box, TILL)
    give_count(shop.box, TILL, {}, 10_300, "李雷")
    open_shift(shop.box, TILL, "韩梅梅", 0)
    result = box.run("--day", DAY)
    assert result.exit_code == 0, result.output
    assert result.output.splitlines() == [
        "business day 2026-11-22 is open: 1 orders, 3.50: cash 3.50",
        "  till-1  Z 1  李雷  11-22 16:26 to 11-22 16:26  1 orders, 3.50, over/short -0.50",
        "  till-1  open  韩梅梅  11-22 16:26 to now  0 orders, 0.00",
    ]


def test_a_day_without_shifts_and_a_day_that_is_none_are_told_plainly(box: Box) -> None:
    assert box.run("--day", "2026-11-21").output == "business day 2026-11-21 has no shift\n"
    refused = box.run("--day", "yesterday")
    assert refused.exit_code == 2
    assert "yesterday" in refused.output
