"""The simulated HQ knows the name of every event that a box may send."""

from __future__ import annotations

import pytest

from edge.hq.topics import Topics
from edge.services.events import EventKind, Origin, event_type
from sim.hq.reading import _TYPE
from sim.hq.worker import _TOPIC


@pytest.mark.parametrize("kind", list(EventKind))
def test_an_event_of_each_kind_is_taken_in(kind: EventKind) -> None:
    found = _TYPE.fullmatch(event_type(kind))
    assert found is not None
    assert found[1] == kind.value
    assert _TOPIC.fullmatch(Topics(Origin("demo-mall", "edge-1")).event(kind)) is not None
