"""A till's shift, killed at every step and started again: its drawer, Z number and papers hold."""

from __future__ import annotations

from collections import Counter
from copy import copy
from dataclasses import replace

import pytest

from edge.retail.receipt import PrintState
from edge.retail.shift import CashKind, ShiftState
from edge.services.check_out import check_out
from edge.services.close_day import roll_shifts
from edge.services.close_shift import begin_count, give_count, look_at_shift
from edge.services.move_cash import move_cash
from edge.services.open_shift import open_shift
from edge.services.print_paper import print_next_paper
from edge.services.recover import recover
from edge.services.take_cash import take_cash
from sim.fakes.box import COLA, RULES, TILL
from sim.world.steps import Crash, SteppedStore, Steps, stepped
from tests.unit.shop import Shop

WHO = "李雷"
MOST_STEPS = 400


class Till:
    """A shop whose ports may stop it; what was committed outlives it."""

    def __init__(self, crash_at: int | None) -> None:
        self.shop = Shop(replace(RULES, cash_needs_shift=True))
        self.real = self.shop.box
        self.steps = Steps([crash_at] if crash_at else [])
        self.box = replace(
            self.real,
            store=SteppedStore(self.real.store, self.steps),
            printers={TILL: stepped(self.shop.ports.printers[TILL], "printer", self.steps)},
        )

    def work(self) -> None:
        """Do what is still to be done, as people would who look at the screen."""
        store = self.real.store
        shift = store.read(lambda unit: unit.shifts.current(TILL))
        last = store.read(lambda unit: unit.shifts.last(TILL))
        if shift is None and last is None:
            shift = open_shift(self.box, TILL, WHO, 10_000)
        if shift is not None and shift.state is ShiftState.OPEN and not shift.movements:
            shift = move_cash(self.box, TILL, CashKind.PICK_UP, 5_000, "上交", WHO)
        if shift is not None and not store.read(lambda unit: unit.shifts.drawer_fen(TILL, 0, None)):
            self.sell()
        if shift is not None and shift.state is ShiftState.OPEN:
            begin_count(self.box, TILL)
        if shift is not None:
            give_count(self.box, TILL, {}, 5_350, WHO)
        while print_next_paper(self.box, TILL) is not None:
            pass

    def sell(self) -> None:
        shop = copy(self.shop)
        shop.box = self.box
        if shop.screen(TILL)["screen"] in {"attract", "basket"}:
            self._ring_up(shop)
        take_cash(self.box, TILL, 350)

    def _ring_up(self, shop: Shop) -> None:
        if shop.screen(TILL)["screen"] == "attract":
            shop.scan(COLA, TILL)
        check_out(self.box, TILL)

    def restart(self) -> None:
        recover(self.real)
        self.box = self.real


def run(crash_at: int | None) -> Till:
    till = Till(crash_at)
    try:
        till.work()
    except Crash:
        till.restart()
        till.work()
    return till


STEPS = run(None).steps.count


def test_there_are_steps_to_stop_at() -> None:
    assert 30 < STEPS < MOST_STEPS


@pytest.mark.parametrize("crash_at", range(1, STEPS + 1))
def test_a_shift_holds_wherever_it_is_stopped(crash_at: int) -> None:
    till = run(crash_at)
    read = till.real.store.read
    last = read(lambda unit: unit.shifts.last(TILL))
    assert last is not None
    assert (last.number, last.expected_fen, last.over_short_fen) == (1, 5_350, 0)
    assert read(lambda unit: unit.shifts.current(TILL)) is None
    report = read(lambda unit: look_at_shift(unit, last, till.real.clock.now()))
    assert (report.orders, report.taken_fen) == (1, 350)
    assert Counter(till.shop.events())["shift.closed"] == 1
    papers = read(lambda unit: unit.papers.of(last.shift_id))
    printed = [one for one in papers if one.print_state is PrintState.PRINTED]
    unsure = [one for one in papers if one.print_state is PrintState.UNCERTAIN]
    # Float slip, pick-up slip, drawer, Z: each once, at most one of them left to a person.
    assert len(printed) + len(unsure) == 4
    assert len(unsure) <= 1
    jobs = [job.job_id for job in till.shop.ports.printers[TILL].printed]
    assert len(jobs) == len(set(jobs))
    assert roll_shifts(till.real) == 0
