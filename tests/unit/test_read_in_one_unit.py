"""A read and what it decides are one unit of work: kept alone it is no news when its camera repeats it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

import pytest

from edge.errors import Unavailable
from edge.parking.passage import PassageState
from edge.parking.session import SessionState
from edge.services.lane_answer import LaneOutcome
from edge.services.ports import Store
from edge.services.records import Unit
from edge.services.see_plate import see_plate
from tests.unit.lane_rig import IN, LaneRig

T = TypeVar("T")


class Dying:
    """A store that takes `units` more units of work, and then its power is gone."""

    def __init__(self, store: Store, units: int) -> None:
        self._store, self._left = store, units

    def write(self, work: Callable[[Unit], T]) -> T:
        """Run `work`, or raise Unavailable."""
        if not self._left:
            raise Unavailable("the power is gone")
        self._left -= 1
        return self._store.write(work)

    def read(self, query: Callable[[Unit], T]) -> T:
        """Run `query`."""
        return self._store.read(query)


def test_a_read_that_is_kept_is_decided() -> None:
    lanes = LaneRig()
    lanes.loops(IN, True, False)
    dying = replace(lanes.box, store=Dying(lanes.box.store, 1))
    assert see_plate(dying, IN, lanes.seen()).outcome is LaneOutcome.OPEN
    assert lanes.here(IN).state is PassageState.DECIDED
    assert lanes.stay().state is SessionState.INSIDE


def test_a_read_that_was_not_kept_is_decided_when_its_camera_sends_it_again() -> None:
    lanes = LaneRig()
    lanes.loops(IN, True, False)
    seen = lanes.seen()
    with pytest.raises(Unavailable):
        see_plate(replace(lanes.box, store=Dying(lanes.box.store, 0)), IN, seen)
    assert lanes.here(IN).state is PassageState.APPROACHED
    assert see_plate(lanes.box, IN, seen).outcome is LaneOutcome.OPEN
