"""A short day of sales by codes with HQ away for a quarter of it: each chain is whole at HQ, once."""

from __future__ import annotations

from pathlib import Path

from tests.bench.bench_touch_day import play


def test_every_paid_orders_chain_is_at_hq_once_though_hq_was_away(tmp_path: Path) -> None:
    day = play(tmp_path, 60)
    assert (day.paid, day.whole, day.doubled) == (60, 60, 0)
    assert day.repeats
    assert day.most_waiting > 60
