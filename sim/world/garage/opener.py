"""HQ opens a gate by a command, again until it hears what became of it, and what must hold of it then.

The lane's ledger opens it, as in the shipped service; that HQ waits for the board's echo is left out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

from edge.parking.decision import Why
from edge.services.answer_guard import open_by_hand
from edge.services.box import Box
from edge.services.command_records import CommandState
from edge.services.obey_command import Means
from edge.services.ports import Gate
from sim.world.garage.motorists import Motorist
from sim.world.people.headquarters import Headquarters
from sim.world.people.person import Place

if TYPE_CHECKING:
    from sim.world.world import World

#: A car that has stood at a barrier for so long is let through; a guard would come later.
PATIENCE_MS = 20_000


@dataclass(slots=True)
class _FromAfar:
    """A lane's gate as the command `opener` is at opens it; openings are counted outside of the crash."""

    name: str
    box: Box
    opener: GateOpener

    def pulse(self) -> None:
        """Have it opened for whoever stands there."""
        self.opener.pulses[self.opener.issued[-1]] += 1
        self.opener.guest.helped += 1
        open_by_hand(self.box, self.opener.lane, "HQ", "opened by HQ", Why.FROM_HQ)


@dataclass(slots=True, kw_only=True)
class GateOpener(Headquarters):
    """Opens a lane's gate for `guest`, whose car has stood there for long; looks at the boom as well.

    pulses: how often each command had it opened.
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
            gate = cast(Gate, place.wired(_FromAfar(boom.name, place.box, self), "gate"))
            self.command(place, self.wishes[0], Means(lambda _: {}, {boom.name: gate}), gate=boom.name)
        elif self.guest.done or (self.issued and not waits_ms):
            # The car is through: nobody opens once more, also when nobody knows whose pulse it was.
            self.done = True


def opening_violations(world: World) -> Iterator[str]:
    """A gate was opened once for each command that was carried out, and never twice for one."""
    for opener in (one for one in world.people if isinstance(one, GateOpener)):
        for command_id in opener.issued:
            pulses, state = opener.pulses[command_id], opener.answers.get(command_id)
            if pulses > 1 or (state is CommandState.DONE and not pulses):
                yield f"{command_id} is {state}, its gate was opened {pulses} times"
            if pulses and state is CommandState.REFUSED:
                yield f"{command_id} was refused, and its gate was opened"
