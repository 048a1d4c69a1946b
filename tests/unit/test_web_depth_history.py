from __future__ import annotations

from edge.web.depth_history import SPAN_S, STEP_S, DepthHistory
from edge.web.staff.plot import HEIGHT, WIDTH, plot_depth


def test_a_step_keeps_its_highest_depth() -> None:
    history = DepthHistory()
    for at_s, depth in ((0, 3), (5, 9), (10, 1), (15, 2)):
        history.note(depth, at_s)
    assert history.points(15) == [(15, 9), (0, 2)]


def test_what_is_older_than_the_span_is_forgotten() -> None:
    history = DepthHistory()
    for step in range(2000):
        history.note(step, step * STEP_S)
    points = history.points(1999 * STEP_S)
    assert len(points) == SPAN_S // STEP_S + 1
    assert (points[0], points[-1]) == ((SPAN_S, 1999 - SPAN_S // STEP_S), (0, 1999))
    assert history.points(1999 * STEP_S + 2 * SPAN_S) == []


def test_the_plot_spans_the_hour_and_the_next_round_depth() -> None:
    plot = plot_depth([(30, 0), (15, 15), (0, 30)])
    assert plot.top == 50
    assert plot.line == f"M714.0 {HEIGHT}.0 L717.0 98.0 L{WIDTH}.0 56.0"
    assert plot.area.endswith(f"V{HEIGHT} H714.0 Z")


def test_a_gap_in_the_samples_is_a_gap_in_the_line() -> None:
    assert plot_depth([(600, 1), (585, 1), (60, 2)]).line.count("M") == 2


def test_a_plot_without_samples_is_empty() -> None:
    plot = plot_depth([])
    assert (plot.line, plot.area, plot.top) == ("", "", 10)
