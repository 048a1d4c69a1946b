"""What a run of the deterministic world is made of: a small script, and state that outlives crashes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from edge.services.box import Rules, Tenant, Workstation
from edge.services.member_rules import MemberRules
from edge.services.parking_rules import ParkingRules
from edge.services.phone_rules import PhoneRules
from edge.services.ports import Store
from edge.services.snapshot_kind import SnapshotKind
from edge.services.touch_rules import TouchRules
from sim.fakes.box import RULES
from sim.fakes.store import FakeStore
from sim.world.people.person import Person

if TYPE_CHECKING:
    from sim.world.world import World


@dataclass(frozen=True, slots=True, eq=False)
class Scenario:
    """A small script: prepare sets the stage and returns the people. name: for messages.

    rules, parking: what the box works by. places: more than the kiosk and the till. late_after: quiet rounds
    until what is late arrives. members: what members and points go by. owners: plates whose owners agreed to
    be charged after leaving; without any the box does not ask. phone: by what phones are served; None has no
    mini-program. takes: the kinds of snapshots that the box takes from HQ.
    """

    name: str
    prepare: Callable[[World], Sequence[Person]]
    rules: Rules = RULES
    late_after: int = 20
    parking: ParkingRules = field(default_factory=ParkingRules)
    places: Mapping[str, Workstation] = field(default_factory=dict)
    members: MemberRules = field(default_factory=MemberRules)
    touch: TouchRules | None = None
    phone: PhoneRules | None = None
    tenants: Mapping[str, Tenant] = field(default_factory=dict)
    owners: tuple[str, ...] = ()
    takes: Mapping[str, SnapshotKind] = field(default_factory=dict)


class StateKeeper(Protocol):
    """Committed state over the deaths of the service."""

    def open(self) -> Store:
        """Return the store as a starting service finds it."""

    def crash(self) -> None:
        """Lose everything that was not committed."""


class InMemory:
    """State in the fake store, which keeps what was committed."""

    def __init__(self) -> None:
        self._store = FakeStore()

    def open(self) -> Store:
        """Return the store."""
        return self._store

    def crash(self) -> None:
        """A unit that was cut off has left nothing behind."""
