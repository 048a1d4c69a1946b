"""What `python -m sim day` does with its options."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import click

from sim.mall_day.day import Plan
from sim.mall_day.report import play
from sim.world.explore import quiet

#: Spaces for a thousand cars of the day; a quarter of them are inside at the same time.
SPACES = 267


def run(seed: int, orders: int, cars: int, out: Path | None, say: Callable[[str], None]) -> int:
    """Play the day and print its report; return the exit status: 1 when anything is wrong.

    out: where day.html is written; None writes none. Raises click.ClickException when it cannot be.
    """
    quiet()
    if out is not None:
        try:
            out.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise click.ClickException(f"{out} cannot be made ({error}); name another folder") from None
    total = orders + cars
    plan = Plan(seed=seed, orders=orders, cars=cars, spaces=max(20, cars * SPACES // 1_000))
    with click.progressbar(length=total, label="orders and cars", file=sys.stderr) as bar:
        report = play(plan, lambda done, of: bar.update(max(0, done - bar.pos)))
        bar.update(total - bar.pos)
    for line in report.lines:
        say(line)
    if out is not None:
        (out / "day.html").write_text(report.page, "utf-8")
        say(f"plots: {out / 'day.html'}")
    return 1 if report.violations else 0
