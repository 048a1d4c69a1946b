"""Box, broker and HQ killed at random: every event that the store promised takes effect at HQ once."""

from __future__ import annotations

from pathlib import Path

import pytest

from sim.broker import BrokerKind, installed
from tests.system.chaos import BROKER, Plan, run
from tests.system.chaos_parts import BATCH, EDGE, HQ

pytestmark = pytest.mark.broker

KILLS = 16


@pytest.mark.parametrize(
    "kind",
    [
        pytest.param(
            kind,
            marks=pytest.mark.skipif(not installed(kind), reason=f"{kind} is not installed"),
            id=kind.value,
        )
        for kind in BrokerKind
    ],
)
def test_every_event_takes_effect_once_whatever_dies(kind: BrokerKind, tmp_path: Path) -> None:
    found = run(Plan(kills=KILLS, seed=20261122, broker=kind), tmp_path)

    assert set(found.kills) == {EDGE, HQ, BROKER}
    assert found.made > 10 * BATCH
    assert found.made >= found.promised
    assert (found.lost, found.doubled, found.wrong_fen, found.waiting) == (0, 0, 0, 0), found
