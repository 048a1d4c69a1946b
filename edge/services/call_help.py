"""A person is wanted: the shopper asked, or the goods wait for an age check."""

from __future__ import annotations

from dataclasses import replace

from edge.clock import Instant
from edge.services.box import Box
from edge.services.events import EventKind, help_called, record_event
from edge.services.records import Unit, WorkstationState
from edge.services.workstation import Busy, act, touched


def call_help(box: Box, workstation: str) -> None:
    """Ask for a cashier; asking twice is one call."""
    act(box, workstation, lambda unit, busy, now: raise_call(unit, box, busy.state, now))


def end_help(box: Box, workstation: str) -> None:
    """The cashier has been there."""

    def step(unit: Unit, busy: Busy, now: Instant) -> None:
        unit.workstations.put(touched(replace(busy.state, help_at=None), now))

    act(box, workstation, step)


def raise_call(unit: Unit, box: Box, state: WorkstationState, now: Instant) -> None:
    """Note the call and tell HQ, unless one is open; `state` is the workstation's present one."""
    if state.help_at is not None:
        return
    unit.workstations.put(touched(replace(state, help_at=now.wall_at), now))
    data = help_called(state.workstation, state.basket_id, state.order_id)
    record_event(unit, box.ids, now, box.origin, EventKind.HELP_CALLED, state.workstation, data)
