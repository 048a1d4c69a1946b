"""The conditions under which a world runs: what its wires, its gateway and its cameras do to what is said."""

from __future__ import annotations

from dataclasses import dataclass, field

from sim.fakes.gateway import FakeFault
from sim.fakes.hq import Fate
from sim.world.garage.site import EyeHabits
from sim.world.timekeeping import HONEST, HOUR_MS, MINUTE_MS, ClockHabits, Wakes


@dataclass(frozen=True, slots=True)
class Conditions:
    """fates: of a message to HQ, or of an ack, by lot. hq_away: rounds until HQ hears anything.

    pay_faults, query_faults: of the first calls of the gateway, by lot; `faults` of each. quick: a service
    that died is back within a second or two, else half the time the machine reboots. clock: what becomes of
    the box's clock.
    """

    name: str
    fates: tuple[Fate, ...] = (Fate.DELIVER,)
    eyes: EyeHabits = field(default_factory=EyeHabits)
    hq_away: int = 0
    pay_faults: tuple[FakeFault, ...] = ()
    query_faults: tuple[FakeFault, ...] = ()
    faults: int = 2
    quick: bool = False
    clock: ClockHabits = HONEST


CALM = Conditions("calm")
#: Everything that a wire can do, by lot.
MIXED = Conditions("mixed", tuple(Fate), EyeHabits(late=0.2, doubled=0.2, overtaken=0.2))
LOSSY = Conditions("lossy", (Fate.DELIVER, Fate.LOSE, Fate.LOSE), EyeHabits(late=0.3))
SLOW = Conditions("slow", (Fate.DELIVER, Fate.DELAY, Fate.DELAY), EyeHabits(late=0.8, late_ms=6_000))
DUPLICATING = Conditions("duplicating", (Fate.REPEAT, Fate.DELIVER), EyeHabits(doubled=0.8))
REORDERING = Conditions("reordering", (Fate.DELAY, Fate.DELIVER), EyeHabits(late=0.5, overtaken=0.8))
QUICK = Conditions("quick restart", tuple(Fate), EyeHabits(late=0.2, doubled=0.2), quick=True)
HQ_AWAY = Conditions("hq away", hq_away=60)
UNSURE = Conditions(
    "gateway unsure",
    pay_faults=(FakeFault.LOST, FakeFault.NEVER, FakeFault.UNAVAILABLE),
    query_faults=(FakeFault.UNAVAILABLE,),
)

WORLDS = (CALM, MIXED, LOSSY, SLOW, DUPLICATING, REORDERING, QUICK, HQ_AWAY, UNSURE)

#: When the clocks below do what they do: early enough for a short visit, and again for one of hours.
_SOON, _LATER, _LATE = 45_000, 2_400_000, 6_000_000
_CUTS = (60_000, 3_000_000)

STEPPING = Conditions(
    "clock steps",
    clock=ClockHabits(
        steps=(
            (_SOON, 3 * HOUR_MS),
            (70_000, -5 * HOUR_MS),
            (_LATER, 9 * 30 * 24 * HOUR_MS),
            (_LATE, -3 * HOUR_MS),
        )
    ),
)
CLOCK_LOST = Conditions(
    "clock lost", clock=ClockHabits(wakes=Wakes.EPOCH, set_after_ms=10 * MINUTE_MS, cuts=_CUTS)
)
NEVER_SET = Conditions("clock never set", clock=ClockHabits(wakes=Wakes.EPOCH, cuts=_CUTS, begins_lost=True))
CLOCK_SAVED = Conditions("clock saved", clock=ClockHabits(wakes=Wakes.SAVED, cuts=_CUTS))
DRIFTING = Conditions(
    "clock drifts",
    clock=ClockHabits(
        wakes=Wakes.SAVED, set_after_ms=40 * MINUTE_MS, cuts=_CUTS, drift_ppm=200, begins_lost=True
    ),
)
BAD_CRYSTAL = Conditions(
    "bad crystal",
    clock=ClockHabits(
        wakes=Wakes.EPOCH, set_after_ms=40 * MINUTE_MS, cuts=_CUTS, drift_ppm=20_000, begins_lost=True
    ),
)

#: Worlds whose box has a clock that is wrong; what they prove is in tests/crash/test_clocks.py.
CLOCKS = (STEPPING, CLOCK_LOST, NEVER_SET, CLOCK_SAVED, DRIFTING, BAD_CRYSTAL)
