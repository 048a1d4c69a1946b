"""HQ sends commands to the world's box, again until it hears what became of each, and what must hold then."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from edge.services.command_records import CommandState
from edge.services.obey_command import Command, CommandKind, Means, obey_command
from sim.fakes.box import BREAD, TILL
from sim.fakes.clock import START_AT, FakeClock
from sim.world.people.buyers import Buyer
from sim.world.people.person import Person, Place
from sim.world.scenario import Scenario

if TYPE_CHECKING:
    from sim.world.world import World

Event = dict[str, Any]

#: How long a command is good for.
LIFE_MS = 600_000

#: Commands of one wish at most: one that ends as unknown or refused is issued anew.
MAX_ISSUED = 9


@dataclass(slots=True)
class Headquarters(Person):
    """Freezes sales, looks whether they are, and thaws them again; its clock is right.

    wishes: what is still to be carried out. deaf: how many answers to each command are lost on the way, each
    of which has it sent again. issued: the ids of all commands; answers: the state that it heard for each.
    """

    clock: FakeClock = field(repr=False)
    wishes: list[CommandKind] = field(
        default_factory=lambda: [CommandKind.FREEZE_SALES, CommandKind.THAW_SALES]
    )
    deaf: int = 0
    unheard: int = 0
    issued: list[str] = field(default_factory=list)
    answers: dict[str, CommandState] = field(default_factory=dict)

    def act(self, place: Place) -> None:
        """Do the next thing."""
        if not self.wishes:
            self.done = True
        else:
            self.command(place, self.wishes[0], Means(lambda _: {}))

    def command(self, place: Place, kind: CommandKind, means: Means, **arguments: str) -> None:
        """Send the command that is not answered yet, or a new one."""
        if not self.issued or self.issued[-1] in self.answers:
            assert len(self.issued) < MAX_ISSUED, "HQ asks for ever"
            self.issued.append(f"command-{len(self.issued)}")
            self.unheard = 0
        command_id, now = self.issued[-1], START_AT + self.clock.passed_ms
        command = Command(command_id, kind, "ops", now, now + LIFE_MS, arguments)
        state = obey_command(place.box, means, command).record.state
        if state is CommandState.BEGUN or self.unheard < self.deaf:
            self.unheard += 1
            return
        self.answers[command_id] = state
        if state is CommandState.DONE:
            self.wishes.pop(0)


def command_violations(world: World, events: list[Event]) -> Iterator[str]:
    """Each command came to one end, the one that HQ heard of, and in the end sales are not frozen."""
    for one in (person for person in world.people if isinstance(person, Headquarters)):
        told = Counter(
            event["data"]["command_id"] for event in events if event["type"].startswith("cn.mall.command.")
        )
        if told != Counter(dict.fromkeys(one.issued, 1)):
            yield f"HQ issued {one.issued}, it was told of {dict(told)}"
        for command_id, state in one.answers.items():
            kept = world.store.read(lambda unit, known=command_id: unit.commands.get(known))  # type: ignore[misc]
            if kept is None or kept.state is not state:
                yield f"HQ heard that {command_id} is {state}, the box has {kept and kept.state}"
        if world.store.read(lambda unit: unit.commands.freeze()) is not None:
            yield "sales are frozen after all"


def command_scenarios() -> tuple[Scenario, ...]:
    """Return the scenarios in which HQ commands while somebody buys."""
    return (Scenario("sales frozen and thawed by HQ", _frozen),)


def _frozen(world: World) -> Sequence[Person]:
    codes = [world.code() for _ in range(4)]
    return [Headquarters(world.clock), Buyer(TILL, [(BREAD, "bread")], codes=codes)]
