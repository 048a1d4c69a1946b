"""Alarms that are open, as records."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Alarm:
    """Something that is wrong with the box or its devices and that HQ was told of.

    name: what it is about, one alarm of a name is open at a time. level: how bad it is, a word that goes with
    the name. detail: a sentence for people. raised_at: when it was first told of.
    """

    name: str
    level: str
    detail: str
    raised_at: int


class Alarms(Protocol):
    """Alarms that are open; one that is over is not here any more."""

    def get(self, name: str) -> Alarm | None:
        """Return the open alarm of that name."""

    def all(self) -> tuple[Alarm, ...]:
        """Return all open alarms in the order of their names."""

    def put(self, alarm: Alarm) -> None:
        """Write an open alarm; the moment at which an older one of its name was raised stays."""

    def drop(self, name: str) -> None:
        """Take an alarm away; nothing happens when it is not open."""
