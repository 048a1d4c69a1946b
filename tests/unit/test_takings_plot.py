"""The bars of the day's takings stand where and as high as the money says."""

from __future__ import annotations

import pytest

from edge.web.staff.takings_plot import HEIGHT, WIDTH, plot_takings, style


def test_bars_are_stacked_and_what_went_back_hangs_below() -> None:
    plot = plot_takings({"wechat_pay": {9: 5_000}, "cash": {9: 4_000, 10: -1_000}}, 4)
    cash, wechat, back = plot.bars
    assert (plot.top_fen, plot.bottom_fen) == (10_000, 1_000)
    assert (cash.style, wechat.style, back.fen) == ("tender-cash", "tender-wechat-pay", -1_000)
    assert cash.x == wechat.x < back.x
    assert cash.y + cash.height == pytest.approx(plot.axis_y, abs=0.2)
    assert wechat.y + wechat.height == pytest.approx(cash.y, abs=0.2)
    assert back.y == pytest.approx(plot.axis_y, abs=0.2)
    assert wechat.height / cash.height == pytest.approx(5 / 4, abs=0.02)
    assert plot.legend == (("cash", "tender-cash", 3_000), ("wechat_pay", "tender-wechat-pay", 5_000))


def test_the_day_begins_on_the_left_at_its_first_hour() -> None:
    plot = plot_takings({"cash": {4: 100, 3: 100}}, 4)
    assert [round(bar.x + bar.width) for bar in plot.bars] == [WIDTH // 24 - 3, WIDTH - 3]
    assert [hour for _, hour in plot.labels] == [4, 7, 10, 13, 16, 19, 22, 1]


def test_a_day_without_takings_has_an_axis_and_no_bar() -> None:
    plot = plot_takings({}, 4)
    assert (plot.bars, plot.axis_y, plot.legend) == ((), HEIGHT, ())


def test_a_tender_without_a_colour_of_its_own_has_the_common_one() -> None:
    assert style("unionpay") == "tender-other"
