"""A car park: a facility with zones, and the lanes by which vehicles come and go. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class LaneWay(StrEnum):
    """Where a lane leads."""

    ENTRY = "entry"
    EXIT = "exit"


class UnconfirmedPolicy(StrEnum):
    """What an exit does when nobody can say whether the fee was paid: never a trapped car.

    RECORD_DEBT lets the vehicle out and writes the fee as a debt; ASK_GUARD asks the guard, who can do both.
    """

    RECORD_DEBT = "record_debt"
    ASK_GUARD = "ask_guard"


class PassbackMode(StrEnum):
    """Anti-passback (防重入): off, told of (SOFT), or refused until a guard decides (HARD)."""

    OFF = "off"
    SOFT = "soft"
    HARD = "hard"


class FullMode(StrEnum):
    """What an entry does while its zone is full: let in all the same, queue, or refuse visitors."""

    ADMIT = "admit"
    QUEUE = "queue"
    REFUSE = "refuse"


@dataclass(frozen=True, slots=True)
class Zone:
    """Spaces that are counted together. tariff_id: what visitors pay there. spaces: 0 is not counted."""

    name: str
    spaces: int = 0
    tariff_id: str = "standard"


@dataclass(frozen=True, slots=True)
class Lane:
    """One way in or out, of one vehicle at a time.

    zone: where an entry leads, what an exit leaves. workstation: where this lane's fee is paid, "" at an
    entry. gate, display: names of devices, "" without. loops: how many presence loops its gate reads, in
    driving order; 0 leaves all to the camera. boom: whether its limit switches are wired. language: of its
    display, "zh", "en" or "both". stale_read_s: an older read never opens the gate. needs_plate: a vehicle
    without a readable plate waits for a guard instead of taking a ticket.
    """

    name: str
    way: LaneWay
    zone: str
    gate: str = ""
    display: str = ""
    workstation: str = ""
    loops: int = 0
    passback: PassbackMode = PassbackMode.SOFT
    when_full: FullMode = FullMode.REFUSE
    unconfirmed: UnconfirmedPolicy = UnconfirmedPolicy.ASK_GUARD
    stale_read_s: int = 10
    needs_plate: bool = False
    boom: bool = False
    language: str = "zh"


@dataclass(frozen=True, slots=True)
class Facility:
    """The car park of one site."""

    name: str
    zones: tuple[Zone, ...]
    lanes: tuple[Lane, ...]

    def lane(self, name: str) -> Lane | None:
        """Return the lane of that name."""
        return next((one for one in self.lanes if one.name == name), None)

    def zone(self, name: str) -> Zone | None:
        """Return the zone of that name."""
        return next((one for one in self.zones if one.name == name), None)
