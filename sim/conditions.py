"""The conditions under which a world runs: what its wires, its gateway and its cameras do to what is said."""

from __future__ import annotations

from dataclasses import dataclass, field

from sim.fakes.gateway import FakeFault
from sim.fakes.hq import Fate
from sim.garage.site import EyeHabits


@dataclass(frozen=True, slots=True)
class Conditions:
    """fates: of a message to HQ, or of an ack, by lot. hq_away: rounds until HQ hears anything.

    pay_faults, query_faults: of the first calls of the gateway, by lot; `faults` of each. quick: a service
    that died is back within a second or two, else half the time the machine reboots.
    """

    name: str
    fates: tuple[Fate, ...] = (Fate.DELIVER,)
    eyes: EyeHabits = field(default_factory=EyeHabits)
    hq_away: int = 0
    pay_faults: tuple[FakeFault, ...] = ()
    query_faults: tuple[FakeFault, ...] = ()
    faults: int = 2
    quick: bool = False


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
