"""HQ opens a gate by a command, again until it hears what became of it, and what must hold of it then."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

from edge.services.command_records import CommandState
from edge.services.obey_command import Means
from edge.services.ports import Gate
from sim.world.garage.motorists import Motorist
from sim.world.garage.site import Boom
from sim.world.people.headquarters import Headquarters
from sim.world.people.person import Place

if TYPE_CHECKING:
    from sim.world.world import World

#: A car that has stood at a barrier for so long is let through; a guard would come later.
PATIENCE_MS = 20_000


@dataclass(slots=True)
class _Told:
    """A gate as the command `opener` is at carries it out; its pulses are counted outside of the crash."""

    gate: Boom
    opener: GateOpener

    @property
    def name(self) -> str:
        return self.gate.name

    def pulse(self) -> None:
        """Open."""
        self.opener.pulses[self.opener.issued[-1]] += 1
        self.opener.guest.helped += 1
        self.gate.pulse()


@dataclass(slots=True, kw_only=True)
class GateOpener(Headquarters):
    """Opens a lane's gate for `guest`, whose car has stood there for long; looks at the boom as well.

    pulses: what really went to the gate, by command.
    """

    lane: str
    guest: Motorist = field(repr=False)
    pulses: Counter[str] = field(default_factory=Counter)

    def act(self, place: Place) -> None:
        """Do the next thing."""
        garage = place.garage
        boom, car = garage.booms[self.lane], garage.first(self.lane)
        waits_ms = 0 if car is None or car.driven else garage.clock.passed_ms - car.since_ms
        unheard = bool(self.issued) and self.issued[-1] not in self.answers
        if unheard or (self.wishes and waits_ms >= PATIENCE_MS and not boom.is_up):
            gate = cast(Gate, place.wired(_Told(boom, self), "gate"))
            self.command(place, self.wishes[0], Means(lambda _: {}, {boom.name: gate}), gate=boom.name)
        elif self.guest.done or (self.issued and not waits_ms):
            # The car is through: nobody opens once more, also when nobody knows whose pulse it was.
            self.done = True


def hq_pulses(world: World, lane: str) -> int:
    """Return how often HQ's commands have pulsed the gate of a lane."""
    openers = [one for one in world.people if isinstance(one, GateOpener) and one.lane == lane]
    return sum(one.pulses.total() for one in openers)


def opening_violations(world: World) -> Iterator[str]:
    """A gate was pulsed once for each command that was carried out, and never twice for one."""
    for opener in (one for one in world.people if isinstance(one, GateOpener)):
        for command_id in opener.issued:
            pulses, state = opener.pulses[command_id], opener.answers.get(command_id)
            if pulses > 1 or (state is CommandState.DONE and not pulses):
                yield f"{command_id} is {state}, its gate was pulsed {pulses} times"
            if pulses and state is CommandState.REFUSED:
                yield f"{command_id} was refused, and its gate was pulsed"
